//! Fused tensor operations for the CPU, each with a plain-burn reference.
//!
//! Every function here takes the fast path where all of its tensors are f32 and lie on burn's `flex` CPU device
//! (with or without autodiff), and runs plain burn operations everywhere else; the plain forms are public in
//! [`reference`](mod@reference). Networks call these functions in place of burn's layers.
//!
//! On the fast path:
//! - the bits of a result and of every gradient do not depend on the number of threads;
//! - the bits of one sample's result do not depend on the batch it is in;
//! - AVX-512, AVX2 with FMA or portable code is chosen at run time ([`simd_level`]).
//!
//! Shapes that do not fit panic with what was expected and what was given, as burn's own operations do.
//!
//! ```
//! use burn::tensor::{Device, Tensor};
//! let device = Device::flex();
//! let x = Tensor::<4>::ones([2, 3, 8, 8], &device);
//! let weight = Tensor::<4>::ones([16, 3, 3, 3], &device);
//! let y = fokker_kernels::conv2d(x, weight, None, 1, 1);
//! assert_eq!(y.dims(), [2, 16, 8, 8]);
//! ```

mod autodiff;
mod extension;
mod flex;
mod ops;
mod raw;
mod switch;
mod updates;

pub mod reference;

pub use ops::{
    Activation, SiluAt, TokenNorm, attention, attention_within, batch_norm, batch_norm_train,
    bilinear2x, conv2d, gated_add, gelu, gelu_erf, group_norm_silu, linear, linear_act, mlp,
    rotary, self_attention, silu, token_norm, upsample2x,
};
pub use switch::{simd_level, use_reference};
pub use updates::{AdamwStep, adamw, blend, sum_of_squares};
