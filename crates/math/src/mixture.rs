//! The exact oracle: everything of a Gaussian mixture's path in closed form.
//!
//! With data z ~ Σ wₖ N(mₖ, sₖ² I) and x = αz + βε, x is a mixture again, with components
//! N(αmₖ, vₖ I), vₖ = α²sₖ² + β². Given x and the component k, z and ε are Gaussian with means
//! linear in x; averaging them with the posterior weights rₖ(x) gives the denoiser, the velocity
//! and the score. Every formula divides by vₖ only, so nothing is singular at t = 0 or t = 1.

mod covariance;
mod error;
mod floor;
mod guided;
mod marginal;
mod pair;
mod pullback;
#[cfg(test)]
mod tests;

use std::f64::consts::TAU;

pub use error::MixtureError;
pub use guided::{Guided, GuidedMarginal};
pub use marginal::Marginal;
pub use pair::{PairMarginal, TwoMixtures};

use crate::scheduler::{Coeffs, Scheduler};

/// A mixture of isotropic Gaussians Σ wₖ N(mₖ, sₖ² I) in any dimension.
#[derive(Clone, Debug, PartialEq)]
pub struct GaussianMixture {
    dim: usize,
    /// Normalised to sum 1.
    weights: Vec<f64>,
    /// Component after component.
    means: Vec<f64>,
    stds: Vec<f64>,
    /// A class per component, or none at all.
    labels: Option<Vec<u32>>,
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
            labels: None,
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

    /// The same mixture with a class per component; several components may share one.
    ///
    /// # Errors
    /// [`MixtureError::Labels`] unless there is one label per component.
    pub fn with_labels(mut self, labels: &[u32]) -> Result<GaussianMixture, MixtureError> {
        if labels.len() != self.components() {
            return Err(MixtureError::Labels {
                components: self.components(),
                labels: labels.len(),
            });
        }
        self.labels = Some(labels.to_vec());
        Ok(self)
    }

    /// The labels of the components, where there are any.
    pub fn labels(&self) -> Option<&[u32]> {
        self.labels.as_deref()
    }

    /// The law of z given its class: the mixture of the components of that label.
    ///
    /// # Errors
    /// [`MixtureError::Label`] when no component has it.
    pub fn given(&self, label: u32) -> Result<GaussianMixture, MixtureError> {
        let labels = self.labels.as_deref().unwrap_or_default();
        let chosen: Vec<usize> = (0..labels.len()).filter(|&k| labels[k] == label).collect();
        if chosen.is_empty() {
            let mut known = labels.to_vec();
            known.sort_unstable();
            known.dedup();
            return Err(MixtureError::Label { label, known });
        }
        let pick = |values: &[f64]| chosen.iter().map(|&k| values[k]).collect::<Vec<f64>>();
        let means: Vec<f64> = chosen.iter().flat_map(|&k| self.mean(k)).copied().collect();
        GaussianMixture::new(self.dim, &pick(&self.weights), &means, &pick(&self.stds))?
            .with_labels(&vec![label; chosen.len()])
    }

    /// The field of classifier-free guidance towards the class `label` with weight `w`; see
    /// [`Guided`].
    ///
    /// # Errors
    /// [`MixtureError::Label`] when no component has the label.
    pub fn guided(&self, label: u32, w: f64) -> Result<Guided, MixtureError> {
        Ok(Guided::new(self.clone(), self.given(label)?, w))
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
        self.with(finite(scheduler, t))
    }

    /// The marginal of x = αz + βε for given coefficients, finite and not both 0.
    pub fn with(&self, coeffs: Coeffs) -> Marginal<'_> {
        Marginal::new(self, coeffs)
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

/// The coefficients at `t`, or a little inwards where β̇ is infinite.
fn finite(scheduler: &dyn Scheduler, t: f64) -> Coeffs {
    let c = scheduler.at(t);
    if c.d_beta.is_finite() {
        c
    } else {
        let inwards = 2f64.powi(-40);
        scheduler.at(t.clamp(inwards, 1.0 - inwards))
    }
}

/// Turns logarithms of weights, relative to the largest or nearly so, into weights of sum 1; returns
/// the logarithm of their sum before.
fn normalise(log_weights: &mut [f64]) -> f64 {
    log_weights.iter_mut().for_each(|l| *l = l.exp());
    let sum: f64 = log_weights.iter().sum();
    log_weights.iter_mut().for_each(|w| *w /= sum);
    sum.ln()
}

/// ln w − ½ dim ln(2πv): of w N(x; c, vI) all but the exponent −|x − c|²/2v.
fn log_norm(dim: usize, w: f64, v: f64) -> f64 {
    w.ln() - 0.5 * dim as f64 * (TAU * v).ln()
}

/// −|x − c|²/2v + |x − c′|²/2v′ without cancellation far from both: from |x − c|² − |x − c′|²
/// = `more`, |x − c′|² = `square`, v, v′ = `base` and v − v′ = `dv`.
fn log_ratio(more: f64, square: f64, v: f64, base: f64, dv: f64) -> f64 {
    -0.5 * (more - square / base * dv) / v
}

/// The place of the largest.
fn argmax(values: &[f64]) -> usize {
    (0..values.len()).fold(0, |best, k| if values[k] > values[best] { k } else { best })
}
