//! The linear equation: its flow, Euler's method, orders of convergence.

use fokker_eval::field::{Line, sampled};
use fokker_eval::figure::{LineChart, PathPanel, PathPanels, Series};
use fokker_math::law::Linear as Exact;
use fokker_math::stats::slope;
use fokker_math::tableau::{EULER, HEUN, MIDPOINT, RK3, RK4};
use fokker_sim::ensemble::{Plan, Start};
use fokker_sim::process::Linear;
use fokker_sim::solver::{RungeKutta, Solver};

use super::LabError;
use super::bench::Bench;
use crate::check::Check;
use crate::report::LabSection;

pub(super) const TITLE: &str = "The flow of a linear ODE, and Euler's method";

const EXACT: Exact = Exact { theta: 2.0 };
const X0: f64 = 2.0;
/// log₂ of the numbers of steps in the chart of errors.
const DOUBLINGS: std::ops::RangeInclusive<u32> = 2..=9;
/// Those from which the order is measured: smaller ones are not yet on the line.
const ON_THE_LINE: u32 = 5;

const THEORY: &str = "\
An ordinary differential equation dx/dt = u(x) moves every point along the vector field u; its flow ψₜ \
maps a start x₀ to the place at time t. For u(x) = −θx the flow is ψₜ(x₀) = x₀ e⁻ᶿᵗ: lines never meet, \
as they must not for a Lipschitz field.\n\n\
Euler's method takes n steps X ← X + h u(X) of length h = 1/n and so gives X₁ = x₀(1 − θ/n)ⁿ exactly. A \
method of order p has an error that falls like n⁻ᵖ: a line of slope −p on logarithmic axes.";

/// x(1) of x₀ = 2.
fn end(bench: &mut Bench<'_>, solver: &impl Solver) -> Result<f64, LabError> {
    let plan = Plan::new(1, 0.0, 1.0, 0);
    let process = Linear::new(EXACT.theta)?;
    Ok(bench
        .run(&process, solver, &plan, &Start::Point(&[X0]))?
        .last()[0])
}

pub(super) fn section(bench: &mut Bench<'_>) -> Result<LabSection, LabError> {
    let process = Linear::new(EXACT.theta)?;
    let solver = RungeKutta::<4>::new(&RK4, 256);
    let starts: Vec<f64> = (-4..=4).map(|k| 0.5 * f64::from(k)).collect();
    let place = |k: u64, x: &mut [f64]| x[0] = starts[k as usize];
    let plan = Plan::new(9, 0.0, 1.0, 0).save_evenly(64);
    let flow = bench.run(&process, &solver, &plan, &Start::Each(&place))?;
    let error = flow
        .lines(1.0)
        .iter()
        .zip(&starts)
        .fold(0.0, |most, (line, x0)| {
            let off = line.iter().map(|(t, x)| (x - EXACT.flow(*x0, *t)).abs());
            off.fold(most, f64::max)
        });

    let mut euler = PathPanel::new("Euler's method from x₀ = 2")
        .curve("exact flow", sampled((0.0, 1.0), 80, |t| EXACT.flow(X0, t)));
    for n in [3, 6, 12, 24] {
        let plan = Plan::new(1, 0.0, 1.0, 0).save_evenly(n);
        let solver = RungeKutta::<1>::new(&EULER, n);
        let path = bench.run(&process, &solver, &plan, &Start::Point(&[X0]))?;
        euler = euler.paths(format!("{n} steps"), path.lines(1.0));
    }
    let mut exact = PathPanel::new("The flow of nine points");
    for line in flow.lines(1.0) {
        exact = exact.curve("exact flow", line);
    }
    let figure = PathPanels::new("The flow of dx/dt = −2x, and what Euler's method makes of it")
        .x_label("t")
        .y_label("x")
        .columns(2)
        .panel(exact)
        .panel(euler);

    let mut checks = vec![Check::error(
        "flow of nine points at 65 times by RK4, 256 steps: largest error",
        error,
        1e-9,
    )];
    for n in [10, 100, 1000] {
        let measured = end(bench, &RungeKutta::<1>::new(&EULER, n))?;
        let exact = EXACT.euler(X0, 1.0, n as u32);
        let name = format!("Euler, {n} steps, against 2(1 − 2/n)ⁿ");
        // Half a unit of rounding per step, and the power's own.
        let tolerance = (n as f64 + 4.0) * f64::EPSILON * exact;
        checks.push(Check::number(name, measured, exact, tolerance, 6));
    }
    let section = LabSection::new(TITLE, THEORY).figure(
        figure,
        "Left: the flow as RK4 follows it. Right: Euler's polygons lie below the flow and rise to it \
         as steps are added; each takes all of its n steps and ends at t = 1.",
    );
    let (chart, orders) = convergence(bench)?;
    Ok(section
        .checks(checks)
        .figure(chart, CONVERGENCE)
        .checks(orders))
}

