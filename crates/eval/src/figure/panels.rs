//! Several panels in a grid: where they lie, their frames and words.

use super::{
    layout::{LABEL, LABEL_END, LABEL_MIDDLE, MIDDLE, PAD, SMALL},
    ticks::Axis,
};
use crate::{
    font::{self, Weight},
    svg::{Anchor, Canvas, Type},
};

/// The plot area of a panel.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cell {
    pub(super) left: f64,
    pub(super) top: f64,
    pub(super) width: f64,
    pub(super) height: f64,
}

impl Cell {
    /// A point of the axes on the canvas, if it can be drawn.
    pub(super) fn place(&self, (x, y): (&Axis, &Axis), p: (f64, f64)) -> Option<(f64, f64)> {
        Some((
            self.left + x.at(p.0)? * self.width,
            self.top + (1.0 - y.at(p.1)?) * self.height,
        ))
    }

    pub(super) fn area(&self) -> [f64; 4] {
        [self.left, self.top, self.width, self.height]
    }
}

/// What a grid of panels must make room for.
pub(super) struct Grid<'a> {
    /// Title and note of every panel.
    pub(super) panels: Vec<[&'a str; 2]>,
    /// As many columns as asked for, fewer where they do not fit.
    pub(super) columns: Option<usize>,
    pub(super) x_labels: bool,
    /// Room for the labels of the y axis, and whether every column needs it.
    pub(super) gutter: f64,
    pub(super) every_gutter: bool,
    /// The widest label of an x axis.
    pub(super) widest: f64,
    pub(super) least_width: f64,
    pub(super) most_width: f64,
}

const HEADING: f64 = 22.0;
const NOTE: f64 = 17.0;
const ROW_GAP: f64 = 16.0;

pub(super) fn text_width(text: &str) -> f64 {
    font::width(text, SMALL, Weight::Regular)
}

pub(super) fn widest(ticks: &[(f64, String)]) -> f64 {
    ticks.iter().map(|t| text_width(&t.1)).fold(0.0, f64::max)
}

impl Grid<'_> {
    /// How many columns there are on a canvas of `width`.
    pub(super) fn columns_at(&self, width: f64) -> usize {
        let (left, gap) = self.spaces();
        let panels = self.panels.len().max(1);
        let fit = ((width - left - PAD + gap) / (self.least_width + gap)) as usize;
        let fit = fit.clamp(1, panels);
        match self.columns {
            Some(wish) if wish <= fit => wish,
            Some(_) => panels.div_ceil(panels.div_ceil(fit)),
            // Rows of nearly the same length: four panels are 2 + 2 rather than 3 + 1.
            None => panels.div_ceil(panels.div_ceil(fit.min(4))),
        }
    }

    fn spaces(&self) -> (f64, f64) {
        let left = PAD + self.gutter + 8.0;
        let gap = if self.every_gutter {
            self.gutter + 26.0
        } else {
            24.0
        };
        (left, gap.max(self.widest + 10.0))
    }

    /// The width of every panel on a canvas of `width`.
    pub(super) fn panel_width(&self, width: f64) -> f64 {
        let columns = self.columns_at(width) as f64;
        let (left, gap) = self.spaces();
        // The last label of an x axis may stand out of its panel.
        let right = PAD.max(self.widest / 2.0 + 4.0);
        ((width - left - right + gap) / columns - gap)
            .min(self.most_width)
            .max(40.0)
    }

    /// The cells, each `height` high, below `top`, and the end of the last row.
    pub(super) fn cells(&self, width: f64, top: f64, height: f64) -> (Vec<Cell>, f64) {
        let columns = self.columns_at(width);
        let (left, gap) = self.spaces();
        let panel = self.panel_width(width);
        let used = columns as f64 * (panel + gap) - gap;
        let right = PAD.max(self.widest / 2.0 + 4.0);
        let left = left + ((width - left - right - used) / 2.0).max(0.0);
        let mut cells = Vec::new();
        let mut y = top;
        for row in self.panels.chunks(columns) {
            let titled = row.iter().any(|p| !p[0].is_empty());
            y += if titled { HEADING } else { 0.0 };
            for k in 0..row.len() {
                cells.push(Cell {
                    left: left + k as f64 * (panel + gap),
                    top: y,
                    width: panel,
                    height,
                });
            }
            let lines = row
                .iter()
                .map(|p| font::wrap(p[1], SMALL, Weight::Regular, panel, 3).len())
                .max();
            let below = if self.x_labels { 18.0 } else { 0.0 } + lines.unwrap_or(0) as f64 * NOTE;
            y += height + 26.0 + below + ROW_GAP;
        }
        (cells, y - ROW_GAP)
    }
}

