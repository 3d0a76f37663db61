//! Brownian motion.

use crate::stats::normal_cdf;

/// Brownian motion X_t = x₀ + σW_t (Wiener, 1923): X_t is normal with mean x₀.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Brownian {
    /// The diffusion coefficient σ.
    pub sigma: f64,
}

impl Brownian {
    /// Var X_t = σ²t.
    pub fn variance(&self, t: f64) -> f64 {
        self.sigma * self.sigma * t
    }

    /// Cov(X_s, X_t) = σ² min(s, t).
    pub fn covariance(&self, s: f64, t: f64) -> f64 {
        self.variance(s.min(t))
    }

    /// The bridge: mean and variance of X_u given X_s = a and X_t = b, for s ≤ u ≤ t, s < t:
    /// a + (b − a)(u − s)/(t − s) and σ²(u − s)(t − u)/(t − s).
    pub fn bridge(&self, (s, a): (f64, f64), (t, b): (f64, f64), u: f64) -> (f64, f64) {
        let share = (u - s) / (t - s);
        (a + share * (b - a), self.variance(share * (t - u)))
    }

    /// P(max_{[0, t]} X ≤ m) = 2Φ((m − x₀)/σ√t) − 1 for m ≥ x₀, by reflection; 0 below. Its
    /// complement is the distribution function of the first time at m.
    pub fn maximum_cdf(&self, x0: f64, t: f64, m: f64) -> f64 {
        if m < x0 {
            return 0.0;
        }
        1.0 - 2.0 * normal_cdf(-(m - x0) / self.variance(t).sqrt())
    }
}
