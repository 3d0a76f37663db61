//! The Ornstein–Uhlenbeck process.

use fokker_eval::field::{Bins, Line, sampled};
use fokker_eval::figure::{Histogram, HistogramPanel, LineChart, PathPanel, PathPanels, Series};
use fokker_math::law::Ou;
use fokker_math::tableau::EULER;
use fokker_sim::ensemble::{Plan, Start};
use fokker_sim::process::{Linear, OrnsteinUhlenbeck};
use fokker_sim::solver::{EulerMaruyama, FixedSde, RungeKutta};

use super::LabError;
use super::bench::{Bench, Paths};
use crate::check::{
    Check, chain_covariance, covariance, covariance_error, fixed, ks, mean_variance, normal,
    normal_density, normal_moments, variance_check,
};
use crate::report::LabSection;

pub(super) const TITLE: &str = "The Ornstein–Uhlenbeck process";

const THETA: f64 = 0.25;
const SIGMAS: [f64; 4] = [0.0, 0.25, 0.5, 1.0];
const STARTS: [f64; 3] = [-10.0, 0.0, 10.0];
const END: f64 = 20.0;
/// Paths from each start, and every how many of them one is drawn.
const EACH: u64 = 500;
const EVERY: usize = 12;
/// Paths for the tests of the law, their start and their steps.
const MANY: u64 = 40_000;
const X0: f64 = 10.0;
const STEPS: u32 = 200;

const THEORY: &str = "\
dX = −θX dt + σ dW pulls towards 0 and shakes at the same time. From x₀ the law at time t is normal with \
mean x₀e⁻ᶿᵗ and variance D(1 − e⁻²ᶿᵗ), where D = σ²/2θ; after long times it is N(0, D) wherever it began. \
The autocovariance of the past at s and the present at t ≥ s is e⁻ᶿ⁽ᵗ⁻ˢ⁾ Var Xₛ.\n\n\
Euler–Maruyama, X ← X − θhX + σ√h ε, has a normal law as well: after n steps its mean is x₀(1 − θh)ⁿ, and \
its stationary variance is σ²h/(1 − (1 − θh)²), a little above D.";

fn exact(sigma: f64) -> Ou {
    Ou {
        theta: THETA,
        sigma,
    }
}

pub(super) fn section(bench: &mut Bench<'_>) -> Result<LabSection, LabError> {
    let mut panels = PathPanels::new("Ornstein–Uhlenbeck paths for four strengths of noise")
        .subtitle("θ = 0.25, 500 paths from each of three starts, every twelfth drawn; right: all of them at t = 20")
        .x_label("t")
        .y_label("X")
        .columns(2);
    let mut checks = Vec::new();
    for sigma in SIGMAS {
        let (panel, check) = panel(bench, sigma)?;
        panels = panels.panel(panel);
        checks.extend(check);
    }
    let (terminal, laws, paths) = laws(bench)?;
    let (chart, covariances) = autocovariance(&paths);
    let (steps, stationary) = stationary(bench)?;
    Ok(LabSection::new(TITLE, THEORY)
        .figure(
            panels,
            "Without noise all paths follow the flow of the last section. With it they forget where \
             they began, and spread until the pull balances the noise.",
        )
        .checks(checks)
        .figure(
            terminal,
            "The law at t = 20 of 40 000 paths from x₀ = 10 in 200 steps, with the equation's exact density.",
        )
        .checks(laws)
        .figure(
            chart,
            "The memory of the process fades with rate θ. The measured line lies on the chain's; at \
             h = 0.1 that of the equation is 1.3 % lower.",
        )
        .checks(covariances)
        .figure(
            steps,
            "The longer the step, the wider the law that Euler–Maruyama settles in; from h = 2/θ = 8 on \
             there is none.",
        )
        .checks(stationary))
}

