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
