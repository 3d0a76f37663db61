//! Group normalisation, an affine map, a modulation and a SiLU in one pass over memory each way.
//!
//! With group mean μ, r = (var + ε)^−½, x̂ = (x − μ) r, k = γ (1 + scale) and c = β (1 + scale) + shift:
//! z = k x̂ + c and y = z or z σ(z). A group fits in a near cache, so its several passes read memory once.

use super::Level;
use super::affine::{Affine, Gradients};
use super::exp;
use super::level::multiversion;
use super::scratch::unfilled;
use rayon::prelude::*;

/// Independent partial sums; the same at every level, so that the bits of a sum are too.
const LANES: usize = 32;

/// The sizes of one normalisation of `[batch, channels, hw]`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sizes {
    pub(crate) batch: usize,
    pub(crate) channels: usize,
    pub(crate) hw: usize,
    pub(crate) groups: usize,
    pub(crate) eps: f64,
    /// Whether the SiLU is applied.
    pub(crate) activate: bool,
}

fn fold(lanes: &[f32]) -> f64 {
    lanes.iter().map(|&v| f64::from(v)).sum()
}

multiversion! {
    /// Σ x.
    pub(crate) fn sum<const FMA>(x: &[f32]) -> f64 {
        let mut acc = [0.0f32; LANES];
        let (blocks, rest) = x.as_chunks::<LANES>();
        for x in blocks {
            for (a, &x) in acc.iter_mut().zip(x) {
                *a += x;
            }
        }
        for (a, &x) in acc.iter_mut().zip(rest) {
            *a += x;
        }
        fold(&acc)
    }
}
multiversion! {
    /// Σ (x − mean)².
    pub(crate) fn sum_of_squares<const FMA>(x: &[f32], mean: f32) -> f64 {
        let mut acc = [0.0f32; LANES];
        let (blocks, rest) = x.as_chunks::<LANES>();
        for x in blocks {
            for (a, &x) in acc.iter_mut().zip(x) {
                *a = exp::mul_add::<FMA>(x - mean, x - mean, *a);
            }
        }
        for (a, &x) in acc.iter_mut().zip(rest) {
            *a = exp::mul_add::<FMA>(x - mean, x - mean, *a);
        }
        fold(&acc)
    }
}
multiversion! {
    /// y = (x − mean) a + c, through a SiLU if `activate`.
    fn apply<const FMA>(x: &[f32], y: &mut [f32], mean: f32, a: f32, c: f32, activate: bool) {
        if activate {
            for (y, &x) in y.iter_mut().zip(x) {
                *y = exp::silu::<FMA>(exp::mul_add::<FMA>(x - mean, a, c));
            }
        } else {
            for (y, &x) in y.iter_mut().zip(x) {
                *y = exp::mul_add::<FMA>(x - mean, a, c);
            }
        }
    }
}
multiversion! {
    /// dz = dy · slope(z) into `dz`; returns Σ dz and Σ dz (x − mean).
    fn pull_back<const FMA>(x: &[f32], dy: &[f32], dz: &mut [f32], mean: f32, a: f32, c: f32, activate: bool) -> (f64, f64) {
        if activate {
            for ((dz, &x), &dy) in dz.iter_mut().zip(x).zip(dy) {
                *dz = dy * exp::silu_slope::<FMA>(exp::mul_add::<FMA>(x - mean, a, c));
            }
        } else {
            dz.copy_from_slice(dy);
        }
        let (mut s, mut t) = ([0.0f32; LANES], [0.0f32; LANES]);
        let ((xs, x_rest), (ds, d_rest)) = (x.as_chunks::<LANES>(), dz.as_chunks::<LANES>());
        for (x, d) in xs.iter().zip(ds) {
            for i in 0..LANES {
                s[i] += d[i];
                t[i] = exp::mul_add::<FMA>(d[i], x[i] - mean, t[i]);
            }
        }
        for (i, (&x, &d)) in x_rest.iter().zip(d_rest).enumerate() {
            s[i] += d;
            t[i] = exp::mul_add::<FMA>(d, x - mean, t[i]);
        }
        (fold(&s), fold(&t))
    }
}
multiversion! {
    /// dx = a dz − m − n (x − mean), in place of dz.
    fn centre<const FMA>(x: &[f32], dz: &mut [f32], mean: f32, a: f32, m: f32, n: f32) {
        for (dz, &x) in dz.iter_mut().zip(x) {
            *dz = exp::mul_add::<FMA>(*dz, a, -exp::mul_add::<FMA>(x - mean, n, m));
        }
    }
}

