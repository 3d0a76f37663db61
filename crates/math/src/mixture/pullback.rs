//! The derivatives of the oracle's answers by x, applied to a vector.

use super::Marginal;

impl Marginal<'_> {
    /// vᵀ ∂D/∂x of the denoiser D = E\[z | x\], written to `out`. The Jacobian is (α/β²) Cov\[z | x\], symmetric;
    /// computed without that division.
    pub fn denoiser_pullback(&self, x: &[f64], v: &[f64], out: &mut [f64]) {
        let alpha = self.coeffs().alpha;
        self.pull(x, v, out, |var, s| (1.0, alpha * s * s / var));
    }

    /// vᵀ ∂ε̂/∂x of the expected noise ε̂ = E\[ε | x\] = −β∇ln p_t, written to `out`. The Jacobian is −β∇²ln p_t(x),
    /// symmetric.
    pub fn noise_pullback(&self, x: &[f64], v: &[f64], out: &mut [f64]) {
        let beta = self.coeffs().beta;
        self.pull(x, v, out, |var, _| (0.0, beta / var));
    }

    /// vᵀJ for f = Σ rₖfₖ with fₖ = p mₖ + q (x − αmₖ) and (p, q) = `of(vₖ, sₖ)`. With the components' scores
    /// hₖ = (αmₖ − x)/vₖ and ∇rₖ = rₖ(hₖ − h̄), h̄ = Σ rₖhₖ,
    ///
    /// J = Σ rₖqₖ I + Σ rₖ fₖ (hₖ − h̄)ᵀ = Σ rₖqₖ I + Σ rₖ (fₖ − f)(hₖ − h̄)ᵀ.
    fn pull(&self, x: &[f64], v: &[f64], out: &mut [f64], of: impl Fn(f64, f64) -> (f64, f64)) {
        let (alpha, mixture) = (self.coeffs().alpha, self.mixture());
        let r = self.responsibilities(x);
        let dim = x.len();
        let (mut slope, mut h_mean) = (0.0, vec![0.0; dim]);
        let mut h = Vec::with_capacity(r.len() * dim);
        let mut along = Vec::with_capacity(r.len()); // fₖ·v
        for (k, r) in r.iter().enumerate() {
            let var = self.variance(k);
            let (p, q) = of(var, mixture.stds()[k]);
            slope += r * q;
            let mut dot = 0.0;
            for (i, m) in mixture.mean(k).iter().enumerate() {
                let away = x[i] - alpha * m;
                dot += v[i] * (p * m + q * away);
                h.push(-away / var);
                h_mean[i] -= r * away / var;
            }
            along.push(dot);
        }
        let mean: f64 = r.iter().zip(&along).map(|(r, a)| r * a).sum();
        for (out, v) in out.iter_mut().zip(v) {
            *out = slope * v;
        }
        for ((r, along), h) in r.iter().zip(along).zip(h.chunks_exact(dim)) {
            for ((out, h), h_mean) in out.iter_mut().zip(h).zip(&h_mean) {
                *out += r * (along - mean) * (h - h_mean);
            }
        }
    }
}
