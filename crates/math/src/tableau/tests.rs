use super::*;
use crate::grid::uniform;
use crate::linalg::dot;
use crate::trees::{Tree, absolute, trees};

#[test]
fn consistent() {
    for tableau in TABLEAUS {
        let (s, name) = (tableau.stages(), tableau.name);
        assert_eq!((tableau.a.len(), tableau.c.len()), (s, s), "{name}");
        for (i, (a, c)) in tableau.a.iter().zip(tableau.c).enumerate() {
            assert_eq!(a.len(), i, "{name} is not explicit");
            near(a.iter().sum(), *c, magnitude(a), name);
        }
        if tableau.fsal {
            assert_eq!(tableau.a[s - 1], &tableau.b[..s - 1], "{name}");
            assert_eq!((tableau.b[s - 1], tableau.c[s - 1]), (0.0, 1.0), "{name}");
        }
        assert_eq!(tableau.b_err.is_empty(), tableau.error_order == 0, "{name}");
        assert!(tableau.b_err.is_empty() || tableau.b_err.len() == s);
        assert_eq!(tableau.dense.is_empty(), tableau.dense_order == 0, "{name}");
        assert!(tableau.dense.is_empty() || tableau.dense.len() == s);
        assert_eq!(super::tableau(name), Some(*tableau));
    }
    assert_eq!(super::tableau("rk5"), None);
}

/// |a − b| within a few roundings of terms whose absolute values sum to `magnitude`.
fn near(a: f64, b: f64, magnitude: f64, name: &str) {
    let error = (a - b).abs();
    assert!(
        error <= 8.0 * f64::EPSILON * (1.0 + magnitude),
        "{name}: {error:e}"
    );
}

fn magnitude(values: &[f64]) -> f64 {
    values.iter().map(|v| v.abs()).sum()
}

/// The residual Σ bᵢφᵢ − θ^|τ|/γ(τ) of one order condition, in units of its terms' size.
fn residual(tableau: &Tableau, b: &[f64], tree: &Tree, theta: f64) -> f64 {
    let size: Vec<f64> = b.iter().map(|b| b.abs()).collect();
    let sum = dot(b, &tree.weights(tableau.a, tableau.a));
    let rows = absolute(tableau.a);
    let exact = theta.powi(tree.order() as i32) / tree.gamma();
    (sum - exact).abs() / (1.0 + dot(&size, &tree.weights(&rows, &rows)))
}

const ROUNDING: f64 = 4.0 * f64::EPSILON;

/// All conditions up to the stated order hold, and one of the next order does not: for the method,
/// for the embedded solution, and for every θ of the dense output.
#[test]
fn order_conditions() {
    for tableau in TABLEAUS {
        let worst = |b: &[f64], order: u32, theta: f64| {
            trees(order)
                .iter()
                .filter(|tree| tree.order() == order)
                .map(|tree| residual(tableau, b, tree, theta))
                .fold(0.0, f64::max)
        };
        let check = |b: &[f64], order: u32, theta: f64, what: &str| {
            for holds in 1..=order {
                let worst = worst(b, holds, theta);
                assert!(
                    worst < ROUNDING,
                    "{}: {what}, order {holds}, θ = {theta}: {worst:e}",
                    tableau.name
                );
            }
            assert!(worst(b, order + 1, theta) > 1e-5, "{} {what}", tableau.name);
        };
        check(tableau.b, tableau.order, 1.0, "b");
        if tableau.error_order > 0 {
            let b: Vec<f64> = tableau
                .b
                .iter()
                .zip(tableau.b_err)
                .map(|(b, e)| b - e)
                .collect();
            check(&b, tableau.error_order, 1.0, "b̂");
        }
        if tableau.dense_order > 0 {
            for theta in [0.25, 0.6] {
                check(
                    &tableau.weights_at(theta),
                    tableau.dense_order,
                    theta,
                    "b(θ)",
                );
            }
        }
    }
}

#[test]
fn dense_output_joins_both_ends() {
    for tableau in TABLEAUS {
        let (start, end) = (tableau.weights_at(0.0), tableau.weights_at(1.0));
        for (i, d) in tableau.dense.iter().enumerate() {
            assert_eq!(start[i], 0.0);
            near(end[i], tableau.b[i], magnitude(d), tableau.name);
            // b′(0) = e₁, and for the FSAL methods b′(1) = eₛ: the curve is continuously
            // differentiable from step to step.
            assert_eq!(d[0], f64::from(u8::from(i == 0)), "{}", tableau.name);
            if tableau.fsal {
                let slope: f64 = d.iter().zip(1..).map(|(d, j)| f64::from(j) * d).sum();
                let last = f64::from(u8::from(i + 1 == tableau.stages()));
                near(slope, last, 4.0 * magnitude(d), tableau.name);
            }
        }
    }
}

/// The solution of [`field`] at `t`.
fn exact(t: f64) -> [f64; 2] {
    let x = t.sin().exp();
    [x, x * x]
}

