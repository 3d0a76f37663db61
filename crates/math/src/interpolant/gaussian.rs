use super::{Interpolant, InterpolantCoeffs};
use crate::scheduler::Scheduler;

/// A Gaussian path x = αz + βε as an interpolant: x₀ is the noise, x₁ the data, a = β, b = α, γ = 0.
/// Its coefficients are the scheduler's at every time, and so is its name.
///
/// As the noise is x₀ here, the score is −E\[x₀|x\]/β and not [`InterpolantCoeffs::score`].
#[derive(Debug)]
pub struct GaussianInterpolant(
    /// The path's scheduler.
    pub Box<dyn Scheduler>,
);

impl Interpolant for GaussianInterpolant {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn at(&self, t: f64) -> InterpolantCoeffs {
        let c = self.0.at(t);
        InterpolantCoeffs {
            a: c.beta,
            b: c.alpha,
            gamma: 0.0,
            d_a: c.d_beta,
            d_b: c.d_alpha,
            d_gamma: 0.0,
        }
    }
}
