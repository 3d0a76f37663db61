//! The IDX files of MNIST and its relatives.
//!
//! An IDX file is a big-endian header (two zero bytes, one byte of type, one byte of axes, one `u32` for each axis) and
//! the values, the last axis fastest. Images are unsigned bytes (type 8) on 3 axes, labels unsigned bytes on 1. Source:
//! Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits".

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::garments::FASHION_CLASSES;
use crate::memory::numbered_classes;
use crate::source::{Source, at_end, read_exactly, set_name};
use crate::{DataError, Memory, Shape};

/// Which half of a data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Split {
    /// The images to learn from (`train-…`).
    Train,
    /// The images held back (`t10k-…`).
    Test,
}

/// Reads images and, where given, their labels from IDX files, plain or compressed by gzip (told by content).
///
/// The set holds N grey images, 1×height×width; byte b is the value b/127.5 − 1. `classes` names the labels; without
/// it the classes are named by the numbers that occur.
///
/// # Errors
/// A file that cannot be read; a header that is no IDX header of unsigned bytes on 3 axes (labels: 1); more or fewer bytes
/// than the header declares; another number of labels than images; a label without a class.
pub fn read_idx(
    images: &Path,
    labels: Option<&Path>,
    classes: Option<Vec<String>>,
) -> Result<Memory, DataError> {
    let ([count, height, width], bytes) = read_array::<3>(images, "images")?;
    let name = set_name(images);
    if count == 0 || height == 0 || width == 0 {
        let what = format!("holds {count} images of {height}×{width}");
        return Err(DataError::file(
            images,
            what,
            "give a file with at least one image",
        ));
    }
    let shape = Shape::Image {
        channels: 1,
        height: height as usize,
        width: width as usize,
    };
    let Some(path) = labels else {
        return Memory::from_bytes(name, shape, bytes, None, classes.unwrap_or_default());
    };
    let ([label_count], labels) = read_array::<1>(path, "labels")?;
    if label_count != count {
        let what = format!(
            "{label_count} labels for the {count} images of {}",
            images.display()
        );
        return Err(DataError::file(
            path,
            what,
            "give the label file that belongs to the images",
        ));
    }
    let mut labels: Vec<u32> = labels.into_iter().map(u32::from).collect();
    let classes = match classes {
        Some(classes) => classes,
        None => numbered_classes(&name, &mut labels)?,
    };
    if let Some(index) = labels
        .iter()
        .position(|&label| label as usize >= classes.len())
    {
        let what = format!("label {} but only {} classes", labels[index], classes.len());
        let right = "give a name for every class, or the right label file";
        return Err(DataError::item(
            path.display().to_string(),
            index,
            what,
            right,
        ));
    }
    Memory::from_bytes(name, shape, bytes, Some(labels), classes)
}

/// Reads one half of a data set from a folder with the usual four names: `train-images-idx3-ubyte`,
/// `train-labels-idx1-ubyte` and the same with `t10k`; `.idx3` for `-idx3` and a final `.gz` are known too.
///
/// The classes are [`FASHION_CLASSES`] if the folder's name contains "fashion", else the digits "0" to "9".
///
/// # Errors
/// A folder without these files, and those of [`read_idx`].
pub fn idx_dir(dir: &Path, split: Split) -> Result<Memory, DataError> {
    let (prefix, half) = match split {
        Split::Train => ("train", "train"),
        Split::Test => ("t10k", "test"),
    };
    if !dir.is_dir() {
        return Err(DataError::file(
            dir,
            "not a folder",
            "give the folder that holds the IDX files",
        ));
    }
    let images = find(dir, prefix, "images", 3)?;
    let labels = find(dir, prefix, "labels", 1)?;
    let folder = dir
        .canonicalize()
        .map_err(|source| DataError::io(dir, "read", source))?;
    let folder = folder
        .file_name()
        .unwrap_or(dir.as_os_str())
        .to_string_lossy()
        .into_owned();
    let classes: Vec<String> = if folder.to_lowercase().contains("fashion") {
        FASHION_CLASSES.map(String::from).to_vec()
    } else {
        (0..10).map(|digit| digit.to_string()).collect()
    };
    let set = read_idx(&images, Some(&labels), Some(classes))?;
    Ok(set.with_name(format!("{folder} {half}")))
}

