//! Bilinear doubling.

use burn::tensor::Tensor;

/// Doubles the last axis of `[rows, n]`: ¼ of the neighbour and ¾ of the value itself, edges repeated.
fn double(x: Tensor<2>) -> Tensor<2> {
    let [rows, n] = x.dims();
    let first = x.clone().narrow(1, 0, 1);
    let last = x.clone().narrow(1, n - 1, 1);
    let left = Tensor::cat(vec![first, x.clone().narrow(1, 0, n - 1)], 1);
    let right = Tensor::cat(vec![x.clone().narrow(1, 1, n - 1), last], 1);
    let x = x.mul_scalar(0.75);
    let even = x.clone() + left.mul_scalar(0.25);
    let odd = x + right.mul_scalar(0.25);
    Tensor::stack::<3>(vec![even, odd], 2).reshape([rows, 2 * n])
}

/// Bilinear doubling of height and width; see [`crate::bilinear2x`].
pub fn bilinear2x(x: Tensor<4>) -> Tensor<4> {
    let [b, c, h, w] = x.dims();
    let x = double(x.reshape([b * c * h, w])).reshape([b * c, h, 2 * w]);
    let x = double(x.swap_dims(1, 2).reshape([b * c * 2 * w, h]));
    x.reshape([b * c, 2 * w, 2 * h])
        .swap_dims(1, 2)
        .reshape([b, c, 2 * h, 2 * w])
}
