use super::{Coeffs, Scheduler, SchedulerError};

/// The variance-exploding diffusion in this crate's direction of time: α = 1 and
/// β² = σ² − σ_min² with σ = σ_min(σ_max/σ_min)^{1−t}
/// (Song et al., *Score-based generative modeling through SDEs*, ICLR 2021).
///
/// The path starts at the data with noise of β_0 = √(σ_max² − σ_min²), 50 by default, in place of
/// pure noise of standard deviation 1. β̇ is −∞ at t = 1. The same process is [`crate::law::Ve`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct VarianceExploding {
    sigma_min: f64,
    sigma_max: f64,
}

impl VarianceExploding {
    /// The scheduler with these scales; the default is 0.01 and 50.
    ///
    /// # Errors
    /// [`SchedulerError::Scales`] unless 0 < `sigma_min` < `sigma_max` < ∞.
    pub fn new(sigma_min: f64, sigma_max: f64) -> Result<VarianceExploding, SchedulerError> {
        if !(sigma_min > 0.0 && sigma_max > sigma_min && sigma_max.is_finite()) {
            return Err(SchedulerError::Scales {
                sigma_min,
                sigma_max,
            });
        }
        Ok(VarianceExploding {
            sigma_min,
            sigma_max,
        })
    }

    /// σ at the data end.
    pub fn sigma_min(&self) -> f64 {
        self.sigma_min
    }

    /// σ at the noise end.
    pub fn sigma_max(&self) -> f64 {
        self.sigma_max
    }

    /// ln(σ_max/σ_min).
    fn log_ratio(&self) -> f64 {
        (self.sigma_max / self.sigma_min).ln()
    }
}

/// σ_min = 0.01, σ_max = 50.
impl Default for VarianceExploding {
    fn default() -> VarianceExploding {
        VarianceExploding {
            sigma_min: 0.01,
            sigma_max: 50.0,
        }
    }
}

impl Scheduler for VarianceExploding {
    fn name(&self) -> &'static str {
        "ve"
    }

    fn at(&self, t: f64) -> Coeffs {
        let ratio = self.log_ratio();
        // σ²/σ_min² − 1, without cancellation as t → 1.
        let excess = (2.0 * (1.0 - t) * ratio).exp_m1();
        let beta = self.sigma_min * excess.sqrt();
        // ββ̇ = σσ̇ = −σ² ln(σ_max/σ_min).
        let sigma_squared = self.sigma_min * self.sigma_min * (1.0 + excess);
        Coeffs {
            alpha: 1.0,
            beta,
            d_alpha: 0.0,
            d_beta: -ratio * sigma_squared / beta,
        }
    }

    fn time_of_log_snr(&self, l: f64) -> f64 {
        let sigma = (-0.5 * l).exp() / self.sigma_min; // β/σ_min
        let log = if sigma > 1e100 {
            sigma.ln()
        } else {
            0.5 * (sigma * sigma).ln_1p()
        };
        (1.0 - log / self.log_ratio()).max(0.0)
    }
}
