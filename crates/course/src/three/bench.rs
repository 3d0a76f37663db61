//! What every section works with: the data, the folder of runs, seeds, trainings that go on where they stopped.

use std::fs;
use std::ops::{ControlFlow, Range};
use std::path::PathBuf;
use std::sync::Arc;

use burn::module::Module;
use burn::tensor::Device;
use fokker_core::{Draw, Flow, SampleError, chunk_rows};
use fokker_data::{Dataset, Subset};
use fokker_train::{
    AnyNetwork, Config, Judge, LatentSpace, Metric, Outcome, RunFolder, RunInfo, Task, Trainer,
    flow_trainer_on, judge_trainer, prepare, vae_trainer,
};

use super::plan::{Plan, Training};
use super::{LabError, LabThree, Step};

/// The workbench of a section.
pub(super) struct Bench<'a> {
    pub(super) lab: &'a LabThree,
    pub(super) plan: Plan,
    /// The images to learn from, 1×32×32, and those to test on.
    pub(super) data: Arc<dyn Dataset>,
    pub(super) seen: Arc<dyn Dataset>,
    pub(super) test: Arc<dyn Dataset>,
    step: Step,
    /// The work of the lab before this section, and of this section.
    part: (f64, f64),
    progress: &'a mut dyn FnMut(Step) -> ControlFlow<()>,
    /// Filled by its section, used by later ones.
    pub(super) judge: Option<(Judge, f64)>,
    pub(super) autoencoder: Option<PathBuf>,
    pub(super) pixels: Option<Outcomes>,
}

/// What a generator reached, for the comparison at the end.
#[derive(Clone, Debug)]
pub(super) struct Outcomes {
    pub(super) name: &'static str,
    pub(super) parameters: usize,
    pub(super) items: u64,
    /// Seconds of training.
    pub(super) seconds: f64,
    /// (w, class agreement, spread within a class relative to the data's).
    pub(super) guided: Vec<(f64, f64, f64)>,
}

/// A trained generator.
pub(super) struct Generator {
    pub(super) run: RunFolder,
    pub(super) flow: Flow<AnyNetwork>,
    pub(super) latent: Option<LatentSpace>,
    pub(super) training: Training,
    pub(super) seconds: f64,
    pub(super) losses: Vec<(f64, f64)>,
}

/// Of the garments, which come without files to test on, so many are kept from the judge.
const KEPT: u64 = 200;

impl<'a> Bench<'a> {
    pub(super) fn new(
        lab: &'a LabThree,
        sections: usize,
        progress: &'a mut dyn FnMut(Step) -> ControlFlow<()>,
    ) -> Result<Self, LabError> {
        let config = Config::parse(&lab.recipe("data", "kind = \"mlp\""), "lab three", &[])?;
        let data = config.data.load(0)?;
        let (seen, test): (Arc<dyn Dataset>, Arc<dyn Dataset>) = match config.data.load_test()? {
            Some(test) => (data.clone(), test),
            None => {
                let n = data.len().unwrap_or(0);
                let part = |items: Range<u64>| Arc::new(Subset::new(data.clone(), items.collect()));
                (part(0..n - KEPT), part(n - KEPT..n))
            }
        };
        fs::create_dir_all(&lab.folder).map_err(|source| LabError::Folder {
            path: lab.folder.clone(),
            source,
        })?;
        Ok(Bench {
            plan: Plan::new(lab.scale),
            lab,
            data,
            seen,
            test,
            step: Step {
                section: 0,
                sections,
                title: "",
                share: 0.0,
                whole: 0.0,
            },
            part: (0.0, 0.0),
            progress,
            judge: None,
            autoencoder: None,
            pixels: None,
        })
    }

