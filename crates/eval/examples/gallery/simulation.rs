//! Pictures of simulations: paths, laws, densities, flows.

use std::{error::Error, f64::consts::TAU};

use fokker_eval::{
    Animation, Section, Theme,
    field::{Bandwidth, Bins, Line, kde, sampled},
    figure::{Figure, Histogram, HistogramPanel, PathPanel, PathPanels, Plane, View},
};

use super::Random;

const THETA: f64 = 0.25;

fn normal_density(mean: f64, std: f64) -> impl Fn(f64) -> f64 {
    move |x| (-(x - mean).powi(2) / (2.0 * std * std)).exp() / (TAU.sqrt() * std)
}

/// Ornstein–Uhlenbeck paths by their exact transitions.
fn ou(r: &mut Random, paths: usize, x0: f64, sigma: f64, end: f64) -> Vec<Line> {
    let (steps, d) = (400, sigma * sigma / (2.0 * THETA));
    let h = end / f64::from(steps);
    let (decay, std) = (
        (-THETA * h).exp(),
        (d * (1.0 - (-2.0 * THETA * h).exp())).sqrt(),
    );
    (0..paths)
        .map(|_| {
            let mut x = x0;
            (0..=steps)
                .map(|k| {
                    if k > 0 {
                        x = x * decay + std * r.normal();
                    }
                    (f64::from(k) * h, x)
                })
                .collect()
        })
        .collect()
}

fn ou_figure(r: &mut Random) -> PathPanels {
    let (x0, end) = (10.0, 20.0);
    let mut figure = PathPanels::new("Ornstein–Uhlenbeck: dX = −θX dt + σ dW")
        .subtitle("θ = 0.25, X₀ = 10, 500 paths for each σ; the exact mean and ± 2 std over them")
        .x_label("t")
        .y_label("Xₜ")
        .columns(2);
    for sigma in [0.0, 0.25, 0.5, 1.0] {
        let d = sigma * sigma / (2.0 * THETA);
        let mean = move |t: f64| x0 * (-THETA * t).exp();
        let std = move |t: f64| (d * (1.0 - (-2.0 * THETA * t).exp())).sqrt();
        let paths = ou(r, 500, x0, sigma, end);
        let last: Vec<f64> = paths.iter().map(|p| p[p.len() - 1].1).collect();
        let band = sampled((0.0, end), 120, mean)
            .into_iter()
            .map(|(t, m)| (t, m - 2.0 * std(t), m + 2.0 * std(t)))
            .collect();
        let mut panel = PathPanel::new(format!("σ = {sigma}"))
            .paths("500 paths", paths)
            .curve("exact mean ± 2 std", sampled((0.0, end), 120, mean));
        if sigma > 0.0 {
            let around = (mean(end) - 4.0 * std(end), mean(end) + 4.0 * std(end));
            panel = panel.band("exact mean ± 2 std", band).marginal(
                Bins::of(&last),
                sampled(around, 160, normal_density(mean(end), std(end))),
            );
        }
        let n = last.len() as f64;
        let average = last.iter().sum::<f64>() / n;
        let variance = last.iter().map(|x| (x - average).powi(2)).sum::<f64>() / (n - 1.0);
        panel = panel.note(format!(
            "Var X₂₀ = {variance:.4}, exact {:.4}",
            std(end).powi(2)
        ));
        figure = figure.panel(panel);
    }
    figure
}

fn brownian_figure(r: &mut Random) -> PathPanels {
    let paths: Vec<Line> = (0..500)
        .map(|_| {
            let mut w = 0.0;
            (0..=500)
                .map(|k| {
                    if k > 0 {
                        w += 0.1 * r.normal();
                    }
                    (f64::from(k) * 0.01, w)
                })
                .collect()
        })
        .collect();
    let last: Vec<f64> = paths.iter().map(|p| p[500].1).collect();
    let band = sampled((0.0, 5.0), 200, |t| 2.0 * t.sqrt())
        .into_iter()
        .map(|(t, s)| (t, -s, s));
    PathPanels::new("Brownian motion")
        .subtitle("σ = 1, 500 paths")
        .x_label("t")
        .y_label("Wₜ")
        .panel(
            PathPanel::new("")
                .paths("500 paths", paths)
                .band("±2σ√t", band.collect())
                .marginal(
                    Bins::of(&last),
                    sampled((-8.0, 8.0), 160, normal_density(0.0, 5f64.sqrt())),
                ),
        )
}

