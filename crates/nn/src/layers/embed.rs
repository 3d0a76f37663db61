use burn::module::{Module, Param};
use burn::tensor::{Tensor, TensorData};
use fokker_core::Labels;

use super::Init;

/// A learned vector for every class and one more, the last, for ∅ ("no class").
#[derive(Module, Debug)]
pub struct ClassEmbedding {
    /// `[classes + 1, size]`.
    pub table: Param<Tensor<2>>,
}

impl ClassEmbedding {
    /// Vectors of `size` numbers, initially N(0, 1).
    pub fn new(classes: usize, size: usize, init: &mut Init) -> Self {
        Self::scaled(classes, size, 1.0, init)
    }

    /// Vectors of `size` numbers, initially N(0, std²).
    pub fn scaled(classes: usize, size: usize, std: f64, init: &mut Init) -> Self {
        Self {
            table: init.normal([classes + 1, size], std),
        }
    }

    /// `[batch]` → `[batch, size]`.
    pub fn forward(&self, y: Labels) -> Tensor<2> {
        self.table.val().select(0, y)
    }
}

/// Sinusoidal features of time: cos and sin of ω_k t with `count`/2 frequencies ω_k spaced
/// geometrically from 1 to 1,000 rad. `[batch]` → `[batch, count]`.
///
/// Source: Vaswani et al., 2017, at the scale t ∈ \[0, 1\].
pub fn time_features(t: Tensor<1>, count: usize) -> Tensor<2> {
    let half = count / 2;
    let last = (half.max(2) - 1) as f64;
    let omega: Vec<f32> = (0..half)
        .map(|k| 1000_f64.powf(k as f64 / last) as f32)
        .collect();
    let device = t.device();
    let omega = Tensor::<2>::from_data(TensorData::new(omega, [1, half]), &device);
    let rows = t.dims()[0];
    let angle = t.reshape([rows, 1]) * omega;
    Tensor::cat(vec![angle.clone().cos(), angle.sin()], 1)
}
