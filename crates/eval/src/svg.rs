use std::{
    collections::BTreeSet,
    fmt::{Display, Write},
    path::Path,
};

use resvg::{tiny_skia, usvg};

use crate::{EvalError, Pixels, Theme, font, font::Weight};

/// A finished picture as SVG text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Svg(String);

/// No picture that this crate makes is larger; it keeps a wrong scale from asking for all memory.
const MAX_SIDE: f32 = 16_384.0;

impl Svg {
    /// Takes SVG text as it is; it is checked when it is drawn.
    pub fn from_text(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The SVG text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Draws the picture with the embedded fonts, `scale` pixels per SVG unit, as RGB (RGBA if it has transparent parts).
    ///
    /// A style sheet's media queries do not apply: a theme that follows the viewer is drawn in its light colours.
    ///
    /// # Errors
    /// [`EvalError::Svg`] for text that is not an SVG, a scale that is not positive, or a side above 16 384 pixels.
    pub fn to_png(&self, scale: f64) -> Result<Pixels, EvalError> {
        let tree = self.tree()?;
        let scale = scale as f32;
        let size = tree.size();
        let (w, h) = (
            (size.width() * scale).round(),
            (size.height() * scale).round(),
        );
        if !(w >= 1.0 && h >= 1.0 && w <= MAX_SIDE && h <= MAX_SIDE) {
            return Err(EvalError::Svg(format!(
                "at scale {scale} it would be {w}×{h} pixels; each side must be 1 to {MAX_SIDE}"
            )));
        }
        let mut map = tiny_skia::Pixmap::new(w as u32, h as u32)
            .ok_or_else(|| EvalError::Svg(format!("no memory for {w}×{h} pixels")))?;
        let transform = tiny_skia::Transform::from_scale(w / size.width(), h / size.height());
        resvg::render(&tree, transform, &mut map.as_mut());
        let colours = map.pixels().iter().map(|p| p.demultiply());
        let opaque = map.pixels().iter().all(|p| p.alpha() == 255);
        let data = if opaque {
            colours
                .flat_map(|c| [c.red(), c.green(), c.blue()])
                .collect()
        } else {
            colours
                .flat_map(|c| [c.red(), c.green(), c.blue(), c.alpha()])
                .collect()
        };
        Pixels::new(w as usize, h as usize, if opaque { 3 } else { 4 }, data)
    }

    /// Writes the SVG as a file, in one piece or not at all.
    ///
    /// # Errors
    /// [`EvalError::Io`].
    pub fn write(&self, path: impl AsRef<Path>) -> Result<(), EvalError> {
        Ok(fokker_data::write_atomic(path, self.0.as_bytes())?)
    }

    pub(crate) fn tree(&self) -> Result<usvg::Tree, EvalError> {
        usvg::Tree::from_str(&self.0, &font::svg_options())
            .map_err(|e| EvalError::Svg(e.to_string()))
    }
}

impl Display for Svg {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// `text` made safe between tags and inside quoted attributes of XML and HTML.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' | '\t' => out.push(c),
            // XML 1.0 has no place for these, not even escaped.
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// A coordinate with at most two decimals and no trailing zeros.
pub(crate) fn num(v: f64) -> String {
    let v = if v.is_finite() { v } else { 0.0 };
    let mut s = format!("{v:.2}");
    while s.ends_with('0') {
        s.pop();
    }
    if s.ends_with('.') {
        s.pop();
    }
    if s == "-0" { "0".into() } else { s }
}

/// Where a text's x coordinate is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

/// How a text looks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Type {
    pub(crate) size: f64,
    pub(crate) weight: Weight,
    pub(crate) anchor: Anchor,
    pub(crate) halo: bool,
}

impl Type {
    pub(crate) const fn new(size: f64, weight: Weight, anchor: Anchor) -> Self {
        Self {
            size,
            weight,
            anchor,
            halo: false,
        }
    }
    pub(crate) const fn with_halo(mut self) -> Self {
        self.halo = true;
        self
    }
}

/// An SVG being written.
pub(crate) struct Canvas {
    pub(crate) width: f64,
    body: String,
    used: BTreeSet<String>,
}

impl Canvas {
    pub(crate) fn new(width: f64) -> Self {
        Self {
            width,
            body: String::new(),
            used: BTreeSet::new(),
        }
    }

    fn class(&mut self, classes: &str) -> String {
        self.used.extend(classes.split(' ').map(str::to_owned));
        format!("class=\"{classes}\"")
    }

    /// Text whose baseline starts at, is centred on, or ends at (x, y).
    pub(crate) fn text(&mut self, x: f64, y: f64, kind: Type, class: &str, text: &str) {
        self.text_turned(x, y, 0.0, kind, class, text);
    }

