//! Ensembles of small ODE and SDE trajectories in SIMD lanes and threads, and the random numbers
//! that drive them.
//!
//! | module | holds |
//! |---|---|
//! | [`process`] | what is simulated: dX = f dt + g dW as a type of a few lines, or one of the named ones |
//! | [`expr`] | the same from text such as `"-theta*x"`, compiled |
//! | [`density`] | log-densities and scores in lanes, for Langevin dynamics and diffusions |
//! | [`solver`] | how: explicit, implicit and stochastic methods, equal and adaptive steps |
//! | [`ensemble`] | many trajectories at once: [`simulate`] |
//! | [`stat`] | statistics on the fly |
//! | [`lane`] | SIMD lanes with the same bits on every machine, dual numbers |
//! | [`rng`] | counter-based random numbers |
//!
//! ```
//! use std::ops::ControlFlow;
//! use fokker_sim::ensemble::{Keep, Plan, Start, simulate};
//! use fokker_sim::process::OrnsteinUhlenbeck;
//! use fokker_sim::solver::{EulerMaruyama, FixedSde};
//!
//! // 2,000 trajectories of dX = −0.25 X dt + dW from X₀ = 3 to t = 20 in 1,000 steps.
//! let process = OrnsteinUhlenbeck::new(0.25, 0.0, 1.0)?;
//! let solver = FixedSde::new(EulerMaruyama, 1000);
//! let plan = Plan::new(2000, 0.0, 20.0, 42);
//! let mut ends = Keep::<f32>::default();
//! let watch = &mut |_done| ControlFlow::Continue(());
//! simulate(&process, &solver, &plan, &Start::Point(&[3.0]), &mut ends, watch)?;
//!
//! let variance = ends.values.iter().map(|x| x * x).sum::<f32>() / 2000.0;
//! assert!((variance - 2.0).abs() < 0.25); // σ²/2θ = 2
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod density;
pub mod ensemble;
mod error;
pub mod expr;
pub mod lane;
pub mod process;
pub mod rng;
pub mod solver;
pub mod stat;

pub use ensemble::simulate;
pub use error::{SimError, shown};
