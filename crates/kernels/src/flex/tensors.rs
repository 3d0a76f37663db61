//! Between burn's tensors and slices.

use burn::backend::flex::{FlexTensor, Layout};
use burn::tensor::{Bytes, DType, Shape};

/// A tensor from values in row-major order.
pub(super) fn tensor<const D: usize>(values: Vec<f32>, shape: [usize; D]) -> FlexTensor {
    FlexTensor::new(
        Bytes::from_elems(values),
        Layout::contiguous(Shape::from(shape)),
        DType::F32,
    )
}

/// A tensor of the shape of `t`.
pub(super) fn like(values: Vec<f32>, t: &FlexTensor) -> FlexTensor {
    FlexTensor::new(
        Bytes::from_elems(values),
        Layout::contiguous(t.layout().shape().clone()),
        DType::F32,
    )
}

/// The sizes of a tensor of rank `D`.
pub(super) fn dims<const D: usize>(t: &FlexTensor) -> [usize; D] {
    std::array::from_fn(|i| t.layout().shape()[i])
}

/// The tensor in row-major order; a view is copied, an ordinary tensor is passed on, so that it stays sole owner.
pub(super) fn row_major(t: FlexTensor) -> FlexTensor {
    let layout = t.layout();
    if layout.contiguous_offsets().is_some() {
        return t;
    }
    // The gradient of a sum is one value seen through strides of zero; burn copies such a view value by value.
    if layout.strides().iter().all(|&s| s == 0) {
        let value = t.storage::<f32>()[layout.start_offset()];
        return FlexTensor::filled_typed(layout.shape().clone(), DType::F32, value);
    }
    t.to_contiguous()
}

/// The values of a tensor that is in row-major order.
pub(super) fn values(t: &FlexTensor) -> &[f32] {
    let values = t
        .as_slice()
        .expect("an f32 tensor that row_major made contiguous");
    &values[..t.layout().num_elements()]
}

/// The values of a tensor in row-major order that nobody else looks at: a result may be written over them. A part of a
/// larger memory is not meant: its storage is the whole.
pub(super) fn sole_values(t: &mut FlexTensor) -> Option<&mut [f32]> {
    let n = t.layout().num_elements();
    if t.layout().contiguous_offsets() != Some((0, n)) {
        return None;
    }
    t.try_storage_mut::<f32>()
        .filter(|values| values.len() == n)
}

/// The size of the last axis.
pub(super) fn width(t: &FlexTensor) -> usize {
    *t.layout().shape().last().expect("an axis")
}

/// How many rows there are along the last axis.
pub(super) fn rows(t: &FlexTensor) -> usize {
    t.layout().num_elements() / width(t)
}

/// A tensor of the shape of `t` but for its last axis, which has `n` values.
pub(super) fn last_axis(values: Vec<f32>, t: &FlexTensor, n: usize) -> FlexTensor {
    let mut shape = t.layout().shape().clone();
    *shape.last_mut().expect("an axis") = n;
    FlexTensor::new(
        Bytes::from_elems(values),
        Layout::contiguous(shape),
        DType::F32,
    )
}
