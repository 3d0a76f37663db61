//! Guidance: how a model is steered towards a condition. Every wrapper here is a [`Denoiser`] again.
//!
//! [`Denoiser`]: crate::Denoiser

mod classifier;
mod conditional;
mod guided;
mod named;
mod perpendicular;
mod rescale;
mod weights;

use std::fmt;

pub use classifier::ClassifierGuided;
pub use conditional::{ByClass, Conditional, Pair};
pub use guided::{Autoguided, Guided};
pub use named::{RULES, RuleError, RuleSpec};

/// How a class-conditional model is steered towards its classes.
#[derive(Clone, Debug, PartialEq)]
pub struct Guidance {
    /// The weights w, taken in turn by sample index; 1 is plain conditional, 0 unconditional.
    pub weights: Vec<f64>,
    /// The times (first, last) in \[0, 1\] between which w applies; elsewhere it is 1. `None`: all times.
    ///
    /// Source: Kynkäänniemi et al., *Applying guidance in a limited interval improves sample and
    /// distribution quality in diffusion models*, 2024, who state the interval in noise levels.
    pub interval: Option<(f64, f64)>,
    /// How the two predictions are combined.
    pub rule: Rule,
    /// A class to lead away from, in the place of ∅.
    pub negative: Option<u32>,
}

/// How the prediction c, given the condition, and the prediction n without it become one. All reductions
/// are over the coordinates of one sample.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Rule {
    /// (1 − w) n + w c. Source: Ho and Salimans, *Classifier-free diffusion guidance*, 2022 (whose 1 + ω is
    /// our w).
    #[default]
    Linear,
    /// The linear combination g with its spread pulled back to that of c: φ g·std(c)/std(g) + (1 − φ) g,
    /// on the prediction as the model states it. Source: Lin et al., *Common diffusion noise schedules and
    /// sample steps are flawed*, 2024, §3.4.
    Rescale {
        /// The share φ in \[0, 1\] of the rescaled prediction; the paper's is 0.7.
        phi: f64,
    },
    /// c + (w − 1)(Δ⊥ + η Δ∥) on predictions of the data: Δ = c − n (with momentum Δ ← Δ + m Δ_before, then
    /// cut to the given norm) is split along c. What is parallel to c saturates colours and is damped by
    /// η < 1; η = 1 without momentum and norm is the linear rule. Source: Sadat et al., *Eliminating
    /// oversaturation and artifacts of high guidance scales in diffusion models*, 2024 (APG).
    Perpendicular {
        /// The share η of the parallel part, in \[0, 1\]; the paper's is 0.
        eta: f64,
        /// The largest norm of Δ; ∞ leaves it.
        norm: f64,
        /// The momentum m in (−1, 1), from one call to the next at a later time; the paper's is negative.
        momentum: f64,
    },
    /// The data from the linear combination, the noise from n alone. The weight is an interpolation here:
    /// w in \[0, 1\], beyond which the method loses its meaning. Only a sampler that renoises (DDIM) sees the
    /// difference. Source: Chung et al., *CFG++: manifold-constrained classifier free guidance for
    /// diffusion models*, 2024, whose λ is w.
    PlusPlus,
}

/// A guidance that means nothing.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum GuidanceError {
    /// There is no weight at all.
    #[error("guidance needs at least one weight (1 is plain conditional sampling)")]
    NoWeight,
    /// A weight is infinite or not a number.
    #[error("guidance weight {value} of sample {index} is not finite")]
    Weight {
        /// Its place among the weights.
        index: usize,
        /// What was given.
        value: f64,
    },
    /// The interval is not 0 ≤ first ≤ last ≤ 1.
    #[error(
        "guidance interval from {first} to {last}: times must rise within 0 (noise) and 1 (data)"
    )]
    Interval {
        /// Its first time.
        first: f64,
        /// Its last time.
        last: f64,
    },
    /// A parameter of the rule is out of its range.
    #[error("guidance {what} = {value} must be {range}")]
    Parameter {
        /// Its name.
        what: &'static str,
        /// What was given.
        value: f64,
        /// What would be right.
        range: &'static str,
    },
    /// The model knows no class of that number.
    #[error("negative class {class} is out of range: this model has {classes} classes")]
    Negative {
        /// The class asked for.
        class: u32,
        /// The number of classes.
        classes: u32,
    },
    /// The model has no derivatives, which guidance through its denoiser needs.
    #[error("this model has no derivatives: guidance by a classifier of clean data needs them")]
    NoDerivatives,
}

