use std::fmt::Write;

use super::{
    Figure, MIN_WIDTH,
    layout::{Entry, LABEL_END, LABEL_MIDDLE, MIDDLE, Mark, PAD, SMALL, header, no_data},
    ticks::{Axis, drawable},
};
use crate::{
    Svg, Theme,
    font::{self, Weight},
    svg::{Anchor, Canvas, Type, num},
};

/// At most this many points of a panel are drawn, evenly chosen; more cannot be told apart and make heavy files.
const MAX_POINTS: usize = 6000;
/// A path is painted as one shape, so points share this many paths: overlaps up to that depth grow darker.
const LAYERS: usize = 48;

/// One square of a [`Scatter`]: points in the plane, in one colour or one per class.
#[derive(Debug, Clone, PartialEq)]
pub struct Panel {
    title: String,
    groups: Vec<(String, Vec<(f64, f64)>)>,
    line: Vec<Vec<(f64, f64)>>,
}

impl Panel {
    /// An empty panel with a heading.
    pub fn new(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            groups: Vec::new(),
            line: Vec::new(),
        }
    }

    /// Adds points (x, y) in one colour; the same `class` has the same colour in every panel. An empty name is not
    /// listed in the legend.
    pub fn points(mut self, class: impl Into<String>, points: Vec<(f64, f64)>) -> Self {
        self.groups.push((class.into(), points));
        self
    }

    /// Adds thin lines under the points, for example trajectories.
    pub fn paths(mut self, paths: Vec<Vec<(f64, f64)>>) -> Self {
        self.line.extend(paths);
        self
    }

    fn all(&self) -> impl Iterator<Item = &(f64, f64)> {
        let points = self.groups.iter().flat_map(|g| &g.1);
        points
            .chain(self.line.iter().flatten())
            .filter(|p| drawable(p.0, false) && drawable(p.1, false))
    }
}

/// Panels of points side by side with one common, equal-aspect range.
///
/// ```
/// use fokker_eval::figure::{Figure, Panel, Scatter};
/// let svg = Scatter::new("Two moons")
///     .panel(Panel::new("data").points("", vec![(0.0, 1.0), (1.0, 0.5)]))
///     .panel(Panel::new("samples").points("", vec![(0.1, 0.9)]))
///     .svg();
/// assert!(svg.as_str().contains("samples"));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Scatter {
    title: String,
    subtitle: String,
    panels: Vec<Panel>,
    range: Option<[(f64, f64); 2]>,
}

impl Scatter {
    /// A figure without panels yet.
    pub fn new(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            subtitle: String::new(),
            panels: Vec::new(),
            range: None,
        }
    }

    /// A sentence under the title.
    pub fn subtitle(mut self, text: impl Into<String>) -> Self {
        self.subtitle = text.into();
        self
    }

    /// Adds a panel to the right.
    pub fn panel(mut self, panel: Panel) -> Self {
        self.panels.push(panel);
        self
    }

    /// Fixes the visible range instead of showing every point; each panel says how many points lie outside.
    pub fn range(mut self, x: (f64, f64), y: (f64, f64)) -> Self {
        self.range = Some([x, y]);
        self
    }

    /// Centre and half side of the common square.
    fn square(&self) -> Option<(f64, f64, f64)> {
        let empty = (f64::INFINITY, f64::NEG_INFINITY);
        let grow = |r: (f64, f64), v: f64| (r.0.min(v), r.1.max(v));
        let mut points = self.panels.iter().flat_map(Panel::all).peekable();
        points.peek()?;
        let (mut x, mut y) = points.fold((empty, empty), |(x, y), p| (grow(x, p.0), grow(y, p.1)));
        let mut room = 1.06;
        if let Some([a, b]) = self.range
            && [a.0, a.1, b.0, b.1].iter().all(|v| drawable(*v, false))
            && a.0 < a.1
            && b.0 < b.1
        {
            (x, y, room) = (a, b, 1.0);
        }
        let half = ((x.1 - x.0) / 2.0).max((y.1 - y.0) / 2.0) * room;
        let size = [x.0, x.1, y.0, y.1]
            .iter()
            .fold(0.0f64, |a, v| a.max(v.abs()));
        let half = if half <= size * 1e-9 {
            (size * 0.1).max(1e-280)
        } else {
            half
        };
        Some((x.0 / 2.0 + x.1 / 2.0, y.0 / 2.0 + y.1 / 2.0, half))
    }
}

