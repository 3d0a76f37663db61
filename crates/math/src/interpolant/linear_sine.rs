use std::f64::consts::{PI, TAU};

use super::{Interpolant, InterpolantCoeffs, linear};

/// x_t = (1 − t) x₀ + t x₁ + sin²(πt) ε: noise that comes and goes smoothly, with finite derivatives
/// up to the ends (Albergo, Boffi & Vanden-Eijnden, *Stochastic interpolants*, 2023).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LinearSine;

impl Interpolant for LinearSine {
    fn name(&self) -> &'static str {
        "linear-sine"
    }

    fn at(&self, t: f64) -> InterpolantCoeffs {
        // sin(πt) = sin(π(1−t)) is exactly 0 at both ends when the smaller angle is taken.
        let sine = (PI * t.min(1.0 - t)).sin();
        linear(t, sine * sine, PI * (TAU * t).sin())
    }
}
