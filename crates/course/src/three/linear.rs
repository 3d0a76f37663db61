//! The least loss of a linear prediction: exact, from the data's mean and covariance.
//!
//! On CondOT, x = tz + (1 − t)ε and the target is u = z − ε. Along an eigenvector of the data's covariance with eigenvalue λ,
//! the best affine prediction of u from x leaves Var u − Cov(u, x)²/Var x = λ/(t²λ + (1 − t)²), and
//!
//! ∫₀¹ λ/(t²λ + (1 − t)²) dt = √λ [atan(((1 + λ)t − 1)/√λ)]₀¹ = (π/2) √λ.
//!
//! So the least loss of all affine predictions (another one at each t) is (π/2) tr √C / d, and that of all constant ones, which
//! predict the mean, is 1 + tr C / d.

use std::f64::consts::FRAC_PI_2;

use fokker_data::Dataset;
use fokker_math::linalg::{add_products, semidefinite_root, singular_values};

/// The least losses of simple predictions, a mean over the d numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Least {
    /// Of a constant: 1 + tr C/d.
    pub(super) constant: f64,
    /// Of a prediction of each number by itself alone: (π/2) Σ √Cᵢᵢ/d.
    pub(super) each: f64,
    /// Of an affine one: (π/2) tr √C/d; left out where d is too large for it.
    pub(super) affine: Option<f64>,
}

/// The loss that the best affine prediction leaves at t of a direction of variance λ.
pub(super) fn left(lambda: f64, t: f64) -> f64 {
    lambda / (t * t * lambda + (1.0 - t) * (1.0 - t))
}

/// Larger covariances are not made.
const LARGEST: usize = 1100;

impl Least {
    /// Of a data set of finitely many items, as these are.
    pub(super) fn of(data: &dyn Dataset) -> Least {
        let (n, d) = (data.len().unwrap_or(0) as usize, data.shape().size());
        let mut columns = vec![0.0; n * d];
        let mut row = vec![0.0; d];
        for i in 0..n {
            data.item(i as u64, &mut row);
            for (k, v) in row.iter().enumerate() {
                columns[k * n + i] = f64::from(*v);
            }
        }
        for column in columns.chunks_exact_mut(n) {
            let mean = column.iter().sum::<f64>() / n as f64;
            column.iter_mut().for_each(|v| *v -= mean);
        }
        let variance = |c: &[f64]| c.iter().map(|v| v * v).sum::<f64>() / n as f64;
        Least::from(
            &columns.chunks_exact(n).map(variance).collect::<Vec<_>>(),
            || {
                let mut c = vec![0.0; d * d];
                add_products(&columns, &columns, n, &mut c, d);
                c.iter_mut().for_each(|v| *v /= n as f64);
                c
            },
        )
    }

    /// From the variances of each number, and the covariance where it is small enough.
    pub(super) fn from(variances: &[f64], covariance: impl FnOnce() -> Vec<f64>) -> Least {
        let d = variances.len();
        let mean = |sum: f64| sum / d as f64;
        Least {
            constant: 1.0 + mean(variances.iter().sum()),
            each: FRAC_PI_2 * mean(variances.iter().map(|v| v.sqrt()).sum()),
            affine: (d <= LARGEST).then(|| {
                let root = semidefinite_root(d, &covariance());
                let values = singular_values(root.rank, d, root.root);
                FRAC_PI_2 * mean(values.iter().sum())
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Var u − Cov(u, x)²/Var x of x = tz + (1 − t)ε and u = z − ε, by its parts.
    #[test]
    fn what_is_left_is_the_residual_variance() {
        for lambda in [0.01, 0.5, 1.0, 20.0] {
            for t in [0.0, 0.2, 0.5, 0.9] {
                let (var_u, var_x) = (lambda + 1.0, t * t * lambda + (1.0 - t) * (1.0 - t));
                let cov: f64 = t * lambda - (1.0 - t);
                let residual = var_u - cov * cov / var_x;
                assert!((left(lambda, t) - residual).abs() < 1e-12 * var_u);
            }
        }
    }

    /// A covariance with eigenvalues 4 and 1 along the diagonals of the square.
    #[test]
    fn the_bounds_are_traces() {
        let least = Least::from(&[2.5, 2.5], || vec![2.5, 1.5, 1.5, 2.5]);
        assert!((least.constant - 3.5).abs() < 1e-12);
        assert!((least.affine.unwrap() - FRAC_PI_2 * 1.5).abs() < 1e-12);
        assert!((least.each - FRAC_PI_2 * 2.5_f64.sqrt()).abs() < 1e-12);
    }
}
