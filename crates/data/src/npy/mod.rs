//! NumPy's files: arrays (`.npy`), archives of arrays (`.npz`).

mod archive;
mod array;
mod header;
mod set;
mod write;

use std::io::Read;
use std::path::Path;

use crate::source::{Source, set_name};
use crate::{DataError, Memory};

pub use archive::read_npz;
pub(crate) use write::header;
pub use write::{write_npy, write_npy_to};

use array::Array;

/// Reads a data set from a `.npy` file, and its labels from another one.
///
/// The first axis counts the N items; the others give the shape:
///
/// | array | item |
/// |---|---|
/// | `[N]` | vector of 1 value |
/// | `[N, D]` | vector of D values |
/// | `[N, H, W]` | image 1×H×W |
/// | `[N, C, H, W]` | image C×H×W |
/// | `[N, H, W, C]` | image C×H×W, where C is 1 or 3 and the second axis is neither |
///
/// Values may be float32, float64 or integers of 8 to 64 bits, in either byte order. Vectors are taken as they are (as
/// float32). Images of uint8 become x/127.5 − 1; images of floats are taken as they are and must lie in [-1, 1] (up to
/// 0.001); images of other integers are refused. Labels are integers from 0 on one axis of length N; classes are named
/// "0", "1", … up to the greatest one.
///
/// # Errors
/// A file that cannot be read; one that is no array, is damaged, or has more or fewer bytes than its header declares; Python objects,
/// Fortran order and other types; another number of axes; a value that is not finite or, in an image, out of [-1, 1]; wrong
/// labels.
pub fn read_npy(data: &Path, labels: Option<&Path>) -> Result<Memory, DataError> {
    let place = data.display().to_string();
    let set = set::values(&place, &mut open(data)?)?;
    let labels = match labels {
        None => None,
        Some(path) => Some(set::labels(
            &path.display().to_string(),
            &mut open(path)?,
            set.count,
        )?),
    };
    set.with_labels(set_name(data), labels)
}

fn open(path: &Path) -> Result<Array<Box<dyn Read>>, DataError> {
    let source = Source::open_plain(path)?;
    Array::open(&path.display().to_string(), source.reader, source.at_most)
}
