//! Activations over a whole tensor.

use super::Level;
use super::exp;
use super::level::multiversion;
use super::scratch::unfilled;
use rayon::prelude::*;

/// Values per task.
const CHUNK: usize = 1 << 14;

/// Which activation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Curve {
    Silu,
    /// The tanh form.
    Gelu,
    GeluErf,
}

multiversion! {
    /// y = f(x) on a block in cache.
    pub(crate) fn map<const FMA>(curve: Curve, x: &[f32], y: &mut [f32]) {
        let pairs = y.iter_mut().zip(x);
        match curve {
            Curve::Silu => pairs.for_each(|(y, &x)| *y = exp::silu::<FMA>(x)),
            Curve::Gelu => pairs.for_each(|(y, &x)| *y = exp::gelu::<FMA>(x)),
            Curve::GeluErf => pairs.for_each(|(y, &x)| *y = exp::gelu_erf::<FMA>(x)),
        }
    }
}
multiversion! {
    /// x ⟵ f(x) on a block in cache.
    pub(crate) fn map_in_place<const FMA>(curve: Curve, x: &mut [f32]) {
        match curve {
            Curve::Silu => x.iter_mut().for_each(|x| *x = exp::silu::<FMA>(*x)),
            Curve::Gelu => x.iter_mut().for_each(|x| *x = exp::gelu::<FMA>(*x)),
            Curve::GeluErf => x.iter_mut().for_each(|x| *x = exp::gelu_erf::<FMA>(*x)),
        }
    }
}
multiversion! {
    fn slope<const FMA>(curve: Curve, x: &[f32], dy: &[f32], dx: &mut [f32]) {
        let triples = dx.iter_mut().zip(x).zip(dy);
        match curve {
            Curve::Silu => triples.for_each(|((dx, &x), &dy)| *dx = dy * exp::silu_slope::<FMA>(x)),
            Curve::Gelu => triples.for_each(|((dx, &x), &dy)| *dx = dy * exp::gelu_slope::<FMA>(x)),
            Curve::GeluErf => triples.for_each(|((dx, &x), &dy)| *dx = dy * exp::gelu_erf_slope::<FMA>(x)),
        }
    }
}

/// y = f(x).
pub(crate) fn forward(level: Level, curve: Curve, x: &[f32]) -> Vec<f32> {
    let mut y = unfilled(x.len());
    if x.len() <= 2 * CHUNK {
        map(level, curve, x, &mut y);
    } else {
        y.par_chunks_mut(CHUNK)
            .zip(x.par_chunks(CHUNK))
            .for_each(|(y, x)| map(level, curve, x, y));
    }
    y
}

/// x ⟵ f(x).
pub(crate) fn forward_in_place(level: Level, curve: Curve, x: &mut [f32]) {
    if x.len() <= 2 * CHUNK {
        map_in_place(level, curve, x);
    } else {
        x.par_chunks_mut(CHUNK)
            .for_each(|x| map_in_place(level, curve, x));
    }
}

/// dx = dy f′(x).
pub(crate) fn backward(level: Level, curve: Curve, x: &[f32], dy: &[f32]) -> Vec<f32> {
    let mut dx = unfilled(x.len());
    if x.len() <= 2 * CHUNK {
        slope(level, curve, x, dy, &mut dx);
    } else {
        let parts = dx
            .par_chunks_mut(CHUNK)
            .zip(x.par_chunks(CHUNK))
            .zip(dy.par_chunks(CHUNK));
        parts.for_each(|((dx, x), dy)| slope(level, curve, x, dy, dx));
    }
    dx
}
