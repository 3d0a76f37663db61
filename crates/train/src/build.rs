//! From a checked recipe to things that run.

use std::ops::ControlFlow;
use std::sync::Arc;

use burn::tensor::Device;
use fokker_core::{Flow, Network, Start};
use fokker_data::{Dataset, Shape};
use fokker_nn::{Autoencoder, Classifier, Init};

use crate::captions;
use crate::config::{Average, CouplingConfig, CouplingKind};
use crate::held_back::{Split, VALIDATION, mirror};
use crate::{
    AnyAutoencoder, AnyNetwork, Checkpoint, ClassifyTask, Config, FlowTask, Judge, Prepared,
    RunFolder, RunInfo, Source, TrainError, Trainer, VaeTask, Weights, held_back, load_weights,
    params, prepare,
};

/// The training of a flow or diffusion model that `config` describes, at step 0. Pairs of a rectified coupling and latents
/// are made first; [`prepare`] does so with progress.
///
/// # Errors
/// A network that does not fit the data, a source that does not, a run of pairs or of an autoencoder that cannot be read.
pub fn flow_trainer(
    config: &Config,
    data: Arc<dyn Dataset>,
    device: &Device,
) -> Result<Trainer<AnyNetwork, FlowTask>, TrainError> {
    let go_on = &mut |_| ControlFlow::Continue(());
    let prepared = prepare(config, None, data.clone(), device, go_on)?;
    let prepared = prepared.expect("nobody broke off");
    flow_trainer_on(config, data, prepared, device)
}

/// The same with what it needs [prepared](prepare).
///
/// # Errors
/// As [`flow_trainer`].
pub fn flow_trainer_on(
    config: &Config,
    data: Arc<dyn Dataset>,
    prepared: Prepared,
    device: &Device,
) -> Result<Trainer<AnyNetwork, FlowTask>, TrainError> {
    let device = config.training.device(device);
    if config.latent.is_some() != prepared.latents.is_some() {
        let what = "latent: the latents of this recipe must be prepared first";
        return Err(TrainError::Config(what.into()));
    }
    let latent = prepared.latents.as_ref().map(|l| l.info().clone());
    let Split {
        train: data,
        held_back,
    } = Split::new(config, prepared.latents.map_or(data, |l| l as _))?;
    let path = config.probability_path();
    let coupling = &config.coupling;
    if coupling.class_aware == Some(true) && data.classes().is_empty() {
        let what = "coupling.class_aware: this data has no classes";
        return Err(TrainError::Config(what.into()));
    }
    let objective = config.objective.clone();
    if config.objective.variance {
        let what = "objective.variance: the variance beside the prediction has no loss here; only imported networks have it";
        return Err(TrainError::Config(what.into()));
    }
    let mut task = FlowTask::new(data.clone(), path, objective, config.seed);
    if let Some(latent) = latent {
        task = task.in_latents(latent);
    }
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
    let validation = held_back.map(|data| (task.held_back(data.clone()), data.len()));
    task = task.mirrored(mirror(config, &*data)?);
    if let Some(pairs) = prepared.pairs {
        task = task.paired(pairs);
    }
    let mut init = Init::new(config.seed, &device);
    let outputs = task.output().outputs();
    let classes = task.classes();
    let mut net = AnyNetwork::new(&config.network, data.shape(), outputs, classes, &mut init)?;
    if let Some(captions) = captions::tell(&mut net, config, &data.classes()[..classes], &device)? {
        task = task.captioned(captions);
    }
    let trainer = Trainer::new(net, task, &config.training, &device);
    Ok(match validation {
        Some((task, items)) => trainer.validated(task, items.unwrap_or(0)),
        None => trainer,
    })
}

/// The numbers that the training of `config` would begin to train. Checks what takes no time to check, and makes neither
/// pairs nor latents.
///
/// # Errors
/// As [`flow_trainer`].
pub fn flow_parameters(
    config: &Config,
    data: Arc<dyn Dataset>,
    device: &Device,
) -> Result<usize, TrainError> {
    let mut config = config.clone();
    if config.coupling.kind == CouplingKind::Rectified {
        config.coupling = CouplingConfig::default();
    }
    let Some(latent) = config.latent.take() else {
        return Ok(flow_trainer_on(&config, data, Prepared::default(), device)?.parameters());
    };
    let run = latent.open()?;
    let (net, _) = run.autoencoder_for(&*data, device)?;
    let classes = if config.objective.classes {
        data.classes().len()
    } else {
        0
    };
    let [channels, height, width] = net.latent();
    let shape = Shape::Image {
        channels,
        height,
        width,
    };
    let outputs = config.objective.parametrization().outputs();
    // With autodiff, so that what would be trained can be counted.
    let device = config.training.device(device);
    let mut init = Init::new(config.seed, &device);
    let net = AnyNetwork::new(&config.network, shape, outputs, classes, &mut init)?;
    Ok(params::trained(&net))
}

