//! Pearson's goodness-of-fit test and its power.

use super::gamma::{gamma_q, ln_gamma};

/// The outcome of a test of goodness of fit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GoodnessOfFit {
    /// The statistic χ² = Σ (O − E)²/E.
    pub statistic: f64,
    /// The degrees of freedom: one less than the cells.
    pub dof: usize,
    /// The probability of a statistic as large, when the expected frequencies are right.
    pub p_value: f64,
}

/// Pearson's test of counts against expected frequencies, which are scaled to the same sum, so that
/// probabilities do as well. The p-value is asymptotic: expect 5 or more in every cell.
///
/// # Panics
/// When the slices differ in length, have fewer than two cells, an expected frequency is not
/// positive and finite, or nothing was observed.
pub fn chi_square_gof(observed: &[u64], expected: &[f64]) -> GoodnessOfFit {
    assert!(
        observed.len() == expected.len() && observed.len() > 1,
        "a test of fit needs as many expected as observed cells, two or more, got {} and {}",
        expected.len(),
        observed.len()
    );
    assert!(
        expected.iter().all(|e| *e > 0.0 && e.is_finite()),
        "expected frequencies must be positive and finite, got {expected:?}"
    );
    let n: u64 = observed.iter().sum();
    assert!(
        n > 0,
        "a test of fit needs observations, got none in {} cells",
        observed.len()
    );
    let scale = n as f64 / expected.iter().sum::<f64>();
    let statistic = observed
        .iter()
        .zip(expected)
        .map(|(&o, e)| (o as f64 - e * scale).powi(2) / (e * scale))
        .sum();
    let dof = observed.len() - 1;
    GoodnessOfFit {
        statistic,
        dof,
        p_value: chi_square_p_value(statistic, dof),
    }
}

/// P(χ² ≥ statistic) for the χ² distribution of `dof` degrees of freedom: Q(dof/2, statistic/2).
pub fn chi_square_p_value(statistic: f64, dof: usize) -> f64 {
    gamma_q(0.5 * dof as f64, 0.5 * statistic)
}

/// The value that χ² of `dof` ≥ 1 degrees of freedom exceeds with probability `alpha` in (0, 1).
pub fn chi_square_critical(dof: usize, alpha: f64) -> f64 {
    let (mut low, mut high) = (0.0, dof as f64 + 1.0);
    while chi_square_p_value(high, dof) > alpha && high < f64::MAX {
        high *= 2.0;
    }
    // Until the bounds are neighbours.
    loop {
        let mid = 0.5 * (low + high);
        if mid <= low || mid >= high {
            return mid;
        }
        if chi_square_p_value(mid, dof) > alpha {
            low = mid;
        } else {
            high = mid;
        }
    }
}

/// The power of Pearson's test at level `alpha` against an alternative of the given noncentrality
/// λ ≥ 0: P(χ′²(dof, λ) > χ²_α), with the noncentral χ² as a mixture of central ones, Poisson(λ/2)
/// many pairs of extra degrees of freedom.
pub fn chi_square_power(dof: usize, noncentrality: f64, alpha: f64) -> f64 {
    let (x, rate) = (0.5 * chi_square_critical(dof, alpha), 0.5 * noncentrality);
    // Beyond these the Poisson weights sum to less than 10⁻¹⁶.
    let reach = 10.0 * rate.sqrt() + 40.0;
    let (first, last) = ((rate - reach).max(0.0) as u64, (rate + reach) as u64);
    let power: f64 = (first..=last)
        .map(|j| j as f64)
        .map(|j| {
            // 0 · ln 0 is 0 here: without noncentrality only j = 0 counts.
            let log = if j == 0.0 { 0.0 } else { j * rate.ln() };
            (log - rate - ln_gamma(j + 1.0)).exp() * gamma_q(0.5 * dof as f64 + j, x)
        })
        .sum();
    power.min(1.0)
}

/// The noncentrality λ = n Σ (q − p)²/p of `n` observations with the cells' probabilities `q`, when
/// the test expects `p`.
///
/// # Panics
/// When the slices differ in length.
pub fn chi_square_noncentrality(n: u64, p: &[f64], q: &[f64]) -> f64 {
    assert_eq!(p.len(), q.len(), "both distributions need the same cells");
    let terms = p.iter().zip(q).map(|(p, q)| (q - p) * (q - p) / p);
    n as f64 * terms.sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::normal_cdf;

    /// The usual table of critical values (Abramowitz & Stegun 26.8).
    #[test]
    fn critical_values() {
        for (dof, alpha, value) in [
            (1, 0.05, 3.841_46),
            (5, 0.01, 15.086_3),
            (10, 0.05, 18.307_0),
            (10, 0.95, 3.940_30),
            (30, 0.001, 59.703),
            (100, 0.05, 124.342),
        ] {
            let critical = chi_square_critical(dof, alpha);
            assert!(
                (critical / value - 1.0).abs() < 5e-6,
                "{dof} {alpha}: {critical}"
            );
            assert!((chi_square_p_value(critical, dof) / alpha - 1.0).abs() < 1e-12);
        }
    }

    /// Mendel's peas: 315, 108, 101, 32 against 9 : 3 : 3 : 1 give χ² = 0.470, p = 0.925.
    #[test]
    fn mendels_peas() {
        let fit = chi_square_gof(&[315, 108, 101, 32], &[9.0, 3.0, 3.0, 1.0]);
        assert_eq!(fit.dof, 3);
        assert!((fit.statistic - 0.470).abs() < 5e-4, "{fit:?}");
        assert!((fit.p_value - 0.925).abs() < 5e-4, "{fit:?}");
    }

    /// The noncentralities that give powers 0.8 and 0.9 at the 5 % level, as tables of the
    /// noncentral χ² have them (Haynam, Govindarajulu & Leone, 1970).
    #[test]
    fn power_table() {
        for (dof, eighty, ninety) in [
            (1, 7.849, 10.507),
            (2, 9.635, 12.654),
            (3, 10.903, 14.172),
            (5, 12.828, 16.470),
            (10, 16.241, 20.532),
        ] {
            for (lambda, power) in [(eighty, 0.8), (ninety, 0.9)] {
                let found = chi_square_power(dof, lambda, 0.05);
                assert!((found - power).abs() < 1e-4, "{dof}: {found}");
            }
        }
    }

    /// One degree of freedom: (Z + √λ)² > c; without noncentrality the power is the level.
    #[test]
    fn power_in_closed_form() {
        for lambda in [0.5f64, 4.0, 50.0, 3000.0] {
            let (root, c) = (lambda.sqrt(), chi_square_critical(1, 1e-3).sqrt());
            let exact = normal_cdf(root - c) + normal_cdf(-root - c);
            assert!((chi_square_power(1, lambda, 1e-3) - exact).abs() < 1e-12);
        }
        assert!((chi_square_power(7, 0.0, 0.03) - 0.03).abs() < 1e-14);
        let lambda = chi_square_noncentrality(1000, &[0.5, 0.5], &[0.55, 0.45]);
        assert!((lambda - 10.0).abs() < 1e-12);
    }

    #[test]
    #[should_panic(expected = "positive and finite")]
    fn an_empty_expectation_is_refused() {
        chi_square_gof(&[1, 2], &[0.0, 3.0]);
    }
}
