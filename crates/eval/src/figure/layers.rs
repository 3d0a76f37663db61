//! What a [`View`](super::View) shows, layer by layer.

use super::{
    label::place_label,
    layout::{Mark, SMALL},
    panels::{Cell, text_width},
    pen::{Pen, runs, simplified},
    ticks::{Axis, number},
};
use crate::{
    field::{Arrow, Lattice, Line, superlevel},
    font::Weight,
    svg::{Anchor, Canvas, Type, num},
    theme::BANDS,
};

/// At most this many points of a layer are drawn.
const MOST_POINTS: usize = 4000;
/// At most this many corners of all trajectories of a layer are drawn.
const MOST_CORNERS: usize = 16_000;
/// Points share this many paths: overlaps up to that depth grow darker.
const SHEETS: usize = 24;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Layer {
    Density(Lattice),
    Contours {
        lines: Vec<(f64, Vec<Line>)>,
        labelled: bool,
    },
    ZeroSet {
        name: String,
        lines: Vec<Line>,
    },
    Points {
        name: String,
        points: Line,
    },
    Paths {
        name: String,
        paths: Vec<Line>,
    },
    Arrows {
        arrows: Vec<Arrow>,
        across: usize,
    },
    Streams {
        lines: Vec<Line>,
        across: usize,
    },
}

impl Layer {
    /// The name in the legend and its mark.
    pub(super) fn name(&self) -> Option<(&str, Mark)> {
        match self {
            Self::ZeroSet { name, .. } => Some((name, Mark::Dashed)),
            Self::Points { name, .. } => Some((name, Mark::Dot)),
            Self::Paths { name, .. } => Some((name, Mark::Line)),
            _ => None,
        }
    }

    /// The largest value of a density.
    pub(super) fn peak(&self) -> Option<f64> {
        match self {
            Self::Density(f) => f.max(),
            _ => None,
        }
    }

    /// Whether a grid behind this layer helps rather than disturbs.
    pub(super) fn leaves_grid(&self) -> bool {
        matches!(self, Self::Points { .. } | Self::Paths { .. })
    }

    pub(super) fn draw(
        &self,
        canvas: &mut Canvas,
        cell: &Cell,
        axes: (&Axis, &Axis),
        colours: &[(&str, usize)],
        full: f64,
    ) {
        let colour = |name: &str| colours.iter().find(|c| c.0 == name).map_or(0, |c| c.1);
        match self {
            Self::Density(f) => density(canvas, cell, axes, f, full),
            Self::Contours { lines, labelled } => contours(canvas, cell, axes, lines, *labelled),
            Self::ZeroSet { name, lines } => {
                let look = "fill=\"none\" stroke-width=\"2\" stroke-dasharray=\"6 4\" stroke-linejoin=\"round\"";
                let mut pen = Pen::default();
                draw_all(&mut pen, cell, axes, lines, 0.1);
                path(canvas, &pen, &format!("s{}", colour(name)), look);
            }
            Self::Points { name, points } => points_layer(canvas, cell, axes, points, colour(name)),
            Self::Paths { name, paths } => trajectories(canvas, cell, axes, paths, colour(name)),
            Self::Arrows { arrows, across } => quiver(canvas, cell, axes, arrows, *across),
            Self::Streams { lines, across } => streams(canvas, cell, axes, lines, *across),
        }
    }
}

fn path(canvas: &mut Canvas, pen: &Pen, class: &str, look: &str) {
    if !pen.is_empty() {
        canvas.path(pen.text(), class, look);
    }
}

fn draw_all(pen: &mut Pen, cell: &Cell, axes: (&Axis, &Axis), lines: &[Line], tolerance: f64) {
    for line in lines {
        for run in runs(cell, axes, line) {
            pen.line(simplified(&run, tolerance), false);
        }
    }
}

/// Bands painted over each other from the palest to the peak, so that no seams show.
fn density(canvas: &mut Canvas, cell: &Cell, axes: (&Axis, &Axis), f: &Lattice, full: f64) {
    if !(full.is_finite() && full > 0.0) {
        return;
    }
    for k in 1..=BANDS {
        let level = full * ((k as f64 - 0.5) / BANDS as f64);
        let mut pen = Pen::default();
        for ring in superlevel(f, level) {
            for run in runs(cell, axes, &ring) {
                let run = simplified(&run, 0.12);
                // Specks below a pixel are not worth their letters.
                let size = |of: fn(&(f64, f64)) -> f64| {
                    super::panels::range(run.iter().map(of)).map_or(0.0, |(a, b)| b - a)
                };
                if size(|p| p.0).max(size(|p| p.1)) > 0.8 {
                    pen.line(run, true);
                }
            }
        }
        path(canvas, &pen, &format!("d{k}"), "fill-rule=\"evenodd\"");
    }
}