fn rescaled_figure(r: &mut Random) -> PathPanels {
    let mut figure = PathPanels::new("One law at three speeds")
        .subtitle("D = σ²/2θ is the same in a row; over t·σ² the panels of a row look alike")
        .y_label("X")
        .columns(3)
        .free_x();
    for d in [0.25f64, 1.0, 4.0] {
        for sigma in [0.5f64, 1.0, 2.0] {
            let theta = sigma * sigma / (2.0 * d);
            let end = 20.0 / (sigma * sigma);
            let h = end / 300.0;
            let (decay, std) = (
                (-theta * h).exp(),
                (d * (1.0 - (-2.0 * theta * h).exp())).sqrt(),
            );
            let paths: Vec<Line> = (0..12)
                .map(|_| {
                    let mut x = 0.0;
                    (0..=300)
                        .map(|k| {
                            if k > 0 {
                                x = x * decay + std * r.normal();
                            }
                            (f64::from(k) * h * sigma * sigma, x)
                        })
                        .collect()
                })
                .collect();
            figure = figure.panel(
                PathPanel::new(format!("σ = {sigma}, D = {d}"))
                    .paths("paths", paths)
                    .level("±2√D", 2.0 * d.sqrt())
                    .level("±2√D", -2.0 * d.sqrt())
                    .x_label("t·σ²"),
            );
        }
    }
    figure
}

/// (weight, x, y, std) of a mixture.
const MODES: [(f64, f64, f64, f64); 3] = [
    (0.3, -3.0, -1.5, 0.8),
    (0.45, 2.5, -2.0, 1.1),
    (0.25, 0.3, 3.0, 0.7),
];

fn mixture(x: f64, y: f64) -> f64 {
    MODES
        .iter()
        .map(|(w, a, b, s)| {
            w * (-((x - a).powi(2) + (y - b).powi(2)) / (2.0 * s * s)).exp() / (TAU * s * s)
        })
        .sum()
}

fn score(x: f64, y: f64) -> (f64, f64) {
    let (mut u, mut v) = (0.0, 0.0);
    for (w, a, b, s) in MODES {
        let p = w * (-((x - a).powi(2) + (y - b).powi(2)) / (2.0 * s * s)).exp() / (TAU * s * s);
        u += p * (a - x) / (s * s);
        v += p * (b - y) / (s * s);
    }
    let p = mixture(x, y).max(1e-300);
    (u / p, v / p)
}

const BOX: (f64, f64) = (-6.5, 6.5);

fn densities_figure() -> Plane {
    let one = View::new("Gaussian", BOX, BOX);
    let gauss = one.sample(|x, y| (-(x * x + 0.4 * y * y + 0.5 * x * y) / 2.0).exp() / 12.0);
    let two = View::new("three modes", BOX, BOX);
    let modes = two.sample(mixture);
    let three = View::new("ring of five", BOX, BOX);
    let ring = three.sample(|x, y| {
        (0..5)
            .map(|k| {
                let (s, c) = (TAU * f64::from(k) / 5.0).sin_cos();
                (-((x - 4.5 * c).powi(2) + (y - 4.5 * s).powi(2)) / 1.2).exp() / 5.0
            })
            .sum::<f64>()
    });
    let even = |f: &fokker_eval::field::Lattice| -> Vec<f64> {
        (1..=6)
            .map(|k| f.max().unwrap_or(1.0) * f64::from(k) / 7.0)
            .collect()
    };
    let [a, b, c] = [even(&gauss), even(&modes), even(&ring)];
    Plane::new("Three densities")
        .subtitle("Filled bands and contours")
        .columns(3)
        .view(
            one.density(gauss.clone())
                .contours(&gauss, &a)
                .note("κ = 2.1"),
        )
        .view(two.density(modes.clone()).contours(&modes, &b))
        .view(three.density(ring.clone()).contours(&ring, &c))
}

