//! y = x w + b and its gradients.

use super::Level;
use super::gemm::{Product, Terms};
use super::level::multiversion;
use super::pack::{Panel, pack_columns, pack_rows, packed_len, panels};
use super::scratch::{Shared, unfilled, with_space};
use super::transpose::panel_to_rows;
use rayon::prelude::*;

/// Multiply-adds that are not worth a second thread.
const SMALL: usize = 1 << 16;

/// Rows of x per task.
const ROWS: usize = 96;

/// The sizes of one linear layer: `x: [rows, k]`, `w: [k, n]`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sizes {
    pub(crate) rows: usize,
    pub(crate) k: usize,
    pub(crate) n: usize,
}

/// What is done to a block of finished rows while it is in cache, with the place of its first value.
pub(crate) type After<'a> = &'a (dyn Fn(usize, &mut [f32]) + Sync);

/// Panels whose sums are finished together: their rows are then written in runs of several lines of memory.
const GROUP: usize = 4;

/// `a: [rows, k]` times packed panels of `n` lanes, plus `bias`, to `[rows, n]`.
///
/// Each row is its own sum, so its bits do not depend on the rows beside it.
fn rows_times_panels(
    level: Level,
    a: &[f32],
    packed: &[f32],
    panels: &[Panel],
    bias: Option<&[f32]>,
    s: Sizes,
    after: After<'_>,
) -> Vec<f32> {
    let Sizes { rows, k, n } = s;
    let starts: Vec<u32> = (0..ROWS.min(rows)).map(|r| (r * k) as u32).collect();
    // Block by block of terms, so that the rows' part of a block stays in a near cache for all panels of a group.
    let blocks = Terms::blocks(k);
    let mut y = unfilled(rows * n);
    let one = |(block, y): (usize, &mut [f32])| {
        let a = &a[block * ROWS * k..];
        let count = y.len() / n;
        for group in panels.chunks(GROUP) {
            let (first, ldc) = (group[0].start, packed_len(group, 1));
            let lanes: usize = group.iter().map(|p| p.lanes).sum();
            with_space(count * ldc, |c| {
                if let Some(bias) = bias {
                    for c in c.chunks_exact_mut(ldc) {
                        c[..lanes].copy_from_slice(&bias[first..first + lanes]);
                    }
                }
                for (at, terms) in &blocks {
                    for p in group {
                        let b = &packed[p.start * k + at * p.width..][..terms.len() * p.width];
                        let product = Product {
                            level,
                            a: &a[*at..],
                            rows: &starts[..count],
                            terms,
                            b,
                            width: p.width,
                            ldc,
                            add: bias.is_some() || *at > 0,
                        };
                        product.run(&mut c[p.start - first..]);
                    }
                }
                for (y, c) in y.chunks_exact_mut(n).zip(c.chunks_exact(ldc)) {
                    y[first..first + lanes].copy_from_slice(&c[..lanes]);
                }
            });
        }
        after(block * ROWS * n, y);
    };
    if rows <= ROWS || rows * k * n < SMALL {
        y.chunks_mut(ROWS * n).enumerate().for_each(one);
    } else {
        y.par_chunks_mut(ROWS * n).enumerate().for_each(one);
    }
    y
}

/// `x: [rows, k]`, `w: [k, n]`, `bias: [n]` to `[rows, n]`, with something done to every block of rows.
pub(crate) fn forward(
    level: Level,
    x: &[f32],
    w: &[f32],
    bias: Option<&[f32]>,
    s: Sizes,
    after: After<'_>,
) -> Vec<f32> {
    let panels = panels(level, s.n);
    let packed = pack_columns(w, s.n, s.k, &panels);
    rows_times_panels(level, x, &packed, &panels, bias, s, after)
}

/// `w: [k, n]`, `dy: [rows, n]` to dx = dy wᵀ `[rows, k]`.
pub(crate) fn grad_input(level: Level, w: &[f32], dy: &[f32], s: Sizes) -> Vec<f32> {
    let panels = panels(level, s.k);
    let packed = pack_rows(level, w, s.n, &panels);
    rows_times_panels(
        level,
        dy,
        &packed,
        &panels,
        None,
        Sizes {
            rows: s.rows,
            k: s.n,
            n: s.k,
        },
        &|_, _| (),
    )
}

/// Rows of x per partial sum of the weight's gradient.
const BLOCK: usize = 256;

/// Features of x per task of the weight's gradient.
const FEATURES: usize = 48;

