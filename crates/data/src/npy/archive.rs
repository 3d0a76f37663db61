//! Archives of arrays: a zip file with one `.npy` for each key.

use std::fs::File;
use std::io::{BufReader, Read, Seek};
use std::path::Path;

use zip::ZipArchive;
use zip::read::ZipFile;

use super::array::Array;
use super::set;
use crate::source::{open_file, set_name};
use crate::{DataError, Memory};

/// The keys tried where none is given.
const DATA_KEYS: [&str; 4] = ["x", "images", "data", "arr_0"];
const LABEL_KEYS: [&str; 3] = ["y", "labels", "arr_1"];

/// Reads a data set from a `.npz` archive (`numpy.savez`, `numpy.savez_compressed`).
///
/// Without `data_key` the first of "x", "images", "data", "arr_0" that exists holds the items; without `label_key` the first
/// of "y", "labels", "arr_1" that exists holds the labels, and if there is none the set is unlabelled. For shapes, types
/// and scales see [`crate::read_npy`].
///
/// # Errors
/// A file that is no archive or damaged; a key that it lacks (names those that it has); and those of [`crate::read_npy`].
pub fn read_npz(
    path: &Path,
    data_key: Option<&str>,
    label_key: Option<&str>,
) -> Result<Memory, DataError> {
    let (file, _) = open_file(path)?;
    let mut archive = open_archive(path, file)?;
    let keys = keys(&archive);
    let missing = |what: String| {
        let right = match keys.len() {
            0 => "it holds no arrays at all".to_owned(),
            _ => format!(
                "its arrays are {}",
                keys.iter()
                    .map(|(key, _)| quoted(key))
                    .collect::<Vec<_>>()
                    .join(", ")
            ),
        };
        DataError::file(path, what, right)
    };
    let find = |wanted: &str| keys.iter().find(|(key, _)| key == wanted);
    let data = match data_key {
        Some(key) => find(key).ok_or_else(|| missing(format!("has no array {}", quoted(key))))?,
        None => DATA_KEYS.iter().find_map(|key| find(key)).ok_or_else(|| {
            let usual = DATA_KEYS.map(quoted).join(", ");
            missing(format!(
                "has none of the arrays {usual}; say which one holds the data"
            ))
        })?,
    };
    let labels = match label_key {
        Some(key) => {
            Some(find(key).ok_or_else(|| missing(format!("has no array {}", quoted(key))))?)
        }
        None => LABEL_KEYS
            .iter()
            .filter(|&&key| key != data.0)
            .find_map(|key| find(key)),
    };
    let place = |key: &str| format!("{}, array {}", path.display(), quoted(key));

    let items = {
        let place = place(&data.0);
        set::values(&place, &mut open(&place, &mut archive, data.1)?)?
    };
    let labels = match labels {
        None => None,
        Some((key, entry)) => {
            let place = place(key);
            let mut array = open(&place, &mut archive, *entry)?;
            Some(set::labels(&place, &mut array, items.count)?)
        }
    };
    items.with_labels(set_name(path), labels)
}

fn open_archive(
    path: &Path,
    file: BufReader<File>,
) -> Result<ZipArchive<BufReader<File>>, DataError> {
    ZipArchive::new(file).map_err(|fault| {
        let right = "give an archive written by numpy.savez or numpy.savez_compressed";
        DataError::file(
            path,
            format!("cannot be read as a zip archive: {fault}"),
            right,
        )
    })
}

/// The keys of the arrays and their places in the archive.
fn keys<R: Read + Seek>(archive: &ZipArchive<R>) -> Vec<(String, usize)> {
    let names = archive.file_names_raw().enumerate();
    let keys = names.filter_map(|(index, name)| {
        let key = std::str::from_utf8(name).ok()?.strip_suffix(".npy")?;
        Some((key.to_owned(), index))
    });
    keys.collect()
}

fn open<'a, R: Read + Seek>(
    place: &str,
    archive: &'a mut ZipArchive<R>,
    entry: usize,
) -> Result<Array<ZipFile<'a, R>>, DataError> {
    let file = archive.by_index(entry).map_err(|fault| {
        let right = "write it by numpy.savez or numpy.savez_compressed";
        DataError::contents(place, format!("cannot be read: {fault}"), right)
    })?;
    let at_most = file.size().min(file.compressed_size().saturating_mul(1032));
    Array::open(place, file, at_most)
}

fn quoted(key: &str) -> String {
    format!("{key:?}")
}
