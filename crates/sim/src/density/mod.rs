//! Densities in SIMD lanes: what a Langevin process or a reverse diffusion needs of a density while
//! it runs.
//!
//! Checked construction, sampling and closed forms are those of [`fokker_math::density`]; the types
//! here are made from them. [`DensityArg`] reads a density from text.

mod arg;
mod diffused;
mod double_well;
mod eigen;
mod gaussian;
mod mixture;
mod parse;
#[cfg(test)]
mod tests;

pub use arg::{AnyDensity, DensityArg};
pub use diffused::Diffused;
pub use double_well::DoubleWell;
pub(crate) use double_well::force as well_force;
pub use gaussian::Gaussian;
pub use mixture::Mixture;
pub use parse::{DENSITIES, DensityForm, ParseError};

use crate::lane::{Dual, Lane};

/// A probability density p on ℝⁿ, written once for every lane type.
///
/// Mark the methods `#[inline(always)]`: they are compiled into the solvers' loops. In all of them
/// slices are of length n.
pub trait LaneDensity: Send + Sync {
    /// The dimension n.
    fn dim(&self) -> usize;

    /// ln p(x). It may leave out a constant, if the implementation says so.
    fn log_density<L: Lane>(&self, x: &[L]) -> L;

    /// Writes the score ∇ln p(x). The default takes the exact derivative of
    /// [`LaneDensity::log_density`], in n evaluations on dual numbers.
    #[inline(always)]
    fn score<L: Lane>(&self, x: &[L], out: &mut [L]) {
        // On the stack in the usual, low dimensions.
        let mut few = [Dual::splat(0.0); 8];
        let mut many = Vec::new();
        let point = if x.len() <= few.len() {
            &mut few[..x.len()]
        } else {
            many.resize(x.len(), Dual::splat(0.0));
            &mut many[..]
        };
        for (point, x) in point.iter_mut().zip(x) {
            *point = Dual::constant(*x);
        }
        for i in 0..x.len() {
            point[i].d = L::splat(1.0);
            out[i] = self.log_density(point).d;
            point[i].d = L::splat(0.0);
        }
    }
}
