//! The diffusion coefficient σ_t of the SDE extension, chosen after training.
//!
//! dX = \[u_t + ½σ_t² ∇log p_t\] dt + σ_t dW keeps X_t ~ p_t for every σ_t ≥ 0 (Song et al. 2021; Ma et
//! al., *SiT*, 2024): the choice moves paths, not laws.

use crate::scheduler::Coeffs;

/// A choice of σ_t ≥ 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Diffusion {
    /// σ_t = `scale`·β_t, on a path between two data sets `scale`·γ_t: as much as there is noise.
    Noise {
        /// The factor.
        scale: f64,
    },
    /// σ_t = `sigma`.
    Constant {
        /// σ.
        sigma: f64,
    },
    /// σ_t = `sigma`·(1 − t).
    Decreasing {
        /// σ_0.
        sigma: f64,
    },
    /// σ_t = `sigma`·(1 − α_t).
    Alpha {
        /// σ where α = 0.
        sigma: f64,
    },
    /// σ_t² = 2a_t = 2(β²α̇/α − β̇β): X_1 is independent of X_0, which reward fine-tuning needs; infinite at
    /// t = 0 (Domingo-Enrich et al., *Adjoint matching*, 2025).
    Memoryless,
}

/// An entry of [`DIFFUSIONS`].
#[derive(Clone, Copy, Debug)]
pub struct DiffusionSpec {
    /// The name on the command line.
    pub name: &'static str,
    /// σ_t as a formula, s being the number given.
    pub formula: &'static str,
    /// The choice with this s; None where it takes no number and is given one.
    make: fn(Option<f64>) -> Option<Diffusion>,
}

/// All choices: help texts and law tests iterate this slice.
pub const DIFFUSIONS: &[DiffusionSpec] = &[
    DiffusionSpec {
        name: "noise",
        formula: "s·β_t (between data sets s·γ_t)",
        make: |s| {
            Some(Diffusion::Noise {
                scale: s.unwrap_or(1.0),
            })
        },
    },
    DiffusionSpec {
        name: "constant",
        formula: "s",
        make: |s| {
            Some(Diffusion::Constant {
                sigma: s.unwrap_or(1.0),
            })
        },
    },
    DiffusionSpec {
        name: "decreasing",
        formula: "s·(1 − t)",
        make: |s| {
            Some(Diffusion::Decreasing {
                sigma: s.unwrap_or(1.0),
            })
        },
    },
    DiffusionSpec {
        name: "alpha",
        formula: "s·(1 − α_t)",
        make: |s| {
            Some(Diffusion::Alpha {
                sigma: s.unwrap_or(1.0),
            })
        },
    },
    DiffusionSpec {
        name: "memoryless",
        formula: "√(2(β²α̇/α − β̇β))",
        make: |s| s.is_none().then_some(Diffusion::Memoryless),
    },
];

/// Why a text names no diffusion coefficient.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum DiffusionError {
    /// The name before the colon is none of [`DIFFUSIONS`].
    #[error("unknown diffusion coefficient \"{name}\"; known are {}", names())]
    Name {
        /// The name given.
        name: String,
    },
    /// The part after the colon is not a number, or not a finite number of at least 0.
    #[error(
        "\"{text}\": expected {name}:s with a finite number s of at least 0, such as {name}:0.5"
    )]
    Number {
        /// The text given.
        text: String,
        /// The name in it.
        name: &'static str,
    },
    /// A number for a choice that takes none.
    #[error("\"{text}\": {name} takes no number")]
    NoNumber {
        /// The text given.
        text: String,
        /// The name in it.
        name: &'static str,
    },
}

fn names() -> String {
    let names: Vec<&str> = DIFFUSIONS.iter().map(|d| d.name).collect();
    names.join(", ")
}

impl std::str::FromStr for Diffusion {
    type Err = DiffusionError;

