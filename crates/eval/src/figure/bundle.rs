//! The content of a panel of many paths.

use super::{
    PathPanel,
    panels::{self, Cell},
    pen::{Pen, draw_line, runs},
    ticks::Axis,
};
use crate::{
    field::{Bins, Line},
    svg::{Canvas, num},
};

/// A path with fewer corners no longer looks random; then fewer paths are drawn.
const LEAST_CORNERS: usize = 24;

impl PathPanel {
    /// Bands, paths, levels and curves, in this order from the bottom.
    pub(super) fn content(
        &self,
        canvas: &mut Canvas,
        cell: &Cell,
        axes: (&Axis, &Axis),
        names: &[&str],
        budget: usize,
    ) {
        let colour = |name: &str| names.iter().position(|n| *n == name).unwrap_or(0) % 10;
        let total: usize = self.paths.iter().map(|p| p.1.len()).sum();
        let shown = total.min((budget / LEAST_CORNERS).max(1));
        let corners = (budget / shown.max(1)).max(LEAST_CORNERS);
        canvas.clipped([cell.left, cell.top - 2.0, cell.width + 1.0, cell.height + 4.0], |canvas| {
            // The fill lies under the paths, its edges over them.
            for (name, band) in &self.bands {
                let good = |b: &&(f64, f64, f64)| {
                    cell.place(axes, (b.0, b.1)).is_some() && cell.place(axes, (b.0, b.2)).is_some()
                };
                let there = band.iter().filter(good).map(|b| (b.0, b.1));
                let back = band.iter().rev().filter(good).map(|b| (b.0, b.2));
                let ring: Line = there.chain(back).filter_map(|p| cell.place(axes, p)).collect();
                if ring.len() > 3 {
                    let mut pen = Pen::default();
                    pen.line(ring, true);
                    canvas.path(pen.text(), &format!("f{}", colour(name)), "fill-opacity=\"0.15\"");
                }
            }
            for (name, paths) in &self.paths {
                let (opacity, thick) = if shown > 12 {
                    ((3.4 / (shown as f64).sqrt()).clamp(0.1, 0.9), 0.9)
                } else {
                    (0.9, 1.3)
                };
                let look = format!(
                    "fill=\"none\" stroke-width=\"{thick}\" stroke-opacity=\"{}\" stroke-linejoin=\"round\"",
                    num(opacity)
                );
                canvas.group(&format!("s{}", colour(name)), &look, |canvas| {
                    // Evenly chosen paths: number k is drawn when k · shown / total reaches the next whole number.
                    let drawn = (0..paths.len()).filter(|k| (k * shown) % total < shown);
                    for k in drawn {
                        let mut pen = Pen::default();
                        for run in runs(cell, axes, &evenly(&paths[k], corners)) {
                            pen.line(run, false);
                        }
                        if !pen.is_empty() {
                            canvas.bare_path(pen.text());
                        }
                    }
                });
            }
            for (name, band) in &self.bands {
                for upper in [false, true] {
                    let value = |b: &(f64, f64, f64)| if upper { b.2 } else { b.1 };
                    let edge: Line = band.iter().map(|b| (b.0, value(b))).collect();
                    let look = "stroke-width=\"1.25\"";
                    draw_line(canvas, cell, axes, &edge, &format!("s{}", colour(name)), look);
                }
            }
            for (name, value) in &self.levels {
                let ends = [(axes.0.lo, *value), (axes.0.hi, *value)];
                let look = "stroke-width=\"1.6\" stroke-dasharray=\"5 4\"";
                draw_line(canvas, cell, axes, &ends, &format!("s{}", colour(name)), look);
            }
            for (name, line) in &self.curves {
                // A ring of the surface's colour lifts the line off the paths.
                draw_line(canvas, cell, axes, line, "halo", "stroke-width=\"4\" stroke-opacity=\"0.7\"");
                let class = format!("s{}", colour(name));
                draw_line(canvas, cell, axes, line, &class, "stroke-width=\"2\"");
            }
        });
    }
}

/// At most `corners` evenly chosen points of a line, both ends included.
fn evenly(line: &[(f64, f64)], corners: usize) -> Line {
    if line.len() <= corners {
        return line.to_vec();
    }
    let last = corners.max(2) - 1;
    (0..=last)
        .map(|k| line[k * (line.len() - 1) / last])
        .collect()
}

/// Bars that grow to the right over the panel's own vertical axis, and the exact density.
pub(super) fn marginal(
    canvas: &mut Canvas,
    cell: &Cell,
    y: &Axis,
    bins: &Bins,
    density: &[(f64, f64)],
    panel: &PathPanel,
    names: &[&str],
) {
    let exact = density.iter().map(|p| p.1);
    let Some((_, high)) = panels::range(bins.bars().map(|b| b.2).chain(exact)) else {
        return;
    };
    let colour = |name: Option<&String>, other: usize| {
        let found = name.and_then(|n| names.iter().position(|m| m == n));
        found.unwrap_or(other) % 10
    };
    // Bars are coloured as the paths, the density as the first thing that is known exactly.
    let bars = colour(panel.paths.first().map(|p| &p.0), 0);
    let known = panel.bands.first().map(|b| &b.0);
    let line = colour(panel.curves.first().map(|c| &c.0).or(known), 1);
    let mut x = Axis::linear(0.0, 1.0, 2, false);
    (x.lo, x.hi) = (0.0, if high > 0.0 { high * 1.04 } else { 1.0 });
    canvas.clipped(
        [
            cell.left - 1.0,
            cell.top - 2.0,
            cell.width + 2.0,
            cell.height + 4.0,
        ],
        |canvas| {
            let mut pen = Pen::default();
            for (a, b, h) in bins.bars().filter(|b| b.2 > 0.0) {
                if let (Some(p), Some(q)) =
                    (cell.place((&x, y), (0.0, a)), cell.place((&x, y), (h, b)))
                {
                    let gap = if p.1 - q.1 > 4.0 { 0.7 } else { 0.0 };
                    pen.line([(p.0, p.1 - gap), (q.0, p.1 - gap), q, (p.0, q.1)], true);
                }
            }
            if !pen.is_empty() {
                canvas.path(pen.text(), &format!("f{bars}"), "fill-opacity=\"0.38\"");
            }
            let turned: Line = density.iter().map(|p| (p.1, p.0)).collect();
            draw_line(
                canvas,
                cell,
                (&x, y),
                &turned,
                &format!("s{line}"),
                "stroke-width=\"2\"",
            );
            canvas.line(
                [cell.left, cell.top, cell.left, cell.top + cell.height],
                "axis",
                "",
            );
        },
    );
}
