//! x + gate · h with one gate per sample and feature: one pass over memory each way.

use super::Level;
use super::exp::mul_add;
use super::level::multiversion;
use super::rows::{Sizes, fold_parts, runs};
use super::scratch::{Shared, unfilled};

multiversion! {
    fn add_rows<const FMA>(x: &[f32], h: &[f32], gate: &[f32], y: &mut [f32]) {
        let n = gate.len();
        for ((y, x), h) in y.chunks_exact_mut(n).zip(x.chunks_exact(n)).zip(h.chunks_exact(n)) {
            for (((y, &x), &h), &gate) in y.iter_mut().zip(x).zip(h).zip(gate) {
                *y = mul_add::<FMA>(gate, h, x);
            }
        }
    }
}
multiversion! {
    fn add_rows_in_place<const FMA>(x: &mut [f32], h: &[f32], gate: &[f32]) {
        let n = gate.len();
        for (x, h) in x.chunks_exact_mut(n).zip(h.chunks_exact(n)) {
            for ((x, &h), &gate) in x.iter_mut().zip(h).zip(gate) {
                *x = mul_add::<FMA>(gate, h, *x);
            }
        }
    }
}
multiversion! {
    /// dh = gate · dy, and Σ dy h over the rows.
    fn pull_back<const FMA>(h: &[f32], gate: &[f32], dy: &[f32], dh: &mut [f32], sum: &mut [f32]) {
        let n = gate.len();
        sum.fill(0.0);
        for ((dh, h), dy) in dh.chunks_exact_mut(n).zip(h.chunks_exact(n)).zip(dy.chunks_exact(n)) {
            for ((((dh, &h), &dy), &gate), sum) in dh.iter_mut().zip(h).zip(dy).zip(gate).zip(&mut *sum) {
                *dh = gate * dy;
                *sum = mul_add::<FMA>(dy, h, *sum);
            }
        }
    }
}

/// y = x + gate · h: x and h `[batch, tokens, width]`, gate `[batch, width]`.
pub(crate) fn forward(level: Level, x: &[f32], h: &[f32], gate: &[f32], s: Sizes) -> Vec<f32> {
    let mut y = unfilled(x.len());
    let shared = Shared::new(&mut y);
    runs(s, |r| {
        // SAFETY: runs do not overlap.
        let y = unsafe { shared.part(r.values.start, r.values.len()) };
        let gate = &gate[r.sample(s)];
        add_rows(level, &x[r.values.clone()], &h[r.values.clone()], gate, y);
    });
    y
}

/// x ⟵ x + gate · h.
pub(crate) fn forward_in_place(level: Level, x: &mut [f32], h: &[f32], gate: &[f32], s: Sizes) {
    let shared = Shared::new(x);
    runs(s, |r| {
        // SAFETY: runs do not overlap.
        let x = unsafe { shared.part(r.values.start, r.values.len()) };
        add_rows_in_place(level, x, &h[r.values.clone()], &gate[r.sample(s)]);
    });
}

/// The gradients at h and at the gate; the one at x is dy.
pub(crate) fn backward(
    level: Level,
    h: &[f32],
    gate: &[f32],
    dy: &[f32],
    s: Sizes,
) -> (Vec<f32>, Vec<f32>) {
    let mut dh = unfilled(h.len());
    let mut sums = unfilled(s.runs() * s.width);
    let (shared, shared_sums) = (Shared::new(&mut dh), Shared::new(&mut sums));
    runs(s, |r| {
        // SAFETY: runs do not overlap, and each has its own sums.
        let (dh, sum) = unsafe {
            (
                shared.part(r.values.start, r.values.len()),
                shared_sums.part(r.index * s.width, s.width),
            )
        };
        let gate = &gate[r.sample(s)];
        pull_back(
            level,
            &h[r.values.clone()],
            gate,
            &dy[r.values.clone()],
            dh,
            sum,
        );
    });
    let dgate = fold_parts(&sums, s).into_iter().map(|v| v as f32).collect();
    (dh, dgate)
}
