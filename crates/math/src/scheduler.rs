//! Noise schedulers: how a Gaussian path mixes data and noise over time.

mod condot;
mod cosine;
mod linear_sqrt;
mod polynomial;
mod vp;

use std::fmt::Debug;

pub use condot::CondOt;
pub use cosine::Cosine;
pub use linear_sqrt::LinearSqrt;
pub use polynomial::Polynomial;
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

/// A pair of smooth functions α, β on \[0, 1\] with α rising from 0 to 1 and β falling from 1 to 0.
pub trait Scheduler: Send + Sync + Debug {
    /// The name in menus and configurations.
    fn name(&self) -> &'static str;
    /// The coefficients at time `t` in \[0, 1\].
    fn at(&self, t: f64) -> Coeffs;
    /// The time in \[0, 1\] at which ln(α²/β²) = `l`; ±∞ are answered with the ends, and so is a
    /// value that the scheduler does not reach.
    fn time_of_log_snr(&self, l: f64) -> f64;
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
    /// Whether α_0 = 0 exactly, so that the path starts at pure noise.
    pub starts_at_noise: bool,
    /// Makes the scheduler with its usual parameters.
    pub make: fn() -> Box<dyn Scheduler>,
}

/// All schedulers: menus, documentation and law tests iterate this slice.
pub const SCHEDULERS: &[SchedulerSpec] = &[
    SchedulerSpec {
        name: "condot",
        formula: "α = t, β = 1 − t",
        reference: "Lipman et al., Flow matching for generative modeling, ICLR 2023",
        starts_at_noise: true,
        make: || Box::new(CondOt),
    },
    SchedulerSpec {
        name: "cosine",
        formula: "α = sin(πt/2), β = cos(πt/2)",
        reference: "Nichol & Dhariwal, Improved denoising diffusion probabilistic models, ICML 2021",
        starts_at_noise: true,
        make: || Box::new(Cosine),
    },
    SchedulerSpec {
        name: "linear-sqrt",
        formula: "α = t, β = √(1 − t)",
        reference: "Holderrieth & Erives, Introduction to flow matching and diffusion models, 2025",
        starts_at_noise: true,
        make: || Box::new(LinearSqrt),
    },
    SchedulerSpec {
        name: "polynomial",
        formula: "α = tⁿ, β = 1 − tⁿ (n = 2)",
        reference: "Lipman et al., Flow matching guide and code, 2024",
        starts_at_noise: true,
        make: || Box::new(Polynomial::default()),
    },
    SchedulerSpec {
        name: "vp",
        formula: "α = exp(−½B), β = √(1 − α²), B = sβ_min + ½s²(β_max − β_min), s = 1 − t (β_min = 0.1, β_max = 20)",
        reference: "Song et al., Score-based generative modeling through SDEs, ICLR 2021",
        starts_at_noise: false,
        make: || Box::new(VariancePreserving::default()),
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
    /// The rates of [`VariancePreserving`] are not 0 < β_min ≤ β_max < ∞.
    #[error(
        "the vp scheduler's rates must be finite with 0 < beta_min <= beta_max, \
         got beta_min = {beta_min}, beta_max = {beta_max}"
    )]
    Rates {
        /// The lower rate given.
        beta_min: f64,
        /// The upper rate given.
        beta_max: f64,
    },
}

