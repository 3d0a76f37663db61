//! The operations as burn's backend extension sees them.
//!
//! Only `Autodiff` and `Flex` are routed; [`crate::ops`] lets nothing else come here.

pub(crate) mod image;

use burn::backend::tensor::FloatTensor;
use burn::backend::{
    Backend, BackendTensor, Dispatch, DispatchAutodiffContext, DispatchTensor, DispatchTensorKind,
    ExtensionType, backend_extension,
};

use crate::raw::activation::Curve;
use crate::raw::adamw::Step;
use std::sync::Arc;

/// Any number of float tensors, at least one, as an argument of an operation.
pub(crate) struct Tensors<B: Backend>(pub(crate) Vec<FloatTensor<B>>);

impl<B: Backend> ExtensionType<B> for Tensors<B> {
    type Target = Tensors<Dispatch>;

    fn map_to_dispatch<F>(self, map_kind: F, autodiff: DispatchAutodiffContext) -> Self::Target
    where
        F: Fn(BackendTensor<B>) -> DispatchTensorKind,
    {
        let wrap = |t| DispatchTensor {
            kind: map_kind(BackendTensor::Float(t)),
            autodiff,
        };
        Tensors(self.0.into_iter().map(wrap).collect())
    }

    fn map_from_dispatch<F>(target: Self::Target, unwrap_kind: F) -> Self
    where
        F: Fn(DispatchTensor) -> BackendTensor<B>,
    {
        let unwrap = |t| unwrap_kind(t).float();
        Tensors(target.0.into_iter().map(unwrap).collect())
    }

    fn routing_tensor(target: &Self::Target) -> Option<&DispatchTensor> {
        target.0.first()
    }

    fn routing_float_tensor(target: &Self::Target) -> Option<&DispatchTensor> {
        target.0.first()
    }

    fn autodiff_context(target: &Self::Target) -> DispatchAutodiffContext {
        let none = DispatchAutodiffContext::Disabled;
        target
            .0
            .iter()
            .fold(none, |context, t| context.merge(t.autodiff))
    }
}

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

/// How many keys each sample of an attention has; without, all of them.
#[derive(Clone, Debug, Default)]
pub(crate) struct KeyLengths(pub(crate) Option<Arc<[usize]>>);

