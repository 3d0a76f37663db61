//! What a table of trajectories holds.

use std::collections::HashSet;
use std::path::Path;

use crate::DataError;

/// The file formats a [`TableWriter`](crate::TableWriter) knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// NumPy's array: one of shape `[trajectories, times, dim]`, little-endian, C order. It holds neither times nor names.
    Npy,
    /// Text with a line for each trajectory and time: `trajectory,time,` and the components. Numbers are the shortest that
    /// read back as the same bits; `NaN`, `inf` and `-inf` stand for themselves.
    Csv,
    /// Apache Parquet with a row for each trajectory and time: the columns `trajectory` (int64), `time` (double) and the
    /// components (float or double), none of them optional.
    Parquet,
}

impl Format {
    /// All formats.
    pub const ALL: [Self; 3] = [Self::Npy, Self::Csv, Self::Parquet];

    /// The ending of a file's name, without the dot.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Npy => "npy",
            Self::Csv => "csv",
            Self::Parquet => "parquet",
        }
    }

    /// The format that the ending of a file's name stands for, in capitals or not.
    ///
    /// # Errors
    /// [`DataError::File`] for any other ending.
    pub fn from_path(path: impl AsRef<Path>) -> Result<Self, DataError> {
        let path = path.as_ref();
        let ending = path.extension().unwrap_or_default();
        let format = Self::ALL
            .into_iter()
            .find(|format| ending.eq_ignore_ascii_case(format.extension()));
        format.ok_or_else(|| {
            let what = match ending.is_empty() {
                true => "the name has no ending that tells the format".into(),
                false => format!("no format goes by the ending .{}", ending.display()),
            };
            DataError::file(path, what, "let the name end in .npy, .csv or .parquet")
        })
    }
}

/// The precision of the components in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dtype {
    /// 4 bytes each.
    F32,
    /// 8 bytes each.
    F64,
}

impl Dtype {
    pub(super) fn bytes(self) -> u64 {
        match self {
            Self::F32 => 4,
            Self::F64 => 8,
        }
    }
}

/// What a table holds: `trajectories` × `times` rows of named components.
#[derive(Clone, Debug, PartialEq)]
pub struct TableSpec {
    /// The number of trajectories.
    pub trajectories: u64,
    /// The times at which every trajectory was saved.
    pub times: Vec<f64>,
    /// The names of the components.
    pub names: Vec<String>,
    /// The precision of the components in the file.
    pub dtype: Dtype,
}

/// The names `x0`, `x1`, … of `dim` components.
pub fn component_names(dim: usize) -> Vec<String> {
    (0..dim).map(|j| format!("x{j}")).collect()
}

impl TableSpec {
    /// The number of values of all components, times and trajectories.
    pub(super) fn values(&self) -> u128 {
        self.rows() * self.names.len() as u128
    }

    /// The number of trajectories × the number of times.
    pub(super) fn rows(&self) -> u128 {
        u128::from(self.trajectories) * self.times.len() as u128
    }

    pub(super) fn check(&self) -> Result<(), DataError> {
        let counts = [
            ("trajectories", self.trajectories),
            ("times", self.times.len() as u64),
            ("names", self.names.len() as u64),
        ];
        for (option, count) in counts {
            if count == 0 {
                return Err(DataError::option(option, "there are none", "at least one"));
            }
        }
        if self.values() * 8 > i64::MAX as u128 {
            let what = format!("{} values", self.values());
            return Err(DataError::option(
                "trajectories",
                what,
                "at most 2^60 values",
            ));
        }
        if let Some(time) = self.times.iter().find(|time| !time.is_finite()) {
            let right = "every time must be a finite number";
            return Err(DataError::option("times", time.to_string(), right));
        }
        let mut seen = HashSet::from(["trajectory", "time"]);
        for name in &self.names {
            let odd = |c: char| matches!(c, ',' | '"') || c.is_control();
            if name.is_empty() || name.contains(odd) || !seen.insert(name) {
                let right = "every component needs a name of its own, other than trajectory and time, \
                             without commas, quotation marks and control characters";
                return Err(DataError::option("names", format!("{name:?}"), right));
            }
        }
        Ok(())
    }
}
