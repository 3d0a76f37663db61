use std::f64::consts::FRAC_PI_2;

use super::{Interpolant, InterpolantCoeffs, InterpolantError, non_negative};

/// x_t = cos(πt/2) x₀ + sin(πt/2) x₁ + σ ε: keeps the variance where both laws have the same and
/// σ = 0 (Albergo & Vanden-Eijnden, *Building normalizing flows with stochastic interpolants*, ICLR
/// 2023).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Trigonometric {
    sigma: f64,
}

impl Trigonometric {
    /// The interpolant with this constant width; the usual one is 0.
    ///
    /// # Errors
    /// [`InterpolantError::Negative`] unless 0 ≤ `sigma` < ∞.
    pub fn new(sigma: f64) -> Result<Trigonometric, InterpolantError> {
        non_negative("trigonometric", sigma).map(|sigma| Trigonometric { sigma })
    }

    /// σ.
    pub fn sigma(&self) -> f64 {
        self.sigma
    }
}

impl Interpolant for Trigonometric {
    fn name(&self) -> &'static str {
        "trigonometric"
    }

    fn at(&self, t: f64) -> InterpolantCoeffs {
        // cos(πt/2) = sin(π(1−t)/2), which is exactly 0 at t = 1.
        let (a, b) = ((FRAC_PI_2 * (1.0 - t)).sin(), (FRAC_PI_2 * t).sin());
        InterpolantCoeffs {
            a,
            b,
            gamma: self.sigma,
            d_a: -FRAC_PI_2 * b,
            d_b: FRAC_PI_2 * a,
            d_gamma: 0.0,
        }
    }
}
