use burn::module::Module;
use burn::tensor::{Tensor, TensorData};
use fokker_kernels::Activation;

use super::{Init, Linear};

/// Sinusoidal features of the time fed to the perceptron.
const FEATURES: usize = 256;

/// DiT's embedding of time: 256 features cos ω_k st, sin ω_k st with ω_k = 10,000^(−k/128), then a linear map, SiLU and
/// another linear map. The scale s is 1,000 in DiT, which counts steps, and 1 in SiT.
///
/// Source: Peebles and Xie, *Scalable diffusion models with transformers*, 2023.
#[derive(Module, Debug)]
pub struct TimestepEmbedder {
    /// `[256]` → `[width]`.
    pub fc1: Linear,
    /// `[width]` → `[width]`.
    pub fc2: Linear,
    // s ω, `[1, 128]`.
    frequencies: Tensor<2>,
}

impl TimestepEmbedder {
    /// An embedding of `width` numbers.
    pub fn new(width: usize, scale: f64, init: &mut Init) -> Self {
        let half = FEATURES / 2;
        let frequencies: Vec<f32> = (0..half)
            .map(|k| (scale * 10_000_f64.powf(-(k as f64) / half as f64)) as f32)
            .collect();
        let frequencies = TensorData::new(frequencies, [1, half]);
        Self {
            fc1: Linear::normal(FEATURES, width, 0.02, init),
            fc2: Linear::normal(width, width, 0.02, init),
            frequencies: Tensor::from_data(frequencies, init.device()),
        }
    }

    /// Its number of parameters.
    pub fn count(width: usize) -> usize {
        FEATURES * width + width + width * width + width
    }

    /// `[batch]` → `[batch, width]`.
    pub fn forward(&self, t: Tensor<1>) -> Tensor<2> {
        let rows = t.dims()[0];
        let angle = t.reshape([rows, 1]) * self.frequencies.clone();
        let features = Tensor::cat(vec![angle.clone().cos(), angle.sin()], 1);
        self.fc2
            .forward(self.fc1.forward_act(features, Activation::Silu))
    }
}
