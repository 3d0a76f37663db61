mod area;

use self::area::Area;
use super::{
    Figure, MIN_WIDTH,
    curve::smoothed,
    layout::{Entry, LABEL, LABEL_END, LABEL_MIDDLE, MIDDLE, Mark, PAD, SMALL, header, no_data},
    ticks::{Axis, drawable},
};
use crate::{
    Svg, Theme,
    font::{self, Weight},
    svg::Canvas,
};

/// A named row of points of a [`LineChart`], drawn in their order.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    name: String,
    points: Vec<(f64, f64)>,
    window: usize,
    dashed: bool,
    dotted: bool,
    quiet: bool,
}

impl Series {
    /// Points (x, y). A point that cannot be drawn (NaN, or a number ≤ 0 on a logarithmic axis) is a gap in the line.
    pub fn new(name: impl Into<String>, points: Vec<(f64, f64)>) -> Self {
        Self {
            name: name.into(),
            points,
            window: 0,
            dashed: false,
            dotted: false,
            quiet: false,
        }
    }

    /// Draws the raw points pale, and over them their moving average over `window` points, centred, applied twice.
    pub fn smoothed(mut self, window: usize) -> Self {
        self.window = window;
        self
    }

    /// Draws the line dashed, for a prediction beside a measurement.
    pub fn dashed(mut self) -> Self {
        self.dashed = true;
        self
    }

    /// Draws a dot at every point, where there are few and the line between them is a guess.
    pub fn dotted(mut self) -> Self {
        self.dotted = true;
        self
    }

    /// Draws the line thin and grey below all others and leaves it out of the legend: one of many, there to compare.
    pub fn quiet(mut self) -> Self {
        self.quiet = true;
        self
    }
}

/// Lines over common axes.
///
/// ```
/// use fokker_eval::figure::{Figure, LineChart, Series};
/// let loss = (0..500).map(|i| (f64::from(i), 18.2 + 40.0 / f64::from(i + 1))).collect();
/// let svg = LineChart::new("Training loss")
///     .x_label("step")
///     .y_label("loss")
///     .series(Series::new("MLP", loss).smoothed(25))
///     .reference(18.23, "floor")
///     .svg();
/// assert!(svg.as_str().contains("floor"));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct LineChart {
    title: String,
    subtitle: String,
    x_label: String,
    y_label: String,
    log_x: bool,
    log_y: bool,
    y_range: Option<(f64, f64)>,
    series: Vec<Series>,
    references: Vec<(f64, String)>,
}

impl LineChart {
    /// A chart without lines yet.
    pub fn new(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            subtitle: String::new(),
            x_label: String::new(),
            y_label: String::new(),
            log_x: false,
            log_y: false,
            y_range: None,
            series: Vec::new(),
            references: Vec::new(),
        }
    }

    /// A sentence under the title.
    pub fn subtitle(mut self, text: impl Into<String>) -> Self {
        self.subtitle = text.into();
        self
    }

    /// Names the horizontal axis.
    pub fn x_label(mut self, text: impl Into<String>) -> Self {
        self.x_label = text.into();
        self
    }

    /// Names the vertical axis; written above it, so that nobody has to turn their head.
    pub fn y_label(mut self, text: impl Into<String>) -> Self {
        self.y_label = text.into();
        self
    }

    /// Makes the horizontal axis logarithmic.
    pub fn log_x(mut self) -> Self {
        self.log_x = true;
        self
    }

    /// Makes the vertical axis logarithmic.
    pub fn log_y(mut self) -> Self {
        self.log_y = true;
        self
    }

    /// Fixes the vertical range; what lies outside is cut off. Ignored where it cannot be drawn.
    pub fn y_range(mut self, lo: f64, hi: f64) -> Self {
        self.y_range = Some((lo, hi));
        self
    }

    /// Adds a line.
    pub fn series(mut self, series: Series) -> Self {
        self.series.push(series);
        self
    }

    /// Adds a dashed horizontal line at `y` with a label, for example a known floor.
    pub fn reference(mut self, y: f64, label: impl Into<String>) -> Self {
        self.references.push((y, label.into()));
        self
    }

    /// The range of all drawable points, and of the references if there are points.
    fn ranges(&self) -> Option<[(f64, f64); 2]> {
        let mut points = self
            .series
            .iter()
            .flat_map(|s| &s.points)
            .filter(|p| drawable(p.0, self.log_x) && drawable(p.1, self.log_y))
            .peekable();
        points.peek()?;
        let empty = (f64::INFINITY, f64::NEG_INFINITY);
        let grow = |r: (f64, f64), v: f64| (r.0.min(v), r.1.max(v));
        let (x, mut y) = points.fold((empty, empty), |(x, y), p| (grow(x, p.0), grow(y, p.1)));
        for (v, _) in &self.references {
            if drawable(*v, self.log_y) {
                y = grow(y, *v);
            }
        }
        if let Some((lo, hi)) = self.y_range
            && drawable(lo, self.log_y)
            && drawable(hi, self.log_y)
            && lo < hi
        {
            y = (lo, hi);
        }
        Some([x, y])
    }
}

