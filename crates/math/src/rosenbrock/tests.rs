use super::*;
use crate::grid::uniform;
use crate::linalg::dot;
use crate::trees::{Tree, absolute, trees};

/// The coefficients as the order conditions know them: Γ = (I/γ − C)⁻¹, α = AΓ, bᵀ = mᵀΓ.
struct Classical {
    alpha: Vec<Vec<f64>>,
    /// α + Γ.
    beta: Vec<Vec<f64>>,
    gamma: Vec<Vec<f64>>,
}

fn classical(method: &Rosenbrock) -> Classical {
    let s = method.stages();
    // Forward substitution, row by row: Γᵢ = γ(eᵢ + Σⱼ cᵢⱼΓⱼ).
    let mut gamma: Vec<Vec<f64>> = vec![];
    for i in 0..s {
        let mut row = vec![0.0; s];
        row[i] = 1.0;
        for (c, before) in method.c[i].iter().zip(&gamma) {
            add(*c, before, &mut row);
        }
        gamma.push(row.iter().map(|v| method.gamma * v).collect());
    }
    let alpha: Vec<Vec<f64>> = method.a.iter().map(|a| times(a, &gamma)).collect();
    let beta = alpha.iter().zip(&gamma);
    let beta = beta
        .map(|(a, g)| a.iter().zip(g).map(|(a, g)| a + g).collect())
        .collect();
    Classical { alpha, beta, gamma }
}

/// rowᵀ · matrix.
fn times(row: &[f64], matrix: &[Vec<f64>]) -> Vec<f64> {
    let mut product = vec![0.0; matrix[0].len()];
    for (r, m) in row.iter().zip(matrix) {
        add(*r, m, &mut product);
    }
    product
}

#[test]
fn consistent() {
    for method in ROSENBROCKS {
        let s = method.stages();
        assert_eq!(rosenbrock(method.name), Some(*method));
        assert_eq!([method.a.len(), method.c.len(), method.e.len()], [s; 3]);
        let Classical { alpha, gamma, .. } = classical(method);
        for i in 0..s {
            assert_eq!([method.a[i].len(), method.c[i].len()], [i; 2]);
            let (alpha_i, gamma_i) = (alpha[i].iter().sum::<f64>(), gamma[i].iter().sum::<f64>());
            assert!(
                (alpha_i - method.alpha[i]).abs() < 1e-13,
                "α{i} is {alpha_i}"
            );
            assert!(
                (gamma_i - method.gamma_i[i]).abs() < 1e-13,
                "γ{i} is {gamma_i}"
            );
            let end: f64 = method.dense[i].iter().sum();
            assert!((end - method.m[i]).abs() < 1e-13);
        }
    }
    assert_eq!(rosenbrock("ros2"), None);
}

/// For the method, the embedded solution and the dense output; one of the next order fails.
#[test]
fn order_conditions() {
    for method in ROSENBROCKS {
        let Classical { alpha, beta, gamma } = classical(method);
        let sizes = [absolute(&alpha), absolute(&beta)];
        let worst = |m: &[f64], order: u32, theta: f64| {
            let b = times(m, &gamma);
            let size = absolute(&[&b]).remove(0);
            let residual = |tree: &Tree| {
                let sum = dot(&b, &tree.weights(&alpha, &beta));
                let exact = theta.powi(order as i32) / tree.gamma();
                (sum - exact).abs() / (1.0 + dot(&size, &tree.weights(&sizes[0], &sizes[1])))
            };
            let of_order = trees(order)
                .into_iter()
                .filter(|tree| tree.order() == order);
            of_order.map(|tree| residual(&tree)).fold(0.0, f64::max)
        };
        let check = |m: &[f64], order: u32, theta: f64, what: &str| {
            for holds in 1..=order {
                let worst = worst(m, holds, theta);
                assert!(
                    worst < 1e-14,
                    "{}: {what}, order {holds}: {worst:e}",
                    method.name
                );
            }
            let next = worst(m, order + 1, theta);
            assert!(
                next > 1e-7,
                "{}: {what} beats its order: {next:e}",
                method.name
            );
        };
        check(method.m, method.order, 1.0, "m");
        let embedded: Vec<f64> = method.m.iter().zip(method.e).map(|(m, e)| m - e).collect();
        check(&embedded, method.error_order, 1.0, "m − e");
        for theta in [0.25, 0.6] {
            check(
                &method.weights_at(theta),
                method.dense_order,
                theta,
                "dense",
            );
        }
    }
}

