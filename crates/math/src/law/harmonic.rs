//! Underdamped Langevin dynamics in a harmonic potential.

use super::linear::Planar;

/// Langevin dynamics of a mass m on a spring k at temperature T, with the friction rate γ (in
/// 1/time; the friction force is γm times the velocity):
///
/// dx = v dt, dv = −(k/m)x dt − γv dt + √(2γT/m) dW.
///
/// Linear, so (x, v) stays normal: its mean is e^{At}(x₀, v₀) with A = ((0, 1), (−k/m, −γ)), and
/// the covariance solves dΣ/dt = AΣ + ΣAᵀ + diag(0, 2γT/m) (Chandrasekhar, Stochastic problems in
/// physics and astronomy, 1943, II.3). Needs k, m, γ > 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Harmonic {
    /// The spring's stiffness k.
    pub k: f64,
    /// The mass m.
    pub m: f64,
    /// The friction rate γ.
    pub gamma: f64,
    /// The temperature T, in units of energy.
    pub temperature: f64,
}

impl Harmonic {
    /// The mean of (x, v) at time t.
    pub fn mean(&self, start: [f64; 2], t: f64) -> [f64; 2] {
        self.system().flow(start, t)
    }

    /// The covariance of (x, v) at time t, from a fixed start:
    /// Σ(t) = Σ_∞ − e^{At}Σ_∞e^{Aᵀt}. Its error is some roundings of Σ_∞, so early, while
    /// Var x ≈ ⅔(γT/m)t³, it has fewer digits.
    pub fn covariance(&self, t: f64) -> [[f64; 2]; 2] {
        self.covariance_from([[0.0; 2]; 2], t)
    }

    /// The covariance of (x, v) at time t from a normal start of covariance `start`:
    /// Σ_∞ + e^{At}(start − Σ_∞)e^{Aᵀt}.
    pub fn covariance_from(&self, start: [[f64; 2]; 2], t: f64) -> [[f64; 2]; 2] {
        let e = self.system().exponential(t);
        let mut sigma = self.stationary_covariance();
        let limit = sigma;
        for (i, row) in sigma.iter_mut().enumerate() {
            for (j, entry) in row.iter_mut().enumerate() {
                for p in 0..2 {
                    for q in 0..2 {
                        *entry += e[i][p] * (start[p][q] - limit[p][q]) * e[j][q];
                    }
                }
            }
        }
        sigma
    }

    /// The stationary law is N(0, T/k) × N(0, T/m): diag(T/k, T/m).
    pub fn stationary_covariance(&self) -> [[f64; 2]; 2] {
        [
            [self.temperature / self.k, 0.0],
            [0.0, self.temperature / self.m],
        ]
    }

    /// The drift as a linear system, A = ((0, 1), (−k/m, −γ)).
    pub fn system(&self) -> Planar {
        Planar {
            a: [[0.0, 1.0], [-self.k / self.m, -self.gamma]],
        }
    }
}
