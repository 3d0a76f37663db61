//! SiLU over a whole tensor.

use super::Level;
use super::exp;
use super::level::multiversion;
use super::scratch::unfilled;
use rayon::prelude::*;

/// Values per task.
const CHUNK: usize = 1 << 14;

multiversion! {
    fn map<const FMA>(x: &[f32], y: &mut [f32]) {
        for (y, &x) in y.iter_mut().zip(x) {
            *y = exp::silu::<FMA>(x);
        }
    }
}
multiversion! {
    fn map_in_place<const FMA>(x: &mut [f32]) {
        for x in x {
            *x = exp::silu::<FMA>(*x);
        }
    }
}
multiversion! {
    fn slope<const FMA>(x: &[f32], dy: &[f32], dx: &mut [f32]) {
        for ((dx, &x), &dy) in dx.iter_mut().zip(x).zip(dy) {
            *dx = dy * exp::silu_slope::<FMA>(x);
        }
    }
}

/// y = x σ(x).
pub(crate) fn forward(level: Level, x: &[f32]) -> Vec<f32> {
    let mut y = unfilled(x.len());
    if x.len() <= 2 * CHUNK {
        map(level, x, &mut y);
    } else {
        y.par_chunks_mut(CHUNK)
            .zip(x.par_chunks(CHUNK))
            .for_each(|(y, x)| map(level, x, y));
    }
    y
}

/// x ⟵ x σ(x).
pub(crate) fn forward_in_place(level: Level, x: &mut [f32]) {
    if x.len() <= 2 * CHUNK {
        map_in_place(level, x);
    } else {
        x.par_chunks_mut(CHUNK).for_each(|x| map_in_place(level, x));
    }
}

/// dx = dy σ(x) (1 + x (1 − σ(x))).
pub(crate) fn backward(level: Level, x: &[f32], dy: &[f32]) -> Vec<f32> {
    let mut dx = unfilled(x.len());
    if x.len() <= 2 * CHUNK {
        slope(level, x, dy, &mut dx);
    } else {
        let parts = dx
            .par_chunks_mut(CHUNK)
            .zip(x.par_chunks(CHUNK))
            .zip(dy.par_chunks(CHUNK));
        parts.for_each(|((dx, x), dy)| slope(level, x, dy, dx));
    }
    dx
}