/// 1/(1 + e^{−x}).
fn logistic(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every scheduler of the slice, and other parameters.
    fn all() -> Vec<(Box<dyn Scheduler>, bool)> {
        let mut all: Vec<_> = SCHEDULERS
            .iter()
            .map(|spec| ((spec.make)(), spec.starts_at_noise))
            .collect();
        for n in [1, 3, 7] {
            all.push((Box::new(Polynomial::new(n).unwrap()), true));
        }
        for (low, high) in [(0.1, 5.0), (3.0, 3.0)] {
            all.push((Box::new(VariancePreserving::new(low, high).unwrap()), false));
        }
        all
    }

    fn times() -> impl Iterator<Item = f64> {
        (1..500).map(|i| f64::from(i) / 500.0)
    }

    #[test]
    fn names() {
        for spec in SCHEDULERS {
            assert_eq!((spec.make)().name(), spec.name);
            assert_eq!(scheduler(spec.name).unwrap().name(), spec.name);
        }
        assert!(scheduler("nothing").is_none());
    }

    #[test]
    fn ends() {
        for (scheduler, starts_at_noise) in all() {
            let (start, end) = (scheduler.at(0.0), scheduler.at(1.0));
            assert_eq!((end.alpha, end.beta), (1.0, 0.0), "{scheduler:?}");
            assert_eq!(end.log_snr(), f64::INFINITY);
            if starts_at_noise {
                assert_eq!((start.alpha, start.beta), (0.0, 1.0), "{scheduler:?}");
                assert_eq!(start.log_snr(), f64::NEG_INFINITY);
            }
            assert_eq!(scheduler.time_of_log_snr(f64::INFINITY), 1.0);
            assert_eq!(scheduler.time_of_log_snr(f64::NEG_INFINITY), 0.0);
        }
        assert!(VariancePreserving::default().at(0.0).alpha < 0.007);
    }

    #[test]
    fn snr_rises_strictly() {
        for (scheduler, _) in all() {
            let snr: Vec<f64> = times().map(|t| scheduler.at(t).log_snr()).collect();
            assert!(
                snr.windows(2).all(|pair| pair[0] < pair[1]),
                "{scheduler:?}"
            );
            assert!(times().all(|t| scheduler.at(t).d_log_snr() > 0.0));
        }
    }

    #[test]
    fn inverse_round_trips() {
        for (scheduler, _) in all() {
            for t in times().chain([1e-6, 1e-3, 1.0 - 1e-6]) {
                let back = scheduler.time_of_log_snr(scheduler.at(t).log_snr());
                assert!((back - t).abs() < 1e-13, "{scheduler:?}: {t} became {back}");
            }
            for l in [-8.0, -3.0, 0.0, 2.5, 15.0] {
                let t = scheduler.time_of_log_snr(l);
                let found = scheduler.at(t).log_snr();
                assert!(
                    t == 0.0 || (found - l).abs() < 1e-7,
                    "{scheduler:?}: {l}, {found}"
                );
            }
        }
    }

    #[test]
    fn derivatives_are_finite_differences() {
        let h = 1e-5;
        for (scheduler, _) in all() {
            for t in (1..100).map(|i| f64::from(i) / 100.0) {
                let at = scheduler.at(t);
                // Central differences of fourth order.
                let difference = |of: fn(&Coeffs) -> f64| {
                    let f = |k: f64| of(&scheduler.at(t + k * h));
                    (8.0 * (f(1.0) - f(-1.0)) - (f(2.0) - f(-2.0))) / (12.0 * h)
                };
                for (exact, found) in [
                    (at.d_alpha, difference(|c| c.alpha)),
                    (at.d_beta, difference(|c| c.beta)),
                    (at.d_log_snr(), difference(Coeffs::log_snr)),
                ] {
                    let error = (exact - found).abs() / (1.0 + exact.abs());
                    assert!(error < 1e-9, "{scheduler:?} at {t}: {exact}, {found}");
                }
            }
        }
    }

    #[test]
    fn bad_parameters_are_refused() {
        assert_eq!(Polynomial::new(0), Err(SchedulerError::Exponent));
        for (low, high) in [
            (0.0, 1.0),
            (2.0, 1.0),
            (f64::NAN, 1.0),
            (1.0, f64::INFINITY),
        ] {
            let error = VariancePreserving::new(low, high).unwrap_err();
            assert!(error.to_string().contains("0 < beta_min <= beta_max"));
        }
    }
}
