//! The normal distribution in lanes.

use fokker_math::density::{Density, Gaussian as Exact};

use super::LaneDensity;
use super::mixture::{Part, is_isotropic};
use crate::lane::Lane;

/// The normal distribution N(μ, Σ), by its precision Σ⁻¹.
#[derive(Clone, Debug, PartialEq)]
pub struct Gaussian {
    mean: Vec<f64>,
    precision: Precision,
    /// ln p(μ), to which a mixture adds ln w.
    log_peak: f64,
}

#[derive(Clone, Debug, PartialEq)]
enum Precision {
    /// The multiple of the identity.
    Isotropic(f64),
    /// Row-major.
    Full(Vec<f64>),
}

impl From<&Exact> for Gaussian {
    fn from(exact: &Exact) -> Gaussian {
        let covariance = exact.covariance();
        Gaussian {
            mean: exact.mean().to_vec(),
            precision: if is_isotropic(exact) {
                Precision::Isotropic(1.0 / covariance[0])
            } else {
                Precision::Full(exact.precision())
            },
            log_peak: exact.log_density(exact.mean()),
        }
    }
}

impl Gaussian {
    /// The same, weighted.
    pub(super) fn weighted(exact: &Exact, weight: f64) -> Gaussian {
        let mut gaussian = Gaussian::from(exact);
        gaussian.log_peak += weight.ln();
        gaussian
    }

    /// (Pᵢ·(x − μ)), for row i of the precision.
    #[inline(always)]
    fn row<L: Lane>(mean: &[f64], row: &[f64], x: &[L]) -> L {
        let mut sum = (x[0] - mean[0]) * row[0];
        for ((x, mean), p) in x.iter().zip(mean).zip(row).skip(1) {
            sum = (*x - *mean).mul_add(L::splat(*p), sum);
        }
        sum
    }
}

impl<L: Lane> Part<L> for &Gaussian {
    #[inline(always)]
    fn log(&self, x: &[L]) -> L {
        let n = x.len();
        let mean = &self.mean[..n];
        match &self.precision {
            Precision::Isotropic(p) => {
                let mut square = L::splat(0.0);
                for (x, mean) in x.iter().zip(mean) {
                    let off = *x - *mean;
                    square = off.mul_add(off, square);
                }
                square.mul_add(L::splat(-0.5 * p), L::splat(self.log_peak))
            }
            Precision::Full(p) => {
                let mut square = L::splat(0.0);
                for i in 0..n {
                    let pull = Gaussian::row(mean, &p[i * n..(i + 1) * n], x);
                    square = (x[i] - mean[i]).mul_add(pull, square);
                }
                square.mul_add(L::splat(-0.5), L::splat(self.log_peak))
            }
        }
    }

    #[inline(always)]
    fn add_pull(&self, share: L, x: &[L], out: &mut [L]) {
        let n = x.len();
        let mean = &self.mean[..n];
        match &self.precision {
            Precision::Isotropic(p) => {
                let share = share * *p;
                for ((x, mean), out) in x.iter().zip(mean).zip(out) {
                    *out = (*x - *mean).mul_add(share, *out);
                }
            }
            Precision::Full(p) => {
                for (i, out) in out.iter_mut().enumerate().take(n) {
                    *out = Gaussian::row(mean, &p[i * n..(i + 1) * n], x).mul_add(share, *out);
                }
            }
        }
    }
}

impl LaneDensity for Gaussian {
    fn dim(&self) -> usize {
        self.mean.len()
    }

    #[inline(always)]
    fn log_density<L: Lane>(&self, x: &[L]) -> L {
        Part::log(&self, x)
    }

    #[inline(always)]
    fn score<L: Lane>(&self, x: &[L], out: &mut [L]) {
        out.fill(L::splat(0.0));
        self.add_pull(L::splat(-1.0), x, out);
    }
}
