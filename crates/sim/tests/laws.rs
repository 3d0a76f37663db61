//! Simulated ensembles obey the laws of their processes.

use std::ops::ControlFlow;

use fokker_math::density::{Gaussian, Mixture};
use fokker_math::law::{Brownian as BrownianLaw, Ou};
use fokker_math::stats::{
    chi_square_gof, chi_square_noncentrality, chi_square_power, ks_p_value, ks_statistic,
    normal_cdf,
};
use fokker_math::tableau::TSIT5;
use fokker_sim::SimError;
use fokker_sim::density::Mixture as LaneMixture;
use fokker_sim::ensemble::{Keep, Plan, Start, simulate};
use fokker_sim::lane::Lane;
use fokker_sim::process::{Brownian, Fixed, Langevin, OrnsteinUhlenbeck, Process, VanDerPol};
use fokker_sim::solver::{
    Adaptive, EmbeddedPair, EulerMaruyama, FixedSde, Milstein, RungeKutta, Solver, Tolerance,
    TreeSde, TreeSteps,
};

fn run<P: Process, V: Solver>(process: &P, solver: &V, plan: &Plan, start: &[f64]) -> Vec<f64> {
    let mut keep = Keep::<f64>::default();
    let watch = &mut |_| ControlFlow::Continue(());
    simulate(
        process,
        solver,
        plan,
        &Start::Point(start),
        &mut keep,
        watch,
    )
    .unwrap();
    keep.values
}

fn mean(x: impl Iterator<Item = f64>) -> f64 {
    let (n, sum) = x.fold((0.0, 0.0), |(n, sum), x| (n + 1.0, sum + x));
    sum / n
}

/// Within `z` standard errors, the standard deviation of one value being `std`.
fn close(found: f64, exact: f64, std: f64, n: usize, z: f64, what: &str) {
    let error = std / (n as f64).sqrt();
    assert!(
        (found - exact).abs() < z * error,
        "{what}: {found}, exact {exact} ± {error}"
    );
}

#[test]
fn ornstein_uhlenbeck_has_the_moments_of_its_chain() {
    const N: usize = 200_000;
    let (theta, sigma, x0, h, steps) = (0.25, 0.8, 3.0, 0.1, 80);
    let process = OrnsteinUhlenbeck::new(theta, 0.0, sigma).unwrap();
    let plan = Plan::new(N as u64, 0.0, h * steps as f64, 1).save_evenly(2);
    let x = run(&process, &FixedSde::new(EulerMaruyama, steps), &plan, &[x0]);
    let law = Ou { theta, sigma };
    let (half, end) = (steps as u32 / 2, steps as u32);
    let (m1, m2) = (law.em_mean(x0, h, half), law.em_mean(x0, h, end));
    let (v1, v2) = (law.em_variance(h, half), law.em_variance(h, end));
    let at = |k: usize| x.chunks(3).map(move |x| x[k]);
    close(mean(at(1)), m1, v1.sqrt(), N, 4.0, "mean half way");
    close(mean(at(2)), m2, v2.sqrt(), N, 4.0, "mean at the end");
    // Var of a squared normal is 2 v².
    let square = mean(at(2).map(|x| (x - m2) * (x - m2)));
    close(square, v2, v2 * 2f64.sqrt(), N, 4.0, "variance");
    // Cov(X_s, X_t) = Var(X_s)·(1 − θh)ⁿ of the chain.
    let covariance = mean(x.chunks(3).map(|x| (x[1] - m1) * (x[2] - m2)));
    let exact = v1 * (1.0 - theta * h).powi((end - half) as i32);
    let std = (v1 * v2 + exact * exact).sqrt();
    close(covariance, exact, std, N, 4.0, "autocovariance");
    // The chain is that of the equation up to the order of the step.
    assert!((m2 - law.mean(x0, 8.0)).abs() < 0.02 && (v2 - law.variance(8.0)).abs() < 0.03);
    let p = {
        let mut z: Vec<f64> = at(2).map(|x| (x - m2) / v2.sqrt()).collect();
        z.sort_by(f64::total_cmp);
        ks_p_value(ks_statistic(&z, normal_cdf), N)
    };
    assert!(p > 1e-3, "not normal: p = {p}");
}

