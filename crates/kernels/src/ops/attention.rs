//! Attention.

use crate::extension::{FusedOps, KeyLengths};
use crate::reference;
use crate::switch::is_fast;
use burn::backend::Dispatch;
use burn::tensor::{Int, Tensor};

/// Attention, softmax(q kᵀ / √dim) v for every sample and head (Vaswani et al. 2017, arXiv:1706.03762).
///
/// # Shapes
/// - `q`: `[batch, tokens, heads, dim]`; `k`, `v`: `[batch, keys, heads, dim]`
/// - output: as `q`
///
/// # Panics
/// Where these shapes do not agree or there is no key.
pub fn attention(q: Tensor<4>, k: Tensor<4>, v: Tensor<4>) -> Tensor<4> {
    check(&q, &k, &v);
    if ![&q, &k, &v].into_iter().all(is_fast) {
        return reference::attention(q, k, v);
    }
    fused(q, k, v, KeyLengths::default())
}

/// [`attention`] to the first `lengths[b]` keys of sample b only. What lies after them is not looked at, gets no gradient and
/// changes no bit: a sample's result is that of its keys alone.
///
/// # Shapes
/// As [`attention`]; `lengths`: `[batch]`
///
/// # Panics
/// Where these shapes do not agree; on the fast path also where a length is not from 1 to the number of keys.
pub fn attention_within(
    q: Tensor<4>,
    k: Tensor<4>,
    v: Tensor<4>,
    lengths: Tensor<1, Int>,
) -> Tensor<4> {
    check(&q, &k, &v);
    let ([b, ..], [_, n, ..]) = (q.dims(), k.dims());
    assert!(
        lengths.dims() == [b],
        "attention_within: lengths must be [{b}], got {:?}",
        lengths.dims()
    );
    if ![&q, &k, &v].into_iter().all(is_fast) {
        return reference::attention_within(q, k, v, lengths);
    }
    let lengths = lengths.into_data().convert::<i64>();
    let lengths = lengths.try_to_vec::<i64>().expect("converted to i64");
    let within = |length: i64| {
        let length = usize::try_from(length).unwrap_or(0);
        assert!(
            (1..=n).contains(&length),
            "attention_within: lengths must be from 1 to the {n} keys, got {length}"
        );
        length
    };
    let lengths = lengths.into_iter().map(within).collect();
    fused(q, k, v, KeyLengths(Some(lengths)))
}

fn check(q: &Tensor<4>, k: &Tensor<4>, v: &Tensor<4>) {
    let ([b, _, h, d], [kb, n, kh, kd]) = (q.dims(), k.dims());
    assert!(
        [b, h, d] == [kb, kh, kd] && k.dims() == v.dims(),
        "attention: k and v must be [{b}, keys, {h}, {d}] to go with q {:?}, got {:?} and {:?}",
        q.dims(),
        k.dims(),
        v.dims()
    );
    assert!(n > 0, "attention: at least one key is needed");
}

fn fused(q: Tensor<4>, k: Tensor<4>, v: Tensor<4>, lengths: KeyLengths) -> Tensor<4> {
    Tensor::from_dispatch(Dispatch::fused_attention(
        q.into_dispatch(),
        k.into_dispatch(),
        v.into_dispatch(),
        lengths,
    ))
}

/// [`attention`] of tokens to each other, on queries, keys and values that lie side by side, each head-major, as one
/// linear map makes them (the layout of timm and DiT, Peebles and Xie 2023, arXiv:2212.09748).
///
/// # Shapes
/// - `qkv`: `[batch, tokens, 3 · heads · dim]`
/// - output: `[batch, tokens, heads · dim]`
///
/// # Panics
/// Where `3 · heads` does not divide the last axis.
pub fn self_attention(qkv: Tensor<3>, heads: usize) -> Tensor<3> {
    let [_, _, width] = qkv.dims();
    assert!(
        heads > 0 && width % (3 * heads) == 0,
        "self_attention: q, k and v of {heads} heads do not fit in a width of {width}"
    );
    if !is_fast(&qkv) {
        return reference::self_attention(qkv, heads);
    }
    Tensor::from_dispatch(Dispatch::fused_self_attention(qkv.into_dispatch(), heads))
}
