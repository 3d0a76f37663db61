use std::f64::consts::TAU;
use std::ops::ControlFlow;

use burn::tensor::{Tensor, TensorData};

use crate::adaptive::AdaptiveError;
use crate::divergence::Probes;
use crate::ode::{Ode, OdeError, Way, decode, encode};
use crate::{Denoiser, Divergence, Flow, Model, Network, State, chunk_rows};

/// How a likelihood is found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LikelihoodSettings {
    /// How the equation is solved.
    pub ode: Ode,
    /// How the divergence is found.
    pub divergence: Divergence,
    /// The seed of random probes.
    pub seed: u64,
}

impl Default for LikelihoodSettings {
    /// To a tolerance of 10⁻⁵, with the exact divergence.
    fn default() -> Self {
        Self {
            ode: Ode::default(),
            divergence: Divergence::Exact,
            seed: 0,
        }
    }
}

/// The log-densities of data under a model.
#[derive(Clone, Debug, PartialEq)]
pub struct Likelihood {
    /// log p₁(x₁) of every row, in nats.
    pub log_p: Vec<f64>,
    /// The noise x₀ that each row comes from, `[rows, dim]`.
    pub noise: Vec<f32>,
    /// Network calls with their pullback, summed over chunks of rows.
    pub calls: usize,
}

/// log p₁ of the rows of `x`, `[batch, dim]`, under the flow of `model`, by the instantaneous change of variables:
///
/// d/dt log p_t(x_t) = −div u_t(x_t) along dx/dt = u_t(x), hence
/// log p₁(x₁) = log N(x₀; 0, β₀²I) − ∫₀¹ div u_t(x_t) dt,
///
/// both solved together from t = 1, where x₁ and 0 stand, back to t = 0. Row r is sample `samples[r]` of the seed of
/// random probes. The start is taken as N(0, β₀²I), which on the schedulers that keep a trace of the data at t = 0 (vp,
/// sub-vp, ve, edm) is what their samples start from, but not quite p₀. What happens where the velocity is not
/// determined at an end is told at [`Ode`].
///
/// Sources: Chen et al., *Neural ordinary differential equations*, 2018; Grathwohl et al., *FFJORD*, 2019; Song et
/// al., *Score-based generative modeling through SDEs*, 2021.
///
/// # Errors
/// See [`OdeError`].
pub fn log_likelihood(
    model: &dyn Denoiser,
    x: State,
    samples: &[u64],
    settings: &LikelihoodSettings,
    watch: &mut dyn FnMut(f64) -> ControlFlow<()>,
) -> Result<Likelihood, OdeError> {
    let [rows, dim] = x.dims();
    let probes = Probes::new(settings.divergence, settings.seed, samples, &x)?;
    let way = Way::new(&settings.ode, model, &x)?;
    let shrink = way.shrink();
    // The integral of the divergence is one more column.
    let zero = x.clone().narrow(1, 0, 1).zeros_like();
    let start = Tensor::cat(vec![x.mul_scalar(shrink), zero], 1);
    let mut rate = |t: f64, state: State| {
        let (u, divergence) = probes.velocity(model, &state.narrow(1, 0, dim), t)?;
        Ok(Tensor::cat(vec![u, divergence], 1))
    };
    let (end, evaluations) = way.to_noise(start, &mut rate, watch)?;
    let end = end.into_data().convert::<f64>();
    let end: Vec<f64> = end.try_to_vec().expect("converted to f64");
    let variance = model.scheduler().at(0.0).beta.powi(2);
    let mut found = Likelihood {
        log_p: Vec::with_capacity(rows),
        noise: Vec::with_capacity(rows * dim),
        calls: evaluations * probes.len(dim),
    };
    for row in end.chunks_exact(dim + 1) {
        let (x0, integral) = row.split_at(dim);
        let square: f64 = x0.iter().map(|x| x * x).sum();
        let start = -0.5 * (square / variance + dim as f64 * (TAU * variance).ln());
        // Of x₁, not of αx₁.
        let log_p = start + integral[0] + dim as f64 * shrink.ln();
        if !log_p.is_finite() {
            return Err(AdaptiveError::NotFinite { t: 0.0 }.into());
        }
        found.log_p.push(log_p);
        found.noise.extend(x0.iter().map(|x| *x as f32));
    }
    Ok(found)
}

impl<N: Network> Flow<N> {
    /// [`log_likelihood`] of data `x`, `[rows, dim]` row by row, each given its class where the model knows some (`None`:
    /// all given ∅). Row i's probes are those of sample i.
    ///
    /// Rows go through in chunks of [`chunk_rows`], the last one filled up with further rows from the beginning. With a
    /// fixed number of steps a row's result does not depend on its company; with a tolerance all rows of a chunk take
    /// the steps that the hardest of them needs, and results differ within the tolerance.
    ///
    /// # Errors
    /// See [`OdeError`].
    ///
    /// # Panics
    /// If `x` does not consist of whole rows, or `classes` has another number of them.
    pub fn log_likelihood(
        &self,
        settings: &LikelihoodSettings,
        x: &[f32],
        classes: Option<&[u32]>,
        watch: &mut dyn FnMut(f64) -> ControlFlow<()>,
    ) -> Result<Likelihood, OdeError> {
        let mut all = Likelihood {
            log_p: Vec::new(),
            noise: Vec::new(),
            calls: 0,
        };
        self.each_chunk(
            x,
            classes,
            watch,
            &mut |model, x, samples, wanted, watch| {
                let found = log_likelihood(model, x, samples, settings, watch)?;
                all.log_p.extend(&found.log_p[..wanted]);
                all.noise.extend(&found.noise[..wanted * self.dim]);
                all.calls += found.calls;
                Ok(())
            },
        )?;
        Ok(all)
    }