/// σ²h/(1 − (1 − θh)²), not σ²/2θ: with h = 0.5 they differ by 7 %, forty standard errors.
#[test]
fn euler_maruyama_has_its_own_stationary_variance() {
    const N: usize = 600_000;
    let (theta, sigma, h) = (0.25, 1.0, 0.5);
    let process = OrnsteinUhlenbeck::new(theta, 0.0, sigma).unwrap();
    let plan = Plan::new(N as u64, 0.0, 100.0, 2);
    let x = run(&process, &FixedSde::new(EulerMaruyama, 200), &plan, &[0.0]);
    let exact = Ou { theta, sigma }.em_stationary_variance(h).unwrap();
    assert!((exact - sigma * sigma * h / (1.0 - (1.0 - theta * h).powi(2))).abs() < 1e-12);
    let square = mean(x.iter().map(|x| x * x));
    close(
        square,
        exact,
        exact * 2f64.sqrt(),
        N,
        4.0,
        "stationary variance",
    );
    let continuous = sigma * sigma / (2.0 * theta);
    assert!((square - continuous).abs() > 20.0 * exact * (2.0 / N as f64).sqrt());
}

#[test]
fn brownian_increments_are_independent_and_normal() {
    const N: usize = 100_000;
    let sigma = 1.3;
    let process = Brownian::new(sigma).unwrap();
    let plan = Plan::new(N as u64, 0.0, 2.0, 3).save_evenly(4);
    let x = run(&process, &FixedSde::new(EulerMaruyama, 16), &plan, &[0.0]);
    let law = BrownianLaw { sigma };
    let increment = |x: &[f64], k: usize| x[k + 1] - x[k];
    for k in 0..4 {
        let mut z: Vec<f64> = x
            .chunks(5)
            .map(|x| increment(x, k) / (sigma * 0.5f64.sqrt()))
            .collect();
        close(
            mean(z.iter().map(|z| z * z)),
            1.0,
            2f64.sqrt(),
            N,
            4.0,
            "variance",
        );
        for l in 0..k {
            let product = mean(x.chunks(5).map(|x| increment(x, k) * increment(x, l)));
            close(product, 0.0, sigma * sigma * 0.5, N, 4.0, "independence");
        }
        z.sort_by(f64::total_cmp);
        let p = ks_p_value(ks_statistic(&z, normal_cdf), N);
        assert!(p > 1e-3, "increment {k} is not normal: p = {p}");
    }
    let covariance = mean(x.chunks(5).map(|x| x[1] * x[4]));
    let (exact, v) = (
        law.covariance(0.5, 2.0),
        law.variance(0.5) * law.variance(2.0),
    );
    close(
        covariance,
        exact,
        (v + exact * exact).sqrt(),
        N,
        4.0,
        "Cov(W_s, W_t) = σ² min(s, t)",
    );
}

