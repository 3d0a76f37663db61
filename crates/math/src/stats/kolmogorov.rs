//! The Kolmogorov–Smirnov test.

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

/// The probability that D of `n` numbers is at least `statistic` when the distribution is right,
/// with Stephens' correction as in [`ks_critical`].
pub fn ks_p_value(statistic: f64, n: usize) -> f64 {
    let root = (n as f64).sqrt();
    kolmogorov_tail(statistic * (root + 0.12 + 0.11 / root))
}

/// A lower bound of the power: the probability that the test at level `alpha` rejects `n` numbers
/// whose distribution function differs somewhere by `distance` from the tested one. At that place
/// alone D exceeds D_α with probability 1 − e^{−2n(distance − D_α)²} or more, if distance > D_α
/// (Hoeffding's inequality, 1963); 0 otherwise.
pub fn ks_power(n: usize, distance: f64, alpha: f64) -> f64 {
    let beyond = (distance - ks_critical(alpha, n)).max(0.0);
    -(-2.0 * n as f64 * beyond * beyond).exp_m1()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: f64, b: f64, relative: f64) {
        assert!((a - b).abs() <= relative * b.abs(), "{a:e} is not {b:e}");
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
    fn p_value_and_critical_value_are_inverse() {
        for n in [5, 100, 100_000] {
            for alpha in [0.3, 0.05, 1e-3, 1e-9] {
                close(ks_p_value(ks_critical(alpha, n), n), alpha, 1e-9);
            }
        }
        assert_eq!(ks_p_value(0.0, 100), 1.0);
    }

    #[test]
    fn power_grows_with_the_sample() {
        assert_eq!(ks_power(100, 0.05, 0.01), 0.0);
        assert!(ks_power(100_000, 0.01, 0.01) > 0.99);
    }
}
