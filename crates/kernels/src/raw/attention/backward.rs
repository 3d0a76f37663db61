use super::softmax::{dots, slopes};
use super::{
    Block, Heads, Keys, Left, Place, Sizes, Tokens, every, logits, mix, pack_lanes, pack_terms,
    scaled,
};
use super::{padded, row_stride, take};
use crate::raw::Level;
use crate::raw::gemm::Terms;
use crate::raw::pack::panels;
use crate::raw::scratch::{Shared, with_space};
use rayon::prelude::*;
use std::ops::Range;

/// Queries and keys that meet at once: their logits and the gradients of these lie in a second-level cache.
const QUERIES: usize = 96;
const KEYS: usize = 128;

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
/// With e = 2^(s · log₂e / √d − shift), scale = 1 / √d, i = inverse and δ = Σ dy ∘ o per query: dv = eᵀ (i dy), ds = e i scale (dy vᵀ − δ),
/// dq = ds k and dk = dsᵀ q. Keys after a sample's length, where `lengths` are given, have no gradient.
pub(crate) fn backward(
    level: Level,
    passed: Passed<'_>,
    dy: &[f32],
    s: &Sizes,
    lengths: Option<&[usize]>,
    grads: [(&Shared<'_>, Place); 3],
) {
    let Passed { q, k, v, o, stats } = passed;
    let Sizes {
        heads,
        queries,
        keys,
        dim,
        ..
    } = *s;
    let all_keys = Keys::new(level, s, lengths, KEYS);
    let features = panels(level, dim);
    let width = padded(&features);
    let most = padded(&panels(level, keys));
    let ld = row_stride(most.min(KEYS));
    let token = heads * dim;
    let (q_rows, dy_rows) = (every(q.place.token, QUERIES), every(token, QUERIES));
    let (s_rows, s_columns) = (every(ld, QUERIES), every(1, KEYS.min(keys)));
    let dims = Terms::new(every(1, dim));
    let [whole, rest] = [QUERIES, queries % QUERIES].map(|n| Terms::new(every(ld, n)));

    let (ones, scale) = (vec![1.0; keys.max(QUERIES)], s.scale());
    let log_scale = scale * std::f32::consts::LOG2_E;
    let lanes = most * dim;
    let size = 2 * lanes + 3 * keys * width + QUERIES * (2 * ld + 3 * width + 2);
    let write = |which: usize, b: usize, h: usize, first: usize, from: &[f32]| {
        let (grad, place) = &grads[which];
        for (t, from) in from.chunks_exact(width).enumerate() {
            // SAFETY: one task writes the gradient of a head's token, and their places do not overlap.
            let to = unsafe { grad.part(place.head(b, h, dim) + (first + t) * place.token, dim) };
            scaled(level, &from[..dim], 1.0, to);
        }
    };
    let one = |part: Part| {
        let (b, h) = (part.head / heads, part.head % heads);
        let of_sample = all_keys.sample(b);
        let (keys, key_panels) = (of_sample.keys, &of_sample.panels);
        let key_blocks: Vec<(Block<'_>, &Terms)> = of_sample.blocks().collect();
        let (q_head, k_head, v_head) = (q.of(b, h, dim), k.of(b, h, dim), v.of(b, h, dim));
        let from = b * queries * token + h * dim;
        let (o, dy) = (&o[from..], &dy[from..]);
        let (shift, inverse) = stats[part.head * 2 * queries..][..2 * queries].split_at(queries);
        with_space(size, |mut space| {
            let space = &mut space;
            let [k_lanes, v_lanes] = std::array::from_fn(|_| take(space, lanes));
            let [k_terms, dk, dv] = std::array::from_fn(|_| take(space, keys * width));
            let [e, ds] = std::array::from_fn(|_| take(space, QUERIES * ld));
            let [q_terms, dy_terms, dq] = std::array::from_fn(|_| take(space, QUERIES * width));
            let [delta, factor] = std::array::from_fn(|_| take(space, QUERIES));
            let (k_token, q_token) = (k.place.token, q.place.token);
            pack_lanes(level, k_head, k_token, dim, key_panels, k_lanes);
            pack_lanes(level, v_head, v.place.token, dim, key_panels, v_lanes);
            pack_terms(level, k_head, k_token, &ones[..keys], &features, k_terms);
            for at in part.queries.clone().step_by(QUERIES) {
                let n = QUERIES.min(queries - at);
                let (q, o, dy) = (&q_head[at * q_token..], &o[at * token..], &dy[at * token..]);
                let (shift, inverse) = (&shift[at..at + n], &inverse[at..at + n]);
                let (delta, factor) = (&mut delta[..n], &mut factor[..n]);
                dots(level, o, token, dy, token, dim, delta);
                scaled(level, inverse, scale, factor);
                pack_terms(level, q, q_token, &ones[..n], &features, q_terms);
                pack_terms(level, dy, token, inverse, &features, dy_terms);
                let [q_terms, dy_terms] = [&*q_terms, &*dy_terms].map(|packed| Tokens {
                    packed,
                    first: 0,
                    n,
                });
                for i in part.blocks.clone() {
                    let (block, key_terms) = &key_blocks[i];
                    let of_q = Left::new(q, &q_rows[..n], &dims);
                    logits(level, of_q, k_lanes, block, e, ld);
                    let of_dy = Left::new(dy, &dy_rows[..n], &dims);
                    logits(level, of_dy, v_lanes, block, ds, ld);
                    let (m, rows) = (block.keys, n * ld);
                    let (e_rows, ds_rows) = (&mut e[..rows], &mut ds[..rows]);
                    slopes(
                        level, e_rows, ds_rows, ld, m, log_scale, shift, delta, factor,
                    );
                    if part.of_keys {
                        let (first, add) = (block.start * width, at > 0);
                        let terms = if n == QUERIES { &whole } else { &rest };
                        let (e, ds) = (
                            Left::new(e, &s_columns[..m], terms),
                            Left::new(ds, &s_columns[..m], terms),
                        );
                        mix(level, e, dy_terms, &features, &mut dv[first..], add);
                        mix(level, ds, q_terms, &features, &mut dk[first..], add);
                    }
                    if part.of_queries {
                        let ds = Left::new(ds, &s_rows[..n], key_terms);
                        let tokens = Tokens {
                            packed: k_terms,
                            first: block.start,
                            n: keys,
                        };
                        mix(level, ds, tokens, &features, dq, block.start > 0);
                    }
                }
                if part.of_queries {
                    write(0, b, h, at, &dq[..n * width]);
                }
            }
            if part.of_keys {
                let [(first, _), (last, _)] =
                    [part.blocks.start, part.blocks.end - 1].map(|i| key_blocks[i]);
                let end = last.start + last.keys;
                let run = first.start * width..end * width;
                write(1, b, h, first.start, &dk[run.clone()]);
                write(2, b, h, first.start, &dv[run]);
                if end == keys {
                    let rest = take(space, (s.keys - keys) * width);
                    rest.fill(0.0);
                    write(1, b, h, keys, rest);
                    write(2, b, h, keys, rest);
                }
            }
        });
    };
    parts(s, &all_keys).into_par_iter().for_each(one);
}

/// What one task computes: from these queries and blocks of keys the gradients of either or both.
struct Part {
    head: usize,
    queries: Range<usize>,
    blocks: Range<usize>,
    of_queries: bool,
    of_keys: bool,
}

/// A task for each head; where heads are fewer than threads, tasks for some of the queries and tasks for some of the
/// keys, which meet all of the other side in the same order: the logits are computed twice, the bits are the same.
fn parts(s: &Sizes, keys: &Keys) -> Vec<Part> {
    let heads = s.batch * s.heads;
    let blocks = |head: usize| keys.sample(head / s.heads).terms.len();
    let query_blocks = s.queries.div_ceil(QUERIES);
    let threads = rayon::current_num_threads();
    let whole = |head| Part {
        head,
        queries: 0..s.queries,
        blocks: 0..blocks(head),
        of_queries: true,
        of_keys: true,
    };
    if heads >= threads {
        return (0..heads).map(whole).collect();
    }
    let cut = |n: usize| {
        let runs = threads.div_ceil(heads).min(n);
        (0..runs).map(move |i| n * i / runs..n * (i + 1) / runs)
    };
    let of_head = |head| {
        if query_blocks + blocks(head) < 4 {
            return vec![whole(head)];
        }
        let queries = cut(query_blocks).map(|run| Part {
            queries: run.start * QUERIES..(run.end * QUERIES).min(s.queries),
            of_keys: false,
            ..whole(head)
        });
        let keys = cut(blocks(head)).map(|blocks| Part {
            blocks,
            of_queries: false,
            ..whole(head)
        });
        queries.chain(keys).collect()
    };
    (0..heads).flat_map(of_head).collect()
}
