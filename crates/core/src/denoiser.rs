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
    /// The expected noise ε̂ and its standard deviation in x, where the model says it separately: the
    /// score is then −ε̂ divided by it.
    pub noise: Option<(State, f64)>,
}

impl Estimate {
    /// A single prediction.
    pub fn of(value: State, prediction: Prediction) -> Self {
        Self {
            value,
            prediction,
            noise: None,
        }
    }

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
    /// The coefficients of the path that the model speaks of.
    fn scheduler(&self) -> &dyn Scheduler;

    /// The model's estimate for the batch `x`, `[batch, dim]`, all rows at time `t`.
    fn predict(&self, x: State, t: f64) -> Estimate;

    /// The velocity u_t(x), or `None` where the model's prediction does not determine it.
    fn velocity(&self, x: State, t: f64) -> Option<State> {
        let c = self.scheduler().at(t);
        self.predict(x.clone(), t)
            .convert(Prediction::Velocity, &x, &c)
    }

    /// The velocity and the noise of the score ∇log p_t = −ε̂/scale, as (u, ε̂, scale), from one call;
    /// `None` where the prediction does not determine both. The course's score from a vector field,
    /// s = (u − b x)/a, is this conversion without its division by a.
    fn velocity_and_noise(&self, x: State, t: f64) -> Option<(State, State, f64)> {
        let c = self.scheduler().at(t);
        let mut estimate = self.predict(x.clone(), t);
        let (noise, scale) = match estimate.noise.take() {
            Some(separate) => separate,
            None => (estimate.clone().convert(Prediction::Noise, &x, &c)?, c.beta),
        };
        let velocity = estimate.convert(Prediction::Velocity, &x, &c)?;
        Some((velocity, noise, scale))
    }

    /// The estimate at (x, t) and its pullback vᵀ ∂value/∂x, row by row: `[batch, dim]`, for v of the value's
    /// shape. `None` where the model has no derivatives.
    ///
    /// Any other prediction is x's multiple plus the value's multiple, and so is its pullback of v's.
    fn vjp(&self, x: State, t: f64, v: State) -> Option<(Estimate, State)> {
        let _ = (x, t, v);
        None
    }

    /// The score ∇log p_t(x), or `None` where the prediction does not determine it. It belongs to the
    /// marginal only where the path's noise is Gaussian and independent of the data.
    fn score(&self, x: State, t: f64) -> Option<State> {
        let (_, noise, scale) = self.velocity_and_noise(x, t)?;
        (scale > 0.0).then(|| noise.mul_scalar(-1.0 / scale))
    }
}