    /// [`encode`] of data `x`, `[rows, dim]` row by row: the noise they come from, and the network calls, summed over
    /// chunks. Classes and chunks as in [`log_likelihood`](Self::log_likelihood).
    ///
    /// # Errors
    /// See [`OdeError`].
    pub fn encode(
        &self,
        ode: &Ode,
        x: &[f32],
        classes: Option<&[u32]>,
        watch: &mut dyn FnMut(f64) -> ControlFlow<()>,
    ) -> Result<(Vec<f32>, usize), OdeError> {
        self.carry(encode, ode, x, classes, watch)
    }

    /// [`decode`] of noise `x`, `[rows, dim]` row by row: the data it becomes.
    ///
    /// # Errors
    /// See [`OdeError`].
    pub fn decode(
        &self,
        ode: &Ode,
        x: &[f32],
        classes: Option<&[u32]>,
        watch: &mut dyn FnMut(f64) -> ControlFlow<()>,
    ) -> Result<(Vec<f32>, usize), OdeError> {
        self.carry(decode, ode, x, classes, watch)
    }

    fn carry(
        &self,
        way: Carry,
        ode: &Ode,
        x: &[f32],
        classes: Option<&[u32]>,
        watch: &mut dyn FnMut(f64) -> ControlFlow<()>,
    ) -> Result<(Vec<f32>, usize), OdeError> {
        let (mut all, mut calls) = (Vec::new(), 0);
        self.each_chunk(x, classes, watch, &mut |model, x, _, wanted, watch| {
            let (state, more) = way(model, x, ode, watch)?;
            let values = state.into_data().try_to_vec::<f32>();
            let values = values.expect("states are f32");
            all.extend(&values[..wanted * self.dim]);
            calls += more;
            Ok(())
        })?;
        Ok((all, calls))
    }

    /// Calls `work` with the model, the states, the sample indices, the number of rows that count, and a watch, for every
    /// chunk of the rows of `x`.
    fn each_chunk(
        &self,
        x: &[f32],
        classes: Option<&[u32]>,
        watch: &mut dyn FnMut(f64) -> ControlFlow<()>,
        work: &mut Work<'_>,
    ) -> Result<(), OdeError> {
        if self.start.is_some() || !self.path.is_gaussian() {
            return Err(OdeError::OtherData);
        }
        assert!(
            x.len().is_multiple_of(self.dim),
            "expected rows of {} values, got {} values",
            self.dim,
            x.len()
        );
        let count = x.len() / self.dim;
        let null = self.classes as u32;
        if let Some(classes) = classes {
            assert_eq!(classes.len(), count, "one class for each row");
            if let Some(&class) = classes.iter().find(|c| **c > null) {
                let classes = self.classes;
                return Err(OdeError::Class { class, classes });
            }
        }
        let rows = chunk_rows(self.dim);
        let chunks = count.div_ceil(rows);
        for chunk in 0..chunks {
            let wanted = rows.min(count - chunk * rows);
            let samples: Vec<u64> = (0..rows)
                .map(|r| ((chunk * rows + r) % count) as u64)
                .collect();
            let row = |i: &u64| &x[*i as usize * self.dim..][..self.dim];
            let values: Vec<f32> = samples.iter().flat_map(row).copied().collect();
            let state = TensorData::new(values, [rows, self.dim]);
            let state = State::from_data(state, &self.device);
            let mut model = Model::new(&self.network, self.path.clone(), self.output, &self.device);
            if self.classes > 0 {
                let class = |i: &u64| classes.map_or(null, |c| c[*i as usize]);
                model = model.given(&samples.iter().map(class).collect::<Vec<u32>>());
            }
            let mut watch = |share: f64| watch((chunk as f64 + share) / chunks as f64);
            work(&model, state, &samples, wanted, &mut watch)?;
        }
        Ok(())
    }
}

/// Either of [`encode`] and [`decode`].
type Carry = fn(
    &dyn Denoiser,
    State,
    &Ode,
    &mut dyn FnMut(f64) -> ControlFlow<()>,
) -> Result<(State, usize), OdeError>;

type Work<'a> = dyn FnMut(
        &dyn Denoiser,
        State,
        &[u64],
        usize,
        &mut dyn FnMut(f64) -> ControlFlow<()>,
    ) -> Result<(), OdeError>
    + 'a;
