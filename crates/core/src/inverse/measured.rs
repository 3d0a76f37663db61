use fokker_math::prediction::Prediction;
use fokker_math::scheduler::{Coeffs, Scheduler};

use super::solve::conjugate_gradients;
use super::{InverseError, LinearOperator, within};
use crate::pullback::{data_vjp, of_data};
use crate::{Denoiser, Estimate, State};

/// How the likelihood p(y|x_t) of the noisy state is approximated. What p(y|z) says of x_t depends on the
/// whole posterior p(z|x_t); each method stands a Gaussian N(D, Σ) for it, D = E\[z|x_t\], so that y|x_t is
/// N(A D, σ_y² I + A Σ Aᵀ).
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Method {
    /// Σ = 0: ζ/σ_y² times ½∇|y − A D(x)|². ζ = 1 is the likelihood itself; it overrates y wherever the
    /// posterior is wider than σ_y, and then a step too long overshoots; a smaller ζ calms it. One pullback.
    /// Source: Chung et al., *Diffusion posterior sampling for general noisy inverse problems*, 2023, whose
    /// step ζ′/|y − A D| is another choice of the factor.
    Dps {
        /// The factor ζ.
        zeta: f64,
    },
    /// Σ = r_t² I, the posterior covariance of data N(·, s² I): r_t² = s²β²/(α²s² + β²); exact for such data.
    /// One pullback; the solve in m numbers needs the operator alone. Source: Song et al., *Pseudoinverse-guided
    /// diffusion models for inverse problems*, 2023 (s = 1).
    PiGdm {
        /// The standard deviation s of one coordinate of the data.
        std: f64,
        /// Iterations of the solve: 1 is exact where A Aᵀ is a multiple of I (masks, averages), m always.
        iterations: usize,
    },
    /// Σ = Cov\[z|x_t\] = (β²/α) ∂D/∂x, applied by pullbacks, one in each iteration; exact for Gaussian data
    /// after m iterations. Source: Rozet et al., *Learning diffusion priors from observations by expectation
    /// maximization*, 2024.
    Mmps {
        /// Iterations of conjugate gradients; the paper's are 1 to 3.
        iterations: usize,
    },
}

/// A model given a measurement y = A z + σ_y n: the denoiser E\[z|x_t, y\] = D + (β²/α) ∇ₓlog p(y|x_t) of
/// the posterior p(z|y), for any sampler. A prediction of data.
///
/// The covariance that the model's derivative stands for is 0/0 at α = 0, so that at noise beyond β/α = 80
/// the model is asked at that ratio.
pub struct Measured<'a, D> {
    model: D,
    operator: &'a dyn LinearOperator,
    y: State,
    sigma: f64,
    method: Method,
}

/// The largest β/α at which the model is asked.
const NOISIEST: f64 = 80.0;

impl<'a, D: Denoiser> Measured<'a, D> {
    /// `model` given `y`, `[rows, m]` or `[1, m]` for all rows, measured by `operator` with noise of standard
    /// deviation `sigma`. The model is tried on as many rows as `y` has.
    ///
    /// # Errors
    /// [`InverseError`] where the sizes do not fit, a number is out of range, or the model has no
    /// [`vjp`](Denoiser::vjp). DPS needs σ_y > 0.
    pub fn new(
        model: D,
        operator: &'a dyn LinearOperator,
        y: State,
        sigma: f64,
        method: Method,
    ) -> Result<Self, InverseError> {
        let [m, _] = operator.dims();
        if y.dims()[1] != m {
            return Err(InverseError::Measurement {
                operator: m,
                given: y.dims()[1],
            });
        }
        let fits = sigma >= 0.0 && sigma.is_finite();
        within("sigma_y", sigma, fits, "finite and not negative")?;
        let positive = |v: f64| v > 0.0 && v.is_finite();
        let some = |n: usize| within("iterations", n as f64, n > 0, "at least 1");
        match method {
            Method::Dps { zeta } => {
                within("sigma_y", sigma, sigma > 0.0, "positive with DPS")?;
                within("zeta", zeta, positive(zeta), "positive and finite")?;
            }
            Method::PiGdm { std, iterations } => {
                within("std", std, positive(std), "positive and finite")?;
                some(iterations)?;
            }
            Method::Mmps { iterations } => some(iterations)?,
        }
        let probe = operator.adjoint(y.zeros_like());
        if model.vjp(probe.clone(), 0.5, probe).is_none() {
            return Err(InverseError::NoDerivatives);
        }
        Ok(Self {
            model,
            operator,
            y,
            sigma,
            method,
        })
    }

    /// The time at which the model is asked for `t`.
    fn inside(&self, t: f64) -> f64 {
        let scheduler = self.model.scheduler();
        let c = scheduler.at(t);
        match c.beta > NOISIEST * c.alpha {
            true => scheduler.time_of_log_snr(-2.0 * NOISIEST.ln()),
            false => t,
        }
    }

    /// V Aᵀ (σ_y² + A Σ Aᵀ)⁻¹ b with V = Cov\[z|x\], `None` where the data has no derivative.
    fn pull(&self, x: &State, t: f64, c: &Coeffs, b: State) -> Option<State> {
        let (a, variance) = (self.operator, self.sigma * self.sigma);
        let spread = |u: State| {
            let (_, pulled) = data_vjp(&self.model, x.clone(), t, a.adjoint(u))?;
            Some(pulled.mul_scalar(c.beta * c.beta / c.alpha))
        };
        match self.method {
            Method::Dps { zeta } => spread(b.mul_scalar(zeta / variance)),
            Method::PiGdm { std, iterations } => {
                let r = std * c.beta / (c.alpha * std).hypot(c.beta);
                let isotropic = |u: State| Some(a.adjoint(u).mul_scalar(r * r));
                let apply = |z: State| a.apply(z);
                spread(conjugate_gradients(isotropic, apply, variance, b, iterations)?.u)
            }
            Method::Mmps { iterations } => {
                let apply = |z: State| a.apply(z);
                Some(conjugate_gradients(spread, apply, variance, b, iterations)?.spread)
            }
        }
    }
}

impl<D: Denoiser> Denoiser for Measured<'_, D> {
    fn scheduler(&self) -> &dyn Scheduler {
        self.model.scheduler()
    }

    fn predict(&self, x: State, t: f64) -> Estimate {
        let t = self.inside(t);
        let c = self.model.scheduler().at(t);
        let estimate = self.model.predict(x.clone(), t);
        // A score at β = 0 says nothing of the data, and then the model has the last word.
        let Some((from_x, from_value)) = of_data(estimate.prediction, &c) else {
            return estimate;
        };
        let z = x.clone().mul_scalar(from_x) + estimate.value.mul_scalar(from_value);
        let b = self.y.clone() - self.operator.apply(z.clone());
        let z = match self.pull(&x, t, &c, b) {
            Some(towards) => z + towards,
            None => z,
        };
        Estimate::of(z, Prediction::Data)
    }
}
