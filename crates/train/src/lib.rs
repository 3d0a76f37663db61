//! Training: configuration, tasks, the trainer, checkpoints and run folders.
//!
//! A [`Config`] (TOML) becomes a data set, a network and a [`Task`]; a [`Trainer`] steps it; a
//! [`RunFolder`] keeps all of it on disk. Step k of a training is a pure function of the seed, the
//! weights before it and k: an interrupted and resumed training has the same bits as one that never
//! stopped.

mod build;
mod checkpoint;
pub mod config;
mod error;
mod judge;
mod network;
mod optimizer;
mod params;
mod run;
mod task;
mod trainer;

pub use build::{flow_trainer, judge_trainer};
pub use checkpoint::{Checkpoint, load_weights, save_weights};
pub use config::Config;
pub use error::TrainError;
pub use judge::Judge;
pub use network::AnyNetwork;
pub use optimizer::{Optimizer, learning_rate};
pub use run::{Metric, Outcome, RunFolder, RunInfo};
pub use task::{BatchOrder, ClassifyTask, FlowTask, Task};
pub use trainer::{StepReport, Trainer};
