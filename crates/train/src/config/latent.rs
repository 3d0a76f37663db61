//! `[vae]`: how an autoencoder is trained; `[latent]`: a model of an autoencoder's latents.

use std::path::PathBuf;

use fokker_nn::VaeLoss;
use serde::{Deserialize, Serialize};

use super::check::{Refusal, refuse, within};
use super::{Config, CouplingKind};
use crate::{RunFolder, TrainError};

/// What the loss of an autoencoder weighs, and what it never sees.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct VaeTraining {
    /// s, the standard deviation of the pixels about the decoder's answer.
    pub s: f64,
    /// β, the weight of the divergence.
    pub beta: f64,
    /// The share of the items, chosen at random, that are held back to measure on, where the data has no files for that.
    pub held_back: f64,
}

impl Default for VaeTraining {
    /// s = 0.2 and β = 1: directions in which the data vary by less than s√β are left out of the latents.
    fn default() -> Self {
        Self {
            s: 0.2,
            beta: 1.0,
            held_back: 0.05,
        }
    }
}

impl VaeTraining {
    /// The loss.
    pub fn loss(&self) -> VaeLoss {
        VaeLoss {
            s: self.s,
            beta: self.beta,
        }
    }
}

/// Which latents a model is trained on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LatentConfig {
    /// The run that trained the autoencoder.
    pub run: PathBuf,
    /// The step of that run; written down when a training begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<u64>,
}

impl LatentConfig {
    /// The autoencoder's run, at the step that was written down.
    ///
    /// # Errors
    /// A run that cannot be opened, or was trained further since.
    pub(crate) fn open(&self) -> Result<RunFolder, TrainError> {
        let run = RunFolder::open(&self.run).map_err(|e| {
            TrainError::Config(format!(
                "latent.run: {e}; train the autoencoder first, as configs/garments-vae.toml does"
            ))
        })?;
        let now = run.latest()?.step;
        match self.step {
            Some(then) if then != now => {
                let what = format!(
                    "[latent] asks for the autoencoder at step {then}, but this run is now at step {now}"
                );
                Err(TrainError::run(&self.run, what))
            }
            _ => Ok(run),
        }
    }

    /// The same with the run's path made absolute and its present step written down.
    ///
    /// # Errors
    /// A run that cannot be opened.
    pub(super) fn pinned(mut self) -> Result<Self, TrainError> {
        if let Ok(full) = std::path::absolute(&self.run) {
            self.run = full;
        }
        if self.step.is_none() {
            self.step = Some(RunFolder::open(&self.run)?.latest()?.step);
        }
        Ok(self)
    }
}

impl Config {
    /// Checks `[vae]` and `[latent]` beside the other sections.
    pub(super) fn check_latent(&self) -> Result<(), Refusal> {
        if let Some(vae) = &self.vae {
            within("vae.s", vae.s, f64::MIN_POSITIVE, 1e3)?;
            within("vae.beta", vae.beta, 0.0, 1e6)?;
            within("vae.held_back", vae.held_back, 0.0, 0.9)?;
        }
        if self.latent.is_none() {
            return Ok(());
        }
        if self.is_autoencoder() || self.is_classifier() {
            let what = "classifiers and autoencoders take pixels; leave [latent] out";
            return refuse("latent", what);
        }
        if self.source.is_some() {
            let what = "a path in latents starts at noise; leave [source] out";
            return refuse("latent", what);
        }
        if self.coupling.kind == CouplingKind::Rectified {
            let what =
                "the pairs of a rectified coupling are pixels, not latents; take another kind";
            return refuse("coupling.kind", what);
        }
        Ok(())
    }
}
