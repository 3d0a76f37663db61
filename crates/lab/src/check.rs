//! Measurements held against closed forms.

use std::fmt;

use fokker_math::law::Ou;
use fokker_math::stats::{
    chi_square_gof, ks_critical, ks_p_value, ks_statistic, moments, normal_cdf, normal_quantile,
};

/// The significance of every random check: the page has fewer than a hundred of them, so a right
/// program fails one of them for less than one seed in a thousand.
pub const ALPHA: f64 = 1e-5;

/// The power for which findable deviations are stated.
pub const POWER: f64 = 0.99;

/// A measurement beside its closed form.
#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    /// What was measured.
    pub name: String,
    /// The measurement, as printed.
    pub measured: String,
    /// The closed form, as printed.
    pub exact: String,
    /// How far apart they may be, and what that would find.
    pub tolerance: String,
    /// Whether they agree.
    pub passed: bool,
    /// The numbers behind the words.
    pub verdict: Verdict,
}

/// How a check was decided, in numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Verdict {
    /// A random number with a known standard error: passed within Φ⁻¹(1 − [`ALPHA`]/2) of those.
    Estimate {
        /// The estimate.
        measured: f64,
        /// Its exact expectation.
        exact: f64,
        /// Its standard error.
        standard_error: f64,
    },
    /// A statistical test: passed when its p-value is [`ALPHA`] or more.
    Test {
        /// The probability of a statistic at least as large, if the law is right.
        p_value: f64,
    },
    /// A number that is not random.
    Number {
        /// The number.
        measured: f64,
        /// What it should be.
        exact: f64,
        /// The largest difference that passes.
        tolerance: f64,
    },
}

impl Verdict {
    fn passed(self) -> bool {
        match self {
            Verdict::Estimate {
                measured,
                exact,
                standard_error,
            } => (measured - exact).abs() <= -normal_quantile(ALPHA / 2.0) * standard_error,
            Verdict::Test { p_value } => p_value >= ALPHA,
            Verdict::Number {
                measured,
                exact,
                tolerance,
            } => (measured - exact).abs() <= tolerance,
        }
    }
}

impl fmt::Display for Check {
    /// One line: the verdict, the name, and the numbers.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.passed { "ok  " } else { "FAIL" };
        write!(f, "{sign} {}: {}", self.name, self.measured)?;
        if self.exact != "–" {
            write!(f, ", exact {}", self.exact)?;
        }
        write!(f, ", within {}", self.tolerance)
    }
}

impl Check {
    fn new(name: impl Into<String>, verdict: Verdict, words: [String; 3]) -> Check {
        let [measured, exact, tolerance] = words;
        Check {
            name: name.into(),
            measured,
            exact,
            tolerance,
            passed: verdict.passed(),
            verdict,
        }
    }

    /// A random number with its exact expectation and standard error.
    pub fn estimate(name: impl Into<String>, measured: f64, exact: f64, se: f64) -> Check {
        let verdict = Verdict::Estimate {
            measured,
            exact,
            standard_error: se,
        };
        let limit = -normal_quantile(ALPHA / 2.0);
        let places = (1.3 - se.log10()).ceil().clamp(0.0, 12.0) as usize;
        let off = ((measured - exact) / se).abs();
        let words = [
            fixed(measured, places),
            fixed(exact, places),
            format!(
                "±\u{a0}{}; {off:.1} of {limit:.1}\u{a0}s.e.",
                fixed(limit * se, places)
            ),
        ];
        Check::new(name, verdict, words)
    }

    /// A statistical test by its p-value, with what it would find with probability [`POWER`].
    pub fn test(
        name: impl Into<String>,
        measured: String,
        p_value: f64,
        finds: impl fmt::Display,
    ) -> Check {
        let words = [
            measured,
            "–".into(),
            format!("p\u{a0}≥\u{a0}{}; finds {finds}", scientific(ALPHA, 0)),
        ];
        Check::new(name, Verdict::Test { p_value }, words)
    }

    /// A number that is not random, with `places` decimals.
    pub fn number(
        name: impl Into<String>,
        measured: f64,
        exact: f64,
        tolerance: f64,
        places: usize,
    ) -> Check {
        let verdict = Verdict::Number {
            measured,
            exact,
            tolerance,
        };
        let off = (measured - exact).abs();
        let words = [
            fixed(measured, places),
            fixed(exact, places),
            format!("±\u{a0}{}; off by\u{a0}{}", short(tolerance), short(off)),
        ];
        Check::new(name, verdict, words)
    }

