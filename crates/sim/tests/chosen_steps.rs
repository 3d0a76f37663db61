//! Steps chosen with a look at the noise keep the law, or are refused; long work can be stopped.

use std::ops::ControlFlow;

use fokker_math::law::Ou;
use fokker_math::stats::{ks_p_value, ks_statistic, normal_cdf};
use fokker_sim::SimError;
use fokker_sim::ensemble::{Ended, Keep, Plan, Progress, Start, simulate};
use fokker_sim::process::{
    Brownian, Converted, GeometricBrownian, Heston, OrnsteinUhlenbeck, Process,
};
use fokker_sim::solver::{
    EulerMaruyama, FixedSde, Milstein, SdeMethod, Sra1, StochasticHeun, Tolerance, TreeSde,
    TreeSteps,
};

const N: u64 = 20_000;

fn chosen<M: SdeMethod, P: Process>(
    process: &P,
    method: M,
    tolerance: f64,
    start: &[f64],
) -> Result<Vec<f64>, SimError> {
    let solver = TreeSde::new(method, TreeSteps::Tolerance(Tolerance::new(tolerance)));
    let mut keep = Keep::<f64>::default();
    let watch = &mut |_| ControlFlow::Continue(());
    let plan = Plan::new(N, 0.0, 1.0, 3);
    simulate(
        process,
        &solver,
        &plan,
        &Start::Point(start),
        &mut keep,
        watch,
    )?;
    Ok(keep.values)
}

/// Kolmogorov and Smirnov's p for values that `standard` makes standard normal.
fn p_value(values: Vec<f64>, standard: impl Fn(f64) -> f64) -> f64 {
    let mut z: Vec<f64> = values.into_iter().map(standard).collect();
    z.sort_by(f64::total_cmp);
    ks_p_value(ks_statistic(&z, normal_cdf), z.len())
}

/// ln X_t is normal with mean (μ − σ²/2) t and variance σ² t.
#[test]
fn noise_that_depends_on_the_state_keeps_its_law() {
    let (mu, sigma) = (0.05, 1.0);
    let process = GeometricBrownian::new(mu, sigma).unwrap();
    let standard = |x: f64| (x.ln() - (mu - 0.5 * sigma * sigma)) / sigma;
    let p = p_value(chosen(&process, Milstein, 1e-3, &[1.0]).unwrap(), standard);
    assert!(p > 1e-3, "Milstein: {p}");
    let converted = Converted(process);
    let x = chosen(&converted, StochasticHeun, 1e-3, &[1.0]).unwrap();
    let p = p_value(x, standard);
    assert!(p > 1e-3, "stochastic Heun: {p}");
}

#[test]
fn additive_noise_keeps_its_law() {
    let law = Ou {
        theta: 1.0,
        sigma: 0.8,
    };
    let process = OrnsteinUhlenbeck::new(law.theta, 0.0, law.sigma).unwrap();
    let standard = |x: f64| (x - law.mean(2.0, 1.0)) / law.variance(1.0).sqrt();
    fn check<M: SdeMethod>(process: &OrnsteinUhlenbeck, method: M, f: impl Fn(f64) -> f64) {
        let p = p_value(chosen(process, method, 1e-3, &[2.0]).unwrap(), f);
        assert!(p > 1e-3, "{}: {p}", M::TITLE);
    }
    check(&process, EulerMaruyama, standard);
    check(&process, Milstein, standard);
    check(&process, StochasticHeun, standard);
    check(&process, Sra1, standard);
}

/// Euler and Maruyama's steps, chosen so for geometric Brownian motion with σ = 1, gave a mean of
/// 1.21 in place of e^0.05 = 1.05 at a tolerance of 10⁻³, and no less at a smaller one.
#[test]
fn what_would_change_the_law_is_refused() {
    let gbm = GeometricBrownian::new(0.05, 1.0).unwrap();
    let refusal = chosen(&gbm, EulerMaruyama, 1e-3, &[1.0]).unwrap_err();
    let message = refusal.to_string();
    assert!(matches!(refusal, SimError::Adaptive { .. }), "{message}");
    for part in [
        "Euler–Maruyama",
        "milstein",
        "stochastic-heun",
        "equal steps",
    ] {
        assert!(message.contains(part), "{part}: {message}");
    }
    let heston = Heston::new(0.05, 2.0, 0.04, 0.3, -0.7).unwrap();
    for refusal in [
        chosen(&heston, EulerMaruyama, 1e-3, &[1.0, 0.04]).unwrap_err(),
        chosen(&Converted(heston), StochasticHeun, 1e-3, &[1.0, 0.04]).unwrap_err(),
    ] {
        let message = refusal.to_string();
        assert!(matches!(refusal, SimError::Adaptive { .. }), "{message}");
        assert!(!message.contains("milstein"), "{message}");
    }
}

/// A single trajectory of 2³² steps: it would take a minute.
#[test]
fn a_long_trajectory_stops_when_it_is_asked_to() {
    let process = Brownian::new(1.0).unwrap();
    let solver = FixedSde::new(EulerMaruyama, 1 << 32);
    let mut keep = Keep::<f64>::default();
    let mut last = Progress::default();
    let watch = &mut |progress: Progress| {
        assert!(
            progress.share >= last.share && progress.share < 1.0,
            "{progress:?}"
        );
        assert_eq!(progress.trajectories, 0);
        last = progress;
        match progress.share > 0.0 {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    };
    let plan = Plan::new(1, 0.0, 1.0, 0);
    let ended = simulate(
        &process,
        &solver,
        &plan,
        &Start::Point(&[0.0]),
        &mut keep,
        watch,
    );
    assert_eq!(ended, Ok(Ended::Stopped(0)));
    assert!(keep.values.is_empty());
}

/// Looking up between the steps changes no bit and saves nothing.
#[test]
fn looking_up_changes_nothing() {
    let process = OrnsteinUhlenbeck::new(1.0, 0.0, 1.0).unwrap();
    let solver = FixedSde::new(EulerMaruyama, 300_000);
    let run = |save: &[f64]| {
        let mut keep = Keep::<f64>::default();
        let mut plan = Plan::new(3, 0.0, 3.0, 1);
        plan.save = save.to_vec();
        let watch = &mut |_| ControlFlow::Continue(());
        simulate(
            &process,
            &solver,
            &plan,
            &Start::Point(&[1.0]),
            &mut keep,
            watch,
        )
        .unwrap();
        keep.values
    };
    let few = run(&[1.0, 3.0]);
    // 50,000 steps from one save time to the next: nobody looks up.
    let many = run(&[0.5, 1.0, 1.5, 2.0, 2.5, 3.0]);
    let picked: Vec<f64> = many.chunks(6).flat_map(|x| [x[1], x[5]]).collect();
    assert_eq!(few, picked);
}
