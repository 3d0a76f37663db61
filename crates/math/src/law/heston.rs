//! The square-root process and Heston's model.

use super::phi;
use crate::stats::gamma_p;

/// The square-root process dv = κ(θ − v) dt + ξ√v dW from v₀ ≥ 0 (Feller, 1951; Cox, Ingersoll &
/// Ross, 1985), with κ ≥ 0. It stays ≥ 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cir {
    /// The rate of return κ.
    pub kappa: f64,
    /// The level θ it returns to.
    pub theta: f64,
    /// The volatility ξ.
    pub xi: f64,
}

impl Cir {
    /// E v_t = θ + (v₀ − θ)e^{−κt}.
    pub fn mean(&self, v0: f64, t: f64) -> f64 {
        self.theta + (v0 - self.theta) * (-self.kappa * t).exp()
    }

    /// Var v_t = v₀(ξ²/κ)(e^{−κt} − e^{−2κt}) + θ(ξ²/2κ)(1 − e^{−κt})²; ξ²v₀t for κ = 0.
    pub fn variance(&self, v0: f64, t: f64) -> f64 {
        // τ = (1 − e^{−κt})/κ.
        let tau = t * phi(self.kappa * t);
        let decay = (-self.kappa * t).exp();
        self.xi * self.xi * tau * (v0 * decay + 0.5 * self.theta * self.kappa * tau)
    }

    /// E ∫₀ᵗ v = θt + (v₀ − θ)(1 − e^{−κt})/κ.
    pub fn integrated_mean(&self, v0: f64, t: f64) -> f64 {
        self.theta * t + (v0 - self.theta) * t * phi(self.kappa * t)
    }

    /// Feller's condition 2κθ ≥ ξ²: v never reaches 0.
    pub fn stays_positive(&self) -> bool {
        2.0 * self.kappa * self.theta >= self.xi * self.xi
    }

    /// P(v ≤ x) of the stationary law, a gamma distribution of shape 2κθ/ξ² and scale ξ²/2κ.
    pub fn stationary_cdf(&self, x: f64) -> f64 {
        let rate = 2.0 * self.kappa / (self.xi * self.xi);
        gamma_p(rate * self.theta, rate * x.max(0.0))
    }

    /// The variance θξ²/2κ of the stationary law; its mean is θ.
    pub fn stationary_variance(&self) -> f64 {
        self.theta * self.xi * self.xi / (2.0 * self.kappa)
    }
}

/// Heston's model (1993): dS = μS dt + √v S dW₁ with a variance v that is a square-root process
/// driven by W₂, d⟨W₁, W₂⟩ = ρ dt.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Heston {
    /// The drift μ of the price.
    pub mu: f64,
    /// The variance process v.
    pub variance: Cir,
    /// The correlation ρ of the two Brownian motions, in \[−1, 1\].
    pub rho: f64,
}

impl Heston {
    /// E S_t = s₀e^{μt}.
    pub fn mean(&self, s0: f64, t: f64) -> f64 {
        s0 * (self.mu * t).exp()
    }

    /// E ln S_t = ln s₀ + μt − ½E∫₀ᵗv.
    pub fn log_mean(&self, s0: f64, v0: f64, t: f64) -> f64 {
        s0.ln() + self.mu * t - 0.5 * self.variance.integrated_mean(v0, t)
    }
}
