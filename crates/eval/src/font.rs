//! The embedded fonts: Inter (regular and semibold) and a few mathematical signs of DejaVu Sans.
//!
//! Licences and the way the subsets were cut lie beside them in `assets/`.

use std::sync::{Arc, LazyLock};

use resvg::usvg;
use skrifa::{FontRef, MetadataProvider, instance::LocationRef, prelude::Size};

/// Inter Regular (OpenType): Latin, Latin-1, Greek, common mathematical and typographic signs.
pub const REGULAR: &[u8] = include_bytes!("../assets/Inter-Regular.otf");
/// Inter SemiBold (OpenType), the same signs.
pub const SEMIBOLD: &[u8] = include_bytes!("../assets/Inter-SemiBold.otf");
/// [`REGULAR`] as WOFF2 for HTML pages.
pub const REGULAR_WOFF2: &[u8] = include_bytes!("../assets/Inter-Regular.woff2");
/// [`SEMIBOLD`] as WOFF2 for HTML pages.
pub const SEMIBOLD_WOFF2: &[u8] = include_bytes!("../assets/Inter-SemiBold.woff2");
/// ∇ ∈ ∝, ẋ and raised or lowered letters such as eᵗ and Xₜ, which Inter lacks, from DejaVu Sans.
pub const MATHS: &[u8] = include_bytes!("../assets/DejaVuSans-maths.ttf");

/// [`MATHS`] as WOFF2 for HTML pages.
pub const MATHS_WOFF2: &[u8] = include_bytes!("../assets/DejaVuSans-maths.woff2");

/// The CSS `font-family` of every picture: Inter where there is one, else the system's interface font.
pub const FAMILY: &str = "Inter, 'Fokker Maths', system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', sans-serif";

/// The two weights that are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// 400
    Regular,
    /// 600
    SemiBold,
}

struct Face {
    font: FontRef<'static>,
    /// (digit, its tabular advance) in units of one em
    em_digit: f32,
}

impl Face {
    fn new(bytes: &'static [u8]) -> Option<Self> {
        let font = FontRef::new(bytes).ok()?;
        // The tabular digits are reached through a substitution; all are as wide as the widest plain digit.
        let mut face = Face {
            font,
            em_digit: 0.0,
        };
        face.em_digit = ('0'..='9')
            .filter_map(|d| face.advance(d))
            .fold(0.0, f32::max);
        Some(face)
    }

    fn advance(&self, c: char) -> Option<f32> {
        let glyph = self.font.charmap().map(c)?;
        self.font
            .glyph_metrics(Size::new(1.0), LocationRef::default())
            .advance_width(glyph)
    }
}

static FACES: LazyLock<[Option<Face>; 3]> =
    LazyLock::new(|| [Face::new(REGULAR), Face::new(SEMIBOLD), Face::new(MATHS)]);

/// The advance width of `text` at `size` pixels per em, without kerning; digits count as tabular ones.
///
/// A sign that no embedded font has counts as one em, so a layout errs on the wide side.
pub fn width(text: &str, size: f64, weight: Weight) -> f64 {
    let [regular, semibold, maths] = &*FACES;
    let face = match weight {
        Weight::Regular => regular,
        Weight::SemiBold => semibold,
    };
    let ems: f32 = text
        .chars()
        .map(|c| match face {
            Some(f) if c.is_ascii_digit() => f.em_digit,
            _ => face
                .as_ref()
                .and_then(|f| f.advance(c))
                .or_else(|| maths.as_ref().and_then(|f| f.advance(c)))
                .unwrap_or(1.0),
        })
        .sum();
    f64::from(ems) * size
}

/// `text`, shortened with an ellipsis until it is at most `room` pixels wide.
pub fn shorten(text: &str, size: f64, weight: Weight, room: f64) -> String {
    if width(text, size, weight) <= room {
        return text.to_owned();
    }
    let mut kept: Vec<char> = text.chars().take(400).collect();
    while !kept.is_empty() {
        kept.pop();
        while kept.last().is_some_and(|c| c.is_whitespace()) {
            kept.pop();
        }
        let candidate: String = kept.iter().chain(&['…']).collect();
        if width(&candidate, size, weight) <= room {
            return candidate;
        }
    }
    String::new()
}

/// `text` broken at spaces into at most `lines` lines of at most `room` pixels; what is left over becomes an ellipsis.
pub fn wrap(text: &str, size: f64, weight: Weight, room: f64, lines: usize) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let mut words = text.split_whitespace().peekable();
    while words.peek().is_some() && out.len() < lines {
        let last = out.len() + 1 == lines;
        let mut line = String::new();
        while let Some(word) = words.peek() {
            let longer = if line.is_empty() {
                (*word).to_owned()
            } else {
                format!("{line} {word}")
            };
            if !last && !line.is_empty() && width(&longer, size, weight) > room {
                break;
            }
            line = longer;
            words.next();
        }
        out.push(shorten(&line, size, weight, room));
    }
    out
}

/// The options with which every SVG is read: the embedded fonts only, no file and no network access.
pub(crate) fn svg_options() -> usvg::Options<'static> {
    static DATABASE: LazyLock<Arc<usvg::fontdb::Database>> = LazyLock::new(|| {
        let mut database = usvg::fontdb::Database::new();
        for bytes in [REGULAR, SEMIBOLD, MATHS] {
            database.load_font_data(bytes.to_vec());
        }
        database.set_sans_serif_family("Inter");
        database.set_serif_family("Inter");
        database.set_monospace_family("Inter");
        Arc::new(database)
    });
    usvg::Options {
        font_family: "Inter".to_owned(),
        fontdb: DATABASE.clone(),
        image_href_resolver: usvg::ImageHrefResolver {
            resolve_data: Box::new(|_, _, _| None),
            resolve_string: Box::new(|_, _| None),
        },
        ..usvg::Options::default()
    }
}
