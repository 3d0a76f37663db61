//! Activations, value by value.

use crate::extension::FusedOps;
use crate::raw::activation::Curve;
use crate::reference;
use crate::switch::is_fast;
use burn::backend::Dispatch;
use burn::tensor::Tensor;

/// SiLU, x σ(x) with σ(x) = 1 / (1 + e⁻ˣ) (Elfwing et al. 2018, arXiv:1702.03118).
pub fn silu<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    if !is_fast(&x) {
        return reference::silu(x);
    }
    Tensor::from_dispatch(Dispatch::fused_activation(x.into_dispatch(), Curve::Silu))
}

/// GELU in its tanh form, ½ x (1 + tanh(√(2/π) (x + 0.044715 x³))) (Hendrycks and Gimpel 2016, arXiv:1606.08415).
pub fn gelu<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    if !is_fast(&x) {
        return reference::gelu(x);
    }
    Tensor::from_dispatch(Dispatch::fused_activation(x.into_dispatch(), Curve::Gelu))
}

/// GELU, x Φ(x) with Φ the distribution function of the standard normal (Hendrycks and Gimpel 2016, arXiv:1606.08415).
pub fn gelu_erf<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    if !is_fast(&x) {
        return reference::gelu_erf(x);
    }
    Tensor::from_dispatch(Dispatch::fused_activation(
        x.into_dispatch(),
        Curve::GeluErf,
    ))
}
