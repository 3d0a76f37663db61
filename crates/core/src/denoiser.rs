use fokker_math::prediction::{self, Prediction};
use fokker_math::scheduler::{Coeffs, Scheduler};

use crate::State;

/// What a model says about the state x at time t, and what kind of statement it is.
#[derive(Clone)]
pub struct Estimate {
    /// The prediction's value, `[batch, dim]`.
    pub value: State,
    /// Its kind.
    pub prediction: Prediction,
}

impl Estimate {
    /// The same statement as another prediction, or `None` where the conversion is singular
    /// (noise into data at α = 0, data into velocity at β = 0).
    pub fn convert(self, to: Prediction, x: &State, c: &Coeffs) -> Option<State> {
        if self.prediction == to {
            return Some(self.value);
        }
        let (from_x, from_value) = prediction::convert(self.prediction, to, c)?;
        Some(x.clone().mul_scalar(from_x) + self.value.mul_scalar(from_value))
    }
}

/// A model of the denoising problem: given x_t and t, what were z and ε?
///
/// Guidance wraps a denoiser and is a denoiser.
pub trait Denoiser {
    /// The coefficients of the path that the model was trained on.
    fn scheduler(&self) -> &dyn Scheduler;

    /// The model's estimate for the batch `x`, `[batch, dim]`, all rows at time `t`.
    fn predict(&self, x: State, t: f64) -> Estimate;

    /// The velocity u_t(x), or `None` where the model's prediction does not determine it.
    fn velocity(&self, x: State, t: f64) -> Option<State> {
        let c = self.scheduler().at(t);
        self.predict(x.clone(), t)
            .convert(Prediction::Velocity, &x, &c)
    }
}
