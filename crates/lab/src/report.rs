//! The lab as data, and as one page.

use std::fmt;

use fokker_eval::figure::Figure;
use fokker_eval::{Animation, Pixels, Report, Section};

use crate::check::{ALPHA, Check, Verdict};

/// What a lab resulted in.
#[derive(Debug)]
pub struct LabReport {
    /// Its name: `one`.
    pub lab: &'static str,
    /// What it is about.
    pub title: &'static str,
    /// The same in a sentence.
    pub subtitle: &'static str,
    /// What the checks are that have no standard error or p-value: "are …" or "hold …".
    pub fixed: &'static str,
    /// More on how to read the checks, in a paragraph of its own.
    pub reading: &'static str,
    /// The seed it ran with.
    pub seed: u64,
    /// The sections, in the order of the page.
    pub sections: Vec<LabSection>,
}

/// One experiment.
#[derive(Debug)]
pub struct LabSection {
    /// Its title.
    pub title: String,
    /// What the theory says, with the formulas; an empty line starts a paragraph.
    pub theory: String,
    /// Figures and checks, each figure before its checks.
    pub items: Vec<Item>,
}

/// A part of a section.
pub enum Item {
    /// A figure, at any width and in both themes.
    Figure {
        /// The figure.
        figure: Box<dyn Figure + Send + Sync>,
        /// The words under it.
        caption: String,
    },
    /// An animation in two themes.
    Movie {
        /// For light pages.
        light: Animation,
        /// For dark pages, of the same size; left out if it is not.
        dark: Animation,
        /// The words under it.
        caption: String,
    },
    /// A picture in two themes.
    Picture {
        /// For light pages.
        light: Pixels,
        /// For dark pages, of the same size; left out if it is not.
        dark: Pixels,
        /// The words under it.
        caption: String,
    },
    /// A table.
    Table {
        /// The columns' heads.
        head: Vec<String>,
        /// Its rows.
        rows: Vec<Vec<String>>,
        /// The words under it.
        caption: String,
    },
    /// Measurements beside closed forms.
    Checks(Vec<Check>),
}

impl Item {
    /// The checks, of an item that holds any.
    pub fn checks(&self) -> &[Check] {
        match self {
            Item::Checks(checks) => checks,
            _ => &[],
        }
    }
}

impl fmt::Debug for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Item::Figure { caption, .. } => f.debug_tuple("Figure").field(caption).finish(),
            Item::Movie { caption, .. } => f.debug_tuple("Movie").field(caption).finish(),
            Item::Picture { caption, .. } => f.debug_tuple("Picture").field(caption).finish(),
            Item::Table { caption, .. } => f.debug_tuple("Table").field(caption).finish(),
            Item::Checks(checks) => f.debug_tuple("Checks").field(checks).finish(),
        }
    }
}

impl LabSection {
    /// An empty section.
    pub fn new(title: &str, theory: &str) -> LabSection {
        LabSection {
            title: title.into(),
            theory: theory.into(),
            items: Vec::new(),
        }
    }

    /// Adds a figure.
    pub fn figure(
        mut self,
        figure: impl Figure + Send + Sync + 'static,
        caption: impl Into<String>,
    ) -> Self {
        self.items.push(Item::Figure {
            figure: Box::new(figure),
            caption: caption.into(),
        });
        self
    }

    /// Adds an animation, for light and for dark pages.
    pub fn movie(mut self, [light, dark]: [Animation; 2], caption: &str) -> Self {
        self.items.push(Item::Movie {
            light,
            dark,
            caption: caption.into(),
        });
        self
    }

    /// Adds a picture, for light and for dark pages.
    pub fn pictures(mut self, [light, dark]: [Pixels; 2], caption: impl Into<String>) -> Self {
        self.items.push(Item::Picture {
            light,
            dark,
            caption: caption.into(),
        });
        self
    }

    /// Adds a table.
    pub fn table(
        mut self,
        head: &[&str],
        rows: Vec<Vec<String>>,
        caption: impl Into<String>,
    ) -> Self {
        self.items.push(Item::Table {
            head: head.iter().map(|h| (*h).to_owned()).collect(),
            rows,
            caption: caption.into(),
        });
        self
    }

    /// Adds measurements beside closed forms.
    pub fn checks(mut self, checks: impl IntoIterator<Item = Check>) -> Self {
        self.items.push(Item::Checks(checks.into_iter().collect()));
        self
    }
}

