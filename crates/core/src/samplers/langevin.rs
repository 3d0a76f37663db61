use fokker_math::multistep::ddim_of_data;

use super::Stepper;
use super::ask::{ask, ask_at_start, node};
use super::multistep::apply;
use crate::renoise::with_noise;
use crate::{Denoiser, Noise, Span, State};

/// Predictor–corrector: an ancestral step, then one step of Langevin's equation at the new time,
/// x ← x + δ∇log p_t + √(2δ) ξ with δ = 2r²β², r being the ratio of the step's length to the noise it adds.
///
/// Song et al. 2021, algorithm 2, take the norms of the noise and of the score from the batch; here they are
/// their expectations, √d and √d/β, so that a sample does not depend on its company.
pub(super) struct PredictorCorrector {
    pub(super) ratio: f64,
}

impl Stepper for PredictorCorrector {
    fn step(&mut self, model: &dyn Denoiser, x: State, span: Span, noise: &mut dyn Noise) -> State {
        let to = node(model, span.to);
        let known = ask_at_start(model, &x, span, false);
        let update = ddim_of_data(known.node, to, 1.0);
        let x = with_noise(apply(&update, &x, [&known]), update.noise, noise);
        if !to.is_inside() {
            return x;
        }
        let Some(eps) = ask(model, &x, span.to, true).and_then(|known| known.eps) else {
            return x;
        };
        let length = self.ratio * to.beta;
        // δ∇log p = −2r²β²·ε̂/β.
        let x = x - eps.mul_scalar(2.0 * self.ratio * length);
        with_noise(x, 2.0 * length, noise)
    }
}
