use super::{
    Figure, MIN_WIDTH,
    layers::Layer,
    layout::{Entry, Mark, PAD, header, no_data},
    panels::{self, Grid, Words, distinct},
    ticks::Axis,
};
use crate::{
    Svg, Theme,
    field::{Arrow, Lattice, Line, contours, sound, streamlines},
    svg::Canvas,
};

/// Nodes a side at which closures are sampled.
pub(super) const NODES: usize = 121;

/// One panel of a [`Plane`]: a rectangle of the plane and layers over it, drawn in the order in which they were added.
///
/// A range that is not finite and increasing becomes 0 to 1. Names: the same name has the same colour in every panel,
/// an empty one is not listed in the legend.
#[derive(Debug, Clone, PartialEq)]
pub struct View {
    pub(super) title: String,
    pub(super) note: String,
    pub(super) x: (f64, f64),
    pub(super) y: (f64, f64),
    /// Height over width as drawn, if one unit need not be as long along x as along y.
    aspect: Option<f64>,
    pub(super) layers: Vec<Layer>,
}

impl View {
    /// A panel without layers that shows `x` × `y`.
    pub fn new(title: impl Into<String>, x: (f64, f64), y: (f64, f64)) -> Self {
        Self {
            title: title.into(),
            note: String::new(),
            x: sound(x),
            y: sound(y),
            aspect: None,
            layers: Vec::new(),
        }
    }

    /// A panel without layers whose axes have units of their own: it is drawn as high as `height_over_width` times its
    /// width. Panels of [`new`](Self::new) instead have one scale for both axes.
    pub fn stretched(
        title: impl Into<String>,
        x: (f64, f64),
        y: (f64, f64),
        height_over_width: f64,
    ) -> Self {
        Self {
            aspect: Some(height_over_width).filter(|a| a.is_finite() && *a > 0.0),
            ..Self::new(title, x, y)
        }
    }

    /// Adds what makes a phase portrait: streamlines of `field`, and the nullclines on which its first and second
    /// components are 0, by these names, for example `["ẋ = 0", "ẏ = 0"]`; one that does not cross the panel is left
    /// out. Add [`paths`](Self::paths) to it.
    pub fn portrait(self, names: [&str; 2], field: impl Fn(f64, f64) -> (f64, f64)) -> Self {
        let nullclines = [
            self.sample(|x, y| field(x, y).0),
            self.sample(|x, y| field(x, y).1),
        ];
        let mut view = self.streamlines(field, 22);
        for (name, lattice) in names.into_iter().zip(&nullclines) {
            let lines = contours(lattice, 0.0);
            if !lines.is_empty() {
                let name = name.to_owned();
                view = view.with(Layer::ZeroSet { name, lines });
            }
        }
        view
    }

    /// `f` sampled over this panel, for [`density`](Self::density), [`contours`](Self::contours) or
    /// [`zero_set`](Self::zero_set).
    pub fn sample(&self, f: impl Fn(f64, f64) -> f64) -> Lattice {
        Lattice::sample(self.x, self.y, NODES, f)
    }

    /// Adds filled bands from 0 to the largest value of a density, for example the exact one by
    /// [`sample`](Self::sample) or an estimate by [`kde`](crate::field::kde).
    pub fn density(self, lattice: Lattice) -> Self {
        self.with(Layer::Density(lattice))
    }

    /// Adds thin lines at `levels`.
    pub fn contours(self, lattice: &Lattice, levels: &[f64]) -> Self {
        self.lines(lattice, levels, false)
    }

    /// Adds thin lines at `levels`, with their values written on them where there is room.
    pub fn labelled_contours(self, lattice: &Lattice, levels: &[f64]) -> Self {
        self.lines(lattice, levels, true)
    }

    fn lines(self, lattice: &Lattice, levels: &[f64], labelled: bool) -> Self {
        let lines = levels.iter().map(|&v| (v, contours(lattice, v))).collect();
        self.with(Layer::Contours { lines, labelled })
    }

    /// Adds the lines on which a function is 0, in a colour of their own, for example a nullcline.
    pub fn zero_set(self, name: impl Into<String>, lattice: &Lattice) -> Self {
        self.with(Layer::ZeroSet {
            name: name.into(),
            lines: contours(lattice, 0.0),
        })
    }