    /// Reads `name` or `name:s`, such as `constant:0.5`; s is 1 where it is left out.
    fn from_str(text: &str) -> Result<Diffusion, DiffusionError> {
        let (name, number) = match text.split_once(':') {
            None => (text.trim(), None),
            Some((name, number)) => (name.trim(), Some(number.trim())),
        };
        let Some(spec) = DIFFUSIONS.iter().find(|spec| spec.name == name) else {
            return Err(DiffusionError::Name { name: name.into() });
        };
        let (text, name) = (text.to_owned(), spec.name);
        let number = match number.map(str::parse::<f64>) {
            None => None,
            Some(Ok(s)) if s.is_finite() && s >= 0.0 => Some(s),
            Some(_) => return Err(DiffusionError::Number { text, name }),
        };
        (spec.make)(number).ok_or(DiffusionError::NoNumber { text, name })
    }
}

impl std::fmt::Display for Diffusion {
    /// As [`FromStr`](std::str::FromStr) reads it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Diffusion::Noise { scale } => write!(f, "noise:{scale}"),
            Diffusion::Constant { sigma } => write!(f, "constant:{sigma}"),
            Diffusion::Decreasing { sigma } => write!(f, "decreasing:{sigma}"),
            Diffusion::Alpha { sigma } => write!(f, "alpha:{sigma}"),
            Diffusion::Memoryless => write!(f, "memoryless"),
        }
    }
}

impl Default for Diffusion {
    /// σ_t = β_t.
    fn default() -> Diffusion {
        Diffusion::Noise { scale: 1.0 }
    }
}

impl Diffusion {
    /// σ_t at time `t`, where the path has the coefficients `c` and its noise the standard deviation
    /// `noise` (β_t, or γ_t between data sets). Infinite for a memoryless path at α = 0.
    pub fn sigma(&self, t: f64, c: &Coeffs, noise: f64) -> f64 {
        match *self {
            Diffusion::Noise { scale } => scale * noise,
            Diffusion::Constant { sigma } => sigma,
            Diffusion::Decreasing { sigma } => sigma * (1.0 - t),
            Diffusion::Alpha { sigma } => sigma * (1.0 - c.alpha),
            Diffusion::Memoryless if c.alpha == 0.0 => f64::INFINITY,
            Diffusion::Memoryless => (2.0 * c.field_of_score()).max(0.0).sqrt(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scheduler::{CondOt, Scheduler};

    #[test]
    fn what_is_written_reads_back() {
        for spec in DIFFUSIONS {
            let plain: Diffusion = spec.name.parse().unwrap();
            assert_eq!(plain.to_string().parse(), Ok(plain));
            if plain != Diffusion::Memoryless {
                let given: Diffusion = format!("{}: 0.25", spec.name).parse().unwrap();
                assert_ne!(given, plain);
                assert_eq!(given.to_string().parse(), Ok(given));
            }
        }
    }

    #[test]
    fn refusals_say_what_would_be_right() {
        let refuse = |text: &str| text.parse::<Diffusion>().unwrap_err().to_string();
        assert!(refuse("linear").contains("known are noise, constant"));
        for text in [
            "constant:x",
            "constant:",
            "constant:-1",
            "constant:nan",
            "noise:inf",
        ] {
            assert!(refuse(text).contains("at least 0"), "{text}");
        }
        assert!(refuse("memoryless:1").contains("takes no number"));
    }

    #[test]
    fn the_formulas_on_condot() {
        let at = |text: &str, t: f64| {
            let c = CondOt.at(t);
            text.parse::<Diffusion>().unwrap().sigma(t, &c, c.beta)
        };
        for t in [0.1, 0.5, 0.9] {
            assert_eq!(at("noise:2", t), 2.0 * (1.0 - t));
            assert_eq!(at("constant:0.3", t), 0.3);
            assert_eq!(at("decreasing:3", t), 3.0 * (1.0 - t));
            assert!((at("memoryless", t).powi(2) - 2.0 * (1.0 - t) / t).abs() < 1e-12);
        }
        assert_eq!(at("memoryless", 0.0), f64::INFINITY);
    }
}
