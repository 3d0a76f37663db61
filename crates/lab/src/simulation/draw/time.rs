//! Paths over time, and the law at the end.

use fokker_eval::field::Bins;
use fokker_eval::figure::{Histogram, HistogramPanel, PathPanel, PathPanels};
use fokker_sim::process::named::{Holds, Marginal};

use super::super::exact::density;
use super::super::words::{chance, digits, part, trajectories};
use super::{PANELS, Picture, Scene};

/// Paths of one picture.
const PATHS: usize = 500;
/// Points of an exact curve.
const CURVE: usize = 120;

/// Every component over time.
pub(super) fn paths(scene: &Scene<'_>) -> Picture {
    let simulation = scene.simulation;
    let shown = scene.sample().count().min(PATHS);
    let shown = if simulation.is_stochastic() {
        shown
    } else {
        shown.min(60)
    };
    let several = simulation.dim() > 1;
    let mut figure = PathPanels::new(scene.title())
        .subtitle(scene.subtitle())
        .x_label("t")
        .columns(1)
        .free_y();
    if !several {
        figure = figure.y_label(simulation.names()[0].clone());
    }
    let mut words = "";
    for (j, name) in simulation.names().iter().enumerate().take(PANELS) {
        let lines = (0..shown).map(|i| {
            let points = scene.steps(i).map(|(k, t)| (t, scene.sample().at(i, k, j)));
            points.filter(|p| p.1.is_finite()).collect()
        });
        let name = if several { name.as_str() } else { "" };
        let label = match shown {
            1 if scene.outcome.trajectories == 1 => "path".to_owned(),
            _ => part(shown, scene.outcome.trajectories),
        };
        let mut panel = PathPanel::new(name).paths(label, lines.collect());
        (panel, words) = known(scene, j, panel);
        if scene.scattered() && simulation.dim() <= 3 {
            let (bins, curve) = last(scene, j);
            panel = panel.marginal(bins, curve);
        }
        figure = figure.panel(panel);
    }
    let more = match simulation.dim() {
        d if d > PANELS => format!(" The first {PANELS} of {d} components."),
        _ => String::new(),
    };
    Picture {
        name: "paths",
        caption: format!("Paths over time.{words}{more}"),
        figure: Box::new(figure),
    }
}

/// Adds the mean and a band of two deviations: the exact ones where known, else those measured.
fn known(scene: &Scene<'_>, j: usize, panel: PathPanel) -> (PathPanel, &'static str) {
    let simulation = scene.simulation;
    let plan = simulation.plan();
    let at = |k: usize| plan.from + (plan.to - plan.from) * (k as f64 / CURVE as f64);
    let law = |t: f64| simulation.law(t).filter(|law| law.holds == Holds::Exactly);
    let exact: Option<Vec<(f64, f64, Option<f64>)>> = (0..=CURVE)
        .map(|k| {
            let law = law(at(k))?;
            let marginal = law.marginals.get(j)?;
            Some((at(k), marginal.mean(), marginal.variance()))
        })
        .collect();
    let measured = || {
        let summaries = &scene.outcome.summaries;
        let points = summaries.times().iter().zip(summaries.summaries());
        let points = points.map(|(&t, s)| (t, s.moments.mean()[j], Some(s.moments.variance()[j])));
        points.collect::<Vec<_>>()
    };
    let (points, name, mean_only, words) = match exact {
        Some(points) => {
            let words = " Over them what is known exactly: the mean, and two standard deviations to each side.";
            (points, "exact mean ± 2 std", "exact", words)
        }
        None if scene.scattered() && plan.save.len() > 2 => {
            let words = " Over them the mean of all trajectories, and two standard deviations to each side.";
            (measured(), "mean ± 2 std", "mean", words)
        }
        None => return (panel, ""),
    };
    let band: Option<Vec<(f64, f64, f64)>> = points
        .iter()
        .map(|&(t, m, v)| v.map(|v| (t, m - 2.0 * v.sqrt(), m + 2.0 * v.sqrt())))
        .collect();
    let curve = points.iter().map(|p| (p.0, p.1)).collect();
    match band.filter(|band| band.iter().any(|b| b.1 < b.2)) {
        Some(band) => (panel.curve(name, curve).band(name, band), words),
        None => (
            panel.curve(mean_only, curve),
            " Over them the exact solution.",
        ),
    }
}

/// The law at the last save time: bars, and the exact or invariant density.
fn last(scene: &Scene<'_>, j: usize) -> (Bins, Vec<(f64, f64)>) {
    let dim = scene.simulation.dim();
    let column = scene.outcome.last.iter().skip(j).step_by(dim);
    let mut values: Vec<f64> = column.copied().filter(|x| x.is_finite()).collect();
    values.sort_unstable_by(f64::total_cmp);
    // By the number alone: a rule by quartiles makes too few bars of a law with several bumps.
    let bars = (values.len() as f64).sqrt().clamp(8.0, 80.0) as usize;
    let range = (values.first().copied(), values.last().copied());
    let bins = match range {
        (Some(low), Some(high)) if low < high => Bins::within(&values, (low, high), bars),
        _ => Bins::of(&values),
    };
    let marginal = scene.exact.and_then(|exact| exact.law.marginals.get(j));
    let curve = match (marginal, values.first(), values.last()) {
        (Some(marginal), Some(&low), Some(&high)) if low < high => {
            let margin = 0.05 * (high - low);
            let low = match marginal {
                Marginal::LogNormal { .. } => (low - margin).max(0.0),
                _ => low - margin,
            };
            density(marginal, (low, high + margin), 200)
        }
        _ => Vec::new(),
    };
    (bins, curve)
}

/// The law of every component at the last save time.
pub(super) fn terminal(scene: &Scene<'_>) -> Picture {
    let simulation = scene.simulation;
    let time = simulation.plan().save.last().copied().unwrap_or_default();
    let sense = scene.exact.map_or("exact law", |exact| exact.sense());
    let mut figure = Histogram::new(format!("The law at t = {}", digits(time)))
        .subtitle(scene.subtitle())
        .columns(simulation.dim().min(3))
        .free_x()
        .free_y();
    for (j, name) in simulation.names().iter().enumerate().take(PANELS) {
        let (bins, curve) = last(scene, j);
        let mut panel = HistogramPanel::new(name.clone()).bars("simulated", bins);
        if !curve.is_empty() {
            panel = panel.curve(sense, curve);
        }
        if let Some(p) = scene
            .exact
            .and_then(|exact| exact.components.get(j)?.p_value)
        {
            panel = panel.note(format!("Kolmogorov–Smirnov p = {}", chance(p)));
        }
        figure = figure.panel(panel);
    }
    let n = scene.outcome.last.len() / simulation.dim();
    Picture {
        name: "terminal",
        caption: format!(
            "The state at the last save time, of {}.",
            trajectories(n as u64)
        ),
        figure: Box::new(figure),
    }
}
