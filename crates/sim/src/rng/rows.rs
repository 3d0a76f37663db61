//! Whole batches of rows, and permutations.

use std::ops::Range;

use rayon::prelude::*;

use super::kernel::{self, Job, Kind, Normals, Uniforms};
use super::{Purpose, Stream};

/// Numbers per piece of parallel work: some ten microseconds.
const PIECE: usize = 1 << 14;

/// Standard normal rows: row `r` of `out` (shape `[samples.len(), dim]`) holds the numbers of
/// `Stream::new(seed, purpose, samples.start + r, draw).normals`. Large work is shared among the
/// threads of rayon's current pool; the bits do not depend on them.
///
/// # Panics
/// When `out` does not hold `samples.len() * dim` numbers, or a sample index is not below 2⁴⁸.
pub fn normal_rows(
    seed: u64,
    purpose: Purpose,
    samples: Range<u64>,
    draw: u32,
    dim: usize,
    out: &mut [f32],
) {
    rows::<Normals>(seed, purpose, samples, draw, dim, out);
}

/// Uniform rows in [0, 1): as [`normal_rows`], with [`Stream::uniforms`].
///
/// # Panics
/// As [`normal_rows`].
pub fn uniform_rows(
    seed: u64,
    purpose: Purpose,
    samples: Range<u64>,
    draw: u32,
    dim: usize,
    out: &mut [f32],
) {
    rows::<Uniforms>(seed, purpose, samples, draw, dim, out);
}

fn rows<K: Kind>(
    seed: u64,
    purpose: Purpose,
    samples: Range<u64>,
    draw: u32,
    dim: usize,
    out: &mut [K::Out],
) {
    let count = samples.end.saturating_sub(samples.start);
    assert!(
        count as u128 * dim as u128 == out.len() as u128,
        "random rows: {count} samples of dimension {dim} do not fill a slice of {} numbers",
        out.len()
    );
    assert!(
        samples.end <= 1 << 48,
        "random rows: sample indices must be below 2^48, got samples up to {}",
        samples.end
    );
    if out.is_empty() {
        return;
    }
    let job = Job {
        seed,
        purpose,
        first_sample: samples.start,
        draw,
        first_block: 0,
        dim,
    };
    if out.len() <= 2 * PIECE {
        kernel::fill::<K>(&job, out);
    } else if dim <= PIECE {
        let rows = PIECE / dim;
        out.par_chunks_mut(rows * dim)
            .enumerate()
            .for_each(|(i, piece)| {
                let first_sample = samples.start + (i * rows) as u64;
                kernel::fill::<K>(
                    &Job {
                        first_sample,
                        ..job
                    },
                    piece,
                );
            });
    } else {
        // Long rows are cut into pieces of whole blocks.
        out.par_chunks_mut(dim).enumerate().for_each(|(r, row)| {
            row.par_chunks_mut(PIECE)
                .enumerate()
                .for_each(|(i, piece)| {
                    let first_block = u32::try_from(i * (PIECE / K::PER_BLOCK))
                        .expect("a random row must fit in 2^32 blocks");
                    let job = Job {
                        first_sample: samples.start + r as u64,
                        first_block,
                        dim: piece.len(),
                        ..job
                    };
                    kernel::fill::<K>(&job, piece);
                });
        });
    }
}

/// A uniformly random permutation of 0..n (Fisher and Yates' shuffle), for example the order of
/// epoch `draw`. It walks the stream of sample `draw` and draw 2³² − 1.
///
/// # Panics
/// When `n` is above 2³², or `draw` is not below 2⁴⁸.
pub fn permutation(seed: u64, purpose: Purpose, draw: u64, n: usize) -> Vec<u32> {
    assert!(
        n as u64 <= 1 << 32,
        "a permutation's entries must fit in 32 bits, got {n} entries"
    );
    let mut cursor = Stream::new(seed, purpose, draw, u32::MAX).cursor();
    let mut order: Vec<u32> = (0..n).map(|i| i as u32).collect();
    for i in (1..n).rev() {
        order.swap(i, cursor.below(i as u64 + 1) as usize);
    }
    order
}
