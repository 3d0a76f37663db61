use super::{NoiseKind, Process, ProcessError, Range};
use crate::lane::Lane;

/// The Ornstein–Uhlenbeck process dX = θ(m − X) dt + σ dW on ℝ, with additive noise.
///
/// X_t ~ N(m + (x₀ − m)e^{−θt}, D(1 − e^{−2θt})) with D = σ²/2θ; for θ > 0 the invariant law is
/// N(m, D) and the stationary autocovariance D e^{−θ|s − t|} (Uhlenbeck & Ornstein, *On the theory
/// of the Brownian motion*, Physical Review, 1930).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OrnsteinUhlenbeck {
    theta: f64,
    mean: f64,
    sigma: f64,
}

impl OrnsteinUhlenbeck {
    /// The process with rate θ, mean m and diffusion coefficient σ.
    ///
    /// # Errors
    /// When σ is negative or one is not finite.
    pub fn new(theta: f64, mean: f64, sigma: f64) -> Result<OrnsteinUhlenbeck, ProcessError> {
        Ok(OrnsteinUhlenbeck {
            theta: Range::Any.check("theta", theta)?,
            mean: Range::Any.check("mean", mean)?,
            sigma: Range::NonNegative.check("sigma", sigma)?,
        })
    }
}

impl Process for OrnsteinUhlenbeck {
    type State<L: Lane> = [L; 1];
    type Noise<L: Lane> = [L; 1];

    #[inline(always)]
    fn drift<L: Lane>(&self, _: L, x: &[L; 1], f: &mut [L; 1]) {
        *f = [(L::splat(self.mean) - x[0]) * self.theta];
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
