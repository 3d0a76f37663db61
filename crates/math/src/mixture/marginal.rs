use super::{GaussianMixture, argmax, log_norm, log_ratio, normalise};
use crate::scheduler::Coeffs;

/// The distribution p_t of x = αz + βε at one time, and the fields that belong to it. All methods
/// take a point `x` of the mixture's dimension and panic on any other length.
#[derive(Clone, Debug)]
pub struct Marginal<'a> {
    mixture: &'a GaussianMixture,
    coeffs: Coeffs,
    /// vₖ = α²sₖ² + β².
    variances: Vec<f64>,
    /// ln wₖ − ½ dim ln(2πvₖ).
    log_norms: Vec<f64>,
}

impl<'a> Marginal<'a> {
    pub(super) fn new(mixture: &'a GaussianMixture, coeffs: Coeffs) -> Marginal<'a> {
        let variance = |s: &f64| (coeffs.alpha * s).powi(2) + coeffs.beta.powi(2);
        let variances: Vec<f64> = mixture.stds.iter().map(variance).collect();
        let weights = mixture.weights.iter().zip(&variances);
        Marginal {
            log_norms: weights
                .map(|(w, &v)| log_norm(mixture.dim, *w, v))
                .collect(),
            mixture,
            coeffs,
            variances,
        }
    }

    pub(super) fn mixture(&self) -> &'a GaussianMixture {
        self.mixture
    }

    /// The path's coefficients here.
    pub fn coeffs(&self) -> Coeffs {
        self.coeffs
    }

    /// ln p_t(x).
    pub fn log_density(&self, x: &[f64]) -> f64 {
        let (largest, mut rest) = self.log_joint(x);
        largest + normalise(&mut rest)
    }

    /// The posterior weights rₖ = P(component k | x), for all k. They sum to 1.
    pub fn responsibilities(&self, x: &[f64]) -> Vec<f64> {
        let (_, mut r) = self.log_joint(x);
        normalise(&mut r);
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

    /// The drift u_t + ½σ²∇ln p_t of the SDE dX = drift dt + σ dW, which has the same marginals p_t
    /// for any σ ≥ 0 (Holderrieth & Erives, *Introduction to flow matching and diffusion models*,
    /// 2025, SDE extension), written to `out`.
    pub fn sde_drift(&self, x: &[f64], sigma: f64, out: &mut [f64]) {
        let c = self.coeffs;
        let half = 0.5 * sigma * sigma;
        self.average(x, out, |v, s| {
            let slope = (c.d_alpha * c.alpha * s * s + c.d_beta * c.beta - half) / v;
            (c.d_alpha, slope)
        });
    }

    /// vₖ = α²sₖ² + β².
    pub(super) fn variance(&self, k: usize) -> f64 {
        self.variances[k]
    }

    /// ln(wⱼ N(x; αmⱼ, vⱼ I)) of the likeliest component j, and those of all k relative to it.
    ///
    /// Far from all means the logarithms are large and nearly equal, so their differences are
    /// computed from the differences of means and variances.
    fn log_joint(&self, x: &[f64]) -> (f64, Vec<f64>) {
        let (dim, alpha) = (self.mixture.dim, self.coeffs.alpha);
        assert_eq!(
            x.len(),
            dim,
            "a point of a Gaussian mixture of dimension {dim} must have as many coordinates"
        );
        let square = |k: usize| -> f64 {
            let mean = self.mixture.mean(k).iter();
            mean.zip(x).map(|(m, x)| (x - alpha * m).powi(2)).sum()
        };
        let joint = |k: usize| self.log_norms[k] - 0.5 * square(k) / self.variances[k];
        let mut joints: Vec<f64> = (0..self.mixture.components()).map(joint).collect();
        let j = argmax(&joints);
        let largest = joints[j];

        let (base, square) = (self.variances[j], square(j));
        let (s, n) = (self.mixture.stds[j], self.mixture.mean(j));
        for (k, l) in joints.iter_mut().enumerate() {
            let (r, m) = (self.mixture.stds[k], self.mixture.mean(k));
            let more: f64 = (m.iter().zip(n).zip(x))
                .map(|((m, n), x)| alpha * (n - m) * (2.0 * x - alpha * (m + n)))
                .sum();
            let dv = alpha * alpha * (r - s) * (r + s);
            *l = self.log_norms[k] - self.log_norms[j]
                + log_ratio(more, square, self.variances[k], base, dv);
        }
        (largest, joints)
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
