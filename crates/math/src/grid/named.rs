//! The grids by name, and what texts mean.

use std::fmt::{Display, Formatter, Result as Fmt};
use std::ops::RangeInclusive;
use std::str::FromStr;

use super::Grid;

/// An entry of [`GRIDS`].
#[derive(Clone, Copy, Debug)]
pub struct GridSpec {
    /// The name on the command line.
    pub name: &'static str,
    /// The times as a formula.
    pub formula: &'static str,
    /// Where it comes from.
    pub reference: &'static str,
    /// The number that may follow the name after a colon, and its range.
    pub number: Option<&'static str>,
    /// The grid with this number, or with its usual one; None where the number is outside its range or there
    /// should be none.
    pub make: fn(Option<f64>) -> Option<Grid>,
}

/// All grids with a name: help texts and law tests iterate this slice.
pub const GRIDS: &[GridSpec] = &[
    GridSpec {
        name: "native",
        formula: "the scheduler's own: i/n, for edm karras:7",
        reference: "the paper of the scheduler",
        number: None,
        make: |x| x.is_none().then_some(Grid::Native),
    },
    GridSpec {
        name: "uniform",
        formula: "t = i/n",
        reference: "Lipman et al., Flow matching for generative modeling, ICLR 2023",
        number: None,
        make: |x| x.is_none().then_some(Grid::Uniform),
    },
    GridSpec {
        name: "log-snr",
        formula: "ln σ linear from min(80, σ_0) to 0.002, then t = 1 (σ = β/α)",
        reference: "Lu et al., DPM-Solver, NeurIPS 2022",
        number: None,
        make: |x| x.is_none().then_some(Grid::LogSnr),
    },
    GridSpec {
        name: "karras",
        formula: "σ^(1/ρ) linear from min(80, σ_0) to 0.002, then t = 1 (σ = β/α, ρ = 7)",
        reference: "Karras et al., Elucidating the design space of diffusion-based generative models, NeurIPS 2022",
        number: Some("ρ from 1 to 100"),
        make: |x| {
            Some(Grid::Karras {
                rho: within(1.0..=100.0, x.unwrap_or(7.0))?,
            })
        },
    },
    GridSpec {
        name: "cosine",
        formula: "t = sin²(πi/2n)",
        reference: "Clenshaw & Curtis, A method for numerical integration on an automatic computer, 1960",
        number: None,
        make: |x| x.is_none().then_some(Grid::Cosine),
    },
    GridSpec {
        name: "shifted",
        formula: "λ(t) = λ(i/n) − 2 ln s; for condot t = u/(s − (s − 1)u), u = i/n (s = 3)",
        reference: "Esser et al., Scaling rectified flow transformers, ICML 2024",
        number: Some("s from 0.01 to 100"),
        make: |x| {
            Some(Grid::Shifted {
                shift: within(0.01..=100.0, x.unwrap_or(3.0))?,
            })
        },
    },
    GridSpec {
        name: "quadratic",
        formula: "1 − t = ((n − i)/n)²",
        reference: "Song et al., Denoising diffusion implicit models, ICLR 2021",
        number: None,
        make: |x| x.is_none().then_some(Grid::Quadratic),
    },
];

fn within(range: RangeInclusive<f64>, x: f64) -> Option<f64> {
    range.contains(&x).then_some(x)
}

/// Why a text or a list is no grid. Entries are counted from 1.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum GridError {
    /// The name before the colon is none of [`GRIDS`].
    #[error(
        "unknown time grid \"{name}\"; known are {}, and lists of times such as 0,0.2,0.7,1",
        names()
    )]
    Name {
        /// The name given.
        name: String,
    },
    /// The part after the colon is not a number in the range.
    #[error("\"{text}\": expected {name} or {name}:x with the number {expected}")]
    Number {
        /// The text given.
        text: String,
        /// The name in it.
        name: &'static str,
        /// What the number is and its range.
        expected: &'static str,
    },
    /// A number for a grid that takes none.
    #[error("\"{text}\": {name} takes no number")]
    NoNumber {
        /// The text given.
        text: String,
        /// The name in it.
        name: &'static str,
    },
    /// An entry of the list is not a finite number.
    #[error("list of times: entry {entry} (\"{text}\") is not a number from 0 to 1")]
    Entry {
        /// Its place.
        entry: usize,
        /// What is there.
        text: String,
    },
    /// Fewer than two entries.
    #[error("list of times: expected at least two entries, 0 and 1, got {entries}")]
    Few {
        /// How many there are.
        entries: usize,
    },
    /// The first entry is not 0.
    #[error("list of times: entry 1 ({first}) is not 0, the noise at which sampling starts")]
    Start {
        /// The first entry.
        first: f64,
    },
    /// The last entry is not 1.
    #[error(
        "list of times: the last entry, {entry} ({last}), is not 1, the data at which sampling ends"
    )]
    End {
        /// Its place.
        entry: usize,
        /// The last entry.
        last: f64,
    },
    /// An entry is not larger than the one before.
    #[error(
        "list of times: entry {entry} ({time}) is not larger than entry {} ({before})", entry - 1
    )]
    Order {
        /// Its place.
        entry: usize,
        /// The entry.
        time: f64,
        /// The entry before.
        before: f64,
    },
}