    /// Adds points, small and transparent; of very many an even choice is drawn.
    pub fn points(self, name: impl Into<String>, points: Line) -> Self {
        self.with(Layer::Points {
            name: name.into(),
            points,
        })
    }

    /// Adds trajectories, each from a ring to a dot.
    pub fn paths(self, name: impl Into<String>, paths: Vec<Line>) -> Self {
        self.with(Layer::Paths {
            name: name.into(),
            paths,
        })
    }

    /// Adds arrows of a field on a grid of `across` columns; their length grows with the square root of the field's
    /// size, so that weak places stay visible.
    pub fn quiver(self, field: impl Fn(f64, f64) -> (f64, f64), across: usize) -> Self {
        let across = across.clamp(2, 60);
        let (w, h) = (self.x.1 - self.x.0, self.y.1 - self.y.0);
        let mut arrows = Vec::new();
        let rows = ((across as f64 * self.ratio()).round() as usize).max(1);
        for j in 0..rows {
            for i in 0..across {
                let at = |k: usize, n: usize| (k as f64 + 0.5) / n as f64;
                let p = (self.x.0 + w * at(i, across), self.y.0 + h * at(j, rows));
                arrows.push((p, field(p.0, p.1)));
            }
        }
        self.with(Layer::Arrows { arrows, across })
    }

    /// Adds arrows (where, velocity) from samples; their length is scaled as if there were `across` of them side by
    /// side.
    pub fn arrows(self, arrows: Vec<Arrow>, across: usize) -> Self {
        let across = across.clamp(2, 60);
        self.with(Layer::Arrows { arrows, across })
    }

    /// Adds evenly spaced streamlines with arrowheads, about `across` of them side by side.
    pub fn streamlines(self, field: impl Fn(f64, f64) -> (f64, f64), across: usize) -> Self {
        let lines = streamlines(field, self.x, self.y, self.ratio(), across);
        self.with(Layer::Streams {
            lines: lines.into_iter().map(|s| s.line).collect(),
            across: across.clamp(2, 100),
        })
    }

    /// Words under the panel, for example "KS p = 0.41".
    pub fn note(mut self, text: impl Into<String>) -> Self {
        self.note = text.into();
        self
    }

    fn with(mut self, layer: Layer) -> Self {
        self.layers.push(layer);
        self
    }

    /// Height over width as drawn.
    fn ratio(&self) -> f64 {
        let units = (self.y.1 - self.y.0) / (self.x.1 - self.x.0);
        self.aspect.unwrap_or(units).clamp(0.25, 3.0)
    }
}

/// Panels of the plane: densities, contours, points, trajectories, fields and flows over each other.
///
/// ```
/// use fokker_eval::figure::{Figure, Plane, View};
/// let view = View::new("a bump", (-2.0, 2.0), (-2.0, 2.0));
/// let bump = view.sample(|x, y| (-x * x - y * y).exp());
/// let view = view.density(bump.clone()).contours(&bump, &[0.25, 0.5, 0.75]).quiver(|x, y| (-x, -y), 16);
/// assert!(Plane::new("Langevin").view(view).svg().as_str().contains("a bump"));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Plane {
    title: String,
    subtitle: String,
    x_label: String,
    y_label: String,
    columns: Option<usize>,
    one_scale: bool,
    views: Vec<View>,
}

