use super::forward::linear_then;
use super::sizes::{affine, geometry, norm_sizes, plan, views};
use super::tensors::{dims, last_axis, like, row_major, rows, tensor, values, width};
use super::transformer;
use crate::extension::{FusedGrads, KeyLengths, NormOptions, TokenNormOptions};
use crate::raw::activation::{self, Curve};
use crate::raw::scratch::{Shared, unfilled};
use crate::raw::{Level, conv, linear, mlp, norm, upsample};
use burn::backend::Flex;
use burn::backend::flex::FlexTensor;

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
        tensor(linear::grad_bias(Level::best(), values(&dy), n), [n])
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

    fn linear_with_tape(
        x: FlexTensor,
        weight: FlexTensor,
        bias: FlexTensor,
        curve: Curve,
    ) -> (FlexTensor, FlexTensor) {
        let (level, length) = (Level::best(), rows(&x) * dims::<2>(&weight)[1]);
        let mut y = unfilled(length);
        let shared = Shared::new(&mut y);
        let z = linear_then(x, weight, bias, &|at, z| {
            // SAFETY: the blocks of rows do not overlap.
            activation::map(level, curve, z, unsafe { shared.part(at, z.len()) });
        });
        (like(y, &z), z)
    }

    fn activation_grad(x: FlexTensor, dy: FlexTensor, curve: Curve) -> FlexTensor {
        let (x, dy) = (row_major(x), row_major(dy));
        let dx = activation::backward(Level::best(), curve, values(&x), values(&dy));
        like(dx, &x)
    }

    fn attention_with_tape(
        q: FlexTensor,
        k: FlexTensor,
        v: FlexTensor,
        lengths: &KeyLengths,
    ) -> (FlexTensor, FlexTensor) {
        transformer::attention(q, k, v, lengths)
    }

    fn attention_grads(
        inputs: [FlexTensor; 3],
        output: FlexTensor,
        tape: FlexTensor,
        dy: FlexTensor,
        lengths: &KeyLengths,
    ) -> [FlexTensor; 3] {
        transformer::attention_grads(inputs, &output, &tape, dy, lengths)
    }

    fn self_attention_with_tape(qkv: FlexTensor, heads: usize) -> (FlexTensor, FlexTensor) {
        transformer::self_attention(qkv, heads)
    }

    fn self_attention_grad(
        qkv: FlexTensor,
        output: FlexTensor,
        tape: FlexTensor,
        dy: FlexTensor,
        heads: usize,
    ) -> FlexTensor {
        transformer::self_attention_grad(qkv, &output, &tape, dy, heads)
    }

    fn token_norm_grads(
        inputs: [FlexTensor; 5],
        dy: FlexTensor,
        options: TokenNormOptions,
    ) -> [FlexTensor; 5] {
        transformer::token_norm_grads(inputs, dy, options)
    }

    fn gated_add_grads(h: FlexTensor, gate: FlexTensor, dy: FlexTensor) -> [FlexTensor; 2] {
        transformer::gated_add_grads(h, gate, dy)
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

    fn rotary_grad(dy: FlexTensor, cos: FlexTensor, sin: FlexTensor) -> FlexTensor {
        transformer::rotary([dy, cos, sin], true)
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