/// Langevin dynamics keeps its density: χ² over the plane's cells.
#[test]
fn langevin_leaves_its_density_invariant() {
    const N: usize = 40_000;
    const CELLS: usize = 12;
    let normal = |mean: [f64; 2], cov: [f64; 4]| Gaussian::new(&mean, &cov).unwrap();
    let density = Mixture::new(
        &[0.35, 0.65],
        vec![
            normal([-1.5, 0.5], [0.6, 0.2, 0.2, 0.4]),
            normal([1.0, -0.5], [0.5, -0.1, -0.1, 0.8]),
        ],
    )
    .unwrap();
    let process = Langevin::<_, Fixed<2>>::new(LaneMixture::from(&density), 1.0).unwrap();
    // Started from the density itself, it must stay.
    use fokker_math::density::Density;
    use fokker_sim::rng::{Purpose, Stream};
    let start = |i: u64, x: &mut [f64]| {
        let stream = |draw| Stream::new(4, Purpose::Init, i, draw);
        let mut u = [0.0];
        stream(0).uniforms_f64(&mut u);
        let mut z = vec![0.0; density.normals()];
        stream(1).normals_f64(&mut z);
        density.sample(u[0], &z, x);
    };
    let mut keep = Keep::<f64>::default();
    let plan = Plan::new(N as u64, 0.0, 4.0, 4);
    let solver = FixedSde::new(EulerMaruyama, 800);
    let watch = &mut |_| ControlFlow::Continue(());
    simulate(
        &process,
        &solver,
        &plan,
        &Start::Each(&start),
        &mut keep,
        watch,
    )
    .unwrap();

    // Cells of equal width over [−4, 4]², the outer ones open; exact by fine quadrature.
    let cell =
        |x: f64| (((x + 4.0) / 8.0 * CELLS as f64).floor()).clamp(0.0, CELLS as f64 - 1.0) as usize;
    let mut observed = vec![0_u64; CELLS * CELLS];
    for x in keep.values.chunks(2) {
        observed[cell(x[1]) * CELLS + cell(x[0])] += 1;
    }
    let fine = 480;
    let probabilities = |shift: f64| {
        let mut p = vec![0.0; CELLS * CELLS];
        for j in 0..fine {
            for i in 0..fine {
                let at = |i: usize| -6.0 + 12.0 * (i as f64 + 0.5) / fine as f64;
                let (x, y) = (at(i), at(j));
                let weight = (12.0 / fine as f64).powi(2);
                p[cell(y) * CELLS + cell(x)] += density.log_density(&[x - shift, y]).exp() * weight;
            }
        }
        // Cells that expect too few join one.
        let rare: f64 = p.iter().filter(|p| **p * (N as f64) < 10.0).sum();
        (p, rare)
    };
    let join = |values: &[f64], like: &[f64]| {
        let mut joined: Vec<f64> = values
            .iter()
            .zip(like)
            .filter(|(_, p)| **p * N as f64 >= 10.0)
            .map(|(v, _)| *v)
            .collect();
        joined.push(
            values
                .iter()
                .zip(like)
                .filter(|(_, p)| (**p) * (N as f64) < 10.0)
                .map(|(v, _)| *v)
                .sum(),
        );
        joined
    };
    let (exact, _) = probabilities(0.0);
    let expected = join(&exact, &exact);
    let counts: Vec<f64> = observed.iter().map(|n| *n as f64).collect();
    let counts: Vec<u64> = join(&counts, &exact).iter().map(|n| *n as u64).collect();
    let fit = chi_square_gof(&counts, &expected);
    assert!(
        fit.p_value > 1e-3,
        "χ² = {} of {} degrees",
        fit.statistic,
        fit.dof
    );

    // What the test can see: a density shifted by 0.06 (a twentieth of its spread) is found out at
    // the level 0.001 with more than 99 % probability.
    let (shifted, _) = probabilities(0.06);
    let lambda = chi_square_noncentrality(N as u64, &expected, &join(&shifted, &exact));
    let power = chi_square_power(fit.dof, lambda, 1e-3);
    assert!(power > 0.99, "power {power}");
}

/// Whatever the steps, the noise is the same: refining them converges path by path.
#[test]
fn a_path_does_not_change_when_its_steps_are_refined() {
    /// Geometric Brownian motion beside its W.
    struct Pair;
    impl Process for Pair {
        type State<L: Lane> = [L; 2];
        type Noise<L: Lane> = [L; 1];
        #[inline(always)]
        fn drift<L: Lane>(&self, _t: L, x: &[L; 2], f: &mut [L; 2]) {
            *f = [x[0] * 0.3, L::splat(0.0)];
        }
        #[inline(always)]
        fn diffusion<L: Lane>(&self, _t: L, x: &[L; 2], dw: &[L; 1], g: &mut [L; 2]) {
            *g = [x[0] * dw[0] * 0.7, dw[0]];
        }
        fn noise_kind(&self) -> fokker_sim::process::NoiseKind {
            fokker_sim::process::NoiseKind::Commutative
        }
    }
    let plan = Plan::new(200, 0.0, 2.0, 9).save_evenly(8);
    let w = |x: &[f64]| x.chunks(2).map(|x| x[1]).collect::<Vec<_>>();
    let equal = run(
        &Pair,
        &TreeSde::new(Milstein, TreeSteps::Depth(5)),
        &plan,
        &[1.0, 0.0],
    );
    let mut worst = f64::INFINITY;
    for tolerance in [1e-2, 1e-3, 1e-4] {
        let steps = TreeSteps::Tolerance(Tolerance::new(tolerance));
        let x = run(&Pair, &TreeSde::new(Milstein, steps), &plan, &[1.0, 0.0]);
        for (a, b) in w(&x).iter().zip(w(&equal)) {
            assert!((a - b).abs() < 1e-12, "another path of W: {a}, {b}");
        }
        let exact = |x: &[f64], t: f64| ((0.3 - 0.245) * t + 0.7 * x[1]).exp();
        let error = mean(x.chunks(18).map(|x| (x[16] - exact(&x[16..], 2.0)).abs()));
        assert!(
            error < 0.5 * worst,
            "tolerance {tolerance}: error {error} after {worst}"
        );
        worst = error;
    }
    assert!(worst < 0.01, "{worst}");
}