    /// Begins a section.
    pub(super) fn enter(
        &mut self,
        section: usize,
        title: &'static str,
        part: (f64, f64),
    ) -> Result<(), LabError> {
        (self.step.section, self.step.title, self.part) = (section, title, part);
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

    /// The device without autodiff.
    pub(super) fn device(&self) -> Device {
        self.lab.device.clone().without_autodiff()
    }

    /// The first `count` items of a set with their labels, `[count, dim]`.
    pub(super) fn items(data: &dyn Dataset, count: usize) -> (Vec<f32>, Vec<u32>) {
        let dim = data.shape().size();
        let mut values = vec![0.0; count * dim];
        let labels = values
            .chunks_exact_mut(dim)
            .zip(0..)
            .map(|(row, i)| data.item(i, row).unwrap_or(0))
            .collect();
        (values, labels)
    }

    /// Trains in a run folder of this name in the lab's, or goes on with the one that lies there; the share of the
    /// section's work goes from `shares.0` to `shares.1`.
    fn train<N: Module, T: Task<N>>(
        &mut self,
        name: &str,
        config: Config,
        mut trainer: Trainer<N, T>,
        info: RunInfo,
        shares: (f64, f64),
    ) -> Result<(RunFolder, Trainer<N, T>), LabError> {
        let path = self.lab.folder.join(name);
        let old = RunFolder::open(&path)
            .ok()
            .filter(|run| run.latest().is_ok());
        let run = match old {
            Some(mut run) => {
                if run.config().to_toml() != config.to_toml() {
                    return Err(LabError::Recipe(path));
                }
                let device = trainer.device().clone();
                trainer = run.resume(trainer, &device)?;
                run
            }
            None => {
                // What a killed process left before its first checkpoint.
                if path.exists() {
                    drop(fs::remove_dir_all(&path));
                }
                RunFolder::create(&path, config, info)?
            }
        };
        let steps = run.config().training.train.steps as f64;
        let (part, step) = (self.part, self.step);
        let progress = &mut *self.progress;
        let outcome = run.train(&mut trainer, &mut |report| {
            let share = shares.0 + (shares.1 - shares.0) * report.step as f64 / steps;
            progress(Step {
                share,
                whole: part.0 + share * part.1,
                ..step
            })
        })?;
        match outcome {
            Outcome::Finished => {
                self.tell(shares.1)?;
                Ok((run, trainer))
            }
            Outcome::Stopped => Err(self.stopped()),
        }
    }

    /// Trains a generator from a recipe's text.
    pub(super) fn generator(
        &mut self,
        name: &str,
        recipe: &str,
        training: Training,
        shares: (f64, f64),
    ) -> Result<Generator, LabError> {
        let config = Config::parse(recipe, "lab three", &[])?.pinned()?;
        let device = self.lab.device.clone();
        let tell = (self.step, &mut *self.progress);
        let prepared = prepare(&config, None, self.data.clone(), &device, &mut |_| {
            (tell.1)(tell.0)
        })?;
        let Some(prepared) = prepared else {
            return Err(self.stopped());
        };
        let trainer = flow_trainer_on(&config, self.data.clone(), prepared, &device)?;
        let info = RunInfo::of_flow(&trainer, &*self.data);
        let (run, _) = self.train(name, config, trainer, info, shares)?;
        let (flow, _) = run.flow(&self.device())?;
        let latent = run.latent_space(&self.device())?;
        let metrics = run.metrics()?;
        Ok(Generator {
            flow,
            latent,
            training,
            seconds: seconds(&metrics),
            losses: metrics.iter().map(|m| (m.step as f64, m.loss)).collect(),
            run,
        })
    }

    /// Trains the autoencoder from a recipe's text.
    pub(super) fn train_autoencoder(
        &mut self,
        name: &str,
        recipe: &str,
        shares: (f64, f64),
    ) -> Result<RunFolder, LabError> {
        let config = Config::parse(recipe, "lab three", &[])?.pinned()?;
        let trainer = vae_trainer(&config, self.data.clone(), &self.lab.device)?;
        let info = RunInfo::new(&*self.data, false, trainer.parameters());
        let (run, _) = self.train(name, config, trainer, info, shares)?;
        Ok(run)
    }

    /// Trains the judge from a recipe's text.
    pub(super) fn train_judge(
        &mut self,
        name: &str,
        recipe: &str,
        shares: (f64, f64),
    ) -> Result<(Judge, RunFolder), LabError> {
        let config = Config::parse(recipe, "lab three", &[])?.pinned()?;
        let trainer = judge_trainer(&config, self.seen.clone(), &self.lab.device)?;
        let info = RunInfo::new(&*self.seen, true, trainer.parameters());
        let (run, trainer) = self.train(name, config, trainer, info, shares)?;
        let classes = self.data.classes().to_vec();
        Ok((Judge::new(trainer.model(), classes, &self.device()), run))
    }

    /// Samples as images, and where the walk was at these shares of it (also as images); progress from `shares.0` to
    /// `shares.1`.
    pub(super) fn sample(
        &mut self,
        generator: &Generator,
        draw: &Draw,
        film: usize,
        shares: (f64, f64),
    ) -> Result<(Vec<f32>, Vec<Vec<f32>>), LabError> {
        let dim = generator.flow.dim;
        let chunks = draw.count.div_ceil(chunk_rows(dim)) as f64;
        let mut frames: Vec<Vec<f32>> = Vec::new();
        let (part, step) = (self.part, self.step);
        let progress = &mut *self.progress;
        let sampled = generator.flow.sample_watched(draw, &mut |samples, at| {
            let chunk = (samples.start / chunk_rows(dim) as u64) as f64;
            let done = (chunk + at.step as f64 / at.steps as f64) / chunks;
            let share = shares.0 + (shares.1 - shares.0) * done.min(1.0);
            if samples.start < film as u64 {
                let wanted = (samples.end.min(film as u64) - samples.start) as usize * dim;
                frames.resize(frames.len().max(at.steps + 1), Vec::new());
                let values = at.state.to_data().try_to_vec::<f32>();
                frames[at.step].extend_from_slice(&values.expect("states are f32")[..wanted]);
            }
            progress(Step {
                share,
                whole: part.0 + share * part.1,
                ..step
            })
        });
        let values = match sampled {
            Err(SampleError::Stopped) => return Err(self.stopped()),
            values => values?,
        };
        Ok(match &generator.latent {
            None => (values, frames),
            Some(space) => (
                space.decode(&values),
                frames.iter().map(|f| space.decode(f)).collect(),
            ),
        })
    }
}

/// Time spent in training.
pub(super) fn seconds(metrics: &[Metric]) -> f64 {
    metrics.iter().map(|m| m.seconds).sum()
}
