use burn::module::{Module, Param};
use burn::tensor::Tensor;

use super::Init;

/// Group normalisation followed by an optional modulation and SiLU, in one pass.
///
/// y = SiLU((γ·(x − μ_g)/√(σ²_g + 10⁻⁵) + δ)·(1 + s) + b), with mean and variance over each of the
/// groups of channels of one sample. Sources: Wu and He, *Group normalization*, 2018; modulation as
/// in Dhariwal and Nichol, 2021.
#[derive(Module, Debug)]
pub struct GroupNorm {
    /// γ, `[channels]`, initially 1.
    pub gamma: Param<Tensor<1>>,
    /// δ, `[channels]`, initially 0.
    pub beta: Param<Tensor<1>>,
    groups: usize,
}

impl GroupNorm {
    /// A norm over `channels` in groups of at least four channels, at most `groups` groups.
    pub fn new(channels: usize, groups: usize, init: &mut Init) -> Self {
        let wanted = groups.min(channels / 4).max(1);
        let groups = (1..=wanted)
            .rev()
            .find(|g| channels.is_multiple_of(*g))
            .unwrap_or(1);
        Self {
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
            1e-5,
            modulation,
            activate,
        )
    }
}
