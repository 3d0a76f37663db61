//! Noise schedulers: how a Gaussian path mixes data and noise over time.

mod change;
mod condot;
mod cosine;
mod ddpm;
mod edm;
mod linear_sqrt;
mod polynomial;
mod rate;
mod sub_vp;
mod ve;
mod vp;

use std::fmt::Debug;

use crate::bisect::bisect;

pub use change::{Change, change};
pub use condot::CondOt;
pub use cosine::Cosine;
pub use ddpm::{BetaLaw, Ddpm};
pub use edm::Edm;
pub use linear_sqrt::LinearSqrt;
pub use polynomial::Polynomial;
pub use sub_vp::SubVp;
pub use ve::VarianceExploding;
pub use vp::VariancePreserving;

/// The coefficients of x = αz + βε at one time, and their derivatives.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Coeffs {
    /// α_t, the weight of the data.
    pub alpha: f64,
    /// β_t, the weight of the noise.
    pub beta: f64,
    /// α̇ = dα/dt.
    pub d_alpha: f64,
    /// β̇ = dβ/dt; −∞ at t = 1 where β ends like a square root.
    pub d_beta: f64,
}

impl Coeffs {
    /// The logarithmic signal-to-noise ratio λ = ln(α²/β²); −∞ at α = 0, +∞ at β = 0.
    pub fn log_snr(&self) -> f64 {
        2.0 * (self.alpha.ln() - self.beta.ln())
    }

    /// λ̇ = 2(α̇/α − β̇/β), positive at 0 < t < 1.
    pub fn d_log_snr(&self) -> f64 {
        2.0 * (self.d_alpha / self.alpha - self.d_beta / self.beta)
    }

    /// a = β²α̇/α − β̇β of u = a·s + b·x, the velocity from the score; infinite at α = 0.
    pub fn field_of_score(&self) -> f64 {
        self.beta * (self.beta * self.d_alpha / self.alpha - self.d_beta)
    }

    /// b = α̇/α of u = a·s + b·x; infinite at α = 0.
    pub fn field_of_state(&self) -> f64 {
        self.d_alpha / self.alpha
    }
}

/// A pair of smooth functions α, β on \[0, 1\] whose signal-to-noise ratio rises, to α_1 = 1 and
/// β_1 = 0: at t = 1 the path is at the data.
///
/// The path starts at N(0, β_0² I), exactly where α_0 = 0 and nearly otherwise; β_0 is 1 but for
/// the exploding schedulers ([`Start`]). So generation begins with x = β_0 ε.
///
/// A scheduler of your own is a name and [`at`](Scheduler::at):
///
/// ```
/// use fokker_math::scheduler::{Coeffs, Scheduler};
///
/// /// α = t², β = 1 − t.
/// #[derive(Debug)]
/// struct Mine;
///
/// impl Scheduler for Mine {
///     fn name(&self) -> &'static str {
///         "mine"
///     }
///     fn at(&self, t: f64) -> Coeffs {
///         Coeffs { alpha: t * t, beta: 1.0 - t, d_alpha: 2.0 * t, d_beta: -1.0 }
///     }
/// }
///
/// let half = Mine.at(0.5).log_snr();
/// assert!((Mine.time_of_log_snr(half) - 0.5).abs() < 1e-15);
/// ```
pub trait Scheduler: Send + Sync + Debug {
    /// The name in menus and configurations.
    fn name(&self) -> &'static str;
    /// The coefficients at time `t` in \[0, 1\].
    fn at(&self, t: f64) -> Coeffs;
    /// The time in \[0, 1\] at which ln(α²/β²) = `l`; ±∞ are answered with the ends, and so is a
    /// value that the scheduler does not reach.
    ///
    /// By itself this is a bisection on [`at`](Scheduler::at), some 60 evaluations; a scheduler
    /// with a closed form writes that.
    fn time_of_log_snr(&self, l: f64) -> f64 {
        bisect(|t| self.at(t).log_snr(), l)
    }
    /// The `steps` + 1 times from 0 to 1 at which a sampler of that many steps walks this path unless told
    /// otherwise: equally spaced, but where the noise falls too far for that.
    fn times(&self, steps: usize) -> Vec<f64> {
        crate::grid::uniform(steps)
    }
}

/// What the path of a scheduler is at t = 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Start {
    /// α_0 = 0 and β_0 = 1: standard normal noise, exactly.
    Noise,
    /// α_0 is small and β_0 is 1 to a few digits: the path is standard normal noise but for a trace
    /// of the data.
    NearNoise,
    /// α = 1 all along and β_0 is large: the path is N(0, β_0² I) as far as the data are small
    /// beside β_0.
    Exploding,
}

/// An entry of [`SCHEDULERS`].
#[derive(Clone, Copy, Debug)]
pub struct SchedulerSpec {
    /// The name, equal to that of the scheduler made.
    pub name: &'static str,
    /// α and β as a formula.
    pub formula: &'static str,
    /// Where it comes from.
    pub reference: &'static str,
    /// What the path is at t = 0.
    pub start: Start,
    /// Makes the scheduler with its usual parameters.
    pub make: fn() -> Box<dyn Scheduler>,
}