impl Plane {
    /// A figure without panels yet.
    pub fn new(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            subtitle: String::new(),
            x_label: String::new(),
            y_label: String::new(),
            columns: None,
            one_scale: false,
            views: Vec::new(),
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

    /// Colours all densities on one scale, up to the largest value of any panel; else each up to its own.
    pub fn one_scale(mut self) -> Self {
        self.one_scale = true;
        self
    }

    /// Adds a panel.
    pub fn view(mut self, view: View) -> Self {
        self.views.push(view);
        self
    }
}

impl Figure for Plane {
    fn draw(&self, width: f64, theme: &Theme) -> Svg {
        let width = width.max(MIN_WIDTH);
        let mut canvas = Canvas::new(width);
        let layers = || self.views.iter().flat_map(|v| &v.layers);
        let names = distinct(layers().filter_map(Layer::name).map(|n| n.0));
        // The first colour is that of densities; what lies over them must differ.
        let dense = layers().any(|l| matches!(l, Layer::Density(_)));
        let colours: Vec<(&str, usize)> = names
            .iter()
            .enumerate()
            .map(|(k, n)| (*n, (k + usize::from(dense)) % 10))
            .collect();
        let entries: Vec<Entry<'_>> = colours
            .iter()
            .filter(|(n, _)| !n.is_empty())
            .map(|(name, colour)| Entry {
                name,
                colour: *colour,
                mark: layers()
                    .filter_map(Layer::name)
                    .find(|n| n.0 == *name)
                    .map_or(Mark::Line, |n| n.1),
            })
            .collect();
        let top = header(&mut canvas, &self.title, &self.subtitle, &entries);
        if self.views.is_empty() {
            no_data(&mut canvas, [PAD, top, width - 2.0 * PAD, 180.0]);
            return canvas.finish(top + 180.0 + PAD, &self.title, theme);
        }
        let ratio = self.views.iter().map(View::ratio).fold(0.0, f64::max);
        let free = self.views.iter().any(|v| v.aspect.is_some());
        let axes: Vec<(Axis, Axis)> = self
            .views
            .iter()
            .map(|v| {
                let (mut x, mut y) = (v.x, v.y);
                if v.aspect.is_none() {
                    // The range that is too short for the panel grows about its middle.
                    let grow = |r: &mut (f64, f64), size: f64| {
                        let middle = r.0 / 2.0 + r.1 / 2.0;
                        *r = (middle - size / 2.0, middle + size / 2.0);
                    };
                    let (w, h) = (x.1 - x.0, y.1 - y.0);
                    if h / w < ratio {
                        grow(&mut y, w * ratio);
                    } else {
                        grow(&mut x, h / ratio);
                    }
                }
                (Axis::exact(x.0, x.1, 5), Axis::exact(y.0, y.1, 5))
            })
            .collect();
        let one_y = axes
            .windows(2)
            .all(|a| (a[0].1.lo, a[0].1.hi) == (a[1].1.lo, a[1].1.hi));
        let grid = Grid {
            panels: self.views.iter().map(|p| [&*p.title, &*p.note]).collect(),
            columns: self.columns,
            x_labels: !self.x_label.is_empty(),
            gutter: axes
                .iter()
                .map(|a| panels::widest(&a.1.ticks))
                .fold(0.0, f64::max),
            every_gutter: !one_y,
            widest: axes
                .iter()
                .map(|a| panels::widest(&a.0.ticks))
                .fold(0.0, f64::max),
            least_width: if self.views.len() > 3 { 116.0 } else { 190.0 },
            most_width: if free {
                f64::INFINITY
            } else {
                460.0 / ratio.max(0.6)
            },
        };
        let height = grid.panel_width(width) * ratio;
        let top = panels::y_label(&mut canvas, &self.y_label, top);
        let (cells, end) = grid.cells(width, top, height);
        let columns = grid.columns_at(width);
        let peak = layers().filter_map(Layer::peak).max_by(f64::total_cmp);
        for (k, ((view, cell), (mut x, mut y))) in
            self.views.iter().zip(&cells).zip(axes).enumerate()
        {
            panels::fit(&mut x, &mut y, cell.width, cell.height);
            // Lines of a flow or a density say more than a grid.
            let bare = view.layers.iter().all(Layer::leaves_grid);
            let labels = k % columns == 0 || !one_y;
            panels::ticks(&mut canvas, cell, (&x, &y), labels, [bare, bare]);
            canvas.clipped(cell.area(), |canvas| {
                for layer in &view.layers {
                    let own = layer.peak();
                    let full = if self.one_scale { peak } else { own };
                    layer.draw(canvas, cell, (&x, &y), &colours, full.unwrap_or(1.0));
                }
            });
            canvas.rect(cell.area(), "axis", "fill=\"none\"", "");
            let words = Words {
                title: &view.title,
                x_label: &self.x_label,
                note: &view.note,
            };
            panels::words(&mut canvas, cell, &words, grid.x_labels);
        }
        canvas.finish(end + PAD - 8.0, &self.title, theme)
    }
}
