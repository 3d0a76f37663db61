use std::f64::consts::FRAC_PI_2;
use std::fmt;
use std::ops::{ControlFlow, Range};
use std::sync::Arc;

use burn::tensor::{Device, TensorData};
use fokker_math::scheduler::Scheduler;
use fokker_sim::rng::{Purpose, normal_rows};

use crate::inverse::{Inpaint, LinearOperator, Mask, Measured, Method, resample};
use crate::plan::adaptive_times;
use crate::renoise::tail;
use crate::{
    Adaptive, Begin, ByClass, Denoiser, Draw, Guided, Inpainting, InverseError, Known, Model,
    Network, Parametrization, Plan, ProbabilityPath, Progress, Rescheduled, RowNoise, SampleError,
    State, Stepper, sample,
};

/// A trained network with all that is needed to sample from it.
#[derive(Clone, Debug)]
pub struct Flow<N> {
    /// The network, without autodiff.
    pub network: N,
    /// The path it was trained on.
    pub path: ProbabilityPath,
    /// What its output means.
    pub output: Parametrization,
    /// Where its path starts, where that is not noise.
    pub start: Option<Arc<dyn Start>>,
    /// Does its output determine the score of the marginals? Stochastic sampling needs it. It does not
    /// where noise and data were coupled, or the path starts at other data without a noise of its own.
    pub has_score: bool,
    /// Numbers in one sample.
    pub dim: usize,
    /// Number of classes it knows (0: none); label `classes` is ∅.
    pub classes: usize,
    /// Where it computes.
    pub device: Device,
    /// A worse version of it, smaller or trained for less, on the same path: guidance then leads away from that
    /// instead of from ∅ (autoguidance).
    pub weaker: Option<Arc<Flow<N>>>,
}

/// The law p_init of a path between two data sets.
pub trait Start: Send + Sync {
    /// Writes x₀ of sample `sample` of `seed`, of class `class` where one is asked for: a function of these.
    fn start(&self, seed: u64, sample: u64, class: Option<u32>, x0: &mut [f32]);
}

impl fmt::Debug for dyn Start {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Start")
    }
}

/// Rows that are sampled together for states of `dim` numbers, where [`Draw::batch`] does not say how many.
///
/// The last chunk is padded. Steps by tolerance are found on this many rows, whatever the batch.
pub fn chunk_rows(dim: usize) -> usize {
    if dim <= 64 { 1024 } else { 16 }
}

impl<N: Network> Flow<N> {
    /// The class of sample `index`; `None` where the network knows no classes.
    pub fn class_of(&self, draw: &Draw, index: u64) -> Option<u32> {
        match (self.classes, &draw.classes[..]) {
            (0, _) => None,
            (classes, []) => Some((index % classes as u64) as u32),
            (_, given) => Some(given[(index % given.len() as u64) as usize]),
        }
    }

    /// The samples of `draw`, `[count, dim]` row by row.
    ///
    /// # Errors
    /// A draw that this model cannot serve; an adaptive sampler that came to no end.
    pub fn sample(&self, draw: &Draw) -> Result<Vec<f32>, SampleError> {
        self.sample_watched(draw, &mut |_, _| ControlFlow::Continue(()))
    }

    /// Like [`sample`](Self::sample), telling `watch` every step of every chunk of rows, with the
    /// range of sample indices that its first rows belong to.
    ///
    /// # Errors
    /// As [`sample`](Self::sample), and [`SampleError::Stopped`] when `watch` breaks.
    pub fn sample_watched(
        &self,
        draw: &Draw,
        watch: &mut dyn FnMut(Range<u64>, Progress) -> ControlFlow<()>,
    ) -> Result<Vec<f32>, SampleError> {
        self.check(draw)?;
        let grid = self.times(draw)?;
        let rows = draw.batch.unwrap_or(chunk_rows(self.dim)).max(1);
        let end = draw.first + draw.count as u64;
        let mut out = Vec::with_capacity(draw.count * self.dim);
        for first in (draw.first..end).step_by(rows) {
            let wanted = first..(first + rows as u64).min(end);
            let all = first..first + rows as u64;
            let state = self.walk(draw, &grid, all, &mut |progress| {
                watch(wanted.clone(), progress)
            })?;
            let values = state
                .into_data()
                .try_to_vec::<f32>()
                .expect("states are f32");
            out.extend_from_slice(&values[..(wanted.end - wanted.start) as usize * self.dim]);
        }
        Ok(out)
    }

