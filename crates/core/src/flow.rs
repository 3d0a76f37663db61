use std::ops::{ControlFlow, Range};
use std::sync::Arc;

use burn::tensor::Device;
use fokker_math::grid;
use fokker_math::prediction::Prediction;
use fokker_math::scheduler::Scheduler;
use fokker_sim::rng::Purpose;

use crate::{
    Denoiser, Guided, Model, Network, Noise, Progress, RowNoise, SAMPLERS, SamplerSpec, sample,
};

/// A trained network with all that is needed to sample from it.
#[derive(Clone, Debug)]
pub struct Flow<N> {
    /// The network, without autodiff.
    pub network: N,
    /// The path it was trained on.
    pub scheduler: Arc<dyn Scheduler>,
    /// What its output means.
    pub prediction: Prediction,
    /// Numbers in one sample.
    pub dim: usize,
    /// Number of classes it knows (0: none); label `classes` is ∅.
    pub classes: usize,
    /// Where it computes.
    pub device: Device,
}

/// An order for samples. Sample i of a seed is the same whatever else is asked for: its noise, its
/// class and its bits depend on the order's other fields and on i alone.
#[derive(Clone)]
pub struct Draw {
    /// How to walk.
    pub sampler: &'static SamplerSpec,
    /// Steps from noise to data, uniform in t.
    pub steps: usize,
    /// The guidance weight w (1: none).
    pub guidance: f64,
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
            guidance: 1.0,
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
    /// If a class is larger than the number of classes (which stands for ∅).
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
        if let Some(class) = draw.classes.iter().find(|c| **c > limit) {
            panic!("class {class} is out of range: this network has {limit} classes");
        }
        let rows = chunk_rows(self.dim);
        let grid = grid::uniform(draw.steps);
        let end = draw.first + draw.count as u64;
        let mut out = Vec::with_capacity(draw.count * self.dim);
        for first in (draw.first..end).step_by(rows) {
            let wanted = first..(first + rows as u64).min(end);
            let x =
                RowNoise::new(draw.seed, Purpose::Init, first, &self.device).normal(rows, self.dim);
            let state = sample(
                &*self.denoiser(draw, first..first + rows as u64),
                &mut *(draw.sampler.make)(),
                x,
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

    fn denoiser<'a>(&'a self, draw: &Draw, samples: Range<u64>) -> Box<dyn Denoiser + 'a> {
        let model = Model::new(
            &self.network,
            self.scheduler.clone(),
            self.prediction,
            &self.device,
        );
        let classes: Option<Vec<u32>> = samples.map(|i| self.class_of(draw, i)).collect();
        match classes {
            None => Box::new(model),
            Some(classes) => {
                let null = self.classes as u32;
                Box::new(Guided::new(model.given(&classes), null, draw.guidance))
            }
        }
    }
}
