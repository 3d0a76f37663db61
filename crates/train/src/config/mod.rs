//! What a training is: one TOML file, read strictly and written back with every default filled in.

mod check;
mod coupling;
mod data;
mod network;
mod objective;
mod parse;
mod path;
mod text;

use std::sync::Arc;

use fokker_core::ProbabilityPath;
use fokker_data::Dataset;
use fokker_nn::{
    AdmUNetConfig, ClassifierConfig, CourseUNetConfig, DiTConfig, MlpConfig, MmDiTConfig,
    Transformer1dConfig, UNet1dConfig, UNetConfig,
};
use serde::{Deserialize, Serialize};

use crate::TrainError;

pub use coupling::{CouplingConfig, CouplingKind};
pub use data::{DataConfig, FitConfig};
pub use objective::{ObjectiveConfig, PredictionConfig, TimeConfig, WeightConfig};
pub use path::PathConfig;
pub use text::TextConfig;

/// A whole training recipe. Sections and keys left out take their defaults; unknown ones are refused.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Config {
    /// The run's name, also of its folder.
    pub name: String,
    /// The seed of everything random.
    pub seed: u64,
    /// What to learn from.
    pub data: DataConfig,
    /// What the path starts from, where that is not noise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<DataConfig>,
    /// What learns.
    pub network: NetworkConfig,
    /// What makes vectors of texts, for a network that reads them.
    #[serde(skip_serializing_if = "TextConfig::is_usual")]
    pub text: TextConfig,
    /// The probability path.
    pub path: PathConfig,
    /// Which start goes with which data point.
    pub coupling: CouplingConfig,
    /// What the network is asked to predict, and when.
    pub objective: ObjectiveConfig,
    /// Optimizer, learning rate, moving average, steps.
    #[serde(flatten)]
    pub training: Training,
    /// How `fokker sample` samples from the run unless told otherwise.
    pub sample: SampleConfig,
}

/// How any network is trained on any task.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Training {
    /// The optimizer.
    pub optimizer: OptimizerConfig,
    /// The learning rate over the steps.
    pub schedule: ScheduleConfig,
    /// The moving average of the weights.
    pub ema: EmaConfig,
    /// How long, in what batches, and what is kept.
    pub train: TrainConfig,
}

/// The network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum NetworkConfig {
    /// A multi-layer perceptron, for points.
    Mlp(MlpConfig),
    /// A U-Net, for images.
    UNet(UNetConfig),
    /// The modern U-Net, for images: concatenated skips, attention, dropout, classes or texts.
    #[serde(rename = "adm-unet")]
    AdmUNet(AdmUNetConfig),
    /// The course's U-Net, for images: batch normalisation, and larger than needed.
    #[serde(rename = "course-unet")]
    CourseUNet(CourseUNetConfig),
    /// A diffusion transformer, for images.
    DiT(DiTConfig),
    /// A multimodal diffusion transformer, for images with texts or classes.
    #[serde(rename = "mm-dit")]
    MmDiT(MmDiTConfig),
    /// A U-Net for sequences, images of height one.
    UNet1d(UNet1dConfig),
    /// A transformer for sequences, images of height one.
    Transformer1d(Transformer1dConfig),
    /// A convolutional classifier, the judge of other runs' samples.
    Classifier(ClassifierConfig),
}

impl NetworkConfig {
    /// Numbers of the vectors of the texts that the network's labels stand for; 0 where they are classes.
    pub fn text_width(&self) -> usize {
        match self {
            Self::AdmUNet(config) => config.text,
            Self::MmDiT(config) => config.text,
            _ => 0,
        }
    }

    /// What a person calls it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Mlp(_) => "multi-layer perceptron",
            Self::UNet(_) => "U-Net",
            Self::AdmUNet(_) => "modern U-Net",
            Self::CourseUNet(_) => "U-Net of the course",
            Self::DiT(_) => "DiT",
            Self::MmDiT(_) => "MM-DiT",
            Self::UNet1d(_) => "U-Net for sequences",
            Self::Transformer1d(_) => "transformer for sequences",
            Self::Classifier(_) => "classifier",
        }
    }
}

/// The optimizer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OptimizerConfig {
    /// Which one.
    pub kind: OptimizerKind,
    /// The (largest) learning rate.
    pub lr: f64,
    /// Decay of the moments; SGD uses the first as its momentum.
    pub betas: [f64; 2],
    /// Added to the root of the second moment (AdamW).
    pub epsilon: f64,
    /// Decoupled weight decay.
    pub weight_decay: f64,
    /// Largest joint norm of the gradients; 0: no clipping.
    pub clip: f64,
}

impl Default for OptimizerConfig {
    fn default() -> Self {
        Self {
            kind: OptimizerKind::Adamw,
            lr: 1e-3,
            betas: [0.9, 0.999],
            epsilon: 1e-8,
            weight_decay: 0.0,
            clip: 1.0,
        }
    }
}

