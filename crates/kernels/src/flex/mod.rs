//! The operations on burn's `flex` CPU backend: tensors to slices, kernels, slices to tensors.

mod forward;
mod grads;
mod image;
mod sizes;
mod tensors;
mod transformer;
mod updates;
