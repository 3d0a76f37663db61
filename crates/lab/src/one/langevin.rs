//! Langevin dynamics towards a random mixture.

use fokker_eval::field::{Bandwidth, Line, kde};
use fokker_eval::figure::{LineChart, Plane, Series, View};
use fokker_eval::{Animation, Theme};
use fokker_math::density::{Density, Mixture};
use fokker_math::stats::{chi_square_noncentrality, chi_square_power};
use fokker_sim::density::Mixture as LaneMixture;
use fokker_sim::ensemble::{Plan, Start};
use fokker_sim::process::{Fixed, Langevin};
use fokker_sim::rng::{Purpose, Stream};
use fokker_sim::solver::{EulerMaruyama, FixedSde};

use super::LabError;
use super::bench::{Bench, Paths};
use super::target::{altered, density, posterior, random_mixture, rectangle};
use crate::check::{ALPHA, Check, POWER, chi_square, ks, mean_variance};
use crate::report::LabSection;

pub(super) const TITLE: &str = "Langevin dynamics to a random mixture";

const SIGMA: f64 = 1.0;
const STEP: f64 = 0.02;
const END: f64 = 96.0;
const STEPS: usize = 4800;
const PARTICLES: u64 = 20_000;
/// The variance of the start about 0.
const SPREAD: f64 = 16.0;
const BOX: (f64, f64) = (-8.5, 8.5);
/// Saved: frame k at END·(k/FRAMES)³, rounded to a step, because much happens early.
const FRAMES: usize = 48;

const THEORY: &str = "\
dX = ½σ²∇ln p(X) dt + σ dW climbs the score and is shaken by noise, just so that p is left invariant: the \
probability current p·½σ²∇ln p − ½σ²∇p is 0. From any start the law of Xₜ tends to p. Here p is a mixture of five \
modes at random places with standard deviation 1, one in which neighbours are near enough for particles to cross; 20 000 particles start from N(0, 16 I), with σ = 1 and \
4 800 steps of h = 0.02 to t = 96.";

/// The target: the same in every run.
fn target() -> Result<Mixture, LabError> {
    Ok(random_mixture(TARGET, 1.0, 9.0)?)
}

/// Which random mixture.
const TARGET: u64 = 2291;

pub(super) fn section(bench: &mut Bench<'_>) -> Result<LabSection, LabError> {
    let p = target()?;
    let process = Langevin::<_, Fixed<2>>::new(LaneMixture::from(&p), SIGMA)?;
    let seed = bench.seed();
    let start = move |k: u64, x: &mut [f64]| {
        Stream::new(seed, Purpose::Init, k, 0).normals_f64(x);
        x.iter_mut().for_each(|x| *x *= SPREAD.sqrt());
    };
    let mut plan = Plan::new(PARTICLES, 0.0, END, seed);
    plan.save = times();
    let solver = FixedSde::new(EulerMaruyama, STEPS);
    let paths = bench.run(&process, &solver, &plan, &Start::Each(&start))?;
    let last = paths.points(plan.save.len() - 1);

    let from = bench.seed();
    let sampled = |k: u64, x: &mut [f64]| {
        let mut cursor = Stream::new(from, Purpose::Data, k, 0).cursor();
        let u = cursor.uniform_f64();
        p.sample(u, &[cursor.normal_f64(), cursor.normal_f64()], x);
    };
    let still = Plan::new(PARTICLES, 0.0, 4.0, from);
    let solver = FixedSde::new(EulerMaruyama, 200);
    let invariant = bench.run(&process, &solver, &still, &Start::Each(&sampled))?;

    let mut checks = fit("the particles at t = 96", &p, &last)?;
    for (axis, name) in ["x₁", "x₂"].iter().enumerate() {
        let xs: Vec<f64> = last.iter().map(|x| [x.0, x.1][axis]).collect();
        let cdf = |x| p.marginal_cdf(axis, x);
        checks.push(ks(format!("marginal law of {name} at t = 96"), &xs, cdf));
    }
    let (chart, weights) = weights(&p, &paths);
    let mut section = LabSection::new(TITLE, THEORY).figure(snapshots(&p, &paths), SNAPSHOTS);
    if bench.animation() {
        let movie = [
            movie(bench, &p, &paths, &Theme::light())?,
            movie(bench, &p, &paths, &Theme::dark())?,
        ];
        section = section.movie(
            movie,
            "500 of the particles; contours hold 20, 50, 80 and 95 % of the target's mass. Time runs faster and faster.",
        );
    }
    Ok(section
        .checks(checks)
        .figure(chart, WEIGHTS)
        .checks(weights)
        .checks(fit(
            "particles from p, 4 time units later",
            &p,
            &invariant.points(0),
        )?))
}

