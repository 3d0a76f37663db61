//! What a transformer's block does to its tokens around attention and the perceptron.

use crate::reference;
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
    reference::token_norm(x, kind, gamma, beta, eps, modulation)
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
    reference::gated_add(x, h, gate)
}
