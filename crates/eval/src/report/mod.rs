mod html;

use std::path::Path;

use crate::{Animation, EvalError, Pixels, Svg, Theme, encode_png, figure::Figure};

/// A page that shows results: one HTML file with everything in it, no scripts and no network.
///
/// It follows the reader's light or dark preference, fits a telephone and prints. All words are escaped.
///
/// ```
/// use fokker_eval::{Report, Section};
/// let html = Report::new("Two moons")
///     .subtitle("MLP field, 5 000 steps")
///     .tile("W₂ / floor", "1.04", "1 is perfect")
///     .section(Section::new("Samples").text("Drawn with 32 Heun steps."))
///     .to_html();
/// assert!(html.starts_with("<!doctype html>"));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    title: String,
    subtitle: String,
    tiles: Vec<[String; 3]>,
    sections: Vec<Section>,
    footer: String,
}

/// A heading and what stands under it, in the order in which it was added.
#[derive(Debug, Clone, PartialEq)]
pub struct Section {
    heading: String,
    blocks: Vec<Block>,
}

#[derive(Debug, Clone, PartialEq)]
enum Block {
    Text(String),
    /// The same figure for wide and for narrow pages.
    Figure {
        wide: Svg,
        narrow: Svg,
        caption: String,
    },
    Svg {
        svg: Svg,
        caption: String,
    },
    Image {
        mime: &'static str,
        bytes: Vec<u8>,
        dark: Option<Vec<u8>>,
        size: (usize, usize),
        caption: String,
    },
    Table {
        head: Vec<String>,
        rows: Vec<Vec<String>>,
        caption: String,
    },
    Checks(Vec<Check>),
    Code {
        label: String,
        text: String,
    },
    Commands {
        text: String,
        commands: Vec<String>,
    },
}

/// One line of a table of checks.
#[derive(Debug, Clone, PartialEq)]
struct Check {
    /// What, measured, exact, within which tolerance.
    cells: [String; 4],
    passed: bool,
}

impl Report {
    /// An empty page.
    pub fn new(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            subtitle: String::new(),
            tiles: Vec::new(),
            sections: Vec::new(),
            footer: String::new(),
        }
    }

    /// A sentence under the title.
    pub fn subtitle(mut self, text: impl Into<String>) -> Self {
        self.subtitle = text.into();
        self
    }

    /// A key figure: what it is, its value in large letters, and a note such as the unit or what it is compared to.
    pub fn tile(
        mut self,
        label: impl Into<String>,
        value: impl Into<String>,
        note: impl Into<String>,
    ) -> Self {
        self.tiles.push([label.into(), value.into(), note.into()]);
        self
    }

    /// Adds a section.
    pub fn section(mut self, section: Section) -> Self {
        self.sections.push(section);
        self
    }

    /// A small line at the end, for example version, seed and date.
    pub fn footer(mut self, text: impl Into<String>) -> Self {
        self.footer = text.into();
        self
    }

    /// The page.
    pub fn to_html(&self) -> String {
        html::page(self)
    }

    /// Writes the page in one piece or not at all.
    ///
    /// # Errors
    /// [`EvalError::Io`].
    pub fn write(&self, path: impl AsRef<Path>) -> Result<(), EvalError> {
        Ok(fokker_data::write_atomic(path, self.to_html().as_bytes())?)
    }
}

impl Section {
    /// A section without content yet.
    pub fn new(heading: impl Into<String>) -> Self {
        Self {
            heading: heading.into(),
            blocks: Vec::new(),
        }
    }

    fn with(mut self, block: Block) -> Self {
        self.blocks.push(block);
        self
    }

    /// Adds words; an empty line starts a new paragraph.
    pub fn text(self, text: impl Into<String>) -> Self {
        self.with(Block::Text(text.into()))
    }

    /// Adds a figure, laid out anew for narrow pages.
    pub fn figure(self, figure: &dyn Figure, caption: impl Into<String>) -> Self {
        let theme = Theme::auto();
        self.with(Block::Figure {
            wide: figure.draw(860.0, &theme),
            narrow: figure.draw(330.0, &theme),
            caption: caption.into(),
        })
    }

