//! The diffusions of score-based generative models and their reversals.
//!
//! Song, Sohl-Dickstein, Kingma, Kumar, Ermon & Poole, *Score-based generative modeling through
//! stochastic differential equations*, ICLR 2021. A noising diffusion dX = f(s)X ds + g(s) dW runs
//! in its own clock s: data at s = 0, (nearly) noise at s = 1. From X₀ = z it has
//! X_s ~ N(a(s)z, b(s)² I), so for data from a Gaussian mixture every marginal and its score are
//! known in closed form ([`Diffused`](crate::density::Diffused)).
//!
//! The reversals run in t = 1 − s: noise at t = 0, data at t = 1, as everywhere in fokker.

mod forward;
mod kernel;
mod reverse;

pub use forward::Forward;
pub use kernel::{AnyKernel, Kernel, SubVp, Ve, Vp};
pub use reverse::{ProbabilityFlow, Reverse};
