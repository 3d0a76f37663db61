//! From a checked recipe to things that run.

use std::ops::ControlFlow;
use std::sync::Arc;

use burn::tensor::Device;
use fokker_core::{Draw, Flow, Network, SampleError, Sampler, Start, sampler};
use fokker_data::Dataset;
use fokker_nn::{Classifier, Init};

use crate::captions;
use crate::config::CouplingKind;
use crate::{
    AnyNetwork, Checkpoint, ClassifyTask, Config, FlowTask, Judge, Pairs, RunFolder, RunInfo,
    Source, TrainError, Trainer,
};

/// The training of a flow or diffusion model that `config` describes, at step 0. Where its coupling is
/// rectified, its pairs are made first; [`rectified_pairs`] does so with progress.
///
/// # Errors
/// A network that does not fit the data, a source that does not, a run of pairs that cannot be read.
pub fn flow_trainer(
    config: &Config,
    data: Arc<dyn Dataset>,
    device: &Device,
) -> Result<Trainer<AnyNetwork, FlowTask>, TrainError> {
    let go_on = &mut |_| ControlFlow::Continue(());
    let pairs = rectified_pairs(config, &*data, device, go_on)?.flatten();
    flow_trainer_on(config, data, pairs, device)
}

/// The same with the pairs of a rectified coupling given.
///
/// # Errors
/// As [`flow_trainer`].
pub fn flow_trainer_on(
    config: &Config,
    data: Arc<dyn Dataset>,
    pairs: Option<Arc<Pairs>>,
    device: &Device,
) -> Result<Trainer<AnyNetwork, FlowTask>, TrainError> {
    let device = device.clone().without_autodiff().autodiff();
    let path = config.probability_path();
    let coupling = &config.coupling;
    if coupling.class_aware == Some(true) && data.classes().is_empty() {
        let what = "coupling.class_aware: this data has no classes";
        return Err(TrainError::Config(what.into()));
    }
    let mut task = FlowTask::new(data.clone(), path, config.objective.clone(), config.seed);
    let start = config.source_data()?;
    let given = if task.classes() > 0 {
        data.classes()
    } else {
        &[]
    };
    let class_aware = class_aware(config, given, start.as_deref());
    task = task.coupled(coupling.coupling(class_aware));
    if let Some(start) = start {
        let classes = class_aware.then(|| data.classes());
        let source = Source::new(start, data.shape(), classes, config.source_seed())?;
        task = task.from_source(Arc::new(source));
    }
    if let Some(pairs) = pairs {
        task = task.paired(pairs);
    }
    let mut init = Init::new(config.seed, &device);
    let outputs = task.output().outputs();
    let classes = task.classes();
    let mut net = AnyNetwork::new(&config.network, data.shape(), outputs, classes, &mut init)?;
    if let Some(captions) = captions::tell(&mut net, config, &data.classes()[..classes], &device)? {
        task = task.captioned(captions);
    }
    Ok(Trainer::new(net, task, &config.training, &device))
}

/// Does the coupling keep classes apart, where the network is given `classes`?
fn class_aware(config: &Config, classes: &[String], source: Option<&dyn Dataset>) -> bool {
    let shared = |source: &dyn Dataset| classes.iter().all(|c| source.classes().contains(c));
    let usual = config.coupling.is_transport() && !classes.is_empty() && source.is_none_or(shared);
    config.coupling.class_aware.unwrap_or(usual)
}

/// Tells the seed of pairs from that of samples.
const PAIRS: u64 = 0x5041_4952_5321_u64 << 8;

