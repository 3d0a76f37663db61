use super::{Interpolant, InterpolantCoeffs, InterpolantError, linear, non_negative};

/// x_t = (1 − t) x₀ + t x₁ + σ ε: straight lines with a constant width (I-CFM of Tong et al.,
/// *Improving and generalizing flow-based generative models with minibatch optimal transport*, TMLR
/// 2024). The path runs from p_init to p_data, each blurred by N(0, σ² I).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LinearNoise {
    sigma: f64,
}

impl LinearNoise {
    /// The interpolant with this width.
    ///
    /// # Errors
    /// [`InterpolantError::Negative`] unless 0 ≤ `sigma` < ∞.
    pub fn new(sigma: f64) -> Result<LinearNoise, InterpolantError> {
        non_negative("linear-noise", sigma).map(|sigma| LinearNoise { sigma })
    }

    /// σ.
    pub fn sigma(&self) -> f64 {
        self.sigma
    }
}

/// σ = 0.1.
impl Default for LinearNoise {
    fn default() -> LinearNoise {
        LinearNoise { sigma: 0.1 }
    }
}

impl Interpolant for LinearNoise {
    fn name(&self) -> &'static str {
        "linear-noise"
    }

    fn at(&self, t: f64) -> InterpolantCoeffs {
        linear(t, self.sigma, 0.0)
    }
}