impl Guidance {
    /// The weight of sample `index`; 1 where no weight is given.
    pub fn weight(&self, index: u64) -> f64 {
        match self.weights.len() {
            0 => 1.0,
            n => self.weights[(index % n as u64) as usize],
        }
    }

    /// Does the weight apply at time `t`?
    pub fn is_on(&self, t: f64) -> bool {
        self.interval
            .is_none_or(|(first, last)| first <= t && t <= last)
    }

    /// Checks everything against its range, for a model of `classes` classes.
    ///
    /// # Errors
    /// The first thing that is out of range, as a [`GuidanceError`].
    pub fn check(&self, classes: u32) -> Result<(), GuidanceError> {
        if self.weights.is_empty() {
            return Err(GuidanceError::NoWeight);
        }
        if let Some(index) = self.weights.iter().position(|w| !w.is_finite()) {
            let value = self.weights[index];
            return Err(GuidanceError::Weight { index, value });
        }
        if let Some((first, last)) = self.interval
            && !(0.0 <= first && first <= last && last <= 1.0)
        {
            return Err(GuidanceError::Interval { first, last });
        }
        if let Some(class) = self.negative.filter(|&class| class > classes) {
            return Err(GuidanceError::Negative { class, classes });
        }
        let within = |what, value: f64, fits: bool, range| match fits {
            true => Ok(()),
            false => Err(GuidanceError::Parameter { what, value, range }),
        };
        let share = |v: f64| (0.0..=1.0).contains(&v);
        match self.rule {
            Rule::Linear => Ok(()),
            Rule::Rescale { phi } => within("phi", phi, share(phi), "from 0 to 1"),
            Rule::Perpendicular {
                eta,
                norm,
                momentum,
            } => {
                within("eta", eta, share(eta), "from 0 to 1")?;
                within("norm", norm, norm > 0.0, "positive (inf: no limit)")?;
                let fits = momentum.abs() < 1.0;
                within("momentum", momentum, fits, "between -1 and 1")
            }
            Rule::PlusPlus => match self.weights.iter().find(|&&w| !share(w)) {
                None => Ok(()),
                Some(&w) => within("weight of CFG++", w, false, "from 0 to 1"),
            },
        }
    }
}

impl From<f64> for Guidance {
    fn from(w: f64) -> Self {
        Self {
            weights: vec![w],
            interval: None,
            rule: Rule::Linear,
            negative: None,
        }
    }
}

impl Default for Guidance {
    /// w = 1: none.
    fn default() -> Self {
        1.0.into()
    }
}

impl fmt::Display for Guidance {
    /// The weights, and what is not as usual.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let weights: Vec<String> = self.weights.iter().map(f64::to_string).collect();
        f.write_str(&weights.join(", "))?;
        match self.rule {
            Rule::Linear => {}
            Rule::Rescale { phi } => write!(f, ", rescaled by {phi}")?,
            Rule::Perpendicular {
                eta,
                norm,
                momentum,
            } => write!(
                f,
                ", perpendicular (eta {eta}, norm {norm}, momentum {momentum})"
            )?,
            Rule::PlusPlus => f.write_str(", CFG++")?,
        }
        if let Some((first, last)) = self.interval {
            write!(f, ", from t = {first} to {last}")?;
        }
        match self.negative {
            Some(class) => write!(f, ", away from class {class}"),
            None => Ok(()),
        }
    }
}
