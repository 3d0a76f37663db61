//! The SDE extension: dX = [u_t + ½σ_t² ∇log p_t] dt + σ_t dW keeps X_t ~ p_t for every σ_t ≥ 0. With the
//! score as −ε̂/β the drift is u − ½(σ²/β) ε̂.

use super::ask::at_start;
use super::{Diffusion, Stepper};
use crate::renoise::{fresh, with_noise};
use crate::{Denoiser, Noise, Span, State};

/// The largest ½σ²h/(ββ′) that a step from β to β′ takes. In one step the noise in x is multiplied by 1
/// minus about this; a larger one overshoots. With β′ = 0 at the data the last step adds no noise, which
/// nothing after it would take out again.
const RESOLVED: f64 = 0.25;

/// What a step of the SDE knows where it begins.
struct Begin {
    drift: State,
    sigma: f64,
    /// The largest σ that this step resolves.
    most: f64,
}

/// The drift and σ_t at the start of a step. Where the step is too long for σ_t it takes the largest σ that it
/// resolves: every σ keeps the law, up to the error of the step.
fn begin(model: &dyn Denoiser, x: &State, span: Span, diffusion: Diffusion) -> Begin {
    let (t, (u, eps, scale)) = at_start(model, span, |t| {
        let known = model.velocity_and_noise(x.clone(), t)?;
        (known.2 > 0.0).then_some(known)
    });
    let c = model.scheduler().at(t);
    let left = model.scheduler().at(span.to).beta / c.beta;
    let most = scale * (2.0 * RESOLVED * left / (span.to - span.from)).sqrt();
    let sigma = diffusion.sigma(t, &c, scale).min(most);
    let drift = u - eps.mul_scalar(0.5 * sigma * sigma / scale);
    Begin { drift, sigma, most }
}

/// x′ = x + drift·h + σ√h ξ.
pub(super) struct EulerMaruyama {
    pub(super) diffusion: Diffusion,
}

impl Stepper for EulerMaruyama {
    fn step(&mut self, model: &dyn Denoiser, x: State, span: Span, noise: &mut dyn Noise) -> State {
        let h = span.to - span.from;
        let Begin { drift, sigma, .. } = begin(model, &x, span, self.diffusion);
        with_noise(x + drift.mul_scalar(h), sigma * h.sqrt(), noise)
    }
}

/// Heun's method for additive noise: the drift is the mean of that at x and that where Euler–Maruyama ends, and
/// so is σ. Weak order 2. Source: Kloeden & Platen 1992, §15.1.
pub(super) struct StochasticHeun {
    pub(super) diffusion: Diffusion,
}

impl Stepper for StochasticHeun {
    fn step(&mut self, model: &dyn Denoiser, x: State, span: Span, noise: &mut dyn Noise) -> State {
        let h = span.to - span.from;
        let Begin { drift, sigma, most } = begin(model, &x, span, self.diffusion);
        let first = x.clone() + drift.clone().mul_scalar(h);
        if most == 0.0 {
            // The last step, to the data: nothing is known there.
            return first;
        }
        let w = fresh(&x, noise).mul_scalar(h.sqrt());
        let end = first.clone() + w.clone().mul_scalar(sigma);
        let Some((u, eps, scale)) = model.velocity_and_noise(end.clone(), span.to) else {
            return end;
        };
        let c = model.scheduler().at(span.to);
        let there = self.diffusion.sigma(span.to, &c, scale).min(most);
        let drift_there = u - eps.mul_scalar(0.5 * there * there / scale);
        x + (drift + drift_there).mul_scalar(0.5 * h) + w.mul_scalar(0.5 * (sigma + there))
    }
}
