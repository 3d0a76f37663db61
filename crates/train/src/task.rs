use std::sync::{Arc, Mutex};

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData, activation::log_softmax};
use fokker_core::{GaussianPath, Network, State, labels};
use fokker_data::Dataset;
use fokker_math::prediction::Prediction;
use fokker_nn::Classifier;
use fokker_sim::rng::{Purpose, Stream, normal_rows, permutation};

use crate::config::{ObjectiveConfig, TimeConfig};

/// Something that a network is trained to do: batches and a loss.
pub trait Task<N: Module> {
    /// A batch on the host.
    type Batch;

    /// The batch of `size` items of step `step`: a pure function of the two.
    fn batch(&self, step: u64, size: usize) -> Self::Batch;

    /// The loss, a scalar `[1]`.
    fn loss(&self, net: &N, batch: Self::Batch, device: &Device) -> Tensor<1>;
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

/// Flow matching and its kin: regress the network on a target along the path from noise to data.
pub struct FlowTask {
    data: Arc<dyn Dataset>,
    path: GaussianPath,
    objective: ObjectiveConfig,
    order: BatchOrder,
    seed: u64,
}

/// A batch of [`FlowTask`], on the host.
pub struct FlowBatch {
    x: Vec<f32>,
    target: Vec<f32>,
    t: Vec<f32>,
    classes: Option<Vec<u32>>,
}

impl FlowTask {
    /// Trains on `data` along `path`.
    pub fn new(
        data: Arc<dyn Dataset>,
        path: GaussianPath,
        objective: ObjectiveConfig,
        seed: u64,
    ) -> Self {
        let order = BatchOrder::new(seed, data.len());
        Self {
            data,
            path,
            objective,
            order,
            seed,
        }
    }

    /// Number of classes that the network is given; 0 where it is given none.
    pub fn classes(&self) -> usize {
        if self.objective.classes {
            self.data.classes().len()
        } else {
            0
        }
    }

    /// The path from noise to data.
    pub fn path(&self) -> &GaussianPath {
        &self.path
    }

    /// What the network's output means.
    pub fn prediction(&self) -> Prediction {
        self.objective.prediction
    }

    /// Numbers in one item.
    pub fn dim(&self) -> usize {
        self.data.shape().size()
    }

    /// The training time of draw `draw`, place `i` of a batch of `size`.
    fn time(&self, draw: u64, i: usize, size: usize) -> f64 {
        let mut cursor = Stream::new(self.seed, Purpose::Time, draw, 0).cursor();
        let last = 1.0 - self.objective.t_eps;
        match self.objective.time {
            TimeConfig::Uniform => last * cursor.uniform_f64(),
            TimeConfig::Stratified => last * (i as f64 + cursor.uniform_f64()) / size as f64,
            TimeConfig::LogitNormal => {
                let [mean, std] = self.objective.logit_normal;
                let z = mean + std * cursor.normal_f64();
                last / (1.0 + (-z).exp())
            }
        }
    }
}

impl<N: Network> Task<N> for FlowTask {
    type Batch = FlowBatch;

    fn batch(&self, step: u64, size: usize) -> FlowBatch {
        let dim = self.data.shape().size();
        let first = step * size as u64;
        let draws = first..first + size as u64;
        let mut z = vec![0.0; size * dim];
        let mut classes = Vec::with_capacity(size);
        let mut t = Vec::with_capacity(size);
        let null = self.data.classes().len() as u32;
        for (i, (draw, row)) in draws.clone().zip(z.chunks_exact_mut(dim)).enumerate() {
            let label = self.data.item(self.order.index(draw), row);
            let dropped = self.objective.label_drop > 0.0
                && Stream::new(self.seed, Purpose::Drop, draw, 0)
                    .cursor()
                    .uniform_f64()
                    < self.objective.label_drop;
            classes.push(if dropped { null } else { label.unwrap_or(null) });
            t.push(self.time(draw, i, size));
        }
        let mut eps = vec![0.0; size * dim];
        normal_rows(self.seed, Purpose::Noise, draws, 0, dim, &mut eps);
        self.path
            .sample(self.objective.prediction, &t, &mut eps, &mut z);
        FlowBatch {
            x: eps,
            target: z,
            t: t.iter().map(|&t| t as f32).collect(),
            classes: (self.classes() > 0).then_some(classes),
        }
    }

    /// Mean over batch and dimensions of ‖net(x_t, t, y) − target‖².
    fn loss(&self, net: &N, batch: FlowBatch, device: &Device) -> Tensor<1> {
        let rows = batch.t.len();
        let dim = batch.x.len() / rows;
        let state = |values| State::from_data(TensorData::new(values, [rows, dim]), device);
        let t = Tensor::from_data(TensorData::new(batch.t, [rows]), device);
        let y = batch.classes.map(|c| labels(&c, device));
        let out = net.forward(state(batch.x), t, y);
        (out - state(batch.target)).square().mean()
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

    fn batch(&self, step: u64, size: usize) -> Self::Batch {
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
        (x, y)
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
