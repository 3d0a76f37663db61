use std::f64::consts::FRAC_PI_2;

use super::{Coeffs, Scheduler};

/// α = sin(πt/2), β = cos(πt/2): α² + β² = 1 with a uniformly turning angle
/// (Nichol & Dhariwal, *Improved denoising diffusion probabilistic models*, ICML 2021, without their
/// offset).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Cosine;

impl Scheduler for Cosine {
    fn name(&self) -> &'static str {
        "cosine"
    }

    fn at(&self, t: f64) -> Coeffs {
        // cos(πt/2) = sin(π(1−t)/2), which keeps its relative precision up to t = 1.
        let (alpha, beta) = ((FRAC_PI_2 * t).sin(), (FRAC_PI_2 * (1.0 - t)).sin());
        Coeffs {
            alpha,
            beta,
            d_alpha: FRAC_PI_2 * beta,
            d_beta: -FRAC_PI_2 * alpha,
        }
    }

    fn time_of_log_snr(&self, l: f64) -> f64 {
        (0.5 * l).exp().atan() / FRAC_PI_2
    }
}