impl Figure for Scatter {
    fn draw(&self, width: f64, theme: &Theme) -> Svg {
        let width = width.max(MIN_WIDTH);
        let mut canvas = Canvas::new(width);
        let mut classes: Vec<&str> = Vec::new();
        for (name, _) in self.panels.iter().flat_map(|p| &p.groups) {
            if !classes.contains(&name.as_str()) {
                classes.push(name);
            }
        }
        let entries: Vec<Entry<'_>> = classes
            .iter()
            .enumerate()
            .filter(|(_, name)| !name.is_empty())
            .map(|(colour, name)| Entry {
                name,
                colour,
                mark: Mark::Dot,
            })
            .collect();
        let mut top = header(&mut canvas, &self.title, &self.subtitle, &entries);
        let Some((cx, cy, half)) = self.square() else {
            let height = width * 0.46;
            no_data(&mut canvas, [PAD, top, width - 2.0 * PAD, height]);
            return canvas.finish(top + height + PAD, &self.title, theme);
        };

        let label_width = |s: &str| font::width(s, SMALL, Weight::Regular);
        let y0 = Axis::linear(cy - half, cy + half, 5, false);
        let left = PAD
            + y0.ticks
                .iter()
                .map(|t| label_width(&t.1))
                .fold(0.0, f64::max)
            + 8.0;
        let (mut x, mut y) = (Axis::linear(cx - half, cx + half, 5, false), y0);
        // Labels under neighbouring corners must not meet.
        let widest = x
            .ticks
            .iter()
            .map(|t| label_width(&t.1))
            .fold(0.0, f64::max);
        let gap = (widest + 10.0).max(24.0);
        let room = width - left - PAD;
        let columns = self
            .panels
            .len()
            .min((((room + gap) / (200.0 + gap)) as usize).max(1));
        let side = ((room + gap) / columns as f64 - gap).min(460.0);
        // A single column stands in the middle, or at the left margin if it fills the width.
        let left = if columns == 1 {
            left + (room - side) / 2.0
        } else {
            left
        };
        x.fit(side, 12.0, label_width);
        y.fit(side, 6.0, |_| 15.0);

        for (i, panel) in self.panels.iter().enumerate() {
            let (column, row) = (i % columns, i / columns);
            let heading = if self.panels.iter().any(|p| !p.title.is_empty()) {
                22.0
            } else {
                0.0
            };
            if column == 0 && row > 0 {
                top += side + heading + 38.0;
            }
            let area = Area {
                left: left + column as f64 * (side + gap),
                top: top + heading,
                side,
            };
            area.frame(&mut canvas, &x, &y, column == 0);
            let title = font::shorten(&panel.title, 13.0, Weight::SemiBold, side);
            let kind = Type::new(13.0, Weight::SemiBold, Anchor::Start);
            canvas.text(area.left, top + 12.0, kind, "ink", &title);
            let outside = panel
                .all()
                .filter(|p| {
                    (p.0 - cx).abs() > half * (1.0 + 1e-9) || (p.1 - cy).abs() > half * (1.0 + 1e-9)
                })
                .count();
            let used = font::width(&title, 13.0, Weight::SemiBold) + 12.0;
            let note = font::shorten(
                &format!("{outside} outside"),
                SMALL,
                Weight::Regular,
                side - used,
            );
            if outside > 0 {
                canvas.text(area.left + side, top + 12.0, LABEL_END, "mut", &note);
            }
            area.content(&mut canvas, panel, (&x, &y), &classes);
            if i + 1 == self.panels.len() {
                top += heading + side + 30.0;
            }
        }
        canvas.finish(top + PAD - 4.0, &self.title, theme)
    }
}

