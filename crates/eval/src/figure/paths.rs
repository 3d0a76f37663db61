use super::{
    Figure, MIN_WIDTH,
    bundle::marginal,
    layout::{Entry, Mark, PAD, header, no_data},
    panels::{self, Cell, Grid, Words, distinct},
    ticks::{Axis, drawable},
};
use crate::{
    Svg, Theme,
    field::{Band, Bins, Line},
    svg::Canvas,
};

/// A figure as wide as [`WIDTH`](super::WIDTH) draws at most this many corners of paths.
const MOST_CORNERS: f64 = 48_000.0;
/// And a panel at most this many.
const MOST_IN_PANEL: f64 = 30_000.0;
/// The part of a panel that a marginal histogram takes.
const MARGINAL: f64 = 0.2;

/// One panel of [`PathPanels`]: many paths of one number over time, and what is known about them exactly.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PathPanel {
    pub(super) title: String,
    pub(super) x_label: Option<String>,
    pub(super) note: String,
    pub(super) paths: Vec<(String, Vec<Line>)>,
    pub(super) bands: Vec<(String, Band)>,
    pub(super) curves: Vec<(String, Line)>,
    pub(super) levels: Vec<(String, f64)>,
    pub(super) marginal: Option<(Bins, Line)>,
}

impl PathPanel {
    /// An empty panel with a heading.
    pub fn new(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            ..Self::default()
        }
    }

    /// Adds paths of points (time, value), drawn thin so that many of them read as a density. The same `name` has the
    /// same colour in every panel; an empty one is not listed in the legend.
    pub fn paths(mut self, name: impl Into<String>, paths: Vec<Line>) -> Self {
        self.paths.push((name.into(), paths));
        self
    }

    /// Adds a line over the paths, for example the exact mean.
    pub fn curve(mut self, name: impl Into<String>, line: Line) -> Self {
        self.curves.push((name.into(), line));
        self
    }

    /// Adds a shaded band of points (time, lower, upper), for example mean ± 2 std. A band and a curve of one name
    /// share a colour and a place in the legend.
    pub fn band(mut self, name: impl Into<String>, band: Band) -> Self {
        self.bands.push((name.into(), band));
        self
    }

    /// Adds a dashed horizontal line, for example a stationary standard deviation.
    pub fn level(mut self, name: impl Into<String>, value: f64) -> Self {
        self.levels.push((name.into(), value));
        self
    }

    /// Adds a histogram of the last values, turned sideways at the right end, with the exact `density` as points
    /// (value, density) over it.
    pub fn marginal(mut self, bins: Bins, density: Line) -> Self {
        self.marginal = Some((bins, density));
        self
    }

    /// Names this panel's horizontal axis, for example "t·σ²", instead of [`PathPanels::x_label`].
    pub fn x_label(mut self, text: impl Into<String>) -> Self {
        self.x_label = Some(text.into());
        self
    }

    /// Words under the panel, for example "Var X₅ = 0.4981, exact 0.5000".
    pub fn note(mut self, text: impl Into<String>) -> Self {
        self.note = text.into();
        self
    }

    fn ranges(&self) -> Option<[(f64, f64); 2]> {
        let mut points = Vec::new();
        let paths = self.paths.iter().flat_map(|p| &p.1).flatten();
        points.extend(paths.chain(self.curves.iter().flat_map(|c| &c.1)).copied());
        let bands = self.bands.iter().flat_map(|b| &b.1);
        points.extend(bands.flat_map(|b| [(b.0, b.1), (b.0, b.2)]));
        points.retain(|p| drawable(p.0, false) && drawable(p.1, false));
        let x = panels::range(points.iter().map(|p| p.0))?;
        let levels = self.levels.iter().map(|l| l.1);
        let bins = self.marginal.iter().filter_map(|m| m.0.range());
        let more = levels.chain(bins.flat_map(|(a, b)| [a, b]));
        let y = panels::range(points.iter().map(|p| p.1).chain(more))?;
        Some([x, y])
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        let known = self.bands.iter().map(|b| &*b.0);
        let known = known.chain(self.curves.iter().map(|c| &*c.0));
        let known = known.chain(self.levels.iter().map(|l| &*l.0));
        self.paths.iter().map(|p| &*p.0).chain(known)
    }
}

/// Panels of many paths over time, with exact curves and bands over them.
///
/// ```
/// use fokker_eval::{field::sampled, figure::{Figure, PathPanel, PathPanels}};
/// let panel = PathPanel::new("σ = 0.5")
///     .paths("paths", vec![vec![(0.0, 1.0), (0.5, 0.4), (1.0, 0.6)]])
///     .curve("mean", sampled((0.0, 1.0), 50, |t| (-t).exp()))
///     .band("mean ± 2 std", vec![(0.0, 1.0, 1.0), (1.0, -0.2, 0.9)]);
/// let svg = PathPanels::new("Ornstein–Uhlenbeck").x_label("t").panel(panel).svg();
/// assert!(svg.as_str().contains("σ = 0.5"));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct PathPanels {
    title: String,
    subtitle: String,
    x_label: String,
    y_label: String,
    columns: Option<usize>,
    free: [bool; 2],
    panels: Vec<PathPanel>,
}

