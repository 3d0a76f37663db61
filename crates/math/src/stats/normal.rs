//! The error function and the normal distribution.

use std::f64::consts::{FRAC_1_SQRT_2, PI, TAU};

/// erfc(x) = 2/√π ∫ₓ^∞ e^{−t²} dt, with a relative error of some 10⁻¹⁵ (10⁻¹³ in the far tail,
/// where e^{−x²} amplifies the rounding of x²).
///
/// Below 1 by the series erf x = 2/√π e^{−x²} Σ 2ⁿ x^{2n+1} / (1·3·…·(2n+1)), above by
/// Laplace's continued fraction (Abramowitz & Stegun 7.1.6 and 7.1.14).
pub fn erfc(x: f64) -> f64 {
    if x.is_nan() {
        return x;
    }
    if x < 0.0 {
        return 2.0 - erfc(-x);
    }
    if x < 1.0 {
        return 1.0 - erf_series(x);
    }
    if x > 27.5 {
        return 0.0; // below the smallest positive f64
    }
    // The fraction's error falls like e^{−4x√(depth/2)}.
    continued_fraction(x, 20 + (200.0 / (x * x)) as u32)
}

/// erf(x) = 1 − erfc(x), accurate near 0 as well.
pub fn erf(x: f64) -> f64 {
    if x.abs() < 1.0 {
        erf_series(x)
    } else {
        1.0 - erfc(x)
    }
}

fn erf_series(x: f64) -> f64 {
    let (mut term, mut sum, mut n) = (x, x, 0.0);
    loop {
        n += 1.0;
        term *= 2.0 * x * x / (2.0 * n + 1.0);
        let next = sum + term;
        if next == sum {
            return 2.0 / PI.sqrt() * (-x * x).exp() * sum;
        }
        sum = next;
    }
}

/// e^{−x²}/√π · 1/(x + (1/2)/(x + (2/2)/(x + (3/2)/(x + …)))), from the inside out.
fn continued_fraction(x: f64, depth: u32) -> f64 {
    let tail = (1..=depth)
        .rev()
        .fold(x, |tail, k| x + 0.5 * f64::from(k) / tail);
    (-x * x).exp() / (PI.sqrt() * tail)
}

/// Φ(x), the distribution function of N(0, 1), with full relative accuracy in both tails.
pub fn normal_cdf(x: f64) -> f64 {
    0.5 * erfc(-x * FRAC_1_SQRT_2)
}

/// Φ⁻¹(p), the quantile of N(0, 1), to a few roundings also for p near 0: the approximation of
/// Abramowitz & Stegun 26.2.23 and three steps of Halley's method. −∞ and ∞ for p = 0 and 1, NaN
/// outside of \[0, 1\].
pub fn normal_quantile(p: f64) -> f64 {
    if !(0.0..=1.0).contains(&p) {
        return f64::NAN;
    }
    if p == 0.0 {
        return f64::NEG_INFINITY;
    }
    if p > 0.5 {
        return -normal_quantile(1.0 - p);
    }
    let t = (-2.0 * p.ln()).sqrt();
    let above = 2.515_517 + t * (0.802_853 + t * 0.010_328);
    let below = 1.0 + t * (1.432_788 + t * (0.189_269 + t * 0.001_308));
    let mut x = above / below - t;
    for _ in 0..3 {
        // Newton's step (Φ − p)/φ; φ′/φ = −x gives Halley's denominator.
        let newton = (normal_cdf(x) - p) * TAU.sqrt() * (0.5 * x * x).exp();
        x -= newton / (1.0 + 0.5 * x * newton);
    }
    x
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: f64, b: f64, relative: f64) {
        assert!((a - b).abs() <= relative * b.abs(), "{a:e} is not {b:e}");
    }

    /// Values from tables of the error function (DLMF 7.14; Wolfram's functions site).
    #[test]
    fn erf_at_known_points() {
        close(erf(0.1), 0.112_462_916_018_284_89, 1e-15);
        close(erf(0.5), 0.520_499_877_813_046_5, 1e-15);
        close(erf(1.0), 0.842_700_792_949_714_9, 1e-15);
        close(erfc(0.5), 0.479_500_122_186_953_5, 1e-14);
        close(erfc(1.0), 0.157_299_207_050_285_13, 1e-14);
        close(erfc(2.0), 0.004_677_734_981_047_266, 1e-14);
        close(erfc(3.0), 2.209_049_699_858_544e-5, 1e-14);
        close(erfc(5.0), 1.537_459_794_428_034_8e-12, 1e-13);
        close(erfc(-1.0), 1.842_700_792_949_715, 1e-15);
        assert_eq!(erfc(40.0), 0.0);
        assert!(erfc(f64::NAN).is_nan());
    }

    /// The two formulas agree where both hold: no step at the joint.
    #[test]
    fn series_and_continued_fraction_agree() {
        for i in 0..=40 {
            let x = 1.0 + 0.05 * f64::from(i);
            let difference = 1.0 - erf_series(x) - continued_fraction(x, 220);
            assert!(difference.abs() < 1e-15, "{difference:e} at {x}");
        }
    }

    #[test]
    fn normal_cdf_at_known_points() {
        assert_eq!(normal_cdf(0.0), 0.5);
        close(normal_cdf(1.959_963_984_540_054), 0.975, 1e-14);
        close(normal_cdf(-1.0), 0.158_655_253_931_457_05, 1e-14);
        close(normal_cdf(-6.0), 9.865_876_450_376_98e-10, 1e-13);
    }

    /// Quantiles as the tables have them (Abramowitz & Stegun 26.5 and later).
    #[test]
    fn normal_quantile_at_known_points() {
        assert!(normal_quantile(0.5).abs() < 1e-17);
        close(normal_quantile(0.975), 1.959_963_984_540_054, 1e-15);
        close(normal_quantile(0.001), -3.090_232_306_167_813_5, 1e-15);
        close(normal_quantile(1e-10), -6.361_340_902_404_056, 1e-15);
        assert_eq!(normal_quantile(0.0), f64::NEG_INFINITY);
        assert_eq!(normal_quantile(1.0), f64::INFINITY);
        assert!(normal_quantile(1.1).is_nan() && normal_quantile(f64::NAN).is_nan());
    }

    #[test]
    fn normal_quantile_inverts_the_cdf() {
        for i in -360..=40 {
            let x = 0.1 * f64::from(i) + 0.03;
            // An error of the probability by one rounding moves x by ε Φ/φ.
            let density = (-0.5 * x * x).exp() / TAU.sqrt();
            let rounding = f64::EPSILON * normal_cdf(x) / density;
            let error = (normal_quantile(normal_cdf(x)) - x).abs();
            assert!(
                error < 200.0 * rounding + 4.0 * f64::EPSILON * x.abs(),
                "{error:e} at {x}"
            );
        }
    }
}