fn names() -> String {
    let names: Vec<&str> = GRIDS.iter().map(|g| g.name).collect();
    names.join(", ")
}

/// Whether a list is two or more numbers that rise strictly from 0 to 1.
pub(super) fn check(times: &[f64]) -> Result<(), GridError> {
    let [first, .., last] = *times else {
        return Err(GridError::Few {
            entries: times.len(),
        });
    };
    let entry = |place: usize| place + 1;
    if let Some(i) = times.iter().position(|t| !t.is_finite()) {
        let text = times[i].to_string();
        return Err(GridError::Entry {
            entry: entry(i),
            text,
        });
    }
    if first != 0.0 {
        return Err(GridError::Start { first });
    }
    if let Some(i) = (1..times.len()).find(|&i| times[i] <= times[i - 1]) {
        let (time, before) = (times[i], times[i - 1]);
        return Err(GridError::Order {
            entry: entry(i),
            time,
            before,
        });
    }
    if last != 1.0 {
        return Err(GridError::End {
            entry: times.len(),
            last,
        });
    }
    Ok(())
}

impl FromStr for Grid {
    type Err = GridError;

    /// Reads `name`, `name:number` such as `karras:5`, or a list of times such as `0,0.2,0.7,1`.
    fn from_str(text: &str) -> Result<Grid, GridError> {
        let text = text.trim();
        if text.contains(',') || text.parse::<f64>().is_ok() {
            return list(text);
        }
        let (name, number) = match text.split_once(':') {
            None => (text, None),
            Some((name, number)) => (name.trim(), Some(number.trim())),
        };
        let Some(spec) = GRIDS.iter().find(|spec| spec.name == name) else {
            return Err(GridError::Name { name: name.into() });
        };
        let (text, name) = (text.to_owned(), spec.name);
        let Some(expected) = spec.number else {
            let grid = if number.is_none() {
                (spec.make)(None)
            } else {
                None
            };
            return grid.ok_or(GridError::NoNumber { text, name });
        };
        let grid = match number.map(str::parse) {
            None => (spec.make)(None),
            Some(Ok(x)) => (spec.make)(Some(x)),
            Some(Err(_)) => None,
        };
        grid.ok_or(GridError::Number {
            text,
            name,
            expected,
        })
    }
}

fn list(text: &str) -> Result<Grid, GridError> {
    let number = |(i, text): (usize, &str)| {
        let text = text.trim();
        text.parse().map_err(|_| GridError::Entry {
            entry: i + 1,
            text: text.into(),
        })
    };
    let times: Result<Vec<f64>, GridError> = text.split(',').enumerate().map(number).collect();
    Grid::given(&times?)
}

impl Display for Grid {
    /// As [`FromStr`] reads it.
    fn fmt(&self, f: &mut Formatter<'_>) -> Fmt {
        match self {
            Grid::Native => write!(f, "native"),
            Grid::Uniform => write!(f, "uniform"),
            Grid::LogSnr => write!(f, "log-snr"),
            Grid::Karras { rho } => write!(f, "karras:{rho}"),
            Grid::Cosine => write!(f, "cosine"),
            Grid::Shifted { shift } => write!(f, "shifted:{shift}"),
            Grid::Quadratic => write!(f, "quadratic"),
            Grid::Given(times) => {
                for (i, t) in times.iter().enumerate() {
                    write!(f, "{}{t}", if i == 0 { "" } else { "," })?;
                }
                Ok(())
            }
        }
    }
}