impl Figure for LineChart {
    fn draw(&self, width: f64, theme: &Theme) -> Svg {
        let width = width.max(MIN_WIDTH);
        let mut canvas = Canvas::new(width);
        // A quiet line takes no colour.
        let loud = || self.series.iter().filter(|s| !s.quiet).enumerate();
        let quiet = || self.series.iter().filter(|s| s.quiet);
        let entries: Vec<Entry<'_>> = loud()
            .filter(|(_, s)| !s.name.is_empty())
            .map(|(colour, s)| Entry {
                name: &s.name,
                colour,
                mark: if s.dashed { Mark::Dashed } else { Mark::Line },
            })
            .collect();
        let mut top = header(&mut canvas, &self.title, &self.subtitle, &entries);
        let plot_height = (width * 0.46).clamp(180.0, 420.0);
        let Some([xs, ys]) = self.ranges() else {
            no_data(&mut canvas, [PAD, top, width - 2.0 * PAD, plot_height]);
            return canvas.finish(top + plot_height + PAD, &self.title, theme);
        };
        if !self.y_label.is_empty() {
            let text = font::shorten(&self.y_label, SMALL, Weight::Regular, width - 2.0 * PAD);
            canvas.text(PAD, top + 11.0, LABEL, "mut", &text);
            top += 24.0;
        } else {
            top += 8.0;
        }

        let count = (plot_height / if self.log_y { 36.0 } else { 52.0 }) as usize;
        let mut y = if self.log_y {
            Axis::log(ys.0, ys.1, count)
        } else {
            Axis::linear(ys.0, ys.1, count, true)
        };
        y.fit(plot_height, 4.0, |_| 15.0);
        let label_width = |s: &str| font::width(s, SMALL, Weight::Regular);
        let y_labels = y
            .ticks
            .iter()
            .map(|t| label_width(&t.1))
            .fold(0.0, f64::max);
        let left = PAD + y_labels + 8.0;
        // The last label on the x axis may stand out by half its width.
        let mut right = width - PAD;
        let count = ((right - left) / 90.0) as usize;
        let mut x = match self.log_x {
            true => Axis::log_within(xs.0, xs.1, count),
            false => Axis::linear(xs.0, xs.1, count, false),
        };
        if let Some((v, label)) = x.ticks.last() {
            let end = left + (right - left) * x.at(*v).unwrap_or(1.0) + label_width(label) / 2.0;
            right -= (end - (width - 4.0)).max(0.0);
        }
        x.fit(right - left, 14.0, label_width);
        let area = Area {
            left,
            top,
            width: right - left,
            height: plot_height,
        };

        let bottom = area.top + area.height;
        for (v, label) in &y.ticks {
            let at = area.y(y.at(*v).unwrap_or(0.0));
            canvas.line([left, at, right, at], "grid", "");
            canvas.text(left - 8.0, at + SMALL * MIDDLE, LABEL_END, "mut", label);
        }
        canvas.line([left, bottom, right, bottom], "axis", "");
        for (v, label) in &x.ticks {
            let at = area.x(x.at(*v).unwrap_or(0.0));
            canvas.line([at, bottom, at, bottom + 5.0], "axis", "");
            // At the left end a wide label would reach below the y labels and out of the picture.
            let at = at.max(label_width(label) / 2.0 + 4.0);
            canvas.text(at, bottom + 20.0, LABEL_MIDDLE, "mut", label);
        }

        canvas.clipped(
            [left, top - 2.0, right - left + 2.0, plot_height + 4.0],
            |canvas| {
                for s in quiet() {
                    area.polyline(canvas, &s.points, (&x, &y), "axis", "stroke-width=\"1\"");
                }
                // All pale raw lines lie below all smooth ones.
                for pale in [true, false] {
                    for (i, s) in loud() {
                        let smooth = s.window > 1 && s.points.len() > 2;
                        if pale && !smooth {
                            continue;
                        }
                        let averaged;
                        let points = if smooth && !pale {
                            averaged = smoothed(&s.points, s.window, self.log_y);
                            &averaged
                        } else {
                            &s.points
                        };
                        let look = match (pale, s.dashed) {
                            (true, _) => "stroke-opacity=\"0.28\" stroke-width=\"1\"",
                            (_, true) => "stroke-width=\"2\" stroke-dasharray=\"6 4\"",
                            _ => "stroke-width=\"2\"",
                        };
                        let class = format!("s{}", i % 10);
                        area.polyline(canvas, points, (&x, &y), &class, look);
                        if s.dotted {
                            area.dots(canvas, points, (&x, &y), &class);
                        }
                    }
                }
            },
        );
        self.draw_references(&mut canvas, (&x, &y), &area);

        let mut end = bottom + 26.0;
        if !self.x_label.is_empty() {
            let text = font::shorten(&self.x_label, SMALL, Weight::Regular, width - 2.0 * PAD);
            let half = label_width(&text) / 2.0;
            let middle =
                ((left + right) / 2.0).clamp(PAD + half, (width - PAD - half).max(PAD + half));
            canvas.text(middle, bottom + 40.0, LABEL_MIDDLE, "mut", &text);
            end += 18.0;
        }
        canvas.finish(end + PAD - 8.0, &self.title, theme)
    }
}

