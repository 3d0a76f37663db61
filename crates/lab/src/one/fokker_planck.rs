//! The density of an ensemble over time.

use fokker_eval::field::Lattice;
use fokker_eval::figure::{Plane, View};
use fokker_math::law::Ou;
use fokker_math::stats::chi_square_power;
use fokker_sim::ensemble::{Plan, Start};
use fokker_sim::process::OrnsteinUhlenbeck;
use fokker_sim::rng::{Purpose, Stream};
use fokker_sim::solver::{EulerMaruyama, FixedSde};

use super::LabError;
use super::bench::{Bench, Paths};
use crate::check::{ALPHA, Check, POWER, chi_square, normal, normal_density};
use crate::report::LabSection;

pub(super) const TITLE: &str = "Fokker–Planck: the density moves as a whole";

const LAW: Ou = Ou {
    theta: 0.5,
    sigma: 1.0,
};
/// The start: half of the particles about each of ± this, with this standard deviation.
const APART: f64 = 3.0;
const STD: f64 = 0.4;
const END: f64 = 4.0;
const STEPS: usize = 800;
const MANY: u64 = 40_000;
const SAVES: usize = 80;
const BOX: (f64, f64) = (-5.0, 5.0);
const BARS: usize = 60;

const THEORY: &str = "\
One particle is random, but the density of all of them obeys an equation without randomness: ∂ₜp = −∂ₓ(p u) + ½σ²∂ₓ²p, \
here with u = −θx. Two clouds about ±3 become, exactly, two normal clouds about ±3e⁻ᶿᵗ of variance \
0.4² e⁻²ᶿᵗ + D(1 − e⁻²ᶿᵗ), which flow together into N(0, D).";

/// p_t(x).
fn density(t: f64, x: f64) -> f64 {
    let decay = LAW.mean(1.0, t);
    let variance = STD * STD * decay * decay + LAW.variance(t);
    let cloud = |m: f64| 0.5 * normal_density(m * decay, variance)(x);
    cloud(APART) + cloud(-APART)
}

pub(super) fn section(bench: &mut Bench<'_>) -> Result<LabSection, LabError> {
    let seed = bench.seed();
    let clouds = move |k: u64, x: &mut [f64]| {
        Stream::new(seed, Purpose::Init, k, 0).normals_f64(x);
        x[0] = STD * x[0] + if k.is_multiple_of(2) { APART } else { -APART };
    };
    let process = OrnsteinUhlenbeck::new(LAW.theta, 0.0, LAW.sigma)?;
    let plan = Plan::new(MANY, 0.0, END, seed).save_evenly(SAVES);
    let solver = FixedSde::new(EulerMaruyama, STEPS);
    let paths = bench.run(&process, &solver, &plan, &Start::Each(&clouds))?;

    let measured = histogram(&paths)?;
    let (start, end) = ((0.0, END), BOX);
    let exact = View::stretched("exact p", start, end, 0.75);
    let values = exact.sample(density);
    let levels: Vec<f64> = (1..=5).map(|k| 0.08 * f64::from(k)).collect();
    let figure = Plane::new("The density of an Ornstein–Uhlenbeck ensemble over time")
        .subtitle(
            "θ = 0.5, σ = 1; left: histograms of 40 000 particles at 81 times; right: the solution",
        )
        .x_label("t")
        .y_label("x")
        .columns(2)
        .one_scale()
        .view(View::stretched("simulated", start, end, 0.75).density(measured))
        .view(exact.density(values.clone()).contours(&values, &levels));
    let mut checks = Vec::new();
    for k in [10, 30, 80] {
        checks.push(cells(&paths, k));
    }
    checks.push(Check::error(
        "the solution put into the equation: largest |∂ₜp + ∂ₓ(p u) − ½σ²∂ₓ²p| on a grid",
        residual(),
        1e-6,
    ));
    Ok(LabSection::new(TITLE, THEORY)
        .figure(
            figure,
            "Left, the particles counted in 60 bars at each time; right, the exact density with contours \
             at 0.08, 0.16, …, 0.4.",
        )
        .checks(checks))
}

