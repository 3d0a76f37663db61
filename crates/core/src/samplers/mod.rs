//! Every sampler of the field behind one trait and in one slice.

mod ask;
mod langevin;
mod multistep;
mod runge_kutta;
mod sde;
mod sigma;
mod spec;
mod table;

use fokker_math::diffusion::Diffusion;

use crate::{Denoiser, Noise, Span, State};

pub use spec::{
    Needs, Order, Parameter, Plan, Randomness, Sampler, SamplerError, SamplerSpec, Unsuited,
    sampler,
};
pub use table::SAMPLERS;

/// A sampler at work: moves a state from `span.from` to `span.to`.
pub trait Stepper {
    /// Takes one step; all randomness comes from `noise`. A step that does not begin where the last one ended
    /// begins anew, without memory.
    fn step(&mut self, model: &dyn Denoiser, x: State, span: Span, noise: &mut dyn Noise) -> State;
}
