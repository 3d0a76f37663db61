use super::{Process, ProcessError, Range};
use crate::lane::Lane;

/// The linear equation dx/dt = −θx.
///
/// An ordinary equation on ℝ. The flow is ψ_t(x₀) = e^{−θt} x₀; Euler's method with n steps over
/// \[0, t\] gives (1 − θt/n)ⁿ x₀.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Linear {
    theta: f64,
}

impl Linear {
    /// The equation with rate θ.
    ///
    /// # Errors
    /// When θ is not finite.
    pub fn new(theta: f64) -> Result<Linear, ProcessError> {
        Ok(Linear {
            theta: Range::Any.check("theta", theta)?,
        })
    }
}

impl Process for Linear {
    type State<L: Lane> = [L; 1];
    type Noise<L: Lane> = [L; 0];

    #[inline(always)]
    fn drift<L: Lane>(&self, _: L, x: &[L; 1], f: &mut [L; 1]) {
        *f = [x[0] * -self.theta];
    }

    fn names(&self) -> Vec<String> {
        vec!["x".into()]
    }
}