    /// Adds an SVG as it is. It becomes part of the page, so it must come from a trusted place.
    pub fn svg(self, svg: Svg, caption: impl Into<String>) -> Self {
        self.with(Block::Svg {
            svg,
            caption: caption.into(),
        })
    }

    /// Adds a picture; its pixels stay sharp squares when enlarged.
    ///
    /// # Errors
    /// Those of [`encode_png`].
    pub fn picture(self, picture: &Pixels, caption: impl Into<String>) -> Result<Self, EvalError> {
        let bytes = encode_png(picture, &[])?;
        Ok(self.with(Block::Image {
            mime: "image/png",
            bytes,
            dark: None,
            size: (picture.width, picture.height),
            caption: caption.into(),
        }))
    }

    /// Adds a picture that has one version for light and one for dark pages, of the same size.
    ///
    /// # Errors
    /// Those of [`encode_png`], and [`EvalError::Shape`] if the sizes differ.
    pub fn picture_pair(
        self,
        light: &Pixels,
        dark: &Pixels,
        caption: impl Into<String>,
    ) -> Result<Self, EvalError> {
        let size = (light.width, light.height);
        if size != (dark.width, dark.height) {
            let got = format!("{} × {}", dark.width, dark.height);
            return Err(EvalError::shape(
                "size of the dark picture",
                format!("{} × {}", size.0, size.1),
                got,
            ));
        }
        let bytes = encode_png(light, &[])?;
        let dark = Some(encode_png(dark, &[])?);
        Ok(self.with(Block::Image {
            mime: "image/png",
            bytes,
            dark,
            size,
            caption: caption.into(),
        }))
    }

    /// Adds an animation from [`encode_gif`](crate::encode_gif), of `size` (width, height) pixels.
    pub fn animation(self, gif: Vec<u8>, size: (usize, usize), caption: impl Into<String>) -> Self {
        self.with(Block::Image {
            mime: "image/gif",
            bytes: gif,
            dark: None,
            size,
            caption: caption.into(),
        })
    }

    /// Adds an animation that has one version for light and one for dark pages, of the same size.
    ///
    /// # Errors
    /// [`EvalError::Shape`] if the sizes differ.
    pub fn animation_pair(
        self,
        light: Animation,
        dark: Animation,
        caption: impl Into<String>,
    ) -> Result<Self, EvalError> {
        if light.size != dark.size {
            return Err(EvalError::shape(
                "size of the dark animation",
                format!("{} × {}", light.size.0, light.size.1),
                format!("{} × {}", dark.size.0, dark.size.1),
            ));
        }
        Ok(self.with(Block::Image {
            mime: "image/gif",
            bytes: light.gif,
            dark: Some(dark.gif),
            size: light.size,
            caption: caption.into(),
        }))
    }

    /// Adds a line that holds a measurement against its exact value: "variance at t = 5", "0.4981", "0.5000",
    /// "2.1 standard errors", and whether that is good enough. Lines in a row share one table.
    pub fn check(
        mut self,
        name: impl Into<String>,
        measured: impl Into<String>,
        exact: impl Into<String>,
        tolerance: impl Into<String>,
        passed: bool,
    ) -> Self {
        let check = Check {
            cells: [name.into(), measured.into(), exact.into(), tolerance.into()],
            passed,
        };
        if let Some(Block::Checks(checks)) = self.blocks.last_mut() {
            checks.push(check);
            return self;
        }
        self.with(Block::Checks(vec![check]))
    }

    /// Adds a table. Columns whose cells are all numbers are aligned to the right.
    pub fn table(self, head: &[&str], rows: Vec<Vec<String>>, caption: impl Into<String>) -> Self {
        self.with(Block::Table {
            head: head.iter().map(|s| (*s).to_owned()).collect(),
            rows,
            caption: caption.into(),
        })
    }

    /// Adds text in a fixed-width font, for example the resolved configuration; `label` is written above it.
    pub fn code(self, label: impl Into<String>, text: impl Into<String>) -> Self {
        self.with(Block::Code {
            label: label.into(),
            text: text.into(),
        })
    }

    /// Adds shell commands one can copy, each behind a prompt that is not copied along.
    pub fn commands(self, text: impl Into<String>, commands: &[&str]) -> Self {
        self.with(Block::Commands {
            text: text.into(),
            commands: commands.iter().map(|s| (*s).to_owned()).collect(),
        })
    }
}
