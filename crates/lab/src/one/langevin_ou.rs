//! Langevin dynamics to a normal law is the Ornstein–Uhlenbeck process.

use fokker_eval::field::{Bins, sampled};
use fokker_eval::figure::{PathPanel, PathPanels};
use fokker_math::density::Gaussian;
use fokker_math::law::Ou;
use fokker_sim::density::Gaussian as LaneGaussian;
use fokker_sim::ensemble::{Plan, Start};
use fokker_sim::process::{Fixed, Langevin, OrnsteinUhlenbeck};
use fokker_sim::solver::{EulerMaruyama, FixedSde};

use super::LabError;
use super::bench::{Bench, Paths};
use crate::check::{Check, ks, normal, normal_density, normal_moments};
use crate::report::LabSection;

pub(super) const TITLE: &str = "Langevin dynamics to N(0, σ²/2θ) is Ornstein–Uhlenbeck";

const LAW: Ou = Ou {
    theta: 0.25,
    sigma: 1.0,
};
const END: f64 = 20.0;
const STEPS: usize = 400;
const MANY: u64 = 40_000;
const DRAWN: usize = 60;

const THEORY: &str = "\
For p = N(0, D) the score is −x/D. With D = σ²/2θ the Langevin drift is ½σ²·(−x/D) = −θx, which is the drift \
of Ornstein–Uhlenbeck: the two equations are one. Simulated with the same random numbers, the two programs, \
which share no line of their drift, must give the same paths up to rounding.";

fn panel(title: &str, name: &str, paths: &Paths, d: f64) -> PathPanel {
    let last = paths.last();
    let mut lines = paths.lines(1.0);
    lines.truncate(DRAWN);
    PathPanel::new(title)
        .paths(name, lines)
        .marginal(
            Bins::of(&last),
            sampled(
                (-4.0 * d.sqrt(), 4.0 * d.sqrt()),
                160,
                normal_density(0.0, d),
            ),
        )
        .level("±2√D", 2.0 * d.sqrt())
        .level("±2√D", -2.0 * d.sqrt())
}

pub(super) fn section(bench: &mut Bench<'_>) -> Result<LabSection, LabError> {
    let d = LAW.sigma * LAW.sigma / (2.0 * LAW.theta);
    let exact = Gaussian::isotropic(&[0.0], d.sqrt())?;
    let langevin = Langevin::<_, Fixed<1>>::new(LaneGaussian::from(&exact), LAW.sigma)?;
    let ou = OrnsteinUhlenbeck::new(LAW.theta, 0.0, LAW.sigma)?;
    let plan = Plan::new(MANY, 0.0, END, bench.seed()).save_evenly(100);
    let solver = FixedSde::new(EulerMaruyama, STEPS);
    let spread = |k: u64, x: &mut [f64]| x[0] = if k.is_multiple_of(2) { 6.0 } else { -6.0 };
    let by_score = bench.run(&langevin, &solver, &plan, &Start::Each(&spread))?;
    let by_ou = bench.run(&ou, &solver, &plan, &Start::Each(&spread))?;

    let figure = PathPanels::new("One process, written twice")
        .subtitle("σ = 1, θ = 0.25, D = 2; the same 60 of 40 000 paths from ±6; right: all at t = 20, and N(0, D)")
        .x_label("t")
        .y_label("X")
        .columns(2)
        .panel(panel("Langevin, ½σ²∇ln p", "paths", &by_score, d))
        .panel(panel("Ornstein–Uhlenbeck, −θx", "paths", &by_ou, d));

    let h = END / STEPS as f64;
    let (mean, chain) = (
        LAW.em_mean(6.0, h, STEPS as u32),
        LAW.em_variance(h, STEPS as u32),
    );
    // Less the means of the two starts, which at t = 20 are ±0.04.
    let off: Vec<f64> = by_score
        .last()
        .iter()
        .enumerate()
        .map(|(k, x)| x - if k % 2 == 0 { mean } else { -mean })
        .collect();
    let mut checks = vec![Check::error(
        "largest difference of the two, 40 000 paths at 101 times",
        by_score.distance(&by_ou),
        1e-12,
    )];
    checks.extend(normal_moments(
        "Langevin at t = 20, less its mean",
        &off,
        (0.0, chain),
    ));
    checks.push(ks(
        "Langevin at t = 20, less its mean, against the chain's law",
        &off,
        normal(0.0, chain),
    ));
    Ok(LabSection::new(TITLE, THEORY)
        .figure(
            figure,
            "Side by side with the same seed: not alike but the same, path by path.",
        )
        .checks(checks))
}
