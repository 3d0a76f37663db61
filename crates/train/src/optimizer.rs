use burn::module::{Module, ParamGroup};
use burn::optim::{
    AdamWState, AdaptiveMomentumState, GradientsParams, LionConfig, ModuleOptimizer,
    OptimizerRecord, SgdConfig, momentum::MomentumConfig,
};
use burn::tensor::{Bytes, Device, Tensor};
use fokker_kernels::{AdamwStep, adamw};

use crate::config::{OptimizerConfig, OptimizerKind, ScheduleConfig, ScheduleKind};
use crate::muon::{self, Muon};

/// burn's AdamW, with the whole step of a parameter in one pass; its state and its bits are those of burn's.
#[derive(Clone)]
struct AdamW {
    betas: [f32; 2],
    epsilon: f32,
    weight_decay: f32,
}

impl burn::optim::Optimizer for AdamW {
    type State<const D: usize> = AdamWState<D>;

    fn step<const D: usize>(
        &self,
        lr: f64,
        parameter: Tensor<D>,
        gradient: Tensor<D>,
        state: Option<AdamWState<D>>,
    ) -> (Tensor<D>, Option<AdamWState<D>>) {
        let (done, moments) = match state.map(|s| s.momentum) {
            Some(m) => (m.time, Some([m.moment_1, m.moment_2])),
            None => (0, None),
        };
        let step = AdamwStep {
            lr,
            betas: self.betas,
            epsilon: self.epsilon,
            weight_decay: self.weight_decay,
            time: done + 1,
        };
        let (parameter, [first, second]) = adamw(parameter, gradient, moments, &step);
        let momentum = AdaptiveMomentumState::new(step.time, first, second);
        (parameter, Some(AdamWState::new(momentum)))
    }

    fn to_device<const D: usize>(state: AdamWState<D>, device: &Device) -> AdamWState<D> {
        AdamWState::new(state.momentum.to_device(device))
    }
}

/// An optimizer of burn, with a record that survives the process.
pub struct Optimizer {
    inner: ModuleOptimizer,
}

impl Optimizer {
    /// The optimizer of a configuration for the parameters of `module`.
    pub fn new<M: Module>(config: &OptimizerConfig, module: &M) -> Self {
        let [beta_1, beta_2] = config.betas.map(|b| b as f32);
        let decay = config.weight_decay as f32;
        let adamw = || AdamW {
            betas: [beta_1, beta_2],
            epsilon: config.epsilon as f32,
            weight_decay: decay,
        };
        let inner = match config.kind {
            OptimizerKind::Adamw => ModuleOptimizer::from(adamw()),
            OptimizerKind::Muon => {
                let muon = Muon::new(config.momentum, config.weight_decay);
                let hidden = ParamGroup::from_ids(muon::hidden(module));
                ModuleOptimizer::from(adamw()).with_group(hidden, muon, None)
            }
            OptimizerKind::Lion => LionConfig::new()
                .with_beta_1(beta_1)
                .with_beta_2(beta_2)
                .with_weight_decay(decay)
                .init(),
            OptimizerKind::Sgd => {
                let momentum = MomentumConfig::new()
                    .with_momentum(config.betas[0])
                    .with_dampening(0.0);
                SgdConfig::new().with_momentum(Some(momentum)).init()
            }
        };
        Self { inner }
    }

    /// One step of size `lr`.
    pub fn step<M: Module>(&mut self, lr: f64, module: M, grads: GradientsParams) -> M {
        self.inner.step(lr, module, grads)
    }

    /// The whole state, in burn's own format.
    pub fn to_bytes(&self) -> Result<Vec<u8>, String> {
        let bytes = self.inner.into_bytes().map_err(|e| e.to_string())?;
        Ok(bytes.to_vec())
    }

    /// The optimizer with the state that [`to_bytes`](Self::to_bytes) gave.
    pub fn with_bytes(self, bytes: Vec<u8>) -> Result<Self, String> {
        let record =
            OptimizerRecord::from_bytes(Bytes::from_bytes_vec(bytes)).map_err(|e| e.to_string())?;
        Ok(Self {
            inner: self.inner.load_record(record),
        })
    }
}

/// The learning rate of step `step` (counted from 0) of `steps`.
///
/// Warm-up is linear over `warmup` steps; after it the rate stays, falls as ½(1 + cos πs), or as
/// 1/√, with s the share of the remaining steps that is done.
pub fn learning_rate(config: &ScheduleConfig, lr: f64, step: u64, steps: u64) -> f64 {
    let warmup = config.warmup;
    if step < warmup {
        return lr * (step + 1) as f64 / warmup as f64;
    }
    match config.kind {
        ScheduleKind::Constant => lr,
        ScheduleKind::Cosine => {
            let s = (step - warmup) as f64 / (steps.saturating_sub(warmup)).max(1) as f64;
            let floor = config.floor;
            lr * (floor + (1.0 - floor) * 0.5 * (1.0 + (std::f64::consts::PI * s.min(1.0)).cos()))
        }
        ScheduleKind::InverseSqrt => {
            let scale = warmup.max(1) as f64;
            lr * (scale / (step + 1).max(warmup.max(1)) as f64).sqrt()
        }
    }
}
