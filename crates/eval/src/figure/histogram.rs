use super::{
    Figure, MIN_WIDTH,
    layout::{Entry, Mark, PAD, header, no_data},
    panels::{self, Cell, Grid, Words, distinct},
    pen::{Pen, draw_line},
    ticks::{Axis, drawable},
};
use crate::{
    Svg, Theme,
    field::{Bins, Line},
    svg::Canvas,
};

/// One panel of a [`Histogram`]: bars and the curves they are held against.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct HistogramPanel {
    title: String,
    note: String,
    bars: Vec<(String, Bins)>,
    curves: Vec<(String, Line)>,
}

impl HistogramPanel {
    /// An empty panel with a heading.
    pub fn new(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            ..Self::default()
        }
    }

    /// Adds bars. The same `name` has the same colour in every panel; an empty one is not listed in the legend.
    pub fn bars(mut self, name: impl Into<String>, bins: Bins) -> Self {
        self.bars.push((name.into(), bins));
        self
    }

    /// Adds a density as a line, for example the exact law by [`sampled`](crate::field::sampled).
    pub fn curve(mut self, name: impl Into<String>, density: Line) -> Self {
        self.curves.push((name.into(), density));
        self
    }

    /// Words under the panel, for example "KS p = 0.41".
    pub fn note(mut self, text: impl Into<String>) -> Self {
        self.note = text.into();
        self
    }

    fn x_range(&self) -> Option<(f64, f64)> {
        let bars = self.bars.iter().filter_map(|b| b.1.range());
        let curves = self.curves.iter().flat_map(|c| &c.1);
        panels::range(
            bars.flat_map(|(a, b)| [a, b])
                .chain(curves.filter(|p| drawable(p.1, false)).map(|p| p.0)),
        )
    }

    fn highest(&self) -> Option<(f64, f64)> {
        let bars = self.bars.iter().flat_map(|b| b.1.bars());
        let curves = self.curves.iter().flat_map(|c| &c.1).map(|p| p.1);
        panels::range(bars.map(|b| b.2).chain(curves)).map(|(_, hi)| (0.0, hi.max(0.0)))
    }
}

/// Histograms as densities, with the exact densities over them, in a grid of panels.
///
/// ```
/// use fokker_eval::{field::{Bins, sampled}, figure::{Figure, Histogram, HistogramPanel}};
/// let values: Vec<f64> = (0..999).map(|i| f64::from(i) / 999.0).collect();
/// let panel = HistogramPanel::new("uniform")
///     .bars("samples", Bins::of(&values))
///     .curve("exact", sampled((0.0, 1.0), 2, |_| 1.0))
///     .note("KS p = 0.41");
/// assert!(Histogram::new("Terminal law").panel(panel).svg().as_str().contains("KS p"));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Histogram {
    title: String,
    subtitle: String,
    x_label: String,
    columns: Option<usize>,
    free: [bool; 2],
    panels: Vec<HistogramPanel>,
}

impl Histogram {
    /// A figure without panels yet.
    pub fn new(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            subtitle: String::new(),
            x_label: String::new(),
            columns: None,
            free: [false; 2],
            panels: Vec::new(),
        }
    }

    /// A sentence under the title.
    pub fn subtitle(mut self, text: impl Into<String>) -> Self {
        self.subtitle = text.into();
        self
    }

    /// Names the horizontal axis of every panel.
    pub fn x_label(mut self, text: impl Into<String>) -> Self {
        self.x_label = text.into();
        self
    }

    /// As many panels side by side, fewer on narrow pages.
    pub fn columns(mut self, columns: usize) -> Self {
        self.columns = Some(columns.max(1));
        self
    }

    /// Lets every panel have its own horizontal range.
    pub fn free_x(mut self) -> Self {
        self.free[0] = true;
        self
    }

    /// Lets every panel have its own vertical range.
    pub fn free_y(mut self) -> Self {
        self.free[1] = true;
        self
    }

    /// Adds a panel.
    pub fn panel(mut self, panel: HistogramPanel) -> Self {
        self.panels.push(panel);
        self
    }
}

