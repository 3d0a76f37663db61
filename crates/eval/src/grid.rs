use crate::{
    EvalError, Pixels, Theme,
    font::{self, Weight},
    svg::{Anchor, Canvas, Type},
    theme::{Palette, text_on},
};

/// How a sheet of images looks. Lengths are in pixels of the result.
#[derive(Debug, Clone, PartialEq)]
pub struct GridStyle {
    /// Each image pixel becomes a square of this side (nearest neighbour).
    pub scale: usize,
    /// Between images.
    pub gap: usize,
    /// Around everything.
    pub margin: usize,
    /// Behind everything; text is dark on pale and pale on dark.
    pub background: [u8; 3],
    /// One label per row, to its left.
    pub row_labels: Option<Vec<String>>,
    /// One label per column, above it.
    pub column_labels: Option<Vec<String>>,
    /// One label per image, below it, in up to three lines.
    pub labels: Option<Vec<String>>,
    /// In bold above everything.
    pub title: Option<String>,
    /// In small grey letters below everything.
    pub caption: Option<String>,
}

impl GridStyle {
    /// Images edge to edge but for 2 pixels, on black, without words.
    pub fn plain(scale: usize) -> Self {
        Self {
            scale,
            gap: 2,
            margin: 2,
            background: [0; 3],
            row_labels: None,
            column_labels: None,
            labels: None,
            title: None,
            caption: None,
        }
    }
}

impl Default for GridStyle {
    /// Room for words, on white, three times as large.
    fn default() -> Self {
        Self {
            scale: 3,
            gap: 6,
            margin: 28,
            background: [255; 3],
            row_labels: None,
            column_labels: None,
            labels: None,
            title: None,
            caption: None,
        }
    }
}

/// A sheet of images of one size, `columns` to a row, filled row by row; the last row may be shorter.
///
/// The result is grey (1 channel) if all images and the background are, else RGB. Labels too long for their place
/// end with an ellipsis.
///
/// # Errors
/// [`EvalError::Empty`] without images; [`EvalError::Shape`] if images differ in size, `columns` or `scale` is 0, or
/// a list of labels does not fit the rows or columns.
pub fn grid(images: &[Pixels], columns: usize, style: &GridStyle) -> Result<Pixels, EvalError> {
    let first = images
        .first()
        .ok_or(EvalError::Empty("list of images for a grid"))?;
    for (what, v) in [
        ("columns of a grid", columns),
        ("scale of a grid", style.scale),
    ] {
        if v == 0 {
            return Err(EvalError::shape(what, "at least 1", 0));
        }
    }
    let columns = columns.min(images.len());
    let rows = images.len().div_ceil(columns);
    for image in images {
        image.check()?;
        if (image.width, image.height) != (first.width, first.height) {
            return Err(EvalError::shape(
                "size of an image in a grid",
                format!("{} × {} as the first one", first.width, first.height),
                format!("{} × {}", image.width, image.height),
            ));
        }
    }
    for (what, labels, n) in [
        ("row labels", &style.row_labels, rows),
        ("column labels", &style.column_labels, columns),
        ("labels", &style.labels, images.len()),
    ] {
        if let Some(labels) = labels
            && labels.len() != n
        {
            return Err(EvalError::shape(what, n, labels.len()));
        }
    }
    let layout = Layout::new(first, rows, columns, style);
    if layout.width.max(layout.height) > 16_384 {
        return Err(EvalError::shape(
            "side of a grid",
            "at most 16384 pixels",
            format!("{} × {}", layout.width, layout.height),
        ));
    }

    let b = style.background;
    let grey = b[0] == b[1] && b[1] == b[2] && images.iter().all(|i| i.channels == 1);
    let mut out = layout.words(style)?;
    for (i, image) in images.iter().enumerate() {
        let (x0, y0) = layout.place(i % columns, i / columns);
        for y in 0..image.height * style.scale {
            let row = ((y0 + y) * out.width + x0) * 3;
            for x in 0..image.width * style.scale {
                let colour = image.rgb(x / style.scale, y / style.scale, b);
                out.data[row + x * 3..row + x * 3 + 3].copy_from_slice(&colour);
            }
        }
    }
    if grey && out.is_grey() {
        out.data = out.data.chunks_exact(3).map(|p| p[0]).collect();
        out.channels = 1;
    }
    Ok(out)
}

struct Layout {
    width: usize,
    height: usize,
    left: usize,
    top: usize,
    cell: (usize, usize),
    gap: usize,
    title: Vec<String>,
    caption: Vec<String>,
    size: f64,
    rows: usize,
    columns: usize,
    /// Of every image, in lines.
    labels: Vec<Vec<String>>,
    /// Below every row of images.
    under: usize,
}

