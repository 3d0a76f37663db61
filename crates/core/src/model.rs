use std::cell::OnceCell;

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
    /// The network for derivatives by x: its operations are recorded, its parameters constants.
    recorded: OnceCell<N>,
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
            recorded: OnceCell::new(),
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
            recorded: OnceCell::new(),
        }
    }

    /// The model given the class of every row of the batch.
    pub fn given(mut self, classes: &[u32]) -> Self {
        self.labels = Some(labels(classes, &self.device));
        self
    }

    /// The network's own output at time `t`.
    fn call(&self, x: State, t: f64, labels: Option<Labels>) -> State {
        self.ask(self.network, x, t, labels)
    }

    /// The same, recorded where `x` is.
    pub(crate) fn call_recorded(&self, x: State, t: f64, labels: Option<Labels>) -> State {
        let network = self.recorded.get_or_init(|| {
            // Frozen, so that neither dropout nor gradients of parameters come back with autodiff.
            self.network.valid().freeze().train()
        });
        self.ask(network, x, t, labels.map(Tensor::autodiff))
    }

    fn ask(&self, network: &N, x: State, t: f64, labels: Option<Labels>) -> State {
        let (rows, device) = (x.dims()[0], x.device());
        let at = self.path.at(t);
        let scale = self.output.input_scale(&at);
        let x = if scale == 1.0 { x } else { x.mul_scalar(scale) };
        let t = self.output.input_time(&at, t);
        let t = Tensor::full([rows], t as f32, &device);
        network.forward(x, t, labels)
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

    /// By autodiff through the network and all that is read from its output.
    fn vjp(&self, x: State, t: f64, v: State) -> Option<(Estimate, State)> {
        Some(pullback(x, v, |x| {
            let out = self.call_recorded(x.clone(), t, self.labels.clone());
            self.read(out, x, t)
        }))
    }
}

/// What `ask` answers at x, and vᵀ ∂value/∂x by autodiff; both without a graph.
pub(crate) fn pullback(
    x: State,
    v: State,
    ask: impl FnOnce(&State) -> Estimate,
) -> (Estimate, State) {
    let x = x.autodiff().require_grad();
    let estimate = ask(&x);
    let graph = (estimate.value.clone() * v.autodiff()).sum();
    // An answer that does not depend on x at all has no graph.
    let pull = graph
        .is_tracked()
        .then(|| x.grad_remove(&mut graph.backward()))
        .flatten();
    let pull = pull.unwrap_or_else(|| x.clone().inner().zeros_like());
    let estimate = Estimate {
        value: estimate.value.inner(),
        noise: estimate.noise.map(|(eps, scale)| (eps.inner(), scale)),
        ..estimate
    };
    (estimate, pull)
}
