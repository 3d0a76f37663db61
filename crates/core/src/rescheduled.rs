use std::sync::Arc;

use fokker_math::prediction::Prediction;
use fokker_math::scheduler::{Scheduler, change};

use crate::{Denoiser, Estimate, State};

/// A model trained on one scheduler, sampled along another.
///
/// At time r of the new path the model is asked at the time t of equal signal-to-noise ratio, with
/// x/s, s = α_new(r)/α_old(t): x_new(r) = s·x_old(t) in law, so that the data z and the noise ε it speaks
/// of are the same. The law of the samples does not change, only the way there. Source: Karras et al.
/// 2022, §2; Lipman et al., *Flow matching guide and code*, 2024, §4.
pub struct Rescheduled<D> {
    model: D,
    to: Arc<dyn Scheduler>,
}

impl<D: Denoiser> Rescheduled<D> {
    /// `model`, speaking of the path of `to`.
    pub fn new(model: D, to: Arc<dyn Scheduler>) -> Self {
        Self { model, to }
    }
}

impl<D: Denoiser> Denoiser for Rescheduled<D> {
    fn scheduler(&self) -> &dyn Scheduler {
        &*self.to
    }

    fn predict(&self, x: State, t: f64) -> Estimate {
        let old = self.model.scheduler();
        let at = change(old, &*self.to, t);
        let c = old.at(at.t);
        let x = x.mul_scalar(1.0 / at.scale);
        let mut estimate = self.model.predict(x.clone(), at.t);
        // The noise is the same, its size in x that of the new path.
        let noise = estimate.noise.take().map(|(eps, _)| (eps, at.to.beta));
        for kind in [Prediction::Data, Prediction::Noise] {
            if let Some(value) = estimate.clone().convert(kind, &x, &c) {
                return Estimate {
                    noise,
                    ..Estimate::of(value, kind)
                };
            }
        }
        // α = 0 and a prediction of noise, or β = 0 and one of data: the model's own kind it is.
        estimate
    }
}

impl<T: Denoiser + ?Sized> Denoiser for Box<T> {
    fn scheduler(&self) -> &dyn Scheduler {
        (**self).scheduler()
    }

    fn predict(&self, x: State, t: f64) -> Estimate {
        (**self).predict(x, t)
    }

    fn velocity(&self, x: State, t: f64) -> Option<State> {
        (**self).velocity(x, t)
    }

    fn velocity_and_noise(&self, x: State, t: f64) -> Option<(State, State, f64)> {
        (**self).velocity_and_noise(x, t)
    }

    fn vjp(&self, x: State, t: f64, v: State) -> Option<(Estimate, State)> {
        (**self).vjp(x, t, v)
    }
}
