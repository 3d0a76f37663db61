use std::sync::{Arc, Mutex};

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData, activation::log_softmax};
use fokker_core::{State, labels};
use fokker_data::Dataset;
use fokker_nn::Classifier;
use fokker_sim::rng::{Purpose, permutation};

use crate::TrainError;

/// Something that a network is trained to do: batches and a loss.
pub trait Task<N: Module> {
    /// A batch on the host.
    type Batch;

    /// The batch of `size` items of step `step`: a pure function of the two.
    ///
    /// # Errors
    /// A batch that cannot be made of this data.
    fn batch(&self, step: u64, size: usize) -> Result<Self::Batch, TrainError>;

    /// The loss, a scalar `[1]`.
    fn loss(&self, net: &N, batch: Self::Batch, device: &Device) -> Tensor<1>;

    /// What the last loss was made of, by name, for the log; the same names every time.
    fn terms(&self) -> Vec<(&'static str, f64)> {
        Vec::new()
    }
}

/// The order in which items are shown: a fresh permutation of the data set every epoch, or simply
/// one after the other where the data never ends.
pub struct BatchOrder {
    seed: u64,
    len: Option<u64>,
    // The permutation of the epoch last asked for; recomputed, never needed for the result.
    epoch: Mutex<Option<(u64, Arc<Vec<u32>>)>>,
}

impl BatchOrder {
    /// The order of `len` items (`None`: unlimited).
    pub fn new(seed: u64, len: Option<u64>) -> Self {
        Self {
            seed,
            len,
            epoch: Mutex::new(None),
        }
    }

    /// The data index of the `draw`-th item shown since the training began.
    pub fn index(&self, draw: u64) -> u64 {
        let Some(len) = self.len else { return draw };
        let (epoch, place) = (draw / len, draw % len);
        let mut cached = self.epoch.lock().unwrap_or_else(|e| e.into_inner());
        let order = match &*cached {
            Some((e, order)) if *e == epoch => order.clone(),
            _ => {
                let order = permutation(self.seed, Purpose::Order, epoch, len as usize);
                let order = Arc::new(order);
                *cached = Some((epoch, order.clone()));
                order
            }
        };
        u64::from(order[place as usize])
    }
}

/// Supervised classification, for the judge of class-conditional samples.
pub struct ClassifyTask {
    data: Arc<dyn Dataset>,
    order: BatchOrder,
}

impl ClassifyTask {
    /// Trains on `data`, which must have labels.
    pub fn new(data: Arc<dyn Dataset>, seed: u64) -> Self {
        let order = BatchOrder::new(seed, data.len());
        Self { data, order }
    }
}

impl Task<Classifier> for ClassifyTask {
    type Batch = (Vec<f32>, Vec<u32>);

    fn batch(&self, step: u64, size: usize) -> Result<Self::Batch, TrainError> {
        let dim = self.data.shape().size();
        let mut x = vec![0.0; size * dim];
        let first = step * size as u64;
        let y = x
            .chunks_exact_mut(dim)
            .zip(first..)
            .map(|(row, draw)| {
                let label = self.data.item(self.order.index(draw), row);
                label.expect("checked when the judge was made: the data has labels")
            })
            .collect();
        Ok((x, y))
    }

    /// Mean cross-entropy in nats.
    fn loss(&self, net: &Classifier, (x, y): Self::Batch, device: &Device) -> Tensor<1> {
        let rows = y.len();
        let dim = x.len() / rows;
        let x = State::from_data(TensorData::new(x, [rows, dim]), device);
        let y = labels(&y, device).reshape([rows, 1]);
        log_softmax(net.logits(x), 1).gather(1, y).mean().neg()
    }
}
