//! The public operations: shapes checked, path chosen.

use crate::extension::{FusedOps, NormOptions, Tensors};
use crate::reference;
use crate::switch::is_fast;
use burn::backend::Dispatch;
use burn::tensor::{DType, Tensor};

/// Zeros like an f32 tensor `like`, on its device: what a missing bias or modulation stands for.
fn zeros<const D: usize, const E: usize>(like: &Tensor<D>, shape: [usize; E]) -> Tensor<E> {
    Tensor::zeros(shape, (&like.device(), DType::F32))
}

/// Two-dimensional cross-correlation with zero padding, the same stride and padding on both axes.
///
/// y\[b,o,u,v\] = bias\[o\] + Σ_{c,i,j} weight\[o,c,i,j\] · x\[b,c, s·u + i − p, s·v + j − p\]
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

/// y = x · weight + bias.
///
/// # Shapes
/// - `x`: `[rows, in]`; `weight`: `[in, out]`, as burn stores it; `bias`: `[out]`
/// - output: `[rows, out]`
///
/// # Panics
/// Where these shapes do not agree.
pub fn linear(x: Tensor<2>, weight: Tensor<2>, bias: Option<Tensor<1>>) -> Tensor<2> {
    let ([_, k], [wk, n]) = (x.dims(), weight.dims());
    assert!(
        k == wk,
        "linear: the weight {:?} takes {wk} features, x {:?} has {k}",
        weight.dims(),
        x.dims()
    );
    if let Some(bias) = &bias {
        assert!(
            bias.dims() == [n],
            "linear: the bias must have {n} values, got {:?}",
            bias.dims()
        );
    }
    if !(is_fast(&x) && is_fast(&weight) && bias.as_ref().is_none_or(is_fast)) {
        return reference::linear(x, weight, bias);
    }
    let bias = bias.unwrap_or_else(|| zeros(&x, [n]));
    Tensor::from_dispatch(Dispatch::fused_linear(
        x.into_dispatch(),
        weight.into_dispatch(),
        bias.into_dispatch(),
    ))
}

/// The most layers and the widest layer that [`mlp`] takes through its own kernel.
const MLP_LAYERS: usize = 8;
const MLP_WIDTH: usize = 512;

/// A multi-layer perceptron as one operation: y = silu(… silu(x W₁ + b₁) …) W_L + b_L, no activation after the last.
///
/// On the fast path blocks of rows go through all layers, forward and backward, while they are in cache. Networks of
/// more than 8 layers or with more than 512 features in one are done layer by layer.
///
/// # Shapes
/// - `x`: `[rows, n₀]`; layer l: weight `[nₗ₋₁, nₗ]` and bias `[nₗ]`
/// - output: `[rows, n_L]`
///
/// # Panics
/// Where these shapes do not agree or there is no layer.
pub fn mlp(x: Tensor<2>, layers: Vec<(Tensor<2>, Tensor<1>)>) -> Tensor<2> {
    assert!(!layers.is_empty(), "mlp: at least one layer is needed");
    let mut width = x.dims()[1];
    for (l, (weight, bias)) in layers.iter().enumerate() {
        let [k, n] = weight.dims();
        assert!(
            k == width && bias.dims() == [n],
            "mlp: layer {l} is given {width} features; its weight is [{k}, {n}], its bias {:?}",
            bias.dims()
        );
        width = n;
    }
    let fast = is_fast(&x) && layers.iter().all(|(w, b)| is_fast(w) && is_fast(b));
    if !fast {
        return reference::mlp(x, layers);
    }
    let widest = layers.iter().flat_map(|(w, _)| w.dims()).max().unwrap_or(0);
    if layers.len() > MLP_LAYERS || widest > MLP_WIDTH {
        let mut layers = layers.into_iter();
        let (w, b) = layers.next().expect("there is a layer");
        return layers.fold(linear(x, w, Some(b)), |h, (w, b)| {
            linear(silu(h), w, Some(b))
        });
    }
    let layers = layers
        .into_iter()
        .flat_map(|(w, b)| [w.into_dispatch(), b.into_dispatch()]);
    Tensor::from_dispatch(Dispatch::fused_mlp(
        x.into_dispatch(),
        Tensors(layers.collect()),
    ))
}

/// SiLU, x σ(x) with σ(x) = 1 / (1 + e⁻ˣ) (Elfwing et al. 2018, arXiv:1702.03118).
pub fn silu<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    if !is_fast(&x) {
        return reference::silu(x);
    }
    Tensor::from_dispatch(Dispatch::fused_silu(x.into_dispatch()))
}

/// Group normalisation (Wu and He 2018, arXiv:1803.08494), affine map, optional modulation and optional SiLU in one
/// operation:
///
/// y = f( (x̂ · gamma + beta) · (1 + scale) + shift ), x̂ = (x − μ) / √(var + eps)
///
/// with μ and the (biased) variance over the positions and the channels of a group, and f the SiLU if `activate`.
///
/// # Shapes
/// - `x`: `[batch, channels, h, w]`; `gamma`, `beta`: `[channels]`
/// - `modulation`: scale and shift, each `[batch, channels]`
/// - output: as `x`
///
/// # Panics
/// Where these shapes do not agree or `groups` does not divide the channels.
pub fn group_norm_silu(
    x: Tensor<4>,
    gamma: Tensor<1>,
    beta: Tensor<1>,
    groups: usize,
    eps: f64,
    modulation: Option<(Tensor<2>, Tensor<2>)>,
    activate: bool,
) -> Tensor<4> {
    let [b, c, _, _] = x.dims();
    assert!(
        groups > 0 && c % groups == 0,
        "group_norm_silu: {groups} groups do not divide {c} channels"
    );
    assert!(
        gamma.dims() == [c] && beta.dims() == [c],
        "group_norm_silu: gamma and beta must have {c} values, got {:?} and {:?}",
        gamma.dims(),
        beta.dims()
    );
    if let Some((scale, shift)) = &modulation {
        assert!(
            scale.dims() == [b, c] && shift.dims() == [b, c],
            "group_norm_silu: scale and shift must be [{b}, {c}], got {:?} and {:?}",
            scale.dims(),
            shift.dims()
        );
    }
    let fast = is_fast(&x)
        && is_fast(&gamma)
        && is_fast(&beta)
        && modulation
            .as_ref()
            .is_none_or(|(scale, shift)| is_fast(scale) && is_fast(shift));
    if !fast {
        return reference::group_norm_silu(x, gamma, beta, groups, eps, modulation, activate);
    }
    // Zeros leave the bits as they are: 1 + 0 = 1.
    let (scale, shift) = modulation.unwrap_or_else(|| (zeros(&x, [b, c]), zeros(&x, [b, c])));
    Tensor::from_dispatch(Dispatch::fused_group_norm(
        x.into_dispatch(),
        gamma.into_dispatch(),
        beta.into_dispatch(),
        scale.into_dispatch(),
        shift.into_dispatch(),
        NormOptions {
            groups,
            eps,
            activate,
        },
    ))
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
