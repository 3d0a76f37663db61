//! Training: configuration, tasks, the trainer, checkpoints and run folders.
//!
//! A [`Config`] (TOML) becomes a data set, a network and a [`Task`]; a [`Trainer`] steps it; a
//! [`RunFolder`] keeps all of it on disk. Step k of a training is a pure function of the seed, the
//! weights before it and k: an interrupted and resumed training has the same bits as one that never
//! stopped.

mod alarm;
mod averages;
mod build;
mod checkpoint;
pub mod config;
mod error;
mod feed;
mod flow_task;
mod formula;
mod held_back;
mod judge;
mod mirror;
mod muon;
mod network;
mod optimizer;
mod pairs;
mod params;
mod run;
mod source;
mod task;
mod trainer;
mod window;

pub use averages::{Weights, profile};
pub use build::{flow_trainer, flow_trainer_on, judge_trainer, rectified_pairs};
pub use checkpoint::{Checkpoint, load_weights, save_weights};
pub use config::{Config, SampleConfig};
pub use error::{Diverged, TrainError};
pub use flow_task::{FlowBatch, FlowTask};
pub use formula::{FormulaError, FormulaScheduler};
pub use judge::Judge;
pub use mirror::Mirror;
pub use network::AnyNetwork;
pub use optimizer::{Optimizer, learning_rate};
pub use pairs::Pairs;
pub use run::{Metric, Outcome, RunFolder, RunInfo};
pub use source::Source;
pub use task::{BatchOrder, ClassifyTask, Losses, Task};
pub use trainer::{StepReport, Trainer};
pub use window::BINS;