/// x₀ = e^{sin t} and x₁ = x₀² solve dx₀/dt = x₀ cos t, dx₁/dt = 2x₀² cos t + x₁ − x₀².
fn with_oscillation<R>(run: impl FnOnce(&mut System<'_>) -> R) -> R {
    run(&mut System {
        f: &mut |t, x, out| {
            out[0] = x[0] * t.cos();
            out[1] = 2.0 * x[0] * x[0] * t.cos() + (x[1] - x[0] * x[0]);
        },
        jacobian: &mut |t, x, out| {
            out.copy_from_slice(&[t.cos(), 0.0, 4.0 * x[0] * t.cos() - 2.0 * x[0], 1.0]);
        },
        d_t: &mut |t, x, out| {
            out[0] = -x[0] * t.sin();
            out[1] = -2.0 * x[0] * x[0] * t.sin();
        },
    })
}

fn distance(x: &[f64], t: f64) -> f64 {
    let exact = t.sin().exp();
    (x[0] - exact).abs() + (x[1] - exact * exact).abs()
}

/// The largest errors on [0, 2] with `n` steps: at the steps' ends, and of the dense output.
fn errors(method: &Rosenbrock, n: usize) -> [f64; 2] {
    with_oscillation(|system| {
        let mut x = vec![1.0, 1.0];
        let (mut end, mut dense) = (0f64, 0f64);
        for pair in uniform(n).windows(2) {
            let (t, h) = (2.0 * pair[0], 2.0 * (pair[1] - pair[0]));
            let u = method.increments(system, t, h, &x).unwrap();
            for theta in [0.2, 0.5, 0.7] {
                let mut between = x.clone();
                for (m, u) in method.weights_at(theta).iter().zip(&u) {
                    add(*m, u, &mut between);
                }
                dense = dense.max(distance(&between, t + theta * h));
            }
            method.step(system, t, h, &mut x).unwrap();
            end = end.max(distance(&x, t + h));
        }
        [end, dense]
    })
}

#[test]
fn measured_order() {
    for method in ROSENBROCKS {
        let [coarse, fine] = [errors(method, 80), errors(method, 160)];
        let [end, dense] = [0, 1].map(|i| (coarse[i] / fine[i]).log2());
        assert!((end - f64::from(method.order)).abs() < 0.1, "{end}");
        let expected = method.order.min(method.dense_order + 1);
        assert!((dense - f64::from(expected)).abs() < 0.1, "{dense}");
    }
}

/// The stability function of x′ = λx, from one step.
fn stability(method: &Rosenbrock, z: f64) -> f64 {
    let mut x = [1.0];
    let mut system = System {
        f: &mut |_, x, out| out[0] = z * x[0],
        jacobian: &mut |_, _, out| out[0] = z,
        d_t: &mut |_, _, out| out[0] = 0.0,
    };
    method.step(&mut system, 0.0, 1.0, &mut x).unwrap();
    x[0]
}

#[test]
fn l_stable() {
    for method in ROSENBROCKS {
        for exponent in -40..=80 {
            let z = -10f64.powf(f64::from(exponent) / 10.0);
            let r = stability(method, z);
            assert!(r.abs() < 1.0, "|R({z})| = {r}");
            // R is a rational approximation of exp.
            assert!(
                z < -0.1 || (r - z.exp()).abs() < 1e-3 * z.abs().powi(6) + 1e-14,
                "{z} {r}"
            );
        }
        assert!(stability(method, -1e8).abs() < 1e-6);
    }
}

/// Prothero and Robinson: x′ = λ(x − cos t) − sin t with λ = −10⁶ follows cos t with steps of 0.1.
#[test]
fn stiff_forcing_is_followed() {
    let lambda = -1e6;
    let mut system = System {
        f: &mut |t: f64, x, out| out[0] = lambda * (x[0] - t.cos()) - t.sin(),
        jacobian: &mut |_, _, out| out[0] = lambda,
        d_t: &mut |t: f64, _, out| out[0] = lambda * t.sin() - t.cos(),
    };
    let mut x = [1.0];
    for i in 0..100 {
        RODAS5P
            .step(&mut system, f64::from(i) * 0.1, 0.1, &mut x)
            .unwrap();
    }
    assert!(
        (x[0] - 10f64.cos()).abs() < 1e-6,
        "{:e}",
        x[0] - 10f64.cos()
    );
}

/// Van der Pol's x″ = μ(1 − x²)x′ − x with μ = 1000, on the slow branch from x = 2: x falls to
/// about 1 in time (3/2 − ln 2)μ ≈ 807. With x′ = −x/(μ(x² − 1)) + O(μ⁻³), the branch obeys
/// ln x − x²/2 = t/μ + const. Explicit methods need steps of 1/μ here.
#[test]
fn van_der_pol_on_the_slow_branch() {
    let mu = 1000.0;
    let mut system = System {
        f: &mut |_, x, out| {
            out[0] = x[1];
            out[1] = mu * (1.0 - x[0] * x[0]) * x[1] - x[0];
        },
        jacobian: &mut |_, x, out| {
            let second = [-2.0 * mu * x[0] * x[1] - 1.0, mu * (1.0 - x[0] * x[0])];
            out.copy_from_slice(&[0.0, 1.0, second[0], second[1]]);
        },
        d_t: &mut |_, _, out| out.fill(0.0),
    };
    let mut x = [2.0, -2.0 / (3.0 * mu)];
    let invariant = |x: f64| x.ln() - 0.5 * x * x;
    let start = invariant(x[0]);
    for i in 1..=70 {
        RODAS5P
            .step(&mut system, f64::from(i - 1) * 10.0, 10.0, &mut x)
            .unwrap();
        let error = invariant(x[0]) - start - f64::from(i) * 10.0 / mu;
        assert!(error.abs() < 1e-5, "{error:e} at {i}: {x:?}");
    }
}

#[test]
fn a_singular_matrix_is_refused() {
    let mut x = [1.0];
    let lambda = 1.0 / (RODAS5P.gamma * 0.5);
    let mut system = System {
        f: &mut |_, x, out| out[0] = lambda * x[0],
        jacobian: &mut |_, _, out| out[0] = lambda,
        d_t: &mut |_, _, out| out[0] = 0.0,
    };
    let error = RODAS5P.step(&mut system, 0.0, 0.5, &mut x).unwrap_err();
    assert_eq!((error.column, x), (0, [1.0]));
    assert!(
        error.to_string().contains("no pivot in column 0"),
        "{error}"
    );
}
