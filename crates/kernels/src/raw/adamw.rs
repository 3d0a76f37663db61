//! One step of AdamW and of a moving average, each in place and in one pass over a parameter, and a gradient's norm.

use super::level::multiversion;
use super::{Level, norm};
use rayon::prelude::*;

/// Values per task; smaller parameters are not worth a second thread.
const CHUNK: usize = 1 << 15;

/// The numbers of one step of AdamW (Loshchilov and Hutter 2019, arXiv:1711.05101).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    /// β₁, β₂ and their complements.
    pub(crate) beta: [f32; 2],
    /// 1 − β₁ and 1 − β₂.
    pub(crate) rest: [f32; 2],
    /// 1 − β₁ᵏ and 1 − β₂ᵏ, with k the number of steps, this one included.
    pub(crate) bias: [f32; 2],
    /// ε.
    pub(crate) epsilon: f32,
    /// The learning rate.
    pub(crate) lr: f32,
    /// What the parameter is multiplied with before the step: 1 − lr · decay.
    pub(crate) keep: f32,
}

multiversion! {
    fn step<const FMA>(s: &Step, p: &mut [f32], g: &[f32], m: &mut [f32], v: &mut [f32]) {
        let n = p.len();
        // Slices of one length, so that no bounds are checked in the loop.
        let (g, m, v) = (&g[..n], &mut m[..n], &mut v[..n]);
        for i in 0..n {
            let a = m[i] * s.beta[0] + g[i] * s.rest[0];
            let b = v[i] * s.beta[1] + (g[i] * g[i]) * s.rest[1];
            let delta = (a / s.bias[0]) / ((b / s.bias[1]).sqrt() + s.epsilon);
            m[i] = a;
            v[i] = b;
            p[i] = p[i] * s.keep - delta * s.lr;
        }
    }
}

/// The parameter `p` and its moments `m` and `v`, moved on by the gradient `g`, in place.
///
/// Every operation rounds, as in the plain form: a fused multiply-add would give other bits.
pub(crate) fn adamw(
    level: Level,
    s: &Step,
    p: &mut [f32],
    g: &[f32],
    m: &mut [f32],
    v: &mut [f32],
) {
    if p.len() <= CHUNK {
        return step(level, s, p, g, m, v);
    }
    p.par_chunks_mut(CHUNK)
        .zip(g.par_chunks(CHUNK))
        .zip(m.par_chunks_mut(CHUNK))
        .zip(v.par_chunks_mut(CHUNK))
        .for_each(|(((p, g), m), v)| step(level, s, p, g, m, v));
}

multiversion! {
    fn mix<const FMA>(old: &mut [f32], new: &[f32], keep: f32, take: f32) {
        for (old, new) in old.iter_mut().zip(new) {
            *old = *old * keep + new * take;
        }
    }
}

/// old ⟵ keep · old + take · new.
pub(crate) fn blend(level: Level, old: &mut [f32], new: &[f32], keep: f32, take: f32) {
    if old.len() <= CHUNK {
        return mix(level, old, new, keep, take);
    }
    old.par_chunks_mut(CHUNK)
        .zip(new.par_chunks(CHUNK))
        .for_each(|(old, new)| mix(level, old, new, keep, take));
}

/// Σ x², chunk by chunk in their order.
pub(crate) fn sum_of_squares(level: Level, x: &[f32]) -> f64 {
    let sums: Vec<f64> = x
        .par_chunks(CHUNK)
        .map(|x| norm::sum_of_squares(level, x, 0.0))
        .collect();
    sums.iter().sum()
}
