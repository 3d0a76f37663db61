//! The public operations: shapes checked, path chosen.

mod activation;
mod attention;
mod batch_norm;
mod bilinear;
mod conv;
mod group_norm;
mod linear;
mod mlp;
mod tokens;

pub use activation::{gelu, gelu_erf, silu};
pub use attention::{attention, attention_within, self_attention};
pub use batch_norm::{SiluAt, batch_norm, batch_norm_train};
pub use bilinear::bilinear2x;
pub use conv::{conv2d, upsample2x};
pub use group_norm::group_norm_silu;
pub use linear::{Activation, linear, linear_act};
pub use mlp::mlp;
pub use tokens::{TokenNorm, gated_add, rotary, token_norm};

use burn::tensor::{DType, Tensor};

/// Zeros like an f32 tensor `like`, on its device: what a missing bias or modulation stands for.
fn zeros<const D: usize, const E: usize>(like: &Tensor<D>, shape: [usize; E]) -> Tensor<E> {
    Tensor::zeros(shape, (&like.device(), DType::F32))
}

/// Ones like an f32 tensor `like`, on its device: what a missing factor stands for.
fn ones<const D: usize, const E: usize>(like: &Tensor<D>, shape: [usize; E]) -> Tensor<E> {
    Tensor::ones(shape, (&like.device(), DType::F32))
}
