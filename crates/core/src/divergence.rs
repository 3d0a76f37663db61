use burn::tensor::{Tensor, TensorData};
use fokker_math::prediction::{Prediction, convert};
use fokker_sim::rng::{Purpose, Stream};

use crate::ode::OdeError;
use crate::{Denoiser, State};

/// How the divergence div u = tr ∂u/∂x of a field of d numbers is found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Divergence {
    /// By the d unit vectors: d pullbacks, each of the whole batch.
    Exact,
    /// As the mean of vᵀ(∂u/∂x)v over random v with E\[vvᵀ\] = I, which are fixed along the whole way of a sample.
    /// Unbiased. Sources: Hutchinson, *A stochastic estimator of the trace of the influence matrix*, 1990; Grathwohl
    /// et al., *FFJORD*, 2019.
    Hutchinson {
        /// The law of v.
        law: Probe,
        /// How many v.
        probes: usize,
        /// Whether every v has a partner v ⊙ (1, −1, 1, −1, …), at twice the cost. (−v itself says nothing new: the form
        /// is quadratic.) In the mean of the two all cross terms between an even and an odd coordinate cancel, and
        /// with them those between neighbours, the largest ones of pictures.
        antithetic: bool,
    },
}

/// The law of a random probe's numbers, independent of each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Probe {
    /// ±1: of all laws the one of least variance, 2Σ_{i≠j} of the symmetric part's squares.
    Rademacher,
    /// Standard normal: the diagonal is uncertain too.
    Gaussian,
}

/// The vectors that a batch's divergence is found by.
pub(crate) enum Probes {
    Unit,
    Random(Vec<State>),
}

impl Probes {
    /// For a batch like `x` whose row r is sample `samples[r]` of `seed`.
    pub(crate) fn new(
        divergence: Divergence,
        seed: u64,
        samples: &[u64],
        x: &State,
    ) -> Result<Self, OdeError> {
        let [rows, dim] = x.dims();
        assert_eq!(rows, samples.len(), "one sample index for each row");
        let (law, probes, antithetic) = match divergence {
            Divergence::Exact => return Ok(Self::Unit),
            Divergence::Hutchinson { probes: 0, .. } => return Err(OdeError::Zero("probes")),
            Divergence::Hutchinson {
                law,
                probes,
                antithetic,
            } => (law, probes, antithetic),
        };
        let mut all = Vec::new();
        for draw in 0..probes as u32 {
            let mut v = vec![0.0_f32; rows * dim];
            for (v, sample) in v.chunks_exact_mut(dim).zip(samples) {
                let stream = Stream::new(seed, Purpose::Project, *sample, draw);
                match law {
                    Probe::Gaussian => stream.normals(v),
                    Probe::Rademacher => {
                        stream.uniforms(v);
                        v.iter_mut()
                            .for_each(|v| *v = if *v < 0.5 { -1.0 } else { 1.0 });
                    }
                }
            }
            all.push(upload(v.clone(), x));
            if antithetic {
                for v in v.chunks_exact_mut(dim) {
                    v.iter_mut().skip(1).step_by(2).for_each(|v| *v = -*v);
                }
                all.push(upload(v, x));
            }
        }
        Ok(Self::Random(all))
    }

    /// Pullbacks for one divergence.
    pub(crate) fn len(&self, dim: usize) -> usize {
        match self {
            Self::Unit => dim,
            Self::Random(all) => all.len(),
        }
    }

    /// The velocity of `model` and its divergence, `[batch, dim]` and `[batch, 1]`.
    ///
    /// u = cx·x + cv·value, so div u = cx·d + cv·tr ∂value/∂x: the first term is known, whatever the probes.
    pub(crate) fn velocity(
        &self,
        model: &dyn Denoiser,
        x: &State,
        t: f64,
    ) -> Result<(State, State), OdeError> {
        let [rows, dim] = x.dims();
        let count = self.len(dim);
        let unit = |i: usize| {
            let mut v = vec![0.0_f32; rows * dim];
            v.iter_mut().skip(i).step_by(dim).for_each(|v| *v = 1.0);
            upload(v, x)
        };
        let c = model.scheduler().at(t);
        let mut found = None;
        for i in 0..count {
            let v = match self {
                Self::Unit => unit(i),
                Self::Random(all) => all[i].clone(),
            };
            let asked = model.vjp(x.clone(), t, v.clone());
            let (estimate, pull) = asked.ok_or(OdeError::NoPullback)?;
            let term = (v * pull).sum_dim(1);
            found = Some(match found {
                None => (estimate, term),
                Some((estimate, sum)) => (estimate, sum + term),
            });
        }
        let (estimate, sum) = found.ok_or(OdeError::Zero("values of a state"))?;
        let (from_x, from_value) = convert(estimate.prediction, Prediction::Velocity, &c)
            .ok_or(OdeError::NoVelocity { t })?;
        let weight = match self {
            Self::Unit => 1.0,
            Self::Random(_) => 1.0 / count as f64,
        };
        let u = x.clone().mul_scalar(from_x) + estimate.value.mul_scalar(from_value);
        Ok((u, sum * (weight * from_value) + from_x * dim as f64))
    }
}

/// A batch of the type and on the device of `like`.
fn upload(values: Vec<f32>, like: &State) -> State {
    let data = TensorData::new(values, like.dims());
    Tensor::from_data(data, (&like.device(), like.dtype()))
}
