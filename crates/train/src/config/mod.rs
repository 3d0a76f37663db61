//! What a training is: one TOML file, read strictly and written back with every default filled in.

mod check;
mod data;
mod parse;

use fokker_core::GaussianPath;
use fokker_math::prediction::Prediction;
use fokker_math::scheduler::scheduler;
use fokker_nn::{ClassifierConfig, MlpConfig, UNetConfig};
use serde::{Deserialize, Serialize};

pub use data::{DataConfig, FitConfig};

/// A whole training recipe. Sections and keys left out take their defaults; unknown ones are refused.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Config {
    /// The run's name, also of its folder.
    pub name: String,
    /// The seed of everything random.
    pub seed: u64,
    /// What to learn from.
    pub data: DataConfig,
    /// What learns.
    pub network: NetworkConfig,
    /// The probability path.
    pub path: PathConfig,
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
    /// A convolutional classifier, the judge of other runs' samples.
    Classifier(ClassifierConfig),
}

/// The Gaussian path x_t = α_t z + β_t ε.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PathConfig {
    /// A name from `fokker_math::scheduler::SCHEDULERS`.
    pub scheduler: String,
}

impl Default for PathConfig {
    fn default() -> Self {
        Self {
            scheduler: "condot".into(),
        }
    }
}

/// The regression that trains the network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ObjectiveConfig {
    /// What the network predicts: velocity (flow matching), data, noise or v.
    #[serde(with = "prediction")]
    pub prediction: Prediction,
    /// How training times are drawn.
    pub time: TimeConfig,
    /// Mean and standard deviation of logit(t) where `time = "logit-normal"`.
    pub logit_normal: [f64; 2],
    /// Times stay below 1 − t_eps.
    pub t_eps: f64,
    /// Is the network told the class, where the data has classes?
    pub classes: bool,
    /// The probability η of hiding the class, which classifier-free guidance needs.
    pub label_drop: f64,
}

impl Default for ObjectiveConfig {
    fn default() -> Self {
        Self {
            prediction: Prediction::Velocity,
            time: TimeConfig::Uniform,
            logit_normal: [0.0, 1.0],
            t_eps: 0.0,
            classes: true,
            label_drop: 0.1,
        }
    }
}

/// The law of training times.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TimeConfig {
    /// t ~ U\[0, 1\].
    Uniform,
    /// One uniform time in each of `batch` equal slices of \[0, 1\]: the same mean, less variance.
    Stratified,
    /// logit t ~ N(m, s²): more weight on the middle (Esser et al. 2024).
    LogitNormal,
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
}

impl Default for SampleConfig {
    fn default() -> Self {
        Self {
            sampler: "heun".into(),
            steps: 25,
            guidance: 1.0,
        }
    }
}

impl Config {
    /// The probability path.
    pub fn gaussian_path(&self) -> GaussianPath {
        let make = scheduler(&self.path.scheduler).expect("checked when the recipe was read");
        GaussianPath::new(make.into())
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

/// The names of predictions in TOML.
mod prediction {
    use super::*;
    use serde::{Deserializer, Serializer, de::Error};

    const NAMES: [(&str, Prediction); 4] = [
        ("velocity", Prediction::Velocity),
        ("data", Prediction::Data),
        ("noise", Prediction::Noise),
        ("v", Prediction::V),
    ];

    pub(super) fn serialize<S: Serializer>(p: &Prediction, s: S) -> Result<S::Ok, S::Error> {
        let name = NAMES.iter().find(|(_, q)| q == p).map(|(name, _)| *name);
        s.serialize_str(name.expect("only named predictions can be configured"))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Prediction, D::Error> {
        let name = String::deserialize(d)?;
        let found = NAMES.iter().find(|(n, _)| *n == name);
        found
            .map(|(_, p)| *p)
            .ok_or_else(|| D::Error::unknown_variant(&name, &["velocity", "data", "noise", "v"]))
    }
}
