//! Attention, softmax(q kᵀ / √d) v per sample and head, with its gradients, in memory linear in the tokens.
//!
//! A block of queries meets blocks of keys: products of both with the micro-kernel, the softmax between them while the
//! block is in cache, rescaled from block to block (Milakov and Gimelshein 2018, arXiv:1805.02867; Dao et al. 2022,
//! arXiv:2205.14135). Backward computes the weights again from two numbers kept per row. Blocks depend on the number
//! of tokens alone, so bits depend neither on the batch nor on the threads.

mod backward;
mod forward;
mod softmax;
#[cfg(test)]
mod tests;

pub(crate) use backward::{Passed, backward};
pub(crate) use forward::forward;

use super::Level;
use super::gemm::{Product, Terms};
use super::level::multiversion;
use super::pack::{Panel, panels};
use super::transpose::rows_to_panel;

/// The sizes of one attention.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sizes {
    pub(crate) batch: usize,
    pub(crate) heads: usize,
    pub(crate) queries: usize,
    /// Of a sample; where lengths are given, the largest there may be.
    pub(crate) keys: usize,
    pub(crate) dim: usize,
}

impl Sizes {
    /// What the logits are multiplied with.
    fn scale(&self) -> f32 {
        (1.0 / (self.dim as f64).sqrt()) as f32
    }
}

/// Where queries, keys or values lie in a buffer: the `dim` values of token t and head h of sample b begin at
/// `start + b · sample + t · token + h · dim`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) start: usize,
    pub(crate) sample: usize,
    pub(crate) token: usize,
}

impl Place {
    /// `[batch, tokens, heads, dim]`.
    pub(crate) fn alone(tokens: usize, heads: usize, dim: usize) -> Self {
        let token = heads * dim;
        Self {
            start: 0,
            sample: tokens * token,
            token,
        }
    }

    /// Part `i` of `[batch, tokens, 3, heads, dim]`.
    pub(crate) fn third(i: usize, tokens: usize, heads: usize, dim: usize) -> Self {
        let inner = heads * dim;
        Self {
            start: i * inner,
            sample: tokens * 3 * inner,
            token: 3 * inner,
        }
    }

    /// Where the first token of a head begins.
    fn head(&self, b: usize, h: usize, dim: usize) -> usize {
        self.start + b * self.sample + h * dim
    }
}

/// A buffer and where to look in it.
#[derive(Clone, Copy)]
pub(crate) struct Heads<'a> {
    pub(crate) values: &'a [f32],
    pub(crate) place: Place,
}

impl<'a> Heads<'a> {
    /// The values from the first token of a head on, `place.token` from one token to the next.
    fn of(&self, b: usize, h: usize, dim: usize) -> &'a [f32] {
        &self.values[self.place.head(b, h, dim)..]
    }
}

/// Two numbers per query: P = 2^(s · log₂e / √d − shift) · inverse. `[batch, heads, 2, queries]`.
pub(crate) type Stats = Vec<f32>;

/// Lanes that `panels` take together.
fn padded(panels: &[Panel]) -> usize {
    panels.last().map_or(0, |p| p.start + p.width)
}

/// The distance between rows of `n` values: an odd number of cache lines, so that columns do not share a cache set.
fn row_stride(n: usize) -> usize {
    n.next_multiple_of(32) + 16
}

/// Offsets 0, stride, 2 · stride, …
fn every(stride: usize, n: usize) -> Vec<u32> {
    (0..n)
        .map(|i| u32::try_from(i * stride).expect("a head within 2³² values"))
        .collect()
}

/// Tokens as lanes: panel p is `[dim][p.width]` and begins at `p.start · dim`.
fn pack_lanes(level: Level, src: &[f32], token: usize, dim: usize, ps: &[Panel], out: &mut [f32]) {
    for p in ps {
        let part = &mut out[p.start * dim..][..p.width * dim];
        rows_to_panel(
            level,
            &src[p.start * token..],
            token,
            p.lanes,
            dim,
            p.width,
            part,
        );
    }
}

multiversion! {
    /// Features as lanes: panel p is `[n][p.width]` and begins at `p.start · n`, n the number of factors; each token
    /// (`token` from one to the next) is multiplied by its own.
    fn pack_terms<const FMA>(src: &[f32], token: usize, factors: &[f32], ps: &[Panel], out: &mut [f32]) {
        let n = factors.len();
        for (t, f) in factors.iter().enumerate() {
            for p in ps {
                let src = &src[t * token + p.start..][..p.lanes];
                let out = &mut out[p.start * n + t * p.width..][..p.width];
                // Whole vectors first: a run-time length would make each of these few values a call of memcpy.
                let ((outs, _), (srcs, _)) = (out.as_chunks_mut::<8>(), src.as_chunks::<8>());
                for (out, src) in outs.iter_mut().zip(srcs) {
                    *out = src.map(|s| s * f);
                }
                for i in srcs.len() * 8..p.width {
                    out[i] = if i < p.lanes { src[i] * f } else { 0.0 };
                }
            }
        }
    }
}

