//! What a transformer's block does to its tokens around attention and the perceptron.

use super::{ones, zeros};
use crate::extension::{FusedOps, TokenNormOptions};
use crate::reference;
use crate::switch::is_fast;
use burn::backend::Dispatch;
use burn::tensor::Tensor;

/// Which normalisation of a token's features.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenNorm {
    /// x̂ = (x − μ) / √(var + eps), var the biased variance (Ba et al. 2016, arXiv:1607.06450).
    Layer,
    /// x̂ = x / √(⟨x²⟩ + eps) (Zhang and Sennrich 2019, arXiv:1910.07467).
    Rms,
}

/// Normalisation of every token over its features, optional affine map and optional modulation in one operation:
///
/// y = (x̂ · gamma + beta) · (1 + scale) + shift
///
/// What is left out stands for gamma = 1, beta = 0, scale = shift = 0. DiT's adaLN has a modulation and no affine map.
///
/// # Shapes
/// - `x`: `[batch, tokens, width]`; `gamma`, `beta`: `[width]`
/// - `modulation`: scale and shift, each `[batch, width]`
/// - output: as `x`
///
/// # Panics
/// Where these shapes do not agree.
pub fn token_norm(
    x: Tensor<3>,
    kind: TokenNorm,
    gamma: Option<Tensor<1>>,
    beta: Option<Tensor<1>>,
    eps: f64,
    modulation: Option<(Tensor<2>, Tensor<2>)>,
) -> Tensor<3> {
    let [b, _, width] = x.dims();
    for (name, t) in [("gamma", &gamma), ("beta", &beta)] {
        if let Some(t) = t {
            assert!(
                t.dims() == [width],
                "token_norm: {name} must have {width} values, got {:?}",
                t.dims()
            );
        }
    }
    if let Some((scale, shift)) = &modulation {
        assert!(
            scale.dims() == [b, width] && shift.dims() == [b, width],
            "token_norm: scale and shift must be [{b}, {width}], got {:?} and {:?}",
            scale.dims(),
            shift.dims()
        );
    }
    let fast = is_fast(&x)
        && gamma.as_ref().is_none_or(is_fast)
        && beta.as_ref().is_none_or(is_fast)
        && modulation
            .as_ref()
            .is_none_or(|(scale, shift)| is_fast(scale) && is_fast(shift));
    if !fast {
        return reference::token_norm(x, kind, gamma, beta, eps, modulation);
    }
    let gamma = gamma.unwrap_or_else(|| ones(&x, [width]));
    let beta = beta.unwrap_or_else(|| zeros(&x, [width]));
    let (scale, shift) =
        modulation.unwrap_or_else(|| (zeros(&x, [b, width]), zeros(&x, [b, width])));
    Tensor::from_dispatch(Dispatch::fused_token_norm(
        x.into_dispatch(),
        gamma.into_dispatch(),
        beta.into_dispatch(),
        scale.into_dispatch(),
        shift.into_dispatch(),
        TokenNormOptions {
            eps,
            centred: kind == TokenNorm::Layer,
        },
    ))
}

/// x + gate · h, the gate the same for every token of a sample: the residual of adaLN-Zero (Peebles and Xie 2023,
/// arXiv:2212.09748).
///
/// # Shapes
/// - `x`, `h`: `[batch, tokens, width]`; `gate`: `[batch, width]`
/// - output: as `x`
///
/// # Panics
/// Where these shapes do not agree.
pub fn gated_add(x: Tensor<3>, h: Tensor<3>, gate: Tensor<2>) -> Tensor<3> {
    let [b, _, width] = x.dims();
    assert!(
        h.dims() == x.dims() && gate.dims() == [b, width],
        "gated_add: h must be {:?} and the gate [{b}, {width}], got {:?} and {:?}",
        x.dims(),
        h.dims(),
        gate.dims()
    );
    if !(is_fast(&x) && is_fast(&h) && is_fast(&gate)) {
        return reference::gated_add(x, h, gate);
    }
    Tensor::from_dispatch(Dispatch::fused_gated_add(
        x.into_dispatch(),
        h.into_dispatch(),
        gate.into_dispatch(),
    ))
}

/// Features 2k and 2k + 1 of every head as a point of the plane, turned by the angle of its token and k, given by its cosine and
/// sine (rotary positions; Su et al. 2021, arXiv:2104.09864):
///
/// (a, b) → (a cos − b sin, a sin + b cos)
///
/// The angles are constants: no gradient flows to them.
///
/// # Shapes
/// - `x`: `[batch, tokens, heads, 2 · pairs]`; `cos`, `sin`: `[tokens, pairs]`
/// - output: as `x`
///
/// # Panics
/// Where these shapes do not agree.
pub fn rotary(x: Tensor<4>, cos: Tensor<2>, sin: Tensor<2>) -> Tensor<4> {
    let [_, n, _, d] = x.dims();
    assert!(
        d.is_multiple_of(2) && cos.dims() == [n, d / 2] && sin.dims() == [n, d / 2],
        "rotary: x {:?} needs cos and sin of its {n} tokens and half its features, got {:?} and {:?}",
        x.dims(),
        cos.dims(),
        sin.dims()
    );
    if !(is_fast(&x) && is_fast(&cos) && is_fast(&sin)) {
        return reference::rotary(x, cos.detach(), sin.detach());
    }
    Tensor::from_dispatch(Dispatch::fused_rotary(
        x.into_dispatch(),
        cos.into_dispatch(),
        sin.into_dispatch(),
    ))
}
