//! Text, a line for each trajectory and time.

use std::io::{self, Write};

use rayon::prelude::*;

use super::{Real, TableSpec};

/// Values that one thread turns into text at once.
const PIECE: usize = 1 << 14;

#[derive(Debug)]
pub(super) struct Csv {
    /// Each time with a comma before it.
    times: Vec<String>,
    dim: usize,
}

impl Csv {
    pub(super) fn begin(out: &mut impl Write, spec: &TableSpec) -> io::Result<Self> {
        out.write_all(head(spec).as_bytes())?;
        Ok(Self {
            times: times(spec),
            dim: spec.names.len(),
        })
    }

    pub(super) fn write<T: Real>(
        &self,
        out: &mut impl Write,
        first: u64,
        values: &[T],
    ) -> io::Result<()> {
        let per_trajectory = self.times.len() * self.dim;
        let per_piece = (PIECE / per_trajectory).max(1);
        // A few pieces for every thread, then the disk's turn: the text of a whole block would be several times its size.
        let per_turn = per_piece * 4 * rayon::current_num_threads();
        let turns = values.chunks(per_turn * per_trajectory);
        for (first, turn) in (first..).step_by(per_turn).zip(turns) {
            let pieces: Vec<Vec<u8>> = turn
                .par_chunks(per_piece * per_trajectory)
                .enumerate()
                .map(|(i, piece)| self.text(first + (i * per_piece) as u64, piece))
                .collect();
            for piece in pieces {
                out.write_all(&piece)?;
            }
        }
        Ok(())
    }

    fn text<T: Real>(&self, first: u64, values: &[T]) -> Vec<u8> {
        let mut out = Vec::with_capacity(values.len() * 24);
        let mut number = zmij::Buffer::new();
        let trajectories = values.chunks_exact(self.times.len() * self.dim);
        for (trajectory, values) in (first..).zip(trajectories) {
            let label = trajectory.to_string();
            for (time, state) in self.times.iter().zip(values.chunks_exact(self.dim)) {
                out.extend_from_slice(label.as_bytes());
                out.extend_from_slice(time.as_bytes());
                for &x in state {
                    out.push(b',');
                    out.extend_from_slice(number.format(x).as_bytes());
                }
                out.push(b'\n');
            }
        }
        out
    }
}

/// The first line.
pub(super) fn head(spec: &TableSpec) -> String {
    format!("trajectory,time,{}\n", spec.names.join(","))
}

/// Each time with a comma before it.
pub(super) fn times(spec: &TableSpec) -> Vec<String> {
    let mut number = zmij::Buffer::new();
    let text = spec.times.iter().map(|&t| format!(",{}", number.format(t)));
    text.collect()
}
