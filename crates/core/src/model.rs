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

/// Classifier-free guidance: ũ = (1 − w) u(x|∅) + w u(x|y); w = 1 is plain conditional sampling and
/// w = 0 unconditional. Both calls run as one batch of twice the size; w = 1 and w = 0 need one.
///
/// The combination is linear and every output is affine in the velocity, so it is taken on the
/// network's own output. Source: Ho and Salimans, *Classifier-free diffusion guidance*, 2022
/// (whose 1 + ω is our w).
pub struct Guided<'a, N> {
    model: Model<'a, N>,
    null: u32,
    w: f64,
}

impl<'a, N: Network> Guided<'a, N> {
    /// Guides `model`, whose batch must have classes; `null` is the label of ∅.
    ///
    /// # Panics
    /// If the model was not [`given`](Model::given) classes.
    pub fn new(model: Model<'a, N>, null: u32, w: f64) -> Self {
        assert!(
            model.labels.is_some(),
            "guidance needs a batch with classes"
        );
        Self { model, null, w }
    }

    fn no_class(&self, rows: usize) -> Labels {
        labels(&vec![self.null; rows], &self.model.device)
    }
}

impl<N: Network> Denoiser for Guided<'_, N> {
    fn scheduler(&self) -> &dyn Scheduler {
        self.model.scheduler()
    }

    fn predict(&self, x: State, t: f64) -> Estimate {
        let rows = x.dims()[0];
        let out = if self.w == 1.0 {
            return self.model.predict(x, t);
        } else if self.w == 0.0 {
            self.model.call(x.clone(), t, Some(self.no_class(rows)))
        } else {
            let classes = self.model.labels.clone().expect("checked by new");
            let both = Tensor::cat(vec![classes, self.no_class(rows)], 0);
            let twice = Tensor::cat(vec![x.clone(), x.clone()], 0);
            let out = self.model.call(twice, t, Some(both));
            let given = out.clone().narrow(0, 0, rows);
            let null = out.narrow(0, rows, rows);
            null.mul_scalar(1.0 - self.w) + given.mul_scalar(self.w)
        };
        self.model.read(out, &x, t)
    }
}
