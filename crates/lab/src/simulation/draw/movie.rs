//! The ensemble in motion.

use fokker_eval::figure::{Plane, View};
use fokker_eval::{Animation, EvalError, Theme};

use super::super::exact::Exact;
use super::super::resolve::Simulation;
use super::super::run::Outcome;
use super::super::words::digits;
use super::Scene;
use super::plane::{target, view};

/// Frames.
const FRAMES: usize = 60;
/// Points in motion.
const POINTS: usize = 1000;
/// Growing paths.
const PATHS: usize = 30;
/// The width in pixels.
const WIDTH: f64 = 480.0;
/// Milliseconds of a frame, and of the last one.
const DELAY: (u32, u32) = (80, 2000);

/// The ensemble in motion, for one theme: in the plane points over the density that they follow, or
/// growing trajectories; on the line growing paths.
///
/// # Errors
/// When it cannot be encoded.
pub fn animate(
    simulation: &Simulation,
    outcome: &Outcome,
    exact: Option<&Exact>,
    theme: &Theme,
) -> Result<Animation, EvalError> {
    let scene = Scene {
        simulation,
        outcome,
        exact,
    };
    let sample = scene.sample();
    let last = sample.times.len().saturating_sub(1);
    let frames = FRAMES.min(last.max(1));
    let at = |f: usize| last * f / frames;
    let names = simulation.names();
    let axes = if simulation.dim() == 3 {
        (0, 2)
    } else {
        (0, 1)
    };
    if simulation.dim() == 1 {
        let plan = simulation.plan();
        let time = (plan.from.min(plan.to), plan.from.max(plan.to));
        let y = scene.range(0);
        let paths: Vec<Vec<(f64, f64)>> = (0..sample.count().min(PATHS))
            .map(|i| {
                scene
                    .steps(i)
                    .map(|(k, t)| (t, sample.at(i, k, 0)))
                    .collect()
            })
            .collect();
        let figures = (0..=frames).map(|f| {
            let grown = paths
                .iter()
                .map(|path| path[..=at(f).min(path.len() - 1)].to_vec());
            Plane::new(scene.title())
                .subtitle(format!("t = {}", digits(sample.times[at(f)])))
                .x_label("t")
                .y_label(names[0].clone())
                .view(View::stretched("", time, y, 0.6).paths("", grown.collect()))
        });
        return Animation::render(figures, WIDTH, theme, DELAY.0, DELAY.1);
    }
    let (x, y) = (scene.range(axes.0), scene.range(axes.1));
    let cloud = scene.scattered();
    let density = target(&scene, x, y).filter(|_| axes == (0, 1));
    let levels = density.as_ref().map(|d| d.levels_of_mass(&[0.3, 0.6, 0.9]));
    let figures = (0..=frames).map(|f| {
        let k = at(f);
        let mut panel = view("", x, y);
        if let (Some(density), Some(levels)) = (&density, &levels) {
            panel = panel.density(density.clone()).contours(density, levels);
        }
        panel = if cloud {
            let points = (0..sample.count().min(POINTS))
                .map(|i| (sample.at(i, k, axes.0), sample.at(i, k, axes.1)));
            panel.points("", points.collect())
        } else {
            let path = scene.path(0, axes);
            let grown = path[..(k + 1).min(path.len())].to_vec();
            panel.paths("", vec![grown])
        };
        Plane::new(scene.title())
            .subtitle(format!("t = {}", digits(sample.times[k])))
            .x_label(names[axes.0].clone())
            .y_label(names[axes.1].clone())
            .view(panel)
    });
    Animation::render(figures, WIDTH, theme, DELAY.0, DELAY.1)
}
