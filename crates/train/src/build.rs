//! From a checked recipe to things that run.

use std::ops::ControlFlow;
use std::sync::Arc;

use burn::tensor::Device;
use fokker_core::{Draw, Flow, Network, Start, sampler};
use fokker_data::Dataset;
use fokker_nn::{Classifier, Init};

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
    if coupling.class_aware && data.classes().is_empty() {
        let what = "coupling.class_aware: this data has no classes";
        return Err(TrainError::Config(what.into()));
    }
    let mut task = FlowTask::new(data.clone(), path, config.objective.clone(), config.seed)
        .coupled(coupling.coupling());
    if let Some(source) = source(config, &*data)? {
        task = task.from_source(source);
    }
    if let Some(pairs) = pairs {
        task = task.paired(pairs);
    }
    let mut init = Init::new(config.seed, &device);
    let outputs = task.output().outputs();
    let classes = task.classes();
    let net = AnyNetwork::new(&config.network, data.shape(), outputs, classes, &mut init)?;
    Ok(Trainer::new(net, task, &config.training, &device))
}

/// What the path of `config` starts from, where that is not noise.
fn source(config: &Config, target: &dyn Dataset) -> Result<Option<Arc<Source>>, TrainError> {
    // Points of their own, even where source and data are the same toy.
    let seed = config.seed.wrapping_add(1 << 32);
    let Some(source) = &config.source else {
        return Ok(None);
    };
    let data = source.load(seed).map_err(|error| match error {
        TrainError::Config(what) => TrainError::Config(what.replacen("data", "source", 1)),
        other => other,
    })?;
    let made = Source::new(data, target, config.coupling.class_aware, seed)?;
    Ok(Some(Arc::new(made)))
}

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
    let own = &run.config().sample;
    let draw = Draw {
        sampler: sampler(&own.sampler).expect("checked when its recipe was read"),
        steps: own.steps,
        seed: config.seed,
        count: coupling.pairs() as usize,
        ..Draw::default()
    };
    let pairs = Pairs::new(&flow, &draw, shape, &run.info().classes, watch);
    Ok(Some(pairs.map(Arc::new)))
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
        }
    }
}

impl RunInfo {
    /// The facts of the run that `trainer` is about to make on `data`.
    pub fn of_flow<N: Network>(trainer: &Trainer<N, FlowTask>, data: &dyn Dataset) -> Self {
        let parameters = trainer.model().num_params();
        Self::new(data, trainer.task().classes() > 0, parameters)
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
        let net = AnyNetwork::new(&config.network, shape, outputs, classes, &mut init)?;
        let checkpoint = self.latest()?;
        let start = match &config.source {
            None => None,
            Some(_) => source(config, &*self.data()?)?.map(|s| s as Arc<dyn Start>),
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
        };
        Ok((flow, checkpoint))
    }
}
