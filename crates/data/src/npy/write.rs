//! Writing arrays.

use std::io::{self, Write};
use std::path::Path;

use crate::DataError;
use crate::atomic::write_atomic_with;

/// Writes float32 values as a `.npy` file (version 1.0, little-endian, C order) of the given shape.
///
/// The file appears whole or not at all: it is written beside its place, synced, and then moved there.
///
/// # Errors
/// As [`write_npy_to`], and whatever the file system answers.
pub fn write_npy(path: &Path, values: &[f32], shape: &[usize]) -> Result<(), DataError> {
    check(&path.display().to_string(), values, shape)?;
    write_atomic_with(path, |file| write_values(file, values, shape))
}

/// Writes float32 values as the bytes of a `.npy` file (version 1.0, little-endian, C order) of the given shape.
///
/// # Errors
/// A shape that does not hold as many values as there are; faults of the writer.
pub fn write_npy_to(mut out: impl Write, values: &[f32], shape: &[usize]) -> Result<(), DataError> {
    check("array", values, shape)?;
    let error = |source| DataError::io(Path::new("array"), "write", source);
    write_values(&mut out, values, shape).map_err(error)
}

fn check(place: &str, values: &[f32], shape: &[usize]) -> Result<(), DataError> {
    let size = shape
        .iter()
        .try_fold(1usize, |size, &axis| size.checked_mul(axis));
    if size == Some(values.len()) {
        return Ok(());
    }
    let what = format!("{} values for shape {shape:?}", values.len());
    Err(DataError::contents(
        place,
        what,
        "the product of the axes must be the number of values",
    ))
}

fn write_values(out: &mut impl Write, values: &[f32], shape: &[usize]) -> io::Result<()> {
    let axes: Vec<u64> = shape.iter().map(|&axis| axis as u64).collect();
    out.write_all(&header("<f4", &axes)?)?;
    let mut buffer = Vec::with_capacity(1 << 16);
    for chunk in values.chunks(1 << 14) {
        buffer.clear();
        buffer.extend(chunk.iter().flat_map(|value| value.to_le_bytes()));
        out.write_all(&buffer)?;
    }
    out.flush()
}

/// What stands before the values of an array in C order; `descr` is NumPy's name of their type.
pub(crate) fn header(descr: &str, shape: &[u64]) -> io::Result<Vec<u8>> {
    let axes: String = match shape {
        [one] => format!("{one},"),
        axes => axes
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(", "),
    };
    let mut text = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({axes}), }}");
    // 10 bytes stand before the text and a line feed ends it; NumPy aligns the values to 64 bytes.
    let unpadded = 10 + text.len() + 1;
    text.push_str(&" ".repeat(unpadded.next_multiple_of(64) - unpadded));
    text.push('\n');
    let length = u16::try_from(text.len()).map_err(|_| io::Error::other("too many axes"))?;
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend(length.to_le_bytes());
    bytes.extend(text.as_bytes());
    Ok(bytes)
}