const TITLE_RATIO: f64 = 1.3;
const LINE: f64 = 1.4;
/// Letters below an image, of those elsewhere, and their lines.
const SMALL: f64 = 0.85;
const LABEL_LINES: usize = 3;

impl Layout {
    fn new(image: &Pixels, rows: usize, columns: usize, style: &GridStyle) -> Self {
        let cell = (image.width * style.scale, image.height * style.scale);
        // Letters grow with the pictures, so that a sheet looks the same at every scale.
        let size = (cell.1 as f64 * 0.17).clamp(13.0, 40.0).round();
        let ceil = |v: f64| v.ceil() as usize;
        let labels = style.row_labels.iter().flatten();
        let longest = labels
            .map(|l| font::width(l, size, Weight::Regular))
            .fold(0.0, f64::max);
        let row_room = ceil(longest.min(size * 16.0));
        let left = style.margin
            + if row_room > 0 {
                row_room + ceil(size)
            } else {
                0
            };
        let sheet = columns * cell.0 + (columns - 1) * style.gap;
        // A title wider than the pictures may widen the sheet, up to a readable minimum.
        let has_words = style.title.is_some() || style.caption.is_some();
        let least = if has_words { ceil(size * 18.0) } else { 0 };
        let width = (left + sheet).max(style.margin + least) + style.margin;
        let room = (width - 2 * style.margin) as f64;
        let title = style.title.as_deref().unwrap_or("");
        let title = font::wrap(title, size * TITLE_RATIO, Weight::SemiBold, room, 2);
        let caption = font::wrap(
            style.caption.as_deref().unwrap_or(""),
            size,
            Weight::Regular,
            room,
            4,
        );
        let mut top = style.margin as f64;
        if !title.is_empty() {
            top += title.len() as f64 * size * TITLE_RATIO * 1.3 + size;
        }
        if style.column_labels.is_some() {
            top += size * 1.6;
        }
        let top = ceil(top);
        let labels: Vec<Vec<String>> = style
            .labels
            .iter()
            .flatten()
            .map(|l| font::wrap(l, size * SMALL, Weight::Regular, cell.0 as f64, LABEL_LINES))
            .collect();
        let most = labels.iter().map(Vec::len).max().unwrap_or(0) as f64;
        let under = ceil(most * size * SMALL * LINE);
        let sheet_height = rows * (cell.1 + under) + (rows - 1) * style.gap;
        let below = if caption.is_empty() {
            0
        } else {
            ceil(size * 0.8 + caption.len() as f64 * size * LINE)
        };
        Self {
            width,
            height: top + sheet_height + below + style.margin,
            left,
            top,
            cell,
            gap: style.gap,
            title,
            caption,
            size,
            rows,
            columns,
            labels,
            under,
        }
    }

    fn place(&self, column: usize, row: usize) -> (usize, usize) {
        (
            self.left + column * (self.cell.0 + self.gap),
            self.top + row * (self.cell.1 + self.under + self.gap),
        )
    }

