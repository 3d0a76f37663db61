use std::sync::Arc;

use fokker_math::prediction::{Prediction, convert};
use fokker_math::scheduler::{Change, Scheduler, change};

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
        let at = self.change(t);
        let x = x.mul_scalar(1.0 / at.scale);
        let estimate = self.model.predict(x.clone(), at.t);
        moved(estimate, &x, &at).0
    }

    /// The model is asked at x/s, so its pullback is one of x's multiple 1/s.
    fn vjp(&self, x: State, t: f64, v: State) -> Option<(Estimate, State)> {
        let at = self.change(t);
        let x = x.mul_scalar(1.0 / at.scale);
        let (estimate, pull) = self.model.vjp(x.clone(), at.t, v.clone())?;
        let (estimate, (from_x, from_value)) = moved(estimate, &x, &at);
        let pull = v.mul_scalar(from_x / at.scale) + pull.mul_scalar(from_value / at.scale);
        Some((estimate, pull))
    }
}

impl<D: Denoiser> Rescheduled<D> {
    /// Where the model is asked at time `t`.
    fn change(&self, t: f64) -> Change {
        change(self.model.scheduler(), &*self.to, t)
    }
}

/// What the model's estimate at its own x says on the new path, as (cx, cv) with value = cx·x + cv·old value.
fn moved(mut estimate: Estimate, x: &State, at: &Change) -> (Estimate, (f64, f64)) {
    // The noise is the same, its size in x that of the new path.
    let noise = estimate.noise.take().map(|(eps, _)| (eps, at.to.beta));
    for kind in [Prediction::Data, Prediction::Noise] {
        if let Some(row) = convert(estimate.prediction, kind, &at.from)
            && let Some(value) = estimate.clone().convert(kind, x, &at.from)
        {
            let moved = Estimate {
                noise,
                ..Estimate::of(value, kind)
            };
            return (moved, row);
        }
    }
    // α = 0 and a prediction of noise, or β = 0 and one of data: the model's own kind it is.
    (estimate, (0.0, 1.0))
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
