use super::{
    Figure, MIN_WIDTH,
    layout::{MIDDLE, PAD, SMALL, header, no_data},
    ticks::number,
};
use crate::{
    Svg, Theme,
    font::{self, Weight},
    svg::{Anchor, Canvas, Type},
    theme::SHADES,
};

/// sin 45°: how far a slanted label rises for its length.
const SLANT: f64 = std::f64::consts::FRAC_1_SQRT_2;

/// A table of numbers as shaded cells with the numbers in them, for example a confusion matrix.
#[derive(Debug, Clone, PartialEq)]
pub struct HeatMap {
    title: String,
    subtitle: String,
    row_axis: String,
    column_axis: String,
    rows: Vec<String>,
    columns: Vec<String>,
    values: Vec<f64>,
    texts: Option<Vec<String>>,
    full: Option<f64>,
}

impl HeatMap {
    /// A heat map of `values`, row after row: `values.len()` should be `rows.len() * columns.len()`; what is missing
    /// stays empty, what is too much is not shown.
    pub fn new(
        title: impl Into<String>,
        rows: Vec<String>,
        columns: Vec<String>,
        values: Vec<f64>,
    ) -> Self {
        Self {
            title: title.into(),
            subtitle: String::new(),
            row_axis: String::new(),
            column_axis: String::new(),
            rows,
            columns,
            values,
            texts: None,
            full: None,
        }
    }

    /// A sentence under the title.
    pub fn subtitle(mut self, text: impl Into<String>) -> Self {
        self.subtitle = text.into();
        self
    }

    /// What the rows and the columns are, for example ("asked for", "seen as").
    pub fn axes(mut self, rows: impl Into<String>, columns: impl Into<String>) -> Self {
        self.row_axis = rows.into();
        self.column_axis = columns.into();
        self
    }

    /// The words in the cells instead of the numbers, row after row; an empty text leaves a cell blank.
    pub fn texts(mut self, texts: Vec<String>) -> Self {
        self.texts = Some(texts);
        self
    }

    /// The value of the darkest shade (the largest value unless said otherwise); 0 is the palest.
    pub fn full_at(mut self, value: f64) -> Self {
        self.full = Some(value);
        self
    }

    fn text(&self, i: usize) -> String {
        match &self.texts {
            Some(texts) => texts.get(i).cloned().unwrap_or_default(),
            None => self.values.get(i).map_or(String::new(), |v| number(*v)),
        }
    }
}

