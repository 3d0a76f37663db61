use super::{Interpolant, InterpolantCoeffs, InterpolantError, linear, positive};

/// The Brownian bridge: x_t = (1 − t) x₀ + t x₁ + σ√(t(1 − t)) ε, the law at time t of σW tied to x₀
/// and x₁.
///
/// With pairs from entropic optimal transport of ε = 2σ² on squared distances it is the Schrödinger
/// bridge (Tong et al., TMLR 2024). σ = √2 is the root of Albergo, Boffi & Vanden-Eijnden, 2023.
///
/// γ̇ = σ(1 − 2t)/(2√(t(1 − t))) is +∞ at t = 0 and −∞ at t = 1: train on times in
/// [`Interpolant::times`] of a small margin (1e-3 is usual), and integrate between these. The drift
/// of its SDE with the bridge's own σ, u + ½σ² s, is (x₁ − x)/(1 − t) given the ends: finite at t = 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bridge {
    sigma: f64,
}

impl Bridge {
    /// The bridge of a Brownian motion of this diffusion.
    ///
    /// # Errors
    /// [`InterpolantError::NotPositive`] unless 0 < `sigma` < ∞.
    pub fn new(sigma: f64) -> Result<Bridge, InterpolantError> {
        positive("bridge", sigma).map(|sigma| Bridge { sigma })
    }

    /// σ.
    pub fn sigma(&self) -> f64 {
        self.sigma
    }
}

/// σ = 1.
impl Default for Bridge {
    fn default() -> Bridge {
        Bridge { sigma: 1.0 }
    }
}

impl Interpolant for Bridge {
    fn name(&self) -> &'static str {
        "bridge"
    }

    fn at(&self, t: f64) -> InterpolantCoeffs {
        let root = (t * (1.0 - t)).sqrt();
        linear(
            t,
            self.sigma * root,
            self.sigma * (0.5 - t) / root, // ±∞ at the ends
        )
    }
}
