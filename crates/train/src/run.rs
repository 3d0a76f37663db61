//! A run's folder: everything that a training made and needs to go on.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::Write;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use burn::module::Module;
use burn::tensor::Device;
use fokker_data::{Dataset, Shape};
use serde::{Deserialize, Serialize};

use crate::latent_space::{LatentInfo, copy_autoencoder};
use crate::{Checkpoint, Config, StepReport, Task, TrainError, Trainer};

/// Facts about a run that sampling needs and the configuration does not hold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunInfo {
    /// The version that made the run.
    pub fokker: String,
    /// The data set's name.
    pub data: String,
    /// The data set's fingerprint.
    pub fingerprint: String,
    /// The fingerprint of what paths start from, absent where that is noise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The data set's size, absent where it is unlimited.
    pub items: Option<u64>,
    /// `[dim]` or `[channels, height, width]`.
    pub shape: Vec<usize>,
    /// The names of the classes that the network is given; empty for none.
    pub classes: Vec<String>,
    /// Trainable numbers in the network.
    pub parameters: usize,
    /// The latents that the network works in, absent where it works on the data itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latent: Option<LatentInfo>,
}

impl RunInfo {
    /// The facts of a run on `data`; `conditional` says whether the network is given classes.
    pub fn new(data: &dyn Dataset, conditional: bool, parameters: usize) -> Self {
        Self {
            fokker: env!("CARGO_PKG_VERSION").into(),
            data: data.name().into(),
            fingerprint: data.fingerprint(),
            source: None,
            items: data.len(),
            shape: data.shape().axes(),
            classes: if conditional {
                data.classes().to_vec()
            } else {
                Vec::new()
            },
            parameters,
            latent: None,
        }
    }

    /// The shape of what the network works on: a latent, or one item.
    ///
    /// # Errors
    /// As [`shape`](Self::shape).
    pub fn state_shape(&self) -> Result<Shape, TrainError> {
        match &self.latent {
            Some(latent) => Ok(latent.shape()),
            None => self.shape(),
        }
    }

    /// The shape of one item.
    pub fn shape(&self) -> Result<Shape, TrainError> {
        match self.shape[..] {
            [dim] => Ok(Shape::Vector(dim)),
            [channels, height, width] => Ok(Shape::Image {
                channels,
                height,
                width,
            }),
            _ => Err(TrainError::run(
                "run.json",
                format!(
                    "shape {:?} is neither [dim] nor [channels, height, width]",
                    self.shape
                ),
            )),
        }
    }
}

/// A line of `metrics.jsonl`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Metric {
    /// Steps done.
    pub step: u64,
    /// Mean training loss since the line before.
    pub loss: f64,
    /// The learning rate.
    pub lr: f64,
    /// The joint norm of the gradients before clipping, of the last step.
    pub grad_norm: f64,
    /// Time spent in steps since the line before.
    pub seconds: f64,
    /// Means of the loss's terms since the line before, by name.
    #[serde(default, flatten)]
    pub terms: BTreeMap<String, f64>,
}

/// The folder of one run.
pub struct RunFolder {
    path: PathBuf,
    config: Config,
    info: RunInfo,
    /// Held by the process that trains; the system frees it however that process ends.
    lock: Option<File>,
}

/// Why a training ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All steps are done.
    Finished,
    /// The watcher broke off; a checkpoint of the last step was written.
    Stopped,
}

const CONFIG: &str = "config.toml";
const INFO: &str = "run.json";
const METRICS: &str = "metrics.jsonl";
const CHECKPOINTS: &str = "checkpoints";

impl RunFolder {
    /// The files that say what a run is.
    pub(crate) const FACTS: [&str; 2] = [CONFIG, INFO];

