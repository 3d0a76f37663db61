//! Attention, token normalisation and the gated residual.

use super::sizes::affine;
use super::tensors::{dims, like, row_major, sole_values, tensor, values};
use crate::extension::{KeyLengths, TokenNormOptions};
use crate::raw::affine::Affine;
use crate::raw::attention::{self, Heads, Passed, Place};
use crate::raw::scratch::{Shared, unfilled};
use crate::raw::token_norm;
use crate::raw::{Level, gated, rotary, rows};
use burn::backend::flex::FlexTensor;

/// An attention of tensors `[batch, tokens, heads, dim]`.
fn apart(q: &FlexTensor, k: &FlexTensor) -> (attention::Sizes, Place, Place) {
    let ([batch, queries, heads, dim], [_, keys, _, _]) = (dims(q), dims(k));
    let sizes = attention::Sizes {
        batch,
        heads,
        queries,
        keys,
        dim,
    };
    let [of_q, of_k] = [queries, keys].map(|n| Place::alone(n, heads, dim));
    (sizes, of_q, of_k)
}

/// An attention within `[batch, tokens, 3 · heads · dim]`.
fn together(qkv: &FlexTensor, heads: usize) -> (attention::Sizes, [Place; 3]) {
    let [batch, tokens, width] = dims(qkv);
    let dim = width / (3 * heads);
    let sizes = attention::Sizes {
        batch,
        heads,
        queries: tokens,
        keys: tokens,
        dim,
    };
    let places = [0, 1, 2].map(|i| Place::third(i, tokens, heads, dim));
    (sizes, places)
}

fn heads_of(t: &FlexTensor, place: Place) -> Heads<'_> {
    Heads {
        values: values(t),
        place,
    }
}

/// The output and what the gradients need of the way there.
pub(super) fn attention(
    q: FlexTensor,
    k: FlexTensor,
    v: FlexTensor,
    lengths: &KeyLengths,
) -> (FlexTensor, FlexTensor) {
    let [q, k, v] = [q, k, v].map(row_major);
    let (sizes, of_q, of_k) = apart(&q, &k);
    let [of_v, of_k, of_q] = [heads_of(&v, of_k), heads_of(&k, of_k), heads_of(&q, of_q)];
    let (o, stats) = attention::forward(
        Level::best(),
        of_q,
        of_k,
        of_v,
        &sizes,
        lengths.0.as_deref(),
    );
    let n = stats.len();
    (like(o, &q), tensor(stats, [n]))
}

pub(super) fn attention_grads(
    inputs: [FlexTensor; 3],
    output: &FlexTensor,
    stats: &FlexTensor,
    dy: FlexTensor,
    lengths: &KeyLengths,
) -> [FlexTensor; 3] {
    let ([q, k, v], dy) = (inputs.map(row_major), row_major(dy));
    let (sizes, of_q, of_k) = apart(&q, &k);
    let passed = Passed {
        q: heads_of(&q, of_q),
        k: heads_of(&k, of_k),
        v: heads_of(&v, of_k),
        o: values(output),
        stats: values(stats),
    };
    let [mut dq, mut dk, mut dv] = [&q, &k, &v].map(|t| unfilled(values(t).len()));
    let grads = [
        (&Shared::new(&mut dq), of_q),
        (&Shared::new(&mut dk), of_k),
        (&Shared::new(&mut dv), of_k),
    ];
    let lengths = lengths.0.as_deref();
    attention::backward(Level::best(), passed, values(&dy), &sizes, lengths, grads);
    [like(dq, &q), like(dk, &k), like(dv, &v)]
}

/// As [`attention`], of queries, keys and values side by side.
pub(super) fn self_attention(qkv: FlexTensor, heads: usize) -> (FlexTensor, FlexTensor) {
    let qkv = row_major(qkv);
    let (sizes, places) = together(&qkv, heads);
    let [q, k, v] = places.map(|place| heads_of(&qkv, place));
    let (o, stats) = attention::forward(Level::best(), q, k, v, &sizes, None);
    let n = stats.len();
    let shape = [sizes.batch, sizes.queries, heads * sizes.dim];
    (tensor(o, shape), tensor(stats, [n]))
}

