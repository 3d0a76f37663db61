use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{Family, StateDict};
use crate::TrainError;

/// Foreign weights, and what is written beside them.
#[derive(Debug)]
pub struct Source {
    pub(super) dict: StateDict,
    config: Option<Value>,
    pub(super) scheduler: Option<Value>,
}

/// What diffusers calls the files of weights, best first.
const WEIGHTS: [&str; 4] = [
    "diffusion_pytorch_model.safetensors",
    "model.safetensors",
    "diffusion_pytorch_model.bin",
    "pytorch_model.bin",
];

impl Source {
    /// Opens a file of weights, or a folder of diffusers: a network's, or a pipeline's. `config` is where its `config.json` is
    /// (or the folder of it), where that is not beside the weights.
    ///
    /// # Errors
    /// Files that are missing or cannot be read.
    pub fn open(path: &Path, family: &Family, config: Option<&Path>) -> Result<Self, TrainError> {
        let weights = if path.is_dir() {
            find(path, family)?
        } else {
            path.to_owned()
        };
        let beside = weights.parent().unwrap_or(Path::new(""));
        let folder = match config {
            Some(config) if config.is_dir() => config,
            Some(config) => config.parent().unwrap_or(Path::new("")),
            None => beside,
        };
        let [mut config_json, mut scheduler] = [None, None];
        if family.folder.is_some() {
            let own = match config {
                Some(file) if file.is_file() => file.to_owned(),
                _ => folder.join("config.json"),
            };
            config_json = json(&own)?;
            // Beside the network, or beside its folder in a pipeline.
            let near = [
                folder.to_owned(),
                folder.join("scheduler"),
                folder.join("../scheduler"),
            ];
            for folder in near {
                scheduler = match scheduler {
                    None => json(&folder.join("scheduler_config.json"))?,
                    found => found,
                };
            }
        }
        let mut dict = StateDict::read(&weights)?;
        dict.rename(family.old_names);
        Ok(Self {
            dict,
            config: config_json,
            scheduler,
        })
    }

    /// The tensors.
    pub fn dict(&self) -> &StateDict {
        &self.dict
    }

    pub(super) fn config(&self) -> Result<&Value, String> {
        let what = "there is no config.json beside these weights: give its folder by --config, or a recipe";
        self.config.as_ref().ok_or_else(|| what.to_owned())
    }
}

/// The file of weights in a folder.
fn find(folder: &Path, family: &Family) -> Result<PathBuf, TrainError> {
    let inside = family.folder.map(|inside| folder.join(inside));
    for folder in [Some(folder.to_owned()), inside].into_iter().flatten() {
        if let Some(file) = WEIGHTS.iter().map(|w| folder.join(w)).find(|f| f.is_file()) {
            return Ok(file);
        }
        if folder
            .join("diffusion_pytorch_model.safetensors.index.json")
            .is_file()
        {
            let what =
                "weights in several files are not read; load them in Python and save them as one";
            return Err(TrainError::run(folder, what));
        }
    }
    let what = format!(
        "there are no weights in this folder ({})",
        WEIGHTS.join(", ")
    );
    Err(TrainError::run(folder, what))
}

/// The JSON of a file; `None` where there is none.
fn json(path: &Path) -> Result<Option<Value>, TrainError> {
    if !path.is_file() {
        return Ok(None);
    }
    let bytes = fs::read(path).map_err(TrainError::io("read", path))?;
    let value = serde_json::from_slice(&bytes);
    value
        .map(Some)
        .map_err(|e| TrainError::run(path, format!("not readable JSON ({e})")))
}
