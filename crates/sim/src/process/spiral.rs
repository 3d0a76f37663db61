use super::{Process, ProcessError, Range};
use crate::lane::Lane;

/// A spiral in the plane: dx/dt = −λx − ωy, dy/dt = ωx − λy.
///
/// An ordinary equation with angular velocity ω and decay λ. The flow is a rotation by ωt,
/// anticlockwise for ω > 0, shrunk by e^{−λt}; with λ = 0 it keeps the radius.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spiral {
    omega: f64,
    decay: f64,
}

impl Spiral {
    /// The spiral with angular velocity ω and decay λ; λ < 0 winds outward.
    ///
    /// # Errors
    /// When one is not finite.
    pub fn new(omega: f64, decay: f64) -> Result<Spiral, ProcessError> {
        Ok(Spiral {
            omega: Range::Any.check("omega", omega)?,
            decay: Range::Any.check("decay", decay)?,
        })
    }

    /// The rotation with angular velocity ω.
    ///
    /// # Errors
    /// When ω is not finite.
    pub fn rotation(omega: f64) -> Result<Spiral, ProcessError> {
        Spiral::new(omega, 0.0)
    }
}

impl Process for Spiral {
    type State<L: Lane> = [L; 2];
    type Noise<L: Lane> = [L; 0];

    #[inline(always)]
    fn drift<L: Lane>(&self, _: L, &[x, y]: &[L; 2], f: &mut [L; 2]) {
        let omega = L::splat(self.omega);
        let decay = L::splat(-self.decay);
        *f = [decay.mul_add(x, -(omega * y)), decay.mul_add(y, omega * x)];
    }

    fn names(&self) -> Vec<String> {
        vec!["x".into(), "y".into()]
    }
}