/// Paths from all starts, the exact band of each start, and the terminal law.
fn panel(bench: &mut Bench<'_>, sigma: f64) -> Result<(PathPanel, Vec<Check>), LabError> {
    let law = exact(sigma);
    let place = |k: u64, x: &mut [f64]| x[0] = STARTS[(k / EACH) as usize];
    let process = OrnsteinUhlenbeck::new(THETA, 0.0, sigma)?;
    let plan = Plan::new(EACH * STARTS.len() as u64, 0.0, END, bench.seed()).save_evenly(1000);
    let solver = FixedSde::new(EulerMaruyama, 1000);
    let paths = bench.run(&process, &solver, &plan, &Start::Each(&place))?;
    let drawn = paths.lines(1.0).into_iter().step_by(EVERY);
    let mut panel = PathPanel::new(format!("σ = {sigma}")).paths("paths", drawn.collect());
    let last = paths.last();
    for x0 in STARTS {
        let std = |t| law.variance(t).sqrt();
        let mean = sampled((0.0, END), 100, |t| law.mean(x0, t));
        let around = |(t, m): &(f64, f64)| (*t, m - 2.0 * std(*t), m + 2.0 * std(*t));
        if sigma > 0.0 {
            panel = panel.band("exact mean ± 2 std", mean.iter().map(around).collect());
        }
        panel = panel.curve("exact mean ± 2 std", mean);
    }
    if sigma == 0.0 {
        // The same chain as Euler's method: not a close number, the same bits.
        let linear = Linear::new(THETA)?;
        let solver = RungeKutta::<1>::new(&EULER, 1000);
        let euler = bench.run(&linear, &solver, &plan, &Start::Each(&place))?;
        let check = Check::error(
            "σ = 0: Euler–Maruyama − Euler, 1 500 paths at 1 001 times",
            paths.distance(&euler),
            0.0,
        );
        return Ok((panel, vec![check]));
    }
    // The laws of the starts lie nearly on each other at t = 20, about 0 and ±10e⁻⁵: their mixture.
    let share = 1.0 / STARTS.len() as f64;
    let variance = law.variance(END);
    let density = |x| {
        let each = STARTS.iter();
        each.map(|x0| share * normal_density(law.mean(*x0, END), variance)(x))
            .sum()
    };
    let reach = 4.0 * variance.sqrt() + 0.1;
    panel = panel.marginal(Bins::of(&last), sampled((-reach, reach), 160, density));
    let h = END / 1000.0;
    // Deviations from each start's own mean are one normal sample.
    let chain = law.em_variance(h, 1000);
    let off: Vec<f64> = last
        .iter()
        .enumerate()
        .map(|(k, x)| x - law.em_mean(STARTS[k / EACH as usize], h, 1000))
        .collect();
    panel = panel.note(format!(
        "variance at t = 20: {}, exact {}",
        fixed(mean_variance(&off).1, 4),
        fixed(variance, 4)
    ));
    let name = format!("σ = {sigma}: the 1 500 paths at t = 20 less their exact means");
    Ok((panel, vec![ks(name, &off, normal(0.0, chain))]))
}

/// Terminal laws of many paths, and the paths of the last σ for the autocovariance.
fn laws(bench: &mut Bench<'_>) -> Result<(Histogram, Vec<Check>, Paths), LabError> {
    let mut figure = Histogram::new("The law at t = 20")
        .x_label("X at t = 20")
        .columns(3)
        .free_x()
        .free_y();
    let (mut checks, mut kept) = (Vec::new(), None);
    let h = END / f64::from(STEPS);
    for sigma in &SIGMAS[1..] {
        let law = exact(*sigma);
        let process = OrnsteinUhlenbeck::new(THETA, 0.0, *sigma)?;
        let plan = Plan::new(MANY, 0.0, END, bench.seed()).save_evenly(20);
        let solver = FixedSde::new(EulerMaruyama, STEPS as usize);
        let paths = bench.run(&process, &solver, &plan, &Start::Point(&[X0]))?;
        let last = paths.last();
        let (mean, variance) = (law.mean(X0, END), law.variance(END));
        let chain = (law.em_mean(X0, h, STEPS), law.em_variance(h, STEPS));
        let reach = 4.2 * variance.sqrt();
        let test = ks(
            format!("σ = {sigma}: X₂₀ against the chain's normal law"),
            &last,
            normal(chain.0, chain.1),
        );
        figure = figure.panel(
            HistogramPanel::new(format!("σ = {sigma}"))
                .bars("40 000 paths", Bins::of(&last))
                .curve(
                    "exact density",
                    sampled(
                        (mean - reach, mean + reach),
                        160,
                        normal_density(mean, variance),
                    ),
                )
                .note(format!("KS {}", test.measured)),
        );
        let [mut m, mut v] = normal_moments(&format!("X₂₀, σ = {sigma}"), &last, chain);
        m.name += &format!(" (equation: {})", fixed(mean, 4));
        v.name += &format!(" (equation: {})", fixed(variance, 4));
        checks.extend([m, v, test]);
        kept = Some(paths);
    }
    let kept = kept.expect("there are several σ");
    // Halfway the mean is far from 0: a wrong θ shows here.
    let law = exact(1.0);
    let at_5 = (law.em_mean(X0, h, 50), law.em_variance(h, 50));
    let equation = [law.mean(X0, 5.0), law.variance(5.0)];
    let early = normal_moments("X₅, σ = 1", &kept.at(5), at_5);
    for (mut check, equation) in early.into_iter().zip(equation) {
        check.name += &format!(" (equation: {})", fixed(equation, 4));
        checks.push(check);
    }
    Ok((figure, checks, kept))
}

