//! Brownian motion.

use fokker_eval::field::{Bins, sampled};
use fokker_eval::figure::{PathPanel, PathPanels};
use fokker_math::law;
use fokker_math::stats::normal_cdf;
use fokker_sim::ensemble::{Plan, Start};
use fokker_sim::process::Brownian;
use fokker_sim::solver::{EulerMaruyama, FixedSde};

use super::LabError;
use super::bench::Bench;
use crate::check::{
    Check, covariance, covariance_error, fixed, ks, mean_variance, normal, normal_density,
    normal_moments, variance_check,
};
use crate::report::LabSection;

pub(super) const TITLE: &str = "Brownian motion";

const EXACT: law::Brownian = law::Brownian { sigma: 1.0 };
const END: f64 = 5.0;
const PATHS: u64 = 500;
/// Paths for the tests of the law, and their steps.
const MANY: u64 = 50_000;
const STEPS: usize = 20;

const THEORY: &str = "\
Brownian motion W starts at 0 and has independent increments Wₜ − Wₛ ~ N(0, t − s). A simulation adds \
them up: X ← X + σ√h ε with ε ~ N(0, 1). So Xₜ ~ N(0, σ²t) at every step, whatever h is, and 95.4 % of \
all paths lie between ±2σ√t at any one time.";

pub(super) fn section(bench: &mut Bench<'_>) -> Result<LabSection, LabError> {
    let process = Brownian::new(EXACT.sigma)?;
    let plan = Plan::new(PATHS, 0.0, END, bench.seed()).save_evenly(500);
    let solver = FixedSde::new(EulerMaruyama, 500);
    let paths = bench.run(&process, &solver, &plan, &Start::Point(&[0.0]))?;
    let last = paths.last();
    let variance = EXACT.variance(END);
    let std = variance.sqrt();
    let band = sampled((0.0, END), 200, |t| 2.0 * EXACT.variance(t).sqrt());
    let measured = mean_variance(&last).1;
    let figure = PathPanels::new("Brownian motion")
        .subtitle("σ = 1, 500 paths of 500 steps from X₀ = 0; right: the law at t = 5 and N(0, 5)")
        .x_label("t")
        .y_label("X")
        .panel(
            PathPanel::new("")
                .paths("500 paths", paths.lines(1.0))
                .band("±2σ√t", band.into_iter().map(|(t, s)| (t, -s, s)).collect())
                .marginal(
                    Bins::of(&last),
                    sampled((-4.0 * std, 4.0 * std), 160, normal_density(0.0, variance)),
                )
                .note(format!(
                    "variance at t = 5: {}, exact σ²t = {}",
                    fixed(measured, 3),
                    fixed(variance, 0)
                )),
        );
    let n = last.len() as f64;
    let within = last.iter().filter(|x| x.abs() <= 2.0 * std).count() as f64 / n;
    let share = 1.0 - 2.0 * normal_cdf(-2.0);
    let shown = [
        variance_check("the 500 paths: variance of X₅, σ²t", measured, variance, n),
        Check::estimate(
            "the 500 paths: share within ±2σ√t at t = 5",
            within,
            share,
            (share * (1.0 - share) / n).sqrt(),
        ),
        ks(
            "the 500 paths: X₅ against N(0, 5)",
            &last,
            normal(0.0, variance),
        ),
    ];
    Ok(LabSection::new(TITLE, THEORY)
        .figure(
            figure,
            "The band holds 95.4 % of the paths at each time; it grows like √t, not like t. The checks first \
             take the 500 paths as drawn, then 50 000 paths of 20 steps: enough that σ wrong by 3 %, or one \
             step too few, cannot hide.",
        )
        .checks(shown)
        .checks(law_checks(bench)?))
}

fn law_checks(bench: &mut Bench<'_>) -> Result<Vec<Check>, LabError> {
    let process = Brownian::new(EXACT.sigma)?;
    let plan = Plan::new(MANY, 0.0, END, bench.seed()).save_evenly(STEPS);
    let solver = FixedSde::new(EulerMaruyama, STEPS);
    let paths = bench.run(&process, &solver, &plan, &Start::Point(&[0.0]))?;
    let n = MANY as f64;
    let mut checks = Vec::new();
    for k in [5, 10, 20] {
        let t = paths.times[k];
        checks.extend(normal_moments(
            &format!("50 000 values of X at t = {t}"),
            &paths.at(k),
            (0.0, EXACT.variance(t)),
        ));
    }
    let last = paths.last();
    checks.push(ks(
        "50 000 values of X₅ against N(0, 5)",
        &last,
        normal(0.0, EXACT.variance(END)),
    ));
    let (half, c) = (paths.at(10), EXACT.covariance(2.5, END));
    checks.push(Check::estimate(
        "Cov(X₂.₅, X₅) = σ² min(2.5, 5)",
        covariance(&half, &last),
        c,
        covariance_error(c, [c, EXACT.variance(END)], n),
    ));

    // All increments, one after another for each path: neighbours within a path are tested.
    let row = STEPS + 1;
    let steps: Vec<f64> = paths
        .values()
        .chunks_exact(row)
        .flat_map(|path| path.windows(2).map(|w| w[1] - w[0]))
        .collect();
    let unit = EXACT.variance(END / STEPS as f64);
    checks.push(ks(
        "the 1 000 000 increments against N(0, σ²h)",
        &steps,
        normal(0.0, unit),
    ));
    let products = |power: i32, mean: f64| {
        let pairs = steps.chunks_exact(STEPS).flat_map(|path| path.windows(2));
        let sum: f64 = pairs
            .map(|w| (w[0].powi(power) - mean) * (w[1].powi(power) - mean))
            .sum();
        sum / (n * (STEPS - 1) as f64)
    };
    // Products of independent neighbours are uncorrelated, so their mean has a plain error.
    let root = (n * (STEPS - 1) as f64).sqrt();
    checks.push(Check::estimate(
        "correlation of neighbouring increments",
        products(1, 0.0) / unit,
        0.0,
        1.0 / root,
    ));
    checks.push(Check::estimate(
        "correlation of their squares",
        products(2, unit) / (2.0 * unit * unit),
        0.0,
        1.0 / root,
    ));
    Ok(checks)
}
