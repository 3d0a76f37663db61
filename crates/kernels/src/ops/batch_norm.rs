//! Batch normalisation with what goes before and after it.

use super::zeros;
use crate::extension::image::{BatchNormOptions, ImageOps, Statistics};
use crate::reference;
use crate::switch::{is_fast, is_tracked};
use burn::backend::Dispatch;
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

fn fast(x: &Tensor<4>, shift: Option<&Tensor<2>>, vectors: &[&Tensor<1>]) -> bool {
    is_fast(x) && shift.is_none_or(is_fast) && vectors.iter().all(|t| is_fast(t))
}

fn fused(
    x: Tensor<4>,
    shift: Tensor<2>,
    [gamma, beta, statistics]: [Tensor<1>; 3],
    options: BatchNormOptions,
) -> Tensor<4> {
    Tensor::from_dispatch(Dispatch::fused_batch_norm(
        x.into_dispatch(),
        shift.into_dispatch(),
        gamma.into_dispatch(),
        beta.into_dispatch(),
        statistics.into_dispatch(),
        options,
    ))
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
    if !fast(&x, shift.as_ref(), &[&gamma, &beta]) {
        return reference::batch_norm_train(x, shift, gamma, beta, eps, silu);
    }
    let c = x.dims()[1];
    let shift = shift.unwrap_or_else(|| zeros(&x, [x.dims()[0], c]));
    let before = silu == SiluAt::Before;
    let moments = Tensor::<1>::from_dispatch(Dispatch::channel_moments(
        x.clone().without_autodiff().into_dispatch(),
        shift.clone().without_autodiff().into_dispatch(),
        before,
    ));
    let moments = if is_tracked(&x) {
        Tensor::from_inner(moments)
    } else {
        moments
    };
    let options = BatchNormOptions {
        eps,
        before,
        training: true,
    };
    let y = fused(x, shift, [gamma, beta, moments.clone()], options);
    (y, moments.clone().narrow(0, 0, c), moments.narrow(0, c, c))
}

/// The same by given statistics, as in inference: a sample's bits do not depend on its batch, and no gradient flows to the
/// statistics.
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
    if !fast(&x, shift.as_ref(), &[&gamma, &beta, &mean, &var]) {
        return reference::batch_norm(x, shift, gamma, beta, mean, var, eps, silu);
    }
    let [b, c, _, _] = x.dims();
    let shift = shift.unwrap_or_else(|| zeros(&x, [b, c]));
    let options = BatchNormOptions {
        eps,
        before: silu == SiluAt::Before,
        training: false,
    };
    let statistics = Tensor::cat(vec![mean, var], 0);
    fused(x, shift, [gamma, beta, statistics], options)
}
