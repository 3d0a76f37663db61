//! What every section works with: seeds, trainings with progress, and paths of samples.

use std::ops::ControlFlow;
use std::sync::Arc;

use burn::tensor::Device;
use fokker_core::{
    Denoiser, Flow, Network, ProbabilityPath, Progress, RowNoise, State, sample, sampler,
};
use fokker_data::{Dataset, ToyConfig, toy};
use fokker_math::diffusion::Diffusion;
use fokker_math::grid::uniform;
use fokker_math::scheduler::Scheduler;
use fokker_math::transport::Coupling;
use fokker_nn::{Init, Mlp, MlpConfig};
use fokker_sim::rng::{Cursor, Purpose, Stream};
use fokker_train::config::{
    ObjectiveConfig, OptimizerConfig, ScheduleConfig, TrainConfig, Training,
};
use fokker_train::{FlowTask, Source, Trainer};

use super::points::{Points, of_state};
use super::{LabError, Step};

/// The workbench of a section.
pub(super) struct Bench<'a> {
    seed: u64,
    step: Step,
    /// The work of the lab before this section, and of this section.
    part: (f64, f64),
    progress: &'a mut dyn FnMut(Step) -> ControlFlow<()>,
    /// Random things so far: each has a seed of its own.
    drawn: u64,
    pub(super) device: Device,
    /// The field of the third section, which the fourth and the fifth use.
    pub(super) ring: Option<Trained>,
}

/// A training to do.
pub(super) struct Job {
    pub(super) data: Arc<dyn Dataset>,
    pub(super) path: ProbabilityPath,
    pub(super) objective: ObjectiveConfig,
    pub(super) source: Option<Arc<dyn Dataset>>,
    pub(super) coupling: Option<Coupling>,
    pub(super) hidden: Vec<usize>,
    pub(super) time_features: usize,
    pub(super) steps: u64,
    pub(super) batch: usize,
    pub(super) lr: f64,
}

/// A trained network.
#[derive(Clone)]
pub(super) struct Trained {
    pub(super) flow: Flow<Mlp>,
    /// (step, mean loss over the dimensions).
    pub(super) losses: Points,
    pub(super) parameters: usize,
}

impl Job {
    /// Flow matching of `data` along the Gaussian path of `scheduler`, by the course's network.
    pub(super) fn new(data: Arc<dyn Dataset>, scheduler: Arc<dyn Scheduler>) -> Job {
        Job {
            data,
            path: ProbabilityPath::gaussian(scheduler),
            objective: ObjectiveConfig {
                classes: false,
                label_drop: 0.0,
                ..ObjectiveConfig::default()
            },
            source: None,
            coupling: None,
            hidden: vec![64; 4],
            time_features: 0,
            steps: 3000,
            batch: 1000,
            lr: 2e-3,
        }
    }
}

/// A toy data set with its usual parameters.
pub(super) fn toy_set(name: &str, seed: u64) -> Result<Arc<dyn Dataset>, LabError> {
    Ok(Arc::new(toy(&ToyConfig::new(name).with_seed(seed))?))
}

impl<'a> Bench<'a> {
    pub(super) fn new(
        seed: u64,
        sections: usize,
        progress: &'a mut dyn FnMut(Step) -> ControlFlow<()>,
    ) -> Self {
        let step = Step {
            section: 0,
            sections,
            title: "",
            share: 0.0,
            whole: 0.0,
        };
        Bench {
            seed,
            step,
            part: (0.0, 0.0),
            progress,
            drawn: 0,
            device: Device::flex(),
            ring: None,
        }
    }

    /// Begins a section.
    pub(super) fn enter(
        &mut self,
        section: usize,
        title: &'static str,
        part: (f64, f64),
    ) -> Result<(), LabError> {
        (self.step.section, self.step.title, self.part) = (section, title, part);
        // A section's numbers do not depend on which others were run.
        self.drawn = 1000 * section as u64;
        self.tell(0.0)
    }

