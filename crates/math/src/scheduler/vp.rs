use super::rate::LinearRate;
use super::{Coeffs, Scheduler, SchedulerError};

/// The variance-preserving diffusion with a linear rate, in this crate's direction of time.
///
/// With s = 1 − t the diffusion's time, rate β(s) = β_min + s(β_max − β_min) and
/// B(s) = ∫₀ˢ β = sβ_min + ½s²(β_max − β_min): α = e^{−B/2}, β = √(1 − e^{−B})
/// (Song et al., *Score-based generative modeling through SDEs*, ICLR 2021).
///
/// The path starts only approximately at noise: α_0 = e^{−(β_min + β_max)/4}, which is 0.0066 for
/// the usual 0.1 and 20. β̇ is −∞ at t = 1. The same process is [`crate::law::Vp`].
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct VariancePreserving {
    rate: LinearRate,
}

impl VariancePreserving {
    /// The scheduler with these rates; the default is 0.1 and 20.
    ///
    /// # Errors
    /// [`SchedulerError::Rates`] unless 0 < `beta_min` ≤ `beta_max` < ∞.
    pub fn new(beta_min: f64, beta_max: f64) -> Result<VariancePreserving, SchedulerError> {
        let rate = LinearRate::new("vp", beta_min, beta_max)?;
        Ok(VariancePreserving { rate })
    }

    /// The rate at the data end, β(s = 0).
    pub fn beta_min(&self) -> f64 {
        self.rate.min
    }

    /// The rate at the noise end, β(s = 1).
    pub fn beta_max(&self) -> f64 {
        self.rate.max
    }
}

impl Scheduler for VariancePreserving {
    fn name(&self) -> &'static str {
        "vp"
    }

    fn at(&self, t: f64) -> Coeffs {
        let s = 1.0 - t;
        let integral = self.rate.integral(s);
        let alpha = (-0.5 * integral).exp();
        let beta = (-(-integral).exp_m1()).sqrt();
        let d_alpha = 0.5 * self.rate.at(s) * alpha; // dα/dt = −dα/ds
        Coeffs {
            alpha,
            beta,
            d_alpha,
            d_beta: -alpha * d_alpha / beta, // α² + β² = 1
        }
    }

    fn time_of_log_snr(&self, l: f64) -> f64 {
        // e^l = 1/(e^B − 1), so B = ln(1 + e^{−l}).
        let integral = if l < -700.0 { -l } else { (-l).exp().ln_1p() };
        self.rate.time_of_integral(integral)
    }
}
