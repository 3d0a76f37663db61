//! `[optimizer]`, `[schedule]`, `[ema]` and `[train]`: how any network is trained on any task.

use std::fmt;
use std::str::FromStr;

use burn::tensor::Device;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::check::{Refusal, at_least_one, refuse, within};

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
    /// Momentum of Muon.
    pub momentum: f64,
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
            momentum: 0.95,
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
    /// Orthogonalised momentum for the matrices of hidden layers (Jordan 2024), scaled as AdamW's steps (Liu et al. 2025);
    /// AdamW for the rest.
    Muon,
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

/// The moving averages of the weights, which samples are made from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EmaConfig {
    /// The decay d in ema ← d·ema + (1 − d)·weights, at most (1 + k)/(10 + k) at step k; 0: none.
    pub decay: f64,
    /// The relative widths σ_rel of averages by a power function of time (Karras et al. 2024); none where empty.
    pub power: Vec<f64>,
    /// A snapshot of those of a power function every so many steps, from which any other width is put together later.
    pub snapshot_every: u64,
}

impl Default for EmaConfig {
    fn default() -> Self {
        Self {
            decay: 0.999,
            power: Vec::new(),
            snapshot_every: 500,
        }
    }
}

impl EmaConfig {
    /// The averages that a training keeps; the first is sampled from unless told otherwise.
    pub fn averages(&self) -> Vec<Average> {
        let constant = (self.decay > 0.0).then_some(Average::Constant);
        let powers = self.power.iter().map(|s| Average::Power(*s));
        constant.into_iter().chain(powers).collect()
    }

    /// What is sampled from where nothing is asked for.
    pub fn usual(&self) -> Average {
        self.averages().first().copied().unwrap_or(Average::Weights)
    }
}

/// Which weights are meant: as trained, or an average of them. As text `weights`, `constant` or a number, σ_rel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Average {
    /// The weights as trained.
    Weights,
    /// The average of constant decay.
    Constant,
    /// That by a power function, of relative width σ_rel.
    Power(f64),
}

/// The widths σ_rel that an average can have: that of the exponent γ = 0, a plain mean, is 1/√12.
pub(crate) const WIDTHS: (f64, f64) = (0.001, 0.288);

impl fmt::Display for Average {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Weights => f.write_str("weights"),
            Self::Constant => f.write_str("constant"),
            Self::Power(sigma) => write!(f, "{sigma}"),
        }
    }
}

impl FromStr for Average {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (low, high) = WIDTHS;
        match (text, text.parse::<f64>()) {
            ("weights", _) => Ok(Self::Weights),
            ("constant", _) => Ok(Self::Constant),
            (_, Ok(sigma)) if (low..=high).contains(&sigma) => Ok(Self::Power(sigma)),
            _ => Err(format!(
                "expected \"weights\", \"constant\" or a width from {low} to {high}, got {text}"
            )),
        }
    }
}

impl Serialize for Average {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Power(sigma) => to.serialize_f64(*sigma),
            name => to.collect_str(name),
        }
    }
}

impl<'de> Deserialize<'de> for Average {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "expected \"weights\", \"constant\" or a width")]
        enum Written {
            Width(f64),
            Name(String),
        }
        let text = match Written::deserialize(from)? {
            Written::Width(sigma) => sigma.to_string(),
            Written::Name(name) => name,
        };
        text.parse().map_err(de::Error::custom)
    }
}

/// How long, in what batches, and what is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TrainConfig {
    /// Optimizer steps.
    pub steps: u64,
    /// Items in a batch, that is, seen by one step.
    pub batch: usize,
    /// Parts in which a batch is computed, one after the other: less memory, the same step to rounding.
    pub accumulate: usize,
    /// Mirror half of the images, left to right: never where left and right differ, as in digits.
    pub flip: bool,
    /// Recompute what is cheap to compute in the backward pass instead of keeping it, with the same bits. Less memory with plain
    /// tensor operations; the fused kernels of the CPU keep only what is costly anyway, so there it saves nothing.
    pub checkpointing: bool,
    /// A line of metrics every so many steps.
    pub log_every: u64,
    /// A checkpoint every so many steps (and at the end and on Ctrl-C).
    pub checkpoint_every: u64,
    /// Checkpoints kept, the newest.
    pub keep: usize,
    /// The loss on held-back data every so many steps, always with the same noise and times; 0: never.
    pub validate_every: u64,
    /// On so many items: of the data's own test split, or else held back from the training.
    pub validate_items: u64,
    /// A sheet of samples every so many steps; 0: never.
    pub sample_every: u64,
    /// Stop where the loss stays above this many times its lowest mean; 0: only where it is no number any more.
    pub explode: f64,
}

