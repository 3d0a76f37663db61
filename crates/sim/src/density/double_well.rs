//! The double well as a density.

use fokker_math::law::Boltzmann;

use super::LaneDensity;
use crate::lane::Lane;
use crate::process::{ProcessError, Range};

/// −U′(x) = (4h/w²) x (1 − (x/w)²) of the potential U(x) = h((x/w)² − 1)².
#[inline(always)]
pub(crate) fn force<L: Lane>(height: f64, width: f64, x: L) -> L {
    let w_squared = width * width;
    let bracket = (x * x).mul_add(L::splat(-1.0 / w_squared), L::splat(1.0));
    x * (4.0 * height / w_squared) * bracket
}

/// The density p(x) = e^{−U(x)}/Z on ℝ with U(x) = h((x/w)² − 1)²: two modes at ±w, between which
/// the density sinks to e^{−h} of its greatest value.
///
/// Z and the distribution function come from quadrature.
#[derive(Clone, Debug)]
pub struct DoubleWell {
    height: f64,
    width: f64,
    /// ln Z.
    log_z: f64,
    /// The law of X/w.
    scaled: Boltzmann<fn(f64) -> f64>,
}

impl DoubleWell {
    /// The density with barrier h, in units of the temperature, and wells at ±w.
    ///
    /// # Errors
    /// When h is not between 10⁻³ and 10³, where the quadrature is good, or w is not positive and
    /// finite.
    pub fn new(height: f64, width: f64) -> Result<DoubleWell, ProcessError> {
        let height = Range::Between(1e-3, 1e3).check("height", height)?;
        let width = Range::Positive.check("width", width)?;
        // Beyond, p is below e⁻⁴⁰ of its greatest value.
        let reach = (1.0 + (40.0 / height).sqrt()).sqrt();
        let potential: fn(f64) -> f64 = |y| (y * y - 1.0).powi(2);
        let scaled = Boltzmann::new(potential, 1.0 / height, -reach, reach)
            .expect("a finite potential on a finite interval has a law");
        Ok(DoubleWell {
            height,
            width,
            log_z: width.ln() + scaled.log_normaliser(),
            scaled,
        })
    }

    /// P(X ≤ x).
    pub fn cdf(&self, x: f64) -> f64 {
        self.scaled.cdf(x / self.width)
    }

    /// The x with P(X ≤ x) = u, for u in \[0, 1\].
    pub fn quantile(&self, u: f64) -> f64 {
        let mut high = (1.0 + (40.0 / self.height).sqrt()).sqrt();
        let mut low = -high;
        // Down to neighbouring numbers.
        for _ in 0..60 {
            let middle = 0.5 * (low + high);
            if self.scaled.cdf(middle) < u {
                low = middle;
            } else {
                high = middle;
            }
        }
        0.5 * (low + high) * self.width
    }

    /// Var X; the mean is 0.
    pub fn variance(&self) -> f64 {
        self.width * self.width * self.scaled.expectation(|y| y * y)
    }
}

impl LaneDensity for DoubleWell {
    fn dim(&self) -> usize {
        1
    }

    #[inline(always)]
    fn log_density<L: Lane>(&self, x: &[L]) -> L {
        let ratio = x[0] / self.width;
        let bracket = ratio.mul_add(ratio, L::splat(-1.0));
        (bracket * bracket).mul_add(L::splat(-self.height), L::splat(-self.log_z))
    }

    #[inline(always)]
    fn score<L: Lane>(&self, x: &[L], out: &mut [L]) {
        out[0] = force(self.height, self.width, x[0]);
    }
}
