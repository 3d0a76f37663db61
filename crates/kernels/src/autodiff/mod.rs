//! The derivatives: one implementation for every inner backend and every checkpointing strategy.

mod conv;
mod linear;
mod mlp;
mod norm;
mod silu;
mod upsample;

use crate::extension::{FusedGrads, FusedOps, NormOptions, Tensors};
use burn::backend::Autodiff;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::tensor::FloatTensor;

impl<B: FusedOps + FusedGrads, C: CheckpointStrategy> FusedOps for Autodiff<B, C> {
    fn fused_conv2d(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        stride: usize,
        padding: usize,
    ) -> FloatTensor<Self> {
        conv::tracked::<B, C>(x, weight, bias, stride, padding)
    }

    fn fused_linear(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        linear::tracked::<B, C>(x, weight, bias)
    }

    fn fused_mlp(x: FloatTensor<Self>, layers: Tensors<Self>) -> FloatTensor<Self> {
        mlp::tracked::<B, C>(x, layers.0)
    }

    fn fused_silu(x: FloatTensor<Self>) -> FloatTensor<Self> {
        silu::tracked::<B, C>(x)
    }

    fn fused_group_norm(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        scale: FloatTensor<Self>,
        shift: FloatTensor<Self>,
        options: NormOptions,
    ) -> FloatTensor<Self> {
        norm::tracked::<B, C>([x, gamma, beta, scale, shift], options)
    }

    fn fused_upsample2x(x: FloatTensor<Self>) -> FloatTensor<Self> {
        upsample::tracked::<B, C>(x)
    }
}
