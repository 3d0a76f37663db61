use burn::module::Module;
use burn::tensor::{Tensor, TensorData};
use fokker_kernels::Activation;

use super::{Init, Linear};

/// DiT's number of sinusoidal features.
const FEATURES: usize = 256;

/// Sinusoidal features of time: cos ω_k τ and sin ω_k τ of τ = offset + scale·t with ω_k = 10,000^(−k/(n/2 − shift)), k < n/2.
///
/// Networks that count steps of noise see τ fall from the number of steps to 0 as our t rises: a negative scale.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TimeFeatures {
    /// n, an even number.
    pub count: usize,
    /// What t is multiplied by.
    pub scale: f64,
    /// What is added then.
    pub offset: f64,
    /// 1 where the slowest frequency is exactly 1/10,000, else 0.
    pub shift: f64,
    /// Do the sines come before the cosines?
    pub sines_first: bool,
}

/// An embedding of time: [`TimeFeatures`], a linear map, SiLU and another linear map.
///
/// DiT has 256 features of st, cosines first, whose scale s is 1,000 in DiT, which counts steps, and 1 in SiT.
///
/// Source: Ho et al., *Denoising diffusion probabilistic models*, 2020; Peebles and Xie, *Scalable diffusion models with
/// transformers*, 2023.
#[derive(Module, Debug)]
pub struct TimestepEmbedder {
    /// `[features]` → `[width]`.
    pub fc1: Linear,
    /// `[width]` → `[width]`.
    pub fc2: Linear,
    // ω·scale and ω·offset, `[1, features/2]`.
    frequencies: Tensor<2>,
    phases: Tensor<2>,
    sines_first: bool,
}

impl TimestepEmbedder {
    /// DiT's embedding of `width` numbers.
    pub fn new(width: usize, scale: f64, init: &mut Init) -> Self {
        Self::shifted(width, scale, 0.0, init)
    }

    /// The same with this [shift](TimeFeatures::shift) of frequencies.
    pub fn shifted(width: usize, scale: f64, shift: f64, init: &mut Init) -> Self {
        let features = TimeFeatures {
            count: FEATURES,
            scale,
            offset: 0.0,
            shift,
            sines_first: false,
        };
        let maps = [(FEATURES, width), (width, width)]
            .map(|(input, output)| Linear::normal(input, output, 0.02, init));
        Self::of(features, maps, init)
    }

    /// An embedding of these features by these maps.
    ///
    /// # Panics
    /// If the number of features is odd.
    pub fn of(features: TimeFeatures, [fc1, fc2]: [Linear; 2], init: &mut Init) -> Self {
        let TimeFeatures { count, shift, .. } = features;
        assert!(
            count.is_multiple_of(2) && count > 0,
            "expected an even number of time features, got {count}"
        );
        let half = count / 2;
        let slowest = (half as f64 - shift).max(1.0);
        let times = |factor: f64| {
            let omega = (0..half).map(|k| 10_000_f64.powf(-(k as f64) / slowest));
            let values: Vec<f32> = omega.map(|omega| (factor * omega) as f32).collect();
            Tensor::from_data(TensorData::new(values, [1, half]), init.device())
        };
        Self {
            fc1,
            fc2,
            frequencies: times(features.scale),
            phases: times(features.offset),
            sines_first: features.sines_first,
        }
    }

    /// The number of parameters of DiT's.
    pub fn count(width: usize) -> usize {
        FEATURES * width + width + width * width + width
    }

    /// `[batch]` → `[batch, width]`.
    pub fn forward(&self, t: Tensor<1>) -> Tensor<2> {
        let rows = t.dims()[0];
        let angle = t.reshape([rows, 1]) * self.frequencies.clone() + self.phases.clone();
        let mut features = [angle.clone().cos(), angle.sin()];
        if self.sines_first {
            features.reverse();
        }
        let features = Tensor::cat(features.to_vec(), 1);
        self.fc2
            .forward(self.fc1.forward_act(features, Activation::Silu))
    }
}
