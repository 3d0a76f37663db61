//! The exact oracle: everything of a Gaussian mixture's path in closed form.
//!
//! With data z ~ Σ wₖ N(mₖ, sₖ² I) and x = αz + βε, x is a mixture again, with components
//! N(αmₖ, vₖ I), vₖ = α²sₖ² + β². Given x and the component k, z and ε are Gaussian with means
//! linear in x; averaging them with the posterior weights rₖ(x) gives the denoiser, the velocity
//! and the score. Every formula divides by vₖ only, so nothing is singular at t = 0 or t = 1.

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prediction::{Prediction, convert};
    use crate::scheduler::{CondOt, SCHEDULERS};

    fn mixture() -> GaussianMixture {
        GaussianMixture::new(
            2,
            &[1.0, 2.0, 0.5],
            &[1.0, 0.5, -1.5, 0.3, 0.2, -2.0],
            &[0.3, 0.7, 0.5],
        )
        .unwrap()
    }

    const POINTS: [[f64; 2]; 6] = [
        [0.0, 0.0],
        [0.9, 0.4],
        [-1.2, 0.7],
        [0.3, -1.7],
        [2.1, -0.8],
        [-0.4, 1.9],
    ];
    const TIMES: [f64; 5] = [0.05, 0.3, 0.5, 0.8, 0.97];

    fn vector(of: impl Fn(&[f64], &mut [f64]), x: &[f64]) -> [f64; 2] {
        let mut out = [f64::NAN; 2];
        of(x, &mut out);
        out
    }

    /// Central difference of fourth order.
    fn difference(h: f64, f: impl Fn(f64) -> f64) -> f64 {
        (8.0 * (f(h) - f(-h)) - (f(2.0 * h) - f(-2.0 * h))) / (12.0 * h)
    }

    fn moved(x: [f64; 2], i: usize, by: f64) -> [f64; 2] {
        let mut x = x;
        x[i] += by;
        x
    }

    fn close(a: [f64; 2], b: [f64; 2], tolerance: f64) {
        for i in 0..2 {
            let error = (a[i] - b[i]).abs() / (1.0 + b[i].abs());
            assert!(error < tolerance, "{a:?} is not {b:?}");
        }
    }

    fn everywhere(check: impl Fn(&dyn Scheduler, f64, [f64; 2])) {
        for spec in SCHEDULERS {
            let scheduler = (spec.make)();
            for t in TIMES {
                POINTS.iter().for_each(|&x| check(&*scheduler, t, x));
            }
        }
    }

    /// ∂ₜ ln p + div u + u·∇ln p = 0.
    #[test]
    fn continuity_equation() {
        let mixture = mixture();
        everywhere(|scheduler, t, x| {
            let here = mixture.at(scheduler, t);
            let d_t = difference(1e-4, |h| mixture.at(scheduler, t + h).log_density(&x));
            let div: f64 = (0..2)
                .map(|i| {
                    difference(1e-3, |h| {
                        vector(|x, out| here.velocity(x, out), &moved(x, i, h))[i]
                    })
                })
                .sum();
            let u = vector(|x, out| here.velocity(x, out), &x);
            let s = vector(|x, out| here.score(x, out), &x);
            let residual = d_t + div + u[0] * s[0] + u[1] * s[1];
            let scale = 1.0 + d_t.abs() + div.abs();
            assert!(
                residual.abs() < 1e-5 * scale,
                "{scheduler:?} {t} {x:?}: {residual:e}"
            );
        });
    }

    #[test]
    fn score_is_the_gradient_of_the_log_density() {
        let mixture = mixture();
        everywhere(|scheduler, t, x| {
            let here = mixture.at(scheduler, t);
            let gradient = [0, 1].map(|i| difference(1e-3, |h| here.log_density(&moved(x, i, h))));
            close(vector(|x, out| here.score(x, out), &x), gradient, 1e-6);
        });
        for x in POINTS {
            let gradient =
                [0, 1].map(|i| difference(1e-3, |h| mixture.log_density(&moved(x, i, h))));
            close(vector(|x, out| mixture.score(x, out), &x), gradient, 1e-6);
        }
    }

    #[test]
    fn field_from_score() {
        let mixture = mixture();
        everywhere(|scheduler, t, x| {
            let here = mixture.at(scheduler, t);
            let (a, b) = (
                here.coeffs().field_of_score(),
                here.coeffs().field_of_state(),
            );
            let s = vector(|x, out| here.score(x, out), &x);
            let u = vector(|x, out| here.velocity(x, out), &x);
            close([0, 1].map(|i| a * s[i] + b * x[i]), u, 1e-11);
        });
    }

    /// The expectations of all predictions convert to each other as the predictions do.
    #[test]
    fn the_four_fields_agree_by_conversion() {
        let mixture = mixture();
        everywhere(|scheduler, t, x| {
            let m = mixture.at(scheduler, t);
            let c = m.coeffs();
            let fields = [
                (Prediction::Data, vector(|x, out| m.denoiser(x, out), &x)),
                (Prediction::Noise, vector(|x, out| m.noise(x, out), &x)),
                (
                    Prediction::Velocity,
                    vector(|x, out| m.velocity(x, out), &x),
                ),
                (Prediction::Score, vector(|x, out| m.score(x, out), &x)),
            ];
            for (from, given) in fields {
                for (to, expected) in fields {
                    let (cx, cv) = convert(from, to, &c).unwrap();
                    let scale = 1.0 + cx.abs() + cv.abs();
                    close(
                        [0, 1].map(|i| cx * x[i] + cv * given[i]),
                        expected,
                        1e-12 * scale,
                    );
                }
            }
        });
    }

    #[test]
    fn at_time_zero_it_is_standard_normal() {
        let mixture = mixture();
        let mean = [0, 1].map(|i| {
            (0..3)
                .map(|k| mixture.weights()[k] * mixture.mean(k)[i])
                .sum()
        });
        for spec in SCHEDULERS.iter().filter(|spec| spec.starts_at_noise) {
            let start = mixture.at(&*(spec.make)(), 0.0);
            for x in POINTS {
                let expected = -0.5 * (x[0] * x[0] + x[1] * x[1]) - TAU.ln();
                assert!((start.log_density(&x) - expected).abs() < 1e-14);
                close(
                    vector(|x, out| start.score(x, out), &x),
                    x.map(|x| -x),
                    1e-15,
                );
                // x says nothing of z.
                close(vector(|x, out| start.denoiser(x, out), &x), mean, 1e-15);
            }
        }
    }

    #[test]
    fn the_ends_are_the_limits() {
        let mixture = mixture();
        for spec in SCHEDULERS {
            let scheduler = (spec.make)();
            for x in POINTS {
                for (end, near) in [(0.0, 1e-9), (1.0, 1.0 - 1e-9)] {
                    let (end, near) = (mixture.at(&*scheduler, end), mixture.at(&*scheduler, near));
                    for of in [Marginal::velocity, Marginal::score, Marginal::denoiser] {
                        let (end, near) = (
                            vector(|x, out| of(&end, x, out), &x),
                            vector(|x, out| of(&near, x, out), &x),
                        );
                        close(near, end, 1e-6);
                    }
                }
                let end = mixture.at(&*scheduler, 1.0);
                close(vector(|x, out| end.denoiser(x, out), &x), x, 1e-10);
                let (at_end, data) = (end.log_density(&x), mixture.log_density(&x));
                assert!((at_end - data).abs() < 1e-9);
            }
        }
    }

    /// One component: the flow from x₀ ~ N(0, 1) is affine, with u = ṁ + (v̇/2v)(x − m).
    #[test]
    fn a_single_gaussian_in_closed_form() {
        let single = GaussianMixture::new(1, &[3.0], &[2.0], &[0.5]).unwrap();
        for t in [0.0, 0.2, 0.6, 1.0] {
            let (m, v) = (2.0 * t, 0.25 * t * t + (1.0 - t) * (1.0 - t));
            let dv = 0.5 * t - 2.0 * (1.0 - t);
            let marginal = single.at(&CondOt, t);
            let mut u = [0.0];
            marginal.velocity(&[1.3], &mut u);
            assert!((u[0] - (2.0 + 0.5 * dv / v * (1.3 - m))).abs() < 1e-14);
            let log = -0.5 * (1.3 - m) * (1.3 - m) / v - 0.5 * (TAU * v).ln();
            assert!((marginal.log_density(&[1.3]) - log).abs() < 1e-14);
        }
    }

    /// Far away every density underflows; the logarithms do not.
    #[test]
    fn far_points_stay_finite() {
        let ring = GaussianMixture::ring(5, 10.0, 1.0).unwrap();
        assert_eq!(
            (ring.components(), ring.dim(), ring.mean(0)),
            (5, 2, &[10.0, 0.0][..])
        );
        let x = [1e4, 3.0];
        let r = ring.responsibilities(&x);
        assert!((r[0] - 1.0).abs() < 1e-12 && (r.iter().sum::<f64>() - 1.0).abs() < 1e-15);
        assert!(ring.log_density(&x).is_finite());
        close(
            vector(|x, out| ring.score(x, out), &x),
            [10.0 - 1e4, -3.0],
            1e-12,
        );
    }

    #[test]
    fn bad_parameters_are_refused() {
        let error = |r: Result<GaussianMixture, MixtureError>| r.unwrap_err().to_string();
        assert!(error(GaussianMixture::ring(0, 1.0, 1.0)).contains("got 0 components"));
        assert!(error(GaussianMixture::ring(3, 1.0, 0.0)).contains("standard deviation must be"));
        assert!(error(GaussianMixture::ring(3, f64::NAN, 1.0)).contains("mean must be finite"));
        let short = GaussianMixture::new(2, &[1.0, 1.0], &[0.0; 3], &[1.0; 2]);
        assert!(error(short).contains("needs 4 mean coordinates"));
    }
}
