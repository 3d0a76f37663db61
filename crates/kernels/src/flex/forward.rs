use super::sizes::{affine, geometry, linear_sizes, norm_sizes, plan, views};
use super::tensors::{dims, last_axis, like, row_major, sole_values, tensor, values};
use super::transformer;
use crate::extension::{FusedOps, KeyLengths, NormOptions, Tensors, TokenNormOptions};
use crate::raw::activation::{self, Curve};
use crate::raw::{Level, conv, linear, mlp, norm, upsample};
use burn::backend::Flex;
use burn::backend::flex::FlexTensor;

/// The linear map, with something done to its blocks of rows.
pub(super) fn linear_then(
    x: FlexTensor,
    weight: FlexTensor,
    bias: FlexTensor,
    after: linear::After<'_>,
) -> FlexTensor {
    let (x, weight, bias) = (row_major(x), row_major(weight), row_major(bias));
    let y = linear::forward(
        Level::best(),
        values(&x),
        values(&weight),
        Some(values(&bias)),
        linear_sizes(&x, &weight),
        after,
    );
    last_axis(y, &x, dims::<2>(&weight)[1])
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
        linear_then(x, weight, bias, &|_, _| ())
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

    fn fused_activation(x: FlexTensor, curve: Curve) -> FlexTensor {
        let mut x = row_major(x);
        match sole_values(&mut x) {
            Some(x) => activation::forward_in_place(Level::best(), curve, x),
            None => {
                let y = activation::forward(Level::best(), curve, values(&x));
                return like(y, &x);
            }
        }
        x
    }

    fn fused_linear_act(
        x: FlexTensor,
        weight: FlexTensor,
        bias: FlexTensor,
        curve: Curve,
    ) -> FlexTensor {
        linear_then(x, weight, bias, &|_, y| {
            activation::map_in_place(Level::best(), curve, y)
        })
    }

    fn fused_attention(
        q: FlexTensor,
        k: FlexTensor,
        v: FlexTensor,
        lengths: KeyLengths,
    ) -> FlexTensor {
        transformer::attention(q, k, v, &lengths).0
    }

    fn fused_self_attention(qkv: FlexTensor, heads: usize) -> FlexTensor {
        transformer::self_attention(qkv, heads).0
    }

    fn fused_token_norm(
        x: FlexTensor,
        gamma: FlexTensor,
        beta: FlexTensor,
        scale: FlexTensor,
        shift: FlexTensor,
        options: TokenNormOptions,
    ) -> FlexTensor {
        transformer::token_norm([x, gamma, beta, scale, shift], options)
    }

    fn fused_gated_add(x: FlexTensor, h: FlexTensor, gate: FlexTensor) -> FlexTensor {
        transformer::gated_add(x, h, gate)
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

    fn fused_rotary(x: FlexTensor, cos: FlexTensor, sin: FlexTensor) -> FlexTensor {
        transformer::rotary([x, cos, sin], false)
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