    /// The largest of many errors, which should be 0.
    pub fn error(name: impl Into<String>, measured: f64, tolerance: f64) -> Check {
        let verdict = Verdict::Number {
            measured,
            exact: 0.0,
            tolerance,
        };
        let words = [
            short(measured),
            "0".into(),
            format!("±\u{a0}{}", short(tolerance)),
        ];
        Check::new(name, verdict, words)
    }
}

/// The test of Kolmogorov and Smirnov of a sample, in any order.
pub fn ks(name: impl Into<String>, xs: &[f64], cdf: impl Fn(f64) -> f64) -> Check {
    let mut sorted = xs.to_vec();
    sorted.sort_by(f64::total_cmp);
    let d = ks_statistic(&sorted, cdf);
    ks_check(name, d, xs.len() as f64)
}

/// The same of two samples: sup |F₁ − F₂|, with n₁n₂/(n₁ + n₂) numbers (Smirnov, 1939).
pub fn ks_two(name: impl Into<String>, a: &[f64], b: &[f64]) -> Check {
    let [mut a, mut b] = [a.to_vec(), b.to_vec()];
    a.sort_by(f64::total_cmp);
    b.sort_by(f64::total_cmp);
    let (mut i, mut j, mut d) = (0, 0, 0.0f64);
    while i < a.len() && j < b.len() {
        let x = a[i].min(b[j]);
        i += a[i..].iter().take_while(|v| **v == x).count();
        j += b[j..].iter().take_while(|v| **v == x).count();
        d = d.max((i as f64 / a.len() as f64 - j as f64 / b.len() as f64).abs());
    }
    let (n, m) = (a.len() as f64, b.len() as f64);
    ks_check(name, d, n * m / (n + m))
}

fn ks_check(name: impl Into<String>, d: f64, n: f64) -> Check {
    let count = n.round() as usize;
    let p = ks_p_value(d, count);
    // Hoeffding: beyond D_α + √(ln(1/(1 − power))/2n) the test rejects with that power.
    let distance = ks_critical(ALPHA, count) + (-(1.0 - POWER).ln() / (2.0 * n)).sqrt();
    let finds = format!("ΔF\u{a0}≥\u{a0}{distance:.3}");
    Check::test(name, format!("ΔF = {d:.4}, {}", p_text(p)), p, finds)
}

/// Pearson's test of counts against probabilities.
pub fn chi_square(
    name: impl Into<String>,
    observed: &[u64],
    expected: &[f64],
    finds: impl fmt::Display,
) -> Check {
    let fit = chi_square_gof(observed, expected);
    let measured = format!("χ² = {:.1}, {}", fit.statistic, p_text(fit.p_value));
    Check::test(name, measured, fit.p_value, finds)
}

/// Mean and variance of a normal sample: standard errors √(v/n) and v√(2/(n − 1)).
pub fn normal_moments(what: &str, xs: &[f64], (mean, variance): (f64, f64)) -> [Check; 2] {
    let n = xs.len() as f64;
    let (m, v) = mean_variance(xs);
    [
        Check::estimate(format!("mean of {what}"), m, mean, (variance / n).sqrt()),
        variance_check(format!("variance of {what}"), v, variance, n),
    ]
}

/// A normal sample's variance.
pub fn variance_check(name: impl Into<String>, measured: f64, exact: f64, n: f64) -> Check {
    Check::estimate(name, measured, exact, exact * (2.0 / (n - 1.0)).sqrt())
}

/// Mean and unbiased variance.
pub fn mean_variance(xs: &[f64]) -> (f64, f64) {
    let n = xs.len() as f64;
    moments(xs).map_or((0.0, 0.0), |m| (m.mean, m.variance * n / (n - 1.0)))
}

/// The unbiased covariance of two samples of equal length.
pub fn covariance(xs: &[f64], ys: &[f64]) -> f64 {
    let n = xs.len() as f64;
    let (mx, my) = (mean_variance(xs).0, mean_variance(ys).0);
    let products = xs.iter().zip(ys).map(|(x, y)| (x - mx) * (y - my));
    products.sum::<f64>() / (n - 1.0)
}

