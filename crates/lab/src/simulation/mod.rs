//! One ensemble of a named or a written-down process: from plain settings to numbers and pictures.
//!
//! ```
//! use std::ops::ControlFlow;
//! use fokker_lab::simulation::{Settings, Simulation, Wanted};
//!
//! let settings = Settings {
//!     count: Some(2000),
//!     ..Settings::named("brownian")
//! };
//! let simulation = Simulation::new(&settings)?;
//! let outcome = simulation.run(&Wanted::default(), &mut |_done| ControlFlow::Continue(()))?;
//! let exact = simulation.exact(&outcome).expect("Brownian motion has a law");
//! assert!((exact.components[0].exact_variance.unwrap() - 10.0).abs() < 1e-12);
//! assert!((exact.components[0].variance - 10.0).abs() < 2.0);
//! # Ok::<(), fokker_lab::simulation::SimulationError>(())
//! ```
//!
//! Kernels are compiled for each type of process, solver, precision and SIMD level, which takes
//! long; so processes share one type. Those without a density are computed from expressions, those
//! with one are its variants, and a few that are asked for most have kernels of their own beside.

mod dense;
mod draw;
mod engine;
mod error;
mod exact;
mod general;
mod outputs;
mod report;
mod resolve;
mod run;
mod settings;
mod start;
mod statistics;
mod system;
mod words;

#[cfg(test)]
mod tests;

pub use draw::{Picture, animate, pictures};
pub use error::SimulationError;
pub use exact::{Comparison, Exact};
pub use fokker_sim::ensemble::Progress;
pub use resolve::Simulation;
pub use run::{Outcome, Sample, Wanted};
pub use settings::{
    ComponentStart, Precision, ProcessChoice, Save, Settings, StartChoice, Stepping,
};
pub use statistics::HEADINGS;
pub use words::{chance, digits, grouped, resolved, trajectories};
