//! Batch normalisation.

use super::silu;
use crate::SiluAt;
use burn::tensor::Tensor;

/// x + shift, and its SiLU where that comes first: what is normalised.
fn normalised_input(x: Tensor<4>, shift: Option<Tensor<2>>, at: SiluAt) -> Tensor<4> {
    let [b, c, _, _] = x.dims();
    let x = match shift {
        Some(shift) => x + shift.reshape([b, c, 1, 1]),
        None => x,
    };
    match at {
        SiluAt::Before => silu(x),
        SiluAt::After => x,
    }
}

/// The mean and the biased variance of every channel, `[channels]` each.
fn moments(x: Tensor<4>) -> (Tensor<1>, Tensor<1>) {
    let [b, c, h, w] = x.dims();
    let x = x.swap_dims(0, 1).reshape([c, b * h * w]);
    let mean = x.clone().mean_dim(1);
    let var = (x - mean.clone()).square().mean_dim(1);
    (mean.reshape([c]), var.reshape([c]))
}

fn normalise(
    x: Tensor<4>,
    [gamma, beta, mean, var]: [Tensor<1>; 4],
    eps: f64,
    at: SiluAt,
) -> Tensor<4> {
    let c = gamma.dims()[0];
    let wide = |t: Tensor<1>| t.reshape([1, c, 1, 1]);
    let x = (x - wide(mean)) / (wide(var) + eps).sqrt();
    let y = x * wide(gamma) + wide(beta);
    match at {
        SiluAt::Before => y,
        SiluAt::After => silu(y),
    }
}

/// Normalisation by the statistics of the batch; see [`crate::batch_norm_train`].
pub fn batch_norm_train(
    x: Tensor<4>,
    shift: Option<Tensor<2>>,
    gamma: Tensor<1>,
    beta: Tensor<1>,
    eps: f64,
    silu: SiluAt,
) -> (Tensor<4>, Tensor<1>, Tensor<1>) {
    let x = normalised_input(x, shift, silu);
    let (mean, var) = moments(x.clone());
    let y = normalise(x, [gamma, beta, mean.clone(), var.clone()], eps, silu);
    (y, mean.detach(), var.detach())
}

/// Normalisation by given statistics; see [`crate::batch_norm`].
#[allow(clippy::too_many_arguments)] // as many as the formula has letters
pub fn batch_norm(
    x: Tensor<4>,
    shift: Option<Tensor<2>>,
    gamma: Tensor<1>,
    beta: Tensor<1>,
    mean: Tensor<1>,
    var: Tensor<1>,
    eps: f64,
    silu: SiluAt,
) -> Tensor<4> {
    let x = normalised_input(x, shift, silu);
    normalise(x, [gamma, beta, mean.detach(), var.detach()], eps, silu)
}