impl Figure for Histogram {
    fn draw(&self, width: f64, theme: &Theme) -> Svg {
        let width = width.max(MIN_WIDTH);
        let mut canvas = Canvas::new(width);
        let bar_names = self.panels.iter().flat_map(|p| &p.bars).map(|b| &*b.0);
        let curve_names = self.panels.iter().flat_map(|p| &p.curves).map(|c| &*c.0);
        let names = distinct(bar_names.clone().chain(curve_names));
        let entries: Vec<Entry<'_>> = names
            .iter()
            .enumerate()
            .filter(|(_, n)| !n.is_empty())
            .map(|(colour, name)| Entry {
                name,
                colour,
                mark: if bar_names.clone().any(|n| n == *name) {
                    Mark::Block
                } else {
                    Mark::Line
                },
            })
            .collect();
        let top = header(&mut canvas, &self.title, &self.subtitle, &entries);
        let union = |of: &dyn Fn(&HistogramPanel) -> Option<(f64, f64)>| {
            let each = self.panels.iter().filter_map(of);
            panels::range(each.flat_map(|(a, b)| [a, b]))
        };
        let (Some(xs), Some(ys)) = (
            union(&HistogramPanel::x_range),
            union(&HistogramPanel::highest),
        ) else {
            no_data(&mut canvas, [PAD, top, width - 2.0 * PAD, 160.0]);
            return canvas.finish(top + 160.0 + PAD, &self.title, theme);
        };
        let axes: Vec<(Axis, Axis)> = self
            .panels
            .iter()
            .map(|p| {
                let own = |free: bool, own: Option<(f64, f64)>, all| {
                    if free { own.unwrap_or(all) } else { all }
                };
                let x = own(self.free[0], p.x_range(), xs);
                let y = own(self.free[1], p.highest(), ys);
                let y = if y.1 > 0.0 { y } else { (0.0, 1.0) };
                (
                    Axis::linear(x.0, x.1, 5, false),
                    Axis::exact(0.0, y.1 * 1.06, 4),
                )
            })
            .collect();
        let grid = Grid {
            panels: self.panels.iter().map(|p| [&*p.title, &*p.note]).collect(),
            columns: self.columns,
            x_labels: !self.x_label.is_empty(),
            gutter: axes
                .iter()
                .map(|a| panels::widest(&a.1.ticks))
                .fold(0.0, f64::max),
            every_gutter: self.free[1],
            widest: axes
                .iter()
                .map(|a| panels::widest(&a.0.ticks))
                .fold(0.0, f64::max),
            least_width: 170.0,
            most_width: f64::INFINITY,
        };
        let panel_width = grid.panel_width(width);
        let height = (panel_width * 0.6).clamp(130.0, 320.0);
        let top = panels::y_label(&mut canvas, "density", top);
        let (cells, end) = grid.cells(width, top, height);
        let columns = grid.columns_at(width);
        for (k, ((panel, cell), (mut x, mut y))) in
            self.panels.iter().zip(&cells).zip(axes).enumerate()
        {
            panels::fit(&mut x, &mut y, cell.width, cell.height);
            let labels = k % columns == 0 || self.free[1];
            panels::ticks(&mut canvas, cell, (&x, &y), labels, [false, true]);
            panel.content(&mut canvas, cell, (&x, &y), &names);
            let bottom = cell.top + cell.height;
            canvas.line(
                [cell.left, bottom, cell.left + cell.width, bottom],
                "axis",
                "",
            );
            let words = Words {
                title: &panel.title,
                x_label: &self.x_label,
                note: &panel.note,
            };
            panels::words(&mut canvas, cell, &words, grid.x_labels);
        }
        canvas.finish(end + PAD - 8.0, &self.title, theme)
    }
}

impl HistogramPanel {
    fn content(&self, canvas: &mut Canvas, cell: &Cell, axes: (&Axis, &Axis), names: &[&str]) {
        let colour = |name: &str| names.iter().position(|n| *n == name).unwrap_or(0) % 10;
        canvas.clipped(
            [cell.left, cell.top - 2.0, cell.width, cell.height + 2.0],
            |canvas| {
                for (name, bins) in &self.bars {
                    let mut pen = Pen::default();
                    let wide = bins.bars().next().is_some_and(|(a, b, _)| {
                        let at = |v| axes.0.at(v).unwrap_or(0.0) * cell.width;
                        at(b) - at(a) > 5.0
                    });
                    let gap = if wide { 1.0 } else { 0.0 };
                    for (a, b, h) in bins.bars().filter(|b| b.2 > 0.0) {
                        if let (Some(p), Some(q)) =
                            (cell.place(axes, (a, 0.0)), cell.place(axes, (b, h)))
                        {
                            let right = q.0 - gap;
                            pen.line([p, (p.0, q.1), (right, q.1), (right, p.1)], true);
                        }
                    }
                    if !pen.is_empty() {
                        canvas.path(
                            pen.text(),
                            &format!("f{}", colour(name)),
                            "fill-opacity=\"0.38\"",
                        );
                    }
                }
                for (name, line) in &self.curves {
                    let class = format!("s{}", colour(name));
                    draw_line(canvas, cell, axes, line, &class, "stroke-width=\"2\"");
                }
            },
        );
    }
}
