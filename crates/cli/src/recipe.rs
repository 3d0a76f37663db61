//! The recipe of a picture: what made it, in its own text chunk.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use fokker::Draw;
use fokker::train::config::Average;
use serde::{Deserialize, Serialize};

use crate::begin::BeginRecipe;
use crate::how::Way;
use crate::sample::Source;

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
    /// Which average they are, where that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ema: Option<Average>,
    /// How to walk.
    #[serde(flatten)]
    pub(crate) way: Way,
    /// What it begins with besides noise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) begin: Option<BeginRecipe>,
    pub(crate) seed: u64,
    pub(crate) first: u64,
    pub(crate) count: usize,
    /// Class numbers, taken in turn by sample index; empty: all.
    pub(crate) classes: Vec<u32>,
    /// The prompts that classes are numbers of; empty: the run's own classes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) texts: Vec<String>,
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
        let within = (1..=100_000).contains(&self.way.steps)
            && (1..=10_000_000).contains(&self.count)
            && self.first < 1 << 40
            && self.way.guidance.abs() <= 100.0
            && self.way.guidances.iter().all(|w| w.abs() <= 100.0);
        if within {
            return Ok(());
        }
        bail!(
            "the recipe is out of bounds: {} samples from {} in {} steps with guidance {}",
            self.count,
            self.first,
            self.way.steps,
            self.way.guidance
        )
    }

    /// The order for samples that it describes.
    pub(crate) fn draw(&self, source: &mut Source) -> Result<Draw> {
        self.check()?;
        if let Some(weaker) = &self.way.autoguidance
            && source.weaker.is_none()
        {
            source.lead_away_from(&weaker.run)?;
            if source.weaker.as_ref() != Some(weaker) {
                bail!(
                    "{}: the newest weights are not those that the picture was led away from",
                    weaker.run.display()
                );
            }
        }
        let mut draw = Draw {
            seed: self.seed,
            first: self.first,
            count: self.count,
            classes: self.classes.clone(),
            ..self.way.draw(source)?
        };
        source.flow.check(&draw)?;
        if let Some(begin) = &self.begin {
            begin.apply(source, &mut draw)?;
        }
        Ok(draw)
    }
}
