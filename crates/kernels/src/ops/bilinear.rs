//! Bilinear up-sampling.

use crate::extension::image::ImageOps;
use crate::reference;
use crate::switch::is_fast;
use burn::backend::Dispatch;
use burn::tensor::Tensor;

/// Bilinear doubling of height and width, pixel centres half a pixel off the edges (PyTorch's `align_corners=False`).
///
/// Along each axis y\[2i\] = ¼ x\[i − 1\] + ¾ x\[i\] and y\[2i + 1\] = ¾ x\[i\] + ¼ x\[i + 1\], the edges repeated.
///
/// # Shapes
/// - `x`: `[batch, channels, h, w]`
/// - output: `[batch, channels, 2h, 2w]`
///
/// # Panics
/// Where the height or the width is zero.
pub fn bilinear2x(x: Tensor<4>) -> Tensor<4> {
    let [_, _, h, w] = x.dims();
    assert!(h > 0 && w > 0, "bilinear2x: expected pixels, got {h}×{w}");
    if !is_fast(&x) {
        return reference::bilinear2x(x);
    }
    Tensor::from_dispatch(Dispatch::fused_bilinear2x(x.into_dispatch()))
}
