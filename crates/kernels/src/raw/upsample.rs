//! Nearest-neighbour doubling of height and width.

use super::Level;
use super::level::multiversion;
use super::scratch::unfilled;
use rayon::prelude::*;

/// Values of the large tensor per task, roughly.
const CHUNK: usize = 1 << 15;

multiversion! {
    fn double<const FMA>(x: &[f32], y: &mut [f32], w: usize) {
        for (x, y) in x.chunks_exact(w).zip(y.chunks_exact_mut(4 * w)) {
            let (a, b) = y.split_at_mut(2 * w);
            for (a, &x) in a.chunks_exact_mut(2).zip(x) {
                a[0] = x;
                a[1] = x;
            }
            b.copy_from_slice(a);
        }
    }
}
multiversion! {
    fn halve<const FMA>(dy: &[f32], dx: &mut [f32], w: usize) {
        for (dx, dy) in dx.chunks_exact_mut(w).zip(dy.chunks_exact(4 * w)) {
            let (a, b) = dy.split_at(2 * w);
            for ((dx, a), b) in dx.iter_mut().zip(a.chunks_exact(2)).zip(b.chunks_exact(2)) {
                *dx = (a[0] + a[1]) + (b[0] + b[1]);
            }
        }
    }
}

/// Rows of width `w` per task.
fn rows(w: usize) -> usize {
    (CHUNK / (4 * w)).max(1)
}

/// `x: [.., h, w]` to `[.., 2h, 2w]`: y[2i + a, 2j + b] = x[i, j].
pub(crate) fn forward(level: Level, x: &[f32], w: usize) -> Vec<f32> {
    let mut y = unfilled(4 * x.len());
    let n = rows(w) * w;
    if x.len() <= n {
        double(level, x, &mut y, w);
    } else {
        y.par_chunks_mut(4 * n)
            .zip(x.par_chunks(n))
            .for_each(|(y, x)| double(level, x, y, w));
    }
    y
}

/// `dy: [.., 2h, 2w]` to dx `[.., h, w]`: the sum over each 2×2 block. `w` is the width of dx.
pub(crate) fn backward(level: Level, dy: &[f32], w: usize) -> Vec<f32> {
    let mut dx = unfilled(dy.len() / 4);
    let n = rows(w) * w;
    if dx.len() <= n {
        halve(level, dy, &mut dx, w);
    } else {
        dx.par_chunks_mut(n)
            .zip(dy.par_chunks(4 * n))
            .for_each(|(dx, dy)| halve(level, dy, dx, w));
    }
    dx
}
