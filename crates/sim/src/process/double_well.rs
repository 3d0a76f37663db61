use super::{NoiseKind, Process, ProcessError, Range};
use crate::density;
use crate::lane::Lane;

/// A particle in a double well: dX = −U′(X) dt + σ dW on ℝ with U(x) = h((x/w)² − 1)².
///
/// Additive noise. The wells are at ±w, the barrier between them, at 0, is h high. For σ > 0 the
/// invariant density is proportional to e^{−2U(x)/σ²}; over a barrier that is high against σ² the
/// particle jumps at Kramers' rate (*Brownian motion in a field of force*, Physica, 1940).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DoubleWell {
    height: f64,
    width: f64,
    sigma: f64,
}

impl DoubleWell {
    /// The process with barrier height h, wells at ±w, and diffusion coefficient σ.
    ///
    /// # Errors
    /// When h or w is not positive, σ is negative, or one is not finite.
    pub fn new(height: f64, width: f64, sigma: f64) -> Result<DoubleWell, ProcessError> {
        Ok(DoubleWell {
            height: Range::Positive.check("height", height)?,
            width: Range::Positive.check("width", width)?,
            sigma: Range::NonNegative.check("sigma", sigma)?,
        })
    }

    /// The invariant density, where there is one: for σ > 0.
    pub fn invariant(&self) -> Option<density::DoubleWell> {
        let height = 2.0 * self.height / (self.sigma * self.sigma);
        density::DoubleWell::new(height, self.width).ok()
    }
}

impl Process for DoubleWell {
    type State<L: Lane> = [L; 1];
    type Noise<L: Lane> = [L; 1];

    #[inline(always)]
    fn drift<L: Lane>(&self, _: L, &[x]: &[L; 1], f: &mut [L; 1]) {
        *f = [density::well_force(self.height, self.width, x)];
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
