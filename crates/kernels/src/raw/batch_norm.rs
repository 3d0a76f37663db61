//! Batch normalisation with a shift before it and a SiLU before or after it.
//!
//! With v = x + shift, u = v σ(v) or v, d = u − μ, r = (var + ε)^−½ and a = γ r: z = a d + β and y = z or z σ(z). Statistics
//! are made per plane (one channel of one sample) and joined over the batch in its order, so that no number of threads
//! changes a bit.

use super::Level;
use super::exp;
use super::level::multiversion;
use super::norm;
use super::scratch::{unfilled, with_space};
use rayon::prelude::*;

/// Independent partial sums; the same at every level, so that the bits of a sum are too.
const LANES: usize = 32;

/// The sizes of one normalisation of `[batch, channels, hw]`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sizes {
    pub(crate) channels: usize,
    pub(crate) hw: usize,
    pub(crate) eps: f64,
    /// Whether the SiLU comes first, not last.
    pub(crate) before: bool,
    /// Whether the statistics are those of x, so that gradients go through them.
    pub(crate) training: bool,
}

/// γ, β, μ and var `[channels]`, shift `[batch, channels]`.
#[derive(Clone, Copy)]
pub(crate) struct Vectors<'a> {
    pub(crate) shift: &'a [f32],
    pub(crate) gamma: &'a [f32],
    pub(crate) beta: &'a [f32],
    pub(crate) mean: &'a [f32],
    pub(crate) var: &'a [f32],
}

/// What one plane is told.
#[derive(Clone, Copy)]
struct Plane {
    shift: f32,
    mean: f32,
    a: f32,
    beta: f32,
}

impl Vectors<'_> {
    /// (var + ε)^−½ of a channel.
    fn r(&self, c: usize, eps: f64) -> f64 {
        1.0 / (f64::from(self.var[c]) + eps).sqrt()
    }

    fn plane(&self, i: usize, s: &Sizes) -> Plane {
        let c = i % s.channels;
        Plane {
            shift: self.shift[i],
            mean: self.mean[c],
            a: (f64::from(self.gamma[c]) * self.r(c, s.eps)) as f32,
            beta: self.beta[c],
        }
    }
}

multiversion! {
    /// u of one plane.
    fn enter<const FMA>(x: &[f32], u: &mut [f32], shift: f32, before: bool) {
        if before {
            u.iter_mut().zip(x).for_each(|(u, &x)| *u = exp::silu::<FMA>(x + shift));
        } else {
            u.iter_mut().zip(x).for_each(|(u, &x)| *u = x + shift);
        }
    }
}
multiversion! {
    fn apply<const FMA>(x: &[f32], y: &mut [f32], p: Plane, before: bool) {
        if before {
            for (y, &x) in y.iter_mut().zip(x) {
                *y = exp::mul_add::<FMA>(exp::silu::<FMA>(x + p.shift) - p.mean, p.a, p.beta);
            }
        } else {
            for (y, &x) in y.iter_mut().zip(x) {
                *y = exp::silu::<FMA>(exp::mul_add::<FMA>(x + p.shift - p.mean, p.a, p.beta));
            }
        }
    }
}
multiversion! {
    /// dz into `dz`; returns Σ dz and Σ dz d.
    fn pull_back<const FMA>(x: &[f32], dy: &[f32], dz: &mut [f32], p: Plane, before: bool) -> (f64, f64) {
        let (mut s, mut t) = ([0.0f32; LANES], [0.0f32; LANES]);
        for ((x, dy), dz) in x.chunks(LANES).zip(dy.chunks(LANES)).zip(dz.chunks_mut(LANES)) {
            let sums = s.iter_mut().zip(&mut t);
            for ((((&x, &dy), dz), s), t) in x.iter().zip(dy).zip(dz).zip(sums).map(|(v, (s, t))| ((v, s), t)) {
                let v = x + p.shift;
                let d = if before { exp::silu::<FMA>(v) - p.mean } else { v - p.mean };
                *dz = if before { dy } else { dy * exp::silu_slope::<FMA>(exp::mul_add::<FMA>(d, p.a, p.beta)) };
                *s += *dz;
                *t = exp::mul_add::<FMA>(*dz, d, *t);
            }
        }
        let fold = |lanes: [f32; LANES]| lanes.iter().map(|&v| f64::from(v)).sum();
        (fold(s), fold(t))
    }
}
multiversion! {
    /// dx from dz in place: du = a dz − m − n d, through the SiLU where that came first.
    fn leave<const FMA>(x: &[f32], dz: &mut [f32], p: Plane, m: f32, n: f32, before: bool) {
        if before {
            for (dz, &x) in dz.iter_mut().zip(x) {
                let v = x + p.shift;
                let s = exp::sigmoid::<FMA>(v);
                let d = exp::mul_add::<FMA>(v, s, -p.mean);
                let du = exp::mul_add::<FMA>(*dz, p.a, -exp::mul_add::<FMA>(d, n, m));
                *dz = du * s * exp::mul_add::<FMA>(v, 1.0 - s, 1.0);
            }
        } else {
            for (dz, &x) in dz.iter_mut().zip(x) {
                let d = x + p.shift - p.mean;
                *dz = exp::mul_add::<FMA>(*dz, p.a, -exp::mul_add::<FMA>(d, n, m));
            }
        }
    }
}