const CONVERGENCE: &str = "\
Every line is a method and falls with its order. Heun's and the midpoint method are the same for a \
linear field: both multiply by 1 − θh + (θh)²/2 in a step.";

fn convergence(bench: &mut Bench<'_>) -> Result<(LineChart, Vec<Check>), LabError> {
    let mut chart = LineChart::new("Error at t = 1 against the number of steps")
        .subtitle("dx/dt = −2x from x₀ = 2; both axes logarithmic")
        .x_label("log₂ of the number of steps n")
        .y_label("|X₁ − ψ₁(x₀)|")
        .log_y();
    let mut checks = Vec::new();
    let mut ends: Vec<Line> = Vec::new();
    for (name, order) in [("Euler", 1), ("midpoint", 2), ("RK3", 3), ("RK4", 4)] {
        let mut line = Line::new();
        for k in DOUBLINGS {
            let n = 1 << k;
            let x = match order {
                1 => end(bench, &RungeKutta::<1>::new(&EULER, n))?,
                2 => end(bench, &RungeKutta::<2>::new(&MIDPOINT, n))?,
                3 => end(bench, &RungeKutta::<3>::new(&RK3, n))?,
                _ => end(bench, &RungeKutta::<4>::new(&RK4, n))?,
            };
            line.push((f64::from(k), x));
        }
        let errors: Line = line
            .iter()
            .map(|(k, x)| (*k, (x - EXACT.flow(X0, 1.0)).abs()))
            .collect();
        let fitted = errors.iter().filter(|p| p.0 >= f64::from(ON_THE_LINE));
        let (xs, ys): (Vec<f64>, Vec<f64>) = fitted.map(|(k, e)| (*k, e.log2())).unzip();
        let measured = -slope(&xs, &ys).slope;
        let label = format!("{name}: slope −{measured:.2}");
        chart = chart.series(Series::new(label, errors));
        let name = format!("order of {name}, from 2⁵ to 2⁹ steps");
        checks.push(Check::number(name, measured, f64::from(order), 0.1, 3));
        ends.push(line);
    }
    let heun = end(bench, &RungeKutta::<2>::new(&HEUN, 64))?;
    let midpoint = ends[1]
        .iter()
        .find(|p| p.0 == 6.0)
        .map_or(f64::NAN, |p| p.1);
    checks.push(Check::error(
        "Heun − midpoint, 64 steps",
        heun - midpoint,
        64.0 * f64::EPSILON,
    ));
    // A method of p ≤ 4 stages and order p multiplies by the first p + 1 terms of the exponential.
    let z = -EXACT.theta / 64.0;
    let factor = 1.0 + z * (1.0 + z / 2.0 * (1.0 + z / 3.0 * (1.0 + z / 4.0)));
    let rk4 = ends[3]
        .iter()
        .find(|p| p.0 == 6.0)
        .map_or(f64::NAN, |p| p.1);
    checks.push(Check::number(
        "RK4, 64 steps, against 2(1 + z + z²/2 + z³/6 + z⁴/24)⁶⁴, z = −2/64",
        rk4,
        X0 * factor.powi(64),
        128.0 * f64::EPSILON,
        6,
    ));
    Ok((chart, checks))
}
