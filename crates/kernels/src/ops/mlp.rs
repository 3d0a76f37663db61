//! A whole perceptron in one operation.

use super::{linear, silu};
use crate::extension::{FusedOps, Tensors};
use crate::reference;
use crate::switch::is_fast;
use burn::backend::Dispatch;
use burn::tensor::Tensor;

/// The most layers and the widest layer that [`mlp`] takes through its own kernel.
const MLP_LAYERS: usize = 8;
const MLP_WIDTH: usize = 128;

/// A multi-layer perceptron as one operation: y = silu(… silu(x W₁ + b₁) …) W_L + b_L, no activation after the last.
///
/// On the fast path blocks of rows go through all layers, forward and backward, while they are in cache. Networks of
/// more than 8 layers or with more than 128 features in one are done layer by layer.
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