    /// Makes a new run folder; where the run works in latents, with a copy of the autoencoder.
    ///
    /// # Errors
    /// A folder that exists and is not empty; an autoencoder that cannot be copied.
    pub fn create(path: &Path, config: Config, info: RunInfo) -> Result<Self, TrainError> {
        if fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_some()) {
            let what = "this folder exists and is not empty; choose another with --out, or go on with --resume";
            return Err(TrainError::run(path, what));
        }
        let source = config.source_data()?.map(|data| data.fingerprint());
        fs::create_dir_all(path).map_err(TrainError::io("create", path))?;
        let run = Self {
            path: path.to_owned(),
            config,
            info: RunInfo { source, ..info },
            lock: lock(path)?,
        };
        let json = serde_json::to_vec_pretty(&run.info).expect("plain values");
        let write = || {
            write_atomic(&path.join(CONFIG), run.config.to_toml().as_bytes())?;
            write_atomic(&path.join(INFO), &json)?;
            match (&run.config.latent, &run.info.latent) {
                (Some(latent), Some(info)) => copy_autoencoder(&latent.run, info, path),
                (None, None) => Ok(()),
                _ => Err(TrainError::run(
                    path,
                    "the recipe and the trainer disagree on latents; describe the run by RunInfo::of_flow",
                )),
            }
        };
        write().inspect_err(|_| drop(fs::remove_dir_all(path)))?;
        Ok(run)
    }

    /// Opens a run folder.
    pub fn open(path: &Path) -> Result<Self, TrainError> {
        if !path.is_dir() {
            return Err(TrainError::run(path, "no such run folder"));
        }
        let file = path.join(CONFIG);
        if !file.is_file() {
            let what = "not a run folder (it has no config.toml); give the folder that `fokker train` made";
            return Err(TrainError::run(path, what));
        }
        let text = fs::read_to_string(&file).map_err(TrainError::io("read", &file))?;
        let config = Config::parse(&text, &file.display().to_string(), &[])?;
        let file = path.join(INFO);
        let json = fs::read(&file).map_err(TrainError::io("read", &file))?;
        let info = serde_json::from_slice(&json)
            .map_err(|e| TrainError::run(&file, format!("not a readable description ({e})")))?;
        Ok(Self {
            path: path.to_owned(),
            config,
            info,
            lock: None,
        })
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The run's resolved configuration.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Facts about the run.
    pub fn info(&self) -> &RunInfo {
        &self.info
    }

    /// The complete checkpoints, oldest first.
    pub fn checkpoints(&self) -> Vec<Checkpoint> {
        let entries = fs::read_dir(self.path.join(CHECKPOINTS));
        let mut found: Vec<Checkpoint> = entries
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|entry| Checkpoint::from_path(entry.path()))
            .collect();
        found.sort_by_key(|c| c.step);
        found
    }

    /// The run's training data.
    ///
    /// # Errors
    /// Data that cannot be read, or that is not what it was when the run began.
    pub fn data(&self) -> Result<Arc<dyn Dataset>, TrainError> {
        let data = self.config.data.load(self.config.seed)?;
        self.same("data", &*data, &self.info.fingerprint)?;
        self.source_data()?;
        Ok(data)
    }

    /// What the run's paths start from, where that is not noise.
    ///
    /// # Errors
    /// As [`data`](Self::data).
    pub fn source_data(&self) -> Result<Option<Arc<dyn Dataset>>, TrainError> {
        let source = self.config.source_data()?;
        if let (Some(source), Some(then)) = (&source, &self.info.source) {
            self.same("source", &**source, then)?;
        }
        Ok(source)
    }

    fn same(&self, name: &str, data: &dyn Dataset, then: &str) -> Result<(), TrainError> {
        let now = data.fingerprint();
        if now == then {
            return Ok(());
        }
        let what =
            format!("the {name} has changed since this run began (fingerprint {now}, was {then})");
        Err(TrainError::run(&self.path, what))
    }

    /// The newest checkpoint.
    pub fn latest(&self) -> Result<Checkpoint, TrainError> {
        self.checkpoints()
            .pop()
            .ok_or_else(|| TrainError::run(&self.path, "this run has no checkpoint yet"))
    }

    /// The lines of metrics written so far.
    pub fn metrics(&self) -> Result<Vec<Metric>, TrainError> {
        let path = self.path.join(METRICS);
        if !path.exists() {
            return Ok(Vec::new());
        }
        let text = fs::read_to_string(&path).map_err(TrainError::io("read", &path))?;
        // A line cut short by a crash is not a metric; the next checkpoint's steps come again.
        Ok(text
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect())
    }

    /// Brings a fresh trainer to the newest checkpoint and drops the metrics after it.
    ///
    /// # Errors
    /// A run that another process is training; a checkpoint that cannot be read or does not fit.
    pub fn resume<N: Module, T: Task<N>>(
        &mut self,
        trainer: Trainer<N, T>,
        device: &Device,
    ) -> Result<Trainer<N, T>, TrainError> {
        if self.lock.is_none() {
            self.lock = lock(&self.path)?;
        }
        let trainer = self.latest()?.restore(trainer, device)?;
        let kept: Vec<String> = self
            .metrics()?
            .iter()
            .filter(|m| m.step <= trainer.steps_done())
            .map(|m| serde_json::to_string(m).expect("plain numbers") + "\n")
            .collect();
        write_atomic(&self.path.join(METRICS), kept.concat().as_bytes())?;
        Ok(trainer)
    }

    /// Trains to the last step, with metrics and checkpoints, or until `watch` breaks.
    pub fn train<N: Module, T: Task<N>>(
        &self,
        trainer: &mut Trainer<N, T>,
        watch: &mut dyn FnMut(&StepReport) -> ControlFlow<()>,
    ) -> Result<Outcome, TrainError> {
        let train = &self.config.training.train;
        while trainer.steps_done() < train.steps {
            let report = trainer.step()?;
            let step = report.step;
            let last = step == train.steps;
            if step % train.log_every == 0 || last {
                let window = trainer.take_window();
                self.log(&Metric {
                    step,
                    loss: window.sum / window.count as f64,
                    lr: report.lr,
                    grad_norm: report.grad_norm,
                    seconds: window.seconds,
                    terms: window
                        .terms
                        .into_iter()
                        .map(|(name, sum)| (name, sum / window.count as f64))
                        .collect(),
                })?;
            }
            let stop = watch(&report).is_break() && !last;
            if step % train.checkpoint_every == 0 || last || stop {
                self.checkpoint(trainer)?;
            }
            if stop {
                return Ok(Outcome::Stopped);
            }
        }
        Ok(Outcome::Finished)
    }

    /// The folder of a run's checkpoints.
    pub(crate) fn checkpoints_of(run: &Path) -> PathBuf {
        run.join(CHECKPOINTS)
    }

    fn checkpoint<N: Module, T: Task<N>>(&self, trainer: &Trainer<N, T>) -> Result<(), TrainError> {
        let parent = self.path.join(CHECKPOINTS);
        Checkpoint::save(trainer, &parent)?;
        let all = self.checkpoints();
        let old = all.len().saturating_sub(self.config.training.train.keep);
        for checkpoint in &all[..old] {
            fs::remove_dir_all(&checkpoint.path)
                .map_err(TrainError::io("remove", &checkpoint.path))?;
        }
        Ok(())
    }

    fn log(&self, metric: &Metric) -> Result<(), TrainError> {
        let path = self.path.join(METRICS);
        let line = serde_json::to_string(metric).expect("plain numbers") + "\n";
        let append = || {
            let mut file = OpenOptions::new().create(true).append(true).open(&path)?;
            file.write_all(line.as_bytes())
        };
        append().map_err(TrainError::io("write", &path))
    }
}

/// The lock of a run folder; `None` where the file system knows none.
fn lock(folder: &Path) -> Result<Option<File>, TrainError> {
    let path = folder.join(".lock");
    let file = File::create(&path).map_err(TrainError::io("write", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Err(TrainError::run(
            folder,
            "another process is training this run",
        )),
        Err(TryLockError::Error(_)) => Ok(None),
    }
}

/// Writes a file whole or not at all.
pub(crate) fn write_atomic(path: &Path, bytes: &[u8]) -> Result<(), TrainError> {
    fokker_data::write_atomic(path, bytes).map_err(TrainError::from)
}