    /// The background with all words on it, as RGB.
    fn words(&self, style: &GridStyle) -> Result<Pixels, EvalError> {
        let base = if text_on(style.background) == [0; 3] {
            Palette::LIGHT
        } else {
            Palette::DARK
        };
        let grey = style.background[0] == style.background[1]
            && style.background[1] == style.background[2];
        // On a grey sheet the words are grey too, so that it needs one channel only.
        let tone = |c: [u8; 3]| if grey { [c[1]; 3] } else { c };
        let palette = Palette {
            surface: style.background,
            ink: tone(base.ink),
            muted: tone(base.muted),
            ..base
        };
        let theme = Theme {
            light: palette,
            dark: None,
        };
        let mut canvas = Canvas::new(self.width as f64);
        let kind = |size, weight, anchor| Type::new(size, weight, anchor);
        let margin = style.margin as f64;
        let mut y = margin;
        for line in &self.title {
            let size = self.size * TITLE_RATIO;
            canvas.text(
                margin,
                y + size,
                kind(size, Weight::SemiBold, Anchor::Start),
                "ink",
                line,
            );
            y += size * 1.3;
        }
        for (j, label) in style.column_labels.iter().flatten().enumerate() {
            let room = (self.cell.0 + self.gap) as f64 - 4.0;
            let text = font::shorten(label, self.size, Weight::Regular, room);
            let middle = self.place(j, 0).0 as f64 + self.cell.0 as f64 / 2.0;
            let baseline = self.top as f64 - self.size * 0.6;
            canvas.text(
                middle,
                baseline,
                kind(self.size, Weight::Regular, Anchor::Middle),
                "mut",
                &text,
            );
        }
        for (i, label) in style.row_labels.iter().flatten().enumerate() {
            let text = font::shorten(label, self.size, Weight::Regular, self.size * 16.0);
            let middle = self.place(0, i).1 as f64 + self.cell.1 as f64 / 2.0;
            let end = self.left as f64 - self.size;
            let baseline = middle + self.size * 0.36;
            canvas.text(
                end,
                baseline,
                kind(self.size, Weight::Regular, Anchor::End),
                "ink",
                &text,
            );
        }
        for (i, label) in self.labels.iter().enumerate() {
            let (left, top) = self.place(i % self.columns, i / self.columns);
            let middle = left as f64 + self.cell.0 as f64 / 2.0;
            let size = self.size * SMALL;
            for (line, y) in label.iter().zip(1..) {
                let baseline = (top + self.cell.1) as f64 + size * LINE * (f64::from(y) - 0.25);
                canvas.text(
                    middle,
                    baseline,
                    kind(size, Weight::Regular, Anchor::Middle),
                    "mut",
                    line,
                );
            }
        }
        let below = self.cell.1 + self.under;
        let mut y = (self.place(0, self.rows - 1).1 + below) as f64 + self.size * 0.8;
        for line in &self.caption {
            canvas.text(
                margin,
                y + self.size,
                kind(self.size, Weight::Regular, Anchor::Start),
                "mut",
                line,
            );
            y += self.size * LINE;
        }
        canvas.finish(self.height as f64, "", &theme).to_png(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tile(v: u8) -> Pixels {
        Pixels::new(2, 1, 1, vec![v, 255 - v]).unwrap()
    }

    #[test]
    fn a_plain_grid_is_known_to_the_pixel() {
        let style = GridStyle {
            gap: 1,
            margin: 1,
            ..GridStyle::plain(2)
        };
        let g = grid(&[tile(10), tile(20), tile(30)], 2, &style).unwrap();
        assert_eq!((g.width, g.height, g.channels), (11, 7, 1));
        let row = [0, 10, 10, 245, 245, 0, 20, 20, 235, 235, 0];
        assert_eq!(&g.data[11..22], row);
        assert_eq!(&g.data[22..33], row);
        assert_eq!(&g.data[44..55], [0, 30, 30, 225, 225, 0, 0, 0, 0, 0, 0]);
        assert!(g.data[..11].iter().all(|&v| v == 0));
    }

    #[test]
    fn images_are_untouched_by_words() {
        let style = GridStyle {
            row_labels: Some(vec![
                "a very long label for such a small picture, is it not?".into(),
                "b".into(),
            ]),
            column_labels: Some(vec!["x".into(), "y".into()]),
            title: Some("Title ∇ log p → ε".into()),
            caption: Some("caption ".repeat(40)),
            labels: Some(vec![
                "one two three four".into(),
                String::new(),
                "x".into(),
                "y".into(),
            ]),
            ..GridStyle::default()
        };
        let images = [tile(1), tile(2), tile(3), tile(4)];
        let g = grid(&images, 2, &style).unwrap();
        assert_eq!(g.channels, 1);
        let layout = Layout::new(&images[0], 2, 2, &style);
        for (i, image) in images.iter().enumerate() {
            let (x0, y0) = layout.place(i % 2, i / 2);
            for y in 0..3 {
                for x in 0..6 {
                    assert_eq!(g.data[(y0 + y) * g.width + x0 + x], image.data[x / 3]);
                }
            }
        }
    }

    #[test]
    fn wrong_sheets_are_refused() {
        let style = GridStyle::plain(1);
        assert!(matches!(grid(&[], 2, &style), Err(EvalError::Empty(_))));
        assert!(grid(&[tile(0)], 0, &style).is_err());
        let other = Pixels::new(1, 1, 1, vec![0]).unwrap();
        assert!(grid(&[tile(0), other], 2, &style).is_err());
        let labels = GridStyle {
            row_labels: Some(vec![]),
            ..GridStyle::plain(1)
        };
        let message = grid(&[tile(0)], 1, &labels).unwrap_err().to_string();
        assert!(message.contains("row labels"), "{message}");
        assert!(grid(&[tile(0)], 1, &GridStyle::plain(100_000)).is_err());
    }
}