/// `x: [rows, k]`, `dy: [rows, n]` to dw = xᵀ dy `[k, n]`; the sum goes over fixed blocks of rows, in their order.
pub(crate) fn grad_weight(level: Level, x: &[f32], dy: &[f32], s: Sizes) -> Vec<f32> {
    let Sizes { rows, k, n } = s;
    let panels = panels(level, n);
    let packed = pack_columns(dy, n, rows, &panels);
    // One block of x, transposed: a feature's rows lie side by side, an odd number of cache lines from the next.
    let stride = BLOCK + 16;
    let starts: Vec<u32> = (0..FEATURES).map(|f| (f * stride) as u32).collect();
    let terms = |m: usize| Terms::new((0..m as u32).collect());
    let (whole, rest) = (terms(BLOCK), terms(rows % BLOCK));
    let chunks = k.div_ceil(FEATURES);
    let parts = (4 * rayon::current_num_threads())
        .div_ceil(chunks)
        .min(panels.len());

    let mut dw = unfilled(k * n);
    let mut sums = unfilled(packed_len(&panels, k));
    let shared = Shared::new(&mut sums);
    let one = |task: usize| {
        let (first, part) = (task / parts * FEATURES, task % parts);
        let count = FEATURES.min(k - first);
        let mine = &panels[panels.len() * part / parts..panels.len() * (part + 1) / parts];
        with_space(FEATURES * stride, |a| {
            for at in (0..rows).step_by(BLOCK) {
                let m = BLOCK.min(rows - at);
                panel_to_rows(level, &x[at * k + first..], k, count, m, None, a, stride);
                for p in mine {
                    // SAFETY: one task per chunk of features and part of the panels.
                    let c = unsafe { shared.part(p.start * k + first * p.width, count * p.width) };
                    let product = Product {
                        level,
                        a,
                        rows: &starts[..count],
                        terms: if m == BLOCK { &whole } else { &rest },
                        b: &packed[p.start * rows + at * p.width..][..m * p.width],
                        width: p.width,
                        ldc: p.width,
                        add: at > 0,
                    };
                    product.run(c);
                }
            }
        });
    };
    let all = chunks * parts;
    if rows * k * n < SMALL {
        (0..all).for_each(one);
    } else {
        (0..all).into_par_iter().for_each(one);
    }
    for p in &panels {
        for (dw, c) in dw
            .chunks_exact_mut(n)
            .zip(sums[p.start * k..].chunks_exact(p.width))
        {
            dw[p.start..p.start + p.lanes].copy_from_slice(&c[..p.lanes]);
        }
    }
    dw
}

/// Columns of dy per task of the bias's gradient.
const COLUMNS: usize = 128;

multiversion! {
    /// sum ⟵ sum + x.
    fn accumulate<const FMA>(sum: &mut [f32], x: &[f32]) {
        for (sum, x) in sum.iter_mut().zip(x) {
            *sum += x;
        }
    }
}

/// `dy: [rows, n]` to db `[n]`: db[j] = Σ_r dy[r,j], rows in their order, in blocks of 256.
pub(crate) fn grad_bias(level: Level, dy: &[f32], n: usize) -> Vec<f32> {
    let mut db = vec![0.0; n];
    let one = |(i, db): (usize, &mut [f32])| {
        let mut block = [0.0; COLUMNS];
        let block = &mut block[..db.len()];
        for rows in dy.chunks(256 * n) {
            block.fill(0.0);
            for row in rows.chunks_exact(n) {
                accumulate(level, block, &row[i * COLUMNS..][..block.len()]);
            }
            accumulate(level, db, block);
        }
    };
    if dy.len() < SMALL {
        db.chunks_mut(COLUMNS).enumerate().for_each(one);
    } else {
        db.par_chunks_mut(COLUMNS).enumerate().for_each(one);
    }
    db
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(n: usize, seed: u32) -> Vec<f32> {
        (0..n as u32)
            .map(|i| {
                ((i + 1).wrapping_mul(2_654_435_761).wrapping_add(seed) >> 8) as f32
                    / (1 << 23) as f32
                    - 1.0
            })
            .collect()
    }

    fn close(got: &[f32], want: impl Fn(usize) -> f64, what: &str) {
        for (i, &v) in got.iter().enumerate() {
            let w = want(i);
            assert!(
                (f64::from(v) - w).abs() < 1e-4 * (1.0 + w.abs()),
                "{what} at {i}: {v} for {w}"
            );
        }
    }

    #[test]
    fn all_directions_match_the_plain_sums() {
        for level in Level::available() {
            for (rows, k, n) in [
                (1, 1, 1),
                (5, 3, 17),
                (97, 300, 2),
                (200, 33, 40),
                (3, 64, 64),
            ] {
                let s = Sizes { rows, k, n };
                let (x, w, b, dy) = (
                    numbers(rows * k, 1),
                    numbers(k * n, 2),
                    numbers(n, 3),
                    numbers(rows * n, 4),
                );
                let f = |v: &[f32], i: usize| f64::from(v[i]);
                let dot = |m: usize, f: &dyn Fn(usize) -> f64| (0..m).map(f).sum::<f64>();
                close(
                    &forward(level, &x, &w, Some(&b), s, &|_, _| ()),
                    |i| f(&b, i % n) + dot(k, &|c| f(&x, i / n * k + c) * f(&w, c * n + i % n)),
                    "y",
                );
                close(
                    &forward(level, &x, &w, None, s, &|_, _| ()),
                    |i| dot(k, &|c| f(&x, i / n * k + c) * f(&w, c * n + i % n)),
                    "y",
                );
                close(
                    &grad_input(level, &w, &dy, s),
                    |i| dot(n, &|j| f(&dy, i / k * n + j) * f(&w, i % k * n + j)),
                    "dx",
                );
                close(
                    &grad_weight(level, &x, &dy, s),
                    |i| dot(rows, &|r| f(&x, r * k + i / n) * f(&dy, r * n + i % n)),
                    "dw",
                );
                close(
                    &grad_bias(level, &dy, n),
                    |j| dot(rows, &|r| f(&dy, r * n + j)),
                    "db",
                );
            }
        }
    }
}