/// Cov(X₁₀, X₁₀₊ₗ) of the paths with σ = 1.
fn autocovariance(paths: &Paths) -> (LineChart, Vec<Check>) {
    let (law, h, s) = (exact(1.0), END / f64::from(STEPS), 10);
    let before = paths.at(s);
    let n = before.len() as f64;
    let (mut measured, mut chain, mut checks) = (Line::new(), Line::new(), Vec::new());
    for lag in 0..=10 {
        let k = s + lag;
        let [m, n_steps] = [s, k].map(|k| 10 * k as u32);
        let c = chain_covariance(&law, h, m, n_steps);
        let found = covariance(&before, &paths.at(k));
        measured.push((lag as f64, found));
        chain.push((lag as f64, c));
        if [1, 2, 4, 8].contains(&lag) {
            let variances = [law.em_variance(h, m), law.em_variance(h, n_steps)];
            let equation = fixed(law.autocovariance(10.0, 10.0 + lag as f64), 4);
            checks.push(Check::estimate(
                format!("Cov(X₁₀, X at t = {}) (equation: {equation})", 10 + lag),
                found,
                c,
                covariance_error(c, variances, n),
            ));
        }
    }
    let equation = sampled((0.0, 10.0), 60, |l| law.autocovariance(10.0, 10.0 + l));
    let chart = LineChart::new("Autocovariance")
        .subtitle("Cov(X₁₀, X at 10 + lag) for σ = 1 over 40 000 paths")
        .x_label("lag")
        .y_label("covariance")
        .series(Series::new("measured", measured))
        .series(Series::new("the chain, h = 0.1", chain).dashed())
        .series(Series::new("the equation", equation).dashed());
    (chart, checks)
}

/// The variance that Euler–Maruyama settles in, against the step.
fn stationary(bench: &mut Bench<'_>) -> Result<(LineChart, Vec<Check>), LabError> {
    let law = exact(1.0);
    let (mut measured, mut checks) = (Line::new(), Vec::new());
    // Over 100 steps (1 − θh)²ⁿ is below 10⁻¹¹ for each h.
    let steps = 100;
    for h in (1..=12).map(|k| 0.5 * f64::from(k)) {
        let process = OrnsteinUhlenbeck::new(THETA, 0.0, 1.0)?;
        let plan = Plan::new(MANY / 2, 0.0, h * f64::from(steps), bench.seed());
        let solver = FixedSde::new(EulerMaruyama, steps as usize);
        let last = bench
            .run(&process, &solver, &plan, &Start::Point(&[0.0]))?
            .last();
        let variance = mean_variance(&last).1;
        measured.push((h, variance));
        if [1.0, 2.0, 4.0, 6.0].contains(&h) {
            let name = format!("stationary variance, h = {h} (equation: D = 2)");
            checks.push(variance_check(
                name,
                variance,
                law.em_stationary_variance(h).unwrap_or(f64::NAN),
                last.len() as f64,
            ));
        }
    }
    let formula = sampled((0.05, 6.0), 80, |h| {
        law.em_stationary_variance(h).unwrap_or(f64::NAN)
    });
    let chart = LineChart::new("What a long step does to the stationary variance")
        .subtitle("θ = 0.25, σ = 1; 20 000 paths of 100 steps for each of twelve steps h")
        .x_label("step h")
        .y_label("variance")
        .y_range(0.0, 8.5)
        .series(Series::new("measured", measured))
        .series(Series::new("σ²h/(1 − (1 − θh)²)", formula).dashed())
        .reference(2.0, "D = σ²/2θ of the equation");
    Ok((chart, checks))
}
