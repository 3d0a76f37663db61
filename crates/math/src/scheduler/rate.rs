//! The linear rate that the variance-preserving diffusions share.

use super::SchedulerError;

/// β(s) = β_min + s(β_max − β_min) in the diffusion's own clock s = 1 − t.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct LinearRate {
    pub(super) min: f64,
    pub(super) max: f64,
}

/// β_min = 0.1, β_max = 20.
impl Default for LinearRate {
    fn default() -> LinearRate {
        LinearRate {
            min: 0.1,
            max: 20.0,
        }
    }
}

impl LinearRate {
    pub(super) fn new(
        scheduler: &'static str,
        beta_min: f64,
        beta_max: f64,
    ) -> Result<LinearRate, SchedulerError> {
        if !(beta_min > 0.0 && beta_max >= beta_min && beta_max.is_finite()) {
            return Err(SchedulerError::Rates {
                scheduler,
                beta_min,
                beta_max,
            });
        }
        Ok(LinearRate {
            min: beta_min,
            max: beta_max,
        })
    }

    /// β(s).
    pub(super) fn at(self, s: f64) -> f64 {
        self.min + s * (self.max - self.min)
    }

    /// B(s) = ∫₀ˢ β = sβ_min + ½s²(β_max − β_min).
    pub(super) fn integral(self, s: f64) -> f64 {
        s * (self.min + 0.5 * s * (self.max - self.min))
    }

    /// The t in \[0, 1\] with B(1 − t) = `integral` ≥ 0; 0 where B does not go so far.
    pub(super) fn time_of_integral(self, integral: f64) -> f64 {
        let slope = self.max - self.min;
        let root = (self.min * self.min + 2.0 * slope * integral).sqrt();
        let s = 2.0 * integral / (self.min + root);
        // ∞/∞ where the integral is infinite; `max` drops the NaN.
        (1.0 - s).max(0.0)
    }
}
