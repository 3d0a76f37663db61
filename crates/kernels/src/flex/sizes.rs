//! What the kernels are told beside values: sizes and groups of tensors.

use super::tensors::{dims, rows, values};
use crate::extension::NormOptions;
use crate::raw::affine::Affine;
use crate::raw::conv::Geometry;
use crate::raw::mlp::{Layer, Plan};
use crate::raw::{Level, linear, norm};
use burn::backend::flex::FlexTensor;

pub(super) fn linear_sizes(x: &FlexTensor, weight: &FlexTensor) -> linear::Sizes {
    let [k, n] = dims(weight);
    linear::Sizes {
        rows: rows(x),
        k,
        n,
    }
}

pub(super) fn geometry(
    x: [usize; 4],
    weight: [usize; 4],
    stride: usize,
    padding: usize,
) -> Geometry {
    Geometry::new(x, weight, stride, padding).expect("conv2d checks that the kernel fits")
}

/// How a perceptron's work is cut, from its input and its weights and biases in turn.
pub(super) fn plan(x: &FlexTensor, layers: &[FlexTensor]) -> Plan {
    let [rows, inputs] = dims(x);
    let outputs = layers.chunks_exact(2).map(|l| l[1].layout().num_elements());
    let widths: Vec<usize> = std::iter::once(inputs).chain(outputs).collect();
    Plan::new(Level::best(), rows, &widths)
}

pub(super) fn views(layers: &[FlexTensor]) -> Vec<Layer<'_>> {
    let pairs = layers.chunks_exact(2);
    pairs
        .map(|l| Layer {
            weight: values(&l[0]),
            bias: values(&l[1]),
        })
        .collect()
}

pub(super) fn affine(inputs: &[FlexTensor; 5]) -> Affine<'_> {
    let [_, gamma, beta, scale, shift] = inputs.each_ref().map(values);
    Affine {
        gamma,
        beta,
        scale,
        shift,
    }
}

pub(super) fn norm_sizes([batch, channels, h, w]: [usize; 4], options: NormOptions) -> norm::Sizes {
    let NormOptions {
        groups,
        eps,
        activate,
    } = options;
    norm::Sizes {
        batch,
        channels,
        hw: h * w,
        groups,
        eps,
        activate,
    }
}