/// x₀ = e^{sin t} and x₁ = x₀² solve dx₀/dt = x₀ cos t and dx₁/dt = 2x₀² cos t + (x₁ − x₀²).
fn field(t: f64, x: &[f64], out: &mut [f64]) {
    out[0] = x[0] * t.cos();
    out[1] = 2.0 * x[0] * x[0] * t.cos() + (x[1] - x[0] * x[0]);
}

fn distance(x: &[f64], t: f64) -> f64 {
    exact(t).iter().zip(x).map(|(e, x)| (e - x).abs()).sum()
}

/// The largest errors on \[0, 2\] with `n` steps: at the steps' ends, and of the dense output.
fn errors(tableau: &Tableau, n: usize) -> [f64; 2] {
    let mut x = vec![1.0, 1.0];
    let (mut end, mut dense) = (0f64, 0f64);
    for pair in uniform(n).windows(2) {
        let (t, h) = (2.0 * pair[0], 2.0 * (pair[1] - pair[0]));
        if !tableau.dense.is_empty() {
            let k = stages(tableau, &mut field, t, h, &x);
            for theta in [0.2, 0.5, 0.7] {
                let mut between = x.clone();
                for (b, k) in tableau.weights_at(theta).iter().zip(&k) {
                    add(h * b, k, &mut between);
                }
                dense = dense.max(distance(&between, t + theta * h));
            }
        }
        step(tableau, &mut field, t, h, &mut x);
        end = end.max(distance(&x, t + h));
    }
    [end, dense]
}

#[test]
fn measured_order() {
    for tableau in TABLEAUS {
        // Few enough steps that rounding does not show in the high orders.
        let n = if tableau.order < 5 { 160 } else { 80 };
        let [coarse, fine] = [errors(tableau, n), errors(tableau, 2 * n)];
        let order = (coarse[0] / fine[0]).log2();
        assert!(
            (order - f64::from(tableau.order)).abs() < 0.1,
            "{}: measured order {order}",
            tableau.name
        );
        // One step's interpolation error is O(h^{q+1}); the step's error remains below it.
        let expected = tableau.order.min(tableau.dense_order + 1);
        let order = (coarse[1] / fine[1]).log2();
        assert!(
            (order - f64::from(expected)).abs() < 0.1,
            "{}: measured dense order {order}",
            tableau.name
        );
    }
}

/// The estimate of one step is O(h^{q+1}).
#[test]
fn measured_order_of_the_error_estimate() {
    for tableau in TABLEAUS.iter().filter(|t| t.error_order > 0) {
        let estimate = |h: f64| {
            let k = stages(tableau, &mut field, 0.3, h, &exact(0.3));
            let mut error = [0.0; 2];
            for (e, k) in tableau.b_err.iter().zip(&k) {
                add(h * e, k, &mut error);
            }
            error[0].abs() + error[1].abs()
        };
        let order = (estimate(0.02) / estimate(0.01)).log2();
        let expected = f64::from(tableau.error_order + 1);
        assert!((order - expected).abs() < 0.2, "{}: {order}", tableau.name);
    }
}

#[test]
fn euler_on_a_linear_field_in_closed_form() {
    let theta = 0.7;
    for n in [1, 2, 5, 100] {
        let mut x = [1.0, -3.0];
        for pair in uniform(n).windows(2) {
            step(
                &EULER,
                &mut |_, x, out| (0..2).for_each(|i| out[i] = -theta * x[i]),
                pair[0],
                pair[1] - pair[0],
                &mut x,
            );
        }
        let factor = (1.0 - theta / n as f64).powi(n as i32);
        assert!((x[0] - factor).abs() < 1e-14 && (x[1] + 3.0 * factor).abs() < 1e-14);
    }
}

/// A method of order p integrates the polynomial tᵖ⁻¹ exactly, in one step.
#[test]
fn quadrature_order() {
    for tableau in TABLEAUS {
        for degree in 0..tableau.order as i32 {
            let mut x = [0.0];
            let mut f = |t: f64, _: &[f64], out: &mut [f64]| out[0] = t.powi(degree);
            step(tableau, &mut f, 0.0, 1.0, &mut x);
            let exact = 1.0 / f64::from(degree + 1);
            near(x[0], exact, magnitude(tableau.b), tableau.name);
        }
    }
}

/// An interval is a step's whole world: no stage leaves it, and `step` calls f as often as stated.
#[test]
fn evaluations() {
    for tableau in TABLEAUS {
        let mut times = vec![];
        let mut f = |t: f64, x: &[f64], out: &mut [f64]| {
            times.push(t);
            out.copy_from_slice(x);
        };
        step(tableau, &mut f, 1.0, 0.5, &mut [1.0]);
        assert_eq!(times.len(), tableau.evaluations());
        assert!(times.iter().all(|t| (1.0..=1.5).contains(t)));
    }
}
