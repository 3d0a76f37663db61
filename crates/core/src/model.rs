use burn::tensor::{Device, Tensor};
use fokker_math::scheduler::Scheduler;

use crate::{Denoiser, Estimate, Labels, Network, Parametrization, ProbabilityPath, State, labels};

/// A trained network as a [`Denoiser`]: it knows its path, its output and its batch's classes.
pub struct Model<'a, N> {
    network: &'a N,
    path: ProbabilityPath,
    output: Parametrization,
    labels: Option<Labels>,
    device: Device,
}

impl<N> Clone for Model<'_, N> {
    /// The same network, with the same classes.
    fn clone(&self) -> Self {
        Self {
            network: self.network,
            path: self.path.clone(),
            output: self.output,
            labels: self.labels.clone(),
            device: self.device.clone(),
        }
    }
}

impl<'a, N: Network> Model<'a, N> {
    /// The model without classes.
    pub fn new(
        network: &'a N,
        path: ProbabilityPath,
        output: impl Into<Parametrization>,
        device: &Device,
    ) -> Self {
        Self {
            network,
            path,
            output: output.into(),
            labels: None,
            device: device.clone(),
        }
    }

    /// The model given the class of every row of the batch.
    pub fn given(mut self, classes: &[u32]) -> Self {
        self.labels = Some(labels(classes, &self.device));
        self
    }

    /// The network's own output at time `t`.
    fn call(&self, x: State, t: f64, labels: Option<Labels>) -> State {
        let rows = x.dims()[0];
        let at = self.path.at(t);
        let scale = self.output.input_scale(&at);
        let x = if scale == 1.0 { x } else { x.mul_scalar(scale) };
        let t = self.output.input_time(&at, t);
        let t = Tensor::full([rows], t as f32, &self.device);
        self.network.forward(x, t, labels)
    }

    fn read(&self, out: State, x: &State, t: f64) -> Estimate {
        self.output.read(out, x, &self.path.at(t))
    }
}

impl<N: Network> Denoiser for Model<'_, N> {
    fn scheduler(&self) -> &dyn Scheduler {
        &**self.path.scheduler()
    }

    fn predict(&self, x: State, t: f64) -> Estimate {
        let out = self.call(x.clone(), t, self.labels.clone());
        self.read(out, &x, t)
    }
}
