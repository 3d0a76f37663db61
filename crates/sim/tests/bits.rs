//! The same bits whatever the threads, the SIMD width and the number of trajectories.

use std::ops::ControlFlow;

use fokker_sim::SimError;
use fokker_sim::ensemble::{Keep, Plan, Start};
use fokker_sim::lane::{Lane, Level, Real};
use fokker_sim::process::{Calculus, NoiseKind, Process};
use fokker_sim::solver::{
    AnySolver, EulerMaruyama, Family, FixedSde, Milstein, SOLVERS, Solver, Sra1, Steps,
    StochasticHeun, Tolerance, TreeSde, TreeSteps,
};

/// A little of everything (elementary functions have a test of their own), with `M` noises; stops
/// at x₀ = 3.
struct Mixed<const M: usize> {
    noise: NoiseKind,
    calculus: Calculus,
}

impl<const M: usize> Process for Mixed<M> {
    type State<L: Lane> = [L; 2];
    type Noise<L: Lane> = [L; M];
    #[inline(always)]
    fn drift<L: Lane>(&self, t: L, x: &[L; 2], f: &mut [L; 2]) {
        let bounded = x[0] / (x[0].abs() + 1.0);
        *f = [
            x[1] - bounded * 0.5 + t.mul_add(x[1], -x[0]) * 0.1,
            (x[0] * x[0] + 0.2).sqrt().min(bounded).max(t) - x[1] * 0.8,
        ];
    }
    #[inline(always)]
    fn diffusion<L: Lane>(&self, t: L, x: &[L; 2], dw: &[L; M], g: &mut [L; 2]) {
        *g = match self.noise {
            _ if M == 0 => [L::splat(0.0); 2],
            NoiseKind::Additive => [dw[0] * 0.4, dw[1] * (t * 0.1 + 0.2)],
            _ => [dw[0] * (x[0] * x[0] + 1.0).sqrt() * 0.3, dw[1] * x[1] * 0.2],
        };
    }
    fn noise_kind(&self) -> NoiseKind {
        self.noise
    }
    fn calculus(&self) -> Calculus {
        self.calculus
    }
    const EVENTS: bool = true;
    #[inline(always)]
    fn event<L: Lane>(&self, _t: L, x: &[L; 2]) -> L {
        x[0] - 3.0
    }
}

fn bits<R: Real>(
    solver: AnySolver,
    (noise, calculus): (NoiseKind, Calculus),
    count: u64,
    threads: usize,
) -> Vec<u64> {
    let plan = Plan::new(count, 0.0, 4.0, 5).save_evenly(4);
    let start = |i: u64, x: &mut [f64]| {
        x[0] = (i as f64 * 0.37).sin();
        x[1] = (i as f64 * 0.73).cos();
    };
    let mut keep = Keep::<R>::default();
    let mut watch = |_| ControlFlow::Continue(());
    let start = Start::Each(&start);
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .unwrap();
    pool.install(|| {
        if noise == NoiseKind::None {
            let process = Mixed::<0> { noise, calculus };
            solver.simulate(&process, &plan, &start, &mut keep, &mut watch)
        } else {
            let process = Mixed::<2> { noise, calculus };
            solver.simulate(&process, &plan, &start, &mut keep, &mut watch)
        }
    })
    .unwrap();
    let values = keep.values.iter().map(|x| x.to_f64().to_bits());
    values
        .chain(keep.stops.iter().map(|t| t.to_bits()))
        .collect()
}

fn check<R: Real>() {
    for spec in SOLVERS {
        let kind = match spec.family {
            Family::Stochastic(calculus) if spec.name == "sra1" => (NoiseKind::Additive, calculus),
            Family::Stochastic(calculus) => (NoiseKind::Commutative, calculus),
            _ => (NoiseKind::None, Calculus::Ito),
        };
        let mut ways = vec![Steps::Equal(64)];
        if spec.adaptive {
            ways.push(Steps::Adaptive(Tolerance::new(1e-3)));
        }
        if matches!(spec.family, Family::Stochastic(_)) {
            ways.push(Steps::Tree(6));
        }
        for steps in ways {
            let solver = AnySolver::new(spec, steps).unwrap();
            let kind = match (spec.name, steps) {
                // It may not choose its steps for other noise.
                ("euler-maruyama", Steps::Adaptive(_)) => (NoiseKind::Additive, kind.1),
                _ => kind,
            };
            let widest = *Level::available().last().unwrap();
            Level::choose(widest);
            let reference = bits::<R>(solver, kind, 300, 1);
            for threads in [2, 7] {
                let found = bits::<R>(solver, kind, 300, threads);
                assert!(
                    found == reference,
                    "{} {steps:?}, {threads} threads",
                    spec.name
                );
            }
            for level in Level::available() {
                Level::choose(level);
                let found = bits::<R>(solver, kind, 300, 2);
                assert!(found == reference, "{} {steps:?}, {level:?}", spec.name);
            }
            Level::choose(widest);
            // Fewer trajectories are the first ones of more: [300, 5, 2] values, then 300 stops.
            let few = bits::<R>(solver, kind, 37, 2);
            assert!(
                few[..37 * 10] == reference[..37 * 10],
                "{} {steps:?}",
                spec.name
            );
            assert!(
                few[37 * 10..] == reference[3000..3037],
                "{} {steps:?}",
                spec.name
            );
        }
    }
}