/// The pairs of a rectified coupling, made by the model of its run, or `None` for another coupling;
/// `watch` is told the pairs done and may break off, which gives `Some(None)`.
///
/// # Errors
/// A run that cannot be read, was trained further since, or makes other items than the data.
pub fn rectified_pairs(
    config: &Config,
    data: &dyn Dataset,
    device: &Device,
    watch: &mut dyn FnMut(u64) -> ControlFlow<()>,
) -> Result<Option<Option<Arc<Pairs>>>, TrainError> {
    let coupling = &config.coupling;
    let (CouplingKind::Rectified, Some(path)) = (coupling.kind, &coupling.run) else {
        return Ok(None);
    };
    let run = RunFolder::open(path)?;
    let (flow, checkpoint) = run.flow(&device.clone().without_autodiff())?;
    let refuse = |what: String| Err(TrainError::run(path, what));
    if let Some(step) = coupling.step
        && step != checkpoint.step
    {
        return refuse(format!(
            "the pairs were made at step {step}, but this run is now at step {}",
            checkpoint.step
        ));
    }
    let shape = run.info().shape()?;
    if shape != data.shape() {
        let ours = data.shape();
        return refuse(format!(
            "makes items of {shape}, but those of [data] are {ours}"
        ));
    }
    if flow.start.is_some() {
        return refuse("starts at other data; a rectified coupling starts at noise".into());
    }
    let given = if config.objective.classes {
        data.classes()
    } else {
        &[]
    };
    if given != &run.info().classes[..] {
        return refuse(format!(
            "knows the classes [{}], but this training's are [{}]; set objective.classes = false, or take another run",
            run.info().classes.join(", "),
            given.join(", ")
        ));
    }
    let own = &run.config().sample;
    // Pairs are the ends of a flow, so of an ordinary equation.
    let own_sampler = own.sampler.parse::<Sampler>().ok();
    let heun = || sampler("heun").expect("Heun is in the table");
    let sampler = own_sampler
        .filter(|s| !s.is_stochastic())
        .unwrap_or_else(heun);
    let draw = Draw {
        sampler,
        steps: own.steps,
        // Not the starts of anybody's samples.
        seed: config.seed ^ PAIRS,
        count: coupling.pairs() as usize,
        ..Draw::default()
    };
    match Pairs::new(&flow, &draw, shape, &run.info().classes, watch) {
        Ok(pairs) => Ok(Some(Some(Arc::new(pairs)))),
        Err(SampleError::Stopped) => Ok(Some(None)),
        Err(why) => refuse(why.to_string()),
    }
}

/// The training of a classifier that `config` describes, at step 0.
///
/// # Errors
/// Data without labels, or that is not images.
pub fn judge_trainer(
    config: &Config,
    data: Arc<dyn Dataset>,
    device: &Device,
) -> Result<Trainer<Classifier, ClassifyTask>, TrainError> {
    let device = device.clone().without_autodiff().autodiff();
    let mut init = Init::new(config.seed, &device);
    let net = Judge::network(&config.network, &*data, &mut init)?;
    let task = ClassifyTask::new(data, config.seed);
    Ok(Trainer::new(net, task, &config.training, &device))
}

impl<N: Network> Trainer<N, FlowTask> {
    /// The model as it is now, ready to sample from.
    pub fn flow(&self) -> Flow<N> {
        let task = self.task();
        Flow {
            network: self.model(),
            path: task.path().clone(),
            output: task.output(),
            start: task.start(),
            has_score: task.has_score(),
            dim: task.dim(),
            classes: task.classes(),
            device: self.device().clone().without_autodiff(),
            weaker: None,
        }
    }
}

impl RunInfo {
    /// The facts of the run that `trainer` is about to make on `data`.
    pub fn of_flow<N: Network>(trainer: &Trainer<N, FlowTask>, data: &dyn Dataset) -> Self {
        Self::new(data, trainer.task().classes() > 0, trainer.parameters())
    }
}

impl RunFolder {
    /// The run's newest model, ready to sample from, and the checkpoint it came from.
    pub fn flow(&self, device: &Device) -> Result<(Flow<AnyNetwork>, Checkpoint), TrainError> {
        if self.config().is_classifier() {
            let what = "this run trained a classifier, which cannot be sampled from";
            return Err(TrainError::run(self.path(), what));
        }
        let shape = self.info().shape()?;
        let classes = self.info().classes.len();
        let mut init = Init::new(0, device);
        let config = self.config();
        let output = config.objective.parametrization();
        let outputs = output.outputs();
        let mut net = AnyNetwork::new(&config.network, shape, outputs, classes, &mut init)?;
        captions::tell(&mut net, config, &self.info().classes, device)?;
        let checkpoint = self.latest()?;
        let given = &self.info().classes[..];
        let start = match self.source_data()? {
            None => None,
            Some(data) => {
                let aware = class_aware(config, given, Some(&*data));
                let seed = config.source_seed();
                let source = Source::new(data, shape, aware.then_some(given), seed)?;
                Some(Arc::new(source) as Arc<dyn Start>)
            }
        };
        let flow = Flow {
            network: checkpoint.load_model(net, device)?,
            path: config.probability_path(),
            output,
            start,
            has_score: config.has_score(),
            dim: shape.size(),
            classes,
            device: device.clone(),
            weaker: None,
        };
        Ok((flow, checkpoint))
    }
}
