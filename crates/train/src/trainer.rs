use std::sync::Arc;
use std::time::Instant;

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::Device;

use crate::alarm::Alarm;
use crate::averages::Averages;
use crate::config::Training;
use crate::feed::Feed;
use crate::window::Window;
use crate::{Diverged, Losses, Optimizer, Task, TrainError, learning_rate, params};

/// A training in progress: network, moving averages, optimizer and the number of steps done.
pub struct Trainer<N: Module, T: Task<N>> {
    /// `None` only while the optimizer has it, which then writes the new weights over the old.
    net: Option<N>,
    pub(crate) averages: Averages<N>,
    pub(crate) optimizer: Optimizer,
    pub(crate) step: u64,
    pub(crate) window: Window,
    pub(crate) alarm: Alarm,
    task: Arc<T>,
    feed: Feed<Vec<T::Batch>>,
    validation: Option<(T, u64)>,
    config: Training,
    device: Device,
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
    /// Of these, waiting for the batch.
    pub wait: f64,
}

impl<N: Module, T: Task<N>> Trainer<N, T> {
    /// A training at step 0. `net` lives on the autodiff device `device`.
    pub fn new(net: N, task: T, config: &Training, device: &Device) -> Self {
        let net = params::number(net);
        let task = Arc::new(task);
        let (size, parts) = (config.train.batch, config.train.accumulate);
        let make = task.clone();
        let make = move |step| make.parts(step, size, parts);
        Self {
            averages: Averages::new(&config.ema, &net),
            optimizer: Optimizer::new(&config.optimizer, &net),
            net: Some(net),
            step: 0,
            window: Window::default(),
            alarm: Alarm::default(),
            task,
            feed: Feed::new(Arc::new(make), config.train.steps),
            validation: None,
            config: config.clone(),
            device: device.clone(),
        }
    }

    /// The same with a task on `items` held-back items, on which [`validate`](Self::validate) measures.
    pub fn validated(mut self, task: T, items: u64) -> Self {
        self.validation = Some((task, items));
        self
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

    /// The network to sample from: the first moving average, or the network itself where none is kept;
    /// without autodiff.
    pub fn model(&self) -> N {
        // `valid` and not `clone`: running statistics of a clone go on changing with the average's.
        let average = self.averages.first();
        average.unwrap_or_else(|| self.net()).valid()
    }

    /// What happened since this was last called.
    pub(crate) fn take_window(&mut self) -> Window {
        std::mem::take(&mut self.window)
    }

    /// The loss of [`model`](Self::model) on held-back data, at noise and times that are always the same; `None` where no
    /// data is held back.
    ///
    /// # Errors
    /// A batch that cannot be made.
    pub fn validate(&self) -> Result<Option<f64>, TrainError> {
        let Some((task, items)) = &self.validation else {
            return Ok(None);
        };
        let (net, device) = (self.model(), self.device.clone().without_autodiff());
        let train = &self.config.train;
        let (mut sum, mut count) = (0.0, 0);
        for k in 0..(items / train.batch as u64).max(1) {
            for part in task.parts(k, train.batch, train.accumulate)? {
                sum += task.losses(&net, part, &device).mean.into_scalar::<f64>();
                count += 1;
            }
        }
        Ok(Some(sum / f64::from(count)))
    }

    /// One optimizer step.
    ///
    /// # Errors
    /// [`TrainError::Diverged`] when the loss is no finite number, or explodes; the weights are then those of the step before,
    /// but running statistics have seen the batch.
    pub fn step(&mut self) -> Result<StepReport, TrainError> {
        let start = Instant::now();
        let parts = self.feed.take(self.step)?;
        let wait = start.elapsed().as_secs_f64();
        let (loss, mut grads) = self.gradients(parts)?;
        let optimizer = &self.config.optimizer;
        let mut grad_norm = 0.0;
        if optimizer.clip > 0.0 {
            (grads, grad_norm) = params::clip(self.net(), grads, optimizer.clip);
        }
        let steps = self.config.train.steps;
        let lr = learning_rate(&self.config.schedule, optimizer.lr, self.step, steps);
        let net = self.net.take().expect("a step gives the network back");
        let net = self.optimizer.step(lr, net, grads);
        self.averages.update(&net, self.step);
        self.net = Some(net);
        self.step += 1;
        self.window.sum += loss;
        self.window.count += 1;
        let seconds = start.elapsed().as_secs_f64();
        self.window.seconds += seconds;
        self.window.wait += wait;
        Ok(StepReport {
            step: self.step,
            loss,
            lr,
            grad_norm,
            seconds,
            wait,
        })
    }

    /// The loss of a batch in parts of one size, and its gradients.
    fn gradients(&mut self, parts: Vec<T::Batch>) -> Result<(f64, GradientsParams), TrainError> {
        let count = parts.len() as f64;
        let (mut whole, mut sum) = (0.0, None);
        for part in parts {
            let Losses {
                mean,
                by_time,
                terms,
            } = self.task.losses(self.net(), part, &self.device);
            let value = mean.clone().into_scalar::<f64>();
            if !value.is_finite() {
                return Err(self.diverged(value));
            }
            whole += value / count;
            if let Some((times, losses)) = by_time {
                let losses = losses.into_data().convert::<f32>().try_to_vec::<f32>();
                self.window.see(&times, &losses.expect("converted to f32"));
            }
            for (name, value) in terms {
                let value = value.into_scalar::<f64>();
                self.window.see_term(name, value / count);
            }
            let mean = if count > 1.0 {
                mean.div_scalar(count)
            } else {
                mean
            };
            let grads = GradientsParams::from_grads(mean.backward(), self.net());
            sum = Some(match sum {
                None => grads,
                Some(sum) => params::add(self.net(), sum, grads),
            });
        }
        if self.alarm.sees(whole, self.config.train.explode) {
            return Err(self.diverged(whole));
        }
        Ok((whole, sum.expect("a batch has at least one part")))
    }

    fn diverged(&self, loss: f64) -> TrainError {
        let optimizer = &self.config.optimizer;
        TrainError::Diverged(Box::new(Diverged {
            step: self.step + 1,
            loss,
            usual: self.alarm.usual(),
            lr: optimizer.lr,
            clip: optimizer.clip,
            warmup: self.config.schedule.warmup,
            kept: None,
        }))
    }
}