    /// One chunk of rows from the beginning to the end of `grid`.
    fn walk(
        &self,
        draw: &Draw,
        grid: &[f64],
        samples: Range<u64>,
        watch: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<State, SampleError> {
        let x = self.state(self.begin(draw, grid[0], samples.clone()));
        let model = self.denoiser(draw, samples.clone());
        let mut stepper = draw.sampler.start(draw.diffusion);
        let mut noise = RowNoise::new(draw.seed, Purpose::Solver, samples.start, &self.device);
        let mut walk = |model: &dyn Denoiser, stepper: &mut dyn Stepper| {
            sample(model, stepper, x.clone(), grid, &mut noise, watch).ok_or(SampleError::Stopped)
        };
        let Some(Known {
            values,
            mask,
            method,
        }) = &draw.known
        else {
            return walk(&*model, &mut *stepper);
        };
        let known = self.state(in_turn(values, self.dim, samples));
        match *method {
            Inpainting::RePaint { .. } => walk(&*model, &mut Inpaint::new(stepper, mask, known)?),
            Inpainting::Mmps { sigma, iterations } => {
                let operator = Mask::new(mask)?;
                let y = operator.apply(known.clone());
                let method = Method::Mmps { iterations };
                let measured = Measured::new(model, &operator, y, sigma, method)?;
                let end = walk(&measured, &mut *stepper)?;
                let kept = operator.adjoint(operator.apply(end.clone()));
                Ok(end - kept + operator.adjoint(operator.apply(known)))
            }
        }
    }

    pub(crate) fn state(&self, values: Vec<f32>) -> State {
        let rows = values.len() / self.dim;
        State::from_data(TensorData::new(values, [rows, self.dim]), &self.device)
    }

    /// Whether this model can serve `draw`.
    ///
    /// # Errors
    /// Why not.
    pub fn check(&self, draw: &Draw) -> Result<(), SampleError> {
        let classes = self.classes as u32;
        if let Some(&class) = draw.classes.iter().find(|c| **c > classes) {
            return Err(SampleError::Class { class, classes });
        }
        draw.sampler.suits(&self.path, self.has_score)?;
        draw.guidance.check(classes)?;
        let whole = |what, values: &[f32]| match values.len() {
            got if got == 0 || !got.is_multiple_of(self.dim) => Err(SampleError::Rows {
                what,
                dim: self.dim,
                got,
            }),
            _ => Ok(()),
        };
        let noisy = |what| match self.start {
            Some(_) => Err(SampleError::NoNoise(what)),
            None => Ok(()),
        };
        match &draw.begin {
            Begin::Noise => {}
            Begin::Between { .. } => noisy("interpolation between samples' noise")?,
            Begin::Data { values, strength } => {
                noisy("beginning from data")?;
                whole("data to begin from", values)?;
                if !(*strength > 0.0 && *strength <= 1.0) {
                    return Err(SampleError::Strength(*strength));
                }
            }
            Begin::States(values) => whole("states to begin from", values)?,
        }
        if let Some(Known { values, mask, .. }) = &draw.known {
            noisy("inpainting")?;
            whole("known data", values)?;
            if mask.len() != self.dim {
                let (mask, given) = (mask.len(), self.dim);
                return Err(InverseError::Mask { mask, given }.into());
            }
            if !mask.contains(&true) {
                return Err(InverseError::EmptyMask { dim: self.dim }.into());
            }
        }
        Ok(())
    }

    /// The scheduler that `draw` walks along.
    pub fn scheduler(&self, draw: &Draw) -> Arc<dyn Scheduler> {
        let own = self.path.scheduler();
        draw.scheduler.as_ref().unwrap_or(own).clone()
    }

    /// The times of the steps of `draw`.
    ///
    /// An adaptive sampler finds them on a pilot, the chunk that begins with sample 0 of the seed, and takes the same for
    /// all: a sample's bits then do not depend on its company, and the steps are known before the work begins.
    ///
    /// # Errors
    /// An adaptive sampler that came to no end.
    pub fn times(&self, draw: &Draw) -> Result<Vec<f64>, SampleError> {
        let scheduler = self.scheduler(draw);
        let begin = match draw.begin {
            Begin::Data { strength, .. } => 1.0 - strength,
            _ => 0.0,
        };
        let grid = || {
            let grid = draw.times.times(&*scheduler, draw.steps);
            if begin > 0.0 {
                tail(&grid, 1.0 - begin)
            } else {
                grid
            }
        };
        let grid = match draw.sampler.spec.plan {
            Plan::Grid | Plan::Restart => draw.sampler.walk(grid(), &*scheduler),
            Plan::Adaptive(tableau) => {
                let pilot = 0..chunk_rows(self.dim) as u64;
                let x = self.state(self.begin(draw, begin, pilot.clone()));
                let tolerance = draw.sampler.parameter;
                let solver = Adaptive {
                    tableau,
                    rtol: tolerance,
                    atol: tolerance,
                };
                adaptive_times(&*self.denoiser(draw, pilot), &solver, x, begin)?
            }
        };
        Ok(match draw.known {
            Some(Known {
                method: Inpainting::RePaint { jump, times },
                ..
            }) => resample(&grid, jump, times),
            _ => grid,
        })
    }

    /// The states that `samples` of the draw begin with at time `t`, row by row.
    fn begin(&self, draw: &Draw, t: f64, samples: Range<u64>) -> Vec<f32> {
        match &draw.begin {
            Begin::Noise => self.start(draw, samples),
            Begin::States(values) => in_turn(values, self.dim, samples),
            Begin::Between { from, to } => {
                let [a, b] = [from, to].map(|i| self.start(draw, *i..i + 1));
                let last = draw.count.saturating_sub(1).max(1) as f64;
                let angle = |i| ((i - draw.first) as f64 / last).min(1.0) * FRAC_PI_2;
                let rows = samples.map(|i| angle(i).sin_cos());
                rows.flat_map(|(s, c)| {
                    let (s, c) = (s as f32, c as f32);
                    a.iter().zip(&b).map(move |(a, b)| c * a + s * b)
                })
                .collect()
            }
            Begin::Data { values, .. } => {
                let c = self.scheduler(draw).at(t);
                let (alpha, beta) = (c.alpha as f32, c.beta as f32);
                let mut eps = vec![0.0; (samples.end - samples.start) as usize * self.dim];
                normal_rows(
                    draw.seed,
                    Purpose::Init,
                    samples.clone(),
                    0,
                    self.dim,
                    &mut eps,
                );
                let data = in_turn(values, self.dim, samples);
                data.iter()
                    .zip(eps)
                    .map(|(z, e)| alpha * z + beta * e)
                    .collect()
            }
        }
    }

    /// The states x₀ that `samples` of the draw start from, `[samples, dim]` row by row: β₀ε, or the
    /// start's own.
    pub fn start(&self, draw: &Draw, samples: Range<u64>) -> Vec<f32> {
        let rows = (samples.end - samples.start) as usize;
        let mut x = vec![0.0; rows * self.dim];
        match &self.start {
            Some(start) => {
                for (row, sample) in x.chunks_exact_mut(self.dim).zip(samples.clone()) {
                    start.start(draw.seed, sample, self.class_of(draw, sample), row);
                }
                // A path may carry noise from the start.
                let gamma = self.path.at(0.0).gamma as f32;
                if gamma != 0.0 {
                    let mut eps = vec![0.0; x.len()];
                    normal_rows(draw.seed, Purpose::Init, samples, 0, self.dim, &mut eps);
                    x.iter_mut().zip(eps).for_each(|(x, e)| *x += gamma * e);
                }
            }
            None => {
                normal_rows(draw.seed, Purpose::Init, samples, 0, self.dim, &mut x);
                let scale = self.scheduler(draw).at(0.0).beta as f32;
                if scale != 1.0 {
                    x.iter_mut().for_each(|x| *x *= scale);
                }
            }
        }
        x
    }

    /// The model as one denoiser for the classes of `samples`.
    pub fn denoiser<'a>(&'a self, draw: &Draw, samples: Range<u64>) -> Box<dyn Denoiser + 'a> {
        let model = Model::new(&self.network, self.path.clone(), self.output, &self.device);
        let classes: Option<Vec<u32>> = samples.clone().map(|i| self.class_of(draw, i)).collect();
        let model: Box<dyn Denoiser + 'a> = match (classes, &self.weaker) {
            (classes, Some(weaker)) => {
                let bad = Model::new(
                    &weaker.network,
                    weaker.path.clone(),
                    weaker.output,
                    &self.device,
                );
                let [good, bad] = [model, bad].map(|m| match &classes {
                    Some(classes) => m.given(classes),
                    None => m,
                });
                Box::new(Guided::autoguided(good, bad, &draw.guidance, samples))
            }
            (None, None) => Box::new(model),
            (Some(classes), None) => {
                let instead = draw.guidance.negative.unwrap_or(self.classes as u32);
                let both = ByClass::new(model, &classes, instead);
                Box::new(Guided::new(both, &draw.guidance, samples))
            }
        };
        match &draw.scheduler {
            None => model,
            Some(to) => Box::new(Rescheduled::new(model, to.clone())),
        }
    }
}

/// The rows of `values` that these samples take, in turn.
fn in_turn(values: &[f32], dim: usize, samples: Range<u64>) -> Vec<f32> {
    let rows = (values.len() / dim) as u64;
    let row = |i: u64| (i % rows) as usize * dim;
    samples
        .flat_map(|i| &values[row(i)..row(i) + dim])
        .copied()
        .collect()
}
