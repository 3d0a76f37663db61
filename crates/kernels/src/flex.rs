//! The operations on burn's `flex` CPU backend: tensors to slices, kernels, slices to tensors.

use crate::extension::{FusedGrads, FusedOps, NormOptions, Tensors, Updates};
use crate::raw::conv::{self, Geometry};
use crate::raw::mlp::{self, Layer, Plan};
use crate::raw::norm::{self, Affine};
use crate::raw::scratch::unfilled;
use crate::raw::{Level, adamw, linear, silu, upsample};
use burn::backend::Flex;
use burn::backend::flex::{FlexTensor, Layout};
use burn::tensor::{Bytes, DType, Shape};

/// A tensor from values in row-major order.
fn tensor<const D: usize>(values: Vec<f32>, shape: [usize; D]) -> FlexTensor {
    FlexTensor::new(
        Bytes::from_elems(values),
        Layout::contiguous(Shape::from(shape)),
        DType::F32,
    )
}

/// A tensor of the shape of `t`.
fn like(values: Vec<f32>, t: &FlexTensor) -> FlexTensor {
    FlexTensor::new(
        Bytes::from_elems(values),
        Layout::contiguous(t.layout().shape().clone()),
        DType::F32,
    )
}

/// The sizes of a tensor of rank `D`.
fn dims<const D: usize>(t: &FlexTensor) -> [usize; D] {
    std::array::from_fn(|i| t.layout().shape()[i])
}

/// The tensor in row-major order; a view is copied, an ordinary tensor is passed on, so that it stays sole owner.
fn row_major(t: FlexTensor) -> FlexTensor {
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
fn values(t: &FlexTensor) -> &[f32] {
    let values = t
        .as_slice()
        .expect("an f32 tensor that row_major made contiguous");
    &values[..t.layout().num_elements()]
}

/// The size of the last axis.
fn width(t: &FlexTensor) -> usize {
    *t.layout().shape().last().expect("an axis")
}

/// How many rows there are along the last axis.
fn rows(t: &FlexTensor) -> usize {
    t.layout().num_elements() / width(t)
}

/// A tensor of the shape of `t` but for its last axis, which has `n` values.
fn last_axis(values: Vec<f32>, t: &FlexTensor, n: usize) -> FlexTensor {
    let mut shape = t.layout().shape().clone();
    *shape.last_mut().expect("an axis") = n;
    FlexTensor::new(
        Bytes::from_elems(values),
        Layout::contiguous(shape),
        DType::F32,
    )
}

fn linear_sizes(x: &FlexTensor, weight: &FlexTensor) -> linear::Sizes {
    let [k, n] = dims(weight);
    linear::Sizes {
        rows: rows(x),
        k,
        n,
    }
}

fn geometry(x: [usize; 4], weight: [usize; 4], stride: usize, padding: usize) -> Geometry {
    Geometry::new(x, weight, stride, padding).expect("conv2d checks that the kernel fits")
}

impl FusedOps for Flex {
    fn fused_conv2d(
        x: FlexTensor,
        weight: FlexTensor,
        bias: FlexTensor,
        stride: usize,
        padding: usize,
    ) -> FlexTensor {
        let (x, weight, bias) = (row_major(x), row_major(weight), row_major(bias));
        let g = geometry(dims(&x), dims(&weight), stride, padding);
        let y = conv::forward(
            Level::best(),
            values(&x),
            values(&weight),
            Some(values(&bias)),
            &g,
        );
        tensor(y, [g.batch, g.co, g.oh, g.ow])
    }

    fn fused_linear(x: FlexTensor, weight: FlexTensor, bias: FlexTensor) -> FlexTensor {
        let (x, weight, bias) = (row_major(x), row_major(weight), row_major(bias));
        let y = linear::forward(
            Level::best(),
            values(&x),
            values(&weight),
            Some(values(&bias)),
            linear_sizes(&x, &weight),
        );
        last_axis(y, &x, dims::<2>(&weight)[1])
    }

    fn fused_mlp(x: FlexTensor, layers: Tensors<Self>) -> FlexTensor {
        let (x, layers) = (
            row_major(x),
            layers.0.into_iter().map(row_major).collect::<Vec<_>>(),
        );
        let plan = plan(&x, &layers);
        let outputs = layers[layers.len() - 1].layout().num_elements();
        let y = mlp::forward(&plan, values(&x), &views(&layers), None);
        tensor(y, [dims::<2>(&x)[0], outputs])
    }

    fn fused_silu(x: FlexTensor) -> FlexTensor {
        let mut x = row_major(x);
        if x.layout().is_dense_unique_storage()
            && let Some(x_mut) = x.try_storage_mut::<f32>()
        {
            silu::forward_in_place(Level::best(), x_mut);
            return x;
        }
        let y = silu::forward(Level::best(), values(&x));
        FlexTensor::new(
            Bytes::from_elems(y),
            Layout::contiguous(x.layout().shape().clone()),
            DType::F32,
        )
    }

    fn fused_group_norm(
        x: FlexTensor,
        gamma: FlexTensor,
        beta: FlexTensor,
        scale: FlexTensor,
        shift: FlexTensor,
        options: NormOptions,
    ) -> FlexTensor {
        let inputs = [x, gamma, beta, scale, shift].map(row_major);
        let shape = dims(&inputs[0]);
        tensor(
            norm::forward(
                Level::best(),
                values(&inputs[0]),
                affine(&inputs),
                &norm_sizes(shape, options),
            ),
            shape,
        )
    }

    fn fused_upsample2x(x: FlexTensor) -> FlexTensor {
        let x = row_major(x);
        let [b, c, h, w] = dims(&x);
        tensor(
            upsample::forward(Level::best(), values(&x), w),
            [b, c, 2 * h, 2 * w],
        )
    }
}

/// How a perceptron's work is cut, from its input and its weights and biases in turn.
fn plan(x: &FlexTensor, layers: &[FlexTensor]) -> Plan {
    let [rows, inputs] = dims(x);
    let outputs = layers.chunks_exact(2).map(|l| l[1].layout().num_elements());
    let widths: Vec<usize> = std::iter::once(inputs).chain(outputs).collect();
    Plan::new(Level::best(), rows, &widths)
}

fn views(layers: &[FlexTensor]) -> Vec<Layer<'_>> {
    let pairs = layers.chunks_exact(2);
    pairs
        .map(|l| Layer {
            weight: values(&l[0]),
            bias: values(&l[1]),
        })
        .collect()
}

