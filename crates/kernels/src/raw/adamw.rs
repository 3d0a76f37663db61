//! One step of AdamW and of a moving average, each in one pass over a parameter.

use super::Level;
use super::level::multiversion;
use super::scratch::unfilled;
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
    fn step<const FMA>(s: &Step, old: [&[f32]; 4], new: [&mut [f32]; 3]) {
        let [p, g, m, v] = old;
        let [np, nm, nv] = new;
        let n = np.len();
        // Slices of one length, so that no bounds are checked in the loop.
        let (p, g, m, v) = (&p[..n], &g[..n], &m[..n], &v[..n]);
        let (nm, nv) = (&mut nm[..n], &mut nv[..n]);
        for i in 0..n {
            let a = m[i] * s.beta[0] + g[i] * s.rest[0];
            let b = v[i] * s.beta[1] + (g[i] * g[i]) * s.rest[1];
            let delta = (a / s.bias[0]) / ((b / s.bias[1]).sqrt() + s.epsilon);
            nm[i] = a;
            nv[i] = b;
            np[i] = p[i] * s.keep - delta * s.lr;
        }
    }
}

/// The new parameter, first and second moment of `[parameter, gradient, first moment, second moment]`.
///
/// Every operation rounds, as in the plain form: a fused multiply-add would give other bits.
pub(crate) fn adamw(level: Level, s: &Step, old: [&[f32]; 4]) -> [Vec<f32>; 3] {
    let n = old[0].len();
    let [mut p, mut m, mut v] = [unfilled(n), unfilled(n), unfilled(n)];
    if n <= CHUNK {
        step(level, s, old, [&mut p, &mut m, &mut v]);
    } else {
        let parts = p
            .par_chunks_mut(CHUNK)
            .zip(m.par_chunks_mut(CHUNK))
            .zip(v.par_chunks_mut(CHUNK));
        parts.enumerate().for_each(|(i, ((p, m), v))| {
            let old = old.map(|x| &x[i * CHUNK..][..p.len()]);
            step(level, s, old, [p, m, v]);
        });
    }
    [p, m, v]
}

multiversion! {
    fn mix<const FMA>(old: &[f32], new: &[f32], keep: f32, take: f32, out: &mut [f32]) {
        for ((out, old), new) in out.iter_mut().zip(old).zip(new) {
            *out = old * keep + new * take;
        }
    }
}

/// keep · old + take · new.
pub(crate) fn blend(level: Level, old: &[f32], new: &[f32], keep: f32, take: f32) -> Vec<f32> {
    let mut out = unfilled(old.len());
    if old.len() <= CHUNK {
        mix(level, old, new, keep, take, &mut out);
    } else {
        let parts = out
            .par_chunks_mut(CHUNK)
            .zip(old.par_chunks(CHUNK))
            .zip(new.par_chunks(CHUNK));
        parts.for_each(|((out, old), new)| mix(level, old, new, keep, take, out));
    }
    out
}