/// Counts over the box at every save time, as a density at the bars' middles.
fn histogram(paths: &Paths) -> Result<Lattice, LabError> {
    let width = (BOX.1 - BOX.0) / BARS as f64;
    let mut values = vec![0.0; paths.times.len() * BARS];
    for k in 0..paths.times.len() {
        for x in paths.at(k) {
            let bar = ((x - BOX.0) / width).floor();
            if bar >= 0.0 && bar < BARS as f64 {
                values[bar as usize * paths.times.len() + k] += 1.0 / (MANY as f64 * width);
            }
        }
    }
    let middles = (BOX.0 + width / 2.0, BOX.1 - width / 2.0);
    Ok(Lattice::new(
        (0.0, END),
        middles,
        paths.times.len(),
        BARS,
        values,
    )?)
}

/// Pearson's test at one time, against the law of the chain.
fn cells(paths: &Paths, k: usize) -> Check {
    let n = (k * STEPS / SAVES) as u32;
    let h = END / STEPS as f64;
    let decay = LAW.em_mean(1.0, h, n);
    let variance = STD * STD * decay * decay + LAW.em_variance(h, n);
    let cdf =
        |x: f64| 0.5 * (normal(APART * decay, variance)(x) + normal(-APART * decay, variance)(x));
    let edges: Vec<f64> = (-14..=14).map(|i| 0.25 * f64::from(i)).collect();
    let mut below = vec![0.0];
    below.extend(edges.iter().map(|x| cdf(*x)));
    below.push(1.0);
    let mut counts = vec![0u64; edges.len() + 1];
    for x in paths.at(k) {
        counts[edges.partition_point(|edge| *edge <= x)] += 1;
    }
    // Cells that expect too few particles join their neighbour on the right, the last ones the left.
    let (mut expected, mut observed) = (vec![0.0], vec![0]);
    for (pair, count) in below.windows(2).zip(&counts) {
        if expected[expected.len() - 1] * MANY as f64 >= 20.0 {
            expected.push(0.0);
            observed.push(0);
        }
        *expected.last_mut().expect("never empty") += pair[1] - pair[0];
        *observed.last_mut().expect("never empty") += count;
    }
    if let [.., e, last] = &mut expected[..]
        && *last * (MANY as f64) < 20.0
    {
        *e += *last;
        expected.pop();
        let more = observed.pop().unwrap_or(0);
        *observed.last_mut().expect("two or more") += more;
    }
    let name = format!(
        "histogram at t = {} in {} cells",
        paths.times[k],
        expected.len()
    );
    chi_square(name, &observed, &expected, finds(expected.len() - 1))
}

/// The distance that the test finds with probability 0.99: if probabilities are wrong by the share r
/// of themselves in the mean square, the noncentrality is n r².
fn finds(dof: usize) -> String {
    let percent = (1..100).find(|percent| {
        let share = 0.01 * f64::from(*percent);
        chi_square_power(dof, MANY as f64 * share * share, ALPHA) >= POWER
    });
    let percent = percent.unwrap_or(100);
    format!("bars wrong by {percent}\u{a0}% (r.m.s.)")
}

/// The largest residual, with derivatives by central differences of fourth order.
fn residual() -> f64 {
    let first = |f: &dyn Fn(f64) -> f64, h: f64| {
        (8.0 * (f(h) - f(-h)) - (f(2.0 * h) - f(-2.0 * h))) / (12.0 * h)
    };
    let h = 2e-3;
    let mut most = 0.0f64;
    for i in 1..40 {
        for j in 0..=40 {
            let (t, x) = (0.1 * f64::from(i), 0.25 * f64::from(j - 20));
            let in_time = first(&|s| density(t + s, x), h);
            let flux = first(&|s| -LAW.theta * (x + s) * density(t, x + s), h);
            let p = |s: f64| density(t, x + s);
            let second = (16.0 * (p(h) + p(-h)) - (p(2.0 * h) + p(-2.0 * h)) - 30.0 * p(0.0))
                / (12.0 * h * h);
            let off = in_time + flux - 0.5 * LAW.sigma * LAW.sigma * second;
            most = most.max(off.abs());
        }
    }
    most
}
