use super::{NoiseKind, Process, ProcessError, Range};
use crate::lane::Lane;

/// Brownian motion dX = σ dW on ℝ, with additive noise (Itô and Stratonovich agree).
///
/// X_t ~ N(x₀, σ²t), with Cov(X_s, X_t) = σ² min(s, t).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Brownian {
    sigma: f64,
}

impl Brownian {
    /// Brownian motion with diffusion coefficient σ.
    ///
    /// # Errors
    /// When σ is negative or not finite.
    pub fn new(sigma: f64) -> Result<Brownian, ProcessError> {
        Ok(Brownian {
            sigma: Range::NonNegative.check("sigma", sigma)?,
        })
    }
}

impl Process for Brownian {
    type State<L: Lane> = [L; 1];
    type Noise<L: Lane> = [L; 1];

    #[inline(always)]
    fn drift<L: Lane>(&self, _: L, _: &[L; 1], f: &mut [L; 1]) {
        *f = [L::splat(0.0)];
    }

    #[inline(always)]
    fn diffusion<L: Lane>(&self, _: L, _: &[L; 1], dw: &[L; 1], out: &mut [L; 1]) {
        *out = [dw[0] * self.sigma];
    }

    fn noise_kind(&self) -> NoiseKind {
        NoiseKind::Additive
    }

    fn names(&self) -> Vec<String> {
        vec!["x".into()]
    }
}