/// x' = √(t(1 − t)) is not a number outside of [0, 1], nor would x be after one evaluation there.
#[test]
fn an_adaptive_solver_stays_inside_its_interval() {
    struct Arcsine;
    impl Process for Arcsine {
        type State<L: Lane> = [L; 1];
        type Noise<L: Lane> = [L; 0];
        #[inline(always)]
        fn drift<L: Lane>(&self, t: L, _x: &[L; 1], f: &mut [L; 1]) {
            f[0] = (t * (-t + 1.0)).sqrt();
        }
    }
    let solver = Adaptive::new(EmbeddedPair::<7>::new(&TSIT5), Tolerance::new(1e-8));
    for (from, to) in [(0.0, 1.0), (1.0, 0.0), (0.1, 0.9)] {
        let mut single = Keep::<f32>::default();
        let plan = Plan::new(3, from, to, 0).save_evenly(7);
        let watch = &mut |_| ControlFlow::Continue(());
        let x = run(&Arcsine, &solver, &plan, &[0.0]);
        assert!(x.iter().all(|x| x.is_finite()));
        let coarse = Adaptive::new(EmbeddedPair::<7>::new(&TSIT5), Tolerance::new(1e-4));
        simulate(
            &Arcsine,
            &coarse,
            &plan,
            &Start::Point(&[0.0]),
            &mut single,
            watch,
        )
        .unwrap();
        assert!(single.values.iter().all(|x| x.is_finite()));
        if from == 0.0 {
            let area = std::f64::consts::PI / 8.0;
            assert!(
                (x[7] - area).abs() < 1e-6 && (f64::from(single.values[7]) - area).abs() < 1e-3
            );
        }
    }
}

/// A ball falls from height 5 at g = 9.81: it lands at √(2·5/9.81), whatever the solver.
#[test]
fn events_stop_a_trajectory_where_they_happen() {
    struct Ball;
    impl Process for Ball {
        type State<L: Lane> = [L; 2];
        type Noise<L: Lane> = [L; 0];
        const EVENTS: bool = true;
        #[inline(always)]
        fn drift<L: Lane>(&self, _t: L, x: &[L; 2], f: &mut [L; 2]) {
            *f = [x[1], L::splat(-9.81)];
        }
        #[inline(always)]
        fn event<L: Lane>(&self, _t: L, x: &[L; 2]) -> L {
            x[0]
        }
    }
    let plan = Plan::new(5, 0.0, 3.0, 0).save_evenly(3);
    let start = |i: u64, x: &mut [f64]| {
        x[0] = 5.0 + i as f64;
        x[1] = 0.0;
    };
    let check = |keep: &Keep<f64>| {
        for (i, (stop, x)) in keep.stops.iter().zip(keep.values.chunks(8)).enumerate() {
            let exact = (2.0 * (5.0 + i as f64) / 9.81).sqrt();
            assert!((stop - exact).abs() < 1e-9, "{stop} instead of {exact}");
            assert!(x[6].abs() < 1e-8, "it lies on the floor: {}", x[6]);
            // Before the event the flight, after it the state at the event.
            assert!((x[2] - (5.0 + i as f64 - 0.5 * 9.81)).abs() < 1e-9);
            assert!((x[7] + 9.81 * exact).abs() < 1e-7);
        }
    };
    let watch = &mut |_| ControlFlow::Continue(());
    let mut keep = Keep::default();
    let adaptive = Adaptive::new(EmbeddedPair::<7>::new(&TSIT5), Tolerance::new(1e-8));
    simulate(
        &Ball,
        &adaptive,
        &plan,
        &Start::Each(&start),
        &mut keep,
        watch,
    )
    .unwrap();
    check(&keep);
    let mut keep = Keep::default();
    let equal = RungeKutta::<6>::new(&TSIT5, 30);
    simulate(&Ball, &equal, &plan, &Start::Each(&start), &mut keep, watch).unwrap();
    check(&keep);
}