impl LineChart {
    /// Whether the lines near the right end leave more room below the height `at` than above it.
    fn clear_below(&self, at: f64, (x, y): (&Axis, &Axis), area: &Area) -> bool {
        let (mut above, mut below) = (0.0, 0.0);
        for s in &self.series {
            let near: Vec<f64> = s
                .points
                .iter()
                .filter(|p| x.at(p.0).is_some_and(|t| t > 0.75))
                .filter_map(|p| y.at(p.1).map(|t| area.y(t) - at))
                .collect();
            let share = |hit: &dyn Fn(f64) -> bool| {
                near.iter().filter(|d| hit(**d)).count() as f64 / near.len().max(1) as f64
            };
            above += share(&|d| (-24.0..=0.0).contains(&d));
            below += share(&|d| (0.0..=24.0).contains(&d));
        }
        below < above
    }

    fn draw_references(&self, canvas: &mut Canvas, (x, y): (&Axis, &Axis), area: &Area) {
        let mut lines: Vec<(f64, &str)> = self
            .references
            .iter()
            .filter_map(|(v, label)| Some((y.at(*v)?, label.as_str())))
            .filter(|(t, _)| (-1e-9..=1.0 + 1e-9).contains(t))
            .map(|(t, label)| (area.y(t), label))
            .collect();
        lines.sort_by(|a, b| b.0.total_cmp(&a.0));
        let right = area.left + area.width;
        // From the bottom up, each label a line height above the one before.
        let mut free = f64::INFINITY;
        for (at, label) in lines {
            canvas.line(
                [area.left, at, right, at],
                "ref",
                "stroke-width=\"1.5\" stroke-dasharray=\"2 4\" stroke-linecap=\"round\"",
            );
            let bottom = area.top + area.height;
            let under = at + 15.0;
            let lower = under + 4.0 < bottom && under < free && self.clear_below(at, (x, y), area);
            let baseline = if lower { under } else { (at - 6.0).min(free) };
            if baseline - SMALL < area.top {
                continue;
            }
            free = baseline - SMALL * 1.35;
            let text = font::shorten(label, SMALL, Weight::SemiBold, area.width - 8.0);
            let kind = crate::svg::Type {
                weight: Weight::SemiBold,
                ..LABEL_END.with_halo()
            };
            canvas.text(right - 4.0, baseline, kind, "mut", &text);
        }
    }
}