impl Figure for HeatMap {
    fn draw(&self, width: f64, theme: &Theme) -> Svg {
        let width = width.max(MIN_WIDTH);
        let mut canvas = Canvas::new(width);
        let mut top = header(&mut canvas, &self.title, &self.subtitle, &[]);
        let (n, m) = (self.rows.len(), self.columns.len());
        let largest = self
            .values
            .iter()
            .copied()
            .filter(|v| v.is_finite())
            .fold(f64::NEG_INFINITY, f64::max);
        if n == 0 || m == 0 || largest == f64::NEG_INFINITY {
            no_data(&mut canvas, [PAD, top, width - 2.0 * PAD, 160.0]);
            return canvas.finish(top + 160.0 + PAD, &self.title, theme);
        }
        let full = self.full.unwrap_or(largest).max(f64::MIN_POSITIVE);

        // Text shrinks a little on a narrow page; the longest row label may take a third of it.
        let small = if width < 480.0 { 11.0 } else { SMALL };
        let measure = |s: &str| font::width(s, small, Weight::Regular);
        let longest = |texts: &[String]| texts.iter().map(|t| measure(t)).fold(0.0, f64::max);
        let row_room = longest(&self.rows).min(width * 0.3);
        let left = PAD + row_room + 10.0;
        let mut cell_w = ((width - PAD - left) / m as f64).min(72.0);
        let flat = longest(&self.columns) + 6.0 <= cell_w;
        let column_room = longest(&self.columns).min(110.0);
        if !flat {
            // The last slanted labels stand out to the right of their cells.
            let rise = longest(&self.columns[m.saturating_sub(2)..]).min(110.0) * SLANT + 12.0;
            cell_w = cell_w.min((width - 4.0 - left - rise).max(width * 0.4) / (m as f64 - 0.5));
        }
        let cell_h = cell_w.min(34.0).max(if n > 40 { 2.0 } else { 20.0 });
        // Slanted labels rise by their length times sin 45°.
        let heading = if flat {
            22.0
        } else {
            column_room * SLANT + 16.0
        };
        let kind = |size, anchor| Type::new(size, Weight::Regular, anchor);

        if !self.row_axis.is_empty() || !self.column_axis.is_empty() {
            let words = match (&*self.row_axis, &*self.column_axis) {
                (r, "") => format!("rows: {r}"),
                ("", c) => format!("columns: {c}"),
                (r, c) => format!("rows: {r} · columns: {c}"),
            };
            let words = font::shorten(&words, small, Weight::Regular, width - 2.0 * PAD);
            canvas.text(PAD, top + 10.0, kind(small, Anchor::Start), "mut", &words);
            top += 20.0;
        }
        let cells_top = top + heading;
        for (j, label) in self.columns.iter().enumerate() {
            let middle = left + (j as f64 + 0.5) * cell_w;
            let room = if flat { cell_w } else { column_room };
            // A slanted label must also end inside the picture.
            let room = if flat {
                room
            } else {
                room.min((width - 8.0 - middle) / SLANT - 4.0).max(24.0)
            };
            let text = font::shorten(label, small, Weight::Regular, room);
            if flat {
                canvas.text(
                    middle,
                    cells_top - 8.0,
                    kind(small, Anchor::Middle),
                    "mut",
                    &text,
                );
            } else if cell_w >= 9.0 {
                canvas.text_turned(
                    middle + 2.0,
                    cells_top - 6.0,
                    -45.0,
                    kind(small, Anchor::Start),
                    "mut",
                    &text,
                );
            }
        }
        for (i, label) in self.rows.iter().enumerate() {
            let y = cells_top + i as f64 * cell_h;
            let text = font::shorten(label, small, Weight::Regular, row_room);
            if cell_h >= 12.0 {
                canvas.text(
                    left - 10.0,
                    y + cell_h / 2.0 + small * MIDDLE,
                    kind(small, Anchor::End),
                    "mut",
                    &text,
                );
            }
            for j in 0..m {
                let Some(&v) = self.values.get(i * m + j) else {
                    continue;
                };
                if !v.is_finite() {
                    continue;
                }
                let shade = ((v / full).clamp(0.0, 1.0) * (SHADES - 1) as f64).round() as usize;
                let x = left + j as f64 * cell_w;
                let tip = format!("{} → {}: {}", label, self.columns[j], self.text(i * m + j));
                let gap = if cell_w > 12.0 { 2.0 } else { 0.0 };
                canvas.rect(
                    [x, y, cell_w - gap, cell_h - gap],
                    &format!("h{shade}"),
                    if gap > 0.0 { "rx=\"3\"" } else { "" },
                    &tip,
                );
                let words = self.text(i * m + j);
                // "100" may be a little smaller than "99" where cells are narrow.
                let size = (small * (cell_w - gap - 2.0) / measure(&words).max(1.0)).min(small);
                if size >= 8.0 && cell_h >= size + 4.0 {
                    canvas.text(
                        x + (cell_w - gap) / 2.0,
                        y + (cell_h - gap) / 2.0 + size * MIDDLE,
                        kind(size, Anchor::Middle),
                        &format!("t{shade}"),
                        &words,
                    );
                }
            }
        }
        canvas.finish(cells_top + n as f64 * cell_h + PAD, &self.title, theme)
    }
}
