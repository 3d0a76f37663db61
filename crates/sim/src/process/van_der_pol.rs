use super::{Process, ProcessError, Range};
use crate::lane::Lane;

/// Van der Pol's oscillator: dx/dt = v, dv/dt = μ(1 − x²)v − x.
///
/// An ordinary equation on ℝ² (van der Pol, *On relaxation-oscillations*, 1926). Every orbit but
/// the origin tends to a limit cycle of amplitude about 2; for μ = 0 it is the harmonic oscillator,
/// for large μ it is stiff.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct VanDerPol {
    mu: f64,
}

impl VanDerPol {
    /// The oscillator with damping μ.
    ///
    /// # Errors
    /// When μ is not finite.
    pub fn new(mu: f64) -> Result<VanDerPol, ProcessError> {
        Ok(VanDerPol {
            mu: Range::Any.check("mu", mu)?,
        })
    }
}

impl Process for VanDerPol {
    type State<L: Lane> = [L; 2];
    type Noise<L: Lane> = [L; 0];

    #[inline(always)]
    fn drift<L: Lane>(&self, _: L, &[x, v]: &[L; 2], f: &mut [L; 2]) {
        let damping = (-x).mul_add(x, L::splat(1.0)) * self.mu;
        *f = [v, damping.mul_add(v, -x)];
    }

    fn names(&self) -> Vec<String> {
        vec!["x".into(), "v".into()]
    }
}
