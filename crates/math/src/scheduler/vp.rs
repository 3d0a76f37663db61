use super::{Coeffs, Scheduler, SchedulerError};

/// The variance-preserving diffusion with a linear rate, in this crate's direction of time.
///
/// With s = 1 − t the diffusion's time, rate β(s) = β_min + s(β_max − β_min) and
/// B(s) = ∫₀ˢ β = sβ_min + ½s²(β_max − β_min): α = e^{−B/2}, β = √(1 − e^{−B})
/// (Song et al., *Score-based generative modeling through SDEs*, ICLR 2021).
///
/// The path starts only approximately at noise: α_0 = e^{−(β_min + β_max)/4}, which is 0.0066 for
/// the usual 0.1 and 20. β̇ is −∞ at t = 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct VariancePreserving {
    beta_min: f64,
    beta_max: f64,
}

impl VariancePreserving {
    /// The scheduler with these rates.
    ///
    /// # Errors
    /// [`SchedulerError::Rates`] unless 0 < `beta_min` ≤ `beta_max` < ∞.
    pub fn new(beta_min: f64, beta_max: f64) -> Result<VariancePreserving, SchedulerError> {
        if !(beta_min > 0.0 && beta_max >= beta_min && beta_max.is_finite()) {
            return Err(SchedulerError::Rates { beta_min, beta_max });
        }
        Ok(VariancePreserving { beta_min, beta_max })
    }

    /// The rate at the data end, β(s = 0).
    pub fn beta_min(&self) -> f64 {
        self.beta_min
    }

    /// The rate at the noise end, β(s = 1).
    pub fn beta_max(&self) -> f64 {
        self.beta_max
    }
}

/// β_min = 0.1, β_max = 20.
impl Default for VariancePreserving {
    fn default() -> VariancePreserving {
        VariancePreserving {
            beta_min: 0.1,
            beta_max: 20.0,
        }
    }
}

impl Scheduler for VariancePreserving {
    fn name(&self) -> &'static str {
        "vp"
    }

    fn at(&self, t: f64) -> Coeffs {
        let s = 1.0 - t;
        let slope = self.beta_max - self.beta_min;
        let rate = self.beta_min + s * slope;
        let integral = s * (self.beta_min + 0.5 * s * slope);
        let alpha = (-0.5 * integral).exp();
        let beta = (-(-integral).exp_m1()).sqrt();
        let d_alpha = 0.5 * rate * alpha; // dα/dt = −dα/ds
        Coeffs {
            alpha,
            beta,
            d_alpha,
            d_beta: -alpha * d_alpha / beta, // α² + β² = 1
        }
    }

    fn time_of_log_snr(&self, l: f64) -> f64 {
        // e^l = 1/(e^B − 1), so B = ln(1 + e^{−l}); then the positive root of B(s) = B.
        let integral = if l < -700.0 { -l } else { (-l).exp().ln_1p() };
        let slope = self.beta_max - self.beta_min;
        let s = 2.0 * integral
            / (self.beta_min + (self.beta_min * self.beta_min + 2.0 * slope * integral).sqrt());
        // l = −∞ gives ∞/∞ here; `max` drops the NaN.
        (1.0 - s).max(0.0)
    }
}