    /// Tells how far the section is, and stops where that is wished.
    pub(super) fn tell(&mut self, share: f64) -> Result<(), LabError> {
        self.step.share = share;
        self.step.whole = self.part.0 + share * self.part.1;
        match (self.progress)(self.step) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(self.stopped()),
        }
    }

    fn stopped(&self) -> LabError {
        LabError::Stopped {
            section: self.step.section,
            title: self.step.title,
        }
    }

    /// A seed that nothing else of the lab has.
    pub(super) fn seed(&mut self) -> u64 {
        self.drawn += 1;
        // Odd, so a bijection: different seeds of the lab share no seed nearby.
        self.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ self.drawn
    }

    /// Random numbers.
    pub(super) fn cursor(&mut self) -> Cursor {
        let seed = self.seed();
        Stream::new(seed, Purpose::Data, 0, 0).cursor()
    }

    /// Trains; the share of the section's work goes from `shares.0` to `shares.1`.
    pub(super) fn train(&mut self, job: Job, shares: (f64, f64)) -> Result<Trained, LabError> {
        let seed = self.seed();
        let device = self.device.clone().autodiff();
        let mut task = FlowTask::new(job.data.clone(), job.path, job.objective, seed);
        if let Some(source) = job.source {
            let source = Source::new(source, job.data.shape(), None, seed)?;
            task = task.from_source(Arc::new(source));
        }
        if let Some(coupling) = job.coupling {
            task = task.coupled(coupling);
        }
        let config = MlpConfig {
            hidden: job.hidden,
            time_features: job.time_features,
            ..MlpConfig::default()
        };
        let outputs = task.output().outputs();
        let net = config.init(task.dim(), outputs, 0, &mut Init::new(seed, &device));
        let parameters = burn::module::Module::num_params(&net);
        let training = Training {
            optimizer: OptimizerConfig {
                lr: job.lr,
                ..OptimizerConfig::default()
            },
            schedule: ScheduleConfig {
                warmup: 100,
                ..ScheduleConfig::default()
            },
            train: TrainConfig {
                steps: job.steps,
                batch: job.batch,
                ..TrainConfig::default()
            },
            ..Training::default()
        };
        let mut trainer = Trainer::new(net, task, &training, &device);
        let mut losses = Vec::new();
        while trainer.steps_done() < job.steps {
            let report = trainer.step()?;
            losses.push((report.step as f64, report.loss));
            if report.step % 10 == 0 {
                let done = report.step as f64 / job.steps as f64;
                self.tell(shares.0 + (shares.1 - shares.0) * done)?;
            }
        }
        Ok(Trained {
            flow: trainer.flow(),
            losses,
            parameters,
        })
    }

    /// Walks `start` through `steps` steps of a sampler, and gives the states at these steps.
    pub(super) fn walk(
        &mut self,
        model: &dyn Denoiser,
        (name, diffusion): (&str, Diffusion),
        start: State,
        steps: usize,
        keep: &[usize],
    ) -> Result<Vec<Points>, LabError> {
        let seed = self.seed();
        let mut stepper = sampler(name)
            .expect("a sampler of the table")
            .start(diffusion);
        let mut noise = RowNoise::new(seed, Purpose::Solver, 0, &self.device);
        let mut kept = Vec::with_capacity(keep.len());
        let (step, progress) = (self.step, &mut *self.progress);
        let watch = &mut |at: Progress| {
            if keep.contains(&at.step) {
                kept.push(of_state(at.state));
            }
            progress(step)
        };
        let grid = uniform(steps);
        match sample(model, &mut *stepper, start, &grid, &mut noise, watch) {
            Some(_) => Ok(kept),
            None => Err(self.stopped()),
        }
    }
}

/// The model of a flow without classes.
pub(super) fn model<N: Network>(flow: &Flow<N>) -> Box<dyn Denoiser + '_> {
    flow.denoiser(&fokker_core::Draw::default(), 0..1)
}