/// All schedulers: menus, documentation and law tests iterate this slice.
pub const SCHEDULERS: &[SchedulerSpec] = &[
    SchedulerSpec {
        name: "condot",
        formula: "α = t, β = 1 − t",
        reference: "Lipman et al., Flow matching for generative modeling, ICLR 2023",
        start: Start::Noise,
        make: || Box::new(CondOt),
    },
    SchedulerSpec {
        name: "cosine",
        formula: "α = sin(πt/2), β = cos(πt/2)",
        reference: "Nichol & Dhariwal, Improved denoising diffusion probabilistic models, ICML 2021",
        start: Start::Noise,
        make: || Box::new(Cosine),
    },
    SchedulerSpec {
        name: "linear-sqrt",
        formula: "α = t, β = √(1 − t)",
        reference: "Holderrieth & Erives, Introduction to flow matching and diffusion models, 2025",
        start: Start::Noise,
        make: || Box::new(LinearSqrt),
    },
    SchedulerSpec {
        name: "polynomial",
        formula: "α = tⁿ, β = 1 − tⁿ (n = 2)",
        reference: "Lipman et al., Flow matching guide and code, 2024",
        start: Start::Noise,
        make: || Box::new(Polynomial::default()),
    },
    SchedulerSpec {
        name: "vp",
        formula: "α = exp(−½B), β = √(1 − α²), B = sβ_min + ½s²(β_max − β_min), s = 1 − t (β_min = 0.1, β_max = 20)",
        reference: "Song et al., Score-based generative modeling through SDEs, ICLR 2021",
        start: Start::NearNoise,
        make: || Box::new(VariancePreserving::default()),
    },
    SchedulerSpec {
        name: "ddpm",
        formula: "α² = Π (1 − β_i) over the steps i ≤ n = T(1 − t) − 1, β = √(1 − α²), β_i from 0.0001 to 0.02 (T = 1000)",
        reference: "Ho et al., Denoising diffusion probabilistic models, NeurIPS 2020",
        start: Start::NearNoise,
        make: || Box::new(Ddpm::default()),
    },
    SchedulerSpec {
        name: "sub-vp",
        formula: "α = exp(−½B), β = 1 − α², B = sβ_min + ½s²(β_max − β_min), s = 1 − t (β_min = 0.1, β_max = 20)",
        reference: "Song et al., Score-based generative modeling through SDEs, ICLR 2021",
        start: Start::NearNoise,
        make: || Box::new(SubVp::default()),
    },
    SchedulerSpec {
        name: "ve",
        formula: "α = 1, β = √(σ² − σ_min²), σ = σ_min (σ_max/σ_min)^(1−t) (σ_min = 0.01, σ_max = 50)",
        reference: "Song et al., Score-based generative modeling through SDEs, ICLR 2021",
        start: Start::Exploding,
        make: || Box::new(VarianceExploding::default()),
    },
    SchedulerSpec {
        name: "edm",
        formula: "α = 1, β = σ_max (1 − t) (σ_max = 80)",
        reference: "Karras et al., Elucidating the design space of diffusion-based generative models, NeurIPS 2022",
        start: Start::Exploding,
        make: || Box::new(Edm::default()),
    },
];

/// The scheduler of that name, with its usual parameters.
pub fn scheduler(name: &str) -> Option<Box<dyn Scheduler>> {
    SCHEDULERS
        .iter()
        .find(|spec| spec.name == name)
        .map(|spec| (spec.make)())
}

/// A scheduler's parameter outside its range.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum SchedulerError {
    /// The exponent of [`Polynomial`] is 0.
    #[error("the polynomial scheduler's exponent n must be at least 1, got 0")]
    Exponent,
    /// The rates of [`VariancePreserving`] or [`SubVp`] are not 0 < β_min ≤ β_max < ∞.
    #[error(
        "the {scheduler} scheduler's rates must be finite with 0 < beta_min <= beta_max, \
         got beta_min = {beta_min}, beta_max = {beta_max}"
    )]
    Rates {
        /// The scheduler's name.
        scheduler: &'static str,
        /// The lower rate given.
        beta_min: f64,
        /// The upper rate given.
        beta_max: f64,
    },
    /// The scales of [`VarianceExploding`] are not 0 < σ_min < σ_max < ∞.
    #[error(
        "the ve scheduler's scales must be finite with 0 < sigma_min < sigma_max, \
         got sigma_min = {sigma_min}, sigma_max = {sigma_max}"
    )]
    Scales {
        /// The lower scale given.
        sigma_min: f64,
        /// The upper scale given.
        sigma_max: f64,
    },
    /// The rates of [`Ddpm`] are not 0 < first ≤ last ≤ ½, or change much from step to step.
    #[error(
        "the ddpm scheduler's rates must be 0 < beta_start <= beta_end <= 0.5, changing by at most 0.01 and less than twice \
         the first from step to step, got beta_start = {first}, beta_end = {last}, steps = {steps}"
    )]
    Betas {
        /// The first rate given.
        first: f64,
        /// The last rate given.
        last: f64,
        /// The number of steps given.
        steps: u32,
    },
    /// The scale of [`Edm`] is not positive and finite.
    #[error("the edm scheduler's sigma_max must be positive and finite, got {sigma_max}")]
    Scale {
        /// The scale given.
        sigma_max: f64,
    },
}

/// 1/(1 + e^{−x}).
fn logistic(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

#[cfg(test)]
mod tests;