/// What a normalisation of tokens is, beside its tensors.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TokenNormOptions {
    /// Added to the variance or the mean square.
    pub(crate) eps: f64,
    /// Whether the mean is taken off first.
    pub(crate) centred: bool,
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

    /// See [`crate::mlp`]; `layers` holds the weight and the bias of each layer in turn.
    fn fused_mlp(
        x: FloatTensor<Self>,
        #[extension_type] layers: Tensors<Self>,
    ) -> FloatTensor<Self>;

    /// See [`crate::silu`], [`crate::gelu`] and [`crate::gelu_erf`].
    fn fused_activation(x: FloatTensor<Self>, curve: Curve) -> FloatTensor<Self>;

    /// See [`crate::linear_act`].
    fn fused_linear_act(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        curve: Curve,
    ) -> FloatTensor<Self>;

    /// See [`crate::attention`] and [`crate::attention_within`].
    fn fused_attention(
        q: FloatTensor<Self>,
        k: FloatTensor<Self>,
        v: FloatTensor<Self>,
        lengths: KeyLengths,
    ) -> FloatTensor<Self>;

    /// See [`crate::self_attention`].
    fn fused_self_attention(qkv: FloatTensor<Self>, heads: usize) -> FloatTensor<Self>;

    /// See [`crate::token_norm`].
    fn fused_token_norm(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        scale: FloatTensor<Self>,
        shift: FloatTensor<Self>,
        options: TokenNormOptions,
    ) -> FloatTensor<Self>;

    /// See [`crate::gated_add`].
    fn fused_gated_add(
        x: FloatTensor<Self>,
        h: FloatTensor<Self>,
        gate: FloatTensor<Self>,
    ) -> FloatTensor<Self>;

    /// See [`crate::group_norm_silu`].
    fn fused_group_norm(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        scale: FloatTensor<Self>,
        shift: FloatTensor<Self>,
        options: NormOptions,
    ) -> FloatTensor<Self>;

    /// See [`crate::rotary`].
    fn fused_rotary(
        x: FloatTensor<Self>,
        cos: FloatTensor<Self>,
        sin: FloatTensor<Self>,
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

    /// The perceptron's output, and what [`mlp_grads`](Self::mlp_grads) needs of the way there.
    fn mlp_with_tape(
        x: FloatTensor<Self>,
        layers: Vec<FloatTensor<Self>>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>);

    /// With respect to x and to every weight and bias in turn, where `wants` asks for the one and the others.
    fn mlp_grads(
        x: FloatTensor<Self>,
        layers: Vec<FloatTensor<Self>>,
        tape: FloatTensor<Self>,
        dy: FloatTensor<Self>,
        wants: [bool; 2],
    ) -> (Option<FloatTensor<Self>>, Vec<FloatTensor<Self>>);

    /// The output of a linear map and an activation, and the values between the two.
    fn linear_with_tape(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        curve: Curve,
    ) -> (FloatTensor<Self>, FloatTensor<Self>);

    /// With respect to x.
    fn activation_grad(
        x: FloatTensor<Self>,
        dy: FloatTensor<Self>,
        curve: Curve,
    ) -> FloatTensor<Self>;

    /// The attention's output, and what [`attention_grads`](Self::attention_grads) needs of the way there.
    fn attention_with_tape(
        q: FloatTensor<Self>,
        k: FloatTensor<Self>,
        v: FloatTensor<Self>,
        lengths: &KeyLengths,
    ) -> (FloatTensor<Self>, FloatTensor<Self>);

    /// With respect to q, k and v.
    fn attention_grads(
        inputs: [FloatTensor<Self>; 3],
        output: FloatTensor<Self>,
        tape: FloatTensor<Self>,
        dy: FloatTensor<Self>,
        lengths: &KeyLengths,
    ) -> [FloatTensor<Self>; 3];

    /// As [`attention_with_tape`](Self::attention_with_tape).
    fn self_attention_with_tape(
        qkv: FloatTensor<Self>,
        heads: usize,
    ) -> (FloatTensor<Self>, FloatTensor<Self>);

    /// With respect to qkv.
    fn self_attention_grad(
        qkv: FloatTensor<Self>,
        output: FloatTensor<Self>,
        tape: FloatTensor<Self>,
        dy: FloatTensor<Self>,
        heads: usize,
    ) -> FloatTensor<Self>;

    /// With respect to x, gamma, beta, scale and shift, given in this order.
    fn token_norm_grads(
        inputs: [FloatTensor<Self>; 5],
        dy: FloatTensor<Self>,
        options: TokenNormOptions,
    ) -> [FloatTensor<Self>; 5];

    /// With respect to h and the gate; the one at x is `dy`.
    fn gated_add_grads(
        h: FloatTensor<Self>,
        gate: FloatTensor<Self>,
        dy: FloatTensor<Self>,
    ) -> [FloatTensor<Self>; 2];

    /// With respect to x, gamma, beta, scale and shift, given in this order.
    fn group_norm_grads(
        inputs: [FloatTensor<Self>; 5],
        dy: FloatTensor<Self>,
        options: NormOptions,
    ) -> [FloatTensor<Self>; 5];

    /// With respect to x.
    fn rotary_grad(
        dy: FloatTensor<Self>,
        cos: FloatTensor<Self>,
        sin: FloatTensor<Self>,
    ) -> FloatTensor<Self>;

    /// With respect to x.
    fn upsample2x_grad(dy: FloatTensor<Self>) -> FloatTensor<Self>;
}

/// Steps of an optimizer, which have no gradient: their tensors are not on an autodiff device.
#[backend_extension(Flex)]
pub(crate) trait Updates: Backend {
    /// See [`crate::adamw`]: the parameter and the two moments.
    fn fused_adamw(
        parameter: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        first: FloatTensor<Self>,
        second: FloatTensor<Self>,
        step: Step,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>);

    /// See [`crate::sum_of_squares`].
    fn fused_squares(x: FloatTensor<Self>) -> FloatTensor<Self>;

    /// See [`crate::blend`].
    fn fused_blend(
        old: FloatTensor<Self>,
        new: FloatTensor<Self>,
        keep: f32,
        take: f32,
    ) -> FloatTensor<Self>;
}