fn contours(
    canvas: &mut Canvas,
    cell: &Cell,
    axes: (&Axis, &Axis),
    lines: &[(f64, Vec<Line>)],
    labelled: bool,
) {
    let mut pen = Pen::default();
    for (_, lines) in lines {
        draw_all(&mut pen, cell, axes, lines, 0.1);
    }
    let look = "fill=\"none\" stroke-width=\"1\" stroke-opacity=\"0.55\" stroke-linejoin=\"round\"";
    path(canvas, &pen, "line", look);
    if !labelled {
        return;
    }
    let mut taken: Vec<(f64, f64, f64)> = Vec::new();
    for (level, lines) in lines {
        let text = number(*level);
        let room = text_width(&text) + 10.0;
        for line in lines {
            for run in runs(cell, axes, line) {
                if let Some((x, y, degrees)) = place_label(&run, cell, room, &taken) {
                    taken.push((x, y, room));
                    let kind = Type::new(10.5, Weight::Regular, Anchor::Middle).with_halo();
                    let slope = degrees.to_radians();
                    let down = SMALL * 0.32;
                    let (x, y) = (x - slope.sin() * down, y + slope.cos() * down);
                    // A turn of exactly 0 would be written without one, and upright words may not touch.
                    canvas.text_turned(x, y, degrees, kind, "mut", &text);
                }
            }
        }
    }
}

fn points_layer(
    canvas: &mut Canvas,
    cell: &Cell,
    axes: (&Axis, &Axis),
    points: &[(f64, f64)],
    colour: usize,
) {
    let inside = |p: &(f64, f64)| {
        let (x, y) = axes;
        (x.lo..=x.hi).contains(&p.0) && (y.lo..=y.hi).contains(&p.1)
    };
    let points: Line = points.iter().copied().filter(inside).collect();
    let every = points.len().div_ceil(MOST_POINTS).max(1);
    let shown = (points.len() / every).max(1) as f64;
    // Small panels have smaller dots.
    let scale = (cell.width / 300.0).sqrt().clamp(0.6, 1.3);
    let size = (scale * 85.0 / shown.sqrt()).clamp(1.7, 6.0);
    let look = format!(
        "fill=\"none\" stroke-linecap=\"round\" stroke-width=\"{}\" stroke-opacity=\"{}\"",
        num(size),
        num((16.0 / shown.sqrt()).clamp(0.4, 0.9))
    );
    canvas.group(&format!("s{colour}"), &look, |canvas| {
        for sheet in 0..SHEETS {
            let mut pen = Pen::default();
            for p in points.iter().step_by(every).skip(sheet).step_by(SHEETS) {
                pen.line(cell.place(axes, *p), false);
            }
            if !pen.is_empty() {
                canvas.bare_path(pen.text());
            }
        }
    });
}

fn trajectories(
    canvas: &mut Canvas,
    cell: &Cell,
    axes: (&Axis, &Axis),
    paths: &[Line],
    colour: usize,
) {
    let many = paths.len() > 24;
    let (thick, opacity) = if many {
        (1.0, (6.0 / (paths.len() as f64).sqrt()).clamp(0.25, 0.8))
    } else {
        (1.6, 0.95)
    };
    let corners = (MOST_CORNERS / paths.len().max(1)).max(12);
    let look = format!(
        "fill=\"none\" stroke-width=\"{thick}\" stroke-opacity=\"{}\" stroke-linejoin=\"round\" stroke-linecap=\"round\"",
        num(opacity)
    );
    let (mut starts, mut ends) = (Vec::new(), Vec::new());
    canvas.group(&format!("s{colour}"), &look, |canvas| {
        for line in paths {
            let placed = runs(cell, axes, line);
            starts.extend(placed.first().and_then(|r| r.first()).copied());
            ends.extend(placed.last().and_then(|r| r.last()).copied());
            let mut pen = Pen::default();
            for run in placed {
                let run = simplified(&run, 0.1);
                let every = run.len().div_ceil(corners).max(1);
                let last = run.last().copied();
                pen.line(run.into_iter().step_by(every).chain(last), false);
            }
            if !pen.is_empty() {
                canvas.bare_path(pen.text());
            }
        }
    });
    if paths.len() > 200 {
        return;
    }
    let (ring, dot) = if many { (1.6, 2.0) } else { (3.2, 3.6) };
    let class = format!("s{colour}");
    for (a, b) in starts {
        let look = format!(
            "rx=\"{ring}\" stroke-width=\"{}\"",
            if many { 1.0 } else { 1.6 }
        );
        canvas.rect(
            [a - ring, b - ring, 2.0 * ring, 2.0 * ring],
            &format!("bg {class}"),
            &look,
            "",
        );
    }
    for (a, b) in ends {
        let look = format!("rx=\"{dot}\"");
        canvas.rect(
            [a - dot, b - dot, 2.0 * dot, 2.0 * dot],
            &format!("f{colour}"),
            &look,
            "",
        );
    }
}

