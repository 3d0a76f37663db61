use std::sync::Arc;

use fokker_math::diffusion::Diffusion;
use fokker_math::grid::Grid;
use fokker_math::scheduler::Scheduler;

use crate::{AdaptiveError, Guidance, GuidanceError, InverseError, Sampler, Unsuited, sampler};

/// An order for samples. Sample i of a seed is the same whatever else is asked for: its noise, its
/// class and its bits depend on the order's other fields and on i alone.
#[derive(Clone)]
pub struct Draw {
    /// How to walk.
    pub sampler: Sampler,
    /// Steps from noise to data, where neither the sampler nor the grid says how many.
    pub steps: usize,
    /// Where the steps are.
    pub times: Grid,
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
    /// Rows computed together; `None`: [`chunk_rows`](crate::chunk_rows), few enough for any memory. The bits do not depend
    /// on it where the network computes every row by itself, as those of fokker do.
    pub batch: Option<usize>,
    /// Where the walk begins.
    pub begin: Begin,
    /// What is known of the samples before.
    pub known: Option<Known>,
}

impl Default for Draw {
    /// Sixteen samples by 25 Heun steps.
    fn default() -> Self {
        Self {
            sampler: sampler("heun").expect("Heun is in the table"),
            steps: 25,
            times: Grid::Native,
            diffusion: Diffusion::default(),
            scheduler: None,
            guidance: Guidance::default(),
            seed: 0,
            first: 0,
            count: 16,
            classes: Vec::new(),
            batch: None,
            begin: Begin::Noise,
            known: None,
        }
    }
}

impl Draw {
    /// The steps and the sampler, in words.
    pub fn name(&self) -> String {
        match self.sampler.is_adaptive() {
            true => format!("{} to {}", self.sampler.spec.name, self.sampler.parameter),
            false => format!("{} steps of {}", self.steps, self.sampler),
        }
    }
}

/// Where a walk begins.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Begin {
    /// In noise of its own, or at the start of the model's path.
    #[default]
    Noise,
    /// In noise between that of two samples: cos(πs/2) ε_from + sin(πs/2) ε_to, s from 0 at the first sample of the
    /// draw to 1 at its last. It is standard normal for every s.
    Between {
        /// The sample whose noise is the first.
        from: u64,
        /// The sample whose noise is the last.
        to: u64,
    },
    /// In data with noise, at time 1 − strength: image to image (Meng et al., *SDEdit*, 2022).
    Data {
        /// The data, row by row, taken in turn by sample index.
        values: Arc<[f32]>,
        /// From 0, the data as they are, to 1, all noise.
        strength: f64,
    },
    /// In these states x₀ at t = 0, row by row, taken in turn by sample index: data that the model has encoded.
    States(Arc<[f32]>),
}

/// What is known of the samples before they are made: inpainting.
#[derive(Clone, Debug, PartialEq)]
pub struct Known {
    /// The data, row by row, taken in turn by sample index; anything where they are not known.
    pub values: Arc<[f32]>,
    /// Which numbers of a sample are known.
    pub mask: Arc<[bool]>,
    /// How they are made to agree with the rest.
    pub method: Inpainting,
}

/// How the known part of a sample and the rest are made to agree.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Inpainting {
    /// RePaint: the known part is put back after every step, and every stretch of `jump` steps is walked
    /// `times` times.
    RePaint {
        /// The steps of a stretch.
        jump: usize,
        /// How often it is walked.
        times: usize,
    },
    /// The known part is a measurement with this little noise, and the model is conditioned on it by its own
    /// posterior covariance (MMPS); the known part is put in exactly at the end.
    Mmps {
        /// The standard deviation of the noise; 0 is exact and slow to solve.
        sigma: f64,
        /// Iterations of the solve, each one pullback of the network.
        iterations: usize,
    },
}

/// Why a draw gives no samples.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum SampleError {
    /// A class that the model does not know.
    #[error("class {class} is out of range: this model has {classes} classes")]
    Class {
        /// The class asked for.
        class: u32,
        /// How many there are; this number stands for ∅.
        classes: u32,
    },
    /// A sampler that cannot walk the model's path.
    #[error(transparent)]
    Sampler(#[from] Unsuited),
    /// A guidance that means nothing.
    #[error(transparent)]
    Guidance(#[from] GuidanceError),
    /// An adaptive sampler came to no end.
    #[error(transparent)]
    Adaptive(#[from] AdaptiveError),
    /// What is known or measured of the samples does not fit the model.
    #[error(transparent)]
    Inverse(#[from] InverseError),
    /// Numbers to begin from or known ones, that are no whole samples.
    #[error("{what}: expected samples of {dim} numbers, got {got} numbers in all")]
    Rows {
        /// What they are.
        what: &'static str,
        /// Numbers in a sample.
        dim: usize,
        /// How many numbers there are.
        got: usize,
    },
    /// The model's path does not start at noise, which this needs.
    #[error("{0} needs a path that starts at noise, and this one starts at other data")]
    NoNoise(&'static str),
    /// A strength outside 0 to 1.
    #[error("the strength must be above 0 (the image as it is) and at most 1 (all noise), got {0}")]
    Strength(f64),
    /// The watch broke off.
    #[error("stopped")]
    Stopped,
}
