//! Probability densities on ℝⁿ: log-density, score and sampling, in any dimension.

mod gaussian;
mod mixture;
#[cfg(test)]
mod tests;

pub use gaussian::Gaussian;
pub use mixture::Mixture;

use crate::mixture::MixtureError;

/// A probability density p on ℝⁿ. Randomness is an argument: a sample is a function of one uniform
/// and of [`Density::normals`] standard normal numbers.
///
/// All methods panic when a slice is not of the length they state.
pub trait Density: Send + Sync {
    /// The dimension n of a point.
    fn dim(&self) -> usize;

    /// ln p(x), normalised, for `x` of n coordinates.
    fn log_density(&self, x: &[f64]) -> f64;

    /// The score ∇ln p(x), written to `out`; both of length n.
    fn score(&self, x: &[f64], out: &mut [f64]);

    /// How many standard normal numbers one sample takes.
    fn normals(&self) -> usize;

    /// A sample, written to `out` of length n, from `u` ~ U\[0, 1), which picks a component where
    /// there are several, and independent `normals` ~ N(0, 1).
    fn sample(&self, u: f64, normals: &[f64], out: &mut [f64]);
}

/// Why parameters do not make a density.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum DensityError {
    /// A Gaussian without coordinates.
    #[error("a Gaussian needs a mean of at least one coordinate")]
    Empty,
    /// A matrix that is not n × n.
    #[error("the covariance in dimension {dim} must have {} entries, got {entries}", .dim * .dim)]
    Entries {
        /// The dimension, from the mean.
        dim: usize,
        /// The number of entries given.
        entries: usize,
    },
    /// A coordinate of a mean is not finite.
    #[error("coordinate {axis} of the mean must be finite, got {value}")]
    Mean {
        /// The coordinate, counted from 0.
        axis: usize,
        /// The value given.
        value: f64,
    },
    /// An entry of a covariance is not finite.
    #[error("the covariance's entry in row {row}, column {column} must be finite, got {value}")]
    NotFinite {
        /// The row, counted from 0.
        row: usize,
        /// The column, counted from 0.
        column: usize,
        /// The value given.
        value: f64,
    },
    /// A covariance is not symmetric.
    #[error(
        "the covariance is not symmetric: row {row}, column {column} holds {value}, \
         but row {column}, column {row} holds {mirrored}"
    )]
    NotSymmetric {
        /// The row, counted from 0.
        row: usize,
        /// The column, counted from 0.
        column: usize,
        /// The entry there.
        value: f64,
        /// The entry on the other side of the diagonal.
        mirrored: f64,
    },
    /// A covariance is singular or has a negative eigenvalue.
    #[error(
        "the covariance is not positive definite: leading minor {order} is {minor}, \
         it must be positive (and more than rounding errors)"
    )]
    NotPositiveDefinite {
        /// The size of the leading block whose determinant is not positive, counted from 1.
        order: usize,
        /// The determinant.
        minor: f64,
    },
    /// A standard deviation is not positive and finite.
    #[error("a standard deviation must be positive and finite, got {value}")]
    Deviation {
        /// The value given.
        value: f64,
    },
    /// Not one weight per component.
    #[error("a mixture of {components} components needs as many weights, got {weights}")]
    Weights {
        /// The number of components given.
        components: usize,
        /// The number of weights given.
        weights: usize,
    },
    /// The components live in different spaces.
    #[error(
        "component {component} of a mixture is of dimension {dim}, but the first one of dimension \
         {first}"
    )]
    Dimension {
        /// The component, counted from 0.
        component: usize,
        /// Its dimension.
        dim: usize,
        /// The dimension of component 0.
        first: usize,
    },
    /// The parameters do not make a mixture.
    #[error(transparent)]
    Mixture(#[from] MixtureError),
}

/// Numbers for a short while; on the stack in the usual, low dimensions.
fn with_scratch<R>(n: usize, run: impl FnOnce(&mut [f64]) -> R) -> R {
    if n <= 16 {
        run(&mut [0.0; 16][..n])
    } else {
        run(&mut vec![0.0; n])
    }
}
