//! Linear maps over the last axis.

use super::zeros;
use crate::extension::FusedOps;
use crate::raw::activation::Curve;
use crate::reference;
use crate::switch::is_fast;
use burn::backend::Dispatch;
use burn::tensor::Tensor;

/// What follows a linear map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// Nothing.
    None,
    /// [`silu`](crate::silu).
    Silu,
    /// [`gelu`](crate::gelu), the tanh form.
    Gelu,
}

fn check<const D: usize>(x: &Tensor<D>, weight: &Tensor<2>, bias: Option<&Tensor<1>>) {
    let (k, [wk, n]) = (x.dims()[D - 1], weight.dims());
    assert!(
        k == wk,
        "linear: the weight {:?} takes {wk} features, x {:?} has {k}",
        weight.dims(),
        x.dims()
    );
    if let Some(bias) = bias {
        assert!(
            bias.dims() == [n],
            "linear: the bias must have {n} values, got {:?}",
            bias.dims()
        );
    }
}

/// y = x · weight + bias over the last axis.
///
/// # Shapes
/// - `x`: `[.., in]`; `weight`: `[in, out]`, as burn stores it; `bias`: `[out]`
/// - output: `[.., out]`
///
/// # Panics
/// Where these shapes do not agree.
pub fn linear<const D: usize>(
    x: Tensor<D>,
    weight: Tensor<2>,
    bias: Option<Tensor<1>>,
) -> Tensor<D> {
    check(&x, &weight, bias.as_ref());
    if !(is_fast(&x) && is_fast(&weight) && bias.as_ref().is_none_or(is_fast)) {
        return reference::linear(x, weight, bias);
    }
    let bias = bias.unwrap_or_else(|| zeros(&x, [weight.dims()[1]]));
    Tensor::from_dispatch(Dispatch::fused_linear(
        x.into_dispatch(),
        weight.into_dispatch(),
        bias.into_dispatch(),
    ))
}

/// y = f(x · weight + bias) over the last axis, f the activation.
///
/// # Shapes
/// As [`linear`].
///
/// # Panics
/// Where these shapes do not agree.
pub fn linear_act<const D: usize>(
    x: Tensor<D>,
    weight: Tensor<2>,
    bias: Option<Tensor<1>>,
    activation: Activation,
) -> Tensor<D> {
    let curve = match activation {
        Activation::None => return linear(x, weight, bias),
        Activation::Silu => Curve::Silu,
        Activation::Gelu => Curve::Gelu,
    };
    check(&x, &weight, bias.as_ref());
    if !(is_fast(&x) && is_fast(&weight) && bias.as_ref().is_none_or(is_fast)) {
        return reference::linear_act(x, weight, bias, activation);
    }
    let bias = bias.unwrap_or_else(|| zeros(&x, [weight.dims()[1]]));
    Tensor::from_dispatch(Dispatch::fused_linear_act(
        x.into_dispatch(),
        weight.into_dispatch(),
        bias.into_dispatch(),
        curve,
    ))
}
