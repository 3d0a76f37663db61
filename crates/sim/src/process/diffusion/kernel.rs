use crate::lane::Lane;
use crate::process::{ProcessError, Range};

/// The coefficients of a noising diffusion dX = f(s)X ds + g(s) dW, in lanes, for s in \[0, 1\].
pub trait Kernel: Copy + Send + Sync {
    /// f(s).
    fn rate<L: Lane>(&self, s: L) -> L;
    /// g(s)².
    fn noise_squared<L: Lane>(&self, s: L) -> L;
    /// (a(s), b(s)²), with X_s ~ N(a(s)z, b(s)² I) from X₀ = z.
    fn marginal<L: Lane>(&self, s: L) -> (L, L);
}

/// 1 − e^{−x} for x ≥ 0, without cancellation: 2τ/(1 + τ) with τ = tanh(x/2).
#[inline(always)]
fn one_minus_exp<L: Lane>(x: L) -> L {
    let tau = (x * 0.5).tanh();
    (tau + tau) / (tau + 1.0)
}

/// Variance preserving: dX = −½β(s)X ds + √β(s) dW with β(s) = β_min + s(β_max − β_min).
///
/// a = e^{−B/2}, b² = 1 − e^{−B} with B(s) = ∫₀ˢβ = s(β_min + ½s(β_max − β_min)).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Vp {
    beta_min: f64,
    beta_max: f64,
}

impl Vp {
    /// The diffusion with the rate β_min at the data and β_max at the noise.
    ///
    /// # Errors
    /// When β_min is negative, β_max not positive, or one is not finite.
    pub fn new(beta_min: f64, beta_max: f64) -> Result<Vp, ProcessError> {
        Ok(Vp {
            beta_min: Range::NonNegative.check("beta_min", beta_min)?,
            beta_max: Range::Positive.check("beta_max", beta_max)?,
        })
    }

    /// β(s).
    #[inline(always)]
    fn beta<L: Lane>(&self, s: L) -> L {
        s.mul_add(
            L::splat(self.beta_max - self.beta_min),
            L::splat(self.beta_min),
        )
    }

    /// B(s).
    #[inline(always)]
    fn integral<L: Lane>(&self, s: L) -> L {
        let slope = L::splat(0.5 * (self.beta_max - self.beta_min));
        s * s.mul_add(slope, L::splat(self.beta_min))
    }
}

impl Kernel for Vp {
    #[inline(always)]
    fn rate<L: Lane>(&self, s: L) -> L {
        self.beta(s) * -0.5
    }

    #[inline(always)]
    fn noise_squared<L: Lane>(&self, s: L) -> L {
        self.beta(s)
    }

    #[inline(always)]
    fn marginal<L: Lane>(&self, s: L) -> (L, L) {
        let integral = self.integral(s);
        ((integral * -0.5).exp(), one_minus_exp(integral))
    }
}

/// Sub-VP: the drift of [`Vp`] with less noise, g² = β(s)(1 − e^{−2B(s)}).
///
/// a = e^{−B/2}, b² = (1 − e^{−B})².
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SubVp(Vp);

impl SubVp {
    /// The diffusion with the rate β_min at the data and β_max at the noise.
    ///
    /// # Errors
    /// As [`Vp::new`].
    pub fn new(beta_min: f64, beta_max: f64) -> Result<SubVp, ProcessError> {
        Ok(SubVp(Vp::new(beta_min, beta_max)?))
    }
}

impl Kernel for SubVp {
    #[inline(always)]
    fn rate<L: Lane>(&self, s: L) -> L {
        self.0.rate(s)
    }

    #[inline(always)]
    fn noise_squared<L: Lane>(&self, s: L) -> L {
        self.0.beta(s) * one_minus_exp(self.0.integral(s) * 2.0)
    }

    #[inline(always)]
    fn marginal<L: Lane>(&self, s: L) -> (L, L) {
        let (a, b_squared) = self.0.marginal(s);
        (a, b_squared * b_squared)
    }
}

/// Variance exploding: dX = √(dσ²/ds) dW with σ(s) = σ_min(σ_max/σ_min)ˢ.
///
/// f = 0, a = 1, b² = σ(s)² − σ_min².
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ve {
    sigma_min: f64,
    /// ln(σ_max/σ_min).
    log_ratio: f64,
}

impl Ve {
    /// The diffusion with deviation σ_min at the data and σ_max at the noise.
    ///
    /// # Errors
    /// When σ_min is not positive, σ_max not above σ_min, or one is not finite.
    pub fn new(sigma_min: f64, sigma_max: f64) -> Result<Ve, ProcessError> {
        let sigma_min = Range::Positive.check("sigma_min", sigma_min)?;
        let sigma_max = Range::Positive.check("sigma_max", sigma_max)?;
        if sigma_max <= sigma_min {
            return Err(ProcessError::Relation {
                name: "sigma_max",
                relation: format!("greater than sigma_min = {sigma_min}"),
                value: sigma_max,
            });
        }
        Ok(Ve {
            sigma_min,
            log_ratio: sigma_max.ln() - sigma_min.ln(),
        })
    }

    /// σ(s)².
    #[inline(always)]
    fn variance<L: Lane>(&self, s: L) -> L {
        (s * (2.0 * self.log_ratio)).exp() * (self.sigma_min * self.sigma_min)
    }
}

impl Kernel for Ve {
    #[inline(always)]
    fn rate<L: Lane>(&self, _: L) -> L {
        L::splat(0.0)
    }

    #[inline(always)]
    fn noise_squared<L: Lane>(&self, s: L) -> L {
        self.variance(s) * (2.0 * self.log_ratio)
    }

    #[inline(always)]
    fn marginal<L: Lane>(&self, s: L) -> (L, L) {
        let fraction = one_minus_exp(s * (2.0 * self.log_ratio));
        (L::splat(1.0), self.variance(s) * fraction)
    }
}

/// A kernel chosen when the program runs: one type for all, so that a process is compiled once.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum AnyKernel {
    /// Variance preserving.
    Vp(Vp),
    /// Sub-VP.
    SubVp(SubVp),
    /// Variance exploding.
    Ve(Ve),
}

impl Kernel for AnyKernel {
    #[inline(always)]
    fn rate<L: Lane>(&self, s: L) -> L {
        match self {
            AnyKernel::Vp(kernel) => kernel.rate(s),
            AnyKernel::SubVp(kernel) => kernel.rate(s),
            AnyKernel::Ve(kernel) => kernel.rate(s),
        }
    }

    #[inline(always)]
    fn noise_squared<L: Lane>(&self, s: L) -> L {
        match self {
            AnyKernel::Vp(kernel) => kernel.noise_squared(s),
            AnyKernel::SubVp(kernel) => kernel.noise_squared(s),
            AnyKernel::Ve(kernel) => kernel.noise_squared(s),
        }
    }

    #[inline(always)]
    fn marginal<L: Lane>(&self, s: L) -> (L, L) {
        match self {
            AnyKernel::Vp(kernel) => kernel.marginal(s),
            AnyKernel::SubVp(kernel) => kernel.marginal(s),
            AnyKernel::Ve(kernel) => kernel.marginal(s),
        }
    }
}