#[test]
fn failures_say_what_and_when() {
    /// x' = x²: x = 1/(1 − t) ends at t = 1.
    struct Explosion;
    impl Process for Explosion {
        type State<L: Lane> = [L; 1];
        type Noise<L: Lane> = [L; 0];
        #[inline(always)]
        fn drift<L: Lane>(&self, _t: L, x: &[L; 1], f: &mut [L; 1]) {
            f[0] = x[0] * x[0];
        }
    }
    let watch = &mut |_| ControlFlow::Continue(());
    let mut go = |plan: &Plan, start: &Start<'_>, adaptive: bool| {
        let mut keep = Keep::<f64>::default();
        if adaptive {
            let solver = Adaptive::new(EmbeddedPair::<7>::new(&TSIT5), Tolerance::new(1e-8));
            simulate(&Explosion, &solver, plan, start, &mut keep, watch)
        } else {
            let solver = RungeKutta::<6>::new(&TSIT5, 1000);
            simulate(&Explosion, &solver, plan, start, &mut keep, watch)
        }
    };
    let plan = Plan::new(3, 0.0, 2.0, 0);
    // Only the last of three explodes.
    let start = |i: u64, x: &mut [f64]| x[0] = if i == 2 { 1.0 } else { 0.1 };
    match go(&plan, &Start::Each(&start), true) {
        Err(SimError::StepUnderflow {
            trajectory: 2,
            time,
            bits: 64,
        }) => {
            assert!((time - 1.0).abs() < 1e-6, "{time}");
        }
        other => panic!("{other:?}"),
    }
    let blow_up = go(&plan, &Start::Each(&start), false);
    assert!(
        matches!(blow_up, Err(SimError::BlowUp { trajectory: 2, .. })),
        "{blow_up:?}"
    );

    let point = Start::Point(&[1.0]);
    let refused = |plan: Plan| go_error(&Explosion, &plan, &point);
    let mut outside = Plan::new(1, 0.0, 1.0, 0);
    outside.save = vec![0.5, 1.5];
    assert!(matches!(refused(outside), SimError::SaveOutside { time, .. } if time == 1.5));
    let mut between = Plan::new(1, 0.0, 1.0, 0);
    between.save = vec![0.55];
    match refused(between) {
        SimError::SaveBetween { left, right, .. } => {
            assert!((left - 0.5).abs() + (right - 0.6).abs() < 1e-12)
        }
        other => panic!("{other}"),
    }
    assert!(matches!(
        refused(Plan::new(1, 0.0, f64::NAN, 0)),
        SimError::Interval { .. }
    ));
    assert!(matches!(
        refused(Plan::new(1, 1.0, 1.0, 0)),
        SimError::Interval { .. }
    ));
    let nan = go(&plan, &Start::Point(&[f64::NAN]), true);
    assert!(
        matches!(nan, Err(SimError::StartValue { component: 0, .. })),
        "{nan:?}"
    );
}

fn go_error<P: Process>(process: &P, plan: &Plan, start: &Start<'_>) -> SimError {
    let solver = RungeKutta::<6>::new(&TSIT5, 10);
    let watch = &mut |_| ControlFlow::Continue(());
    simulate(
        process,
        &solver,
        plan,
        start,
        &mut Keep::<f64>::default(),
        watch,
    )
    .unwrap_err()
}

/// Stiff: μ = 1000 with the implicit method takes few steps; its period is known by asymptotics.
#[test]
fn a_stiff_oscillator_has_its_period() {
    use fokker_math::rosenbrock::RODAS5P;
    use fokker_sim::solver::Rosenbrock;
    let mu = 1000.0;
    let process = VanDerPol::new(mu).unwrap();
    let tolerance = Tolerance {
        rtol: 1e-8,
        atol: 1e-8,
        max_steps: 20_000,
    };
    let solver = Adaptive::new(Rosenbrock::new(&RODAS5P), tolerance);
    let plan = Plan::new(1, 0.0, 3000.0, 0).save_evenly(3000);
    let x = run(&process, &solver, &plan, &[2.0, 0.0]);
    let up: Vec<usize> = (1..=3000)
        .filter(|&k| x[2 * (k - 1)] < 0.0 && x[2 * k] >= 0.0)
        .collect();
    assert!(up.len() == 2 || up.len() == 1, "{up:?}");
    // T ≈ (3 − 2 ln 2) μ + 7.01432 μ^{−1/3} (Dorodnicyn 1947).
    let period = (3.0 - 2.0 * 2f64.ln()) * mu + 7.014_32 * mu.powf(-1.0 / 3.0);
    let down: Vec<usize> = (1..=3000)
        .filter(|&k| x[2 * (k - 1)] >= 0.0 && x[2 * k] < 0.0)
        .collect();
    let half = (up[0] as f64 - down[0] as f64).abs();
    assert!(
        (half - 0.5 * period).abs() < 1.5,
        "half a period is {half}, exact {}",
        0.5 * period
    );
}
