//! Batch normalisation and bilinear doubling, as burn's backend extension sees them.

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, backend_extension};

/// What a batch normalisation is, beside its tensors.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BatchNormOptions {
    /// Added to the variance.
    pub(crate) eps: f64,
    /// Whether the SiLU comes first, not last.
    pub(crate) before: bool,
    /// Whether the statistics are those of x, so that gradients go through them.
    pub(crate) training: bool,
}

/// The forward operations, routed by the device of their tensors.
#[backend_extension(Autodiff, Flex)]
pub(crate) trait ImageOps: Backend {
    /// See [`crate::batch_norm`]; `statistics` are the means, then the variances, and constants.
    fn fused_batch_norm(
        x: FloatTensor<Self>,
        shift: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        statistics: FloatTensor<Self>,
        options: BatchNormOptions,
    ) -> FloatTensor<Self>;

    /// See [`crate::bilinear2x`].
    fn fused_bilinear2x(x: FloatTensor<Self>) -> FloatTensor<Self>;
}

/// What has no gradient: its tensors are not on an autodiff device.
#[backend_extension(Flex)]
pub(crate) trait Statistics: Backend {
    /// The means, then the biased variances, of the channels of what is normalised: `[2 · channels]`.
    fn channel_moments(
        x: FloatTensor<Self>,
        shift: FloatTensor<Self>,
        before: bool,
    ) -> FloatTensor<Self>;
}

/// The gradients, which only the inner backend of an autodiff tensor needs.
pub(crate) trait ImageGrads: Backend {
    /// With respect to x, shift, gamma and beta; `inputs` are these and the statistics.
    fn batch_norm_grads(
        inputs: [FloatTensor<Self>; 5],
        dy: FloatTensor<Self>,
        options: BatchNormOptions,
    ) -> [FloatTensor<Self>; 4];

    /// With respect to x.
    fn bilinear2x_grad(dy: FloatTensor<Self>) -> FloatTensor<Self>;
}
