use super::{Coeffs, Scheduler, SchedulerError};

/// α = 1, β = σ_max(1 − t): the path of EDM, whose own time is the noise level σ = β, here scaled
/// to \[0, 1\] and turned
/// (Karras et al., *Elucidating the design space of diffusion-based generative models*, 2022).
///
/// The path starts at the data with noise of β_0 = σ_max, 80 by default, in place of pure noise of
/// standard deviation 1. The paper's grids are equally spaced in σ^{1/7}: a
/// matter of the time grid, not of the scheduler.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Edm {
    sigma_max: f64,
}

impl Edm {
    /// The scheduler that starts at noise level `sigma_max`; the default is 80.
    ///
    /// # Errors
    /// [`SchedulerError::Scale`] unless it is positive and finite.
    pub fn new(sigma_max: f64) -> Result<Edm, SchedulerError> {
        if !(sigma_max > 0.0 && sigma_max.is_finite()) {
            return Err(SchedulerError::Scale { sigma_max });
        }
        Ok(Edm { sigma_max })
    }

    /// σ at t = 0.
    pub fn sigma_max(&self) -> f64 {
        self.sigma_max
    }
}

/// σ_max = 80.
impl Default for Edm {
    fn default() -> Edm {
        Edm { sigma_max: 80.0 }
    }
}

impl Scheduler for Edm {
    fn name(&self) -> &'static str {
        "edm"
    }

    fn at(&self, t: f64) -> Coeffs {
        Coeffs {
            alpha: 1.0,
            beta: self.sigma_max * (1.0 - t),
            d_alpha: 0.0,
            d_beta: -self.sigma_max,
        }
    }

    fn time_of_log_snr(&self, l: f64) -> f64 {
        (1.0 - (-0.5 * l).exp() / self.sigma_max).max(0.0)
    }
}