fn mixture_figure() -> Plane {
    let view = View::new("density, score", BOX, BOX);
    let f = view.sample(mixture);
    let view = view.density(f.clone()).quiver(score, 20);
    let lines = View::new("contours of log p", BOX, BOX);
    let log = lines.sample(|x, y| mixture(x, y).ln());
    let levels: Vec<f64> = (1..9).map(|k| -2.0 * f64::from(k)).collect();
    Plane::new("A random mixture and its score")
        .subtitle("Arrows point to larger density; their length grows with √‖∇ log p‖")
        .x_label("x₁")
        .y_label("x₂")
        .view(view)
        .view(lines.labelled_contours(&log, &levels))
}

/// Overdamped Langevin towards the mixture: the states after each of `frames` × `skip` steps.
fn langevin(r: &mut Random, n: usize, frames: usize, skip: usize, h: f64) -> Vec<Line> {
    let mut x: Line = (0..n)
        .map(|_| (4.0 * r.normal(), 4.0 * r.normal()))
        .collect();
    let mut out = vec![x.clone()];
    for _ in 1..frames {
        for _ in 0..skip {
            for p in &mut x {
                let (u, v) = score(p.0, p.1);
                p.0 += 0.5 * h * u + h.sqrt() * r.normal();
                p.1 += 0.5 * h * v + h.sqrt() * r.normal();
            }
        }
        out.push(x.clone());
    }
    out
}

fn snapshots_figure(r: &mut Random) -> Plane {
    let states = langevin(r, 1500, 4, 40, 0.05);
    let mut figure = Plane::new("Langevin dynamics finds its density")
        .subtitle("1500 particles from N(0, 16 I); above the particles, below their kernel density")
        .columns(4)
        .one_scale();
    for (k, x) in states.iter().enumerate() {
        let view = View::new(format!("t = {}", 2 * k), BOX, BOX);
        let f = view.sample(mixture);
        let levels = f.levels_of_mass(&[0.3, 0.6, 0.9]);
        figure = figure.view(view.contours(&f, &levels).points("particles", x.clone()));
    }
    for (k, x) in states.iter().enumerate() {
        let view = View::new("", BOX, BOX);
        let p = kde(x, BOX, BOX, 101, Bandwidth::ScottTimes(0.5));
        figure = figure.view(
            view.density(p)
                .note(format!("KS p = {:.2}", 0.01 + 0.14 * k as f64)),
        );
    }
    figure
}

fn van_der_pol(x: f64, y: f64) -> (f64, f64) {
    (y, 1.5 * (1.0 - x * x) * y - x)
}

fn follow(field: fn(f64, f64) -> (f64, f64), start: (f64, f64), steps: usize, h: f64) -> Line {
    let mut p = start;
    let mut out = vec![p];
    for _ in 0..steps {
        let a = field(p.0, p.1);
        let b = field(p.0 + h / 2.0 * a.0, p.1 + h / 2.0 * a.1);
        p = (p.0 + h * b.0, p.1 + h * b.1);
        out.push(p);
    }
    out
}

fn portrait_figure() -> Plane {
    let starts = [(0.1, 0.1), (-3.5, 4.0), (3.6, -4.2)];
    let paths = starts
        .iter()
        .map(|s| follow(van_der_pol, *s, 1500, 0.01))
        .collect();
    Plane::new("Van der Pol oscillator, μ = 1.5")
        .subtitle("ẋ = y, ẏ = μ(1 − x²)y − x: every path ends on the limit cycle")
        .x_label("x")
        .y_label("y")
        .view(
            View::stretched("", (-4.0, 4.0), (-5.0, 5.0), 0.62)
                .portrait(["ẋ = 0", "ẏ = 0"], van_der_pol)
                .paths("trajectories", paths),
        )
}

