use super::*;
use crate::transport::Sinkhorn;

fn cost(n: usize, m: usize) -> Vec<f64> {
    (0..n * m).map(|k| 1.0 + (k as f64 * 1.7).sin()).collect()
}

fn far(found: &[f64], expected: &[f64]) -> f64 {
    assert_eq!(found.len(), expected.len());
    found
        .iter()
        .zip(expected)
        .map(|(x, y)| (x - y).abs())
        .fold(0.0, f64::max)
}

/// One point to one point: the least of Cp + ε kl(p, ab) + ρ kl(p, a) + ρ kl(p, b) is where
/// C + ε ln(p/ab) + ρ ln(p/a) + ρ ln(p/b) = 0.
#[test]
fn one_point_in_closed_form() {
    for (c, epsilon, rho, a, b) in [
        (1.0, 0.5, 2.0, 1.0, 1.0),
        (7.0, 0.1, 3.0, 0.2, 1.5),
        (-1.0, 2.0, 0.01, 3.0, 0.5),
        (4.0, 0.01, 100.0, 1.0, 2.0),
    ] {
        let (epsilon, rho): (f64, f64) = (epsilon, rho);
        let plan = Unbalanced::new(epsilon, rho)
            .solve(&[c], 1, 1, Some(&[a]), Some(&[b]))
            .unwrap();
        let log = (-c + epsilon * f64::ln(a * b) + rho * f64::ln(a * b)) / (epsilon + 2.0 * rho);
        assert!(
            (plan.values[0].ln() - log).abs() < 1e-9,
            "{plan:?} {}",
            log.exp()
        );
    }
}

/// Optimality for each entry: Cᵢⱼ + ε ln(Pᵢⱼ/aᵢbⱼ) + ρ ln(rᵢ/aᵢ) + ρ ln(cⱼ/bⱼ) = 0.
#[test]
fn the_plan_is_stationary() {
    let (n, m) = (6, 9);
    let cost = cost(n, m);
    let (a, b): (Vec<f64>, Vec<f64>) = (
        (0..n).map(|i| 0.1 + i as f64).collect(),
        (0..m).map(|j| 1.0 + (j % 3) as f64).collect(),
    );
    for (epsilon, rho) in [(0.3, 1.0), (0.05, 0.2), (1.0, 50.0), (0.1, 1000.0)] {
        let plan = Unbalanced::new(epsilon, rho)
            .solve(&cost, n, m, Some(&a), Some(&b))
            .unwrap();
        let (rows, columns) = (plan.row_sums(), plan.column_sums());
        for (k, p) in plan.values.iter().enumerate() {
            let (i, j) = (k / m, k % m);
            let slope = cost[k]
                + epsilon * (p / (a[i] * b[j])).ln()
                + rho * ((rows[i] / a[i]).ln() + (columns[j] / b[j]).ln());
            assert!(slope.abs() < 1e-6 * (1.0 + rho), "{epsilon} {rho}: {slope}");
        }
    }
}

#[test]
fn large_rho_is_balanced() {
    let cost = cost(8, 5);
    let balanced = Sinkhorn::new(0.2).solve(&cost, 8, 5, None, None).unwrap();
    let nearly = Unbalanced::new(0.2, 1e9)
        .solve(&cost, 8, 5, None, None)
        .unwrap();
    assert!(far(&balanced.values, &nearly.values) < 1e-8);
    let infinite = Unbalanced::new(0.2, f64::INFINITY)
        .solve(&cost, 8, 5, None, None)
        .unwrap();
    assert_eq!(infinite, balanced);
    // A large ρ takes no more sweeps than a balanced problem.
    assert!(
        nearly.iterations < 2 * balanced.iterations + 20,
        "{nearly:?} {balanced:?}"
    );
}

#[test]
fn scaling_is_the_same_answer() {
    let cost = cost(12, 10);
    let solver = Unbalanced {
        tolerance: 1e-12,
        max_iterations: 100_000,
        ..Unbalanced::new(0.02, 0.5)
    };
    let plain = Unbalanced {
        scaling: false,
        ..solver
    };
    let [scaled, plain] = [solver, plain].map(|s| s.solve(&cost, 12, 10, None, None).unwrap());
    assert!(far(&scaled.values, &plain.values) < 1e-11);
}

#[test]
fn what_is_far_is_left_behind() {
    // Two neighbours and an outlier at distance 10 on the line.
    let (x, y) = ([0.0, 1.0, 10.0], [0.1, 1.1, 0.5]);
    let cost: Vec<f64> = x
        .iter()
        .flat_map(|x| y.map(|y: f64| (x - y) * (x - y)))
        .collect();
    let plan = Unbalanced::new(0.05, 1.0)
        .solve(&cost, 3, 3, None, None)
        .unwrap();
    let rows = plan.row_sums();
    assert!(
        rows[2] < 1e-6 && rows[0] > 0.25 && rows[1] > 0.25,
        "{rows:?}"
    );
}

#[test]
fn bad_rho_is_refused() {
    for rho in [0.0, -1.0, f64::NAN] {
        let error = Unbalanced::new(1.0, rho)
            .solve(&[1.0], 1, 1, None, None)
            .unwrap_err();
        assert!(
            error.to_string().contains("rho must be positive"),
            "{error}"
        );
    }
}
