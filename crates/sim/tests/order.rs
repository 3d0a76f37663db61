//! Every solver converges with its order: the slope of log error against log step. `--nocapture`
//! prints the slopes.

#![allow(clippy::print_stdout)]

use std::ops::ControlFlow;

use fokker_math::stats::slope;
use fokker_sim::ensemble::{Keep, Plan, Start};
use fokker_sim::lane::Lane;
use fokker_sim::process::{Converted, NoiseKind, Process};
use fokker_sim::solver::{AnySolver, Family, SOLVERS, SolverSpec, Steps, solver};

/// dx = x cos t dt, dy = (2x² cos t + y − x²) dt: x = e^{sin t}, y = x².
struct Curve;

impl Process for Curve {
    type State<L: Lane> = [L; 2];
    type Noise<L: Lane> = [L; 0];
    #[inline(always)]
    fn drift<L: Lane>(&self, t: L, x: &[L; 2], f: &mut [L; 2]) {
        let square = x[0] * x[0];
        *f = [x[0] * t.cos(), square * t.cos() * 2.0 + (x[1] - square)];
    }
}

/// Geometric Brownian motion beside the Brownian motion that drives it.
struct Geometric;

const MU: f64 = 0.4;
const SIGMA: f64 = 0.8;

impl Process for Geometric {
    type State<L: Lane> = [L; 2];
    type Noise<L: Lane> = [L; 1];
    #[inline(always)]
    fn drift<L: Lane>(&self, _t: L, x: &[L; 2], f: &mut [L; 2]) {
        *f = [x[0] * MU, L::splat(0.0)];
    }
    #[inline(always)]
    fn diffusion<L: Lane>(&self, _t: L, x: &[L; 2], dw: &[L; 1], g: &mut [L; 2]) {
        *g = [x[0] * dw[0] * SIGMA, dw[0]];
    }
    fn noise_kind(&self) -> NoiseKind {
        NoiseKind::Commutative
    }
}

/// dX = (sin X − t X) dt + (3/2 + 3t/2) dW: more of the noise matters than W at the end.
struct Additive;

impl Process for Additive {
    type State<L: Lane> = [L; 1];
    type Noise<L: Lane> = [L; 1];
    #[inline(always)]
    fn drift<L: Lane>(&self, t: L, x: &[L; 1], f: &mut [L; 1]) {
        f[0] = x[0].sin() - t * x[0];
    }
    #[inline(always)]
    fn diffusion<L: Lane>(&self, t: L, _x: &[L; 1], dw: &[L; 1], g: &mut [L; 1]) {
        g[0] = dw[0] * (t * 1.5 + 1.5);
    }
    fn noise_kind(&self) -> NoiseKind {
        NoiseKind::Additive
    }
}

/// dX = (β/√(1+t) − X/(2(1+t))) dt + αβ/√(1+t) dW beside W, with the exact solution
/// (X₀ + β(t + αW))/√(1+t).
struct Exact;

const ALPHA: f64 = 0.7;
const BETA: f64 = 0.9;

impl Process for Exact {
    type State<L: Lane> = [L; 2];
    type Noise<L: Lane> = [L; 1];
    #[inline(always)]
    fn drift<L: Lane>(&self, t: L, x: &[L; 2], f: &mut [L; 2]) {
        let s = t + 1.0;
        *f = [L::splat(BETA) / s.sqrt() - x[0] / (s * 2.0), L::splat(0.0)];
    }
    #[inline(always)]
    fn diffusion<L: Lane>(&self, t: L, _x: &[L; 2], dw: &[L; 1], g: &mut [L; 2]) {
        *g = [dw[0] * (ALPHA * BETA) / (t + 1.0).sqrt(), dw[0]];
    }
    fn noise_kind(&self) -> NoiseKind {
        NoiseKind::Additive
    }
}

fn run<P: Process>(solver: AnySolver, process: &P, plan: &Plan, start: &[f64]) -> Vec<f64> {
    let mut keep = Keep::<f64>::default();
    let mut watch = |_| ControlFlow::Continue(());
    solver
        .simulate(process, plan, &Start::Point(start), &mut keep, &mut watch)
        .unwrap();
    keep.values
}

