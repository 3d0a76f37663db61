//! The exact oracle of a path between two mixtures.

use super::{GaussianMixture, MixtureError, argmax, finite, log_norm, log_ratio, normalise};
use crate::scheduler::{Coeffs, Scheduler};

/// The path x = αx₁ + βx₀ of independent x₀ ~ p_init and x₁ ~ p_data, both mixtures of Gaussians:
/// data to data. With [`CondOt`](crate::scheduler::CondOt) it is the linear path
/// x = (1 − t)x₀ + t·x₁ (Lipman et al., *Flow matching for generative modeling*, 2023; Tong et al.,
/// *Improving and generalizing flow-based generative models*, 2024).
///
/// Given the components i of x₀ and j of x₁, x ~ N(αnⱼ + βmᵢ, (α²qⱼ² + β²sᵢ²)I): a mixture over pairs.
/// The velocity E\[α̇x₁ + β̇x₀ | x\] averages over them as in [`GaussianMixture`], which this is for
/// p_init = N(0, I). There is a score of each p_t, but no relation of it to the velocity.
#[derive(Clone, Debug, PartialEq)]
pub struct TwoMixtures {
    init: GaussianMixture,
    data: GaussianMixture,
}

impl TwoMixtures {
    /// The path from `init` to `data`.
    ///
    /// # Errors
    /// [`MixtureError::Dimensions`] when they live in different spaces.
    pub fn new(init: GaussianMixture, data: GaussianMixture) -> Result<TwoMixtures, MixtureError> {
        if init.dim() != data.dim() {
            return Err(MixtureError::Dimensions {
                init: init.dim(),
                data: data.dim(),
            });
        }
        Ok(TwoMixtures { init, data })
    }

    /// p_init.
    pub fn init(&self) -> &GaussianMixture {
        &self.init
    }

    /// p_data.
    pub fn data(&self) -> &GaussianMixture {
        &self.data
    }

    /// The marginal at time `t`, as [`GaussianMixture::at`].
    pub fn at(&self, scheduler: &dyn Scheduler, t: f64) -> PairMarginal {
        self.with(finite(scheduler, t))
    }

    /// The marginal of x = αx₁ + βx₀ for given coefficients, finite and not both 0.
    pub fn with(&self, c: Coeffs) -> PairMarginal {
        let (dim, pairs) = (
            self.init.dim(),
            self.init.components() * self.data.components(),
        );
        let mut here = PairMarginal {
            dim,
            log_norms: Vec::with_capacity(pairs),
            centres: Vec::with_capacity(pairs * dim),
            variances: Vec::with_capacity(pairs),
            drifts: Vec::with_capacity(pairs * dim),
            slopes: Vec::with_capacity(pairs),
        };
        for i in 0..self.init.components() {
            for j in 0..self.data.components() {
                let (s, q) = (self.init.stds()[i], self.data.stds()[j]);
                let v = (c.alpha * q).powi(2) + (c.beta * s).powi(2);
                let weight = self.init.weights()[i] * self.data.weights()[j];
                here.log_norms.push(log_norm(dim, weight, v));
                here.variances.push(v);
                here.slopes
                    .push((c.d_alpha * c.alpha * q * q + c.d_beta * c.beta * s * s) / v);
                for (m, n) in self.init.mean(i).iter().zip(self.data.mean(j)) {
                    here.centres.push(c.alpha * n + c.beta * m);
                    here.drifts.push(c.d_alpha * n + c.d_beta * m);
                }
            }
        }
        here
    }
}

/// The distribution p_t of x = αx₁ + βx₀ at one time. All methods take a point `x` of the mixtures'
/// dimension and panic on any other length.
#[derive(Clone, Debug)]
pub struct PairMarginal {
    dim: usize,
    /// ln w − ½ dim ln(2πv) of all pairs, as all that follows.
    log_norms: Vec<f64>,
    centres: Vec<f64>,
    variances: Vec<f64>,
    /// The velocities of the centres.
    drifts: Vec<f64>,
    /// v̇/2v: how fast a pair's cloud grows.
    slopes: Vec<f64>,
}

impl PairMarginal {
    /// ln p_t(x).
    pub fn log_density(&self, x: &[f64]) -> f64 {
        let (largest, mut rest) = self.log_joint(x);
        largest + normalise(&mut rest)
    }

    /// ∇ln p_t(x), written to `out`.
    pub fn score(&self, x: &[f64], out: &mut [f64]) {
        self.average(x, out, |k, _, off| -off / self.variances[k]);
    }

    /// E\[α̇x₁ + β̇x₀ | x\], written to `out`.
    pub fn velocity(&self, x: &[f64], out: &mut [f64]) {
        self.average(x, out, |k, at, off| self.drifts[at] + self.slopes[k] * off);
    }

    /// out = Σ rₖ f(k, place, x − centre), coordinate by coordinate.
    fn average(&self, x: &[f64], out: &mut [f64], f: impl Fn(usize, usize, f64) -> f64) {
        let (_, mut r) = self.log_joint(x);
        normalise(&mut r);
        assert_eq!(out.len(), x.len(), "the result needs a slice of x's length");
        out.fill(0.0);
        for (k, r) in r.into_iter().enumerate() {
            for (i, (out, x)) in out.iter_mut().zip(x).enumerate() {
                let at = k * self.dim + i;
                *out += r * f(k, at, x - self.centres[at]);
            }
        }
    }

    /// As that of [`super::Marginal`].
    fn log_joint(&self, x: &[f64]) -> (f64, Vec<f64>) {
        let dim = self.dim;
        assert_eq!(
            x.len(),
            dim,
            "a point of a path of dimension {dim} must have as many coordinates"
        );
        let centre = |k: usize| &self.centres[k * dim..(k + 1) * dim];
        let square = |k: usize| -> f64 { crate::stats::distance_squared(x, centre(k)) };
        let mut joints: Vec<f64> = (0..self.variances.len())
            .map(|k| self.log_norms[k] - 0.5 * square(k) / self.variances[k])
            .collect();
        let j = argmax(&joints);
        let largest = joints[j];
        let (base, square, n) = (self.variances[j], square(j), centre(j));
        for (k, l) in joints.iter_mut().enumerate() {
            let more: f64 = (centre(k).iter().zip(n).zip(x))
                .map(|((m, n), x)| (n - m) * (2.0 * x - m - n))
                .sum();
            let v = self.variances[k];
            *l = self.log_norms[k] - self.log_norms[j] + log_ratio(more, square, v, base, v - base);
        }
        (largest, joints)
    }
}
