//! The operations as burn's backend extension sees them.
//!
//! Only `Autodiff` and `Flex` are routed; [`crate::ops`] lets nothing else come here.

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, backend_extension};

/// What a group normalisation is, beside its tensors.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NormOptions {
    /// Into how many groups the channels fall.
    pub(crate) groups: usize,
    /// Added to the variance.
    pub(crate) eps: f64,
    /// Whether the SiLU follows.
    pub(crate) activate: bool,
}

/// The forward operations, routed by the device of their tensors.
#[backend_extension(Autodiff, Flex)]
pub(crate) trait FusedOps: Backend {
    /// See [`crate::conv2d`].
    fn fused_conv2d(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        stride: usize,
        padding: usize,
    ) -> FloatTensor<Self>;

    /// See [`crate::linear`].
    fn fused_linear(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
    ) -> FloatTensor<Self>;

    /// See [`crate::silu`].
    fn fused_silu(x: FloatTensor<Self>) -> FloatTensor<Self>;

    /// See [`crate::group_norm_silu`].
    fn fused_group_norm(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        scale: FloatTensor<Self>,
        shift: FloatTensor<Self>,
        options: NormOptions,
    ) -> FloatTensor<Self>;

    /// See [`crate::upsample2x`].
    fn fused_upsample2x(x: FloatTensor<Self>) -> FloatTensor<Self>;
}

/// The gradients, which only the inner backend of an autodiff tensor needs. `dy` is the gradient at the output.
pub(crate) trait FusedGrads: Backend {
    /// With respect to x of shape `shape`.
    fn conv2d_grad_x(
        weight: FloatTensor<Self>,
        dy: FloatTensor<Self>,
        shape: [usize; 4],
        stride: usize,
        padding: usize,
    ) -> FloatTensor<Self>;

    /// With respect to a weight of shape `shape`.
    fn conv2d_grad_weight(
        x: FloatTensor<Self>,
        dy: FloatTensor<Self>,
        shape: [usize; 4],
        stride: usize,
        padding: usize,
    ) -> FloatTensor<Self>;

    /// With respect to the bias.
    fn conv2d_grad_bias(dy: FloatTensor<Self>) -> FloatTensor<Self>;

    /// With respect to x.
    fn linear_grad_x(weight: FloatTensor<Self>, dy: FloatTensor<Self>) -> FloatTensor<Self>;

    /// With respect to the weight.
    fn linear_grad_weight(x: FloatTensor<Self>, dy: FloatTensor<Self>) -> FloatTensor<Self>;

    /// With respect to the bias.
    fn linear_grad_bias(dy: FloatTensor<Self>) -> FloatTensor<Self>;

    /// With respect to x.
    fn silu_grad(x: FloatTensor<Self>, dy: FloatTensor<Self>) -> FloatTensor<Self>;

    /// With respect to x, gamma, beta, scale and shift, given in this order.
    fn group_norm_grads(
        inputs: [FloatTensor<Self>; 5],
        dy: FloatTensor<Self>,
        options: NormOptions,
    ) -> [FloatTensor<Self>; 5];

    /// With respect to x.
    fn upsample2x_grad(dy: FloatTensor<Self>) -> FloatTensor<Self>;
}
