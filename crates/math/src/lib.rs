//! The mathematics of flow and diffusion models on paper: f64, no tensors.
//!
//! One convention everywhere: t = 0 is noise, t = 1 is data; a Gaussian path is x = α_t z + β_t ε
//! with z a data point and ε ~ N(0, I); a dot is d/dt.
//!
//! | module | holds |
//! |---|---|
//! | [`scheduler`] | α and β as functions of time, their derivatives, the signal-to-noise ratio and its inverse |
//! | [`prediction`] | data, noise, velocity, v and score: what a network may predict, and how they convert |
//! | [`grid`] | time grids |
//! | [`tableau`] | Runge–Kutta methods as data, and an explicit step |
//! | [`mixture`] | the exact oracle: density, score, field and denoiser of a Gaussian mixture's path |
//! | [`assignment`] | exact linear assignment and the Wasserstein distance |
//! | [`stats`] | the normal distribution, Kolmogorov–Smirnov, moments, the energy distance |

pub mod assignment;
pub mod grid;
pub mod mixture;
pub mod prediction;
pub mod scheduler;
pub mod stats;
pub mod tableau;