/// Does the coupling keep classes apart, where the network is given `classes`?
fn class_aware(config: &Config, classes: &[String], source: Option<&dyn Dataset>) -> bool {
    let shared = |source: &dyn Dataset| classes.iter().all(|c| source.classes().contains(c));
    let usual = config.coupling.is_transport() && !classes.is_empty() && source.is_none_or(shared);
    config.coupling.class_aware.unwrap_or(usual)
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
    let device = config.training.device(device);
    let split = Split::new(config, data)?;
    let mut init = Init::new(config.seed, &device);
    let net = Judge::network(&config.network, &*split.train, &mut init)?;
    let mirror = mirror(config, &*split.train)?;
    let task = ClassifyTask::new(split.train, config.seed).mirrored(mirror);
    let trainer = Trainer::new(net, task, &config.training, &device);
    Ok(match split.held_back {
        None => trainer,
        Some(data) => {
            let items = data.len().unwrap_or(0);
            let task = ClassifyTask::new(data, config.seed ^ VALIDATION);
            trainer.validated(task, items)
        }
    })
}

/// The training of an autoencoder that `config` describes, at step 0.
///
/// # Errors
/// Data that are not images, of a size that the network does not take, or without end.
pub fn vae_trainer(
    config: &Config,
    data: Arc<dyn Dataset>,
    device: &Device,
) -> Result<Trainer<AnyAutoencoder, VaeTask>, TrainError> {
    let device = config.training.device(device);
    let mut init = Init::new(config.seed, &device);
    let net = AnyAutoencoder::new(&config.network, data.shape(), &mut init)?;
    let held = config.held_back(&*data);
    let vae = config.vae.clone().unwrap_or_default();
    let mirror = mirror(config, &*data)?;
    let task = VaeTask::new(data, &held, &vae, net.latent_size(), config.seed)?.mirrored(mirror);
    Ok(Trainer::new(net, task, &config.training, &device))
}

impl Config {
    /// The items of `data` that the training of an autoencoder never sees: none where the data has files to test on.
    pub fn held_back(&self, data: &dyn Dataset) -> Vec<u64> {
        match (&self.vae, data.len()) {
            (Some(vae), Some(len)) if !self.data.has_test() => {
                held_back(self.seed, len, vae.held_back)
            }
            _ => Vec::new(),
        }
    }
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
        let task = trainer.task();
        Self {
            latent: task.latent().cloned(),
            ..Self::new(data, task.classes() > 0, trainer.parameters())
        }
    }
}

impl RunFolder {
    /// The run's newest model, ready to sample from, and the checkpoint it came from.
    ///
    /// # Errors
    /// As [`flow_of`](Self::flow_of).
    pub fn flow(&self, device: &Device) -> Result<(Flow<AnyNetwork>, Checkpoint), TrainError> {
        let (flow, weights) = self.flow_of(None, device)?;
        Ok((flow, weights.checkpoint))
    }

    /// The same with the weights `which` of [`weights`](Self::weights).
    ///
    /// # Errors
    /// A run that trained no flow; weights that cannot be had.
    pub fn flow_of(
        &self,
        which: Option<Average>,
        device: &Device,
    ) -> Result<(Flow<AnyNetwork>, Weights), TrainError> {
        if self.config().is_classifier() {
            let what = "this run trained a classifier, which cannot be sampled from";
            return Err(TrainError::run(self.path(), what));
        }
        if self.config().is_autoencoder() {
            let what = "this run trained an autoencoder, which makes nothing by itself; train a model of its latents, with \
                        [latent] run = \"…\" (configs/garments-latent.toml shows how), and sample from that";
            return Err(TrainError::run(self.path(), what));
        }
        let shape = self.info().state_shape()?;
        let classes = self.info().classes.len();
        let mut init = Init::new(0, device);
        let config = self.config();
        let output = config.objective.parametrization();
        let outputs = output.outputs();
        let mut net = AnyNetwork::new(&config.network, shape, outputs, classes, &mut init)?;
        captions::tell(&mut net, config, &self.info().classes, device)?;
        let weights = self.weights(which)?;
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
            network: load_weights(net, &weights.bytes, &weights.path, device)?,
            path: config.probability_path(),
            output,
            start,
            has_score: config.has_score(),
            dim: shape.size(),
            classes,
            device: device.clone(),
            weaker: None,
        };
        Ok((flow, weights))
    }
}
