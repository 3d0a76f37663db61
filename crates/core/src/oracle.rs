use std::sync::Arc;

use burn::tensor::{DType, Device, Tensor, TensorData};
use fokker_math::mixture::GaussianMixture;
use fokker_math::prediction::Prediction;
use fokker_math::scheduler::Scheduler;

use crate::{Denoiser, Estimate, State};

/// The exact model of a Gaussian mixture's path, where a trained network would stand: samplers,
/// conversions and metrics are tried on it, and every learned object is held against it.
///
/// Computed on the host in f64; the result has the type and the device of x.
#[derive(Clone, Debug)]
pub struct Oracle {
    mixture: GaussianMixture,
    scheduler: Arc<dyn Scheduler>,
}

impl Oracle {
    /// The oracle of data ~ `mixture` on the path of `scheduler`.
    pub fn new(mixture: GaussianMixture, scheduler: Arc<dyn Scheduler>) -> Self {
        Self { mixture, scheduler }
    }

    /// The law of the data.
    pub fn mixture(&self) -> &GaussianMixture {
        &self.mixture
    }
}

impl Denoiser for Oracle {
    fn scheduler(&self) -> &dyn Scheduler {
        &*self.scheduler
    }

    /// E\[z|x\] before half the noise is gone, E\[ε|x\] after: the better conditioned one.
    fn predict(&self, x: State, t: f64) -> Estimate {
        let c = self.scheduler.at(t);
        let marginal = self.mixture.with(c);
        if c.alpha > c.beta {
            let value = each_row(&x, &|_, row, out| marginal.noise(row, out));
            Estimate::of(value, Prediction::Noise)
        } else {
            let value = each_row(&x, &|_, row, out| marginal.denoiser(row, out));
            Estimate::of(value, Prediction::Data)
        }
    }

    fn velocity(&self, x: State, t: f64) -> Option<State> {
        let marginal = self.mixture.at(&*self.scheduler, t);
        Some(each_row(&x, &|_, row, out| marginal.velocity(row, out)))
    }

    /// In closed form: ∂D/∂x = (α/β²) Cov\[z|x\] and ∂ε̂/∂x = −β∇²ln p_t, both symmetric.
    fn vjp(&self, x: State, t: f64, v: State) -> Option<(Estimate, State)> {
        let marginal = self.mixture.with(self.scheduler.at(t));
        let estimate = self.predict(x.clone(), t);
        let dim = x.dims()[1];
        let v = f64s(&v);
        let along = |i: usize| &v[i * dim..][..dim];
        let pull = match estimate.prediction {
            Prediction::Noise => each_row(&x, &|i, row, out| {
                marginal.noise_pullback(row, along(i), out);
            }),
            _ => each_row(&x, &|i, row, out| {
                marginal.denoiser_pullback(row, along(i), out);
            }),
        };
        Some((estimate, pull))
    }
}

/// `f(index, row, out)`.
type OfRow<'a> = dyn Fn(usize, &[f64], &mut [f64]) + 'a;

/// A function of every row, computed on the host.
fn each_row(x: &State, f: &OfRow<'_>) -> State {
    let [rows, dim] = x.dims();
    let (device, dtype): (Device, DType) = (x.device(), x.dtype());
    let values = f64s(x);
    let mut out = vec![0.0; values.len()];
    let pairs = values.chunks_exact(dim).zip(out.chunks_exact_mut(dim));
    for (i, (row, out)) in pairs.enumerate() {
        f(i, row, out);
    }
    Tensor::from_data(TensorData::new(out, [rows, dim]), (&device, dtype))
}

fn f64s(x: &State) -> Vec<f64> {
    let values = x.clone().into_data().convert::<f64>();
    values.try_to_vec().expect("converted to f64")
}
