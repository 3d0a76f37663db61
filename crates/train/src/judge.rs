use burn::tensor::{Device, TensorData};
use fokker_core::State;
use fokker_data::Dataset;
use fokker_nn::{Classifier, Init};

use crate::config::NetworkConfig;
use crate::{RunFolder, TrainError};

/// A trained classifier that judges whether samples show what was asked for.
pub struct Judge {
    net: Classifier,
    classes: Vec<String>,
    device: Device,
}

/// Rows evaluated together.
const CHUNK: usize = 250;

impl Judge {
    /// The untrained network of a configuration for labelled images.
    ///
    /// # Errors
    /// Data that is not images or has no labels; a configuration of another network.
    pub fn network(
        config: &NetworkConfig,
        data: &dyn Dataset,
        init: &mut Init,
    ) -> Result<Classifier, TrainError> {
        let refuse = |what: &str| Err(TrainError::Config(format!("network: {what}")));
        let NetworkConfig::Classifier(config) = config else {
            return refuse("expected kind = \"classifier\"");
        };
        let classes = data.classes().len();
        match data.shape().image() {
            _ if classes == 0 => refuse("a classifier needs labelled data"),
            Some(image) => Ok(config.init(image, classes, init)),
            None => refuse("a classifier needs images"),
        }
    }

    /// A judge from a network and its classes' names.
    pub fn new(net: Classifier, classes: Vec<String>, device: &Device) -> Self {
        Self {
            net,
            classes,
            device: device.clone(),
        }
    }

    /// The judge that a run of `kind = "classifier"` trained.
    pub fn open(run: &RunFolder, device: &Device) -> Result<Self, TrainError> {
        let info = run.info();
        let NetworkConfig::Classifier(config) = &run.config().network else {
            let what = "this run trained no classifier; give one of kind = \"classifier\"";
            return Err(TrainError::run(run.path(), what));
        };
        let Some(image) = info.shape()?.image() else {
            return Err(TrainError::run(
                run.path(),
                "a classifier of something else than images",
            ));
        };
        let net = config.init(image, info.classes.len(), &mut Init::new(0, device));
        let net = run.latest()?.load_model(net, device)?;
        Ok(Self::new(net, info.classes.clone(), device))
    }

    /// The names of the classes.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// The likeliest class of every row of `values`, `[rows, dim]`.
    pub fn predict(&self, values: &[f32], dim: usize) -> Vec<u32> {
        let mut classes = Vec::with_capacity(values.len() / dim);
        for chunk in values.chunks(CHUNK * dim) {
            let rows = chunk.len() / dim;
            let x = State::from_data(TensorData::new(chunk.to_vec(), [rows, dim]), &self.device);
            let logits = self.net.logits(x).into_data();
            let logits = logits.try_to_vec::<f32>().expect("logits are f32");
            for row in logits.chunks_exact(self.classes.len()) {
                let best = (0..row.len()).max_by(|&a, &b| row[a].total_cmp(&row[b]));
                classes.push(best.unwrap_or(0) as u32);
            }
        }
        classes
    }

    /// The activations before the last layer for every row of `values`, `[rows, dim]` → `[rows, channels]` row by row:
    /// what a Fréchet distance is measured on.
    pub fn features(&self, values: &[f32], dim: usize) -> Vec<f32> {
        let mut features = Vec::new();
        for chunk in values.chunks(CHUNK * dim) {
            let rows = chunk.len() / dim;
            let x = State::from_data(TensorData::new(chunk.to_vec(), [rows, dim]), &self.device);
            let found = self.net.features(x).into_data();
            features.extend(found.try_to_vec::<f32>().expect("features are f32"));
        }
        features
    }

    /// The share of `data`'s items whose label the judge finds.
    pub fn accuracy(&self, data: &dyn Dataset) -> f64 {
        let n = data.len().unwrap_or(10_000);
        let dim = data.shape().size();
        let mut right = 0;
        let mut values = vec![0.0; CHUNK * dim];
        for first in (0..n).step_by(CHUNK) {
            let rows = CHUNK.min((n - first) as usize);
            let labels: Vec<_> = values
                .chunks_exact_mut(dim)
                .take(rows)
                .zip(first..)
                .map(|(row, i)| data.item(i, row))
                .collect();
            let found = self.predict(&values[..rows * dim], dim);
            right += labels
                .iter()
                .zip(found)
                .filter(|(label, found)| **label == Some(*found))
                .count();
        }
        right as f64 / n as f64
    }
}
