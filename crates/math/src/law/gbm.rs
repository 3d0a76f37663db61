//! Geometric Brownian motion.

use crate::stats::{normal_cdf, normal_quantile};

/// Geometric Brownian motion dS = μS dt + σS dW in Itô's sense, from s₀ > 0 (Osborne, 1959;
/// Samuelson, 1965): ln S_t is normal with mean ln s₀ + (μ − σ²/2)t and variance σ²t.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gbm {
    /// The drift μ.
    pub mu: f64,
    /// The volatility σ.
    pub sigma: f64,
}

impl Gbm {
    /// S_t = s₀ exp((μ − σ²/2)t + σw), the solution itself, given W_t = w.
    pub fn endpoint(&self, s0: f64, t: f64, w: f64) -> f64 {
        s0 * (self.log_drift() * t + self.sigma * w).exp()
    }

    /// S_t = s₀ exp(μt + σw): the solution of the same equation in Stratonovich's sense,
    /// dS = μS dt + σS ∘ dW.
    pub fn stratonovich_endpoint(&self, s0: f64, t: f64, w: f64) -> f64 {
        s0 * (self.mu * t + self.sigma * w).exp()
    }

    /// E S_t = s₀e^{μt}.
    pub fn mean(&self, s0: f64, t: f64) -> f64 {
        s0 * (self.mu * t).exp()
    }

    /// Var S_t = s₀²e^{2μt}(e^{σ²t} − 1).
    pub fn variance(&self, s0: f64, t: f64) -> f64 {
        self.mean(s0, t).powi(2) * (self.sigma * self.sigma * t).exp_m1()
    }

    /// P(S_t ≤ s), log-normal.
    pub fn cdf(&self, s0: f64, t: f64, s: f64) -> f64 {
        if s <= 0.0 {
            return 0.0;
        }
        normal_cdf(((s / s0).ln() - self.log_drift() * t) / (self.sigma * t.sqrt()))
    }

    /// The s with P(S_t ≤ s) = p, for p in \[0, 1\].
    pub fn quantile(&self, s0: f64, t: f64, p: f64) -> f64 {
        self.endpoint(s0, t, t.sqrt() * normal_quantile(p))
    }

    /// μ − σ²/2.
    fn log_drift(&self) -> f64 {
        self.mu - 0.5 * self.sigma * self.sigma
    }
}
