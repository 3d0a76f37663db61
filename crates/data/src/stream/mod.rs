//! Trajectories streamed to a file, block by block, in bounded memory.

mod csv;
mod npy;
mod parquet;
mod real;
mod room;
mod spec;

use std::path::Path;

use crate::DataError;
use crate::atomic::AtomicFile;

pub use room::{check_room, estimated_bytes};
pub use spec::{Dtype, Format, TableSpec, component_names};

use csv::Csv;
use npy::Npy;
use parquet::Parquet;
use real::Real;

/// Values of a block, `[trajectories, times, dim]`.
#[derive(Clone, Copy, Debug)]
pub enum Values<'a> {
    /// In single precision.
    F32(&'a [f32]),
    /// In double precision.
    F64(&'a [f64]),
}

impl<'a> From<&'a [f32]> for Values<'a> {
    fn from(values: &'a [f32]) -> Self {
        Self::F32(values)
    }
}

impl<'a> From<&'a [f64]> for Values<'a> {
    fn from(values: &'a [f64]) -> Self {
        Self::F64(values)
    }
}

impl<'a> From<&'a Vec<f32>> for Values<'a> {
    fn from(values: &'a Vec<f32>) -> Self {
        Self::F32(values)
    }
}

impl<'a> From<&'a Vec<f64>> for Values<'a> {
    fn from(values: &'a Vec<f64>) -> Self {
        Self::F64(values)
    }
}

/// Writes the trajectories of an ensemble to a file as they are made.
///
/// Blocks of whole trajectories come in order. The bytes of the file do not depend on how the trajectories are split
/// into blocks. The file appears, whole and synced, at [`TableWriter::finish`]; if the writer is dropped before, or
/// writing failed, nothing is left behind and a file that stood there is as it was. Memory: a block, and for Parquet a
/// row group (64 MiB).
///
/// ```
/// use fokker_data::{Dtype, Format, TableSpec, TableWriter, component_names};
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("paths.csv");
/// let spec = TableSpec {
///     trajectories: 2,
///     times: vec![0.0, 0.5],
///     names: component_names(1),
///     dtype: Dtype::F64,
/// };
/// let mut table = TableWriter::create(&path, Format::from_path(&path)?, &spec)?;
/// table.write_block(0, &[1.0, 2.0][..])?;
/// table.write_block(1, &[3.0, 0.1][..])?;
/// table.finish()?;
/// let text = std::fs::read_to_string(&path)?;
/// assert_eq!(text, "trajectory,time,x0\n0,0.0,1.0\n0,0.5,2.0\n1,0.0,3.0\n1,0.5,0.1\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct TableWriter {
    file: AtomicFile,
    sink: Sink,
    spec: TableSpec,
    /// The trajectory that comes next.
    next: u64,
    /// A write failed, so what the file holds is not known.
    broken: bool,
}

#[derive(Debug)]
enum Sink {
    Npy(Npy),
    Csv(Csv),
    Parquet(Parquet),
}

impl TableWriter {
    /// Begins the file for `path`.
    ///
    /// # Errors
    /// [`DataError::Option`] for a specification without trajectories, times or names, with times that are not finite, or
    /// with names that are empty, used twice, `trajectory`, `time`, or hold a comma, a quotation mark or a control
    /// character; [`DataError::Io`] when the folder is missing or cannot be written to.
    pub fn create(
        path: impl AsRef<Path>,
        format: Format,
        spec: &TableSpec,
    ) -> Result<Self, DataError> {
        spec.check()?;
        let mut file = AtomicFile::create(path)?;
        let sink = match format {
            Format::Npy => Npy::begin(&mut file, spec).map(Sink::Npy),
            Format::Csv => Csv::begin(&mut file, spec).map(Sink::Csv),
            Format::Parquet => Parquet::begin(&mut file, spec).map(Sink::Parquet),
        };
        Ok(Self {
            sink: sink.map_err(|source| DataError::io(file.path(), "write", source))?,
            file,
            spec: spec.clone(),
            next: 0,
            broken: false,
        })
    }

    /// Writes the trajectories from `first_trajectory` on: `values` is `[n, times, dim]`, of either precision (what is not
    /// in that of the file is converted, to the nearest number).
    ///
    /// # Errors
    /// [`DataError::Contents`] when trajectories are left out or come twice, are not whole, or are more than were announced;
    /// [`DataError::Io`] when the disk is full or fails. The file cannot be finished after any of them.
    pub fn write_block<'a>(
        &mut self,
        first_trajectory: u64,
        values: impl Into<Values<'a>>,
    ) -> Result<(), DataError> {
        let values = values.into();
        let len = match values {
            Values::F32(values) => values.len(),
            Values::F64(values) => values.len(),
        };
        // Until all went well.
        let broken = std::mem::replace(&mut self.broken, true);
        let per_trajectory = self.spec.times.len() * self.spec.names.len();
        let n = (len / per_trajectory) as u64;
        let left = self.spec.trajectories - self.next;
        if broken {
            return Err(self.misuse("an earlier write failed".into(), "begin again"));
        }
        if first_trajectory != self.next {
            let what = format!("trajectory {first_trajectory} where {} was due", self.next);
            return Err(self.misuse(what, "blocks must come in order, each trajectory once"));
        }
        if !len.is_multiple_of(per_trajectory) || n > left {
            let what = format!("a block of {len} values");
            let right = format!(
                "it must hold whole trajectories of {per_trajectory} values, at most {left} of them"
            );
            return Err(self.misuse(what, &right));
        }
        match (self.spec.dtype, values) {
            (Dtype::F32, Values::F64(values)) => {
                let values: Vec<f32> = values.iter().map(|&x| x as f32).collect();
                self.write(&values)
            }
            (Dtype::F64, Values::F32(values)) => {
                let values: Vec<f64> = values.iter().map(|&x| x.into()).collect();
                self.write(&values)
            }
            (Dtype::F32, Values::F32(values)) => self.write(values),
            (Dtype::F64, Values::F64(values)) => self.write(values),
        }?;
        self.next += n;
        self.broken = false;
        Ok(())
    }

    fn write<T: Real>(&mut self, values: &[T]) -> Result<(), DataError> {
        let file = &mut self.file;
        match &mut self.sink {
            Sink::Npy(npy) => npy.write(file, values),
            Sink::Csv(csv) => csv.write(file, self.next, values),
            Sink::Parquet(parquet) => parquet.write(file, values),
        }
        .map_err(|source| DataError::io(self.file.path(), "write", source))
    }

    /// The number of trajectories written so far.
    pub fn trajectories(&self) -> u64 {
        self.next
    }

    /// Ends the file, syncs it and moves it to its place; its size in bytes.
    ///
    /// # Errors
    /// [`DataError::Contents`] when trajectories are missing; [`DataError::Io`] when the disk is full or fails. Nothing is
    /// left behind then.
    pub fn finish(mut self) -> Result<u64, DataError> {
        if self.broken || self.next != self.spec.trajectories {
            let what = format!(
                "{} of {} trajectories were written",
                self.next, self.spec.trajectories
            );
            return Err(self.misuse(what, "write all of them before the file is finished"));
        }
        if let Sink::Parquet(parquet) = self.sink {
            let path = self.file.path().to_path_buf();
            parquet
                .end(&mut self.file)
                .map_err(|source| DataError::io(&path, "write", source))?;
        }
        self.file.finish()
    }

    fn misuse(&self, what: String, right: &str) -> DataError {
        DataError::contents(self.file.path().display().to_string(), what, right)
    }
}