pub(super) fn self_attention_grad(
    qkv: FlexTensor,
    output: &FlexTensor,
    stats: &FlexTensor,
    dy: FlexTensor,
    heads: usize,
) -> FlexTensor {
    let (qkv, dy) = (row_major(qkv), row_major(dy));
    let (sizes, places) = together(&qkv, heads);
    let [q, k, v] = places.map(|place| heads_of(&qkv, place));
    let passed = Passed {
        q,
        k,
        v,
        o: values(output),
        stats: values(stats),
    };
    let mut grad = unfilled(values(&qkv).len());
    let shared = Shared::new(&mut grad);
    let grads = places.map(|place| (&shared, place));
    attention::backward(Level::best(), passed, values(&dy), &sizes, None, grads);
    like(grad, &qkv)
}

fn token_sizes(x: &FlexTensor) -> rows::Sizes {
    let [batch, tokens, width] = dims(x);
    rows::Sizes {
        batch,
        tokens,
        width,
    }
}

fn norm_of(inputs: &[FlexTensor; 5], options: TokenNormOptions) -> (Affine<'_>, token_norm::Sizes) {
    let sizes = token_norm::Sizes {
        rows: token_sizes(&inputs[0]),
        eps: options.eps,
        centred: options.centred,
    };
    (affine(inputs), sizes)
}

pub(super) fn token_norm(inputs: [FlexTensor; 5], options: TokenNormOptions) -> FlexTensor {
    let inputs = inputs.map(row_major);
    let (affine, sizes) = norm_of(&inputs, options);
    let y = token_norm::forward(Level::best(), values(&inputs[0]), affine, sizes);
    like(y, &inputs[0])
}

pub(super) fn token_norm_grads(
    inputs: [FlexTensor; 5],
    dy: FlexTensor,
    options: TokenNormOptions,
) -> [FlexTensor; 5] {
    let (inputs, dy) = (inputs.map(row_major), row_major(dy));
    let (affine, sizes) = norm_of(&inputs, options);
    let x = values(&inputs[0]);
    let g = token_norm::backward(Level::best(), x, values(&dy), affine, sizes);
    let grads = [g.x, g.gamma, g.beta, g.scale, g.shift];
    let mut grads = grads.into_iter().zip(&inputs).map(|(g, t)| like(g, t));
    std::array::from_fn(|_| grads.next().expect("five gradients"))
}

/// Pairs turned by their angles, or back.
pub(super) fn rotary(inputs: [FlexTensor; 3], back: bool) -> FlexTensor {
    let [x, cos, sin] = inputs.map(row_major);
    let [batch, tokens, heads, dim] = dims(&x);
    let sizes = rows::Sizes {
        batch,
        tokens,
        width: heads * dim,
    };
    let angles = [values(&cos), values(&sin)];
    let y = rotary::turned(Level::best(), values(&x), angles, sizes, back);
    like(y, &x)
}

pub(super) fn gated_add(x: FlexTensor, h: FlexTensor, gate: FlexTensor) -> FlexTensor {
    let [mut x, h, gate] = [x, h, gate].map(row_major);
    let sizes = token_sizes(&x);
    if let Some(x) = sole_values(&mut x) {
        gated::forward_in_place(Level::best(), x, values(&h), values(&gate), sizes);
    } else {
        let y = gated::forward(Level::best(), values(&x), values(&h), values(&gate), sizes);
        return like(y, &x);
    }
    x
}

/// The gradients at h and at the gate.
pub(super) fn gated_add_grads(h: FlexTensor, gate: FlexTensor, dy: FlexTensor) -> [FlexTensor; 2] {
    let [h, gate, dy] = [h, gate, dy].map(row_major);
    let sizes = token_sizes(&h);
    let (dh, dgate) = gated::backward(Level::best(), values(&h), values(&gate), values(&dy), sizes);
    [like(dh, &h), like(dgate, &gate)]
}
