//! Densities from text, such as `ring:k=5,radius=10,std=1`.

mod forms;
mod syntax;

use std::fmt;

use super::DensityArg;
use syntax::{Entry, Reader};

/// A form in which a density may be written: `name:key=value,key=value`, every key optional unless
/// it says otherwise.
#[derive(Debug)]
pub struct DensityForm {
    /// The name before the colon.
    pub name: &'static str,
    /// What it is.
    pub title: &'static str,
    /// The keys, each with what it means and its default.
    pub keys: &'static [(&'static str, &'static str)],
    /// Text that is understood.
    pub example: &'static str,
    build: fn(&mut forms::Args) -> Result<DensityArg, Fault>,
}

/// Every form: help texts and tests iterate this slice.
pub const DENSITIES: &[DensityForm] = &[
    DensityForm {
        name: "gaussian",
        title: "a normal distribution",
        keys: &[
            ("mean", "the mean, a number or a list (0)"),
            ("std", "the standard deviation in every direction (1)"),
            ("cov", "the covariance instead of std: a list of rows"),
            (
                "dim",
                "the dimension, where the mean is one number for all coordinates (1)",
            ),
        ],
        example: "gaussian:mean=[0,0],cov=[[1,.5],[.5,2]]",
        build: forms::gaussian,
    },
    DensityForm {
        name: "mixture",
        title: "a mixture of normal distributions",
        keys: &[
            ("means", "a list of means, each a number or a list; needed"),
            ("weights", "a list of weights (equal)"),
            (
                "stds",
                "a standard deviation for all, or a list of them (1)",
            ),
            (
                "covs",
                "a list of covariances instead of stds, each a list of rows",
            ),
        ],
        example: "mixture:means=[[-4,0],[4,0]],stds=[1,.5],weights=[.3,.7]",
        build: forms::mixture,
    },
    DensityForm {
        name: "ring",
        title: "equal normal distributions on a circle in the plane",
        keys: &[
            ("k", "how many (5)"),
            ("radius", "the circle's radius (10)"),
            ("std", "the standard deviation of each (1)"),
        ],
        example: "ring:k=5,radius=10,std=1",
        build: forms::ring,
    },
    DensityForm {
        name: "random",
        title: "equal normal distributions about random places in a cube",
        keys: &[
            ("k", "how many (5)"),
            ("std", "the standard deviation of each (1)"),
            ("scale", "the cube's side (20)"),
            ("offset", "the cube's centre on the first axis (0)"),
            ("seed", "chooses the places (0)"),
            ("dim", "the dimension (2)"),
        ],
        example: "random:k=5,std=1,scale=20,offset=0,seed=0",
        build: forms::random,
    },
    DensityForm {
        name: "double-well",
        title: "the density exp(-height*((x/width)^2 - 1)^2) on the line, up to its factor",
        keys: &[
            ("height", "the barrier's height (2)"),
            ("width", "the wells are at +-width (1)"),
        ],
        example: "double-well:height=2,width=1",
        build: forms::double_well,
    },
];

/// Text that is not a density: what is wrong, where, and what would be right.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub struct ParseError {
    /// What is wrong, and what would be right.
    pub message: String,
    /// The character to which it applies, counted from 0.
    pub at: usize,
    /// The text.
    pub text: String,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // One line, whatever the text holds.
        let plain = |c: char| if c.is_control() { ' ' } else { c };
        let line: String = self.text.chars().map(plain).collect();
        writeln!(f, "{}, at character {}:", self.message, self.at + 1)?;
        writeln!(f, "  {line}")?;
        write!(f, "  {:>width$}", "^", width = self.at + 1)
    }
}

/// A message and the byte to which it applies.
#[derive(Debug)]
struct Fault {
    message: String,
    at: usize,
}

impl Fault {
    fn new(at: usize, message: impl Into<String>) -> Fault {
        let message = message.into();
        Fault { message, at }
    }
}

/// Reads a density.
pub(super) fn parse(text: &str) -> Result<DensityArg, ParseError> {
    build(text).map_err(|Fault { message, at }| ParseError {
        message,
        at: text.char_indices().take_while(|(i, _)| *i < at).count(),
        text: text.to_string(),
    })
}

fn build(text: &str) -> Result<DensityArg, Fault> {
    let mut reader = Reader::new(text);
    let (at, name) = reader.word();
    let Some(form) = DENSITIES.iter().find(|form| form.name == name) else {
        let names = || DENSITIES.iter().map(|form| form.name);
        let all = names().collect::<Vec<_>>().join(", ");
        let hint = hint(name, names());
        let what = if name.is_empty() {
            "a density begins with its name".to_string()
        } else {
            format!("there is no density `{name}`{hint}")
        };
        return Err(Fault::new(at, format!("{what}; there are {all}")));
    };
    let entries: Vec<Entry> = reader.entries()?;
    for (i, entry) in entries.iter().enumerate() {
        let key = entry.key;
        if !form.keys.iter().any(|(k, _)| *k == key) {
            let keys = || form.keys.iter().map(|(k, _)| *k);
            let message = format!(
                "`{name}` has no `{key}`{}; it has {}",
                hint(key, keys()),
                keys().collect::<Vec<_>>().join(", ")
            );
            return Err(Fault::new(entry.at, message));
        }
        if entries[..i].iter().any(|other| other.key == key) {
            return Err(Fault::new(entry.at, format!("`{key}` is given twice")));
        }
    }
    (form.build)(&mut forms::Args { at, entries })
}

fn hint(name: &str, known: impl Iterator<Item = &'static str>) -> String {
    crate::process::similar(name, known)
        .map_or_else(String::new, |s| format!(", did you mean `{s}`?"))
}
