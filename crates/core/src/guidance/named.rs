use std::fmt;
use std::str::FromStr;

use super::Rule;

/// An entry of [`RULES`].
#[derive(Clone, Copy, Debug)]
pub struct RuleSpec {
    /// The name on the command line.
    pub name: &'static str,
    /// What it does, x being the number given.
    pub title: &'static str,
    /// Where it comes from.
    pub reference: &'static str,
    /// The rule with this number in \[0, 1\]; `None` where it takes none and is given one.
    make: fn(Option<f64>) -> Option<Rule>,
}

/// All rules of guidance: help texts and tests iterate this slice.
pub const RULES: &[RuleSpec] = &[
    RuleSpec {
        name: "linear",
        title: "(1 − w) n + w c",
        reference: "Ho & Salimans 2022",
        make: |x| x.is_none().then_some(Rule::Linear),
    },
    RuleSpec {
        name: "rescale",
        title: "the same, its spread pulled back by the share x (0.7) to that of c",
        reference: "Lin et al. 2024",
        make: |x| {
            Some(Rule::Rescale {
                phi: x.unwrap_or(0.7),
            })
        },
    },
    RuleSpec {
        name: "apg",
        title: "of the difference of the data predictions only what is perpendicular to c, and the share x (0) of the rest",
        reference: "Sadat et al. 2024",
        make: |x| {
            Some(Rule::Perpendicular {
                eta: x.unwrap_or(0.0),
                norm: f64::INFINITY,
                momentum: 0.0,
            })
        },
    },
    RuleSpec {
        name: "cfg++",
        title: "the data of the guided prediction, the noise of n alone; w from 0 to 1, for ddim",
        reference: "Chung et al. 2024",
        make: |x| x.is_none().then_some(Rule::PlusPlus),
    },
];

/// Why a text names no rule of guidance.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum RuleError {
    /// The name before the colon is none of [`RULES`].
    #[error("unknown rule \"{name}\"; known are {}", names())]
    Name {
        /// The name given.
        name: String,
    },
    /// The part after the colon is not a number from 0 to 1.
    #[error("\"{text}\": expected {name}:x with a number x from 0 to 1")]
    Number {
        /// The text given.
        text: String,
        /// The name in it.
        name: &'static str,
    },
    /// A number for a rule that takes none.
    #[error("\"{text}\": {name} takes no number")]
    NoNumber {
        /// The text given.
        text: String,
        /// The name in it.
        name: &'static str,
    },
}

fn names() -> String {
    let names: Vec<&str> = RULES.iter().map(|r| r.name).collect();
    names.join(", ")
}

impl FromStr for Rule {
    type Err = RuleError;

    /// Reads `name` or `name:x`.
    fn from_str(text: &str) -> Result<Rule, RuleError> {
        let (name, number) = match text.split_once(':') {
            None => (text.trim(), None),
            Some((name, number)) => (name.trim(), Some(number.trim())),
        };
        let Some(spec) = RULES.iter().find(|spec| spec.name == name) else {
            return Err(RuleError::Name { name: name.into() });
        };
        let (text, name) = (text.to_owned(), spec.name);
        let number = match number.map(str::parse::<f64>) {
            None => None,
            Some(Ok(x)) if (0.0..=1.0).contains(&x) => Some(x),
            Some(_) => return Err(RuleError::Number { text, name }),
        };
        (spec.make)(number).ok_or(RuleError::NoNumber { text, name })
    }
}

impl fmt::Display for Rule {
    /// As [`FromStr`] reads it; a norm and a momentum of APG, which no text gives, are left out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Rule::Linear => f.write_str("linear"),
            Rule::Rescale { phi } => write!(f, "rescale:{phi}"),
            Rule::Perpendicular { eta, .. } => write!(f, "apg:{eta}"),
            Rule::PlusPlus => f.write_str("cfg++"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back() {
        for spec in RULES {
            let rule: Rule = spec.name.parse().unwrap();
            assert_eq!(rule.to_string().parse(), Ok(rule));
        }
        assert_eq!("rescale: 0.25".parse(), Ok(Rule::Rescale { phi: 0.25 }));
    }

    #[test]
    fn refusals_say_what_would_be_right() {
        let refuse = |text: &str| text.parse::<Rule>().unwrap_err().to_string();
        assert!(refuse("cfg").contains("known are linear, rescale, apg, cfg++"));
        for text in ["rescale:2", "apg:-1", "apg:nan", "rescale:"] {
            assert!(refuse(text).contains("from 0 to 1"), "{text}");
        }
        assert!(refuse("linear:1").contains("takes no number"));
    }
}