fn ode_slope(spec: &'static SolverSpec) -> f64 {
    let coarsest = if spec.order > 4.0 { 20 } else { 80 };
    let (h, error): (Vec<f64>, Vec<f64>) = (0..4)
        .map(|k| {
            let n = coarsest << k;
            let solver = AnySolver::new(spec, Steps::Equal(n)).unwrap();
            let plan = Plan::new(1, 0.0, 2.0, 0).save_evenly(10);
            let x = run(solver, &Curve, &plan, &[1.0, 1.0]);
            // The greatest error on the way: at a single time it may happen to be small.
            let error = x.chunks(2).zip(&plan.save).map(|(x, t)| {
                let exact = t.sin().exp();
                (x[0] - exact).abs() + (x[1] - exact * exact).abs()
            });
            ((1.0 / n as f64).ln(), error.fold(0.0, f64::max).ln())
        })
        .unzip();
    slope(&h, &error).slope
}

const PATHS: u64 = 2000;

/// The final states of 2^depth steps, on the same paths of the noise for every depth.
fn paths<P: Process>(
    spec: &'static SolverSpec,
    process: &P,
    depth: u32,
    start: &[f64],
) -> Vec<f64> {
    let solver = AnySolver::new(spec, Steps::Tree(depth)).unwrap();
    run(solver, process, &Plan::new(PATHS, 0.0, 1.0, 11), start)
}

/// The slope of the error that `error(depth)` sums up over the paths.
fn sde_slope(error: impl Fn(u32) -> f64) -> f64 {
    let (h, error): (Vec<f64>, Vec<f64>) = (5..11)
        .map(|depth| (-f64::from(depth) * 2f64.ln(), error(depth).ln()))
        .unzip();
    slope(&h, &error).slope
}

fn geometric_slope<P: Process>(spec: &'static SolverSpec, process: &P) -> f64 {
    sde_slope(|depth| {
        let x = paths(spec, process, depth, &[1.0, 0.0]);
        let exact = |w: f64| (MU - 0.5 * SIGMA * SIGMA + SIGMA * w).exp();
        x.chunks(2).map(|x| (x[0] - exact(x[1])).abs()).sum()
    })
}

#[test]
fn every_solver_has_its_order() {
    let reference = paths(solver("sra1").unwrap(), &Additive, 14, &[1.0]);
    for spec in SOLVERS {
        let Family::Stochastic(calculus) = spec.family else {
            let order = ode_slope(spec);
            println!("{}: {order:.3} ({})", spec.name, spec.order);
            assert!((order - spec.order).abs() < 0.1, "{}: {order}", spec.name);
            continue;
        };
        let mut orders = vec![(
            "additive noise",
            spec.additive_order,
            sde_slope(|depth| {
                let x = paths(spec, &Additive, depth, &[1.0]);
                x.iter().zip(&reference).map(|(x, y)| (x - y).abs()).sum()
            }),
        )];
        if spec.name != "sra1" {
            let order = if calculus == Geometric.calculus() {
                geometric_slope(spec, &Geometric)
            } else {
                geometric_slope(spec, &Converted(Geometric))
            };
            orders.push(("geometric Brownian motion", spec.order, order));
        }
        for (problem, expected, order) in orders {
            println!("{}, {problem}: {order:.3} ({expected})", spec.name);
            assert!(
                (order - expected).abs() < 0.15,
                "{}, {problem}: {order} instead of {expected}",
                spec.name
            );
        }
    }
}

/// The reference itself against a closed form.
#[test]
fn sra1_against_an_exact_solution() {
    let x = paths(solver("sra1").unwrap(), &Exact, 10, &[1.0, 0.0]);
    for x in x.chunks(2) {
        let exact = (1.0 + BETA * (1.0 + ALPHA * x[1])) / 2f64.sqrt();
        assert!((x[0] - exact).abs() < 2e-6, "{} instead of {exact}", x[0]);
    }
}

/// Euler with n steps on x' = −θx gives (1 − θT/n)ⁿ: exactly n steps, not n − 1.
#[test]
fn euler_in_closed_form() {
    struct Decay;
    impl Process for Decay {
        type State<L: Lane> = [L; 1];
        type Noise<L: Lane> = [L; 0];
        #[inline(always)]
        fn drift<L: Lane>(&self, _t: L, x: &[L; 1], f: &mut [L; 1]) {
            f[0] = x[0] * -0.7;
        }
    }
    let euler = solver("euler").unwrap();
    for n in [1, 2, 10, 1000] {
        let solver = AnySolver::new(euler, Steps::Equal(n)).unwrap();
        let x = run(solver, &Decay, &Plan::new(1, 0.0, 1.0, 0), &[1.0])[0];
        let exact = (1.0 - 0.7 / n as f64).powi(n as i32);
        // Two roundings of half a unit in the last place per step.
        let bound = n as f64 * f64::EPSILON;
        assert!(
            (x / exact - 1.0).abs() <= bound,
            "{n} steps: {x} instead of {exact}"
        );
    }
}
