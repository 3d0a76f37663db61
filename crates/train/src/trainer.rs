use std::collections::BTreeMap;
use std::time::Instant;

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::Device;
use serde::{Deserialize, Serialize};

use crate::config::Training;
use crate::{Optimizer, Task, TrainError, learning_rate, params};

/// A training in progress: network, moving average, optimizer and the number of steps done.
pub struct Trainer<N, T> {
    /// `None` only while the optimizer has it, which then writes the new weights over the old.
    net: Option<N>,
    pub(crate) ema: Option<N>,
    pub(crate) optimizer: Optimizer,
    pub(crate) step: u64,
    pub(crate) window: Window,
    task: T,
    config: Training,
    device: Device,
}

/// The losses and the time since the last line of metrics.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Window {
    pub(crate) sum: f64,
    pub(crate) count: u64,
    pub(crate) seconds: f64,
    /// Sums of the loss's terms.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) terms: BTreeMap<String, f64>,
}

/// What one step did.
#[derive(Clone, Copy, Debug)]
pub struct StepReport {
    /// Steps done, this one included.
    pub step: u64,
    /// The training loss of the step's batch.
    pub loss: f64,
    /// The learning rate.
    pub lr: f64,
    /// The joint norm of all gradients before clipping (0 when clipping is off).
    pub grad_norm: f64,
    /// How long the step took, in seconds.
    pub seconds: f64,
}

impl<N: Module, T: Task<N>> Trainer<N, T> {
    /// A training at step 0. `net` lives on the autodiff device `device`.
    pub fn new(net: N, task: T, config: &Training, device: &Device) -> Self {
        let net = params::number(net);
        Self {
            ema: (config.ema.decay > 0.0).then(|| net.valid()),
            net: Some(net),
            optimizer: Optimizer::new(&config.optimizer),
            step: 0,
            window: Window::default(),
            task,
            config: config.clone(),
            device: device.clone(),
        }
    }

    /// The network as it is now.
    pub(crate) fn net(&self) -> &N {
        self.net.as_ref().expect("a step gives the network back")
    }

    /// Puts another network in its place.
    pub(crate) fn set_net(&mut self, net: N) {
        self.net = Some(net);
    }

    /// What is being trained.
    pub fn task(&self) -> &T {
        &self.task
    }

    /// The (autodiff) device of the training.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// How many numbers are trained. Running statistics, which `num_params` counts too, are not.
    pub fn parameters(&self) -> usize {
        params::trained(self.net())
    }

    /// Steps done.
    pub fn steps_done(&self) -> u64 {
        self.step
    }

    /// The network to sample from: the moving average, or the network itself where none is kept;
    /// without autodiff.
    pub fn model(&self) -> N {
        // `valid` and not `clone`: running statistics of a clone go on changing with the average's.
        self.ema.as_ref().unwrap_or_else(|| self.net()).valid()
    }

    /// What happened since this was last called.
    pub(crate) fn take_window(&mut self) -> Window {
        std::mem::take(&mut self.window)
    }

    /// One optimizer step.
    ///
    /// # Errors
    /// [`TrainError::Diverged`] when the loss is no finite number; the weights are then unchanged, but running statistics
    /// have seen the batch.
    pub fn step(&mut self) -> Result<StepReport, TrainError> {
        let start = Instant::now();
        let train = &self.config.train;
        let batch = self.task.batch(self.step, train.batch)?;
        let loss = self.task.loss(self.net(), batch, &self.device);
        let value = loss.clone().into_scalar::<f64>();
        if !value.is_finite() {
            return Err(TrainError::Diverged {
                step: self.step,
                loss: value,
            });
        }
        let mut grads = GradientsParams::from_grads(loss.backward(), self.net());
        let mut grad_norm = 0.0;
        if self.config.optimizer.clip > 0.0 {
            (grads, grad_norm) = params::clip(self.net(), grads, self.config.optimizer.clip);
        }
        let lr = learning_rate(
            &self.config.schedule,
            self.config.optimizer.lr,
            self.step,
            train.steps,
        );
        let net = self.net.take().expect("a step gives the network back");
        self.net = Some(self.optimizer.step(lr, net, grads));
        if let Some(ema) = self.ema.take() {
            // The warm-up keeps the first, random weights out of a short training's average.
            let k = self.step as f64;
            let decay = self.config.ema.decay.min((1.0 + k) / (10.0 + k));
            self.ema = Some(params::average(ema, self.net(), decay));
        }
        self.step += 1;
        self.window.sum += value;
        self.window.count += 1;
        for (name, value) in self.task.terms() {
            *self.window.terms.entry(name.to_owned()).or_default() += value;
        }
        let seconds = start.elapsed().as_secs_f64();
        self.window.seconds += seconds;
        Ok(StepReport {
            step: self.step,
            loss: value,
            lr,
            grad_norm,
            seconds,
        })
    }
}
