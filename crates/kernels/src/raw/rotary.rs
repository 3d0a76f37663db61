//! Pairs of features turned in their plane: one pass over memory.

use super::Level;
use super::exp::mul_add;
use super::level::multiversion;
use super::rows::{Sizes, runs};
use super::scratch::{Shared, unfilled};

/// Values that are turned at once: whole pairs.
const LANES: usize = 8;

multiversion! {
    /// y = x · near + x' · far, x' being x with the two values of every pair exchanged; a token has heads of `near.len()` values.
    fn turn<const FMA>(x: &[f32], near: &[f32], far: &[f32], y: &mut [f32]) {
        let d = near.len();
        let ((nears, near_rest), (fars, far_rest)) = (near.as_chunks::<LANES>(), far.as_chunks::<LANES>());
        for (x, y) in x.chunks_exact(d).zip(y.chunks_exact_mut(d)) {
            let ((xs, x_rest), (ys, y_rest)) = (x.as_chunks::<LANES>(), y.as_chunks_mut::<LANES>());
            for (((x, y), near), far) in xs.iter().zip(ys).zip(nears).zip(fars) {
                let other = [x[1], x[0], x[3], x[2], x[5], x[4], x[7], x[6]];
                for i in 0..LANES {
                    y[i] = mul_add::<FMA>(x[i], near[i], other[i] * far[i]);
                }
            }
            for i in 0..x_rest.len() {
                y_rest[i] = mul_add::<FMA>(x_rest[i], near_rest[i], x_rest[i ^ 1] * far_rest[i]);
            }
        }
    }
}

/// Heads of tokens, all samples' alike: x `[batch, tokens, heads · 2n]`, `cos` and `sin` `[tokens, n]`. Each pair (a, b) becomes
/// (a cos − b sin, a sin + b cos), or with `back` what is turned by the opposite angle, its transpose.
pub(crate) fn turned(
    level: Level,
    x: &[f32],
    [cos, sin]: [&[f32]; 2],
    s: Sizes,
    back: bool,
) -> Vec<f32> {
    let d = 2 * cos.len() / s.tokens;
    let sign = if back { -1.0 } else { 1.0 };
    let near: Vec<f32> = cos.iter().flat_map(|&c| [c, c]).collect();
    let far: Vec<f32> = sin.iter().flat_map(|&v| [-sign * v, sign * v]).collect();
    let mut y = unfilled(x.len());
    let shared = Shared::new(&mut y);
    runs(s, |r| {
        // SAFETY: runs do not overlap.
        let y = unsafe { shared.part(r.values.start, r.values.len()) };
        let first = r.values.start / s.width % s.tokens;
        let tokens = x[r.values]
            .chunks_exact(s.width)
            .zip(y.chunks_exact_mut(s.width));
        for ((x, y), token) in tokens.zip(first..) {
            let at = token * d..(token + 1) * d;
            turn(level, x, &near[at.clone()], &far[at], y);
        }
    });
    y
}
