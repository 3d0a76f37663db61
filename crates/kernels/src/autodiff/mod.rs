//! The derivatives: one implementation for every inner backend and every checkpointing strategy.

mod activation;
mod attention;
mod conv;
mod gated;
mod image;
mod linear;
mod mlp;
mod norm;
mod rotary;
mod upsample;

use crate::extension::{FusedGrads, FusedOps, KeyLengths, NormOptions, Tensors, TokenNormOptions};
use crate::raw::activation::Curve;
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
        linear::tracked::<B, C>(x, weight, bias, None)
    }

    fn fused_mlp(x: FloatTensor<Self>, layers: Tensors<Self>) -> FloatTensor<Self> {
        mlp::tracked::<B, C>(x, layers.0)
    }

    fn fused_activation(x: FloatTensor<Self>, curve: Curve) -> FloatTensor<Self> {
        activation::tracked::<B, C>(x, curve)
    }

    fn fused_linear_act(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        curve: Curve,
    ) -> FloatTensor<Self> {
        linear::tracked::<B, C>(x, weight, bias, Some(curve))
    }

    fn fused_attention(
        q: FloatTensor<Self>,
        k: FloatTensor<Self>,
        v: FloatTensor<Self>,
        lengths: KeyLengths,
    ) -> FloatTensor<Self> {
        attention::apart::<B, C>([q, k, v], lengths)
    }

    fn fused_self_attention(qkv: FloatTensor<Self>, heads: usize) -> FloatTensor<Self> {
        attention::together::<B, C>(qkv, heads)
    }

    fn fused_token_norm(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        scale: FloatTensor<Self>,
        shift: FloatTensor<Self>,
        options: TokenNormOptions,
    ) -> FloatTensor<Self> {
        norm::tracked::<B, C, _>([x, gamma, beta, scale, shift], options)
    }

    fn fused_gated_add(
        x: FloatTensor<Self>,
        h: FloatTensor<Self>,
        gate: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        gated::tracked::<B, C>(x, h, gate)
    }

    fn fused_group_norm(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        scale: FloatTensor<Self>,
        shift: FloatTensor<Self>,
        options: NormOptions,
    ) -> FloatTensor<Self> {
        norm::tracked::<B, C, _>([x, gamma, beta, scale, shift], options)
    }

    fn fused_rotary(
        x: FloatTensor<Self>,
        cos: FloatTensor<Self>,
        sin: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        rotary::tracked::<B, C>(x, cos, sin)
    }

    fn fused_upsample2x(x: FloatTensor<Self>) -> FloatTensor<Self> {
        upsample::tracked::<B, C>(x)
    }
}
