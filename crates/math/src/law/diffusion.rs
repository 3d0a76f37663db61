//! The forward, noising diffusions of score-based models (Song et al., Score-based generative
//! modeling through stochastic differential equations, 2021).
//!
//! They run in **their own clock s: s = 0 is data, s = 1 is noise**, against the convention of this
//! crate, where t = 1 − s. Given data z, X_s ~ N(m_s z, v_s² I): so m and v at s are the α and β of
//! a Gaussian path at t = 1 − s.

/// A linear noising diffusion dX = f(s)X ds + g(s) dW in the clock s, s = 0 data.
pub trait Noising {
    /// f(s), the drift's factor of X.
    fn drift(&self, s: f64) -> f64;

    /// g(s), the diffusion coefficient.
    fn diffusion(&self, s: f64) -> f64;

    /// m_s = exp ∫₀ˢ f: the mean of X_s given X₀ = z is m_s z.
    fn mean_coefficient(&self, s: f64) -> f64;

    /// v_s, the standard deviation of X_s given X₀, in each coordinate.
    fn std(&self, s: f64) -> f64;

    /// The drift f(s)x − g(s)²·score of the reverse-time equation (Anderson, 1982), of one
    /// coordinate: run from s = 1 down to 0 with noise g(s) dW̄ it turns noise into data.
    fn reverse_drift(&self, s: f64, x: f64, score: f64) -> f64 {
        self.drift(s) * x - self.diffusion(s).powi(2) * score
    }

    /// The drift f(s)x − ½g(s)²·score of the probability flow, of one coordinate: an ordinary
    /// differential equation with the same marginals.
    fn flow_drift(&self, s: f64, x: f64, score: f64) -> f64 {
        self.drift(s) * x - 0.5 * self.diffusion(s).powi(2) * score
    }
}

/// Variance preserving: dX = −½β(s)X ds + √β(s) dW with β(s) = β_min + s(β_max − β_min).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Vp {
    /// β at the data; 0.1 in the paper.
    pub beta_min: f64,
    /// β at the noise; 20 in the paper.
    pub beta_max: f64,
}

impl Vp {
    /// β(s).
    pub fn beta(&self, s: f64) -> f64 {
        self.beta_min + s * (self.beta_max - self.beta_min)
    }

    /// ∫₀ˢ β = β_min s + (β_max − β_min)s²/2.
    fn integral(&self, s: f64) -> f64 {
        s * (self.beta_min + 0.5 * s * (self.beta_max - self.beta_min))
    }
}

impl Noising for Vp {
    /// −½β(s).
    fn drift(&self, s: f64) -> f64 {
        -0.5 * self.beta(s)
    }

    /// √β(s).
    fn diffusion(&self, s: f64) -> f64 {
        self.beta(s).sqrt()
    }

    /// exp(−½∫₀ˢβ).
    fn mean_coefficient(&self, s: f64) -> f64 {
        (-0.5 * self.integral(s)).exp()
    }

    /// √(1 − exp(−∫₀ˢβ)).
    fn std(&self, s: f64) -> f64 {
        (-(-self.integral(s)).exp_m1()).sqrt()
    }
}

/// Sub-VP: the drift of [`Vp`], with less noise, g² = β(s)(1 − exp(−2∫₀ˢβ)).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SubVp {
    /// β at the data; 0.1 in the paper.
    pub beta_min: f64,
    /// β at the noise; 20 in the paper.
    pub beta_max: f64,
}

impl SubVp {
    /// The process with the same drift.
    fn vp(&self) -> Vp {
        Vp {
            beta_min: self.beta_min,
            beta_max: self.beta_max,
        }
    }
}

impl Noising for SubVp {
    /// −½β(s).
    fn drift(&self, s: f64) -> f64 {
        self.vp().drift(s)
    }

    /// √(β(s)(1 − exp(−2∫₀ˢβ))).
    fn diffusion(&self, s: f64) -> f64 {
        let vp = self.vp();
        (-vp.beta(s) * (-2.0 * vp.integral(s)).exp_m1()).sqrt()
    }

    /// exp(−½∫₀ˢβ).
    fn mean_coefficient(&self, s: f64) -> f64 {
        self.vp().mean_coefficient(s)
    }

    /// 1 − exp(−∫₀ˢβ): the square of that of [`Vp`].
    fn std(&self, s: f64) -> f64 {
        -(-self.vp().integral(s)).exp_m1()
    }
}

/// Variance exploding: dX = g(s) dW with g² = d(σ²)/ds, σ(s) = σ_min(σ_max/σ_min)ˢ.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ve {
    /// σ at the data; 0.01 in the paper.
    pub sigma_min: f64,
    /// σ at the noise; 50 in the paper.
    pub sigma_max: f64,
}

impl Ve {
    /// σ(s).
    pub fn sigma(&self, s: f64) -> f64 {
        self.sigma_min * (s * self.log_ratio()).exp()
    }

    /// ln(σ_max/σ_min).
    fn log_ratio(&self) -> f64 {
        (self.sigma_max / self.sigma_min).ln()
    }
}

impl Noising for Ve {
    /// 0.
    fn drift(&self, _: f64) -> f64 {
        0.0
    }

    /// σ(s)√(2 ln(σ_max/σ_min)).
    fn diffusion(&self, s: f64) -> f64 {
        self.sigma(s) * (2.0 * self.log_ratio()).sqrt()
    }

    /// 1.
    fn mean_coefficient(&self, _: f64) -> f64 {
        1.0
    }

    /// √(σ(s)² − σ_min²).
    fn std(&self, s: f64) -> f64 {
        self.sigma_min * (2.0 * s * self.log_ratio()).exp_m1().sqrt()
    }
}