/// Mean and biased variance of u for every channel, one after the other: `[2 · channels]`.
pub(crate) fn moments(level: Level, x: &[f32], shift: &[f32], s: &Sizes) -> Vec<f32> {
    // (mean, Σ (u − mean)²) of every plane.
    let mut planes = vec![(0.0f64, 0.0f64); shift.len()];
    let work = planes.par_iter_mut().zip(x.par_chunks(s.hw)).enumerate();
    work.for_each(|(i, (plane, x))| {
        with_space(s.hw, |u| {
            enter(level, x, u, shift[i], s.before);
            let mean = norm::sum(level, u) / s.hw as f64;
            *plane = (mean, norm::sum_of_squares(level, u, mean as f32));
        });
    });
    let mut found = vec![0.0; 2 * s.channels];
    let rows = planes.len() / s.channels;
    for c in 0..s.channels {
        let of_c = || (0..rows).map(|b| planes[b * s.channels + c]);
        let mean = of_c().map(|(mean, _)| mean).sum::<f64>() / rows as f64;
        // About the mean of all (Chan et al. 1983): each plane adds its own and the square of its distance.
        let sum: f64 = of_c()
            .map(|(own, squares)| squares + s.hw as f64 * (own - mean).powi(2))
            .sum();
        found[c] = mean as f32;
        found[s.channels + c] = (sum / (rows * s.hw) as f64) as f32;
    }
    found
}

/// y `[batch, channels, hw]`.
pub(crate) fn forward(level: Level, x: &[f32], vectors: Vectors<'_>, s: &Sizes) -> Vec<f32> {
    let mut y = unfilled(x.len());
    let work = y.par_chunks_mut(s.hw).zip(x.par_chunks(s.hw)).enumerate();
    work.for_each(|(i, (y, x))| apply(level, x, y, vectors.plane(i, s), s.before));
    y
}

/// The gradients of one normalisation.
pub(crate) struct Gradients {
    /// `[batch, channels, hw]`.
    pub(crate) x: Vec<f32>,
    /// `[batch, channels]`.
    pub(crate) shift: Vec<f32>,
    /// `[channels]`.
    pub(crate) gamma: Vec<f32>,
    pub(crate) beta: Vec<f32>,
}

/// All gradients at once. With S = Σ dz and T = Σ dz d over batch and positions of a channel, N values: dβ = S, dγ = r T and,
/// where the statistics are those of x, du = a (dz − S/N − d r² T/N); otherwise du = a dz.
pub(crate) fn backward(
    level: Level,
    x: &[f32],
    dy: &[f32],
    vectors: Vectors<'_>,
    s: &Sizes,
) -> Gradients {
    let mut dx = unfilled(x.len());
    let mut sums = vec![(0.0f64, 0.0f64); vectors.shift.len()];
    let work = dx
        .par_chunks_mut(s.hw)
        .zip(&mut sums)
        .zip(x.par_chunks(s.hw));
    work.zip(dy.par_chunks(s.hw))
        .enumerate()
        .for_each(|(i, (((dz, sums), x), dy))| {
            *sums = pull_back(level, x, dy, dz, vectors.plane(i, s), s.before);
        });
    let mut of_channel = vec![(0.0f64, 0.0f64); s.channels];
    for (i, (sum, dot)) in sums.iter().enumerate() {
        let (all, dots) = &mut of_channel[i % s.channels];
        *all += sum;
        *dots += dot;
    }
    let count = (sums.len() / s.channels * s.hw) as f64;
    let r: Vec<f64> = (0..s.channels).map(|c| vectors.r(c, s.eps)).collect();
    let mut shift = vec![0.0; sums.len()];
    let work = dx
        .par_chunks_mut(s.hw)
        .zip(&mut shift)
        .zip(x.par_chunks(s.hw));
    work.enumerate().for_each(|(i, ((dx, shift), x))| {
        let (c, plane) = (i % s.channels, vectors.plane(i, s));
        let (mut m, mut n) = (0.0, 0.0);
        if s.training {
            let a = f64::from(plane.a) / count;
            m = a * of_channel[c].0;
            n = a * r[c] * r[c] * of_channel[c].1;
        }
        leave(level, x, dx, plane, m as f32, n as f32, s.before);
        *shift = norm::sum(level, dx) as f32;
    });
    Gradients {
        x: dx,
        shift,
        gamma: (0..s.channels)
            .map(|c| (r[c] * of_channel[c].1) as f32)
            .collect(),
        beta: of_channel.iter().map(|(sum, _)| *sum as f32).collect(),
    }
}
