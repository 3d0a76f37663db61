//! The mathematics of flow and diffusion models on paper: f64, no tensors.
//!
//! One convention everywhere: t = 0 is noise, t = 1 is data; a Gaussian path is x = α_t z + β_t ε
//! with z a data point and ε ~ N(0, I); a dot is d/dt.
//!
//! | module | holds |
//! |---|---|
//! | [`scheduler`] | α and β as functions of time, their derivatives, the signal-to-noise ratio and its inverse; a model trained on one and sampled on another |
//! | [`prediction`] | data, noise, velocity, v and score: what a network may predict, and how they convert |
//! | [`precondition`] | the network's inputs and targets at unit variance, for any scheduler |
//! | [`weight`] | weights of the training loss and what they are for any prediction |
//! | [`time`] | laws of the training times, by their quantiles |
//! | [`grid`] | time grids |
//! | [`tableau`] | explicit Runge–Kutta methods as data, with error estimates and dense output, and a step |
//! | [`rosenbrock`] | a Rosenbrock method as data, for stiff systems, and a step |
//! | [`density`] | densities in any dimension, with score and sampling: normal, mixtures of normals |
//! | [`mixture`] | the exact oracle: density, score, field, denoiser and posterior covariance of a Gaussian mixture's path, with classes, guidance and floors of losses; paths between two mixtures |
//! | [`assignment`] | exact linear assignment and the Wasserstein distance |
//! | [`law`] | processes in closed form: Brownian motion, Ornstein–Uhlenbeck, geometric Brownian motion, VP, sub-VP, VE, Heston, Langevin, linear flows; Boltzmann's law of any potential on a line |
//! | [`stats`] | the normal distribution, tests of distributions and their power, moments, the energy distance, fits of a line |

pub mod assignment;
mod bisect;
pub mod density;
pub mod grid;
pub mod law;
mod linalg;
pub mod mixture;
pub mod precondition;
pub mod prediction;
pub mod rosenbrock;
pub mod scheduler;
pub mod stats;
pub mod tableau;
pub mod time;
#[cfg(test)]
mod trees;
pub mod weight;