/// The standard error of the covariance of n normal pairs: √((c² + v₁v₂)/(n − 1)).
pub fn covariance_error(c: f64, v: [f64; 2], n: f64) -> f64 {
    ((c * c + v[0] * v[1]) / (n - 1.0)).sqrt()
}

/// Φ((x − mean)/std).
pub fn normal(mean: f64, variance: f64) -> impl Fn(f64) -> f64 + Copy {
    let std = variance.sqrt();
    move |x| normal_cdf((x - mean) / std)
}

/// The density of N(mean, variance).
pub fn normal_density(mean: f64, variance: f64) -> impl Fn(f64) -> f64 + Copy {
    let scale = (std::f64::consts::TAU * variance).sqrt();
    move |x| (-(x - mean) * (x - mean) / (2.0 * variance)).exp() / scale
}

/// Cov(X_{mh}, X_{nh}) of the Euler–Maruyama chain of an Ornstein–Uhlenbeck process, m ≤ n.
pub fn chain_covariance(ou: &Ou, h: f64, m: u32, n: u32) -> f64 {
    (1.0 - ou.theta * h).powi((n - m) as i32) * ou.em_variance(h, m)
}

/// A p-value in a few letters.
pub fn p_text(p: f64) -> String {
    if p >= 0.001 {
        format!("p = {p:.3}")
    } else if p == 0.0 {
        // Smaller than a double can say.
        "p < 10⁻³⁰⁰".into()
    } else {
        format!("p = {}", scientific(p, 1))
    }
}

/// Decimals with a proper minus sign, and no minus before zeros.
pub fn fixed(x: f64, places: usize) -> String {
    let text = format!("{:.places$}", x.abs());
    let zero = text.chars().all(|c| matches!(c, '0' | '.'));
    if x < 0.0 && !zero {
        format!("−{text}")
    } else {
        text
    }
}

/// A few digits, as a power of ten where that is shorter.
pub fn short(x: f64) -> String {
    if x == 0.0 {
        "0".into()
    } else if (0.01..1000.0).contains(&x.abs()) {
        let places = (1.0 - x.abs().log10().floor()).max(0.0) as usize;
        fixed(x, places)
    } else {
        scientific(x, 1)
    }
}

/// 1.2·10⁻⁵; 10⁻⁵ without digits where the mantissa is 1.
fn scientific(x: f64, places: usize) -> String {
    let text = format!("{x:.places$e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let raised: String = exponent
        .chars()
        .map(|c| match c {
            '-' => '⁻',
            '1' => '¹',
            '2' => '²',
            '3' => '³',
            c => c
                .to_digit(10)
                .and_then(|d| char::from_u32(0x2070 + d))
                .unwrap_or(c),
        })
        .collect();
    match mantissa {
        "1" => format!("10{raised}"),
        _ => format!("{}·10{raised}", mantissa.replace('-', "−")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(scientific(1e-5, 0), "10⁻⁵");
        assert_eq!(scientific(3.14e-12, 1), "3.1·10⁻¹²");
        assert_eq!(fixed(-0.00001, 3), "0.000");
        assert_eq!(fixed(-1.25, 1), "−1.2");
        assert_eq!(short(0.0234), "0.023");
    }

    #[test]
    fn two_samples_are_compared_with_ties() {
        // F₁ jumps at 1, 2, 3, 4; F₂ at 3, 4, 5, 6: the largest difference is ½, at 2.
        let check = ks_two("", &[4.0, 1.0, 3.0, 2.0], &[3.0, 5.0, 4.0, 6.0]);
        assert!(check.measured.starts_with("ΔF = 0.5000"), "{check}");
        let same = ks_two("", &[1.0, 1.0, 2.0], &[1.0, 1.0, 2.0]);
        assert!(same.measured.starts_with("ΔF = 0.0000"), "{same}");
    }

    #[test]
    fn a_check_fails_just_beyond_its_tolerance() {
        let limit = -normal_quantile(ALPHA / 2.0);
        assert!(Check::estimate("", 1.0 + 0.999 * limit * 0.1, 1.0, 0.1).passed);
        assert!(!Check::estimate("", 1.0 - 1.001 * limit * 0.1, 1.0, 0.1).passed);
        assert!(!Check::estimate("", f64::NAN, 1.0, 0.1).passed);
        assert!(!Check::error("", f64::NAN, 0.1).passed);
        assert!(!Check::test("", String::new(), f64::NAN, "").passed);
    }
}
