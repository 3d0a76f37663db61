use std::f64::consts::{PI, TAU};

use super::{Interpolant, InterpolantCoeffs};

/// From x₀ into noise until t = ½, and out of it to x₁: a = cos²(πt) for t < ½, b = cos²(πt) for
/// t > ½, each 0 elsewhere, γ = sin²(πt) (Albergo, Boffi & Vanden-Eijnden, *Stochastic interpolants*,
/// 2023). At t = ½ the path is N(0, I) whatever the two laws; the first derivatives are continuous.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct EncodingDecoding;

impl Interpolant for EncodingDecoding {
    fn name(&self) -> &'static str {
        "encoding-decoding"
    }

    fn at(&self, t: f64) -> InterpolantCoeffs {
        let cosine = (PI * (t - 0.5)).sin(); // −cos(πt), exactly 0 at t = ½
        let sine = (PI * t.min(1.0 - t)).sin();
        let (weight, rate) = (cosine * cosine, PI * (TAU * t).sin());
        let (first, second) = (f64::from(t < 0.5), f64::from(t > 0.5));
        InterpolantCoeffs {
            a: first * weight,
            b: second * weight,
            gamma: sine * sine,
            d_a: -first * rate,
            d_b: -second * rate,
            d_gamma: rate,
        }
    }
}
