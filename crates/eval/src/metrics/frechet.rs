use fokker_math::linalg::{SemidefiniteRoot, add_products, semidefinite_root, singular_values};
use rayon::prelude::*;

use crate::EvalError;

/// Rows of a data set summed at a time, and rows of a matrix made by one task.
const ROWS: usize = 256;
const TASK: usize = 32;

/// Mean and covariance of a data set: all that the Fréchet distance knows of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Moments {
    /// The mean, d numbers.
    pub mean: Vec<f64>,
    /// The covariance Σ(x − x̄)(x − x̄)ᵀ/(n − 1), d × d, row-major: `numpy.cov` with its own division.
    pub covariance: Vec<f64>,
    /// The number of points, n.
    pub count: u64,
}

impl Moments {
    /// The moments of points with `dim` numbers each, in two passes: a large mean does no harm. The sums are taken
    /// in a fixed order, whatever the number of threads; n·d² operations.
    ///
    /// # Errors
    /// [`EvalError::Shape`] unless the values are a whole number of points, two at least; [`EvalError::NotFinite`].
    pub fn of(values: &[f32], dim: usize) -> Result<Moments, EvalError> {
        if dim == 0 || !values.len().is_multiple_of(dim) || values.len() / dim < 2 {
            return Err(EvalError::shape(
                "points for mean and covariance",
                format!("two points or more of {dim} numbers, the dimension (1 at least)"),
                format!("{} numbers", values.len()),
            ));
        }
        if let Some(index) = values.iter().position(|v| !v.is_finite()) {
            return Err(EvalError::NotFinite {
                what: "points for mean and covariance",
                index,
                value: values[index].into(),
            });
        }
        let count = values.len() / dim;
        let mut mean = vec![0.0; dim];
        for point in values.chunks_exact(dim) {
            for (mean, &x) in mean.iter_mut().zip(point) {
                *mean += f64::from(x);
            }
        }
        mean.iter_mut().for_each(|mean| *mean /= count as f64);

        let mut covariance = vec![0.0; dim * dim];
        // Coordinates as rows: entry i, j is the product of rows i and j.
        let mut centred = Vec::with_capacity(dim * ROWS);
        for points in values.chunks(dim * ROWS) {
            let rows = points.len() / dim;
            centred.clear();
            centred.extend((0..dim * rows).map(|e| {
                let (i, row) = (e / rows, e % rows);
                f64::from(points[row * dim + i]) - mean[i]
            }));
            let tasks = covariance.par_chunks_mut(TASK * dim).enumerate();
            tasks.for_each(|(task, out)| {
                let from = task * TASK;
                let to = (from + TASK).min(dim);
                let (these, upto) = (&centred[from * rows..to * rows], &centred[..to * rows]);
                add_products(these, upto, rows, out, dim);
            });
        }
        let divisor = (count - 1) as f64;
        for i in 0..dim {
            for j in 0..=i {
                let entry = covariance[i * dim + j] / divisor;
                covariance[i * dim + j] = entry;
                covariance[j * dim + i] = entry;
            }
        }
        Ok(Moments {
            mean,
            covariance,
            count: count as u64,
        })
    }

    /// R of C = RᵀR, if these are moments.
    fn root(&self) -> Result<SemidefiniteRoot, EvalError> {
        let dim = self.mean.len();
        let wrong = |expected: &str, got: String| {
            Err(EvalError::shape(
                "mean and covariance",
                expected.to_owned(),
                got,
            ))
        };
        if dim == 0 || self.covariance.len() != dim * dim {
            return wrong(
                "d and d × d numbers",
                format!("{dim} and {}", self.covariance.len()),
            );
        }
        EvalError::check_finite("mean", &self.mean)?;
        EvalError::check_finite("covariance", &self.covariance)?;
        // Of matrices stored in single precision no more can be asked.
        let slack = 1e-5 * self.covariance.iter().fold(0.0f64, |m, c| m.max(c.abs()));
        for i in 0..dim {
            for j in 0..i {
                let [a, b] = [(i, j), (j, i)].map(|(i, j)| self.covariance[i * dim + j]);
                if (a - b).abs() > slack {
                    return wrong(
                        "a symmetric covariance",
                        format!("{a} in row {i}, column {j}, and {b} across (from 0)"),
                    );
                }
            }
        }
        let root = semidefinite_root(dim, &self.covariance);
        if root.least < -slack {
            return wrong(
                "a positive semi-definite covariance",
                format!("a variance of {} given other coordinates", root.least),
            );
        }
        Ok(root)
    }
}

/// The squared Fréchet distance of two normal laws with these moments (Dowson & Landau, 1982), which on the features of
/// a network is the FID (Heusel et al., *GANs trained by a two time-scale update rule converge to a local Nash
/// equilibrium*, 2017): ‖m₁ − m₂‖² + Tr(C₁ + C₂ − 2(C₁^{1/2} C₂ C₁^{1/2})^{1/2}), at least 0.
///
/// With C = RᵀR the last trace is the sum of the singular values of R₁R₂ᵀ. No square root of a rounding error is taken:
/// singular covariances (fewer points than dimensions) do no harm, and equal moments are some 10⁻¹³ of their trace
/// apart. Some 8·d³ operations.
///
/// Its expectation over finite samples lies above the distance of their laws, the more the fewer the points: compare
/// distances at one `count` only.
///
/// # Errors
/// [`EvalError::Shape`] if the dimensions differ or one of the two is no mean and covariance; [`EvalError::NotFinite`].
pub fn frechet(a: &Moments, b: &Moments) -> Result<f64, EvalError> {
    let dim = a.mean.len();
    if dim != b.mean.len() {
        return Err(EvalError::shape(
            "moments for the Fréchet distance",
            format!("two of the same dimension, {dim}"),
            b.mean.len(),
        ));
    }
    let (root_a, root_b) = (a.root()?, b.root()?);
    let mut product = vec![0.0; root_a.rank * root_b.rank];
    if !product.is_empty() {
        let tasks = product
            .par_chunks_mut(TASK * root_b.rank)
            .zip(root_a.root.par_chunks(TASK * dim));
        tasks.for_each(|(out, rows)| add_products(rows, &root_b.root, dim, out, root_b.rank));
    }
    let common: f64 = singular_values(root_a.rank, root_b.rank, product)
        .iter()
        .sum();
    let between = a.mean.iter().zip(&b.mean).map(|(a, b)| (a - b) * (a - b));
    let trace = |m: &Moments| m.covariance.iter().step_by(dim + 1).sum::<f64>();
    let within = trace(a) + trace(b) - 2.0 * common;
    Ok(between.sum::<f64>() + within.max(0.0))
}

#[cfg(test)]
mod tests;
