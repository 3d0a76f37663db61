//! Checked parameters, and why a process was refused.

use std::fmt;

/// Why a process could not be made.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ProcessError {
    /// A parameter out of its range.
    #[error("{name} must be {range}, got {}", crate::shown(*.value))]
    Parameter {
        /// Its name.
        name: &'static str,
        /// What would be right.
        range: Range,
        /// The value given.
        value: f64,
    },
    /// Two parameters that do not go together.
    #[error("{name} must be {relation}, got {}", crate::shown(*.value))]
    Relation {
        /// Its name.
        name: &'static str,
        /// What would be right.
        relation: String,
        /// The value given.
        value: f64,
    },
    /// A name that no process has.
    #[error("there is no process `{name}`{}; there are {known}", hint(.suggestion))]
    Process {
        /// The name given.
        name: String,
        /// The most similar name, where one is similar.
        suggestion: Option<&'static str>,
        /// All names.
        known: String,
    },
    /// A name that no parameter of the process has.
    #[error("{process} has no parameter `{name}`{}; {known}", hint(.suggestion))]
    Unknown {
        /// The process.
        process: &'static str,
        /// The name given.
        name: String,
        /// The most similar name, where one is similar.
        suggestion: Option<&'static str>,
        /// All names, in words.
        known: String,
    },
    /// A parameter given twice.
    #[error("the parameter `{0}` is given twice")]
    Twice(&'static str),
    /// A density for a process that has none.
    #[error("{0} has no density")]
    DensityUnused(&'static str),
    /// A density in a space for which the process is not made.
    #[error("this process is made for densities of dimension {fixed}, got one of dimension {dim}")]
    Dimension {
        /// The dimension fixed by the type.
        fixed: usize,
        /// The density's dimension.
        dim: usize,
    },
    /// A density whose diffused score has no closed form.
    #[error(
        "{process} needs the score of the diffused density in closed form: give a Gaussian or a \
         mixture of Gaussians, not a double well"
    )]
    NotDiffusable {
        /// The process.
        process: &'static str,
    },
}

fn hint(suggestion: &Option<&'static str>) -> String {
    suggestion.map_or_else(String::new, |s| format!(", did you mean `{s}`?"))
}

/// The range of a parameter. All numbers must be finite.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Range {
    /// Any number.
    Any,
    /// x ≥ 0.
    NonNegative,
    /// x > 0.
    Positive,
    /// low ≤ x ≤ high.
    Between(f64, f64),
    /// A whole number, low ≤ x ≤ high.
    Whole(u32, u32),
}

impl Range {
    /// Whether `value` lies in the range.
    pub fn contains(self, value: f64) -> bool {
        value.is_finite()
            && match self {
                Range::Any => true,
                Range::NonNegative => value >= 0.0,
                Range::Positive => value > 0.0,
                Range::Between(low, high) => (low..=high).contains(&value),
                Range::Whole(low, high) => {
                    value.fract() == 0.0 && (f64::from(low)..=f64::from(high)).contains(&value)
                }
            }
    }

    /// `value`, if it lies in the range.
    pub(crate) fn check(self, name: &'static str, value: f64) -> Result<f64, ProcessError> {
        // What is not finite is told so first.
        let range = if value.is_finite() { self } else { Range::Any };
        if self.contains(value) {
            Ok(value)
        } else {
            Err(ProcessError::Parameter { name, range, value })
        }
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Range::Any => f.write_str("finite"),
            Range::NonNegative => f.write_str("at least 0"),
            Range::Positive => f.write_str("positive"),
            Range::Between(low, high) => write!(
                f,
                "between {} and {}",
                crate::shown(*low),
                crate::shown(*high)
            ),
            Range::Whole(low, high) => write!(f, "a whole number between {low} and {high}"),
        }
    }
}

/// The known name most like `name`, if it is similar enough to be meant.
pub(crate) fn similar(
    name: &str,
    known: impl Iterator<Item = &'static str>,
) -> Option<&'static str> {
    let lower = name.to_lowercase();
    known
        .map(|k| (strsim::damerau_levenshtein(&lower, k), k))
        .filter(|(distance, k)| {
            *distance <= k.len().max(lower.len()) / 3 || *distance == 1 && lower.len() > 1
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, k)| k)
}
