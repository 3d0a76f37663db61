use proptest::prelude::*;

use super::*;
use crate::transport::{assign, squared_distances};

fn numbers(n: usize, offset: f64) -> Vec<f64> {
    (0..n)
        .map(|i| ((i as f64 + offset) * 78.233).sin() * 43_758.545)
        .map(|x| x - x.floor())
        .collect()
}

fn problem(n: usize, m: usize, dim: usize) -> Vec<f64> {
    let a: Vec<f64> = numbers(n * dim, 0.3).iter().map(|x| 3.0 * x).collect();
    squared_distances(&a, &numbers(m * dim, 900.1), dim)
}

fn far(found: &[f64], expected: &[f64]) -> f64 {
    assert_eq!(found.len(), expected.len());
    found
        .iter()
        .zip(expected)
        .map(|(x, y)| (x - y).abs())
        .fold(0.0, f64::max)
}

#[test]
fn marginals_are_the_weights() {
    for (n, m) in [(1, 1), (1, 4), (7, 3), (20, 33)] {
        let cost = problem(n, m, 2);
        let mut a = numbers(n, 5.0);
        let mut b = numbers(m, 7.0);
        if n > 1 && m > 1 {
            (a[1], b[0]) = (0.0, 0.0); // points that are there but weigh nothing
        }
        let (ta, tb) = (a.iter().sum::<f64>(), b.iter().sum::<f64>());
        b.iter_mut().for_each(|w| *w *= ta / tb);
        for epsilon in [0.02, 0.3, 10.0] {
            let solver = Sinkhorn {
                max_iterations: 100_000,
                ..Sinkhorn::new(epsilon)
            };
            let plan = solver.solve(&cost, n, m, Some(&a), Some(&b)).unwrap();
            assert!(
                far(&plan.row_sums(), &a) < 2e-9 * ta,
                "{n} {m} {epsilon} {plan:?}"
            );
            assert!(far(&plan.column_sums(), &b) < 1e-12 * ta);
            assert!(plan.marginal_error <= 1.01e-9 * ta);
            assert!(plan.values.iter().all(|&p| p >= 0.0));
            let cost: f64 = plan.values.iter().zip(&cost).map(|(p, c)| p * c).sum();
            assert_eq!(plan.cost(), cost);
        }
    }
}

/// The plan is the only one with these marginals of the form aᵢ bⱼ exp((fᵢ + gⱼ − Cᵢⱼ)/ε).
#[test]
fn the_potentials_make_the_plan() {
    let cost = problem(9, 9, 3);
    let plan = Sinkhorn::new(0.5).solve(&cost, 9, 9, None, None).unwrap();
    for (k, p) in plan.values.iter().enumerate() {
        let (f, g) = (plan.f[k / 9], plan.g[k % 9]);
        let exact = ((f + g - cost[k]) / 0.5).exp() / 81.0;
        assert!((p - exact).abs() < 1e-14);
    }
}

#[test]
fn small_epsilon_is_exact_transport() {
    let n = 30;
    let cost = problem(n, n, 2);
    let exact: f64 = assign(&cost, n)
        .iter()
        .enumerate()
        .map(|(i, j)| cost[i * n + j])
        .sum();
    let exact = exact / n as f64;
    let mut last = f64::INFINITY;
    for epsilon in [1.0, 0.1, 0.01, 0.001] {
        let solver = Sinkhorn {
            max_iterations: 100_000,
            tolerance: 1e-5,
            ..Sinkhorn::new(epsilon)
        };
        let found = solver.solve(&cost, n, n, None, None).unwrap().cost();
        // The cost falls with ε, and is at most ε ln n above the least one.
        assert!(
            found < last && found > exact - 1e-4,
            "{epsilon}: {found} {exact}"
        );
        assert!(found - exact < epsilon * (n as f64).ln() + 1e-4);
        last = found;
    }
    assert!(last - exact < 1e-3 * exact, "{last} {exact}");
}

#[test]
fn large_epsilon_is_the_independent_plan() {
    let (a, b) = ([0.2, 0.5, 0.3], [0.6, 0.4]);
    let plan = Sinkhorn::new(1e9)
        .solve(&problem(3, 2, 2), 3, 2, Some(&a), Some(&b))
        .unwrap();
    let product: Vec<f64> = a.iter().flat_map(|a| b.map(|b| a * b)).collect();
    assert!(far(&plan.values, &product) < 1e-8);
}

/// Two points each, cost 0 on the diagonal and c off it: P₁₁/P₁₂ = e^{c/ε} by symmetry.
#[test]
fn two_by_two_in_closed_form() {
    for (c, epsilon) in [(1.0, 0.5), (3.0, 0.1), (0.2, 4.0)] {
        let plan = Sinkhorn::new(epsilon)
            .solve(&[0.0, c, c, 0.0], 2, 2, None, None)
            .unwrap();
        let off = 0.5 / (1.0 + f64::exp(c / epsilon));
        assert!(far(&plan.values, &[0.5 - off, off, off, 0.5 - off]) < 1e-12);
    }
}

