use burn::module::{Module, Param};
use burn::tensor::Tensor;

use super::Init;

/// Group normalisation followed by an optional modulation and SiLU, in one pass.
///
/// y = SiLU((γ·(x − μ_g)/√(σ²_g + ε) + δ)·(1 + s) + b), with mean and variance over each of the
/// groups of channels of one sample. Sources: Wu and He, *Group normalization*, 2018; modulation as
/// in Dhariwal and Nichol, 2021.
#[derive(Module, Debug)]
pub struct GroupNorm {
    /// γ, `[channels]`, initially 1.
    pub gamma: Param<Tensor<1>>,
    /// δ, `[channels]`, initially 0.
    pub beta: Param<Tensor<1>>,
    groups: usize,
    epsilon: f64,
}

impl GroupNorm {
    /// A norm over `channels` in groups of at least four channels, at most `groups` groups; ε = 10⁻⁵.
    pub fn new(channels: usize, groups: usize, init: &mut Init) -> Self {
        Self::at_most(channels, groups.min(channels / 4), 1e-5, init)
    }

    /// A norm over `channels` in `groups` groups, or in the next smaller number that divides the channels.
    pub fn at_most(channels: usize, groups: usize, epsilon: f64, init: &mut Init) -> Self {
        let groups = (1..=groups.max(1))
            .rev()
            .find(|g| channels.is_multiple_of(*g))
            .unwrap_or(1);
        Self {
            epsilon,
            gamma: init.constant([channels], 1.0),
            beta: init.constant([channels], 0.0),
            groups,
        }
    }

    /// `[batch, channels, height, width]` → the same, with scale and shift `[batch, channels]`.
    pub fn forward(
        &self,
        x: Tensor<4>,
        modulation: Option<(Tensor<2>, Tensor<2>)>,
        activate: bool,
    ) -> Tensor<4> {
        fokker_kernels::group_norm_silu(
            x,
            self.gamma.val(),
            self.beta.val(),
            self.groups,
            self.epsilon,
            modulation,
            activate,
        )
    }
}
