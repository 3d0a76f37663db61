//! Statistics for judging samples: the normal distribution, the Kolmogorov–Smirnov test, moments,
//! the energy distance.

use std::f64::consts::{FRAC_1_SQRT_2, PI};

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

/// The Kolmogorov–Smirnov statistic D = sup |Fₙ − F| of a sample in ascending order against the
/// continuous distribution function `cdf`. An empty sample gives 0.
pub fn ks_statistic(sorted: &[f64], cdf: impl Fn(f64) -> f64) -> f64 {
    debug_assert!(sorted.is_sorted(), "the sample must be in ascending order");
    let n = sorted.len() as f64;
    sorted
        .iter()
        .enumerate()
        .map(|(i, &x)| {
            let f = cdf(x);
            (f - i as f64 / n).max((i + 1) as f64 / n - f)
        })
        .fold(0.0, f64::max)
}

/// The value that D of `n` numbers exceeds with probability `alpha` when the distribution is right:
/// the asymptotic K_α with Stephens' correction, K_α / (√n + 0.12 + 0.11/√n), good from n ≈ 5 on.
pub fn ks_critical(alpha: f64, n: usize) -> f64 {
    // Q(k) = P(K > k) decreases from 1 to 0: bisection.
    let (mut low, mut high) = (0.0, 10.0);
    for _ in 0..80 {
        let mid = 0.5 * (low + high);
        if kolmogorov_tail(mid) > alpha {
            low = mid;
        } else {
            high = mid;
        }
    }
    let root = (n as f64).sqrt();
    0.5 * (low + high) / (root + 0.12 + 0.11 / root)
}

/// P(K > k) of Kolmogorov's limit distribution: 2 Σ (−1)^{j−1} e^{−2j²k²}.
pub fn kolmogorov_tail(k: f64) -> f64 {
    if k < 0.2 {
        return 1.0; // 1 − P is below 10⁻¹²
    }
    let sum: f64 = (1..=40)
        .map(|j| {
            let j = f64::from(j);
            let sign = if j % 2.0 == 1.0 { 1.0 } else { -1.0 };
            sign * (-2.0 * j * j * k * k).exp()
        })
        .sum();
    (2.0 * sum).clamp(0.0, 1.0)
}

/// Mean, and the standardised central moments of a sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moments {
    /// The mean x̄.
    pub mean: f64,
    /// The variance Σ(x − x̄)²/n (division by n).
    pub variance: f64,
    /// The skewness m₃/m₂^{3/2}; 0 for a normal distribution.
    pub skewness: f64,
    /// The kurtosis m₄/m₂²; 3 for a normal distribution.
    pub kurtosis: f64,
}

/// The moments of a sample, or none of an empty one. In two passes, so that a large mean does no
/// harm to the variance. Skewness and kurtosis of a constant sample are NaN.
pub fn moments(sample: &[f64]) -> Option<Moments> {
    if sample.is_empty() {
        return None;
    }
    let n = sample.len() as f64;
    let mean = sample.iter().sum::<f64>() / n;
    let [m2, m3, m4] = sample
        .iter()
        .fold([0.0; 3], |[m2, m3, m4], x| {
            let d = x - mean;
            [m2 + d * d, m3 + d * d * d, m4 + d * d * d * d]
        })
        .map(|sum| sum / n);
    Some(Moments {
        mean,
        variance: m2,
        skewness: m3 / (m2 * m2.sqrt()),
        kurtosis: m4 / (m2 * m2),
    })
}

/// The energy distance 2E|X − Y| − E|X − X′| − E|Y − Y′| ≥ 0 of two point sets with `dim` numbers
/// per point, over all pairs (Székely & Rizzo, 2013); 0 if and only if the sets are equal.
///
/// # Panics
/// When `dim` is 0, or a set is empty or no whole number of points.
pub fn energy_distance(a: &[f64], b: &[f64], dim: usize) -> f64 {
    for set in [a, b] {
        assert!(
            dim > 0 && !set.is_empty() && set.len().is_multiple_of(dim),
            "the energy distance needs non-empty sets of points of dimension {dim}, got {} numbers",
            set.len()
        );
    }
    let mean = |a: &[f64], b: &[f64]| {
        let sum: f64 = a
            .chunks_exact(dim)
            .flat_map(|x| {
                b.chunks_exact(dim)
                    .map(move |y| distance_squared(x, y).sqrt())
            })
            .sum();
        sum / ((a.len() / dim) as f64 * (b.len() / dim) as f64)
    };
    2.0 * mean(a, b) - mean(a, a) - mean(b, b)
}

/// |x − y|².
pub(crate) fn distance_squared(x: &[f64], y: &[f64]) -> f64 {
    x.iter().zip(y).map(|(x, y)| (x - y) * (x - y)).sum()
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

    /// K_α of the published tables: 1.3581 at 5 %, 1.6276 at 1 %; Stephens' D for n = 100.
    #[test]
    fn kolmogorov_table() {
        let limit = |alpha| ks_critical(alpha, 1 << 52) * 2f64.powi(26);
        assert!((limit(0.05) - 1.3581).abs() < 1e-4);
        assert!((limit(0.01) - 1.6276).abs() < 1e-4);
        assert!((ks_critical(0.05, 100) - 0.1340).abs() < 1e-3);
    }

    #[test]
    fn ks_of_a_perfect_and_of_a_shifted_grid() {
        let grid: Vec<f64> = (0..1000).map(|i| (f64::from(i) + 0.5) / 1000.0).collect();
        close(ks_statistic(&grid, |x| x), 0.0005, 1e-9);
        close(ks_statistic(&grid, |x| (x - 0.1).max(0.0)), 0.1005, 1e-9);
    }

    #[test]
    fn moments_of_a_two_point_sample() {
        let m = moments(&[1e6, 1e6 + 2.0]).unwrap();
        assert_eq!([m.mean, m.variance], [1e6 + 1.0, 1.0]);
        assert_eq!([m.skewness, m.kurtosis], [0.0, 1.0]);
        assert_eq!(moments(&[]), None);
    }

    #[test]
    fn energy_distance_of_points() {
        assert_eq!(energy_distance(&[0.0, 0.0], &[3.0, 4.0], 2), 10.0);
        let a = [0.3, 1.0, -2.0, 0.5];
        assert!(energy_distance(&a, &a, 2).abs() < 1e-15);
    }
}
