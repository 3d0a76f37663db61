use super::{Process, ProcessError, Range};
use crate::lane::Lane;

/// The Lorenz system: dx/dt = σ(y − x), dy/dt = x(ρ − z) − y, dz/dt = xy − βz.
///
/// An ordinary, chaotic equation on ℝ³ (Lorenz, *Deterministic nonperiodic flow*, Journal of the
/// Atmospheric Sciences, 1963): convection with Prandtl number σ, relative Rayleigh number ρ and
/// geometry β. Its fixed points are the origin and, for ρ > 1,
/// (±√(β(ρ − 1)), ±√(β(ρ − 1)), ρ − 1); its divergence is −(σ + 1 + β) everywhere.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lorenz {
    sigma: f64,
    rho: f64,
    beta: f64,
}

impl Lorenz {
    /// The system with these parameters.
    ///
    /// # Errors
    /// When one is not finite.
    pub fn new(sigma: f64, rho: f64, beta: f64) -> Result<Lorenz, ProcessError> {
        Ok(Lorenz {
            sigma: Range::Any.check("sigma", sigma)?,
            rho: Range::Any.check("rho", rho)?,
            beta: Range::Any.check("beta", beta)?,
        })
    }
}

/// σ = 10, ρ = 28, β = 8/3: Lorenz' own choice, with the butterfly attractor.
impl Default for Lorenz {
    fn default() -> Lorenz {
        Lorenz {
            sigma: 10.0,
            rho: 28.0,
            beta: 8.0 / 3.0,
        }
    }
}

impl Process for Lorenz {
    type State<L: Lane> = [L; 3];
    type Noise<L: Lane> = [L; 0];

    /// Six operations, two of them fused multiply-adds whose sign changes the machine fuses, too.
    #[inline(always)]
    fn drift<L: Lane>(&self, _: L, &[x, y, z]: &[L; 3], f: &mut [L; 3]) {
        *f = [
            (y - x) * self.sigma,
            x.mul_add(L::splat(self.rho) - z, -y),
            x.mul_add(y, -(z * self.beta)),
        ];
    }

    fn names(&self) -> Vec<String> {
        ["x", "y", "z"].map(String::from).to_vec()
    }
}
