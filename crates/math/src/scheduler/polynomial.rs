use super::{Coeffs, Scheduler, SchedulerError, logistic};

/// α = tⁿ, β = 1 − tⁿ for n ≥ 1; n = 1 is CondOT
/// (Lipman et al., *Flow matching guide and code*, 2024).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Polynomial {
    n: u32,
}

impl Polynomial {
    /// The scheduler with exponent `n`.
    ///
    /// # Errors
    /// [`SchedulerError::Exponent`] when `n` is 0.
    pub fn new(n: u32) -> Result<Polynomial, SchedulerError> {
        if n == 0 {
            return Err(SchedulerError::Exponent);
        }
        Ok(Polynomial { n })
    }

    /// The exponent.
    pub fn n(&self) -> u32 {
        self.n
    }
}

/// n = 2.
impl Default for Polynomial {
    fn default() -> Polynomial {
        Polynomial { n: 2 }
    }
}

impl Scheduler for Polynomial {
    fn name(&self) -> &'static str {
        "polynomial"
    }

    fn at(&self, t: f64) -> Coeffs {
        let n = f64::from(self.n);
        let d_alpha = n * t.powf(n - 1.0);
        Coeffs {
            alpha: t.powf(n),
            // 1 − tⁿ without cancellation as t → 1.
            beta: -(n * t.ln()).exp_m1(),
            d_alpha,
            d_beta: -d_alpha,
        }
    }

    fn time_of_log_snr(&self, l: f64) -> f64 {
        logistic(0.5 * l).powf(1.0 / f64::from(self.n))
    }
}
