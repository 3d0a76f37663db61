use burn::tensor::Tensor;
use fokker_math::precondition::Precondition;
use fokker_math::prediction::Prediction;

use crate::path::PathCoeffs;
use crate::{Estimate, State};

/// What a network is asked for: what goes in, and what its output means.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Parametrization {
    /// The output is this prediction; x and t go in as they are.
    Plain(Prediction),
    /// The output is the preconditioned denoiser's F, with x and t scaled to order 1 (Karras et al.,
    /// *Elucidating the design space of diffusion-based generative models*, 2022).
    Edm(Precondition),
    /// Two outputs side by side, `[batch, 2 dim]`: the velocity and the expected noise, which is −β
    /// times the score (between data sets −γ times it). One network for field and score.
    VelocityAndNoise,
    /// As networks are asked that were trained elsewhere.
    Told(Told),
}

/// A plain prediction of a network that is told the number of a step, or puts out something more.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Told {
    /// What the output is, or its first half.
    pub prediction: Prediction,
    /// T: instead of t the network is told n = T(1 − t) − 1, which counts the steps of a discrete diffusion from the data
    /// (n = 0) to the noise (n = T − 1), as [`Ddpm`](fokker_math::scheduler::Ddpm) does.
    pub steps: Option<u32>,
    /// Are there two outputs side by side, `[batch, 2 dim]`, the second of which says how large the variance of a step should
    /// be (Nichol and Dhariwal, *Improved denoising diffusion probabilistic models*, 2021)? It is left alone: samplers choose
    /// their own.
    pub variance: bool,
}

impl From<Prediction> for Parametrization {
    fn from(prediction: Prediction) -> Self {
        Self::Plain(prediction)
    }
}

/// A target as a combination of the data x₁, the start x₀ and the path's own noise ε.
pub(crate) type Row = [f64; 3];

impl Parametrization {
    /// How many values the network puts out for each of the data's.
    pub fn outputs(&self) -> usize {
        match self {
            Self::VelocityAndNoise => 2,
            Self::Told(told) if told.variance => 2,
            _ => 1,
        }
    }

    /// The factor of x on its way into the network.
    pub fn input_scale(&self, at: &PathCoeffs) -> f64 {
        match self {
            Self::Edm(p) => p.c_in(&at.ends),
            _ => 1.0,
        }
    }

    /// What the network is told as time.
    pub fn input_time(&self, at: &PathCoeffs, t: f64) -> f64 {
        match self {
            Self::Edm(p) => p.c_noise(&at.ends),
            Self::Told(Told {
                steps: Some(steps), ..
            }) => f64::from(*steps) * (1.0 - t) - 1.0,
            _ => t,
        }
    }

    /// The targets that the outputs are regressed on, one or two.
    pub(crate) fn rows(&self, at: &PathCoeffs) -> (Row, Option<Row>) {
        let two = |[x1, x0]: [f64; 2]| [x1, x0, 0.0];
        let velocity = [at.ends.d_alpha, at.ends.d_beta, at.d_gamma];
        match self {
            Self::Plain(Prediction::Velocity)
            | Self::Told(Told {
                prediction: Prediction::Velocity,
                ..
            }) => (velocity, None),
            Self::Plain(p) | Self::Told(Told { prediction: p, .. }) => (two(p.row(&at.ends)), None),
            Self::Edm(p) => (two(p.row(&at.ends)), None),
            Self::VelocityAndNoise if at.gaussian => (velocity, Some([0.0, 1.0, 0.0])),
            Self::VelocityAndNoise => (velocity, Some([0.0, 0.0, 1.0])),
        }
    }

    /// What the network's output says about `x`.
    pub(crate) fn read(&self, out: State, x: &State, at: &PathCoeffs) -> Estimate {
        match self {
            Self::Plain(prediction) => Estimate::of(out, *prediction),
            Self::Told(told) => {
                let dim = x.dims()[1];
                Estimate::of(out.narrow(1, 0, dim), told.prediction)
            }
            Self::Edm(p) => {
                let (from_x, from_out) = p.data_from(&at.ends);
                let z = x.clone().mul_scalar(from_x) + out.mul_scalar(from_out);
                Estimate::of(z, Prediction::Data)
            }
            Self::VelocityAndNoise => {
                let dim = x.dims()[1];
                let [velocity, noise] = halves(out, dim);
                Estimate {
                    noise: Some((noise, at.noise_scale())),
                    ..Estimate::of(velocity, Prediction::Velocity)
                }
            }
        }
    }
}

fn halves(out: Tensor<2>, dim: usize) -> [Tensor<2>; 2] {
    [out.clone().narrow(1, 0, dim), out.narrow(1, dim, dim)]
}
