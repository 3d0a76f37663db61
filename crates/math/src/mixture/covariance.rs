//! What remains uncertain when x is known: the posterior covariance, and with it the least loss that
//! any network can reach.

use super::Marginal;

impl Marginal<'_> {
    /// Cov\[z | x\] as a dim × dim matrix, row by row: the law of total covariance over components,
    /// Σ rₖ(sₖ²β²/vₖ)I + Σ rₖ(Dₖ − D)(Dₖ − D)ᵀ with Dₖ = E\[z | x, k\] and D = Σ rₖDₖ.
    ///
    /// By Tweedie's formula of second order it is (β²/α²)(I + β²∇²ln p_t(x)).
    pub fn posterior_covariance(&self, x: &[f64]) -> Vec<f64> {
        let dim = x.len();
        let (within, weights, deviations) = self.posterior(x);
        let scale = self.coeffs().beta.powi(2);
        let mut covariance = vec![0.0; dim * dim];
        for (r, d) in weights.iter().zip(deviations.chunks_exact(dim)) {
            for (at, c) in covariance.iter_mut().enumerate() {
                *c += scale * r * (d[at / dim] * d[at % dim]);
            }
        }
        for i in 0..dim {
            covariance[i * (dim + 1)] += scale * within;
        }
        covariance
    }

    /// E|z − D(x)|² given x: the trace of [`posterior_covariance`](Marginal::posterior_covariance),
    /// without the matrix.
    pub fn posterior_variance(&self, x: &[f64]) -> f64 {
        self.target_variance([1.0, 0.0], x)
    }

    /// E|P − E\[P|x\]|² given x of the target P = `row[0]` z + `row[1]` ε, summed over coordinates:
    /// what is left of the squared error of the best possible network at x.
    ///
    /// Given x, δε = −(α/β)δz, so it is (p₀β − p₁α)²·tr Cov\[z|x\]/β²; the quotient stays finite at
    /// β = 0. Infinite where the row is.
    pub fn target_variance(&self, row: [f64; 2], x: &[f64]) -> f64 {
        let dim = x.len();
        let (within, weights, deviations) = self.posterior(x);
        let between: f64 = weights
            .iter()
            .zip(deviations.chunks_exact(dim))
            .map(|(r, d)| r * d.iter().map(|d| d * d).sum::<f64>())
            .sum();
        let c = self.coeffs();
        let factor = row[0] * c.beta - row[1] * c.alpha;
        factor * factor * (dim as f64 * within + between)
    }

    /// Of z/β given x: the mean variance Σ rₖ sₖ²/vₖ of a coordinate within components, the weights
    /// rₖ, and the deviations (Dₖ − D)/β of the components' means, component after component.
    fn posterior(&self, x: &[f64]) -> (f64, Vec<f64>, Vec<f64>) {
        let (mixture, c) = (self.mixture(), self.coeffs());
        let r = self.responsibilities(x);
        let dim = x.len();
        let mut deviations = Vec::with_capacity(r.len() * dim);
        let mut within = 0.0;
        for (k, r) in r.iter().enumerate() {
            let (v, s) = (self.variance(k), mixture.stds()[k]);
            within += r * s * s / v;
            for (x, m) in x.iter().zip(mixture.mean(k)) {
                // Both are Dₖ/β but for a shift that is the same for all k, by x/(αβ).
                deviations.push(if c.alpha > c.beta {
                    c.beta / c.alpha * (c.alpha * m - x) / v
                } else {
                    (m + c.alpha * s * s / v * (x - c.alpha * m)) / c.beta
                });
            }
        }
        for i in 0..dim {
            let mean: f64 = r
                .iter()
                .zip(deviations[i..].iter().step_by(dim))
                .map(|(r, d)| r * d)
                .sum();
            deviations[i..]
                .iter_mut()
                .step_by(dim)
                .for_each(|d| *d -= mean);
        }
        (within, r, deviations)
    }
}