impl LabReport {
    /// Every check, in the order of the page.
    pub fn checks(&self) -> impl Iterator<Item = &Check> {
        let items = self.sections.iter().flat_map(|section| &section.items);
        items.flat_map(Item::checks)
    }

    /// Whether every check passed.
    pub fn passed(&self) -> bool {
        self.checks().all(|check| check.passed)
    }

    /// The page.
    pub fn report(&self) -> Report {
        let (count, passed) = (
            self.checks().count(),
            self.checks().filter(|check| check.passed).count(),
        );
        let random = |check: &&Check| !matches!(check.verdict, Verdict::Number { .. });
        let random = self.checks().filter(random).count();
        let figures = self.sections.iter().flat_map(|section| &section.items);
        let drawn = |item: &&Item| !matches!(item, Item::Checks(_) | Item::Table { .. });
        let figures = figures.filter(drawn);
        let mut report = Report::new(format!("Lab {}: {}", self.lab, self.title))
            .subtitle(self.subtitle)
            .tile(
                "Checks passed",
                format!("{passed} of {count}"),
                if passed == count {
                    "measured beside exact"
                } else {
                    "the others are marked ✗"
                },
            )
            .tile(
                "Figures",
                figures.count().to_string(),
                "drawn from this run",
            )
            .tile(
                "Seed",
                self.seed.to_string(),
                "the same seed, the same page",
            )
            .section(Section::new("How to read the checks").text(how(
                count,
                random,
                self.fixed,
                self.reading,
            )));
        for (number, section) in self.sections.iter().enumerate() {
            let heading = format!("{}. {}", number + 1, section.title);
            report = report.section(page_section(heading, section));
        }
        report.footer(format!(
            "fokker {} · lab {} · seed {}",
            env!("CARGO_PKG_VERSION"),
            self.lab,
            self.seed
        ))
    }

    /// The page as one HTML file without outside references.
    pub fn to_html(&self) -> String {
        self.report().to_html()
    }
}

fn how(count: usize, random: usize, fixed: &str, reading: &str) -> String {
    format!(
        "{} of the {count} checks {fixed}. For the others: a number may differ from its exact expectation by 4.4 of \
         its standard errors (s.e.), and a test of a law must have p ≥ 10⁻⁵. A right program breaks such a rule \
         in one case of 100 000, so it fails any of these {random} checks for fewer than one seed in {}. A \
         number wrong by 6.7 standard errors is found with probability 0.99; each test of a law says what it \
         finds with that probability, for the test of Kolmogorov and Smirnov as the distance ΔF of two \
         distribution functions.\n\n{reading}",
        count - random,
        rounded((1.0 / (ALPHA * random.max(1) as f64)).floor())
    )
}

/// Two digits are enough, rounded down.
fn rounded(x: f64) -> f64 {
    let unit = 10f64.powf(x.log10().floor() - 1.0).max(1.0);
    (x / unit).floor() * unit
}

fn page_section(heading: String, section: &LabSection) -> Section {
    let mut page = Section::new(heading).text(unbroken(&section.theory));
    for item in &section.items {
        page = match item {
            Item::Figure { figure, caption } => page.figure(&**figure, &**caption),
            Item::Movie {
                light,
                dark,
                caption,
            } if light.size == dark.size => page
                .animation_pair(light.clone(), dark.clone(), &**caption)
                .expect("the sizes are equal"),
            Item::Movie { light, caption, .. } => {
                page.animation(light.gif.clone(), light.size, &**caption)
            }
            Item::Picture {
                light,
                dark,
                caption,
            } => {
                let pair = page.clone().picture_pair(light, dark, &**caption);
                pair.or_else(|_| page.picture(light, &**caption))
                    .expect("a picture that was drawn can be written")
            }
            Item::Table {
                head,
                rows,
                caption,
            } => {
                let head: Vec<&str> = head.iter().map(String::as_str).collect();
                page.table(&head, rows.clone(), &**caption)
            }
            Item::Checks(checks) => checks.iter().fold(page, |page, c| {
                page.check(&*c.name, &*c.measured, &*c.exact, &*c.tolerance, c.passed)
            }),
        };
    }
    page
}

/// Keeps the commonest bracket of the formulas on one line.
fn unbroken(text: &str) -> String {
    text.replace("(1 − ", "(1\u{a0}−\u{a0}")
}
