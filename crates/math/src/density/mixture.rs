//! Mixtures of normal distributions.

use super::{Density, DensityError, Gaussian, with_scratch};
use crate::mixture::{GaussianMixture, MixtureError};

/// A mixture Σ wₖ N(μₖ, Σₖ) of normal distributions with any covariances, in any dimension.
///
/// The isotropic mixtures whose whole probability path is known are
/// [`crate::mixture::GaussianMixture`]; they convert into this.
#[derive(Clone, Debug, PartialEq)]
pub struct Mixture {
    /// Normalised to sum 1.
    weights: Vec<f64>,
    components: Vec<Gaussian>,
}

impl Mixture {
    /// The mixture of `components` with `weights`, which are normalised to sum 1.
    ///
    /// # Errors
    /// When there is no component, their dimensions differ, or there is not one positive, finite
    /// weight per component.
    pub fn new(weights: &[f64], components: Vec<Gaussian>) -> Result<Mixture, DensityError> {
        let Some(first) = components.first().map(Gaussian::dim) else {
            return Err(MixtureError::Empty {
                components: 0,
                dim: 0,
            }
            .into());
        };
        if weights.len() != components.len() {
            let (components, weights) = (components.len(), weights.len());
            return Err(DensityError::Weights {
                components,
                weights,
            });
        }
        for (component, (&weight, gaussian)) in weights.iter().zip(&components).enumerate() {
            let dim = gaussian.dim();
            if dim != first {
                return Err(DensityError::Dimension {
                    component,
                    dim,
                    first,
                });
            }
            if !(weight > 0.0 && weight.is_finite()) {
                return Err(MixtureError::weight(component, weight).into());
            }
        }
        let sum: f64 = weights.iter().sum();
        Ok(Mixture {
            weights: weights.iter().map(|w| w / sum).collect(),
            components,
        })
    }

    /// `k` equal isotropic components in the plane, evenly on a circle, the first at (radius, 0).
    ///
    /// # Errors
    /// When `k` is 0, the radius not finite, or the standard deviation not positive and finite.
    pub fn ring(k: usize, radius: f64, std: f64) -> Result<Mixture, DensityError> {
        Ok(Mixture::from(&GaussianMixture::ring(k, radius, std)?))
    }

    /// `k` equal isotropic components in the plane whose means are uniform in the square of side
    /// `scale` about (offset, 0): mean = (U − ½)·scale + (offset, 0). `uniforms` gives numbers in
    /// \[0, 1), asked for component by component, first coordinate first.
    ///
    /// # Errors
    /// As [`Mixture::ring`].
    pub fn random(
        k: usize,
        std: f64,
        scale: f64,
        offset: f64,
        uniforms: &mut dyn FnMut() -> f64,
    ) -> Result<Mixture, DensityError> {
        Mixture::random_in(2, k, std, scale, offset, uniforms)
    }

    /// As [`Mixture::random`], in dimension `dim`; the offset is along the first axis.
    ///
    /// # Errors
    /// As [`Mixture::ring`], and when `dim` is 0.
    pub fn random_in(
        dim: usize,
        k: usize,
        std: f64,
        scale: f64,
        offset: f64,
        uniforms: &mut dyn FnMut() -> f64,
    ) -> Result<Mixture, DensityError> {
        let means: Vec<f64> = (0..k * dim)
            .map(|at| (uniforms() - 0.5) * scale + if at % dim == 0 { offset } else { 0.0 })
            .collect();
        let mixture = GaussianMixture::new(dim, &vec![1.0; k], &means, &vec![std; k])?;
        Ok(Mixture::from(&mixture))
    }

    /// The weights, which sum to 1.
    pub fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// The components.
    pub fn components(&self) -> &[Gaussian] {
        &self.components
    }

    /// P(X_axis ≤ x), the distribution function of a coordinate.
    ///
    /// # Panics
    /// When there is no such coordinate.
    pub fn marginal_cdf(&self, axis: usize, x: f64) -> f64 {
        self.average(|gaussian| gaussian.marginal_cdf(axis, x))
    }

    /// The mean Σ wₖμₖ.
    pub fn mean(&self) -> Vec<f64> {
        (0..self.dim())
            .map(|i| self.average(|gaussian| gaussian.mean()[i]))
            .collect()
    }

    /// The covariance Σ wₖ(Σₖ + (μₖ − μ)(μₖ − μ)ᵀ), row after row.
    pub fn covariance(&self) -> Vec<f64> {
        let (n, mean) = (self.dim(), self.mean());
        (0..n * n)
            .map(|at| (at, at / n, at % n))
            .map(|(at, i, j)| {
                self.average(|gaussian| {
                    let off = |i: usize| gaussian.mean()[i] - mean[i];
                    gaussian.covariance()[at] + off(i) * off(j)
                })
            })
            .collect()
    }

    fn average(&self, of: impl Fn(&Gaussian) -> f64) -> f64 {
        let parts = self.weights.iter().zip(&self.components);
        parts.map(|(w, gaussian)| w * of(gaussian)).sum()
    }

    /// ln Σ eˡᵏ with lₖ = ln(wₖpₖ(x)), and Σ eˡᵏ Σₖ⁻¹(x − μₖ) / Σ eˡᵏ added to `sum`, which comes
    /// as zeros. In one pass: the sums are relative to the largest term so far, so nothing
    /// underflows however far x is from all components.
    fn accumulate(&self, x: &[f64], sum: &mut [f64]) -> f64 {
        let (mut max, mut total) = (f64::NEG_INFINITY, 0.0);
        with_scratch(self.dim(), |y| {
            for (weight, gaussian) in self.weights.iter().zip(&self.components) {
                gaussian.whiten(x, y);
                let l = weight.ln() + gaussian.finish(y);
                if l > max {
                    let shrink = (max - l).exp();
                    total *= shrink;
                    sum.iter_mut().for_each(|s| *s *= shrink);
                    max = l;
                }
                let share = (l - max).exp();
                total += share;
                for (s, y) in sum.iter_mut().zip(&*y) {
                    *s += share * y;
                }
            }
        });
        sum.iter_mut().for_each(|s| *s /= total);
        max + total.ln()
    }
}

impl From<&GaussianMixture> for Mixture {
    fn from(mixture: &GaussianMixture) -> Mixture {
        let components = mixture.stds().iter().enumerate();
        Mixture {
            weights: mixture.weights().to_vec(),
            components: components
                .map(|(k, &std)| Gaussian::isotropic_checked(mixture.mean(k), std))
                .collect(),
        }
    }
}

impl Density for Mixture {
    fn dim(&self) -> usize {
        self.components[0].dim()
    }

    fn log_density(&self, x: &[f64]) -> f64 {
        with_scratch(self.dim(), |sum| self.accumulate(x, sum))
    }

    /// ∇ln p(x) = −Σ rₖ Σₖ⁻¹(x − μₖ) with the posterior weights rₖ = P(k | x).
    fn score(&self, x: &[f64], out: &mut [f64]) {
        out.fill(0.0);
        self.accumulate(x, out);
        out.iter_mut().for_each(|s| *s = -*s);
    }

    fn normals(&self) -> usize {
        self.dim()
    }

    /// A sample of the first component k with u < w₁ + … + wₖ.
    fn sample(&self, u: f64, normals: &[f64], out: &mut [f64]) {
        let mut below = 0.0;
        let k = self.weights.iter().position(|w| {
            below += w;
            u < below
        });
        // The weights sum to 1 but for rounding.
        let component = k.map_or(self.components.last(), |k| self.components.get(k));
        if let Some(gaussian) = component {
            gaussian.sample(u, normals, out);
        }
    }
}
