//! Training: configuration, tasks, the trainer, checkpoints and run folders.
//!
//! A [`Config`] (TOML) becomes a data set, a network and a [`Task`]; a [`Trainer`] steps it; a
//! [`RunFolder`] keeps all of it on disk. Step k of a training is a pure function of the seed, the
//! weights before it and k: an interrupted and resumed training has the same bits as one that never
//! stopped.

mod alarm;
mod autoencoder;
mod averages;
mod build;
mod captions;
mod checkpoint;
pub mod config;
mod error;
mod feed;
mod flow_task;
pub mod foreign;
mod formula;
mod held_back;
mod judge;
mod latent_space;
mod latents;
mod mirror;
mod muon;
mod network;
mod optimizer;
mod pairs;
mod params;
mod prepare;
mod reconstruction;
mod run;
mod source;
mod task;
mod trainer;
mod vae_task;
mod window;

pub use autoencoder::AnyAutoencoder;
pub use averages::{Weights, profile};
pub use build::{flow_parameters, flow_trainer, flow_trainer_on, judge_trainer, vae_trainer};
pub use captions::{CaptionEncoder, Captions};
pub use checkpoint::{Checkpoint, load_weights, save_weights};
pub use config::{Config, SampleConfig};
pub use error::{Diverged, TrainError};
pub use flow_task::{FlowBatch, FlowTask};
pub use foreign::StateDict;
pub use formula::{FormulaError, FormulaScheduler};
pub use judge::Judge;
pub use latent_space::{LatentInfo, LatentSpace};
pub use latents::Latents;
pub use mirror::Mirror;
pub use network::AnyNetwork;
pub use optimizer::{Optimizer, learning_rate};
pub use pairs::Pairs;
pub use prepare::{Prepared, Preparing, prepare};
pub use reconstruction::Reconstruction;
pub use run::{Metric, Outcome, RunFolder, RunInfo};
pub use source::Source;
pub use task::{BatchOrder, ClassifyTask, Losses, Task};
pub use trainer::{StepReport, Trainer};
pub use vae_task::{VaeTask, held_back};
pub use window::BINS;