#[test]
fn scaling_is_only_faster() {
    let cost = problem(40, 25, 2);
    let scaled = Sinkhorn {
        max_iterations: 100_000,
        tolerance: 1e-12,
        ..Sinkhorn::new(0.02)
    };
    let plain = Sinkhorn {
        scaling: false,
        ..scaled
    };
    let [scaled, plain] = [scaled, plain].map(|s| s.solve(&cost, 40, 25, None, None).unwrap());
    assert!(far(&scaled.values, &plain.values) < 1e-11);
    assert!(scaled.iterations < plain.iterations, "{scaled:?} {plain:?}");
}

proptest! {
    #[test]
    fn symmetric(values in proptest::collection::vec(0.0..4.0f64, 12), epsilon in 0.2..2.0f64) {
        let turned: Vec<f64> = (0..12).map(|k| values[(k % 3) * 4 + k / 3]).collect();
        let solver = Sinkhorn { tolerance: 1e-13, max_iterations: 100_000, ..Sinkhorn::new(epsilon) };
        let plan = solver.solve(&values, 3, 4, None, None).unwrap();
        let other = solver.solve(&turned, 4, 3, None, None).unwrap();
        for k in 0..12 {
            prop_assert!((plan.values[(k % 3) * 4 + k / 3] - other.values[k]).abs() < 1e-11);
        }
    }

    /// Cost and ε in another unit, and costs of rows and columns that every plan pays alike.
    #[test]
    fn laws_of_the_cost(
        values in proptest::collection::vec(0.0..4.0f64, 12),
        unit in 0.01..100.0f64,
        shifts in proptest::collection::vec(-5.0..5.0f64, 7),
    ) {
        let solver = |epsilon| Sinkhorn {
            tolerance: 1e-13,
            max_iterations: 100_000,
            ..Sinkhorn::new(epsilon)
        };
        let plan = solver(0.5).solve(&values, 3, 4, None, None).unwrap();
        let scaled: Vec<f64> = values.iter().map(|c| c * unit).collect();
        let scaled = solver(0.5 * unit).solve(&scaled, 3, 4, None, None).unwrap();
        prop_assert!(far(&plan.values, &scaled.values) < 1e-11);
        let shifted: Vec<f64> =
            values.iter().enumerate().map(|(k, c)| c + shifts[k / 4] + shifts[3 + k % 4]).collect();
        let shifted = solver(0.5).solve(&shifted, 3, 4, None, None).unwrap();
        prop_assert!(far(&plan.values, &shifted.values) < 1e-11);
    }
}

#[test]
fn no_convergence_is_said_with_the_plan() {
    let cost = problem(30, 30, 2);
    let solver = Sinkhorn {
        max_iterations: 3,
        scaling: false,
        ..Sinkhorn::new(0.01)
    };
    let failure = solver.solve(&cost, 30, 30, None, None).unwrap_err();
    assert!(
        failure
            .to_string()
            .contains("no convergence after 3 iterations"),
        "{failure}"
    );
    let TransportError::NotConverged { error, plan, .. } = failure else {
        panic!()
    };
    assert_eq!(plan.iterations, 3);
    // The columns are exact, so that all that is missing is in the rows, as the error says.
    assert!(
        (plan.marginal_error - error).abs() < 1e-9 && error > 1e-3,
        "{error} {plan:?}"
    );
}

#[test]
fn bad_problems_are_refused() {
    let solve = |s: Sinkhorn, cost: &[f64], n, m, a: Option<&[f64]>, b: Option<&[f64]>| {
        s.solve(cost, n, m, a, b).unwrap_err().to_string()
    };
    let s = Sinkhorn::new(1.0);
    let four = [0.0, 1.0, 2.0, 3.0];
    for (found, part) in [
        (solve(s, &four, 2, 3, None, None), "holds 6 numbers, got 4"),
        (solve(s, &[], 0, 3, None, None), "got 0 and 3"),
        (
            solve(s, &[0.0, 1.0, f64::NAN, 0.0], 2, 2, None, None),
            "row 1, column 0",
        ),
        (
            solve(s, &four, 2, 2, Some(&[1.0]), None),
            "the rows needs one weight for each of its 2",
        ),
        (
            solve(s, &four, 2, 2, None, Some(&[0.5, -0.5])),
            "weight 1 is -0.5",
        ),
        (solve(s, &four, 2, 2, Some(&[0.0, 0.0]), None), "not all 0"),
        (
            solve(s, &four, 2, 2, Some(&[1.0, 1.0]), None),
            "got 2 and 1; Unbalanced",
        ),
        (
            solve(Sinkhorn::new(0.0), &four, 2, 2, None, None),
            "epsilon must be positive",
        ),
        (
            solve(Sinkhorn::new(f64::NAN), &four, 2, 2, None, None),
            "got NaN",
        ),
        (
            solve(Sinkhorn::new(1e-12), &four, 2, 2, None, None),
            "at least 0.00000000003",
        ),
        (
            solve(
                Sinkhorn {
                    tolerance: -1.0,
                    ..s
                },
                &four,
                2,
                2,
                None,
                None,
            ),
            "tolerance",
        ),
    ] {
        assert!(found.contains(part), "{found:?} lacks {part:?}");
    }
}