/// The optimizers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OptimizerKind {
    /// Adam with decoupled weight decay (Loshchilov and Hutter 2019).
    Adamw,
    /// Sign momentum (Chen et al. 2023).
    Lion,
    /// Stochastic gradient descent with momentum.
    Sgd,
}

/// The learning rate over the steps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ScheduleConfig {
    /// Its shape after warm-up.
    pub kind: ScheduleKind,
    /// Steps of linear warm-up.
    pub warmup: u64,
    /// Where the cosine ends, as a share of `optimizer.lr`.
    pub floor: f64,
}

impl Default for ScheduleConfig {
    fn default() -> Self {
        Self {
            kind: ScheduleKind::Cosine,
            warmup: 0,
            floor: 0.0,
        }
    }
}

/// The shapes of a learning-rate schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ScheduleKind {
    /// Always `optimizer.lr`.
    Constant,
    /// Half a cosine from `optimizer.lr` to `floor` of it at the last step.
    Cosine,
    /// Falling as 1/√step from the end of the warm-up.
    InverseSqrt,
}

/// The exponential moving average of the weights, which samples are made from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EmaConfig {
    /// The decay d in ema ← d·ema + (1 − d)·weights, at most (1 + k)/(10 + k) at step k; 0: none.
    pub decay: f64,
}

impl Default for EmaConfig {
    fn default() -> Self {
        Self { decay: 0.999 }
    }
}

/// How long, in what batches, and what is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TrainConfig {
    /// Optimizer steps.
    pub steps: u64,
    /// Items in a batch.
    pub batch: usize,
    /// A line of metrics every so many steps.
    pub log_every: u64,
    /// A checkpoint every so many steps (and at the end and on Ctrl-C).
    pub checkpoint_every: u64,
    /// Checkpoints kept, the newest.
    pub keep: usize,
}

impl Default for TrainConfig {
    fn default() -> Self {
        Self {
            steps: 5000,
            batch: 256,
            log_every: 10,
            checkpoint_every: 1000,
            keep: 2,
        }
    }
}

/// How the run is sampled from unless told otherwise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SampleConfig {
    /// A name from `fokker samplers`.
    pub sampler: String,
    /// Steps from noise to data.
    pub steps: usize,
    /// The guidance weight w (1: none), for runs with classes.
    pub guidance: f64,
    /// Where the steps are, as [`Grid`](fokker_math::grid::Grid) reads it; left out: the scheduler's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub times: Option<String>,
    /// σ_t of a sampler that takes any, as [`Diffusion`](fokker_math::diffusion::Diffusion) reads it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sigma: Option<String>,
    /// Another scheduler to sample along than that of the path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scheduler: Option<String>,
}

impl Default for SampleConfig {
    fn default() -> Self {
        Self {
            sampler: "heun".into(),
            steps: 25,
            guidance: 1.0,
            times: None,
            sigma: None,
            scheduler: None,
        }
    }
}

impl Config {
    /// The probability path.
    pub fn probability_path(&self) -> ProbabilityPath {
        let built = self.path.build(self.source.is_some());
        built.unwrap_or_else(|(key, what)| {
            panic!("{key}: {what}; this is checked when a recipe is read")
        })
    }

    /// The seed of the source's points: their own, even where source and data are the same toy.
    pub(crate) fn source_seed(&self) -> u64 {
        self.seed.wrapping_add(1 << 32)
    }

    /// The data that paths start from, where that is not noise.
    ///
    /// # Errors
    /// Data that cannot be read.
    pub fn source_data(&self) -> Result<Option<Arc<dyn Dataset>>, TrainError> {
        let Some(source) = &self.source else {
            return Ok(None);
        };
        let data = source.load(self.source_seed());
        data.map(Some).map_err(|error| match error {
            TrainError::Config(what) => TrainError::Config(what.replacen("data", "source", 1)),
            other => other,
        })
    }

    /// Does what the network learns determine the score? It does where the path's noise is Gaussian and
    /// independent of the data, and known from the output.
    pub fn has_score(&self) -> bool {
        let path = self.probability_path();
        let joint = self.objective.prediction == PredictionConfig::VelocityAndNoise;
        if path.is_gaussian() {
            self.coupling.kind == CouplingKind::Independent
        } else {
            path.is_noisy() && joint
        }
    }

    /// The same with every path made absolute and the run of rectified pairs pinned to its step, so that a
    /// run folder can be used from anywhere and resumed.
    ///
    /// # Errors
    /// A run of rectified pairs that cannot be opened.
    pub fn pinned(mut self) -> Result<Self, TrainError> {
        self.data = self.data.absolute();
        self.source = self.source.map(DataConfig::absolute);
        self.coupling = self.coupling.pinned()?;
        if let Some(path) = &mut self.text.encoder
            && let Ok(full) = std::path::absolute(&*path)
        {
            *path = full;
        }
        Ok(self)
    }

    /// Does this recipe train a classifier, not a flow?
    pub fn is_classifier(&self) -> bool {
        matches!(self.network, NetworkConfig::Classifier(_))
    }

    /// The recipe as TOML, with every default written out.
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("a configuration is a table of plain values")
    }
}
