//! Whether there is room for what will be written.

use std::fs;
use std::path::Path;

use super::{Dtype, Format, TableSpec, csv, npy, parquet};
use crate::DataError;
use crate::atomic::folder_of;

/// About how many bytes a table will take: exact for `.npy`; for `.csv` with the most digits that numbers of ordinary size
/// have; for `.parquet` up to what compression leaves of the columns `trajectory` and `time`.
pub fn estimated_bytes(spec: &TableSpec, format: Format) -> u64 {
    let bytes = match format {
        Format::Npy => {
            let head = npy::head(spec).map_or(0, |head| head.len());
            head as u128 + spec.values() * u128::from(spec.dtype.bytes())
        }
        Format::Csv => {
            // A comma, a sign, a point, and 8 or 17 digits.
            let value = match spec.dtype {
                Dtype::F32 => 11,
                Dtype::F64 => 20,
            };
            let times: usize = csv::times(spec).iter().map(String::len).sum();
            let line_ends = spec.times.len();
            let per_trajectory = (times + line_ends) as u128 * u128::from(spec.trajectories);
            let labels = digits_below(spec.trajectories) * spec.times.len() as u128;
            csv::head(spec).len() as u128 + per_trajectory + labels + spec.values() * value
        }
        Format::Parquet => parquet::estimated_bytes(spec),
    };
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

/// The number of digits of all of 0, 1, …, n − 1.
fn digits_below(n: u64) -> u128 {
    // Every number has one digit, those from 10 another, those from 100 another, …
    let powers = (1..20).map(|k| 10u64.pow(k));
    u128::from(n)
        + powers
            .map(|p| u128::from(n.saturating_sub(p)))
            .sum::<u128>()
}

/// Checks, before any work is done, that a file of about `bytes` bytes may be written at `path`: it must not exceed the
/// free space of that file system, nor `limit`.
///
/// # Errors
/// [`DataError::File`] with both sizes and what would make the file smaller; [`DataError::Io`] when the folder is missing or
/// its file system does not tell.
pub fn check_room(path: impl AsRef<Path>, bytes: u64, limit: Option<u64>) -> Result<(), DataError> {
    let path = path.as_ref();
    let folder = folder_of(path);
    let free = fs4::available_space(folder).map_err(|e| DataError::io(path, "write", e))?;
    let need = size(bytes);
    let what = match limit {
        Some(limit) if bytes > limit => {
            format!(
                "the paths would take {need}, but the limit is {}",
                size(limit)
            )
        }
        _ if bytes > free => {
            let place = fs::canonicalize(folder).unwrap_or_else(|_| folder.into());
            format!(
                "the paths would take {need}, but {} are free on {}",
                size(free),
                place.display()
            )
        }
        _ => return Ok(()),
    };
    let right = "save fewer times (--save), fewer trajectories (--count), or only statistics";
    Err(DataError::file(path, what, right))
}

/// A size for people: `12.0 GB`.
fn size(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["kB", "MB", "GB", "TB", "PB", "EB"];
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    let mut size = bytes as f64 / 1e3;
    let mut units = UNITS.into_iter();
    let mut unit = units.next().unwrap_or_default();
    // What would be shown as 1000.0 belongs to the next unit.
    while size >= 999.95
        && let Some(greater) = units.next()
    {
        size /= 1e3;
        unit = greater;
    }
    format!("{size:.1} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_read_well() {
        let sizes = [0, 999, 1000, 999_949, 999_950, 12_000_000_000, u64::MAX];
        let text = [
            "0 B", "999 B", "1.0 kB", "999.9 kB", "1.0 MB", "12.0 GB", "18.4 EB",
        ];
        assert_eq!(sizes.map(size), text);
    }

    #[test]
    fn digits_are_counted() {
        for n in [0, 1, 9, 10, 11, 100, 1234] {
            let direct: usize = (0..n).map(|k: u64| k.to_string().len()).sum();
            assert_eq!(digits_below(n), direct as u128);
        }
        assert!(digits_below(u64::MAX) > 19 * u128::from(u64::MAX) / 2);
    }
}