    /// Text turned by `degrees` clockwise about (x, y).
    pub(crate) fn text_turned(
        &mut self,
        x: f64,
        y: f64,
        degrees: f64,
        kind: Type,
        class: &str,
        text: &str,
    ) {
        if text.is_empty() {
            return;
        }
        let class = if kind.halo {
            self.class(&format!("{class} halo"))
        } else {
            self.class(class)
        };
        let anchor = match kind.anchor {
            Anchor::Start => "",
            Anchor::Middle => " text-anchor=\"middle\"",
            Anchor::End => " text-anchor=\"end\"",
        };
        let weight = match kind.weight {
            Weight::Regular => "",
            Weight::SemiBold => " font-weight=\"600\"",
        };
        let halo = if kind.halo {
            " stroke-width=\"4\" stroke-linejoin=\"round\" paint-order=\"stroke\""
        } else {
            ""
        };
        let turn = if degrees == 0.0 {
            String::new()
        } else {
            format!(
                " transform=\"rotate({} {} {})\"",
                num(degrees),
                num(x),
                num(y)
            )
        };
        let _ = writeln!(
            self.body,
            "<text {class} x=\"{}\" y=\"{}\" font-size=\"{}\"{weight}{anchor}{halo}{turn}>{}</text>",
            num(x),
            num(y),
            num(kind.size),
            escape(text)
        );
    }

    pub(crate) fn line(&mut self, [x1, y1, x2, y2]: [f64; 4], class: &str, extra: &str) {
        let class = self.class(class);
        let _ = writeln!(
            self.body,
            "<line {class} x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\" {extra}/>",
            num(x1),
            num(y1),
            num(x2),
            num(y2)
        );
    }

    /// A rectangle [x, y, width, height]; `tip` is shown when a pointer rests on it.
    pub(crate) fn rect(&mut self, [x, y, w, h]: [f64; 4], class: &str, extra: &str, tip: &str) {
        let class = self.class(class);
        let _ = write!(
            self.body,
            "<rect {class} x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" {extra}",
            num(x),
            num(y),
            num(w.max(0.0)),
            num(h.max(0.0))
        );
        let _ = if tip.is_empty() {
            writeln!(self.body, "/>")
        } else {
            writeln!(self.body, "><title>{}</title></rect>", escape(tip))
        };
    }

    pub(crate) fn path(&mut self, d: &str, class: &str, extra: &str) {
        let class = self.class(class);
        let _ = writeln!(self.body, "<path {class} d=\"{d}\" {extra}/>");
    }

    /// One look for everything that `draw` adds; what is added repeats no attributes.
    pub(crate) fn group(&mut self, class: &str, extra: &str, draw: impl FnOnce(&mut Self)) {
        let class = self.class(class);
        let _ = writeln!(self.body, "<g {class} {extra}>");
        draw(self);
        self.body.push_str("</g>\n");
    }

    /// A path that looks as its group says.
    pub(crate) fn bare_path(&mut self, d: &str) {
        let _ = writeln!(self.body, "<path d=\"{d}\"/>");
    }

    /// Everything that `draw` adds is cut off outside [x, y, width, height]; a nested `<svg>` needs no unique id.
    pub(crate) fn clipped(&mut self, [x, y, w, h]: [f64; 4], draw: impl FnOnce(&mut Self)) {
        let (x, y, w, h) = (num(x), num(y), num(w), num(h));
        let _ = writeln!(
            self.body,
            "<svg x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\" viewBox=\"{x} {y} {w} {h}\">"
        );
        draw(self);
        self.body.push_str("</svg>\n");
    }

    /// The whole picture, `height` units high, on the theme's surface.
    pub(crate) fn finish(mut self, height: f64, title: &str, theme: &Theme) -> Svg {
        self.used.insert("bg".into());
        let used = |class: &str| self.used.contains(class);
        // Several pictures share one HTML page and its style sheets are global, so each theme gets its own scope.
        let scope = format!("fk{:08x}", fnv(theme.css("", |_| true).as_bytes()));
        let css = theme.css(&scope, used);
        let (w, h) = (num(self.width), num(height));
        Svg(format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"{scope}\" width=\"{w}\" height=\"{h}\" \
             viewBox=\"0 0 {w} {h}\" role=\"img\" aria-label=\"{}\" font-family=\"{}\" \
             font-variant-numeric=\"tabular-nums\">\n<style>{css}</style>\n\
             <rect class=\"bg\" width=\"{w}\" height=\"{h}\"/>\n{}</svg>\n",
            escape(title),
            font::FAMILY,
            self.body
        ))
    }
}

/// FNV-1a, 32 bits: a short, stable name for a style sheet.
fn fnv(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |h, &b| {
        (h ^ u32::from(b)).wrapping_mul(0x0100_0193)
    })
}
