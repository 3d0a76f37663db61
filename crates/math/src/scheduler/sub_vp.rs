use super::rate::LinearRate;
use super::{Coeffs, Scheduler, SchedulerError};

/// The sub-VP diffusion with a linear rate, in this crate's direction of time: α = e^{−B/2} as
/// [`VariancePreserving`](super::VariancePreserving), with less noise, β = 1 − e^{−B} = 1 − α²
/// (Song et al., *Score-based generative modeling through SDEs*, ICLR 2021).
///
/// B(s) = sβ_min + ½s²(β_max − β_min), s = 1 − t. The path starts only approximately at noise, as
/// that of VP. The same process is [`crate::law::SubVp`].
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SubVp {
    rate: LinearRate,
}

impl SubVp {
    /// The scheduler with these rates; the default is 0.1 and 20.
    ///
    /// # Errors
    /// [`SchedulerError::Rates`] unless 0 < `beta_min` ≤ `beta_max` < ∞.
    pub fn new(beta_min: f64, beta_max: f64) -> Result<SubVp, SchedulerError> {
        let rate = LinearRate::new("sub-vp", beta_min, beta_max)?;
        Ok(SubVp { rate })
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

impl Scheduler for SubVp {
    fn name(&self) -> &'static str {
        "sub-vp"
    }

    fn at(&self, t: f64) -> Coeffs {
        let s = 1.0 - t;
        let integral = self.rate.integral(s);
        let alpha = (-0.5 * integral).exp();
        let d_alpha = 0.5 * self.rate.at(s) * alpha;
        Coeffs {
            alpha,
            beta: -(-integral).exp_m1(),
            d_alpha,
            d_beta: -2.0 * alpha * d_alpha, // β = 1 − α²
        }
    }

    fn time_of_log_snr(&self, l: f64) -> f64 {
        // With r = β/α: 1 − α² = rα, whose positive root is α = 2/(r + √(r² + 4)).
        let r = (-0.5 * l).exp();
        let alpha = 2.0 / (r + r.hypot(2.0));
        let beta = r * alpha;
        // B = −2 ln α = −ln(1 − β), from whichever is not near 1.
        let integral = if beta < 0.5 {
            -(-beta).ln_1p()
        } else {
            -2.0 * alpha.ln()
        };
        self.rate.time_of_integral(integral)
    }
}
