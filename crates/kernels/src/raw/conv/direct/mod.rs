//! The direct form, for every kernel, stride and padding: one gathered product ([`crate::raw::gemm`]) over a zero-framed
//! copy of an image, with output channels (or input channels, for the gradient of x) in the lanes. The zero frame takes
//! part in the sums as it does in an im2col, so `0 · inf` there is NaN.

mod forward;
mod frame;
mod grad_input;
mod grad_weight;

pub(crate) use forward::forward;
pub(crate) use grad_input::grad_input;
pub(crate) use grad_weight::grad_weight;

use super::Geometry;

/// Into how many parts the panels of one image are split, so that small batches fill the threads too.
fn parts_per_image(batch: usize, panels: usize) -> usize {
    let want = 2 * rayon::current_num_threads();
    want.div_ceil(batch.max(1)).min(panels)
}

/// The `i`-th of `n` nearly equal parts of `0 .. len`.
fn part(len: usize, i: usize, n: usize) -> std::ops::Range<usize> {
    len * i / n..len * (i + 1) / n
}
