use super::{Coeffs, Scheduler};

/// α = t, β = √(1 − t) (Holderrieth & Erives, *Introduction to flow matching and diffusion models*,
/// 2025). β̇ = −1/(2√(1−t)) is −∞ at t = 1.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LinearSqrt;

impl Scheduler for LinearSqrt {
    fn name(&self) -> &'static str {
        "linear-sqrt"
    }

    fn at(&self, t: f64) -> Coeffs {
        let beta = (1.0 - t).sqrt();
        Coeffs {
            alpha: t,
            beta,
            d_alpha: 1.0,
            d_beta: -0.5 / beta,
        }
    }

    fn time_of_log_snr(&self, l: f64) -> f64 {
        // The positive root of t² + e^l t − e^l = 0.
        2.0 / (1.0 + (1.0 + 4.0 * (-l).exp()).sqrt())
    }
}
