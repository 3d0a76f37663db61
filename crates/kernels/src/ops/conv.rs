//! Convolution and what goes with it on images.

use super::zeros;
use crate::extension::FusedOps;
use crate::reference;
use crate::switch::is_fast;
use burn::backend::Dispatch;
use burn::tensor::Tensor;

/// Two-dimensional cross-correlation with zero padding, the same stride and padding on both axes.
///
/// y\[b,o,u,v\] = bias\[o\] + Σ_{c,i,j} weight\[o,c,i,j\] · x\[b,c, s·u + i − p, s·v + j − p\]
///
/// On the fast path most 3×3 kernels of stride one go through Winograd's F(4×4, 3×3): rounding is about twice that of the
/// direct sum, and a value that is not finite spoils the 4×4 tiles of outputs that see it.
///
/// # Shapes
/// - `x`: `[batch, in, h, w]`; `weight`: `[out, in, kh, kw]`; `bias`: `[out]`
/// - output: `[batch, out, (h + 2p − kh) / s + 1, (w + 2p − kw) / s + 1]`
///
/// # Panics
/// Where these shapes do not agree, the stride is zero or the kernel is larger than the padded image.
pub fn conv2d(
    x: Tensor<4>,
    weight: Tensor<4>,
    bias: Option<Tensor<1>>,
    stride: usize,
    padding: usize,
) -> Tensor<4> {
    let ([_, ci, h, w], [co, wi, kh, kw]) = (x.dims(), weight.dims());
    assert!(
        ci == wi,
        "conv2d: the weight {:?} takes {wi} channels, x {:?} has {ci}",
        weight.dims(),
        x.dims()
    );
    assert!(stride > 0, "conv2d: the stride must be at least 1");
    assert!(
        kh <= h + 2 * padding && kw <= w + 2 * padding,
        "conv2d: a {kh}×{kw} kernel does not fit in a {h}×{w} image padded by {padding}"
    );
    if let Some(bias) = &bias {
        assert!(
            bias.dims() == [co],
            "conv2d: the bias must have {co} values, got {:?}",
            bias.dims()
        );
    }
    if !(is_fast(&x) && is_fast(&weight) && bias.as_ref().is_none_or(is_fast)) {
        return reference::conv2d(x, weight, bias, stride, padding);
    }
    let bias = bias.unwrap_or_else(|| zeros(&x, [co]));
    let (x, weight, bias) = (
        x.into_dispatch(),
        weight.into_dispatch(),
        bias.into_dispatch(),
    );
    Tensor::from_dispatch(Dispatch::fused_conv2d(x, weight, bias, stride, padding))
}

/// Nearest-neighbour doubling of height and width: y\[.., 2i + a, 2j + b\] = x\[.., i, j\] for a, b ∈ {0, 1}.
///
/// # Shapes
/// - `x`: `[batch, channels, h, w]`
/// - output: `[batch, channels, 2h, 2w]`
pub fn upsample2x(x: Tensor<4>) -> Tensor<4> {
    if !is_fast(&x) {
        return reference::upsample2x(x);
    }
    Tensor::from_dispatch(Dispatch::fused_upsample2x(x.into_dispatch()))
}
