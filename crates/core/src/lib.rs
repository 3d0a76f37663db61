//! Flow and diffusion models on tensors: probability paths, denoisers, guidance and samplers.
//!
//! Time runs from noise to data: t = 0 is `p_init` = N(0, I), t = 1 is `p_data`. A batch is a
//! [`State`], `[batch, dim]`: networks reshape inside, so that no solver needs to know whether it
//! moves points in the plane or images.
//!
//! The way of data: [`ProbabilityPath::sample`] makes training examples, a [`Network`] learns them, a
//! [`Model`] (optionally [`Guided`]) turns the network into a [`Denoiser`], and [`sample()`] walks it
//! along a time grid with a [`Stepper`] from [`SAMPLERS`].

mod adaptive;
mod denoiser;
mod divergence;
mod draw;
mod flow;
mod grid_search;
mod guidance;
mod inverse;
mod likelihood;
mod model;
mod network;
mod noise;
mod ode;
mod oracle;
mod parametrization;
mod path;
mod plan;
mod pullback;
mod renoise;
mod rescheduled;
mod sample;
mod samplers;

pub use adaptive::{Adaptive, AdaptiveError, MAX_STEPS, Walk};
pub use denoiser::{Denoiser, Estimate};
pub use divergence::{Divergence, Probe};
pub use draw::{Begin, Draw, Inpainting, Known, SampleError};
pub use flow::{Flow, Start, chunk_rows};
pub use grid_search::{FoundGrid, GridSearchError, GridTrials, GridWatch, searchable};
pub use guidance::{
    Autoguided, ByClass, ClassifierGuided, Conditional, Guidance, GuidanceError, Guided, Pair,
    RULES, Rule, RuleError, RuleSpec,
};
pub use inverse::{
    Dense, Downsample, Inpaint, InverseError, LinearOperator, Mask, Measured, Method, resample,
};
pub use likelihood::{Likelihood, LikelihoodSettings, log_likelihood};
pub use model::Model;
pub use network::{Labels, Network, labels};
pub use noise::{Noise, RowNoise};
pub use ode::{Ode, OdeError, decode, encode};
pub use oracle::Oracle;
pub use parametrization::{Parametrization, Told};
pub use path::{Examples, PathCoeffs, ProbabilityPath};
pub use renoise::{noised, renoise, tail};
pub use rescheduled::Rescheduled;
pub use sample::{Progress, Span, sample};
pub use samplers::{
    Needs, Order, Parameter, Plan, Randomness, SAMPLERS, Sampler, SamplerError, SamplerSpec,
    Stepper, Unsuited, sampler,
};

/// A batch of states, `[batch, dim]`.
pub type State = burn::tensor::Tensor<2>;
