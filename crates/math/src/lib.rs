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
//! | [`interpolant`] | paths between two arbitrary laws: linear, bridges, stochastic interpolants |
//! | [`diffusion`] | the diffusion coefficient of the SDE extension |
//! | [`multistep`] | weights of exponential and linear multistep samplers: DDIM, DPM-Solver++, UniPC, DEIS, LMS |
//! | [`grid`] | time grids: equal, in the log-SNR, of Karras, shifted, given; equal shares of an error |
//! | [`tableau`] | explicit Runge–Kutta methods as data, with error estimates and dense output, and a step |
//! | [`rosenbrock`] | a Rosenbrock method as data, for stiff systems, and a step |
//! | [`density`] | densities in any dimension, with score and sampling: normal, mixtures of normals |
//! | [`transport`] | optimal transport: exact, entropic, unbalanced; the Wasserstein distance; couplings of mini-batches |
//! | [`mixture`] | the exact oracle: density, score, field, denoiser and posterior covariance of a Gaussian mixture's path, with classes, guidance and floors of losses; paths between two mixtures |
//! | [`law`] | processes in closed form: Brownian motion, Ornstein–Uhlenbeck, geometric Brownian motion, VP, sub-VP, VE, Heston, Langevin, linear flows; Boltzmann's law of any potential on a line |
//! | [`linalg`] | dense matrices: products, roots of covariances, singular values |
//! | [`stats`] | the normal distribution, tests of distributions and their power, moments, the energy distance, fits of a line |

mod bisect;
pub mod density;
pub mod diffusion;
pub mod grid;
pub mod interpolant;
pub mod law;
pub mod linalg;
pub mod mixture;
pub mod multistep;
pub mod precondition;
pub mod prediction;
pub mod rosenbrock;
pub mod scheduler;
mod simd;
pub mod stats;
pub mod tableau;
pub mod time;
pub mod transport;
#[cfg(test)]
mod trees;
pub mod weight;
