//! The Ornstein–Uhlenbeck process.

use super::phi;

/// The Ornstein–Uhlenbeck process dX = −θX dt + σ dW (Uhlenbeck & Ornstein, 1930), from a fixed x₀.
/// X_t is normal. Any θ, also 0 (Brownian motion) and negative (no stationary law).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ou {
    /// The rate of return θ to 0.
    pub theta: f64,
    /// The diffusion coefficient σ.
    pub sigma: f64,
}

impl Ou {
    /// E X_t = x₀e^{−θt}.
    pub fn mean(&self, x0: f64, t: f64) -> f64 {
        x0 * (-self.theta * t).exp()
    }

    /// Var X_t = σ²(1 − e^{−2θt})/2θ; σ²t for θ = 0.
    pub fn variance(&self, t: f64) -> f64 {
        self.sigma * self.sigma * t * phi(2.0 * self.theta * t)
    }

    /// Cov(X_s, X_t) = e^{−θ|t−s|} Var X_{min(s, t)}.
    pub fn autocovariance(&self, s: f64, t: f64) -> f64 {
        (-self.theta * (t - s).abs()).exp() * self.variance(s.min(t))
    }

    /// The variance σ²/2θ of the stationary law N(0, σ²/2θ); none for θ ≤ 0.
    pub fn stationary_variance(&self) -> Option<f64> {
        (self.theta > 0.0).then(|| self.sigma * self.sigma / (2.0 * self.theta))
    }

    /// Cov(X_t, X_{t+lag}) = (σ²/2θ)e^{−θ|lag|} of the stationary process; none for θ ≤ 0.
    pub fn stationary_autocovariance(&self, lag: f64) -> Option<f64> {
        let variance = self.stationary_variance()?;
        Some(variance * (-self.theta * lag.abs()).exp())
    }

    /// The mean x₀(1 − θh)ⁿ after `n` steps of Euler–Maruyama, X ← X − θhX + σ√h ε.
    pub fn em_mean(&self, x0: f64, h: f64, n: u32) -> f64 {
        x0 * (1.0 - self.theta * h).powf(f64::from(n))
    }

    /// The variance σ²h(1 − r²ⁿ)/(1 − r²), r = 1 − θh, after `n` steps of Euler–Maruyama.
    pub fn em_variance(&self, h: f64, n: u32) -> f64 {
        let unit = self.sigma * self.sigma * h;
        let q = self.one_minus_r_squared(h);
        match n {
            0 => 0.0,
            _ if q == 0.0 => unit * f64::from(n),
            _ => unit * -(f64::from(n) * (-q).ln_1p()).exp_m1() / q,
        }
    }

    /// The stationary variance σ²h/(1 − (1 − θh)²) of Euler–Maruyama, which is above the true one:
    /// (σ²/2θ)/(1 − θh/2). None when |1 − θh| ≥ 1: then the variance grows for ever.
    pub fn em_stationary_variance(&self, h: f64) -> Option<f64> {
        let q = self.one_minus_r_squared(h);
        (q > 0.0).then(|| self.sigma * self.sigma * h / q)
    }

    /// 1 − (1 − θh)² = θh(2 − θh).
    fn one_minus_r_squared(&self, h: f64) -> f64 {
        self.theta * h * (2.0 - self.theta * h)
    }
}
