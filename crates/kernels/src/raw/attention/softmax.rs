//! The exponentials of attention, row by row of a block of logits in cache.

use crate::raw::exp::{exp2_falling, mul_add};
use crate::raw::lanes::fold;
use crate::raw::level::multiversion;

/// Independent partial results of a row; the same at every level, so that the bits of a sum are too.
const LANES: usize = 16;

#[inline(always)]
fn larger(a: f32, b: f32) -> f32 {
    if b > a { b } else { a }
}

/// The last, partly filled block of a row; what is missing has no weight.
#[inline(always)]
fn tail(rest: &[f32]) -> [f32; LANES] {
    let mut last = [f32::NEG_INFINITY; LANES];
    last[..rest.len()].copy_from_slice(rest);
    last
}

multiversion! {
    /// Turns rows of logits (row stride `ld`, `n` of them filled) into 2^(s · scale − shift) with the row's largest
    /// s · scale so far as its shift. `shift` and `sum` hold what earlier blocks left and are updated; `fade` gets the
    /// factor by which earlier results shrink.
    pub(super) fn weights<const FMA>(s: &mut [f32], ld: usize, n: usize, scale: f32, shift: &mut [f32], sum: &mut [f32], fade: &mut [f32]) {
        let stats = shift.iter_mut().zip(sum).zip(fade);
        for (s, ((shift, sum), fade)) in s.chunks_mut(ld).zip(stats) {
            let (blocks, rest) = s[..n].as_chunks_mut::<LANES>();
            let mut most = if rest.is_empty() { [f32::NEG_INFINITY; LANES] } else { tail(rest) };
            for s in blocks.iter() {
                for (m, &s) in most.iter_mut().zip(s) {
                    *m = larger(*m, s);
                }
            }
            let old = *shift;
            let new = larger(old, fold(most, larger) * scale);
            let mut total = [0.0f32; LANES];
            for s in blocks {
                for (t, s) in total.iter_mut().zip(s) {
                    *s = exp2_falling::<FMA>(mul_add::<FMA>(*s, scale, -new));
                    *t += *s;
                }
            }
            if !rest.is_empty() {
                let mut last = tail(rest);
                for (t, s) in total.iter_mut().zip(&mut last) {
                    *s = exp2_falling::<FMA>(mul_add::<FMA>(*s, scale, -new));
                    *t += *s;
                }
                rest.copy_from_slice(&last[..rest.len()]);
            }
            *fade = exp2_falling::<FMA>(old - new);
            *sum = mul_add::<FMA>(*sum, *fade, fold(total, |a, b| a + b));
            *shift = new;
        }
    }
}

multiversion! {
    /// Rows of logits into e = 2^(s · scale − shift), and rows of `dp` into e · (dp − delta) · factor.
    pub(super) fn slopes<const FMA>(s: &mut [f32], dp: &mut [f32], ld: usize, n: usize, scale: f32, shift: &[f32], delta: &[f32], factor: &[f32]) {
        let stats = shift.iter().zip(delta).zip(factor);
        for ((s, dp), ((&shift, &delta), &factor)) in s.chunks_mut(ld).zip(dp.chunks_mut(ld)).zip(stats) {
            let offset = -delta * factor;
            for (s, dp) in s[..n].iter_mut().zip(&mut dp[..n]) {
                let e = exp2_falling::<FMA>(mul_add::<FMA>(*s, scale, -shift));
                *s = e;
                *dp = e * mul_add::<FMA>(*dp, factor, offset);
            }
        }
    }
}

multiversion! {
    /// Σ a b over `n` values of every row: `a` and `b` with their own row strides.
    pub(super) fn dots<const FMA>(a: &[f32], lda: usize, b: &[f32], ldb: usize, n: usize, out: &mut [f32]) {
        for (i, out) in out.iter_mut().enumerate() {
            let (a, b) = (&a[i * lda..][..n], &b[i * ldb..][..n]);
            let ((xs, x_rest), (ys, y_rest)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
            let mut acc = [0.0f32; LANES];
            for (x, y) in xs.iter().zip(ys) {
                for i in 0..LANES {
                    acc[i] = mul_add::<FMA>(x[i], y[i], acc[i]);
                }
            }
            for ((acc, x), y) in acc.iter_mut().zip(x_rest).zip(y_rest) {
                *acc = mul_add::<FMA>(*x, *y, *acc);
            }
            *out = fold(acc, |a, b| a + b);
        }
    }
}
