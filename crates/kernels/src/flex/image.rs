//! Batch normalisation and bilinear doubling.

use super::tensors::{dims, row_major, tensor, values};
use crate::extension::image::{BatchNormOptions, ImageGrads, ImageOps, Statistics};
use crate::raw::batch_norm::{self, Sizes, Vectors};
use crate::raw::{Level, bilinear};
use burn::backend::Flex;
use burn::backend::flex::FlexTensor;

fn sizes(x: &FlexTensor, options: BatchNormOptions) -> Sizes {
    let [_, channels, h, w] = dims(x);
    Sizes {
        channels,
        hw: h * w,
        eps: options.eps,
        before: options.before,
        training: options.training,
    }
}

fn vectors<'a>(
    [shift, gamma, beta, statistics]: [&'a FlexTensor; 4],
    channels: usize,
) -> Vectors<'a> {
    let (mean, var) = values(statistics).split_at(channels);
    Vectors {
        shift: values(shift),
        gamma: values(gamma),
        beta: values(beta),
        mean,
        var,
    }
}

impl ImageOps for Flex {
    fn fused_batch_norm(
        x: FlexTensor,
        shift: FlexTensor,
        gamma: FlexTensor,
        beta: FlexTensor,
        statistics: FlexTensor,
        options: BatchNormOptions,
    ) -> FlexTensor {
        let [x, shift, gamma, beta, statistics] =
            [x, shift, gamma, beta, statistics].map(row_major);
        let s = sizes(&x, options);
        let vectors = vectors([&shift, &gamma, &beta, &statistics], s.channels);
        let y = batch_norm::forward(Level::best(), values(&x), vectors, &s);
        tensor(y, dims::<4>(&x))
    }

    fn fused_bilinear2x(x: FlexTensor) -> FlexTensor {
        let x = row_major(x);
        let [b, c, h, w] = dims(&x);
        let y = bilinear::forward(Level::best(), values(&x), [h, w]);
        tensor(y, [b, c, 2 * h, 2 * w])
    }
}

impl Statistics for Flex {
    fn channel_moments(x: FlexTensor, shift: FlexTensor, before: bool) -> FlexTensor {
        let [x, shift] = [x, shift].map(row_major);
        let options = BatchNormOptions {
            eps: 0.0,
            before,
            training: true,
        };
        let s = sizes(&x, options);
        let found = batch_norm::moments(Level::best(), values(&x), values(&shift), &s);
        tensor(found, [2 * s.channels])
    }
}

impl ImageGrads for Flex {
    fn batch_norm_grads(
        inputs: [FlexTensor; 5],
        dy: FlexTensor,
        options: BatchNormOptions,
    ) -> [FlexTensor; 4] {
        let ([x, shift, gamma, beta, statistics], dy) = (inputs.map(row_major), row_major(dy));
        let s = sizes(&x, options);
        let vectors = vectors([&shift, &gamma, &beta, &statistics], s.channels);
        let g = batch_norm::backward(Level::best(), values(&x), values(&dy), vectors, &s);
        [
            tensor(g.x, dims::<4>(&x)),
            tensor(g.shift, dims::<2>(&shift)),
            tensor(g.gamma, [s.channels]),
            tensor(g.beta, [s.channels]),
        ]
    }

    fn bilinear2x_grad(dy: FlexTensor) -> FlexTensor {
        let dy = row_major(dy);
        let [b, c, h, w] = dims(&dy);
        let (h, w) = (h / 2, w / 2);
        let dx = bilinear::backward(Level::best(), values(&dy), [h, w]);
        tensor(dx, [b, c, h, w])
    }
}
