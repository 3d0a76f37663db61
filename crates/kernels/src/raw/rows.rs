//! Rows of tokens shared out to threads in runs that lie within one sample.

use rayon::prelude::*;
use std::ops::Range;

/// Rows per run: fixed, so that sums over rows have the same bits on any number of threads and in any batch.
const ROWS: usize = 32;

/// Values that are not worth a second thread.
const SMALL: usize = 1 << 14;

/// The sizes of `[batch, tokens, width]`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sizes {
    pub(crate) batch: usize,
    pub(crate) tokens: usize,
    pub(crate) width: usize,
}

impl Sizes {
    /// Runs per sample.
    fn per_sample(&self) -> usize {
        self.tokens.div_ceil(ROWS)
    }

    /// Runs of all samples.
    pub(crate) fn runs(&self) -> usize {
        self.batch * self.per_sample()
    }
}

/// A few rows of one sample.
pub(crate) struct Run {
    /// Its place among all runs.
    pub(crate) index: usize,
    /// Its values in the tensor.
    pub(crate) values: Range<usize>,
}

impl Run {
    /// Where the values of its sample lie in `[batch, width]`.
    pub(crate) fn sample(&self, s: Sizes) -> Range<usize> {
        let b = self.index / s.per_sample();
        b * s.width..(b + 1) * s.width
    }
}

/// Calls `f` on every run, on several threads where that is worth it.
pub(crate) fn runs(s: Sizes, f: impl Fn(Run) + Sync) {
    let per = s.per_sample();
    let one = |index: usize| {
        let (b, first) = (index / per, index % per * ROWS);
        let last = (first + ROWS).min(s.tokens);
        let at = |row: usize| (b * s.tokens + row) * s.width;
        f(Run {
            index,
            values: at(first)..at(last),
        });
    };
    if s.batch * s.tokens * s.width <= SMALL {
        (0..s.runs()).for_each(one);
    } else {
        (0..s.runs()).into_par_iter().for_each(one);
    }
}

/// The sums of all runs `[runs, width]`, added up per sample in their order: `[batch, width]`.
pub(crate) fn fold_parts(parts: &[f32], s: Sizes) -> Vec<f64> {
    let mut sums = vec![0.0; s.batch * s.width];
    let samples = parts.chunks_exact(s.per_sample() * s.width);
    for (sum, parts) in sums.chunks_exact_mut(s.width).zip(samples) {
        for part in parts.chunks_exact(s.width) {
            sum.iter_mut()
                .zip(part)
                .for_each(|(s, &p)| *s += f64::from(p));
        }
    }
    sums
}
