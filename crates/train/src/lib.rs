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
mod flow_task;
pub mod foreign;
mod formula;
mod judge;
mod network;
mod optimizer;
mod pairs;
mod params;
mod run;
mod source;
mod task;
mod trainer;

pub use build::{flow_trainer, flow_trainer_on, judge_trainer, rectified_pairs};
pub use checkpoint::{Checkpoint, load_weights, save_weights};
pub use config::{Config, SampleConfig};
pub use error::TrainError;
pub use flow_task::{FlowBatch, FlowTask};
pub use foreign::StateDict;
pub use formula::{FormulaError, FormulaScheduler};
pub use judge::Judge;
pub use network::AnyNetwork;
pub use optimizer::{Optimizer, learning_rate};
pub use pairs::Pairs;
pub use run::{Metric, Outcome, RunFolder, RunInfo};
pub use source::Source;
pub use task::{BatchOrder, ClassifyTask, Task};
pub use trainer::{StepReport, Trainer};