impl PathPanels {
    /// A figure without panels yet.
    pub fn new(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            subtitle: String::new(),
            x_label: String::new(),
            y_label: String::new(),
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

    /// Names the horizontal axis of every panel that does not name its own.
    pub fn x_label(mut self, text: impl Into<String>) -> Self {
        self.x_label = text.into();
        self
    }

    /// Names the vertical axes; written once, above the first.
    pub fn y_label(mut self, text: impl Into<String>) -> Self {
        self.y_label = text.into();
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
    pub fn panel(mut self, panel: PathPanel) -> Self {
        self.panels.push(panel);
        self
    }

    fn entries<'a>(&'a self, names: &[&'a str]) -> Vec<Entry<'a>> {
        let all = || self.panels.iter();
        let mark = |name: &str| {
            if all().any(|p| p.bands.iter().any(|b| b.0 == name)) {
                let lined = all().any(|p| p.curves.iter().any(|c| c.0 == name));
                if lined { Mark::Band } else { Mark::Block }
            } else if all().any(|p| p.levels.iter().any(|l| l.0 == name)) {
                Mark::Dashed
            } else {
                Mark::Line
            }
        };
        names
            .iter()
            .enumerate()
            .filter(|(_, n)| !n.is_empty())
            .map(|(colour, name)| Entry {
                name,
                colour,
                mark: mark(name),
            })
            .collect()
    }
}

impl Figure for PathPanels {
    fn draw(&self, width: f64, theme: &Theme) -> Svg {
        let width = width.max(MIN_WIDTH);
        let mut canvas = Canvas::new(width);
        let names = distinct(self.panels.iter().flat_map(PathPanel::names));
        let top = header(
            &mut canvas,
            &self.title,
            &self.subtitle,
            &self.entries(&names),
        );
        let ranges: Vec<_> = self.panels.iter().map(PathPanel::ranges).collect();
        let union = |k: usize| {
            let each = ranges.iter().flatten().map(|r| r[k]);
            panels::range(each.flat_map(|(a, b)| [a, b]))
        };
        let (Some(xs), Some(ys)) = (union(0), union(1)) else {
            no_data(&mut canvas, [PAD, top, width - 2.0 * PAD, 180.0]);
            return canvas.finish(top + 180.0 + PAD, &self.title, theme);
        };
        let axes: Vec<(Axis, Axis)> = ranges
            .iter()
            .map(|r| {
                let own = |k: usize, all| match r {
                    Some(r) if self.free[k] => r[k],
                    _ => all,
                };
                let (x, y) = (own(0, xs), own(1, ys));
                {
                    // A little room above and below; the end of a range need not be a round number.
                    let room = (y.1 - y.0) * 0.04;
                    (
                        Axis::linear(x.0, x.1, 5, false),
                        Axis::exact(y.0 - room, y.1 + room, 5),
                    )
                }
            })
            .collect();
        let x_label = |p: &PathPanel| p.x_label.clone().unwrap_or_else(|| self.x_label.clone());
        let grid = Grid {
            panels: self.panels.iter().map(|p| [&*p.title, &*p.note]).collect(),
            columns: self.columns,
            x_labels: self.panels.iter().any(|p| !x_label(p).is_empty()),
            gutter: axes
                .iter()
                .map(|a| panels::widest(&a.1.ticks))
                .fold(0.0, f64::max),
            every_gutter: self.free[1],
            widest: axes
                .iter()
                .map(|a| panels::widest(&a.0.ticks))
                .fold(0.0, f64::max),
            least_width: 190.0,
            most_width: f64::INFINITY,
        };
        let height = (grid.panel_width(width) * 0.62).clamp(140.0, 330.0);
        let top = panels::y_label(&mut canvas, &self.y_label, top);
        let (cells, end) = grid.cells(width, top, height);
        let columns = grid.columns_at(width);
        let budget = MOST_CORNERS * (width / super::WIDTH).min(1.5) / self.panels.len() as f64;
        let budget = budget.min(MOST_IN_PANEL);
        let marginals = self.panels.iter().any(|p| p.marginal.is_some());
        for (k, ((panel, cell), (mut x, mut y))) in
            self.panels.iter().zip(&cells).zip(axes).enumerate()
        {
            // Panels without a histogram keep its place free, so that equal times lie below each other.
            let mut plot = *cell;
            if marginals {
                plot.width *= 1.0 - MARGINAL;
            }
            panels::fit(&mut x, &mut y, plot.width, plot.height);
            let labels = k % columns == 0 || self.free[1];
            panels::ticks(&mut canvas, &plot, (&x, &y), labels, [false, true]);
            panel.content(&mut canvas, &plot, (&x, &y), &names, budget as usize);
            let bottom = plot.top + plot.height;
            canvas.line(
                [plot.left, bottom, plot.left + plot.width, bottom],
                "axis",
                "",
            );
            if let Some((bins, density)) = &panel.marginal {
                let side = Cell {
                    left: plot.left + plot.width + 5.0,
                    width: cell.width * MARGINAL - 5.0,
                    ..plot
                };
                marginal(&mut canvas, &side, &y, bins, density, panel, &names);
            }
            let label = x_label(panel);
            let words = Words {
                title: &panel.title,
                x_label: &label,
                note: &panel.note,
            };
            // The label belongs to the plot, the note to the whole panel.
            panels::words(
                &mut canvas,
                &plot,
                &Words {
                    note: "",
                    title: "",
                    ..words
                },
                grid.x_labels,
            );
            panels::words(
                &mut canvas,
                cell,
                &Words {
                    x_label: "",
                    ..words
                },
                grid.x_labels,
            );
        }
        canvas.finish(end + PAD - 8.0, &self.title, theme)
    }
}
