use super::{
    Figure, MIN_WIDTH,
    layout::{Entry, LABEL, LABEL_END, MIDDLE, Mark, PAD, SMALL, header, no_data},
    ticks::{Axis, drawable, number},
};
use crate::{
    Svg, Theme,
    font::{self, Weight},
    svg::{Anchor, Canvas, Type},
};

#[derive(Debug, Clone, PartialEq)]
struct Bar {
    label: String,
    value: f64,
    target: Option<f64>,
}

/// Horizontal bars, one per named value, each with an optional target mark.
///
/// Values that are not finite get a dash instead of a bar.
#[derive(Debug, Clone, PartialEq)]
pub struct Bars {
    title: String,
    subtitle: String,
    target_name: String,
    percent: bool,
    bars: Vec<Bar>,
}

impl Bars {
    /// A chart without bars yet.
    pub fn new(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            subtitle: String::new(),
            target_name: "expected".into(),
            percent: false,
            bars: Vec::new(),
        }
    }

    /// A sentence under the title.
    pub fn subtitle(mut self, text: impl Into<String>) -> Self {
        self.subtitle = text.into();
        self
    }

    /// Writes values as per cent: 0.25 is "25 %".
    pub fn percent(mut self) -> Self {
        self.percent = true;
        self
    }

    /// Adds a bar.
    pub fn bar(mut self, label: impl Into<String>, value: f64) -> Self {
        self.bars.push(Bar {
            label: label.into(),
            value,
            target: None,
        });
        self
    }

    /// Adds a bar with a mark at the value it should have.
    pub fn bar_with_target(mut self, label: impl Into<String>, value: f64, target: f64) -> Self {
        self.bars.push(Bar {
            label: label.into(),
            value,
            target: Some(target),
        });
        self
    }

    /// What the target marks are called in the legend ("expected" unless said otherwise).
    pub fn target_name(mut self, name: impl Into<String>) -> Self {
        self.target_name = name.into();
        self
    }

    fn text(&self, v: f64) -> String {
        if self.percent && v.is_finite() {
            let percent = v * 100.0;
            let decimals = if percent.abs() >= 9.95 { 0 } else { 1 };
            format!("{}\u{202f}%", super::ticks::grouped(percent, decimals))
        } else {
            number(v)
        }
    }
}

impl Figure for Bars {
    fn draw(&self, width: f64, theme: &Theme) -> Svg {
        const ROW: f64 = 28.0;
        const BAR: f64 = 16.0;
        // Between names and numbers.
        const LEAST: f64 = 40.0;
        let width = width.max(MIN_WIDTH);
        let mut canvas = Canvas::new(width);
        let has_target = self.bars.iter().any(|b| b.target.is_some());
        let entry = Entry {
            name: &self.target_name,
            colour: 0,
            mark: Mark::Target,
        };
        let legend = if has_target { &[entry][..] } else { &[] };
        let top = header(&mut canvas, &self.title, &self.subtitle, legend);
        let values: Vec<f64> = self
            .bars
            .iter()
            .flat_map(|b| [Some(b.value), b.target])
            .flatten()
            .filter(|v| drawable(*v, false))
            .collect();
        if values.is_empty() {
            no_data(&mut canvas, [PAD, top, width - 2.0 * PAD, 140.0]);
            return canvas.finish(top + 140.0 + PAD, &self.title, theme);
        }

        let label_width = |s: &str| font::width(s, SMALL, Weight::Regular);
        let numbers = self
            .bars
            .iter()
            .map(|b| label_width(&self.text(b.value)))
            .fold(0.0, f64::max);
        // Names give way to wide numbers in a narrow figure.
        let room = (width * 0.36).min(width - 2.0 * PAD - numbers - LEAST);
        let labels: Vec<String> = self
            .bars
            .iter()
            .map(|b| font::shorten(&b.label, 13.0, Weight::Regular, room))
            .collect();
        let names = labels
            .iter()
            .map(|l| font::width(l, 13.0, Weight::Regular))
            .fold(0.0, f64::max);
        let lo = values.iter().fold(0.0f64, |a, &v| a.min(v));
        let hi = values.iter().fold(0.0f64, |a, &v| a.max(v));
        let hi = if lo == hi { 1.0 } else { hi };
        let left = PAD + names + 12.0;
        let right = width - PAD - numbers - 8.0;
        let axis = Axis::linear(lo, hi, 4, false);
        let x = |v: f64| left + axis.at(v).unwrap_or(0.0) * (right - left).max(1.0);
        let zero = x(0.0);
        // Beside a mark or left of zero a number would seem to belong to something else; then all stand in a column.
        let column = has_target || lo < 0.0;

        for (i, (bar, label)) in self.bars.iter().zip(&labels).enumerate() {
            let y = top + i as f64 * ROW;
            let middle = y + ROW / 2.0;
            let name = Type::new(13.0, Weight::Regular, Anchor::Start);
            canvas.text(PAD, middle + 13.0 * MIDDLE, name, "ink", label);
            let end = if drawable(bar.value, false) {
                x(bar.value)
            } else {
                zero
            };
            let tip = format!("{}: {}", bar.label, self.text(bar.value));
            let (from, to) = (zero.min(end), zero.max(end));
            let size = [from, middle - BAR / 2.0, (to - from).max(1.0), BAR];
            canvas.rect(size, "f0", "rx=\"3\"", &tip);
            if let Some(at) = bar.target.filter(|t| drawable(*t, false)).map(x) {
                canvas.rect([at - 3.0, middle - 12.0, 6.0, 24.0], "bg", "rx=\"3\"", "");
                canvas.rect(
                    [at - 1.5, middle - 11.0, 3.0, 22.0],
                    "ink",
                    "rx=\"1.5\"",
                    "",
                );
            }
            let (at, kind) = if column {
                (width - PAD, LABEL_END)
            } else {
                (end + 8.0, LABEL)
            };
            canvas.text(
                at,
                middle + SMALL * MIDDLE,
                kind,
                "ink",
                &self.text(bar.value),
            );
        }
        let bottom = top + self.bars.len() as f64 * ROW;
        canvas.line([zero, top, zero, bottom], "axis", "");
        canvas.finish(bottom + PAD, &self.title, theme)
    }
}