struct Area {
    left: f64,
    top: f64,
    side: f64,
}

impl Area {
    fn frame(&self, canvas: &mut Canvas, x: &Axis, y: &Axis, y_labels: bool) {
        let (right, bottom) = (self.left + self.side, self.top + self.side);
        for (v, label) in &x.ticks {
            let at = self.left + x.at(*v).unwrap_or(0.0) * self.side;
            canvas.line([at, self.top, at, bottom], "grid", "");
            let half = font::width(label, SMALL, Weight::Regular) / 2.0;
            let text_at = at.clamp(half + 4.0, (canvas.width - half - 4.0).max(half + 4.0));
            canvas.text(text_at, bottom + 20.0, LABEL_MIDDLE, "mut", label);
        }
        for (v, label) in &y.ticks {
            let at = bottom - y.at(*v).unwrap_or(0.0) * self.side;
            canvas.line([self.left, at, right, at], "grid", "");
            if y_labels {
                canvas.text(
                    self.left - 8.0,
                    at + SMALL * MIDDLE,
                    LABEL_END,
                    "mut",
                    label,
                );
            }
        }
        canvas.rect(
            [self.left, self.top, self.side, self.side],
            "axis",
            "fill=\"none\"",
            "",
        );
    }

    fn content(
        &self,
        canvas: &mut Canvas,
        panel: &Panel,
        (x, y): (&Axis, &Axis),
        classes: &[&str],
    ) {
        let place = |p: &(f64, f64)| {
            Some((
                self.left + x.at(p.0)? * self.side,
                self.top + (1.0 - y.at(p.1)?) * self.side,
            ))
        };
        let total: usize = panel.groups.iter().map(|g| g.1.len()).sum();
        let every = total.div_ceil(MAX_POINTS).max(1);
        // Few points may be large and solid, many must be small and let those beneath shine through.
        let shown = (total / every).max(1) as f64;
        let (size, opacity) = (
            (90.0 / shown.sqrt()).clamp(2.6, 7.0),
            (14.0 / shown.sqrt()).clamp(0.45, 0.9),
        );
        canvas.clipped([self.left, self.top, self.side, self.side], |canvas| {
            let mut d = String::new();
            for path in &panel.line {
                let mut pen_down = false;
                for p in path {
                    let Some((a, b)) = place(p) else {
                        pen_down = false;
                        continue;
                    };
                    let _ = write!(d, "{}{} {}", if pen_down { 'L' } else { 'M' }, num(a), num(b));
                    pen_down = true;
                }
            }
            if !d.is_empty() {
                let look = "fill=\"none\" stroke-width=\"1\" stroke-opacity=\"0.55\" stroke-linejoin=\"round\"";
                canvas.path(&d, "axis", look);
            }
            // Classes are woven together, or the last one drawn would hide the others.
            for layer in 0..LAYERS {
                for (name, points) in &panel.groups {
                    let colour = classes.iter().position(|c| c == name).unwrap_or(0) % 10;
                    let mut d = String::new();
                    for p in points.iter().step_by(every).skip(layer).step_by(LAYERS) {
                        if let Some((a, b)) = place(p) {
                            // A dot is a line of no length with round ends; shorter to write than a circle.
                            let _ = write!(d, "M{} {}h.01", num(a), num(b));
                        }
                    }
                    if !d.is_empty() {
                        let look = format!(
                            "fill=\"none\" stroke-linecap=\"round\" stroke-width=\"{}\" stroke-opacity=\"{}\"",
                            num(size),
                            num(opacity)
                        );
                        canvas.path(&d, &format!("s{colour}"), &look);
                    }
                }
            }
        });
    }
}
