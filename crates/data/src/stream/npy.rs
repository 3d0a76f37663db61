//! NumPy's array, streamed.

use std::io::{self, Write};

use super::{Dtype, Real, TableSpec};
use crate::npy::header;

/// Values turned into bytes at once.
const PIECE: usize = 1 << 14;

#[derive(Debug, Default)]
pub(super) struct Npy {
    bytes: Vec<u8>,
}

impl Npy {
    pub(super) fn begin(out: &mut impl Write, spec: &TableSpec) -> io::Result<Self> {
        out.write_all(&head(spec)?)?;
        Ok(Self::default())
    }

    pub(super) fn write<T: Real>(&mut self, out: &mut impl Write, values: &[T]) -> io::Result<()> {
        for piece in values.chunks(PIECE) {
            self.bytes.clear();
            piece.iter().for_each(|&x| x.put(&mut self.bytes));
            out.write_all(&self.bytes)?;
        }
        Ok(())
    }
}

/// What stands before the values.
pub(super) fn head(spec: &TableSpec) -> io::Result<Vec<u8>> {
    let descr = match spec.dtype {
        Dtype::F32 => "<f4",
        Dtype::F64 => "<f8",
    };
    let (times, dim) = (spec.times.len() as u64, spec.names.len() as u64);
    header(descr, &[spec.trajectories, times, dim])
}