/// Title above, axis labels, note below; the words of one panel.
pub(super) struct Words<'a> {
    pub(super) title: &'a str,
    pub(super) x_label: &'a str,
    pub(super) note: &'a str,
}

pub(super) fn words(canvas: &mut Canvas, cell: &Cell, words: &Words<'_>, x_labels: bool) {
    let title = font::shorten(words.title, 13.0, Weight::SemiBold, cell.width);
    let kind = Type::new(13.0, Weight::SemiBold, Anchor::Start);
    canvas.text(cell.left, cell.top - 9.0, kind, "ink", &title);
    let mut y = cell.top + cell.height + 22.0;
    if x_labels {
        y += 18.0;
        let text = font::shorten(words.x_label, SMALL, Weight::Regular, cell.width);
        let middle = cell.left + cell.width / 2.0;
        canvas.text(middle, y - 1.0, LABEL_MIDDLE, "mut", &text);
    }
    for line in font::wrap(words.note, SMALL, Weight::Regular, cell.width, 3) {
        y += NOTE;
        canvas.text(cell.left, y, LABEL, "ink", &line);
    }
}

/// The words above the upper left panel that name the vertical axes; returns the y below.
pub(super) fn y_label(canvas: &mut Canvas, text: &str, top: f64) -> f64 {
    if text.is_empty() {
        return top;
    }
    let text = font::shorten(text, SMALL, Weight::Regular, canvas.width - 2.0 * PAD);
    canvas.text(PAD, top + 11.0, LABEL, "mut", &text);
    top + 22.0
}

/// Drops labels that do not fit a panel of this size.
pub(super) fn fit(x: &mut Axis, y: &mut Axis, width: f64, height: f64) {
    x.fit(width, 14.0, text_width);
    y.fit(height, 6.0, |_| 15.0);
}

/// Tick labels, and grid lines if wanted.
pub(super) fn ticks(
    canvas: &mut Canvas,
    cell: &Cell,
    (x, y): (&Axis, &Axis),
    y_labels: bool,
    [vertical, horizontal]: [bool; 2],
) {
    let (right, bottom) = (cell.left + cell.width, cell.top + cell.height);
    for (v, label) in &x.ticks {
        let at = cell.left + x.at(*v).unwrap_or(0.0) * cell.width;
        if vertical {
            canvas.line([at, cell.top, at, bottom], "grid", "");
        }
        canvas.line([at, bottom, at, bottom + 4.0], "axis", "");
        let half = text_width(label) / 2.0;
        let at = at.clamp(half + 4.0, (canvas.width - half - 4.0).max(half + 4.0));
        canvas.text(at, bottom + 19.0, LABEL_MIDDLE, "mut", label);
    }
    for (v, label) in &y.ticks {
        let at = bottom - y.at(*v).unwrap_or(0.0) * cell.height;
        if horizontal {
            canvas.line([cell.left, at, right, at], "grid", "");
        }
        if y_labels {
            canvas.text(
                cell.left - 8.0,
                at + SMALL * MIDDLE,
                LABEL_END,
                "mut",
                label,
            );
        }
    }
}

/// Names in the order in which they first appear.
pub(super) fn distinct<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut out: Vec<&str> = Vec::new();
    for name in names {
        if !out.contains(&name) {
            out.push(name);
        }
    }
    out
}

/// The smallest range that holds all drawable values.
pub(super) fn range(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    let mut out: Option<(f64, f64)> = None;
    for v in values.filter(|v| super::ticks::drawable(*v, false)) {
        let (lo, hi) = out.unwrap_or((v, v));
        out = Some((lo.min(v), hi.max(v)));
    }
    out
}
