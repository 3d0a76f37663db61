//! `[path]`: the way from p_init to p_data.

use std::sync::Arc;

use fokker_core::ProbabilityPath;
use fokker_math::interpolant::{self, INTERPOLANTS, Interpolant};
use fokker_math::scheduler::{
    BetaLaw, Ddpm, Edm, Polynomial, SCHEDULERS, Scheduler, SubVp, VarianceExploding,
    VariancePreserving, scheduler,
};
use serde::{Deserialize, Serialize};

use super::check::{Refusal, refuse};
use crate::FormulaScheduler;

/// The probability path: a scheduler from noise to data, or an interpolant between two data sets.
/// Parameters left out take the usual values.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PathConfig {
    /// A name from `fokker_math::scheduler::SCHEDULERS`, or `formula`. Without a `[source]`: condot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scheduler: Option<String>,
    /// A name from `fokker_math::interpolant::INTERPOLANTS`. With a `[source]`: linear.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interpolant: Option<String>,
    /// `polynomial`: the exponent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub n: Option<u32>,
    /// `vp`, `sub-vp`: the rate at the data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub beta_min: Option<f64>,
    /// `vp`, `sub-vp`: the rate at the noise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub beta_max: Option<f64>,
    /// `ddpm`: β of the step next to the data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub beta_start: Option<f64>,
    /// `ddpm`: β of the step next to the noise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub beta_end: Option<f64>,
    /// `ddpm`: what rises linearly between them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub betas: Option<BetasConfig>,
    /// `ddpm`: the number of steps.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steps: Option<u32>,
    /// `ve`: the smallest standard deviation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sigma_min: Option<f64>,
    /// `ve`, `edm`: the largest standard deviation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sigma_max: Option<f64>,
    /// `formula`: α as a function of t.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alpha: Option<String>,
    /// `formula`: β as a function of t, and of alpha.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub beta: Option<String>,
    /// `linear-noise`, `bridge`, `trigonometric`, `condot-floor`: the size of the noise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sigma: Option<f64>,
}

/// What rises linearly over the steps of a discrete diffusion.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BetasConfig {
    /// β.
    #[default]
    Linear,
    /// √β.
    ScaledLinear,
}

/// The scheduler's name for α and β given as formulas.
const FORMULA: &str = "formula";

/// The largest α/β at t = 0: a data point of size 1 then moves the start by a tenth of its width.
const STARTS_AT_NOISE: f64 = 0.1;

/// Which parameters a scheduler or an interpolant takes.
fn parameters(name: &str) -> &'static [&'static str] {
    match name {
        "polynomial" => &["n"],
        "vp" | "sub-vp" => &["beta_min", "beta_max"],
        "ddpm" => &["beta_start", "beta_end", "betas", "steps"],
        "ve" => &["sigma_min", "sigma_max"],
        "edm" => &["sigma_max"],
        FORMULA => &["alpha", "beta"],
        "linear-noise" | "bridge" | "trigonometric" | "condot-floor" => &["sigma"],
        _ => &[],
    }
}

impl PathConfig {
    /// The path of a scheduler's name with its usual parameters.
    pub fn scheduler(name: impl Into<String>) -> Self {
        Self {
            scheduler: Some(name.into()),
            ..Self::default()
        }
    }

    /// Names the path that is meant where none is named.
    pub(super) fn fill(&mut self, source: bool) {
        if source && self.interpolant.is_none() && self.scheduler.is_none() {
            self.interpolant = Some("linear".into());
        }
        if !source && self.scheduler.is_none() && self.interpolant.is_none() {
            self.scheduler = Some("condot".into());
        }
    }

    /// The path; an error is the key and what is wrong with its value.
    pub(super) fn build(&self, source: bool) -> Result<ProbabilityPath, Refusal> {
        let (key, name) = match (source, &self.scheduler, &self.interpolant) {
            (true, None, Some(name)) => ("path.interpolant", name),
            (false, Some(name), None) => ("path.scheduler", name),
            (true, Some(_), _) => {
                let what = "a path that starts at other data ([source]) has an interpolant instead, such as \"linear\"";
                return refuse("path.scheduler", what);
            }
            (false, _, Some(_)) => {
                let what =
                    "an interpolant joins two data sets: add a [source], or name a scheduler";
                return refuse("path.interpolant", what);
            }
            _ => return refuse("path", "name a scheduler, or an interpolant and a [source]"),
        };
        let given = [
            ("n", self.n.is_some()),
            ("beta_min", self.beta_min.is_some()),
            ("beta_max", self.beta_max.is_some()),
            ("beta_start", self.beta_start.is_some()),
            ("beta_end", self.beta_end.is_some()),
            ("betas", self.betas.is_some()),
            ("steps", self.steps.is_some()),
            ("sigma_min", self.sigma_min.is_some()),
            ("sigma_max", self.sigma_max.is_some()),
            ("alpha", self.alpha.is_some()),
            ("beta", self.beta.is_some()),
            ("sigma", self.sigma.is_some()),
        ];
        let taken = parameters(name);
        if let Some((wrong, _)) = given.iter().find(|(k, given)| *given && !taken.contains(k)) {
            let what = match taken {
                [] => format!("{name} takes no parameter"),
                taken => format!("{name} takes {}", taken.join(" and ")),
            };
            return refuse(&format!("path.{wrong}"), what);
        }
        if source {
            return Ok(ProbabilityPath::between(self.make_interpolant(name, key)?));
        }
        let path = ProbabilityPath::gaussian(self.make_scheduler(name, key)?);
        // Sampling starts at β₀ε: what the path holds of the data there must be little beside it.
        let start = path.at(0.0).ends;
        let left = start.alpha / start.beta;
        if left > STARTS_AT_NOISE {
            let what = format!(
                "this path does not start at noise: α/β is {left:.3} at t = 0, and at most {STARTS_AT_NOISE} is needed; \
                 raise beta_max or sigma_max, or let alpha begin at 0"
            );
            return refuse(key, what);
        }
        Ok(path)
    }

