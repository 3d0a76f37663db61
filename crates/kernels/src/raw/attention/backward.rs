use super::softmax::{dots, slopes};
use super::{Heads, Place, Sizes, blocks, cut, every, logits, mix, pack_lanes, pack_terms};
use super::{padded, row_stride, take};
use crate::raw::Level;
use crate::raw::gemm::Terms;
use crate::raw::scratch::{Shared, with_space};
use rayon::prelude::*;

/// Queries and keys that meet at once: their logits and the gradients of these lie in a second-level cache.
const QUERIES: usize = 48;
const KEYS: usize = 256;

/// What the forward pass was given and left.
#[derive(Clone, Copy)]
pub(crate) struct Passed<'a> {
    pub(crate) q: Heads<'a>,
    pub(crate) k: Heads<'a>,
    pub(crate) v: Heads<'a>,
    /// The output, `[batch, queries, heads, dim]`.
    pub(crate) o: &'a [f32],
    pub(crate) stats: &'a [f32],
}

/// The gradients at q, k and v, written to where each of the three lies in `grads`, from `dy` at the output.
///
/// With e = e^(s·scale − shift), i = inverse and δ = Σ dy ∘ o per query: dv = eᵀ (i dy), ds = e i scale (dy vᵀ − δ),
/// dq = ds k and dk = dsᵀ q.
pub(crate) fn backward(
    level: Level,
    passed: Passed<'_>,
    dy: &[f32],
    s: &Sizes,
    grads: [(&Shared<'_>, Place); 3],
) {
    let Passed { q, k, v, o, stats } = passed;
    let Sizes {
        batch,
        heads,
        queries,
        keys,
        dim,
    } = *s;
    let (key_panels, features) = cut(level, s);
    let key_blocks = blocks(&key_panels, KEYS);
    let width = padded(&features);
    let ld = row_stride(padded(&key_panels).min(KEYS));
    let token = heads * dim;
    let (q_rows, dy_rows) = (every(q.place.token, QUERIES), every(token, QUERIES));
    let (s_rows, s_columns) = (every(ld, QUERIES), every(1, KEYS.min(keys)));
    let dims = Terms::new(every(1, dim));
    let key_terms: Vec<Terms> = key_blocks
        .iter()
        .map(|b| Terms::new(every(1, b.keys)))
        .collect();
    let [whole, rest] = [QUERIES, queries % QUERIES].map(|n| Terms::new(every(ld, n)));

    let lanes = padded(&key_panels) * dim;
    let size = 2 * lanes + 3 * keys * width + QUERIES * (2 * ld + 3 * width + 2);
    let write = |which: usize, b: usize, h: usize, first: usize, from: &[f32]| {
        let (grad, place) = &grads[which];
        for (t, from) in from.chunks_exact(width).enumerate() {
            // SAFETY: one task for each head; places of different heads and tokens do not overlap.
            let to = unsafe { grad.part(place.head(b, h, dim) + (first + t) * place.token, dim) };
            to.copy_from_slice(&from[..dim]);
        }
    };
    let one = |head: usize| {
        let (b, h) = (head / heads, head % heads);
        let (q, k_head, v_head) = (q.of(b, h, dim), k.of(b, h, dim), v.of(b, h, dim));
        let from = b * queries * token + h * dim;
        let (o, dy) = (&o[from..], &dy[from..]);
        let (shift, inverse) = stats[head * 2 * queries..][..2 * queries].split_at(queries);
        with_space(size, |mut space| {
            let space = &mut space;
            let [k_lanes, v_lanes] = std::array::from_fn(|_| take(space, lanes));
            let [k_terms, dk, dv] = std::array::from_fn(|_| take(space, keys * width));
            let [e, ds] = std::array::from_fn(|_| take(space, QUERIES * ld));
            let [q_terms, dy_terms, dq] = std::array::from_fn(|_| take(space, QUERIES * width));
            let [delta, factor] = std::array::from_fn(|_| take(space, QUERIES));
            pack_lanes(level, k_head, k.place.token, dim, &key_panels, k_lanes);
            pack_lanes(level, v_head, v.place.token, dim, &key_panels, v_lanes);
            pack_terms(k_head, k.place.token, keys, &features, k_terms, |_| 1.0);
            for at in (0..queries).step_by(QUERIES) {
                let n = QUERIES.min(queries - at);
                let stride = passed.q.place.token;
                let (q, o, dy) = (&q[at * stride..], &o[at * token..], &dy[at * token..]);
                let (shift, inverse) = (&shift[at..at + n], &inverse[at..at + n]);
                let (delta, factor) = (&mut delta[..n], &mut factor[..n]);
                dots(level, o, token, dy, token, dim, delta);
                for (f, i) in factor.iter_mut().zip(inverse) {
                    *f = i * s.scale();
                }
                pack_terms(q, stride, n, &features, q_terms, |_| 1.0);
                pack_terms(dy, token, n, &features, dy_terms, |t| inverse[t]);
                let query_terms = if n == QUERIES { &whole } else { &rest };
                for (block, terms) in key_blocks.iter().zip(&key_terms) {
                    let m = block.keys;
                    logits(level, q, &q_rows[..n], &dims, k_lanes, block, e, ld);
                    logits(level, dy, &dy_rows[..n], &dims, v_lanes, block, ds, ld);
                    let (rows, columns) = (&s_rows[..n], &s_columns[..m]);
                    slopes(
                        level,
                        &mut e[..n * ld],
                        &mut ds[..n * ld],
                        ld,
                        m,
                        s.scale(),
                        shift,
                        delta,
                        factor,
                    );
                    let add = at > 0;
                    let (dk, dv) = (
                        &mut dk[block.start * width..],
                        &mut dv[block.start * width..],
                    );
                    mix(
                        level,
                        e,
                        columns,
                        query_terms,
                        dy_terms,
                        (0, n),
                        &features,
                        dv,
                        add,
                    );
                    mix(
                        level,
                        ds,
                        columns,
                        query_terms,
                        q_terms,
                        (0, n),
                        &features,
                        dk,
                        add,
                    );
                    let later = block.start > 0;
                    mix(
                        level,
                        ds,
                        rows,
                        terms,
                        k_terms,
                        (block.start, keys),
                        &features,
                        dq,
                        later,
                    );
                }
                write(0, b, h, at, &dq[..n * width]);
            }
            write(1, b, h, 0, dk);
            write(2, b, h, 0, dv);
        });
    };
    (0..batch * heads).into_par_iter().for_each(one);
}
