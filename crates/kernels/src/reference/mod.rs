//! The same operations in plain burn: the fallback on every other device and type, and the oracle of the tests.

mod batch_norm;
mod bilinear;
mod transformer;

pub use batch_norm::{batch_norm, batch_norm_train};
pub use bilinear::bilinear2x;
pub use transformer::{
    attention, attention_within, gated_add, gelu, gelu_erf, linear_act, rotary, self_attention,
    token_norm,
};

use burn::tensor::{Tensor, activation, module, ops::ConvOptions};

/// Two-dimensional cross-correlation; see [`crate::conv2d`].
pub fn conv2d(
    x: Tensor<4>,
    weight: Tensor<4>,
    bias: Option<Tensor<1>>,
    stride: usize,
    padding: usize,
) -> Tensor<4> {
    module::conv2d(
        x,
        weight,
        bias,
        ConvOptions::new([stride; 2], [padding; 2], [1; 2], 1),
    )
}

/// x · weight + bias; see [`crate::linear`].
pub fn linear<const D: usize>(
    x: Tensor<D>,
    weight: Tensor<2>,
    bias: Option<Tensor<1>>,
) -> Tensor<D> {
    module::linear(x, weight, bias)
}

/// Linear maps with SiLUs between them; see [`crate::mlp`].
pub fn mlp(x: Tensor<2>, layers: Vec<(Tensor<2>, Tensor<1>)>) -> Tensor<2> {
    let steps = layers.into_iter().enumerate();
    steps.fold(x, |h, (l, (w, b))| {
        linear(if l == 0 { h } else { silu(h) }, w, Some(b))
    })
}

/// One step of AdamW; see [`crate::adamw`].
pub fn adamw<const D: usize>(
    parameter: Tensor<D>,
    gradient: Tensor<D>,
    moments: Option<[Tensor<D>; 2]>,
    step: &crate::AdamwStep,
) -> (Tensor<D>, [Tensor<D>; 2]) {
    let s = step.numbers();
    let [first, second] = moments.unwrap_or_else(|| {
        let zeros = gradient.zeros_like();
        [zeros.clone(), zeros]
    });
    let first = first.mul_scalar(s.beta[0]) + gradient.clone().mul_scalar(s.rest[0]);
    let second = second.mul_scalar(s.beta[1]) + gradient.square().mul_scalar(s.rest[1]);
    let delta = first.clone().div_scalar(s.bias[0])
        / (second
            .clone()
            .div_scalar(s.bias[1])
            .sqrt()
            .add_scalar(s.epsilon));
    let parameter = parameter.mul_scalar(s.keep) - delta.mul_scalar(s.lr);
    (parameter, [first, second])
}

/// Σ x²; see [`crate::sum_of_squares`].
pub fn sum_of_squares<const D: usize>(x: Tensor<D>) -> f64 {
    x.square().sum().into_scalar::<f64>()
}

/// d · old + (1 − d) · new; see [`crate::blend`].
pub fn blend<const D: usize>(old: Tensor<D>, new: Tensor<D>, d: f64) -> Tensor<D> {
    old.mul_scalar(d) + new.mul_scalar(1.0 - d)
}

/// x σ(x); see [`crate::silu`].
pub fn silu<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    activation::silu(x)
}

/// Group normalisation, affine map, modulation and SiLU; see [`crate::group_norm_silu`].
pub fn group_norm_silu(
    x: Tensor<4>,
    gamma: Tensor<1>,
    beta: Tensor<1>,
    groups: usize,
    eps: f64,
    modulation: Option<(Tensor<2>, Tensor<2>)>,
    activate: bool,
) -> Tensor<4> {
    let [b, c, h, w] = x.dims();
    let x = x.reshape([b, groups, c / groups * h * w]);
    let x = x.clone() - x.mean_dim(2);
    let var = x.clone().square().mean_dim(2);
    let x = (x / (var + eps).sqrt()).reshape([b, c, h, w]);
    let x = x * gamma.reshape([1, c, 1, 1]) + beta.reshape([1, c, 1, 1]);
    let x = match modulation {
        Some((scale, shift)) => {
            x * (scale.reshape([b, c, 1, 1]) + 1.0) + shift.reshape([b, c, 1, 1])
        }
        None => x,
    };
    if activate { silu(x) } else { x }
}

/// Nearest-neighbour doubling; see [`crate::upsample2x`].
pub fn upsample2x(x: Tensor<4>) -> Tensor<4> {
    let [b, c, h, w] = x.dims();
    x.reshape([b, c, h, 1, w, 1])
        .expand([b, c, h, 2, w, 2])
        .reshape([b, c, 2 * h, 2 * w])
}
