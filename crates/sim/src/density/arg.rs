//! A density chosen when the program runs.

use fokker_math::density::{Density, Gaussian as ExactGaussian, Mixture as ExactMixture};

use super::{Diffused, DoubleWell, LaneDensity, Mixture, ParseError};
use crate::lane::{Lane, One};

/// A density given by a user: what [`parse`](std::str::FromStr) reads, see
/// [`DENSITIES`](super::DENSITIES) for the forms.
#[derive(Clone, Debug)]
pub enum DensityArg {
    /// A normal distribution.
    Gaussian(ExactGaussian),
    /// A mixture of normal distributions.
    Mixture(ExactMixture),
    /// The double well, in one dimension.
    DoubleWell(DoubleWell),
}

/// The standard normal distribution on ℝ.
impl Default for DensityArg {
    fn default() -> DensityArg {
        DensityArg::standard(1)
    }
}

impl std::str::FromStr for DensityArg {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<DensityArg, ParseError> {
        super::parse::parse(text)
    }
}

impl DensityArg {
    /// N(0, I) in dimension `dim`.
    ///
    /// # Panics
    /// When `dim` is 0.
    pub fn standard(dim: usize) -> DensityArg {
        DensityArg::isotropic(dim, 1.0)
    }

    /// N(0, std² I).
    pub(crate) fn isotropic(dim: usize, std: f64) -> DensityArg {
        DensityArg::Gaussian(
            ExactGaussian::isotropic(&vec![0.0; dim], std)
                .expect("a dimension and a deviation above 0 make a Gaussian"),
        )
    }

    /// The law of aZ + bε with Z from this density, where it has a closed form.
    pub fn diffused(&self) -> Option<Diffused> {
        match self {
            DensityArg::Gaussian(gaussian) => Some(gaussian.into()),
            DensityArg::Mixture(mixture) => Some(mixture.into()),
            DensityArg::DoubleWell(_) => None,
        }
    }

    /// The same density in lanes.
    pub fn lanes(&self) -> AnyDensity {
        match self {
            DensityArg::Gaussian(gaussian) => AnyDensity::Mixture(gaussian.into()),
            DensityArg::Mixture(mixture) => AnyDensity::Mixture(mixture.into()),
            DensityArg::DoubleWell(well) => AnyDensity::DoubleWell(well.clone()),
        }
    }

    /// P(X_axis ≤ x), the distribution function of a coordinate.
    ///
    /// # Panics
    /// When there is no such coordinate.
    pub fn marginal_cdf(&self, axis: usize, x: f64) -> f64 {
        match self {
            DensityArg::Gaussian(gaussian) => gaussian.marginal_cdf(axis, x),
            DensityArg::Mixture(mixture) => mixture.marginal_cdf(axis, x),
            DensityArg::DoubleWell(well) => {
                assert!(axis == 0, "a double well has one coordinate, not {axis}");
                well.cdf(x)
            }
        }
    }

    /// The mean.
    pub fn mean(&self) -> Vec<f64> {
        match self {
            DensityArg::Gaussian(gaussian) => gaussian.mean().to_vec(),
            DensityArg::Mixture(mixture) => mixture.mean(),
            DensityArg::DoubleWell(_) => vec![0.0],
        }
    }

    /// The covariance, row after row.
    pub fn covariance(&self) -> Vec<f64> {
        match self {
            DensityArg::Gaussian(gaussian) => gaussian.covariance().to_vec(),
            DensityArg::Mixture(mixture) => mixture.covariance(),
            DensityArg::DoubleWell(well) => vec![well.variance()],
        }
    }
}

impl Density for DensityArg {
    fn dim(&self) -> usize {
        match self {
            DensityArg::Gaussian(gaussian) => gaussian.dim(),
            DensityArg::Mixture(mixture) => mixture.dim(),
            DensityArg::DoubleWell(_) => 1,
        }
    }

    fn log_density(&self, x: &[f64]) -> f64 {
        match self {
            DensityArg::Gaussian(gaussian) => gaussian.log_density(x),
            DensityArg::Mixture(mixture) => mixture.log_density(x),
            DensityArg::DoubleWell(well) => well.log_density(&[One(x[0])]).0,
        }
    }

    fn score(&self, x: &[f64], out: &mut [f64]) {
        match self {
            DensityArg::Gaussian(gaussian) => gaussian.score(x, out),
            DensityArg::Mixture(mixture) => mixture.score(x, out),
            DensityArg::DoubleWell(well) => {
                let mut score = [One(0.0)];
                well.score(&[One(x[0])], &mut score);
                out[0] = score[0].0;
            }
        }
    }

    fn normals(&self) -> usize {
        match self {
            DensityArg::Gaussian(gaussian) => gaussian.normals(),
            DensityArg::Mixture(mixture) => mixture.normals(),
            DensityArg::DoubleWell(_) => 0,
        }
    }

    /// As the density's own; the double well inverts its distribution function at `u`.
    fn sample(&self, u: f64, normals: &[f64], out: &mut [f64]) {
        match self {
            DensityArg::Gaussian(gaussian) => gaussian.sample(u, normals, out),
            DensityArg::Mixture(mixture) => mixture.sample(u, normals, out),
            DensityArg::DoubleWell(well) => out[0] = well.quantile(u),
        }
    }
}

/// A [`DensityArg`] in lanes. One type for all of them, so that a process is compiled once.
#[derive(Clone, Debug)]
pub enum AnyDensity {
    /// A mixture of normal distributions, or one.
    Mixture(Mixture),
    /// The double well.
    DoubleWell(DoubleWell),
}

impl LaneDensity for AnyDensity {
    fn dim(&self) -> usize {
        match self {
            AnyDensity::Mixture(mixture) => mixture.dim(),
            AnyDensity::DoubleWell(well) => well.dim(),
        }
    }

    #[inline(always)]
    fn log_density<L: Lane>(&self, x: &[L]) -> L {
        match self {
            AnyDensity::Mixture(mixture) => mixture.log_density(x),
            AnyDensity::DoubleWell(well) => well.log_density(x),
        }
    }

    #[inline(always)]
    fn score<L: Lane>(&self, x: &[L], out: &mut [L]) {
        match self {
            AnyDensity::Mixture(mixture) => mixture.score(x, out),
            AnyDensity::DoubleWell(well) => well.score(x, out),
        }
    }
}