    fn make_scheduler(&self, name: &str, key: &str) -> Result<Arc<dyn Scheduler>, Refusal> {
        let usual = VariancePreserving::default();
        let rates = (
            self.beta_min.unwrap_or(usual.beta_min()),
            self.beta_max.unwrap_or(usual.beta_max()),
        );
        let scales = VarianceExploding::default();
        let made: Result<Arc<dyn Scheduler>, _> = match name {
            "polynomial" => {
                let n = self.n.unwrap_or(Polynomial::default().n());
                Polynomial::new(n).map(|s| Arc::new(s) as _)
            }
            "vp" => VariancePreserving::new(rates.0, rates.1).map(|s| Arc::new(s) as _),
            "sub-vp" => SubVp::new(rates.0, rates.1).map(|s| Arc::new(s) as _),
            "ddpm" => {
                let law = match self.betas.unwrap_or_default() {
                    BetasConfig::Linear => BetaLaw::Linear,
                    BetasConfig::ScaledLinear => BetaLaw::Sqrt,
                };
                let (first, last) = (
                    self.beta_start.unwrap_or(1e-4),
                    self.beta_end.unwrap_or(0.02),
                );
                Ddpm::new(law, first, last, self.steps.unwrap_or(1000)).map(|s| Arc::new(s) as _)
            }
            "ve" => VarianceExploding::new(
                self.sigma_min.unwrap_or(scales.sigma_min()),
                self.sigma_max.unwrap_or(scales.sigma_max()),
            )
            .map(|s| Arc::new(s) as _),
            "edm" => Edm::new(self.sigma_max.unwrap_or(Edm::default().sigma_max()))
                .map(|s| Arc::new(s) as _),
            FORMULA => return self.formula(),
            name => {
                let Some(made) = scheduler(name) else {
                    let known: Vec<&str> = SCHEDULERS.iter().map(|s| s.name).collect();
                    let what = format!("unknown; known are {}, {FORMULA}", known.join(", "));
                    return refuse(key, what);
                };
                Ok(made.into())
            }
        };
        made.map_err(|e| (key.to_owned(), e.to_string()))
    }

    fn formula(&self) -> Result<Arc<dyn Scheduler>, Refusal> {
        let (Some(alpha), Some(beta)) = (&self.alpha, &self.beta) else {
            let what = "formula needs path.alpha and path.beta, such as alpha = \"t^2\" and beta = \"1 - alpha\"";
            return refuse("path.scheduler", what);
        };
        let made = FormulaScheduler::new(alpha, beta);
        made.map(|s| Arc::new(s) as _)
            .map_err(|e| (format!("path.{}", e.what), e.why))
    }

    fn make_interpolant(&self, name: &str, key: &str) -> Result<Arc<dyn Interpolant>, Refusal> {
        let refusal = |e: interpolant::InterpolantError| (key.to_owned(), e.to_string());
        match (name, self.sigma) {
            ("trigonometric", Some(sigma)) => {
                let made = interpolant::Trigonometric::new(sigma).map_err(refusal)?;
                Ok(Arc::new(made))
            }
            ("condot-floor", Some(sigma)) => {
                let made = interpolant::CondOtFloor::new(sigma).map_err(refusal)?;
                Ok(Arc::new(made))
            }
            ("linear-noise", Some(sigma)) => {
                let made = interpolant::LinearNoise::new(sigma).map_err(refusal)?;
                Ok(Arc::new(made))
            }
            ("bridge", Some(sigma)) => {
                let made = interpolant::Bridge::new(sigma).map_err(refusal)?;
                Ok(Arc::new(made))
            }
            (name, _) => match INTERPOLANTS.iter().find(|s| s.name == name) {
                Some(spec) => Ok((spec.make)().into()),
                None => {
                    let known: Vec<&str> = INTERPOLANTS.iter().map(|s| s.name).collect();
                    refuse(key, format!("unknown; known are {}", known.join(", ")))
                }
            },
        }
    }
}
