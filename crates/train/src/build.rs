//! From a checked recipe to things that run.

use std::sync::Arc;

use burn::tensor::Device;
use fokker_core::{Flow, Network};
use fokker_data::Dataset;
use fokker_nn::{Classifier, Init};

use crate::{
    AnyNetwork, Checkpoint, ClassifyTask, Config, FlowTask, Judge, RunFolder, RunInfo, TrainError,
    Trainer,
};

/// The training of a flow or diffusion model that `config` describes, at step 0.
///
/// # Errors
/// A network that does not fit the data.
pub fn flow_trainer(
    config: &Config,
    data: Arc<dyn Dataset>,
    device: &Device,
) -> Result<Trainer<AnyNetwork, FlowTask>, TrainError> {
    let device = device.clone().without_autodiff().autodiff();
    let task = FlowTask::new(
        data.clone(),
        config.gaussian_path(),
        config.objective.clone(),
        config.seed,
    );
    let mut init = Init::new(config.seed, &device);
    let net = AnyNetwork::new(&config.network, data.shape(), task.classes(), &mut init)?;
    Ok(Trainer::new(net, task, &config.training, &device))
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
            scheduler: task.path().scheduler().clone(),
            prediction: task.prediction(),
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
        let net = AnyNetwork::new(&self.config().network, shape, classes, &mut init)?;
        let checkpoint = self.latest()?;
        let flow = Flow {
            network: checkpoint.load_model(net, device)?,
            scheduler: self.config().gaussian_path().scheduler().clone(),
            prediction: self.config().objective.prediction,
            dim: shape.size(),
            classes,
            device: device.clone(),
        };
        Ok((flow, checkpoint))
    }
}
