//! Layer and RMS normalisation of tokens, an affine map and a modulation in one pass over memory each way.
//!
//! With row mean μ (0 for RMS), r = (⟨(x − μ)²⟩ + ε)^−½, x̂ = (x − μ) r, k = γ (1 + scale) and c = β (1 + scale) + shift:
//! y = k x̂ + c. A row lies in the nearest cache, so its several passes read memory once.

use super::Level;
use super::affine::{Affine, Gradients};
use super::exp::mul_add;
use super::lanes::fold;
use super::level::multiversion;
use super::rows::{self, Run, fold_parts, runs};
use super::scratch::{Shared, unfilled, with_space};

/// Independent partial sums of a row; the same at every level, so that the bits of a sum are too.
const LANES: usize = 32;

/// One normalisation of `[batch, tokens, width]`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sizes {
    pub(crate) rows: rows::Sizes,
    pub(crate) eps: f64,
    /// Whether the mean is taken off.
    pub(crate) centred: bool,
}

/// k and c of every feature of a run's sample.
fn spread(affine: Affine<'_>, run: &Run, s: rows::Sizes, k: &mut [f32], c: &mut [f32]) {
    let b = run.sample(s).start / s.width;
    for (j, (k, c)) in k.iter_mut().zip(c).enumerate() {
        (*k, *c) = affine.at(b, j);
    }
}

/// Σ f(x).
#[inline(always)]
fn sum<const FMA: bool>(x: &[f32], f: impl Fn(f32, f32) -> f32) -> f32 {
    let mut acc = [0.0f32; LANES];
    let (blocks, rest) = x.as_chunks::<LANES>();
    for x in blocks {
        for (a, &x) in acc.iter_mut().zip(x) {
            *a = f(x, *a);
        }
    }
    for (a, &x) in acc.iter_mut().zip(rest) {
        *a = f(x, *a);
    }
    fold(acc, |a, b| a + b)
}

/// μ and r of one row.
#[inline(always)]
fn moments<const FMA: bool>(x: &[f32], eps: f64, centred: bool) -> (f32, f32) {
    let n = x.len() as f64;
    let mean = if centred {
        (f64::from(sum::<FMA>(x, |x, a| a + x)) / n) as f32
    } else {
        0.0
    };
    let squares = sum::<FMA>(x, |x, a| mul_add::<FMA>(x - mean, x - mean, a));
    (mean, (1.0 / (f64::from(squares) / n + eps).sqrt()) as f32)
}

multiversion! {
    fn apply<const FMA>(x: &[f32], y: &mut [f32], k: &[f32], c: &[f32], eps: f64, centred: bool) {
        let n = k.len();
        for (y, x) in y.chunks_exact_mut(n).zip(x.chunks_exact(n)) {
            let (mean, r) = moments::<FMA>(x, eps, centred);
            for (((y, &x), &k), &c) in y.iter_mut().zip(x).zip(k).zip(c) {
                *y = mul_add::<FMA>((x - mean) * r, k, c);
            }
        }
    }
}
/// Adds k dy and k dy x̂ to the lanes of a row, dy and dy x̂ to the sums over the rows.
#[inline(always)]
fn meet<const FMA: bool>(
    [x, dy, k]: [&[f32]; 3],
    [sums, dots]: [&mut [f32]; 2],
    [m, t]: [&mut [f32; LANES]; 2],
    mean: f32,
    r: f32,
) {
    for i in 0..x.len() {
        let normal = (x[i] - mean) * r;
        let g = dy[i] * k[i];
        m[i] += g;
        t[i] = mul_add::<FMA>(g, normal, t[i]);
        sums[i] += dy[i];
        dots[i] = mul_add::<FMA>(dy[i], normal, dots[i]);
    }
}

multiversion! {
    /// dx = r (k dy − ⟨k dy⟩ − x̂ ⟨k dy x̂⟩), the first mean only if `centred`; Σ dy and Σ dy x̂ over the rows.
    fn pull_back<const FMA>(x: &[f32], dy: &[f32], dx: &mut [f32], k: &[f32], sums: &mut [f32], dots: &mut [f32], eps: f64, centred: bool) {
        let n = k.len();
        sums.fill(0.0);
        dots.fill(0.0);
        for ((dx, x), dy) in dx.chunks_exact_mut(n).zip(x.chunks_exact(n)).zip(dy.chunks_exact(n)) {
            let (mean, r) = moments::<FMA>(x, eps, centred);
            let (mut m, mut t) = ([0.0f32; LANES], [0.0f32; LANES]);
            for at in (0..n).step_by(LANES) {
                let end = (at + LANES).min(n);
                let (x, dy, k) = (&x[at..end], &dy[at..end], &k[at..end]);
                let (sums, dots) = (&mut sums[at..end], &mut dots[at..end]);
                // The length of a whole block is known when it is compiled.
                if x.len() == LANES {
                    meet::<FMA>([&x[..LANES], &dy[..LANES], &k[..LANES]], [&mut sums[..LANES], &mut dots[..LANES]], [&mut m, &mut t], mean, r);
                } else {
                    meet::<FMA>([x, dy, k], [sums, dots], [&mut m, &mut t], mean, r);
                }
            }
            let m = if centred { fold(m, |a, b| a + b) / n as f32 } else { 0.0 };
            let t = fold(t, |a, b| a + b) / n as f32;
            for (((dx, &x), &dy), &k) in dx.iter_mut().zip(x).zip(dy).zip(k) {
                let normal = (x - mean) * r;
                *dx = r * (mul_add::<FMA>(-t, normal, dy * k) - m);
            }
        }
    }
}

/// y `[batch, tokens, width]`.
pub(crate) fn forward(level: Level, x: &[f32], affine: Affine<'_>, s: Sizes) -> Vec<f32> {
    let mut y = unfilled(x.len());
    let shared = Shared::new(&mut y);
    runs(s.rows, |run| {
        with_space(2 * s.rows.width, |space| {
            let (k, c) = space.split_at_mut(s.rows.width);
            spread(affine, &run, s.rows, k, c);
            // SAFETY: runs do not overlap.
            let y = unsafe { shared.part(run.values.start, run.values.len()) };
            apply(level, &x[run.values], y, k, c, s.eps, s.centred);
        });
    });
    y
}

/// All gradients at once.
pub(crate) fn backward(
    level: Level,
    x: &[f32],
    dy: &[f32],
    affine: Affine<'_>,
    s: Sizes,
) -> Gradients {
    let width = s.rows.width;
    let mut dx = unfilled(x.len());
    let [mut sums, mut dots] = [0, 1].map(|_| unfilled(s.rows.runs() * width));
    let (shared, shared_sums, shared_dots) = (
        Shared::new(&mut dx),
        Shared::new(&mut sums),
        Shared::new(&mut dots),
    );
    runs(s.rows, |run| {
        with_space(2 * width, |space| {
            let (k, c) = space.split_at_mut(width);
            spread(affine, &run, s.rows, k, c);
            let at = run.index * width;
            // SAFETY: runs do not overlap, and each has its own sums.
            let (dx, sums, dots) = unsafe {
                (
                    shared.part(run.values.start, run.values.len()),
                    shared_sums.part(at, width),
                    shared_dots.part(at, width),
                )
            };
            let (x, dy) = (&x[run.values.clone()], &dy[run.values]);
            pull_back(level, x, dy, dx, k, sums, dots, s.eps, s.centred);
        });
    });

    let [sums, dots] = [sums, dots].map(|parts| fold_parts(&parts, s.rows));
    Gradients::new(dx, sums.into_iter().zip(dots), affine)
}
