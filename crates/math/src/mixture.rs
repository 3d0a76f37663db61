//! The exact oracle: everything of a Gaussian mixture's path in closed form.
//!
//! With data z ~ Σ wₖ N(mₖ, sₖ² I) and x = αz + βε, x is a mixture again, with components
//! N(αmₖ, vₖ I), vₖ = α²sₖ² + β². Given x and the component k, z and ε are Gaussian with means
//! linear in x; averaging them with the posterior weights rₖ(x) gives the denoiser, the velocity
//! and the score. Every formula divides by vₖ only, so nothing is singular at t = 0 or t = 1.

#[cfg(test)]
mod tests;

use std::f64::consts::TAU;

use crate::scheduler::{Coeffs, Scheduler};
use crate::stats::distance_squared;

/// A mixture of isotropic Gaussians Σ wₖ N(mₖ, sₖ² I) in any dimension.
#[derive(Clone, Debug, PartialEq)]
pub struct GaussianMixture {
    dim: usize,
    /// Normalised to sum 1.
    weights: Vec<f64>,
    /// Component after component.
    means: Vec<f64>,
    stds: Vec<f64>,
}

/// Why parameters do not make a mixture.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum MixtureError {
    /// No component, or dimension 0.
    #[error(
        "a Gaussian mixture needs at least one component and dimension, \
         got {components} components in dimension {dim}"
    )]
    Empty {
        /// The number of weights given.
        components: usize,
        /// The dimension given.
        dim: usize,
    },
    /// The numbers of weights, means and standard deviations do not fit together.
    #[error(
        "a Gaussian mixture of {components} components in dimension {dim} needs {} mean \
         coordinates and {components} standard deviations, got {means} and {stds}",
        .components * .dim
    )]
    Lengths {
        /// The number of weights given.
        components: usize,
        /// The dimension given.
        dim: usize,
        /// The number of mean coordinates given.
        means: usize,
        /// The number of standard deviations given.
        stds: usize,
    },
    /// A weight or a standard deviation is not positive and finite, or a mean is not finite.
    #[error("component {component} of a Gaussian mixture: its {what} must be {range}, got {value}")]
    Value {
        /// The component, counted from 0.
        component: usize,
        /// The parameter's name.
        what: &'static str,
        /// What would be right.
        range: &'static str,
        /// The value given.
        value: f64,
    },
}

impl MixtureError {
    /// A weight that is not positive and finite.
    pub(crate) fn weight(component: usize, value: f64) -> MixtureError {
        MixtureError::Value {
            component,
            what: "weight",
            range: "positive and finite",
            value,
        }
    }
}

impl GaussianMixture {
    /// The mixture of `weights.len()` components in dimension `dim`; `means` holds component after
    /// component. The weights are normalised to sum 1.
    ///
    /// # Errors
    /// When the lengths do not fit together or a value is out of range; see [`MixtureError`].
    pub fn new(
        dim: usize,
        weights: &[f64],
        means: &[f64],
        stds: &[f64],
    ) -> Result<GaussianMixture, MixtureError> {
        let components = weights.len();
        if components == 0 || dim == 0 {
            return Err(MixtureError::Empty { components, dim });
        }
        if Some(means.len()) != components.checked_mul(dim) || stds.len() != components {
            return Err(MixtureError::Lengths {
                components,
                dim,
                means: means.len(),
                stds: stds.len(),
            });
        }
        let positive = |v: f64| v > 0.0 && v.is_finite();
        let check =
            |what, range, values: &[f64], per: usize, fits: &dyn Fn(f64) -> bool| match values
                .iter()
                .position(|&v| !fits(v))
            {
                None => Ok(()),
                Some(at) => Err(MixtureError::Value {
                    component: at / per,
                    what,
                    range,
                    value: values[at],
                }),
            };
        check("weight", "positive and finite", weights, 1, &positive)?;
        check("mean", "finite", means, dim, &|v| v.is_finite())?;
        check(
            "standard deviation",
            "positive and finite",
            stds,
            1,
            &positive,
        )?;

        let sum: f64 = weights.iter().sum();
        Ok(GaussianMixture {
            dim,
            weights: weights.iter().map(|w| w / sum).collect(),
            means: means.to_vec(),
            stds: stds.to_vec(),
        })
    }

    /// `k` equal components in the plane, evenly on a circle, the first one at (radius, 0).
    ///
    /// # Errors
    /// As [`GaussianMixture::new`].
    pub fn ring(k: usize, radius: f64, std: f64) -> Result<GaussianMixture, MixtureError> {
        let means: Vec<f64> = (0..k)
            .map(|i| TAU * i as f64 / k as f64)
            .flat_map(|angle| [radius * angle.cos(), radius * angle.sin()])
            .collect();
        GaussianMixture::new(2, &vec![1.0; k], &means, &vec![std; k])
    }

    /// The dimension of a point.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// The number of components.
    pub fn components(&self) -> usize {
        self.weights.len()
    }

    /// The weights, which sum to 1.
    pub fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// The mean of component `k`.
    ///
    /// # Panics
    /// When there is no component `k`.
    pub fn mean(&self, k: usize) -> &[f64] {
        &self.means[k * self.dim..(k + 1) * self.dim]
    }

    /// The standard deviations.
    pub fn stds(&self) -> &[f64] {
        &self.stds
    }

    /// ln p(x) of the data.
    pub fn log_density(&self, x: &[f64]) -> f64 {
        self.data().log_density(x)
    }

    /// ∇ln p(x) of the data, written to `out`.
    pub fn score(&self, x: &[f64], out: &mut [f64]) {
        self.data().score(x, out);
    }