fn affine(inputs: &[FlexTensor; 5]) -> Affine<'_> {
    let [_, gamma, beta, scale, shift] = inputs.each_ref().map(values);
    Affine {
        gamma,
        beta,
        scale,
        shift,
    }
}

fn norm_sizes([batch, channels, h, w]: [usize; 4], options: NormOptions) -> norm::Sizes {
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

impl FusedGrads for Flex {
    fn conv2d_grad_x(
        weight: FlexTensor,
        dy: FlexTensor,
        shape: [usize; 4],
        stride: usize,
        padding: usize,
    ) -> FlexTensor {
        let (weight, dy) = (row_major(weight), row_major(dy));
        let g = geometry(shape, dims(&weight), stride, padding);
        tensor(
            conv::grad_input(Level::best(), values(&weight), values(&dy), &g),
            shape,
        )
    }

    fn conv2d_grad_weight(
        x: FlexTensor,
        dy: FlexTensor,
        shape: [usize; 4],
        stride: usize,
        padding: usize,
    ) -> FlexTensor {
        let (x, dy) = (row_major(x), row_major(dy));
        let g = geometry(dims(&x), shape, stride, padding);
        tensor(
            conv::grad_weight(Level::best(), values(&x), values(&dy), &g),
            shape,
        )
    }

    fn conv2d_grad_bias(dy: FlexTensor) -> FlexTensor {
        let dy = row_major(dy);
        let [batch, co, oh, ow] = dims(&dy);
        tensor(
            conv::grad_bias(Level::best(), values(&dy), [batch, co, oh * ow]),
            [co],
        )
    }

    fn linear_grad_x(weight: FlexTensor, dy: FlexTensor) -> FlexTensor {
        let (weight, dy) = (row_major(weight), row_major(dy));
        let [k, n] = dims(&weight);
        let sizes = linear::Sizes {
            rows: rows(&dy),
            k,
            n,
        };
        let dx = linear::grad_input(Level::best(), values(&weight), values(&dy), sizes);
        last_axis(dx, &dy, k)
    }

    fn linear_grad_weight(x: FlexTensor, dy: FlexTensor) -> FlexTensor {
        let (x, dy) = (row_major(x), row_major(dy));
        let (k, n) = (width(&x), width(&dy));
        let sizes = linear::Sizes {
            rows: rows(&x),
            k,
            n,
        };
        let dw = linear::grad_weight(Level::best(), values(&x), values(&dy), sizes);
        tensor(dw, [k, n])
    }

    fn linear_grad_bias(dy: FlexTensor) -> FlexTensor {
        let dy = row_major(dy);
        let n = width(&dy);
        tensor(linear::grad_bias(values(&dy), n), [n])
    }

    fn mlp_with_tape(x: FlexTensor, layers: Vec<FlexTensor>) -> (FlexTensor, FlexTensor) {
        let (x, layers) = (
            row_major(x),
            layers.into_iter().map(row_major).collect::<Vec<_>>(),
        );
        let plan = plan(&x, &layers);
        let outputs = layers[layers.len() - 1].layout().num_elements();
        let mut tape = unfilled(plan.tape_len());
        let y = mlp::forward(&plan, values(&x), &views(&layers), Some(&mut tape));
        let tape_len = tape.len();
        (
            tensor(y, [dims::<2>(&x)[0], outputs]),
            tensor(tape, [tape_len]),
        )
    }

    fn mlp_grads(
        x: FlexTensor,
        layers: Vec<FlexTensor>,
        tape: FlexTensor,
        dy: FlexTensor,
        wants: [bool; 2],
    ) -> (Option<FlexTensor>, Vec<FlexTensor>) {
        let (x, dy) = (row_major(x), row_major(dy));
        let layers: Vec<FlexTensor> = layers.into_iter().map(row_major).collect();
        let plan = plan(&x, &layers);
        let grads = mlp::backward(
            &plan,
            values(&x),
            &views(&layers),
            values(&tape),
            values(&dy),
            wants,
        );
        let dx = grads.x.map(|dx| tensor(dx, dims::<2>(&x)));
        let pairs = grads.layers.into_iter().zip(layers.chunks_exact(2));
        let layers = pairs.flat_map(|((dw, db), l)| {
            let [k, n] = dims(&l[0]);
            [tensor(dw, [k, n]), tensor(db, [n])]
        });
        (dx, layers.collect())
    }

    fn silu_grad(x: FlexTensor, dy: FlexTensor) -> FlexTensor {
        let (x, dy) = (row_major(x), row_major(dy));
        let dx = silu::backward(Level::best(), values(&x), values(&dy));
        FlexTensor::new(
            Bytes::from_elems(dx),
            Layout::contiguous(x.layout().shape().clone()),
            DType::F32,
        )
    }

    fn group_norm_grads(
        inputs: [FlexTensor; 5],
        dy: FlexTensor,
        options: NormOptions,
    ) -> [FlexTensor; 5] {
        let (inputs, dy) = (inputs.map(row_major), row_major(dy));
        let shape @ [b, c, _, _] = dims(&inputs[0]);
        let sizes = norm_sizes(shape, options);
        let g = norm::backward(
            Level::best(),
            values(&inputs[0]),
            values(&dy),
            affine(&inputs),
            &sizes,
        );
        [
            tensor(g.x, shape),
            tensor(g.gamma, [c]),
            tensor(g.beta, [c]),
            tensor(g.scale, [b, c]),
            tensor(g.shift, [b, c]),
        ]
    }

    fn upsample2x_grad(dy: FlexTensor) -> FlexTensor {
        let dy = row_major(dy);
        let [b, c, h, w] = dims(&dy);
        tensor(
            upsample::backward(Level::best(), values(&dy), w / 2),
            [b, c, h / 2, w / 2],
        )
    }
}

impl Updates for Flex {
    fn fused_adamw(
        parameter: FlexTensor,
        gradient: FlexTensor,
        first: FlexTensor,
        second: FlexTensor,
        step: adamw::Step,
    ) -> (FlexTensor, FlexTensor, FlexTensor) {
        let old = [parameter, gradient, first, second].map(row_major);
        let new = adamw::adamw(Level::best(), &step, old.each_ref().map(values));
        let [parameter, first, second] = new.map(|v| like(v, &old[0]));
        (parameter, first, second)
    }

    fn fused_blend(old: FlexTensor, new: FlexTensor, keep: f32, take: f32) -> FlexTensor {
        let (old, new) = (row_major(old), row_major(new));
        like(
            adamw::blend(Level::best(), values(&old), values(&new), keep, take),
            &old,
        )
    }
}