const SNAPSHOTS: &str = "\
Colour: kernel density of all 20 000 particles; dots: 500 of them; last panel: the target with its own \
colours, on the same scale. The kernel widens every mode a little, so it is no test; the cells below are.";

const WEIGHTS: &str = "\
The share of each mode, by the posterior probabilities of the particles. The start gave one mode too \
many particles; the shape of each is right after a few units of time, but the shares have to wait for particles to cross. \
Invariance needs no waiting: the last check takes 20 000 particles from p itself, which must still follow p \
200 steps later.";

fn times() -> Vec<f64> {
    let at = |k: usize| (STEPS as f64 * (k as f64 / FRAMES as f64).powi(3)).round() as usize;
    let mut steps: Vec<usize> = (0..=FRAMES).map(at).collect();
    // Shown in the snapshots.
    steps.extend(SHOWN.map(|t| (t / STEP).round() as usize));
    steps.sort_unstable();
    steps.dedup();
    steps.iter().map(|n| *n as f64 * STEP).collect()
}

const SHOWN: [f64; 5] = [0.0, 1.0, 4.0, 16.0, 96.0];

fn snapshots(p: &Mixture, paths: &Paths) -> Plane {
    let mut figure = Plane::new("From N(0, 16 I) to the mixture")
        .subtitle("All panels on one scale of colour")
        .x_label("x₁")
        .y_label("x₂")
        .columns(3)
        .one_scale();
    for t in SHOWN {
        let k = paths.times.iter().position(|s| (s - t).abs() < 1e-9);
        let points = paths.points(k.unwrap_or(0));
        let estimate = kde(&points, BOX, BOX, 121, Bandwidth::ScottTimes(0.35));
        figure = figure.view(
            View::new(format!("t = {t}"), BOX, BOX)
                .density(estimate)
                .points("particles", points[..500].to_vec()),
        );
    }
    let view = View::new("target p", BOX, BOX);
    let values = view.sample(density(p));
    let levels = values.levels_of_mass(&[0.2, 0.5, 0.8, 0.95]);
    figure.view(view.density(values.clone()).contours(&values, &levels))
}

fn movie(
    bench: &mut Bench<'_>,
    p: &Mixture,
    paths: &Paths,
    theme: &Theme,
) -> Result<Animation, LabError> {
    bench.tell((0, 0))?;
    let target = View::new("", BOX, BOX).sample(density(p));
    let levels = target.levels_of_mass(&[0.2, 0.5, 0.8, 0.95]);
    let frames = paths.times.iter().enumerate().map(|(k, t)| {
        let points = paths.points(k);
        Plane::new("Langevin dynamics")
            .subtitle(format!("t = {t:.2}"))
            .view(
                View::new("", BOX, BOX)
                    .density(target.clone())
                    .contours(&target, &levels)
                    .points("particles", points[..500].to_vec()),
            )
    });
    Ok(Animation::render(frames, 440.0, theme, 110, 2000)?)
}

/// The share of each mode over time, and its expectation wₖ at the end.
fn weights(p: &Mixture, paths: &Paths) -> (LineChart, Vec<Check>) {
    let mut chart = LineChart::new("The shares of the five modes")
        .subtitle("Mean posterior probability of each mode over 20 000 particles")
        .x_label("t")
        .y_label("share")
        .y_range(0.1, 0.3)
        .reference(0.2, "weight 1/5");
    let last = paths.times.len() - 1;
    // [time][mode][particle] would be much; one time at a time.
    let mut shares: Vec<Line> = vec![Line::new(); p.weights().len()];
    let mut checks = Vec::new();
    for (k, t) in paths.times.iter().enumerate() {
        let points = paths.points(k);
        // A tenth of the particles draw the same line.
        let every = if k == last { 1 } else { 10 };
        let each: Vec<Vec<f64>> = points
            .iter()
            .step_by(every)
            .map(|x| posterior(p, &[x.0, x.1]))
            .collect();
        for (mode, line) in shares.iter_mut().enumerate() {
            let values: Vec<f64> = each.iter().map(|r| r[mode]).collect();
            let (mean, variance) = mean_variance(&values);
            line.push((*t, mean));
            if k == last {
                let centre = p.components()[mode].mean();
                let name = format!(
                    "share of the mode at ({}, {})",
                    crate::check::fixed(centre[0], 1),
                    crate::check::fixed(centre[1], 1)
                );
                let se = (variance / values.len() as f64).sqrt();
                checks.push(Check::estimate(name, mean, p.weights()[mode], se));
            }
        }
    }
    for (mode, line) in shares.into_iter().enumerate() {
        chart = chart.series(Series::new(format!("mode {}", mode + 1), line));
    }
    (chart, checks)
}

