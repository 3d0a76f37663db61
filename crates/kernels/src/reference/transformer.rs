//! The operations of a transformer.

use super::{linear, silu};
use crate::{Activation, TokenNorm};
use burn::tensor::{Int, Tensor, activation};

/// softmax(q kᵀ / √dim) v; see [`crate::attention`].
pub fn attention(q: Tensor<4>, k: Tensor<4>, v: Tensor<4>) -> Tensor<4> {
    weighted(q, k, v, |logits| logits)
}

/// Attention to the first keys of each sample; see [`crate::attention_within`].
pub fn attention_within(
    q: Tensor<4>,
    k: Tensor<4>,
    v: Tensor<4>,
    lengths: Tensor<1, Int>,
) -> Tensor<4> {
    let [b, keys, _, _] = k.dims();
    let places = Tensor::<1, Int>::arange(0..keys as i64, &lengths.device());
    let places = places.reshape([1, 1, 1, keys]).repeat_dim(0, b);
    let after = places.greater_equal(lengths.reshape([b, 1, 1, 1]).repeat_dim(3, keys));
    weighted(q, k, v, |logits| {
        let [_, heads, queries, _] = logits.dims();
        let after = after.repeat_dim(1, heads).repeat_dim(2, queries);
        logits.mask_fill(after, f32::NEG_INFINITY)
    })
}

fn weighted(
    q: Tensor<4>,
    k: Tensor<4>,
    v: Tensor<4>,
    mask: impl FnOnce(Tensor<4>) -> Tensor<4>,
) -> Tensor<4> {
    let scale = (q.dims()[3] as f64).powf(-0.5);
    let [q, k, v] = [q, k, v].map(|t| t.swap_dims(1, 2));
    let weights = activation::softmax(mask(q.mul_scalar(scale).matmul(k.transpose())), 3);
    weights.matmul(v).swap_dims(1, 2)
}

/// Attention on queries, keys and values side by side; see [`crate::self_attention`].
pub fn self_attention(qkv: Tensor<3>, heads: usize) -> Tensor<3> {
    let [b, n, width] = qkv.dims();
    let inner = width / 3;
    let part = |i: usize| {
        let part = qkv.clone().narrow(2, i * inner, inner);
        part.reshape([b, n, heads, inner / heads])
    };
    attention(part(0), part(1), part(2)).reshape([b, n, inner])
}

/// Normalisation of every token, affine map and modulation; see [`crate::token_norm`].
pub fn token_norm(
    x: Tensor<3>,
    kind: TokenNorm,
    gamma: Option<Tensor<1>>,
    beta: Option<Tensor<1>>,
    eps: f64,
    modulation: Option<(Tensor<2>, Tensor<2>)>,
) -> Tensor<3> {
    let [b, _, width] = x.dims();
    let x = match kind {
        TokenNorm::Layer => x.clone() - x.mean_dim(2),
        TokenNorm::Rms => x,
    };
    let mut y = x.clone() / (x.square().mean_dim(2) + eps).sqrt();
    if let Some(gamma) = gamma {
        y = y * gamma.reshape([1, 1, width]);
    }
    if let Some(beta) = beta {
        y = y + beta.reshape([1, 1, width]);
    }
    match modulation {
        Some((scale, shift)) => {
            y * (scale.reshape([b, 1, width]) + 1.0) + shift.reshape([b, 1, width])
        }
        None => y,
    }
}

/// x + gate · h; see [`crate::gated_add`].
pub fn gated_add(x: Tensor<3>, h: Tensor<3>, gate: Tensor<2>) -> Tensor<3> {
    let [b, _, width] = x.dims();
    x + h * gate.reshape([b, 1, width])
}

/// Pairs of features turned by angles; see [`crate::rotary`].
pub fn rotary(x: Tensor<4>, cos: Tensor<2>, sin: Tensor<2>) -> Tensor<4> {
    let ([b, n, h, d], pairs) = (x.dims(), cos.dims()[1]);
    let x = x.reshape([b, n, h, pairs, 2]);
    let [a, c] = [0, 1].map(|i| x.clone().narrow(4, i, 1));
    let [cos, sin] = [cos, sin].map(|t| t.reshape([1, n, 1, pairs, 1]));
    let turned = vec![
        a.clone() * cos.clone() - c.clone() * sin.clone(),
        a * sin + c * cos,
    ];
    Tensor::cat(turned, 4).reshape([b, n, h, d])
}

/// GELU in its tanh form; see [`crate::gelu`].
pub fn gelu<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    activation::gelu_approximate(x)
}

/// x Φ(x); see [`crate::gelu_erf`].
pub fn gelu_erf<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    activation::gelu(x)
}

/// A linear map and an activation; see [`crate::linear_act`].
pub fn linear_act<const D: usize>(
    x: Tensor<D>,
    weight: Tensor<2>,
    bias: Option<Tensor<1>>,
    activation: Activation,
) -> Tensor<D> {
    let y = linear(x, weight, bias);
    match activation {
        Activation::None => y,
        Activation::Silu => silu(y),
        Activation::Gelu => gelu(y),
    }
}
