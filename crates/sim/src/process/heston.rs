use super::{NoiseKind, Process, ProcessError, Range};
use crate::lane::Lane;

/// Heston's price S with a random variance v:
/// dS = μS dt + √v⁺ S dW₁, dv = κ(θ − v⁺) dt + ξ√v⁺ (ρ dW₁ + √(1 − ρ²) dW₂).
///
/// Itô's sense, two independent noises; the columns of g do not commute, so the noise is general
/// (Heston, *A closed-form solution for options with stochastic volatility*, Review of Financial
/// Studies, 1993). The exact v never falls below 0, that of a solver may: v⁺ = max(v, 0) stands in
/// its place in drift and diffusion, the "full truncation" of Lord, Koekkoek & van Dijk
/// (Quantitative Finance, 2010). E\[S_t\] = S₀e^{μt}, E\[v_t\] = θ + (v₀ − θ)e^{−κt}.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Heston {
    mu: f64,
    kappa: f64,
    theta: f64,
    xi: f64,
    rho: f64,
    /// √(1 − ρ²).
    rest: f64,
}

impl Heston {
    /// The model with growth μ, rate κ, long-run variance θ, volatility of variance ξ and
    /// correlation ρ.
    ///
    /// # Errors
    /// When κ, θ or ξ is negative, ρ is not between −1 and 1, or one is not finite.
    pub fn new(mu: f64, kappa: f64, theta: f64, xi: f64, rho: f64) -> Result<Heston, ProcessError> {
        let rho = Range::Between(-1.0, 1.0).check("rho", rho)?;
        Ok(Heston {
            mu: Range::Any.check("mu", mu)?,
            kappa: Range::NonNegative.check("kappa", kappa)?,
            theta: Range::NonNegative.check("theta", theta)?,
            xi: Range::NonNegative.check("xi", xi)?,
            rho,
            rest: ((1.0 - rho) * (1.0 + rho)).sqrt(),
        })
    }
}

impl Process for Heston {
    type State<L: Lane> = [L; 2];
    type Noise<L: Lane> = [L; 2];

    #[inline(always)]
    fn drift<L: Lane>(&self, _: L, &[s, v]: &[L; 2], f: &mut [L; 2]) {
        let zero = L::splat(0.0);
        // Not `max`, which would turn a variance that is not a number into 0.
        let v = L::select(v.le(zero), zero, v);
        *f = [s * self.mu, (L::splat(self.theta) - v) * self.kappa];
    }

    #[inline(always)]
    fn diffusion<L: Lane>(&self, _: L, &[s, v]: &[L; 2], &[w, u]: &[L; 2], out: &mut [L; 2]) {
        let zero = L::splat(0.0);
        // The derivative of the root at 0 must not be asked for, either.
        let root = L::select(v.le(zero), zero, v.sqrt());
        *out = [
            root * s * w,
            root * self.xi * (w * self.rho + u * self.rest),
        ];
    }

    fn noise_kind(&self) -> NoiseKind {
        NoiseKind::General
    }

    fn names(&self) -> Vec<String> {
        vec!["S".into(), "v".into()]
    }
}