fn find(dir: &Path, prefix: &str, what: &str, axes: usize) -> Result<PathBuf, DataError> {
    for joint in ["-", "."] {
        for ending in ["", ".gz"] {
            let path = dir.join(format!("{prefix}-{what}{joint}idx{axes}-ubyte{ending}"));
            if path.is_file() {
                return Ok(path);
            }
        }
    }
    let wrong = format!("holds no {prefix}-{what}-idx{axes}-ubyte, plain or .gz");
    Err(DataError::file(
        dir,
        wrong,
        "give the folder with the four IDX files, or name the files one by one",
    ))
}

/// The axes and the bytes of an IDX file of unsigned bytes on `AXES` axes.
fn read_array<const AXES: usize>(
    path: &Path,
    holds: &str,
) -> Result<([u32; AXES], Vec<u8>), DataError> {
    let Source {
        mut reader,
        at_most,
    } = Source::open(path)?;
    let mut magic = [0; 4];
    read_header(path, &mut reader, &mut magic)?;
    let right = || format!("IDX {holds} begin with the bytes 0 0 8 {AXES}");
    if magic[..2] != [0, 0] {
        let [a, b, c, d] = magic;
        let what = format!("begins with the bytes {a} {b} {c} {d}, so it is no IDX file");
        return Err(DataError::file(path, what, right()));
    }
    if magic[2] != 8 {
        let what = format!(
            "holds values of IDX type {:#04x}, not unsigned bytes",
            magic[2]
        );
        return Err(DataError::file(path, what, right()));
    }
    if usize::from(magic[3]) != AXES {
        let what = format!("has {} axes", magic[3]);
        return Err(DataError::file(path, what, right()));
    }
    let mut axes = [0; AXES];
    for axis in &mut axes {
        let mut field = [0; 4];
        read_header(path, &mut reader, &mut field)?;
        *axis = u32::from_be_bytes(field);
    }
    let declared = axes.map(|axis| axis.to_string()).join("×");
    let right = "the file is damaged or incomplete: fetch it again";
    let size = axes
        .iter()
        .try_fold(1u64, |size, &axis| size.checked_mul(u64::from(axis)));
    let size = match size {
        Some(size) if size <= at_most.saturating_sub(4 + 4 * AXES as u64) => size,
        _ => {
            let what = format!("declares {declared} bytes, more than the file can hold");
            return Err(DataError::file(path, what, right));
        }
    };
    let bytes = read_exactly(&mut reader, size).map_err(|fault| match fault.kind() {
        io::ErrorKind::UnexpectedEof => DataError::file(
            path,
            format!("ends before the {declared} bytes that it declares"),
            right,
        ),
        _ => damaged(path, &fault),
    })?;
    if !at_end(&mut reader).map_err(|fault| damaged(path, &fault))? {
        let what = format!("goes on after the {declared} bytes that it declares");
        return Err(DataError::file(path, what, right));
    }
    Ok((axes, bytes))
}

fn read_header(path: &Path, reader: &mut dyn Read, out: &mut [u8]) -> Result<(), DataError> {
    reader.read_exact(out).map_err(|fault| match fault.kind() {
        io::ErrorKind::UnexpectedEof => {
            DataError::file(path, "ends within the IDX header", "fetch the file again")
        }
        _ => damaged(path, &fault),
    })
}

/// A fault from reading: mostly one of the gzip stream.
fn damaged(path: &Path, fault: &io::Error) -> DataError {
    DataError::file(
        path,
        format!("cannot be read: {fault}"),
        "the file is damaged: fetch it again",
    )
}