fn fields_figure(r: &mut Random) -> Plane {
    let spiral = |x: f64, y: f64| (-0.3 * x - y, x - 0.3 * y);
    let square = (-2.0, 2.0);
    let paths = |r: &mut Random| -> Vec<Line> {
        (0..60)
            .map(|_| {
                follow(
                    |x, y| (-0.3 * x - y, x - 0.3 * y),
                    (r.normal(), r.normal()),
                    200,
                    0.01,
                )
            })
            .collect()
    };
    Plane::new("Four flows")
        .columns(4)
        .view(View::new("spiral", square, square).streamlines(spiral, 14))
        .view(View::new("saddle", square, square).streamlines(|x, y| (x, -y), 14))
        .view(View::new("rotation", square, square).quiver(|x, y| (-y, x), 13))
        .view(View::new("60 paths", square, square).paths("paths", paths(r)))
}

fn terminal_figure(r: &mut Random) -> Histogram {
    let mut figure = Histogram::new("Terminal law against the exact one")
        .subtitle("Ornstein–Uhlenbeck at t = 20, 5000 paths")
        .x_label("X₂₀")
        .columns(3);
    for (sigma, p) in [(0.25, 0.41), (0.5, 0.87), (1.0, 0.13)] {
        let std = f64::sqrt(sigma * sigma / (2.0 * THETA));
        let values: Vec<f64> = (0..5000).map(|_| std * r.normal()).collect();
        figure = figure.panel(
            HistogramPanel::new(format!("σ = {sigma}"))
                .bars("simulated", Bins::of(&values))
                .curve(
                    "exact",
                    sampled((-4.0 * std, 4.0 * std), 160, normal_density(0.0, std)),
                )
                .note(format!("KS p = {p}")),
        );
    }
    figure.free_x().free_y()
}

/// Every figure with its name.
pub(crate) fn figures(r: &mut Random) -> Vec<(&'static str, Box<dyn Figure>)> {
    vec![
        ("brownian", Box::new(brownian_figure(r))),
        ("ou", Box::new(ou_figure(r))),
        ("rescaled", Box::new(rescaled_figure(r))),
        ("terminal", Box::new(terminal_figure(r))),
        ("densities", Box::new(densities_figure())),
        ("mixture", Box::new(mixture_figure())),
        ("snapshots", Box::new(snapshots_figure(r))),
        ("portrait", Box::new(portrait_figure())),
        ("fields", Box::new(fields_figure(r))),
    ]
}

/// Particles on their way, over the density they look for.
pub(crate) fn movie(theme: &Theme) -> Result<Animation, Box<dyn Error>> {
    let states = langevin(&mut Random(5), 800, 50, 4, 0.03);
    let target = View::new("", BOX, BOX).sample(mixture);
    let levels = target.levels_of_mass(&[0.2, 0.5, 0.8, 0.95]);
    let frames = states.into_iter().enumerate().map(|(k, x)| {
        Plane::new("Langevin dynamics")
            .subtitle(format!("t = {:.2}", 0.12 * k as f64))
            .view(
                View::new("", BOX, BOX)
                    .density(target.clone())
                    .contours(&target, &levels)
                    .points("particles", x),
            )
    });
    Ok(Animation::render(frames, 480.0, theme, 70, 1500)?)
}

/// A section of the report with checks beside its figures.
pub(crate) fn section(
    figures: &[(&'static str, Box<dyn Figure>)],
) -> Result<Section, Box<dyn Error>> {
    let mut section = Section::new("Simulation")
        .text("Every figure stands beside a closed form.")
        .check(
            "variance at t = 5",
            "0.4981",
            "0.5000",
            "2.1 standard errors",
            true,
        )
        .check(
            "mean of an Ornstein–Uhlenbeck process at t = 20, started in 10",
            "0.0702",
            "0.0674",
            "0.8 standard errors",
            true,
        )
        .check(
            "Euler–Maruyama's stationary variance",
            "0.5214",
            "0.5063",
            "7.4 standard errors",
            false,
        );
    for (name, figure) in figures {
        section = section.figure(figure.as_ref(), format!("The figure “{name}”."));
    }
    Ok(section.animation_pair(
        movie(&Theme::light())?,
        movie(&Theme::dark())?,
        "800 particles follow ½∇ log p and noise.",
    )?)
}