// One test: the level is chosen for the whole process.
#[test]
fn threads_levels_and_counts_do_not_change_a_bit() {
    check::<f32>();
    check::<f64>();
}

/// With σ = 0 Euler–Maruyama is Euler, bit for bit.
#[test]
fn euler_maruyama_without_noise_is_euler() {
    struct Still;
    impl Process for Still {
        type State<L: Lane> = [L; 1];
        type Noise<L: Lane> = [L; 1];
        #[inline(always)]
        fn drift<L: Lane>(&self, t: L, x: &[L; 1], f: &mut [L; 1]) {
            f[0] = (x[0] + t).sin() - x[0] * 0.3;
        }
        #[inline(always)]
        fn diffusion<L: Lane>(&self, _t: L, _x: &[L; 1], dw: &[L; 1], g: &mut [L; 1]) {
            g[0] = dw[0] * 0.0;
        }
        fn noise_kind(&self) -> NoiseKind {
            NoiseKind::Additive
        }
    }
    struct Quiet;
    impl Process for Quiet {
        type State<L: Lane> = [L; 1];
        type Noise<L: Lane> = [L; 0];
        #[inline(always)]
        fn drift<L: Lane>(&self, t: L, x: &[L; 1], f: &mut [L; 1]) {
            Still.drift(t, x, f);
        }
    }
    let plan = Plan::new(5, 0.0, 3.0, 1);
    let start = |i: u64, x: &mut [f64]| x[0] = i as f64;
    let mut watch = |_| ControlFlow::Continue(());
    let solver =
        |name| AnySolver::new(fokker_sim::solver::solver(name).unwrap(), Steps::Equal(50)).unwrap();
    let mut noisy = Keep::<f64>::default();
    solver("euler-maruyama")
        .simulate(&Still, &plan, &Start::Each(&start), &mut noisy, &mut watch)
        .unwrap();
    let mut quiet = Keep::<f64>::default();
    solver("euler")
        .simulate(&Quiet, &plan, &Start::Each(&start), &mut quiet, &mut watch)
        .unwrap();
    assert_eq!(noisy.values, quiet.values);
}

/// By name or by type: a stochastic solver refuses a process without noise in the same way.
#[test]
fn stochastic_solvers_refuse_a_process_without_noise() {
    let process = Mixed::<0> {
        noise: NoiseKind::None,
        calculus: Calculus::Ito,
    };
    let refused = |result: Result<(), SimError>, title: &str| match result {
        Err(SimError::NoNoise { solver }) => assert_eq!(solver, title),
        other => panic!("{title}: {other:?}"),
    };
    let (plan, start) = (Plan::new(1, 0.0, 1.0, 0), Start::Point(&[1.0, 1.0]));
    let depth = TreeSteps::Depth(3);
    for spec in SOLVERS {
        if !matches!(spec.family, Family::Stochastic(_)) {
            continue;
        }
        for steps in [Steps::Equal(4), Steps::Tree(3)] {
            let by_name = AnySolver::new(spec, steps).unwrap().simulate(
                &process,
                &plan,
                &start,
                &mut Keep::<f64>::default(),
                &mut |_| ControlFlow::Continue(()),
            );
            refused(by_name.map(|_| ()), spec.title);
        }
        let by_type = match spec.name {
            "euler-maruyama" => [
                FixedSde::new(EulerMaruyama, 4).check(&process),
                TreeSde::new(EulerMaruyama, depth).check(&process),
            ],
            "milstein" => [
                FixedSde::new(Milstein, 4).check(&process),
                TreeSde::new(Milstein, depth).check(&process),
            ],
            "stochastic-heun" => [
                FixedSde::new(StochasticHeun, 4).check(&process),
                TreeSde::new(StochasticHeun, depth).check(&process),
            ],
            "sra1" => [
                FixedSde::new(Sra1, 4).check(&process),
                TreeSde::new(Sra1, depth).check(&process),
            ],
            other => panic!("{other} is a new solver: add it here"),
        };
        for result in by_type {
            refused(result, spec.title);
        }
    }
}
