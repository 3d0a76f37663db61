//! One law at three speeds: Ornstein–Uhlenbeck over t·σ².

use fokker_eval::figure::{PathPanel, PathPanels};
use fokker_math::law::Ou;
use fokker_sim::ensemble::{Plan, Start};
use fokker_sim::process::OrnsteinUhlenbeck;
use fokker_sim::solver::{EulerMaruyama, FixedSde};

use super::LabError;
use super::bench::{Bench, Paths};
use crate::check::{Check, ks_two, mean_variance, variance_check};
use crate::report::LabSection;

pub(super) const TITLE: &str = "Rescaling time: only D matters";

const SIGMAS: [f64; 3] = [1.0, 2.0, 10.0];
const DS: [f64; 3] = [0.25, 1.0, 4.0];
/// The length of the figure in units of t·σ².
const SPAN: f64 = 10.0;
/// Paths of a panel, from evenly spaced starts within ± this.
const PATHS: u64 = 20;
const FAR: f64 = 20.0;
/// Paths for the tests of the law.
const MANY: u64 = 40_000;
/// Steps of D/10 in t·σ²: θh = 1/20, and 240 of them reach 12 relaxation times.
const STEPS: u32 = 240;

const THEORY: &str = "\
Write τ = t·σ². With D = σ²/2θ the equation dX = −θX dt + σ dW becomes dX = −X/(2D) dτ + dW(τ): σ and θ \
are gone, and only D is left. Paths with the same D therefore follow one law over t·σ², with stationary \
variance D, however fast they are in t. Down a column of the figure D grows by 4, along a row θ and σ² \
grow together.";

pub(super) fn section(bench: &mut Bench<'_>) -> Result<LabSection, LabError> {
    let mut figure = PathPanels::new("Nine Ornstein–Uhlenbeck processes over rescaled time")
        .subtitle("Rows of equal D = σ²/2θ; 20 paths each from −20 to 20, 1000 steps; dashed: ±2√D")
        .x_label("t·σ²")
        .y_label("X")
        .columns(3);
    let mut checks = Vec::new();
    for d in DS {
        let shared = bench.seed();
        let mut coupled: Vec<Paths> = Vec::new();
        let mut ends: Vec<Vec<f64>> = Vec::new();
        for sigma in SIGMAS {
            let theta = sigma * sigma / (2.0 * d);
            let process = OrnsteinUhlenbeck::new(theta, 0.0, sigma)?;
            let spread = |k: u64, x: &mut [f64]| {
                x[0] = FAR * (2.0 * k as f64 / (PATHS - 1) as f64 - 1.0);
            };
            let solver = FixedSde::new(EulerMaruyama, 1000);
            let end = SPAN / (sigma * sigma);
            let own = Plan::new(PATHS, 0.0, end, bench.seed()).save_evenly(500);
            let paths = bench.run(&process, &solver, &own, &Start::Each(&spread))?;
            let plan = Plan {
                seed: shared,
                ..own.clone()
            };
            coupled.push(bench.run(&process, &solver, &plan, &Start::Each(&spread))?);

            let h = d / (10.0 * sigma * sigma);
            let many = Plan::new(MANY, 0.0, h * f64::from(STEPS), bench.seed());
            let solver = FixedSde::new(EulerMaruyama, STEPS as usize);
            let last = bench
                .run(&process, &solver, &many, &Start::Point(&[0.0]))?
                .last();
            let law = Ou { theta, sigma };
            let measured = mean_variance(&last).1;
            figure = figure.panel(
                PathPanel::new(format!("σ = {sigma}, θ = {theta}, D = {d}"))
                    .paths("paths", paths.lines(sigma * sigma))
                    .level("±2√D", 2.0 * d.sqrt())
                    .level("±2√D", -2.0 * d.sqrt()),
            );
            checks.push(variance_check(
                format!("D = {d}: stationary variance at σ = {sigma}, θ = {theta} (equation: {d})"),
                measured,
                law.em_variance(h, STEPS),
                last.len() as f64,
            ));
            ends.push(last);
        }
        for (a, b) in [(0, 1), (0, 2), (1, 2)] {
            let name = format!(
                "D = {d}: one law at σ = {} and at σ = {}",
                SIGMAS[a], SIGMAS[b]
            );
            checks.push(ks_two(name, &ends[a], &ends[b]));
        }
        let apart = coupled[0]
            .distance(&coupled[1])
            .max(coupled[0].distance(&coupled[2]));
        checks.push(Check::error(
            format!("D = {d}: paths with the same random numbers, largest difference over σ"),
            apart,
            1e-11,
        ));
    }
    Ok(LabSection::new(TITLE, THEORY)
        .figure(
            figure,
            "Every panel has its own random numbers. Along a row the paths look alike, and they are: with \
             the same random numbers they coincide to rounding, as the checks say. The variances there are \
             those of 40 000 paths of 240 steps with θh = 1/20, 2.6 % above D as Euler–Maruyama's are.",
        )
        .checks(checks))
}
