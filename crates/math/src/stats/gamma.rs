//! The gamma function and the regularised incomplete gamma functions.

use std::f64::consts::TAU;

/// ln Γ(x) for x > 0, NaN otherwise: Stirling's series (DLMF 5.11.1), after Γ(x + 1) = xΓ(x) has
/// taken x to 10 or more.
pub fn ln_gamma(x: f64) -> f64 {
    if x.is_nan() || x <= 0.0 {
        return f64::NAN;
    }
    let (mut at, mut product) = (x, 1.0);
    while at < 10.0 {
        product *= at;
        at += 1.0;
    }
    (at - 0.5) * at.ln() - at + 0.5 * TAU.ln() + stirling(at) - product.ln()
}

/// ln Γ(x) − ((x − ½) ln x − x + ½ ln 2π) for x ≥ 10: Σ B₂ₖ/(2k(2k−1)x^{2k−1}).
fn stirling(x: f64) -> f64 {
    const TERMS: [f64; 7] = [
        1.0 / 12.0,
        -1.0 / 360.0,
        1.0 / 1260.0,
        -1.0 / 1680.0,
        1.0 / 1188.0,
        -691.0 / 360_360.0,
        1.0 / 156.0,
    ];
    let square = 1.0 / (x * x);
    TERMS.iter().rev().fold(0.0, |sum, b| sum * square + b) / x
}

/// P(a, x) = γ(a, x)/Γ(a), the distribution function of the gamma distribution of shape a > 0 and
/// scale 1 at x ≥ 0. NaN outside.
pub fn gamma_p(a: f64, x: f64) -> f64 {
    incomplete(a, x).0
}

/// Q(a, x) = 1 − P(a, x) = Γ(a, x)/Γ(a), accurate where it is small.
pub fn gamma_q(a: f64, x: f64) -> f64 {
    incomplete(a, x).1
}

/// P and Q: whichever is the smaller one directly, by the series DLMF 8.7.1 below a + 1 and by the
/// continued fraction DLMF 8.9.2 (Lentz's method) above.
fn incomplete(a: f64, x: f64) -> (f64, f64) {
    if !(a > 0.0 && x >= 0.0) {
        return (f64::NAN, f64::NAN);
    }
    if x == 0.0 {
        return (0.0, 1.0);
    }
    if x == f64::INFINITY {
        return (1.0, 0.0);
    }
    let scale = prefactor(a, x);
    if x < a + 1.0 {
        let (mut term, mut sum, mut n) = (1.0 / a, 1.0 / a, a);
        while term > sum * 1e-17 {
            n += 1.0;
            term *= x / n;
            sum += term;
        }
        let p = (scale * sum).min(1.0);
        return (p, 1.0 - p);
    }
    let mut b = x + 1.0 - a;
    let mut c = 1.0 / f64::MIN_POSITIVE;
    let mut d = 1.0 / b;
    let mut fraction = d;
    for i in 1..1_000_000 {
        let i = f64::from(i);
        let step = -i * (i - a);
        b += 2.0;
        d = 1.0 / away_from_zero(step * d + b);
        c = away_from_zero(b + step / c);
        let factor = c * d;
        fraction *= factor;
        if (factor - 1.0).abs() < 1e-16 {
            break;
        }
    }
    let q = (scale * fraction).min(1.0);
    (1.0 - q, q)
}

fn away_from_zero(v: f64) -> f64 {
    if v.abs() < f64::MIN_POSITIVE {
        f64::MIN_POSITIVE
    } else {
        v
    }
}

/// xᵃe^{−x}/Γ(a). For large a about its maximum, where the three factors are huge.
fn prefactor(a: f64, x: f64) -> f64 {
    if a < 10.0 {
        return (a * x.ln() - x - ln_gamma(a)).exp();
    }
    let off = (x - a) / a;
    (a * (off.ln_1p() - off) - stirling(a)).exp() * (a / TAU).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: f64, b: f64, relative: f64) {
        assert!((a - b).abs() <= relative * b.abs(), "{a:e} is not {b:e}");
    }

    #[test]
    fn ln_gamma_at_known_points() {
        let mut factorial = 1.0f64;
        for n in 1..100 {
            close(ln_gamma(f64::from(n)).exp(), factorial, 1e-12);
            factorial *= f64::from(n);
        }
        // Γ(½) = √π, Γ(3/2) = √π/2.
        let half = 0.5 * std::f64::consts::PI.ln();
        close(ln_gamma(0.5), half, 1e-14);
        close(ln_gamma(1.5), half - 2f64.ln(), 1e-13);
        assert!(ln_gamma(0.0).is_nan() && ln_gamma(-1.5).is_nan());
    }

    /// Q(n, x) = e^{−x} Σ_{k<n} xᵏ/k! for whole n, and Q(½, x) = erfc √x.
    #[test]
    fn incomplete_gamma_in_closed_form() {
        for n in 1..30u32 {
            for x in [0.1, 1.0, 3.0, 10.0, 20.0, 50.0] {
                let mut term = f64::exp(-x);
                let mut sum = term;
                for k in 1..n {
                    term *= x / f64::from(k);
                    sum += term;
                }
                let a = f64::from(n);
                close(gamma_q(a, x), sum, 1e-13);
                assert!((gamma_p(a, x) + gamma_q(a, x) - 1.0).abs() < 1e-15);
            }
        }
        for x in [0.01, 0.5, 1.0, 2.0, 9.0, 100.0] {
            close(gamma_q(0.5, x), crate::stats::erfc(f64::sqrt(x)), 1e-12);
        }
        assert_eq!([gamma_p(2.0, 0.0), gamma_q(2.0, f64::INFINITY)], [0.0, 0.0]);
        assert!(gamma_q(-1.0, 1.0).is_nan() && gamma_q(1.0, -1.0).is_nan());
    }

    /// Both formulas at their joint, also for a large shape; and the central limit.
    #[test]
    fn no_step_at_the_joint() {
        for a in [0.3, 5.0, 200.0, 1e5] {
            let (below, above) = (gamma_q(a, (a + 1.0) * (1.0 - 1e-15)), gamma_q(a, a + 1.0));
            close(below, above, 1e-11);
        }
        assert!((gamma_q(1e6, 1e6) - 0.5).abs() < 1e-3);
    }
}
