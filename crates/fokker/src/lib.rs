//! fokker trains, samples, steers, evaluates and explains flow and diffusion models.
//!
//! This crate is the library's front page: the names that most programs need, at its root, and the
//! rooms of the house as modules. `examples/` shows it in use, from ten lines up.
//!
//! ```
//! use fokker::{Config, Device, Draw, flow_trainer};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let recipe = "name = \"moons\"\n[data]\nkind = \"toy\"\nname = \"moons\"\n[network]\nkind = \"mlp\"\nhidden = [32, 32]";
//! let config = Config::parse(recipe, "recipe", &[])?;
//! let data = config.data.load(config.seed)?;
//! let mut trainer = flow_trainer(&config, data, &Device::flex())?;
//! for _ in 0..20 {
//!     trainer.step()?;
//! }
//! let points = trainer.flow().sample(&Draw { count: 100, ..Draw::default() })?;
//! assert_eq!(points.len(), 100 * 2);
//! # Ok(())
//! # }
//! ```

pub use burn;
pub use burn::tensor::Device;
pub use fokker_core as core;
pub use fokker_core::{Draw, Flow, Labels, Network, ProbabilityPath, SAMPLERS, State, sampler};
pub use fokker_data as data;
pub use fokker_data::{Dataset, Shape};
pub use fokker_eval as eval;
pub use fokker_kernels as kernels;
pub use fokker_math as math;
pub use fokker_nn as nn;
pub use fokker_nn::Init;
pub use fokker_sim as sim;
pub use fokker_train as train;
pub use fokker_train::{Config, FlowTask, RunFolder, Task, Trainer, flow_trainer};
