//! Bilinear doubling of height and width: ¾ of the nearer and ¼ of the farther neighbour along each axis, edges repeated.

use super::Level;
use super::exp::mul_add;
use super::level::multiversion;
use super::scratch::{unfilled, with_space};
use rayon::prelude::*;

multiversion! {
    /// out = ¾ near + ¼ far.
    fn blend<const FMA>(near: &[f32], far: &[f32], out: &mut [f32]) {
        for ((out, &near), &far) in out.iter_mut().zip(near).zip(far) {
            *out = mul_add::<FMA>(0.25, far, 0.75 * near);
        }
    }
}
multiversion! {
    /// out = ¾ of the sum of `near` + ¼ of the sum of `far`.
    fn gather<const FMA>(out: &mut [f32], near: [&[f32]; 2], far: [&[f32]; 2]) {
        let pairs = near[0].iter().zip(near[1]).zip(far[0].iter().zip(far[1]));
        for (out, ((&a, &b), (&c, &d))) in out.iter_mut().zip(pairs) {
            *out = mul_add::<FMA>(0.25, c + d, 0.75 * (a + b));
        }
    }
}
multiversion! {
    /// One row of `w` values to one of `2w`.
    fn widen<const FMA>(t: &[f32], y: &mut [f32]) {
        let w = t.len();
        for (i, y) in y.chunks_exact_mut(2).enumerate() {
            let (left, right) = (t[i.saturating_sub(1)], t[(i + 1).min(w - 1)]);
            y[0] = mul_add::<FMA>(0.25, left, 0.75 * t[i]);
            y[1] = mul_add::<FMA>(0.25, right, 0.75 * t[i]);
        }
    }
}
multiversion! {
    /// The transpose of `widen`: one row of `2w` values to one of `w`.
    fn narrow<const FMA>(dy: &[f32], t: &mut [f32]) {
        let last = dy.len() - 1;
        for (i, (t, d)) in t.iter_mut().zip(dy.chunks_exact(2)).enumerate() {
            // The outermost values stand for their own missing neighbour.
            let (left, right) = ((2 * i).saturating_sub(1), (2 * i + 2).min(last));
            *t = mul_add::<FMA>(0.25, dy[left] + dy[right], 0.75 * (d[0] + d[1]));
        }
    }
}

/// `x: [.., h, w]` to `[.., 2h, 2w]`.
pub(crate) fn forward(level: Level, x: &[f32], [h, w]: [usize; 2]) -> Vec<f32> {
    let mut y = unfilled(4 * x.len());
    let planes = y.par_chunks_mut(4 * h * w).zip(x.par_chunks(h * w));
    planes.for_each(|(y, x)| {
        let row = |i: usize| &x[i * w..(i + 1) * w];
        with_space(w, |t| {
            for (i, y) in y.chunks_exact_mut(4 * w).enumerate() {
                let (above, below) = y.split_at_mut(2 * w);
                blend(level, row(i), row(i.saturating_sub(1)), t);
                widen(level, t, above);
                blend(level, row(i), row((i + 1).min(h - 1)), t);
                widen(level, t, below);
            }
        });
    });
    y
}

/// `dy: [.., 2h, 2w]` to dx `[.., h, w]`, given h and w.
pub(crate) fn backward(level: Level, dy: &[f32], [h, w]: [usize; 2]) -> Vec<f32> {
    let mut dx = unfilled(dy.len() / 4);
    let planes = dx.par_chunks_mut(h * w).zip(dy.par_chunks(4 * h * w));
    planes.for_each(|(dx, dy)| {
        with_space(2 * h * w, |t| {
            for (t, dy) in t.chunks_exact_mut(w).zip(dy.chunks_exact(2 * w)) {
                narrow(level, dy, t);
            }
            let row = |i: usize| &t[i * w..(i + 1) * w];
            for (i, dx) in dx.chunks_exact_mut(w).enumerate() {
                let far = [(2 * i).saturating_sub(1), (2 * i + 2).min(2 * h - 1)];
                gather(level, dx, [row(2 * i), row(2 * i + 1)], far.map(row));
            }
        });
    });
    dx
}