/// Mean and (var + ε)^−½ of one group.
fn moments(level: Level, x: &[f32], eps: f64) -> (f32, f32) {
    let n = x.len() as f64;
    let mean = sum(level, x) / n;
    let var = sum_of_squares(level, x, mean as f32) / n;
    (mean as f32, (1.0 / (var + eps).sqrt()) as f32)
}

/// y `[batch, channels, hw]`.
pub(crate) fn forward(level: Level, x: &[f32], affine: Affine<'_>, s: &Sizes) -> Vec<f32> {
    let mut y = unfilled(x.len());
    let per = s.channels / s.groups;
    let one = |(i, (y, x)): (usize, (&mut [f32], &[f32]))| {
        let (b, first) = (i / s.groups, i % s.groups * per);
        let (mean, r) = moments(level, x, s.eps);
        for (j, (y, x)) in y
            .chunks_exact_mut(s.hw)
            .zip(x.chunks_exact(s.hw))
            .enumerate()
        {
            let (k, c) = affine.at(b, first + j);
            apply(level, x, y, mean, k * r, c, s.activate);
        }
    };
    y.par_chunks_mut(per * s.hw)
        .zip(x.par_chunks(per * s.hw))
        .enumerate()
        .for_each(one);
    y
}

/// All gradients at once. With dz the gradient at z, S = Σ dz and T = Σ dz x̂ over the positions of a channel:
/// dx = r (k dz − ⟨k S⟩ − x̂ ⟨k T⟩) with ⟨·⟩ the group's sum over its number of values.
pub(crate) fn backward(
    level: Level,
    x: &[f32],
    dy: &[f32],
    affine: Affine<'_>,
    s: &Sizes,
) -> Gradients {
    let per = s.channels / s.groups;
    let group = per * s.hw;
    let mut dx = unfilled(x.len());
    // (S, T) of every sample and channel.
    let mut sums = vec![(0.0f64, 0.0f64); s.batch * s.channels];
    let work = dx
        .par_chunks_mut(group)
        .zip(sums.par_chunks_mut(per))
        .zip(x.par_chunks(group))
        .zip(dy.par_chunks(group))
        .enumerate();
    work.for_each(|(i, (((dx, sums), x), dy))| {
        let (b, first) = (i / s.groups, i % s.groups * per);
        let (mean, r) = moments(level, x, s.eps);
        let (mut m, mut n) = (0.0, 0.0);
        for (j, sums) in sums.iter_mut().enumerate() {
            let at = j * s.hw..(j + 1) * s.hw;
            let (x, dy, dz) = (&x[at.clone()], &dy[at.clone()], &mut dx[at]);
            let (k, c) = affine.at(b, first + j);
            let (sum, dot) = pull_back(level, x, dy, dz, mean, k * r, c, s.activate);
            *sums = (sum, dot * f64::from(r));
            m += f64::from(k) * sums.0;
            n += f64::from(k) * sums.1;
        }
        let (m, n) = (
            m / group as f64 * f64::from(r),
            n / group as f64 * f64::from(r) * f64::from(r),
        );
        for (j, (dx, x)) in dx
            .chunks_exact_mut(s.hw)
            .zip(x.chunks_exact(s.hw))
            .enumerate()
        {
            let a = affine.at(b, first + j).0 * r;
            centre(level, x, dx, mean, a, m as f32, n as f32);
        }
    });

    Gradients::new(dx, sums.into_iter(), affine)
}