/// A filled arrowhead with its tip at `tip`, pointing along the unit vector `d`.
fn head(pen: &mut Pen, tip: (f64, f64), d: (f64, f64), size: f64) {
    let back = (tip.0 - d.0 * size, tip.1 - d.1 * size);
    let notch = (tip.0 - d.0 * size * 0.72, tip.1 - d.1 * size * 0.72);
    let half = size * 0.42;
    let left = (back.0 - d.1 * half, back.1 + d.0 * half);
    let right = (back.0 + d.1 * half, back.1 - d.0 * half);
    pen.line([tip, left, notch, right], true);
}

fn quiver(canvas: &mut Canvas, cell: &Cell, axes: (&Axis, &Axis), arrows: &[Arrow], across: usize) {
    let (kx, ky) = (
        cell.width / (axes.0.hi - axes.0.lo),
        -cell.height / (axes.1.hi - axes.1.lo),
    );
    let moved: Vec<_> = arrows
        .iter()
        .filter_map(|(p, v)| {
            let d = (v.0 * kx, v.1 * ky);
            let size = d.0.hypot(d.1);
            let at = cell.place(axes, *p)?;
            (size.is_finite() && size > 0.0).then(|| (at, (d.0 / size, d.1 / size), size))
        })
        .collect();
    let largest = moved.iter().map(|m| m.2).fold(0.0, f64::max);
    let full = cell.width / across as f64 * 0.92;
    let (mut shafts, mut heads) = (Pen::default(), Pen::default());
    for (at, d, size) in moved {
        let length = full * (size / largest).sqrt();
        let tip_size = (length * 0.45).clamp(2.2, 7.0);
        if length < 1.5 {
            continue;
        }
        // The arrow is centred on its place.
        let start = (at.0 - d.0 * length / 2.0, at.1 - d.1 * length / 2.0);
        let tip = (at.0 + d.0 * length / 2.0, at.1 + d.1 * length / 2.0);
        let neck = (tip.0 - d.0 * tip_size * 0.7, tip.1 - d.1 * tip_size * 0.7);
        if length > tip_size {
            shafts.line([start, neck], false);
        }
        head(&mut heads, tip, d, tip_size);
    }
    let look = "fill=\"none\" stroke-width=\"1.1\" stroke-opacity=\"0.85\"";
    path(canvas, &shafts, "ref", look);
    path(canvas, &heads, "mut", "fill-opacity=\"0.85\"");
}

fn streams(canvas: &mut Canvas, cell: &Cell, axes: (&Axis, &Axis), lines: &[Line], across: usize) {
    let (mut pen, mut heads) = (Pen::default(), Pen::default());
    draw_all(&mut pen, cell, axes, lines, 0.1);
    let gap = cell.width / across as f64;
    for line in lines {
        for run in runs(cell, axes, line) {
            let mut length = vec![0.0];
            for w in run.windows(2) {
                length.push(length[length.len() - 1] + (w[1].0 - w[0].0).hypot(w[1].1 - w[0].1));
            }
            let whole = length[length.len() - 1];
            // One arrowhead on a short line, more on long ones.
            let count = (whole / (gap * 7.0)).round().max(1.0);
            if whole < gap * 1.5 {
                continue;
            }
            for k in 0..count as usize {
                let s = whole * (k as f64 + 0.55) / count;
                let i = length.partition_point(|l| *l < s).clamp(1, run.len() - 1);
                let (a, b) = (run[i - 1], run[i]);
                let size = (b.0 - a.0).hypot(b.1 - a.1).max(1e-9);
                let d = ((b.0 - a.0) / size, (b.1 - a.1) / size);
                let tip_size = (gap * 0.42).clamp(4.5, 7.5);
                let tip = (b.0 + d.0 * tip_size / 2.0, b.1 + d.1 * tip_size / 2.0);
                // A head that the frame would cut is no arrow.
                let far = |v: f64, lo: f64, size: f64| (v - lo).min(lo + size - v) > tip_size;
                if !(far(b.0, cell.left, cell.width) && far(b.1, cell.top, cell.height)) {
                    continue;
                }
                head(&mut heads, tip, d, tip_size);
            }
        }
    }
    let look = "fill=\"none\" stroke-width=\"1\" stroke-opacity=\"0.6\" stroke-linejoin=\"round\" stroke-linecap=\"round\"";
    path(canvas, &pen, "ref", look);
    path(canvas, &heads, "mut", "fill-opacity=\"0.9\"");
}
