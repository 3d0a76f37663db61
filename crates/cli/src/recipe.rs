//! The recipe of a picture: what made it, in its own text chunk.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, anyhow, bail};
use fokker::Draw;
use fokker::core::Sampler;
use fokker::math::diffusion::Diffusion;
use fokker::math::scheduler::{SCHEDULERS, Scheduler, scheduler};
use serde::{Deserialize, Serialize};

/// The keyword of the PNG text chunk.
pub(crate) const KEY: &str = "fokker";

/// All that is needed to make the samples of a picture again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Recipe {
    /// The version that made it.
    pub(crate) fokker: String,
    /// The run folder, at the time.
    pub(crate) run: PathBuf,
    /// The checkpoint's step.
    pub(crate) step: u64,
    /// A fingerprint of the weights.
    pub(crate) weights: String,
    pub(crate) sampler: String,
    pub(crate) steps: usize,
    pub(crate) guidance: f64,
    /// σ_t of a stochastic sampler.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) sigma: Option<String>,
    /// Another scheduler than the run's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) scheduler: Option<String>,
    pub(crate) seed: u64,
    pub(crate) first: u64,
    pub(crate) count: usize,
    /// Class numbers, taken in turn by sample index; empty: all.
    pub(crate) classes: Vec<u32>,
    /// A labelled row for each class?
    pub(crate) grid: bool,
}

impl Recipe {
    /// The recipe inside a PNG.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let Some(text) = fokker::eval::read_png_text(path, KEY)? else {
            bail!(
                "{}: this PNG carries no recipe; only pictures made by `fokker sample` do",
                path.display()
            );
        };
        serde_json::from_str(&text)
            .with_context(|| format!("{}: the recipe inside is not readable", path.display()))
    }

    /// As the JSON of the text chunk.
    pub(crate) fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// A recipe can be edited by hand: the same limits hold as on the command line.
    fn check(&self) -> Result<()> {
        let within = (1..=100_000).contains(&self.steps)
            && (1..=10_000_000).contains(&self.count)
            && self.first < 1 << 40
            && self.guidance.abs() <= 100.0;
        if within {
            return Ok(());
        }
        bail!(
            "the recipe is out of bounds: {} samples from {} in {} steps with guidance {}",
            self.count,
            self.first,
            self.steps,
            self.guidance
        )
    }

    /// The order for samples that it describes.
    pub(crate) fn draw(&self) -> Result<Draw> {
        self.check()?;
        Ok(Draw {
            sampler: find_sampler(&self.sampler)?,
            steps: self.steps,
            guidance: self.guidance.into(),
            diffusion: find_sigma(self.sigma.as_deref())?,
            scheduler: self.scheduler.as_deref().map(find_scheduler).transpose()?,
            seed: self.seed,
            first: self.first,
            count: self.count,
            classes: self.classes.clone(),
            ..Draw::default()
        })
    }
}

/// The diffusion coefficient of that name, σ_t = β_t without one.
pub(crate) fn find_sigma(text: Option<&str>) -> Result<Diffusion> {
    let parsed = text.map(str::parse::<Diffusion>).transpose();
    parsed
        .map(Option::unwrap_or_default)
        .map_err(|e| anyhow!("--sigma {}: {e}", text.unwrap_or_default()))
}

/// The scheduler of that name, or an answer that lists them.
pub(crate) fn find_scheduler(name: &str) -> Result<Arc<dyn Scheduler>> {
    let found = scheduler(name).with_context(|| {
        let names: Vec<&str> = SCHEDULERS.iter().map(|s| s.name).collect();
        format!(
            "unknown scheduler \"{name}\"; known are {}",
            names.join(", ")
        )
    })?;
    Ok(found.into())
}

/// The sampler of that name, or an answer that lists them.
pub(crate) fn find_sampler(text: &str) -> Result<Sampler> {
    text.parse().map_err(|e| anyhow!("--sampler {text}: {e}"))
}