multiversion! {
    /// to = from · factor.
    fn scaled<const FMA>(from: &[f32], factor: f32, to: &mut [f32]) {
        let ((froms, from_rest), (tos, to_rest)) = (from.as_chunks::<8>(), to.as_chunks_mut::<8>());
        for (to, from) in tos.iter_mut().zip(froms) {
            *to = from.map(|v| v * factor);
        }
        for (to, from) in to_rest.iter_mut().zip(from_rest) {
            *to = from * factor;
        }
    }
}

/// A run of keys that a block of queries meets at once.
#[derive(Clone, Copy)]
struct Block<'a> {
    /// The first key.
    start: usize,
    keys: usize,
    /// The panels of these keys.
    panels: &'a [Panel],
}

/// Cuts all panels of keys into blocks of `size` keys, a multiple of every panel's width.
fn blocks(all: &[Panel], size: usize) -> impl Iterator<Item = Block<'_>> {
    all.chunk_by(move |a, b| a.start / size == b.start / size)
        .map(|panels| Block {
            start: panels[0].start,
            keys: panels.iter().map(|p| p.lanes).sum(),
            panels,
        })
}

/// The left side of a product: row i has the values at `rows[i]` plus each of the offsets in `terms`.
#[derive(Clone, Copy)]
struct Left<'a> {
    values: &'a [f32],
    rows: &'a [u32],
    terms: &'a Terms,
}

impl<'a> Left<'a> {
    fn new(values: &'a [f32], rows: &'a [u32], terms: &'a Terms) -> Self {
        Self {
            values,
            rows,
            terms,
        }
    }
}

/// c\[i, j\] = row i of `left` times lane j of a block of packed keys.
fn logits(
    level: Level,
    left: Left<'_>,
    packed: &[f32],
    block: &Block<'_>,
    c: &mut [f32],
    ldc: usize,
) {
    let dim = left.terms.len();
    for p in block.panels {
        let product = Product {
            level,
            a: left.values,
            rows: left.rows,
            terms: left.terms,
            b: &packed[p.start * dim..][..p.width * dim],
            width: p.width,
            ldc,
            add: false,
        };
        product.run(&mut c[p.start - block.start..]);
    }
}

/// `n` tokens whose features are packed as lanes, from token `first` on.
#[derive(Clone, Copy)]
struct Tokens<'a> {
    packed: &'a [f32],
    first: usize,
    n: usize,
}

/// c\[i, ·\] ⟵ \[c +\] row i of `left` times the tokens' features.
fn mix(
    level: Level,
    left: Left<'_>,
    tokens: Tokens<'_>,
    features: &[Panel],
    c: &mut [f32],
    add: bool,
) {
    let ldc = padded(features);
    for p in features {
        let at = p.start * tokens.n + tokens.first * p.width;
        let product = Product {
            level,
            a: left.values,
            rows: left.rows,
            terms: left.terms,
            b: &tokens.packed[at..][..p.width * left.terms.len()],
            width: p.width,
            ldc,
            add,
        };
        product.run(&mut c[p.start..]);
    }
}

/// Takes `n` values off the front of a working space.
fn take<'a>(space: &mut &'a mut [f32], n: usize) -> &'a mut [f32] {
    let (front, rest) = std::mem::take(space).split_at_mut(n);
    *space = rest;
    front
}

/// The keys of every sample, cut into panels and blocks: all of them, or as many as the sample's length says. What is cut
/// depends on a sample's own length only, so that its bits are those of the same keys without others after them.
struct Keys {
    /// For each sample, which of the cuts is its own.
    of: Vec<usize>,
    cuts: Vec<Cut>,
}

/// So many keys, cut.
struct Cut {
    keys: usize,
    panels: Vec<Panel>,
    size: usize,
    terms: Vec<Terms>,
}

impl Keys {
    /// Keys in blocks of `size`.
    fn new(level: Level, s: &Sizes, lengths: Option<&[usize]>, size: usize) -> Self {
        let all = vec![s.keys; s.batch];
        let lengths = lengths.unwrap_or(&all);
        let mut counts = lengths.to_vec();
        counts.sort_unstable();
        counts.dedup();
        let of = |n: &usize| counts.binary_search(n).expect("one of them");
        Self {
            of: lengths.iter().map(of).collect(),
            cuts: counts.iter().map(|&n| Cut::new(level, n, size)).collect(),
        }
    }

    /// Those of sample `b`.
    fn sample(&self, b: usize) -> &Cut {
        &self.cuts[self.of[b]]
    }
}

impl Cut {
    fn new(level: Level, keys: usize, size: usize) -> Self {
        let panels = panels(level, keys);
        let terms = blocks(&panels, size)
            .map(|b| Terms::new(every(1, b.keys)))
            .collect();
        Self {
            keys,
            panels,
            size,
            terms,
        }
    }

    /// The blocks, and for each the terms of a sum over its keys.
    fn blocks(&self) -> impl Iterator<Item = (Block<'_>, &Terms)> {
        blocks(&self.panels, self.size).zip(&self.terms)
    }
}
