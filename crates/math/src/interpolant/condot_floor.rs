use super::{Interpolant, InterpolantCoeffs, InterpolantError};

/// x_t = (1 − (1 − σ_min)t) x₀ + t x₁: with x₀ ~ N(0, I) the path that ends at N(x₁, σ_min² I)
/// instead of a point (Lipman et al., *Flow matching for generative modeling*, ICLR 2023). Its target
/// is x₁ − (1 − σ_min) x₀.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CondOtFloor {
    sigma_min: f64,
}

impl CondOtFloor {
    /// The interpolant that ends with this width.
    ///
    /// # Errors
    /// [`InterpolantError::Floor`] unless 0 ≤ `sigma_min` < 1.
    pub fn new(sigma_min: f64) -> Result<CondOtFloor, InterpolantError> {
        if (0.0..1.0).contains(&sigma_min) {
            Ok(CondOtFloor { sigma_min })
        } else {
            Err(InterpolantError::Floor { value: sigma_min })
        }
    }

    /// σ_min.
    pub fn sigma_min(&self) -> f64 {
        self.sigma_min
    }
}

/// σ_min = 1e-4.
impl Default for CondOtFloor {
    fn default() -> CondOtFloor {
        CondOtFloor { sigma_min: 1e-4 }
    }
}

impl Interpolant for CondOtFloor {
    fn name(&self) -> &'static str {
        "condot-floor"
    }

    fn at(&self, t: f64) -> InterpolantCoeffs {
        let slope = 1.0 - self.sigma_min;
        InterpolantCoeffs {
            a: 1.0 - slope * t,
            b: t,
            gamma: 0.0,
            d_a: -slope,
            d_b: 1.0,
            d_gamma: 0.0,
        }
    }
}
