//! Inverse problems: samples of p(z | y) for a measurement y = A z + σ_y n, with a model of z that was
//! trained without knowing A.

mod inpaint;
mod measured;
mod operator;
mod solve;

pub use inpaint::{Inpaint, resample};
pub use measured::{Measured, Method};
pub use operator::{Dense, Downsample, LinearOperator, Mask};

/// An inverse problem that does not fit together.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum InverseError {
    /// The model has no derivatives, which a measurement is pulled back by.
    #[error("this model has no derivatives: sampling given a measurement needs them")]
    NoDerivatives,
    /// The states are not of the size that the operator takes.
    #[error("the operator measures states of {operator} numbers, got {given}")]
    States {
        /// What the operator takes.
        operator: usize,
        /// What there is.
        given: usize,
    },
    /// y is not of the size that the operator puts out.
    #[error("the operator measures {operator} numbers, got {given}")]
    Measurement {
        /// What the operator puts out.
        operator: usize,
        /// Numbers in a row of y.
        given: usize,
    },
    /// A number is out of its range.
    #[error("{what} = {value} must be {range}")]
    Value {
        /// Its name.
        what: &'static str,
        /// What was given.
        value: f64,
        /// What would be right.
        range: &'static str,
    },
    /// A matrix has another number of entries than its sizes say.
    #[error("a matrix of {rows} rows and {columns} columns has {} entries, got {given}", rows * columns)]
    Matrix {
        /// Its rows.
        rows: usize,
        /// Its columns.
        columns: usize,
        /// The number of entries.
        given: usize,
    },
    /// A mask that keeps nothing.
    #[error("the mask keeps none of {dim} coordinates: there is nothing to measure")]
    EmptyMask {
        /// Its size.
        dim: usize,
    },
    /// The size of an image is no multiple of the factor.
    #[error("images of {height} x {width} do not divide into squares of {factor} x {factor}")]
    Factor {
        /// Their height.
        height: usize,
        /// Their width.
        width: usize,
        /// The factor.
        factor: usize,
    },
    /// The image has another size than the mask.
    #[error("the mask has {mask} coordinates, the known data {given}")]
    Mask {
        /// Coordinates of the mask.
        mask: usize,
        /// Numbers in a row of what is known.
        given: usize,
    },
}

/// `value` where it `fits`.
fn within(
    what: &'static str,
    value: f64,
    fits: bool,
    range: &'static str,
) -> Result<(), InverseError> {
    match fits {
        true => Ok(()),
        false => Err(InverseError::Value { what, value, range }),
    }
}
