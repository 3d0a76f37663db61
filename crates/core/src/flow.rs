use std::fmt;
use std::ops::{ControlFlow, Range};
use std::sync::Arc;

use burn::tensor::{Device, TensorData};
use fokker_math::diffusion::Diffusion;
use fokker_math::scheduler::Scheduler;
use fokker_sim::rng::{Purpose, normal_rows};

use crate::{
    ByClass, Denoiser, Guidance, Guided, Model, Network, Parametrization, ProbabilityPath,
    Progress, Rescheduled, RowNoise, SAMPLERS, SamplerSpec, State, sample,
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

/// An order for samples. Sample i of a seed is the same whatever else is asked for: its noise, its
/// class and its bits depend on the order's other fields and on i alone.
#[derive(Clone)]
pub struct Draw {
    /// How to walk.
    pub sampler: &'static SamplerSpec,
    /// Steps from noise to data, at the scheduler's own times.
    pub steps: usize,
    /// The σ_t of a stochastic sampler.
    pub diffusion: Diffusion,
    /// Another path than the one of the training, of the same law; `None`: that one.
    pub scheduler: Option<Arc<dyn Scheduler>>,
    /// How it is steered towards the classes.
    pub guidance: Guidance,
    /// The seed.
    pub seed: u64,
    /// Index of the first sample.
    pub first: u64,
    /// Number of samples.
    pub count: usize,
    /// Classes, taken in turn by sample index; empty: all of them in turn.
    pub classes: Vec<u32>,
}

impl Default for Draw {
    /// Sixteen samples by 25 Heun steps.
    fn default() -> Self {
        let heun = SAMPLERS.iter().find(|s| s.name == "heun");
        Self {
            sampler: heun.expect("Heun is in the table"),
            steps: 25,
            diffusion: Diffusion::default(),
            scheduler: None,
            guidance: Guidance::default(),
            seed: 0,
            first: 0,
            count: 16,
            classes: Vec::new(),
        }
    }
}

/// Rows that are sampled together for states of `dim` numbers.
///
/// Every chunk has exactly this many rows (the last is padded), whatever was asked for: matrix
/// products then always have the same shape, and a sample the same bits in any order.
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
    /// # Panics
    /// If a class is larger than the number of classes (which stands for ∅), or a stochastic sampler is
    /// asked for where the model [has no score](Self::has_score).
    pub fn sample(&self, draw: &Draw) -> Vec<f32> {
        self.sample_watched(draw, &mut |_, _| ControlFlow::Continue(()))
            .expect("nothing breaks off")
    }

    /// Like [`sample`](Self::sample), telling `watch` every step of every chunk of rows, with the
    /// range of sample indices that its first rows belong to; `None` when `watch` breaks.
    pub fn sample_watched(
        &self,
        draw: &Draw,
        watch: &mut dyn FnMut(Range<u64>, Progress) -> ControlFlow<()>,
    ) -> Option<Vec<f32>> {
        let limit = self.classes as u32;
        let mut asked = draw.classes.iter().chain(&draw.guidance.negative);
        if let Some(class) = asked.find(|c| **c > limit) {
            panic!("class {class} is out of range: this network has {limit} classes");
        }
        assert!(
            self.has_score || !draw.sampler.stochastic,
            "{} needs the score, which this model does not know",
            draw.sampler.name
        );
        let rows = chunk_rows(self.dim);
        let scheduler = draw.scheduler.as_ref().unwrap_or(self.path.scheduler());
        let grid = scheduler.times(draw.steps);
        let end = draw.first + draw.count as u64;
        let mut out = Vec::with_capacity(draw.count * self.dim);
        for first in (draw.first..end).step_by(rows) {
            let wanted = first..(first + rows as u64).min(end);
            let all = first..first + rows as u64;
            let x = TensorData::new(self.start(draw, all.clone()), [rows, self.dim]);
            let state = sample(
                &*self.denoiser(draw, all),
                &mut *(draw.sampler.make)(draw.diffusion),
                State::from_data(x, &self.device),
                &grid,
                &mut RowNoise::new(draw.seed, Purpose::Solver, first, &self.device),
                &mut |progress| watch(wanted.clone(), progress),
            )?;
            let values = state
                .into_data()
                .try_to_vec::<f32>()
                .expect("states are f32");
            out.extend_from_slice(&values[..(wanted.end - wanted.start) as usize * self.dim]);
        }
        Some(out)
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
                let scheduler = draw.scheduler.as_ref().unwrap_or(self.path.scheduler());
                let scale = scheduler.at(0.0).beta as f32;
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
        let model: Box<dyn Denoiser + 'a> = match classes {
            None => Box::new(model),
            Some(classes) => {
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
