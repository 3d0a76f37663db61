use fokker_math::scheduler::Scheduler;

use super::GuidanceError;
use crate::pullback::{data_vjp, of_data, with_score};
use crate::{Denoiser, Estimate, State};

type Noisy<'a> = Box<dyn Fn(&State, f64) -> State + 'a>;
type Clean<'a> = Box<dyn Fn(&State) -> State + 'a>;

enum Gradient<'a> {
    /// ∇ₓ log p(y|x_t) of (x_t, t).
    Noisy(Noisy<'a>),
    /// ∇_z log p(y|z) of z.
    Clean(Clean<'a>),
}

/// Guidance by the gradient of a classifier: the score becomes ∇log p_t(x) + w ∇log p(y|x_t), and so the
/// velocity u + w a_t ∇log p(y|x_t), a = β²α̇/α − β̇β, the data D + w (β²/α) ∇log p, the noise
/// ε̂ − w β ∇log p.
///
/// Source: Dhariwal and Nichol, *Diffusion models beat GANs on image synthesis*, 2021. w = 0 is the model.
/// At α = 0, where only the noise's form is finite, it answers with the noise.
pub struct ClassifierGuided<'a, D> {
    model: D,
    gradient: Gradient<'a>,
    w: f64,
}

impl<'a, D: Denoiser> ClassifierGuided<'a, D> {
    /// By `gradient` of (x_t, t), ∇ₓ log p(y|x_t), `[batch, dim]`: of a classifier of noisy data.
    pub fn new(model: D, gradient: impl Fn(&State, f64) -> State + 'a, w: f64) -> Self {
        Self {
            model,
            gradient: Gradient::Noisy(Box::new(gradient)),
            w,
        }
    }

    /// By `gradient` of z, ∇_z log p(y|z), `[batch, dim]`: of a classifier of clean data, asked about D(x)
    /// and pulled back through the model, ∇ₓ log p(y|D(x)) = (∂D/∂x)ᵀ ∇_z log p(y|z). One call and one
    /// pullback. Source: Bansal et al., *Universal guidance for diffusion models*, 2023 (forward guidance).
    ///
    /// The model is tried on `probe`, a state of the right size.
    ///
    /// # Errors
    /// [`GuidanceError::NoDerivatives`] where the model has no [`vjp`](Denoiser::vjp).
    pub fn through_denoiser(
        model: D,
        gradient: impl Fn(&State) -> State + 'a,
        w: f64,
        probe: State,
    ) -> Result<Self, GuidanceError> {
        let v = probe.zeros_like();
        if model.vjp(probe, 0.5, v).is_none() {
            return Err(GuidanceError::NoDerivatives);
        }
        Ok(Self {
            model,
            gradient: Gradient::Clean(Box::new(gradient)),
            w,
        })
    }

    /// ∇ₓ log p(y|x_t), `None` where it does not follow: at α = 0 from a classifier of clean data.
    fn gradient(&self, x: &State, t: f64, estimate: &Estimate) -> Option<State> {
        match &self.gradient {
            Gradient::Noisy(gradient) => Some(gradient(x, t)),
            Gradient::Clean(gradient) => {
                let c = self.scheduler().at(t);
                let row = of_data(estimate.prediction, &c)?;
                let z = x.clone().mul_scalar(row.0) + estimate.value.clone().mul_scalar(row.1);
                Some(data_vjp(&self.model, x.clone(), t, gradient(&z))?.1)
            }
        }
    }
}

impl<D: Denoiser> Denoiser for ClassifierGuided<'_, D> {
    fn scheduler(&self) -> &dyn Scheduler {
        self.model.scheduler()
    }

    fn predict(&self, x: State, t: f64) -> Estimate {
        let estimate = self.model.predict(x.clone(), t);
        if self.w == 0.0 {
            return estimate;
        }
        match self.gradient(&x, t, &estimate) {
            Some(g) => with_score(estimate, &x, &self.scheduler().at(t), g.mul_scalar(self.w)),
            None => estimate,
        }
    }
}
