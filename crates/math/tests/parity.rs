//! The same numbers as torchcfm, flow_matching and POT; `parity/` makes the fixtures.

use fokker_math::interpolant::{
    Bridge, CondOtFloor, Interpolant, Linear, LinearNoise, Trigonometric,
};
use fokker_math::scheduler::{Polynomial, Scheduler, scheduler};
use fokker_math::transport::{Sinkhorn, Unbalanced, assign, squared_distances, wasserstein2};
use serde::Deserialize;
use serde::de::DeserializeOwned;

fn read<T: DeserializeOwned>(json: &str) -> Vec<T> {
    let entries: Vec<T> = serde_json::from_str(json).unwrap();
    assert!(!entries.is_empty());
    entries
}

fn close(found: f64, expected: f64, tolerance: f64, what: &str) {
    let error = (found - expected).abs() / (1.0 + expected.abs());
    assert!(
        error < tolerance,
        "{what}: {found}, the peer has {expected}"
    );
}

#[derive(Deserialize)]
struct Matcher {
    interpolant: String,
    peer: String,
    sigma: f64,
    t: Vec<f64>,
    x0: Vec<[f64; 2]>,
    x1: Vec<[f64; 2]>,
    eps: Vec<[f64; 2]>,
    xt: Vec<[f64; 2]>,
    ut: Vec<[f64; 2]>,
}

#[test]
fn matchers_of_torchcfm() {
    for m in read::<Matcher>(include_str!("fixtures/matchers.json")) {
        let path: Box<dyn Interpolant> = match m.interpolant.as_str() {
            "linear" => Box::new(Linear),
            "linear-noise" => Box::new(LinearNoise::new(m.sigma).unwrap()),
            "condot-floor" => Box::new(CondOtFloor::new(m.sigma).unwrap()),
            "bridge" => Box::new(Bridge::new(m.sigma).unwrap()),
            "trigonometric" => Box::new(Trigonometric::new(m.sigma).unwrap()),
            other => panic!("no interpolant {other}"),
        };
        // The peer adds 1e-8 to the bridge's denominator.
        let tolerance = if m.interpolant == "bridge" {
            1e-6
        } else {
            1e-12
        };
        for (i, &t) in m.t.iter().enumerate() {
            let c = path.at(t);
            for k in 0..2 {
                let (x1, eps) = (m.x1[i][k], m.eps[i][k]);
                // That peer's path starts from its ε.
                let x0 = if m.interpolant == "condot-floor" {
                    eps
                } else {
                    m.x0[i][k]
                };
                let what = format!("{} at {t}", m.peer);
                close(c.state(x0, x1, eps), m.xt[i][k], 1e-12, &what);
                close(c.velocity(x0, x1, eps), m.ut[i][k], tolerance, &what);
            }
        }
    }
}

#[derive(Deserialize)]
struct Values {
    scheduler: String,
    n: u32,
    peer: String,
    t: Vec<f64>,
    alpha: Vec<f64>,
    beta: Vec<f64>,
    d_alpha: Vec<f64>,
    d_beta: Vec<f64>,
    snr: Vec<f64>,
    time_of_snr: Vec<f64>,
}

#[test]
fn schedulers_of_flow_matching() {
    for v in read::<Values>(include_str!("fixtures/schedulers.json")) {
        let ours: Box<dyn Scheduler> = match v.scheduler.as_str() {
            "polynomial" => Box::new(Polynomial::new(v.n).unwrap()),
            name => scheduler(name).unwrap(),
        };
        for (i, &t) in v.t.iter().enumerate() {
            let (c, what) = (ours.at(t), format!("{} at {t}", v.peer));
            close(c.alpha, v.alpha[i], 1e-12, &what);
            close(c.beta, v.beta[i], 1e-12, &what);
            close(c.d_alpha, v.d_alpha[i], 1e-12, &what);
            close(c.d_beta, v.d_beta[i], 1e-9, &what); // the peer cancels digits near t = 1
        }
        for (snr, &t) in v.snr.iter().zip(&v.time_of_snr) {
            close(ours.time_of_log_snr(2.0 * snr.ln()), t, 1e-12, &v.peer);
        }
    }
}

#[derive(Deserialize)]
struct Transport {
    problem: String,
    dim: usize,
    x: Vec<f64>,
    y: Vec<f64>,
    #[serde(default)]
    a: Vec<f64>,
    #[serde(default)]
    b: Vec<f64>,
    reg: Option<f64>,
    reg_m: Option<f64>,
    cost: Option<f64>,
    #[serde(default)]
    plan: Vec<f64>,
}

#[test]
fn transport_of_pot() {
    for p in read::<Transport>(include_str!("fixtures/transport.json")) {
        let points = |x: &[f64]| x.iter().map(|x| x / 64.0).collect::<Vec<_>>();
        let (x, y) = (points(&p.x), points(&p.y));
        let (n, m) = (x.len() / p.dim, y.len() / p.dim);
        let cost = squared_distances(&x, &y, p.dim);
        let what = format!("{} {n} x {m} in {}", p.problem, p.dim);
        if let Some(expected) = p.cost {
            let columns = assign(&cost, n);
            let found: f64 = columns
                .iter()
                .enumerate()
                .map(|(i, j)| cost[i * n + j])
                .sum();
            close(found / n as f64, expected, 1e-12, &what);
            close(wasserstein2(&x, &y, p.dim).powi(2), expected, 1e-12, &what);
            continue;
        }
        let share = |w: &[f64]| {
            w.iter()
                .map(|v| v / w.iter().sum::<f64>())
                .collect::<Vec<_>>()
        };
        let (a, b, epsilon) = (share(&p.a), share(&p.b), p.reg.unwrap());
        let solved = match p.reg_m {
            None => Sinkhorn {
                max_iterations: 100_000,
                tolerance: 1e-12,
                ..Sinkhorn::new(epsilon)
            }
            .solve(&cost, n, m, Some(&a), Some(&b)),
            Some(rho) => Unbalanced {
                max_iterations: 100_000,
                tolerance: 1e-12,
                ..Unbalanced::new(epsilon, rho)
            }
            .solve(&cost, n, m, Some(&a), Some(&b)),
        };
        let plan = solved.unwrap();
        for (found, &expected) in plan.values.iter().zip(&p.plan) {
            // Relative to the plan's largest entry, which is below 1.
            let error = (found - expected).abs() / p.plan.iter().fold(0.0, |a, &b| b.max(a));
            assert!(error < 1e-8, "{what}: {found}, the peer has {expected}");
        }
    }
}
