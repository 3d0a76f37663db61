use super::{NoiseKind, Process, ProcessError, Range};
use crate::lane::Lane;

/// Geometric Brownian motion dX = μX dt + σX dW on ℝ, in Itô's sense, with commutative noise.
///
/// X_t = x₀ exp((μ − ½σ²)t + σW_t): for x₀ > 0 log-normal, with mean x₀e^{μt} and variance
/// x₀²e^{2μt}(e^{σ²t} − 1) (Black & Scholes, *The pricing of options and corporate liabilities*,
/// 1973).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GeometricBrownian {
    mu: f64,
    sigma: f64,
}

impl GeometricBrownian {
    /// The process with growth μ and volatility σ.
    ///
    /// # Errors
    /// When σ is negative or one is not finite.
    pub fn new(mu: f64, sigma: f64) -> Result<GeometricBrownian, ProcessError> {
        Ok(GeometricBrownian {
            mu: Range::Any.check("mu", mu)?,
            sigma: Range::NonNegative.check("sigma", sigma)?,
        })
    }
}

impl Process for GeometricBrownian {
    type State<L: Lane> = [L; 1];
    type Noise<L: Lane> = [L; 1];

    #[inline(always)]
    fn drift<L: Lane>(&self, _: L, x: &[L; 1], f: &mut [L; 1]) {
        *f = [x[0] * self.mu];
    }

    #[inline(always)]
    fn diffusion<L: Lane>(&self, _: L, x: &[L; 1], dw: &[L; 1], out: &mut [L; 1]) {
        *out = [x[0] * self.sigma * dw[0]];
    }

    fn noise_kind(&self) -> NoiseKind {
        NoiseKind::Commutative
    }

    fn names(&self) -> Vec<String> {
        vec!["x".into()]
    }
}