impl Default for TrainConfig {
    fn default() -> Self {
        Self {
            steps: 5000,
            batch: 256,
            accumulate: 1,
            flip: false,
            checkpointing: false,
            log_every: 10,
            checkpoint_every: 1000,
            keep: 2,
            validate_every: 0,
            validate_items: 1024,
            sample_every: 0,
            explode: 100.0,
        }
    }
}

impl Training {
    /// The autodiff device of `device` for this training.
    pub fn device(&self, device: &Device) -> Device {
        let device = device.clone().without_autodiff().autodiff();
        match self.train.checkpointing {
            true => device.gradient_checkpointing(),
            false => device,
        }
    }

    /// Checks every value; an error is the key and what is wrong with its value.
    pub(super) fn check(&self) -> Result<(), Refusal> {
        let Self {
            optimizer: opt,
            schedule,
            ema,
            train: t,
        } = self;
        within("optimizer.lr", opt.lr, f64::MIN_POSITIVE, 1e3)?;
        within("optimizer.betas", opt.betas[0], 0.0, 0.999_999)?;
        within("optimizer.betas", opt.betas[1], 0.0, 0.999_999_99)?;
        within("optimizer.epsilon", opt.epsilon, 1e-12, 1.0)?;
        within("optimizer.weight_decay", opt.weight_decay, 0.0, 1e3)?;
        within("optimizer.momentum", opt.momentum, 0.0, 0.999_999)?;
        within("optimizer.clip", opt.clip, 0.0, f64::MAX)?;
        within("schedule.floor", schedule.floor, 0.0, 1.0)?;
        within("ema.decay", ema.decay, 0.0, 0.999_999_9)?;
        for (i, sigma) in ema.power.iter().enumerate() {
            within("ema.power", *sigma, WIDTHS.0, WIDTHS.1)?;
            if ema.power[..i].contains(sigma) {
                return refuse("ema.power", format!("{sigma} is listed twice"));
            }
        }
        if ema.power.len() > 8 {
            let text = format!(
                "expected at most 8, got {}; two are enough to make every other from",
                ema.power.len()
            );
            return refuse("ema.power", text);
        }
        at_least_one("ema.snapshot_every", ema.snapshot_every)?;
        at_least_one("train.steps", t.steps)?;
        at_least_one("train.batch", t.batch as u64)?;
        if t.batch > 1 << 20 {
            return refuse(
                "train.batch",
                format!("expected at most {}, got {}", 1 << 20, t.batch),
            );
        }
        if t.accumulate == 0 || !t.batch.is_multiple_of(t.accumulate) {
            let text = format!(
                "expected a divisor of train.batch, which is {}, got {}",
                t.batch, t.accumulate
            );
            return refuse("train.accumulate", text);
        }
        at_least_one("train.log_every", t.log_every)?;
        at_least_one("train.checkpoint_every", t.checkpoint_every)?;
        at_least_one("train.keep", t.keep as u64)?;
        at_least_one("train.validate_items", t.validate_items)?;
        if t.validate_items > 1 << 20 {
            return refuse(
                "train.validate_items",
                format!("expected at most {}, got {}", 1 << 20, t.validate_items),
            );
        }
        if t.explode != 0.0 && !(2.0..=f64::MAX).contains(&t.explode) {
            let text = format!("expected 0 or a number of at least 2, got {}", t.explode);
            return refuse("train.explode", text);
        }
        Ok(())
    }
}
