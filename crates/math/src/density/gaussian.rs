//! The normal distribution with any covariance.

use std::f64::consts::TAU;

use super::{Density, DensityError, with_scratch};
use crate::linalg::{NotPositive, backward, cholesky, dot, forward};
use crate::stats::normal_cdf;

/// The normal distribution N(μ, Σ) in any dimension n, with Σ = LLᵀ.
#[derive(Clone, Debug, PartialEq)]
pub struct Gaussian {
    mean: Vec<f64>,
    /// Row-major, exactly symmetric.
    covariance: Vec<f64>,
    /// L, row-major.
    l: Vec<f64>,
    /// ln p(μ) = −(n/2) ln 2π − ln det L.
    log_peak: f64,
}

impl Gaussian {
    /// N(μ, Σ) of the mean μ and the n² entries of the covariance Σ, row after row.
    ///
    /// # Errors
    /// When Σ is not an n × n, finite, symmetric (to 10⁻¹² √(Σᵢᵢ Σⱼⱼ)) and positive definite matrix,
    /// or μ is empty or not finite.
    pub fn new(mean: &[f64], covariance: &[f64]) -> Result<Gaussian, DensityError> {
        let n = mean.len();
        check_mean(mean)?;
        if Some(covariance.len()) != n.checked_mul(n) {
            let entries = covariance.len();
            return Err(DensityError::Entries { dim: n, entries });
        }
        if let Some(at) = covariance.iter().position(|v| !v.is_finite()) {
            let (row, column, value) = (at / n, at % n, covariance[at]);
            return Err(DensityError::NotFinite { row, column, value });
        }
        let mut symmetric = covariance.to_vec();
        for row in 0..n {
            for column in 0..row {
                let (value, mirrored) =
                    (covariance[row * n + column], covariance[column * n + row]);
                let std = |i: usize| covariance[i * n + i].abs().sqrt();
                if (value - mirrored).abs() > 1e-12 * std(row) * std(column) {
                    return Err(DensityError::NotSymmetric {
                        row,
                        column,
                        value,
                        mirrored,
                    });
                }
                symmetric[column * n + row] = value;
            }
        }
        let l = cholesky(n, &symmetric).map_err(|NotPositive { order, minor }| {
            DensityError::NotPositiveDefinite { order, minor }
        })?;
        Ok(Gaussian::of(mean, symmetric, l))
    }

    /// N(μ, std² I).
    ///
    /// # Errors
    /// When the mean is empty or not finite, or the standard deviation not positive and finite.
    pub fn isotropic(mean: &[f64], std: f64) -> Result<Gaussian, DensityError> {
        check_mean(mean)?;
        if !(std > 0.0 && std.is_finite()) {
            return Err(DensityError::Deviation { value: std });
        }
        Ok(Gaussian::isotropic_checked(mean, std))
    }

    /// N(μ, std² I) of parameters known to be good.
    pub(super) fn isotropic_checked(mean: &[f64], std: f64) -> Gaussian {
        let diagonal = |value: f64| {
            let n = mean.len();
            let mut matrix = vec![0.0; n * n];
            matrix.iter_mut().step_by(n + 1).for_each(|d| *d = value);
            matrix
        };
        Gaussian::of(mean, diagonal(std * std), diagonal(std))
    }

    fn of(mean: &[f64], covariance: Vec<f64>, l: Vec<f64>) -> Gaussian {
        let n = mean.len();
        let log_det: f64 = l.iter().step_by(n + 1).map(|d| d.ln()).sum();
        Gaussian {
            mean: mean.to_vec(),
            covariance,
            l,
            log_peak: -0.5 * n as f64 * TAU.ln() - log_det,
        }
    }

    /// The mean μ.
    pub fn mean(&self) -> &[f64] {
        &self.mean
    }

    /// The covariance Σ, row after row.
    pub fn covariance(&self) -> &[f64] {
        &self.covariance
    }

    /// The lower triangular L with Σ = LLᵀ, row after row, zeros above the diagonal.
    pub fn cholesky(&self) -> &[f64] {
        &self.l
    }

    /// The precision Σ⁻¹, row after row.
    pub fn precision(&self) -> Vec<f64> {
        let n = self.dim();
        let mut precision = vec![0.0; n * n];
        for (i, row) in precision.chunks_exact_mut(n).enumerate() {
            row[i] = 1.0;
            forward(n, &self.l, row);
            backward(n, &self.l, row);
        }
        precision
    }

    /// Mean and standard deviation of the coordinate `axis`, whose marginal is normal.
    ///
    /// # Panics
    /// When there is no such coordinate.
    pub fn marginal(&self, axis: usize) -> (f64, f64) {
        let row = &self.l[axis * self.dim()..(axis + 1) * self.dim()];
        (self.mean[axis], dot(row, row).sqrt())
    }

    /// P(X_axis ≤ x), the distribution function of a coordinate.
    ///
    /// # Panics
    /// When there is no such coordinate.
    pub fn marginal_cdf(&self, axis: usize, x: f64) -> f64 {
        let (mean, std) = self.marginal(axis);
        normal_cdf((x - mean) / std)
    }

    /// L⁻¹(x − μ), written to `out`: standard normal coordinates.
    pub(super) fn whiten(&self, x: &[f64], out: &mut [f64]) {
        let n = self.dim();
        assert!(
            x.len() == n && out.len() == n,
            "a density of dimension {n} needs points and results of as many numbers, got {} and {}",
            x.len(),
            out.len()
        );
        for ((out, x), mean) in out.iter_mut().zip(x).zip(&self.mean) {
            *out = x - mean;
        }
        forward(n, &self.l, out);
    }

    /// ln p and Σ⁻¹(x − μ) of a whitened point, in place.
    pub(super) fn finish(&self, whitened: &mut [f64]) -> f64 {
        let log_density = self.log_peak - 0.5 * dot(whitened, whitened);
        backward(self.dim(), &self.l, whitened);
        log_density
    }
}

fn check_mean(mean: &[f64]) -> Result<(), DensityError> {
    match mean.iter().position(|m| !m.is_finite()) {
        _ if mean.is_empty() => Err(DensityError::Empty),
        None => Ok(()),
        Some(axis) => Err(DensityError::Mean {
            axis,
            value: mean[axis],
        }),
    }
}

impl Density for Gaussian {
    fn dim(&self) -> usize {
        self.mean.len()
    }

    /// ln p(x) = −½|L⁻¹(x − μ)|² − ln det L − (n/2) ln 2π.
    fn log_density(&self, x: &[f64]) -> f64 {
        with_scratch(self.dim(), |y| {
            self.whiten(x, y);
            self.log_peak - 0.5 * dot(y, y)
        })
    }

    /// ∇ln p(x) = −Σ⁻¹(x − μ).
    fn score(&self, x: &[f64], out: &mut [f64]) {
        self.whiten(x, out);
        self.finish(out);
        out.iter_mut().for_each(|s| *s = -*s);
    }

    fn normals(&self) -> usize {
        self.dim()
    }

    /// μ + Lε; `u` is not used.
    fn sample(&self, _: f64, normals: &[f64], out: &mut [f64]) {
        let n = self.dim();
        assert!(
            normals.len() == n && out.len() == n,
            "a sample of dimension {n} takes as many normals and places, got {} and {}",
            normals.len(),
            out.len()
        );
        for (i, out) in out.iter_mut().enumerate() {
            *out = self.mean[i] + dot(&self.l[i * n..=i * n + i], normals);
        }
    }
}
