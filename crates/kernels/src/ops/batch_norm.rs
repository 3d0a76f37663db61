//! Batch normalisation with what goes before and after it.

use crate::reference;
use burn::tensor::Tensor;

/// Where a batch normalisation has its SiLU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SiluAt {
    /// Before the statistics: y = norm(SiLU(x + shift)).
    Before,
    /// After the affine map: y = SiLU(norm(x + shift)).
    After,
}

fn check(x: &Tensor<4>, shift: Option<&Tensor<2>>, vectors: &[(&str, &Tensor<1>)]) {
    let [b, c, _, _] = x.dims();
    if let Some(shift) = shift {
        assert!(
            shift.dims() == [b, c],
            "batch_norm: the shift must be [{b}, {c}], got {:?}",
            shift.dims()
        );
    }
    for (name, t) in vectors {
        assert!(
            t.dims() == [c],
            "batch_norm: {name} must have {c} values, got {:?}",
            t.dims()
        );
    }
}

/// Batch normalisation in training (Ioffe and Szegedy 2015, arXiv:1502.03167), by the statistics of the batch itself:
///
/// y = gamma · (u − μ) / √(var + eps) + beta, u = SiLU(x + shift), or the SiLU after all of it
///
/// with μ and the biased variance of u over batch and positions, for each channel. Gradients go through both.
///
/// # Shapes
/// - `x`: `[batch, channels, h, w]`; `shift`: `[batch, channels]`; `gamma`, `beta`: `[channels]`
/// - output: y as `x`; μ and the variance `[channels]`, without gradients
///
/// # Panics
/// Where these shapes do not agree.
pub fn batch_norm_train(
    x: Tensor<4>,
    shift: Option<Tensor<2>>,
    gamma: Tensor<1>,
    beta: Tensor<1>,
    eps: f64,
    silu: SiluAt,
) -> (Tensor<4>, Tensor<1>, Tensor<1>) {
    check(&x, shift.as_ref(), &[("gamma", &gamma), ("beta", &beta)]);
    reference::batch_norm_train(x, shift, gamma, beta, eps, silu)
}

/// The same by given statistics, as in inference: a sample's bits do not depend on its batch.
///
/// # Shapes
/// As [`batch_norm_train`]; `mean`, `var`: `[channels]`
///
/// # Panics
/// Where these shapes do not agree.
#[allow(clippy::too_many_arguments)] // as many as the formula has letters
pub fn batch_norm(
    x: Tensor<4>,
    shift: Option<Tensor<2>>,
    gamma: Tensor<1>,
    beta: Tensor<1>,
    mean: Tensor<1>,
    var: Tensor<1>,
    eps: f64,
    silu: SiluAt,
) -> Tensor<4> {
    let vectors = [
        ("gamma", &gamma),
        ("beta", &beta),
        ("mean", &mean),
        ("var", &var),
    ];
    check(&x, shift.as_ref(), &vectors);
    reference::batch_norm(x, shift, gamma, beta, mean, var, eps, silu)
}
