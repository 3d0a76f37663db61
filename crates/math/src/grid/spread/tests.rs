use proptest::prelude::*;

use super::*;
use crate::grid::uniform;

/// A constant density, and one of two levels whose equal shares are known.
#[test]
fn equal_shares_in_closed_form() {
    let fine = [0.0, 0.1, 0.15, 0.6, 1.0];
    for n in 1..50 {
        for (a, b) in equidistribute(&fine, &[7.0; 4], n).iter().zip(uniform(n)) {
            assert!((a - b).abs() < 1e-14);
        }
        assert_eq!(
            equidistribute(&fine, &[0.0; 4], n),
            equidistribute(&fine, &[1.0; 4], n)
        );
    }
    // ∫ = 0.6·1 + 0.4·6 = 3: shares of 0.3.
    let times = equidistribute(&[0.0, 0.6, 1.0], &[1.0, 6.0], 10);
    let exact = [0.0, 0.3, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1.0];
    assert!(
        times.iter().zip(exact).all(|(a, b)| (a - b).abs() < 1e-15),
        "{times:?}"
    );
    // All of the error in [0.25, 0.5].
    let times = equidistribute(&[0.0, 0.25, 0.5, 1.0], &[0.0, 3.0, 0.0], 5);
    let exact = [0.0, 0.3, 0.35, 0.4, 0.45, 1.0];
    assert!(
        times.iter().zip(exact).all(|(a, b)| (a - b).abs() < 1e-15),
        "{times:?}"
    );
    for most in [f64::INFINITY, f64::MAX] {
        let infinite = equidistribute(&[0.0, 0.25, 0.5, 1.0], &[1.0, most, f64::NAN], 5);
        assert_eq!(infinite, times);
    }
}

#[test]
fn times_stay_apart_where_all_error_is_in_one_place() {
    let spike = [0.0, 0.5, 0.5f64.next_up(), 1.0];
    for n in [2, 10, 1000] {
        let times = equidistribute(&spike, &[0.0, 1.0, 0.0], n);
        assert_eq!((times.len(), times[0], times[n]), (n + 1, 0.0, 1.0));
        assert!(times.windows(2).all(|w| w[0] < w[1]));
    }
    for level in [1e-300, 1e300] {
        let times = equidistribute(&[0.0, 1e-18, 1.0], &[1e300, level], 100);
        assert!(times.windows(2).all(|w| w[0] < w[1]));
    }
}

/// ∫ of the density over each step, by the overlaps with the fine intervals.
fn shares(fine: &[f64], density: &[f64], times: &[f64]) -> Vec<f64> {
    let share = |from: f64, to: f64| -> f64 {
        let overlap = |w: &[f64]| (w[1].min(to) - w[0].max(from)).max(0.0);
        fine.windows(2)
            .zip(density)
            .map(|(w, d)| d * overlap(w))
            .sum()
    };
    times.windows(2).map(|w| share(w[0], w[1])).collect()
}

proptest! {
    #[test]
    fn shares_are_equal(
        widths in prop::collection::vec((0.01..1.0, 0.0..10.0, any::<bool>()), 1..20),
        steps in 1usize..60,
    ) {
        let mut fine = vec![0.0];
        for (width, ..) in &widths {
            fine.push(fine[fine.len() - 1] + width);
        }
        let density: Vec<f64> =
            widths.iter().map(|&(_, d, none)| if none { 0.0 } else { d }).collect();
        let times = equidistribute(&fine, &density, steps);
        prop_assert_eq!((times.len(), times[0]), (steps + 1, 0.0));
        prop_assert_eq!(times[steps], fine[widths.len()]);
        prop_assert!(times.windows(2).all(|w| w[0] < w[1]));
        let shares = shares(&fine, &density, &times);
        let mean = shares.iter().sum::<f64>() / steps as f64;
        for share in shares {
            prop_assert!((share - mean).abs() < 1e-10);
        }
    }
}
