//! The kernels on plain slices: no tensor types, no autodiff.
//!
//! Every function takes the [`Level`] it runs at, so that a test can run each level the processor has. No result
//! depends on the number of threads: work is split over outputs, never over the terms of one sum.

pub(crate) mod activation;
pub(crate) mod adamw;
pub(crate) mod affine;
pub(crate) mod attention;
pub(crate) mod batch_norm;
pub(crate) mod bilinear;
pub(crate) mod conv;
pub(crate) mod exp;
pub(crate) mod gated;
pub(crate) mod gemm;
pub(crate) mod lanes;
pub(crate) mod level;
pub(crate) mod linear;
pub(crate) mod mlp;
pub(crate) mod norm;
pub(crate) mod pack;
pub(crate) mod rotary;
pub(crate) mod rows;
pub(crate) mod scratch;
pub(crate) mod tile;
pub(crate) mod token_norm;
pub(crate) mod transpose;
pub(crate) mod upsample;

pub(crate) use level::Level;