/// Pearson's test of a sample in a grid of cells with their exact probabilities.
fn fit(what: &str, p: &Mixture, points: &[(f64, f64)]) -> Result<Vec<Check>, LabError> {
    let cells = Cells::new(p, points.len());
    let expected = cells.probabilities(p);
    let weight = |share: f64| {
        // One mode heavier by this share of itself, the others lighter.
        let k = p.weights().len() as f64;
        let mut weights = vec![(k - 1.0 - share) / (k - 1.0); p.weights().len()];
        weights[0] = 1.0 + share;
        weights
    };
    let power = |q: &Mixture| {
        let q = cells.probabilities(q);
        let far = chi_square_noncentrality(points.len() as u64, &expected, &q);
        chi_square_power(expected.len() - 1, far, ALPHA)
    };
    let least = |with: &dyn Fn(f64) -> Result<Mixture, LabError>| {
        for percent in 1..100 {
            if power(&with(0.01 * f64::from(percent))?) >= POWER {
                return Ok(percent);
            }
        }
        Ok::<_, LabError>(100)
    };
    let wide = least(&|d| Ok(altered(p, p.weights(), 1.0 + d)?))?;
    let heavy = least(&|d| Ok(altered(p, &weight(d), 1.0)?))?;
    let counts = cells.count(points);
    Ok(vec![chi_square(
        format!("{what}: {} cells of the plane", expected.len()),
        &counts,
        &expected,
        format!("modes {wide}\u{a0}% too wide, a mode {heavy}\u{a0}% too heavy"),
    )])
}

/// A grid of squares over the plane, with all that expect too few points joined into one cell.
struct Cells {
    edges: Vec<f64>,
    /// The cell of each square; the last cell is the joined one.
    of: Vec<usize>,
    cells: usize,
}

impl Cells {
    /// The least number of points to expect in a cell.
    const LEAST: f64 = 20.0;

    fn new(p: &Mixture, points: usize) -> Cells {
        let mut edges = vec![f64::NEG_INFINITY];
        edges.extend((-5..=5).map(|k| 1.5 * f64::from(k)));
        edges.push(f64::INFINITY);
        let side = edges.len() - 1;
        let mut grid = Cells {
            edges,
            of: vec![usize::MAX; side * side],
            cells: 0,
        };
        for at in 0..side * side {
            if grid.square(p, at) * points as f64 >= Cells::LEAST {
                grid.of[at] = grid.cells;
                grid.cells += 1;
            }
        }
        let rest = grid.cells;
        for cell in &mut grid.of {
            *cell = (*cell).min(rest);
        }
        grid.cells += 1;
        grid
    }

    fn square(&self, p: &Mixture, at: usize) -> f64 {
        let side = self.edges.len() - 1;
        let along = |k: usize| [self.edges[k], self.edges[k + 1]];
        rectangle(p, along(at % side), along(at / side))
    }

    fn probabilities(&self, p: &Mixture) -> Vec<f64> {
        let mut sums = vec![0.0; self.cells];
        for (at, cell) in self.of.iter().enumerate() {
            sums[*cell] += self.square(p, at);
        }
        sums
    }

    fn count(&self, points: &[(f64, f64)]) -> Vec<u64> {
        let side = self.edges.len() - 1;
        let place = |x: f64| self.edges[1..side].partition_point(|edge| *edge <= x);
        let mut counts = vec![0; self.cells];
        for (x, y) in points {
            counts[self.of[place(*y) * side + place(*x)]] += 1;
        }
        counts
    }
}
