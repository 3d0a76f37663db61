//! Values, gradients and comparisons shared by the tests.
#![allow(dead_code)]

use burn::tensor::{Device, Tensor, TensorData};

/// `n` values in [−1, 1) that depend on `seed` alone.
pub(crate) fn numbers(n: usize, seed: u64) -> Vec<f32> {
    let mut s = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    (0..n)
        .map(|_| {
            s ^= s << 13;
            s ^= s >> 7;
            s ^= s << 17;
            (s >> 40) as f32 / (1 << 23) as f32 - 1.0
        })
        .collect()
}

/// A flat tensor of these values.
pub(crate) fn flat(values: &[f32], device: &Device) -> Tensor<1> {
    Tensor::from_data(TensorData::new(values.to_vec(), [values.len()]), device)
}

/// The values of a tensor.
pub(crate) fn values<const D: usize>(t: Tensor<D>) -> Vec<f32> {
    t.into_data().try_to_vec().expect("an f32 tensor")
}

/// The output of `f` and its gradients at every input, under a fixed random gradient at the output.
pub(crate) fn run(
    inputs: &[Vec<f32>],
    f: impl Fn(&[Tensor<1>]) -> Tensor<1>,
) -> (Vec<f32>, Vec<Vec<f32>>) {
    run_on(&Device::flex().autodiff(), inputs, f)
}

/// As [`run`], on a device with autodiff.
pub(crate) fn run_on(
    device: &Device,
    inputs: &[Vec<f32>],
    f: impl Fn(&[Tensor<1>]) -> Tensor<1>,
) -> (Vec<f32>, Vec<Vec<f32>>) {
    let leaves: Vec<Tensor<1>> = inputs
        .iter()
        .map(|v| flat(v, device).require_grad())
        .collect();
    let y = f(&leaves);
    let out = values(y.clone());
    let grads = (y * flat(&numbers(out.len(), 99), device)).sum().backward();
    (
        out,
        leaves
            .iter()
            .map(|l| values(l.grad(&grads).expect("a gradient for every input")))
            .collect(),
    )
}

/// The largest difference over the largest value of `b`.
pub(crate) fn error(a: &[f32], b: &[f32]) -> f32 {
    error_from(a, b, 1e-3)
}

/// As [`error`], the largest value being `least` at least.
fn error_from(a: &[f32], b: &[f32], least: f32) -> f32 {
    assert_eq!(a.len(), b.len());
    let max = b.iter().fold(least, |m, v| m.max(v.abs()));
    a.iter()
        .zip(b)
        .map(|(a, b)| (a - b).abs() / max)
        .fold(0.0, |m, e| if e.is_nan() || e > m { e } else { m })
}

/// Asserts that `fast` and `plain` agree: outputs to 1e-5, gradients to 1e-4.
pub(crate) fn agree(
    what: &str,
    inputs: &[Vec<f32>],
    fast: impl Fn(&[Tensor<1>]) -> Tensor<1>,
    plain: impl Fn(&[Tensor<1>]) -> Tensor<1>,
) {
    agree_from(1e-3, what, inputs, fast, plain);
}

/// As [`agree`], for gradients that are small differences of larger terms: on the scale of `least` where they are smaller.
pub(crate) fn agree_from(
    least: f32,
    what: &str,
    inputs: &[Vec<f32>],
    fast: impl Fn(&[Tensor<1>]) -> Tensor<1>,
    plain: impl Fn(&[Tensor<1>]) -> Tensor<1>,
) {
    let ((y, grads), (want, want_grads)) = (run(inputs, fast), run(inputs, plain));
    let e = error(&y, &want);
    assert!(e <= 1e-5, "{what}: output off by {e:e}");
    for (i, (g, w)) in grads.iter().zip(&want_grads).enumerate() {
        let e = error_from(g, w, least);
        assert!(e <= 1e-4, "{what}: gradient {i} off by {e:e}");
    }
}

/// The bits of every value.
pub(crate) fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|v| v.to_bits()).collect()
}
