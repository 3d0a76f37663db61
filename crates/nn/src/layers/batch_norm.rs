use burn::module::{Module, Param, RunningState};
use burn::tensor::Tensor;
use fokker_kernels::{SiluAt, batch_norm, batch_norm_train};

use super::Init;

/// ε in √(variance + ε).
const EPSILON: f64 = 1e-5;
/// The share of the newest batch in the running statistics.
const MOMENTUM: f64 = 0.1;

/// Batch normalisation with a SiLU before or after it (Ioffe and Szegedy, 2015).
///
/// y = γ (x − μ)/√(σ² + 10⁻⁵) + δ for each channel. In training μ and σ² are those of the batch, and the running statistics
/// move towards them by a tenth (towards the unbiased variance, as in PyTorch). In inference the running ones are used: then
/// a sample does not depend on its batch.
///
/// A network is in training where its parameters ask for gradients: not after `valid()`, and not where they are frozen, as
/// when only a gradient with respect to x is wanted. The running statistics are visited like parameters, so that moving
/// averages and checkpoints have them, but they ask for no gradient and an optimizer leaves them alone.
#[derive(Module, Debug)]
pub struct BatchNorm {
    /// γ, `[channels]`, initially 1.
    pub gamma: Param<Tensor<1>>,
    /// δ, `[channels]`, initially 0.
    pub beta: Param<Tensor<1>>,
    /// Running μ, `[channels]`, initially 0.
    pub running_mean: RunningState<Tensor<1>>,
    /// Running σ², `[channels]`, initially 1.
    pub running_var: RunningState<Tensor<1>>,
}

impl BatchNorm {
    /// A norm over `channels`.
    pub fn new(channels: usize, init: &mut Init) -> Self {
        Self {
            gamma: init.constant([channels], 1.0),
            beta: init.constant([channels], 0.0),
            running_mean: RunningState::new(Tensor::zeros([channels], init.device())),
            running_var: RunningState::new(Tensor::ones([channels], init.device())),
        }
    }

    /// `[batch, channels, height, width]` → the same; `shift`, `[batch, channels]`, is added to x first.
    pub fn forward(&self, x: Tensor<4>, shift: Option<Tensor<2>>, silu: SiluAt) -> Tensor<4> {
        let (gamma, beta) = (self.gamma.val(), self.beta.val());
        if gamma.device().is_autodiff() && gamma.is_require_grad() {
            let [batch, _, height, width] = x.dims();
            let (y, mean, var) = batch_norm_train(x, shift, gamma, beta, EPSILON, silu);
            let n = (batch * height * width) as f64;
            move_towards(&self.running_mean, mean);
            move_towards(&self.running_var, var.mul_scalar(n / (n - 1.0).max(1.0)));
            return y;
        }
        let (mean, var) = (
            self.running_mean.value_sync(),
            self.running_var.value_sync(),
        );
        batch_norm(x, shift, gamma, beta, mean, var, EPSILON, silu)
    }
}

fn move_towards(state: &RunningState<Tensor<1>>, new: Tensor<1>) {
    let old = state.value_sync().mul_scalar(1.0 - MOMENTUM);
    state.update((old + new.mul_scalar(MOMENTUM)).detach());
    // burn keeps an update back until the next one; a checkpoint must not miss it.
    state.value_sync();
}
