use std::path::{Path, PathBuf};

use fokker_nn::MlpConfig;
use toml::{Table, Value};

use crate::TrainError;
use crate::config::{Config, NetworkConfig, ObjectiveConfig, PathConfig};

/// What a file of weights may leave open.
#[derive(Clone, Debug, Default)]
pub struct Hints {
    /// Pixels a side.
    pub size: Option<usize>,
    /// Heads of the attention.
    pub heads: Option<usize>,
    /// The names of the classes.
    pub names: Option<Vec<String>>,
    /// The run of the autoencoder whose latents it works in.
    pub autoencoder: Option<PathBuf>,
}

/// What an imported network is, how it is asked, and of what.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) network: NetworkConfig,
    /// `[channels, height, width]`.
    pub(super) image: [usize; 3],
    pub(super) classes: usize,
    pub(super) path: PathConfig,
    pub(super) objective: ObjectiveConfig,
    /// What it is usually sampled by.
    pub(super) sampler: &'static str,
    /// Do they have a row for ∅ among their classes?
    pub(super) null: bool,
}

impl Plan {
    /// Velocity on the straight path for square images, without classes; the network is still to be named.
    pub(super) fn plain(channels: usize, size: usize) -> Self {
        Self {
            network: NetworkConfig::Mlp(MlpConfig::default()),
            image: [channels, size, size],
            classes: 0,
            path: PathConfig::scheduler("condot"),
            objective: ObjectiveConfig::default(),
            sampler: "heun",
            null: false,
        }
    }

    /// The recipe of a run of this name, in the latents of the run `autoencoder` where there is one.
    ///
    /// # Errors
    /// A plan that makes no recipe: values out of range.
    pub(super) fn config(
        &self,
        name: &str,
        source: &str,
        autoencoder: Option<&Path>,
    ) -> Result<Config, TrainError> {
        let wrong = |e: toml::ser::Error| TrainError::Config(format!("{source}: {e}"));
        let mut recipe = Table::new();
        recipe.insert("name".into(), name.into());
        let data = Table::from_iter([("kind".to_owned(), Value::from("elsewhere"))]);
        recipe.insert("data".into(), data.into());
        recipe.insert(
            "network".into(),
            Value::try_from(&self.network).map_err(wrong)?,
        );
        if !self.is_autoencoder() {
            let mut objective = self.objective.clone();
            objective.classes = self.classes > 0;
            // ∅ is known where they have a row for it.
            objective.label_drop = if self.classes > 0 && self.null {
                0.1
            } else {
                0.0
            };
            recipe.insert("path".into(), Value::try_from(&self.path).map_err(wrong)?);
            recipe.insert(
                "objective".into(),
                Value::try_from(&objective).map_err(wrong)?,
            );
            let sampler = ("sampler".to_owned(), Value::from(self.sampler));
            let steps = ("steps".to_owned(), Value::from(50));
            recipe.insert("sample".into(), Table::from_iter([sampler, steps]).into());
        }
        // There is one set of weights.
        let decay = ("decay".to_owned(), Value::from(0.0));
        recipe.insert("ema".into(), Table::from_iter([decay]).into());
        if let Some(run) = autoencoder {
            let run = (
                "run".to_owned(),
                Value::from(run.to_string_lossy().into_owned()),
            );
            recipe.insert("latent".into(), Table::from_iter([run]).into());
        }
        let text = toml::to_string(&recipe).map_err(wrong)?;
        Config::parse(&text, source, &[])?.pinned()
    }

    pub(super) fn is_autoencoder(&self) -> bool {
        matches!(
            self.network,
            NetworkConfig::Vae(_) | NetworkConfig::AutoencoderKl(_)
        )
    }
}
