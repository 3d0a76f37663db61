//! The beta distribution.

use super::ln_gamma;

/// ln B(a, b) = ln Γ(a) + ln Γ(b) − ln Γ(a + b) for a, b > 0, NaN otherwise.
pub fn ln_beta(a: f64, b: f64) -> f64 {
    ln_gamma(a) + ln_gamma(b) - ln_gamma(a + b)
}

/// I_x(a, b), the regularised incomplete beta function: the distribution function of Beta(a, b) at
/// x in \[0, 1\] (0 below, 1 above). NaN unless a, b > 0.
///
/// By the continued fraction DLMF 8.17.22, which converges fast below the mean; above it by
/// I_x(a, b) = 1 − I_{1−x}(b, a).
pub fn beta_cdf(a: f64, b: f64, x: f64) -> f64 {
    cdf(a, b, ln_beta(a, b), x)
}

/// The x in \[0, 1\] with I_x(a, b) = p: the quantile of Beta(a, b). NaN unless a, b > 0 and p is in
/// \[0, 1\]. In closed form where a or b is 1, otherwise by Newton's method within a bracket.
pub fn beta_quantile(a: f64, b: f64, p: f64) -> f64 {
    if !(a > 0.0 && b > 0.0 && (0.0..=1.0).contains(&p)) {
        return f64::NAN;
    }
    if p == 0.0 || p == 1.0 {
        return p;
    }
    if b == 1.0 {
        return p.powf(1.0 / a);
    }
    if a == 1.0 {
        return -((-p).ln_1p() / b).exp_m1(); // 1 − (1 − p)^{1/b}
    }
    let ln_beta = ln_beta(a, b);
    let (mut low, mut high) = (0.0, 1.0);
    let (mut x, mut before) = (a / (a + b), f64::INFINITY);
    // Newton's step while it stays in the bracket and halves the error, else half the bracket in
    // the order of the floating-point numbers: 62 halvings exhaust either.
    for _ in 0..200 {
        let off = cdf(a, b, ln_beta, x) - p;
        if off == 0.0 {
            break;
        }
        if off < 0.0 {
            low = x;
        } else {
            high = x;
        }
        let density = ((a - 1.0) * x.ln() + (b - 1.0) * (-x).ln_1p() - ln_beta).exp();
        let newton = x - off / density;
        if (newton - x).abs() <= f64::EPSILON * x {
            break;
        }
        let next = if newton > low && newton < high && off.abs() < 0.5 * before {
            newton
        } else {
            f64::from_bits(low.to_bits().midpoint(high.to_bits()))
        };
        if next == low {
            break;
        }
        (x, before) = (next, off.abs());
    }
    x
}

fn cdf(a: f64, b: f64, ln_beta: f64, x: f64) -> f64 {
    if !(a > 0.0 && b > 0.0) || x.is_nan() {
        return f64::NAN;
    }
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    if x > (a + 1.0) / (a + b + 2.0) {
        1.0 - below_the_mean(b, a, ln_beta, 1.0 - x)
    } else {
        below_the_mean(a, b, ln_beta, x)
    }
}

/// xᵃ(1 − x)ᵇ/(a B(a, b)) · 1/(1 + d₁/(1 + d₂/(1 + …))) by Lentz's method.
fn below_the_mean(a: f64, b: f64, ln_beta: f64, x: f64) -> f64 {
    let scale = (a * x.ln() + b * (-x).ln_1p() - ln_beta).exp() / a;
    let nonzero = |v: f64| if v == 0.0 { f64::MIN_POSITIVE } else { v };
    let term = |n: i32| {
        let m = f64::from(n / 2);
        if n % 2 == 1 {
            -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0))
        } else {
            m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m))
        }
    };
    let (mut c, mut d) = (1.0, 1.0 / nonzero(1.0 + term(1)));
    let mut fraction = d;
    for n in 2..100_000 {
        let term = term(n);
        d = 1.0 / nonzero(1.0 + term * d);
        c = nonzero(1.0 + term / c);
        let factor = c * d;
        fraction *= factor;
        if (factor - 1.0).abs() < 1e-16 {
            break;
        }
    }
    (scale * fraction).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::normal_cdf;

    fn close(a: f64, b: f64, relative: f64) {
        assert!((a - b).abs() <= relative * b.abs(), "{a:e} is not {b:e}");
    }

    /// I_x(m, n−m+1) is the probability of at least m successes of n (DLMF 8.17.5).
    #[test]
    fn cdf_is_a_binomial_tail() {
        let n = 12u32;
        for x in [0.01, 0.2, 0.5, 0.83, 0.99] {
            let chance = |k: u32| {
                let choose: f64 = (0..k)
                    .map(|i| f64::from(n - i) / f64::from(i + 1))
                    .product();
                choose * f64::powi(x, k as i32) * f64::powi(1.0 - x, (n - k) as i32)
            };
            for m in 1..=n {
                let tail: f64 = (m..=n).map(chance).sum();
                close(beta_cdf(f64::from(m), f64::from(n - m + 1), x), tail, 1e-12);
            }
        }
    }

    /// Powers where a or b is 1, the arc sine law for ½ and ½ (DLMF 8.17.6 f.), and the ends.
    #[test]
    fn cdf_in_closed_form() {
        for x in [1e-9, 0.1, 0.5, 0.9, 0.999] {
            for a in [0.3, 1.0, 1.5, 7.0] {
                close(beta_cdf(a, 1.0, x), x.powf(a), 1e-13);
                let upper = 1.0 - beta_cdf(1.0, a, x);
                assert!((upper - (1.0 - x).powf(a)).abs() < 1e-14);
            }
            let arc = std::f64::consts::FRAC_2_PI * x.sqrt().asin();
            close(beta_cdf(0.5, 0.5, x), arc, 1e-13);
        }
        assert_eq!(
            [beta_cdf(2.0, 3.0, 0.0), beta_cdf(2.0, 3.0, 1.0)],
            [0.0, 1.0]
        );
        assert!(beta_cdf(-1.0, 1.0, 0.5).is_nan());
        // A large shape is nearly normal.
        let (a, x) = (1e6f64, 0.5003);
        let z = (x - 0.5) * (4.0 * (2.0 * a + 1.0)).sqrt();
        assert!((beta_cdf(a, a, x) - normal_cdf(z)).abs() < 1e-6);
    }

    #[test]
    fn quantile_inverts_the_cdf() {
        for (a, b) in [
            (1.5, 1.0),
            (1.0, 2.5),
            (0.5, 0.5),
            (2.0, 3.0),
            (0.1, 4.0),
            (40.0, 7.0),
        ] {
            for p in [1e-12, 1e-4, 0.03, 0.25, 0.5, 0.75, 0.99] {
                let x = beta_quantile(a, b, p);
                close(beta_cdf(a, b, x), p, 1e-11);
            }
            assert_eq!(
                [beta_quantile(a, b, 0.0), beta_quantile(a, b, 1.0)],
                [0.0, 1.0]
            );
        }
        assert!((beta_quantile(2.0, 2.0, 0.5) - 0.5).abs() < 1e-15);
        assert!(beta_quantile(2.0, 2.0, 1.1).is_nan() && beta_quantile(0.0, 2.0, 0.5).is_nan());
    }
}
