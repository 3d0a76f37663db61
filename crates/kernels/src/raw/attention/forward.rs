use super::softmax::weights;
use super::{
    Heads, Keys, Left, Sizes, Stats, Tokens, every, logits, mix, pack_lanes, pack_terms, scaled,
};
use super::{padded, row_stride, take};
use crate::raw::Level;
use crate::raw::gemm::Terms;
use crate::raw::pack::panels;
use crate::raw::scratch::{Shared, unfilled, with_space};
use rayon::prelude::*;

/// Queries and keys that meet at once: their logits lie in a second-level cache.
const QUERIES: usize = 96;
const KEYS: usize = 512;

/// Queries that are worth packing the keys and the values of a head again.
const PART: usize = 4 * QUERIES;

/// The output `[batch, queries, heads, dim]`, and the two numbers per query that [`backward`](super::backward) needs. With
/// `lengths`, sample b has the first `lengths[b]` keys only.
pub(crate) fn forward(
    level: Level,
    q: Heads<'_>,
    k: Heads<'_>,
    v: Heads<'_>,
    s: &Sizes,
    lengths: Option<&[usize]>,
) -> (Vec<f32>, Stats) {
    let Sizes {
        batch,
        heads,
        queries,
        keys,
        dim,
    } = *s;
    let all_keys = Keys::new(level, s, lengths, KEYS);
    let features = panels(level, dim);
    let width = padded(&features);
    let most = padded(&panels(level, keys));
    let ld = row_stride(most.min(KEYS));
    let (q_rows, s_rows) = (every(q.place.token, QUERIES), every(ld, QUERIES));
    let dims = Terms::new(every(1, dim));

    let (ones, scale) = (vec![1.0; keys], s.scale() * std::f32::consts::LOG2_E);

    let mut out = unfilled(batch * queries * heads * dim);
    let mut stats = unfilled(batch * heads * 2 * queries);
    let (shared, shared_stats) = (Shared::new(&mut out), Shared::new(&mut stats));
    let one = |head: usize, first: usize, count: usize| {
        let (b, h) = (head / heads, head % heads);
        let of_sample = all_keys.sample(b);
        let (keys, key_panels) = (of_sample.keys, &of_sample.panels);
        let packed = most * dim + keys * width;
        with_space(packed + QUERIES * (ld + width + 3), |mut space| {
            let space = &mut space;
            let lanes = take(space, padded(key_panels) * dim);
            let values = take(space, keys * width);
            pack_lanes(
                level,
                k.of(b, h, dim),
                k.place.token,
                dim,
                key_panels,
                lanes,
            );
            let v_head = v.of(b, h, dim);
            pack_terms(
                level,
                v_head,
                v.place.token,
                &ones[..keys],
                &features,
                values,
            );
            let p = take(space, QUERIES * ld);
            let acc = take(space, QUERIES * width);
            let [shift, sum, fade] = std::array::from_fn(|_| take(space, QUERIES));
            for at in (first..first + count).step_by(QUERIES) {
                let n = QUERIES.min(first + count - at);
                let q = &q.of(b, h, dim)[at * q.place.token..];
                let [shift, sum, fade] = [&mut *shift, &mut *sum, &mut *fade].map(|v| &mut v[..n]);
                shift.fill(f32::NEG_INFINITY);
                sum.fill(0.0);
                for (block, terms) in of_sample.blocks() {
                    let left = Left::new(q, &q_rows[..n], &dims);
                    logits(level, left, lanes, &block, p, ld);
                    let (s, m) = (&mut p[..n * ld], block.keys);
                    weights(level, s, ld, m, scale, shift, sum, fade);
                    let later = block.start > 0;
                    if later {
                        for (acc, &fade) in acc.chunks_exact_mut(width).zip(&*fade) {
                            acc.iter_mut().for_each(|a| *a *= fade);
                        }
                    }
                    let left = Left::new(p, &s_rows[..n], terms);
                    let tokens = Tokens {
                        packed: values,
                        first: block.start,
                        n: keys,
                    };
                    mix(level, left, tokens, &features, acc, later);
                }
                for (i, acc) in acc.chunks_exact(width).take(n).enumerate() {
                    let inverse = 1.0 / sum[i];
                    let start = ((b * queries + at + i) * heads + h) * dim;
                    // SAFETY: one task for each head and run of queries.
                    let o = unsafe { shared.part(start, dim) };
                    scaled(level, &acc[..dim], inverse, o);
                    sum[i] = inverse;
                }
                for (i, kept) in [&*shift, &*sum].into_iter().enumerate() {
                    // SAFETY: as above.
                    let stats = unsafe { shared_stats.part((head * 2 + i) * queries + at, n) };
                    stats.copy_from_slice(kept);
                }
            }
        });
    };
    // Few heads are cut into runs of queries; a query's bits do not depend on the cut.
    let want = (2 * rayon::current_num_threads()).div_ceil(batch * heads);
    let size = queries.div_ceil(want).max(PART).next_multiple_of(QUERIES);
    let parts = queries.div_ceil(size);
    let task = |i: usize| {
        let first = i % parts * size;
        one(i / parts, first, size.min(queries - first));
    };
    (0..batch * heads * parts).into_par_iter().for_each(task);
    (out, stats)
}