    /// P(component k | x) of the data, for all k.
    pub fn responsibilities(&self, x: &[f64]) -> Vec<f64> {
        self.data().responsibilities(x)
    }

    /// The marginal of x = α_t z + β_t ε at time `t`.
    ///
    /// At t = 1 with a scheduler whose β̇ is infinite there, the velocity is the one a little
    /// before, at 1 − 2⁻⁴⁰; density, score and denoiser are at t itself up to that shift.
    pub fn at(&self, scheduler: &dyn Scheduler, t: f64) -> Marginal<'_> {
        let c = scheduler.at(t);
        if c.d_beta.is_finite() {
            self.with(c)
        } else {
            self.with(scheduler.at(1.0 - 2f64.powi(-40)))
        }
    }

    /// The marginal of x = αz + βε for given coefficients, finite and not both 0.
    pub fn with(&self, coeffs: Coeffs) -> Marginal<'_> {
        Marginal {
            mixture: self,
            coeffs,
        }
    }

    fn data(&self) -> Marginal<'_> {
        self.with(Coeffs {
            alpha: 1.0,
            beta: 0.0,
            d_alpha: 0.0,
            d_beta: 0.0,
        })
    }
}

/// The distribution p_t of x = αz + βε at one time, and the fields that belong to it. All methods
/// take a point `x` of the mixture's dimension and panic on any other length.
#[derive(Clone, Copy, Debug)]
pub struct Marginal<'a> {
    mixture: &'a GaussianMixture,
    coeffs: Coeffs,
}

impl Marginal<'_> {
    /// The path's coefficients here.
    pub fn coeffs(&self) -> Coeffs {
        self.coeffs
    }

    /// ln p_t(x).
    pub fn log_density(&self, x: &[f64]) -> f64 {
        let joint = self.log_joint(x);
        let max = joint.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        max + joint.iter().map(|l| (l - max).exp()).sum::<f64>().ln()
    }

    /// The posterior weights rₖ = P(component k | x), for all k. They sum to 1.
    pub fn responsibilities(&self, x: &[f64]) -> Vec<f64> {
        let mut r = self.log_joint(x);
        let max = r.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        r.iter_mut().for_each(|l| *l = (*l - max).exp());
        let sum: f64 = r.iter().sum();
        r.iter_mut().for_each(|r| *r /= sum);
        r
    }

    /// The score ∇ln p_t(x) = Σ rₖ (αmₖ − x)/vₖ, written to `out`.
    pub fn score(&self, x: &[f64], out: &mut [f64]) {
        self.average(x, out, |v, _| (0.0, -1.0 / v));
    }

    /// The denoiser D = E\[z | x\] = Σ rₖ (mₖ + (αsₖ²/vₖ)(x − αmₖ)), written to `out`.
    pub fn denoiser(&self, x: &[f64], out: &mut [f64]) {
        let alpha = self.coeffs.alpha;
        self.average(x, out, |v, s| (1.0, alpha * s * s / v));
    }

    /// The expected noise E\[ε | x\] = Σ rₖ (β/vₖ)(x − αmₖ) = −β·score, written to `out`.
    pub fn noise(&self, x: &[f64], out: &mut [f64]) {
        let beta = self.coeffs.beta;
        self.average(x, out, |v, _| (0.0, beta / v));
    }

    /// The marginal velocity u_t(x) = E\[α̇z + β̇ε | x\]
    /// = Σ rₖ (α̇mₖ + ((α̇αsₖ² + β̇β)/vₖ)(x − αmₖ)), written to `out`.
    pub fn velocity(&self, x: &[f64], out: &mut [f64]) {
        let c = self.coeffs;
        self.average(x, out, |v, s| {
            let slope = (c.d_alpha * c.alpha * s * s + c.d_beta * c.beta) / v;
            (c.d_alpha, slope)
        });
    }

    /// vₖ = α²sₖ² + β².
    fn variance(&self, k: usize) -> f64 {
        let (a, b) = (self.coeffs.alpha * self.mixture.stds[k], self.coeffs.beta);
        a * a + b * b
    }

    /// ln(wₖ N(x; αmₖ, vₖ I)) for all k.
    fn log_joint(&self, x: &[f64]) -> Vec<f64> {
        let dim = self.mixture.dim;
        assert_eq!(
            x.len(),
            dim,
            "a point of a Gaussian mixture of dimension {dim} must have as many coordinates"
        );
        let mut centre = vec![0.0; dim];
        (0..self.mixture.components())
            .map(|k| {
                for (c, m) in centre.iter_mut().zip(self.mixture.mean(k)) {
                    *c = self.coeffs.alpha * m;
                }
                let v = self.variance(k);
                self.mixture.weights[k].ln()
                    - 0.5 * distance_squared(x, &centre) / v
                    - 0.5 * dim as f64 * (TAU * v).ln()
            })
            .collect()
    }

    /// out = Σ rₖ (p mₖ + q (x − αmₖ)) with (p, q) = `of(vₖ, sₖ)`.
    fn average(&self, x: &[f64], out: &mut [f64], of: impl Fn(f64, f64) -> (f64, f64)) {
        let r = self.responsibilities(x);
        assert_eq!(out.len(), x.len(), "the result needs a slice of x's length");
        out.fill(0.0);
        for (k, r) in r.into_iter().enumerate() {
            let (p, q) = of(self.variance(k), self.mixture.stds[k]);
            for ((out, x), m) in out.iter_mut().zip(x).zip(self.mixture.mean(k)) {
                *out += r * (p * m + q * (x - self.coeffs.alpha * m));
            }
        }
    }
}
