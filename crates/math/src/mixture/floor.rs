//! Floors of training losses, by deterministic quadrature.

use std::f64::consts::{PI, TAU};

use super::{GaussianMixture, Marginal};
use crate::prediction::Prediction;
use crate::scheduler::Scheduler;

impl Marginal<'_> {
    /// E|P − E\[P|x\]|² over x ~ p_t for the target P = `row[0]` z + `row[1]` ε, summed over
    /// coordinates: the floor of the squared error at this time.
    ///
    /// By the trapezoidal rule with `nodes` points per axis from −8 to 8 standard deviations about
    /// each component, which converges faster than any power: 41 suffice where the components are
    /// no narrower than a tenth of their distances. It takes components·nodesᵈⁱᵐ evaluations, so it
    /// is meant for dimensions up to 3.
    ///
    /// # Panics
    /// When `nodes` < 2.
    pub fn floor(&self, row: [f64; 2], nodes: usize) -> f64 {
        assert!(
            nodes >= 2,
            "expected at least 2 nodes per axis, got {nodes}"
        );
        let (mixture, alpha) = (self.mixture(), self.coeffs().alpha);
        let dim = mixture.dim();
        let step = 16.0 / (nodes - 1) as f64;
        let points: Vec<(f64, f64)> = (0..nodes)
            .map(|i| step * i as f64 - 8.0)
            .map(|g| (g, step * (-0.5 * g * g).exp() / TAU.sqrt()))
            .collect();
        let (mut index, mut x) = (vec![0; dim], vec![0.0; dim]);
        let mut total = 0.0;
        for k in 0..mixture.components() {
            let (mean, std) = (mixture.mean(k), self.variance(k).sqrt());
            for at in 0..nodes.pow(dim as u32) {
                let mut digits = at;
                for i in &mut index {
                    (*i, digits) = (digits % nodes, digits / nodes);
                }
                let weight: f64 = index.iter().map(|&i| points[i].1).product();
                if weight < 1e-18 {
                    continue;
                }
                for ((x, m), &i) in x.iter_mut().zip(mean).zip(&index) {
                    *x = alpha * m + std * points[i].0;
                }
                total += mixture.weights()[k] * weight * self.target_variance(row, &x);
            }
        }
        total
    }
}

impl GaussianMixture {
    /// The floor of the training loss of `prediction`: the mean of [`Marginal::floor`] over
    /// t ~ U\[0, `end`\], summed over coordinates. No network gets below; the exact field reaches it.
    ///
    /// By the double-exponential rule (Takahasi & Mori 1974) with `times` points, which suits the
    /// singularities at the ends: 60 give some six digits. `nodes` is per axis, see
    /// [`Marginal::floor`]. Where the target diverges like 1/β the floor has no limit as `end` → 1.
    ///
    /// # Panics
    /// When `nodes` < 2.
    pub fn loss_floor(
        &self,
        scheduler: &dyn Scheduler,
        prediction: Prediction,
        end: f64,
        times: usize,
        nodes: usize,
    ) -> f64 {
        const REACH: f64 = 3.0; // there the weights are 10⁻¹³ of the largest
        let step = 2.0 * REACH / times as f64;
        (0..times)
            .map(|i| step * (i as f64 + 0.5) - REACH)
            .map(|y| {
                // t = end/(1 + e^{−π sinh y}).
                let rise = (PI * y.sinh()).exp();
                let t = end * rise / (1.0 + rise);
                let weight = step * PI * y.cosh() * rise / (1.0 + rise).powi(2);
                let here = self.at(scheduler, t);
                weight * here.floor(prediction.row(&here.coeffs()), nodes)
            })
            .sum()
    }
}
