//! Phase portraits, snapshots and projections.

use fokker_eval::field::{Bandwidth, kde};
use fokker_eval::figure::{Plane, View};
use fokker_math::density::Density;

use super::super::words::{digits, part};
use super::{Picture, Scene};

/// Trajectories in a portrait.
const PATHS: usize = 12;
/// Trajectories in a portrait, where they cover the plane.
const NOISY: usize = 3;
/// Snapshots.
const SHOTS: usize = 4;

/// A panel that shows two components; both axes have one scale if that suits the ranges.
pub(super) fn view(title: &str, x: (f64, f64), y: (f64, f64)) -> View {
    let ratio = (y.1 - y.0) / (x.1 - x.0);
    if (0.4..2.5).contains(&ratio) {
        View::new(title, x, y)
    } else {
        View::stretched(title, x, y, 0.7)
    }
}

/// The same drift at different times?
fn autonomous(scene: &Scene<'_>) -> bool {
    let general = scene.simulation.engine.general();
    let plan = scene.simulation.plan();
    let dim = scene.simulation.dim();
    let points = scene.outcome.sample.values.chunks_exact(dim);
    let middle = 0.37 * plan.from + 0.63 * plan.to;
    points.step_by(97).take(20).all(|x| {
        let first = general.drift_at(plan.from, x);
        let bits = |f: &[f64]| f.iter().map(|f| f.to_bits()).collect::<Vec<_>>();
        [middle, plan.to]
            .iter()
            .all(|&t| bits(&general.drift_at(t, x)) == bits(&first))
    })
}

/// The plane with its flow and some trajectories.
pub(super) fn portrait(scene: &Scene<'_>) -> Picture {
    let simulation = scene.simulation;
    let names = simulation.names();
    let (x, y) = (scene.range(0), scene.range(1));
    let mut panel = view("", x, y);
    let flow = autonomous(scene);
    if flow {
        let from = simulation.plan().from;
        let field = |a: f64, b: f64| {
            let f = simulation.engine.general().drift_at(from, &[a, b]);
            (f[0], f[1])
        };
        panel = match simulation.is_stochastic() {
            true => panel.streamlines(field, 22),
            false => {
                let zero = [0, 1].map(|j: usize| format!("{}' = 0", names[j]));
                panel.portrait([&zero[0], &zero[1]], field)
            }
        };
    }
    let most = if simulation.is_stochastic() {
        NOISY
    } else {
        PATHS
    };
    let shown = scene.sample().count().min(most);
    let paths = (0..shown).map(|i| scene.path(i, (0, 1))).collect();
    let label = part(shown, scene.outcome.trajectories);
    let figure = Plane::new(scene.title())
        .subtitle(scene.subtitle())
        .x_label(names[0].clone())
        .y_label(names[1].clone())
        .view(panel.paths(label.clone(), paths));
    let lines = match (flow, simulation.is_stochastic()) {
        (true, true) => " Thin lines follow the drift.",
        (true, false) => " Thin lines follow the flow; on the others one component stands still.",
        _ => "",
    };
    Picture {
        name: "plane",
        caption: format!("{label} in the plane, from ring to dot.{lines}"),
        figure: Box::new(figure),
    }
}

/// The ensemble at a few times, over the density it follows, and its kernel density.
pub(super) fn snapshots(scene: &Scene<'_>) -> Picture {
    let simulation = scene.simulation;
    let sample = scene.sample();
    let names = simulation.names();
    let (x, y) = (scene.range(0), scene.range(1));
    let shots = shots(scene);
    let points = |k: usize| -> Vec<(f64, f64)> {
        let at = (0..sample.count()).map(|i| (sample.at(i, k, 0), sample.at(i, k, 1)));
        at.filter(|p| p.0.is_finite() && p.1.is_finite()).collect()
    };
    let mut figure = Plane::new("The ensemble over time")
        .subtitle(scene.subtitle())
        .x_label(names[0].clone())
        .y_label(names[1].clone())
        .columns(SHOTS);
    let target = target(scene, x, y);
    let label = part(sample.count(), scene.outcome.trajectories);
    for &k in &shots {
        let mut panel = view(&format!("t = {}", digits(sample.times[k])), x, y);
        if let Some(lattice) = &target {
            panel = panel.contours(lattice, &lattice.levels_of_mass(&[0.3, 0.6, 0.9]));
        }
        figure = figure.view(panel.points(label.clone(), points(k)));
    }
    for &k in &shots {
        let density = kde(&points(k), x, y, 101, Bandwidth::ScottTimes(0.5));
        figure = figure.view(view("", x, y).density(density));
    }
    let contours = match target {
        Some(_) => " over the density, 30, 60 and 90 % of which lie inside the lines",
        None => "",
    };
    Picture {
        name: "snapshots",
        caption: format!(
            "Above {}{contours}; below their kernel density.",
            part(sample.count(), scene.outcome.trajectories)
        ),
        figure: Box::new(figure),
    }
}

/// Where the pictures are taken: evenly, or early where a density is sought from afar.
fn shots(scene: &Scene<'_>) -> Vec<usize> {
    let n = scene.sample().times.len() - 1;
    let name = scene.simulation.name();
    let parts = match name.ends_with("langevin") {
        true if scene.simulation.starts.is_point() => [0.01, 0.05, 0.15, 1.0],
        true => [0.0, 0.02, 0.15, 1.0],
        false if scene.simulation.starts.is_point() => [0.05, 0.25, 0.5, 1.0],
        false => [0.0, 1.0 / 3.0, 2.0 / 3.0, 1.0],
    };
    let mut shots: Vec<usize> = parts
        .iter()
        .map(|p| (p * n as f64).round() as usize)
        .collect();
    shots.dedup();
    shots
}

/// The density that the first two components follow, where it is one of the plane.
pub(super) fn target(
    scene: &Scene<'_>,
    x: (f64, f64),
    y: (f64, f64),
) -> Option<fokker_eval::field::Lattice> {
    let density = scene.simulation.named.as_ref()?.density()?;
    if density.dim() != 2 {
        return None;
    }
    Some(view("", x, y).sample(|a, b| density.log_density(&[a, b]).exp()))
}

/// Three projections of space, or of the first three components.
pub(super) fn projections(scene: &Scene<'_>) -> Picture {
    let names = scene.simulation.names();
    let shown = match scene.scattered() {
        true => scene.sample().count().min(4),
        false => 1,
    };
    let label = part(shown, scene.outcome.trajectories);
    let mut figure = Plane::new(scene.title())
        .subtitle(scene.subtitle())
        .columns(3);
    for (a, b) in [(0, 1), (0, 2), (1, 2)] {
        let title = format!("{} (up) over {}", names[b], names[a]);
        let (x, y) = (scene.range(a), scene.range(b));
        let paths = (0..shown).map(|i| scene.path(i, (a, b))).collect();
        figure = figure.view(View::stretched(title, x, y, 0.9).paths(label.clone(), paths));
    }
    Picture {
        name: "projections",
        caption: format!("Three projections of {label}, from ring to dot."),
        figure: Box::new(figure),
    }
}
