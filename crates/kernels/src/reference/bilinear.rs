//! Bilinear doubling.

use burn::tensor::Tensor;

/// Doubles the last axis of `[rows, n]`: ¼ of the neighbour and ¾ of the value itself, edges repeated.
fn double(x: Tensor<2>) -> Tensor<2> {
    let [rows, n] = x.dims();
    let (left, right) = if n == 1 {
        (x.clone(), x.clone()) // burn takes no empty part
    } else {
        let [first, last] = [0, n - 1].map(|i| x.clone().narrow(1, i, 1));
        let [but_last, but_first] = [0, 1].map(|i| x.clone().narrow(1, i, n - 1));
        (
            Tensor::cat(vec![first, but_last], 1),
            Tensor::cat(vec![but_first, last], 1),
        )
    };
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
