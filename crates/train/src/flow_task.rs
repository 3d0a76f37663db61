use std::sync::Arc;

use burn::tensor::{Device, Tensor, TensorData};
use fokker_core::{Examples, Network, Parametrization, ProbabilityPath, Start, State, labels};
use fokker_data::Dataset;
use fokker_math::time::{TimeLaw, stratum};
use fokker_math::transport::{Batch, Coupling, Method};
use fokker_math::weight::LossWeight;
use fokker_sim::rng::{Purpose, Stream, normal_rows};

use crate::config::ObjectiveConfig;
use crate::{BatchOrder, LatentInfo, Latents, Pairs, Source, Task, TrainError};

/// Flow matching and its kin: regress the network on targets along a path from a start to data.
///
/// With pairs (x₀, x₁) of the coupling, t of the law of times and the path's own noise, the loss is
/// E[w(t) ‖net(x_t, t, y) − target‖²], the mean over the batch and the data's dimensions.
pub struct FlowTask {
    data: Arc<dyn Dataset>,
    start: From,
    path: ProbabilityPath,
    coupling: Coupling,
    output: Parametrization,
    weight: LossWeight,
    law: TimeLaw,
    objective: ObjectiveConfig,
    order: BatchOrder,
    seed: u64,
    latent: Option<LatentInfo>,
}

/// Where x₀ comes from.
enum From {
    /// N(0, I).
    Noise,
    /// Another data set.
    Source(Arc<Source>),
    /// With its own x₁, item by item.
    Paired(Arc<Pairs>),
}

/// A batch of [`FlowTask`], on the host.
pub struct FlowBatch {
    /// What goes in and what should come out.
    pub examples: Examples,
    /// The class of every row; `None` where the network is given none.
    pub classes: Option<Vec<u32>>,
}

/// On paths that are singular at both ends, times keep this distance from them at least.
const MARGIN: f64 = 1e-3;

impl FlowTask {
    /// Trains on `data` along `path`, starting at noise that is independent of the data.
    ///
    /// # Panics
    /// If `objective` holds values out of range, which reading a recipe refuses.
    pub fn new(
        data: Arc<dyn Dataset>,
        path: ProbabilityPath,
        objective: ObjectiveConfig,
        seed: u64,
    ) -> Self {
        let order = BatchOrder::new(seed, data.len());
        Self {
            data,
            start: From::Noise,
            path,
            coupling: Coupling {
                method: Method::Independent,
                class_aware: false,
            },
            output: objective.parametrization(),
            weight: objective.loss_weight(),
            law: objective.time_law(),
            objective,
            order,
            seed,
            latent: None,
        }
    }

    /// Trains in the latents `latents` along `path`, starting at noise that is independent of them.
    pub fn in_latents(
        latents: Arc<Latents>,
        path: ProbabilityPath,
        objective: ObjectiveConfig,
        seed: u64,
    ) -> Self {
        let info = latents.info().clone();
        Self {
            latent: Some(info),
            ..Self::new(latents, path, objective, seed)
        }
    }

    /// The latents that it trains in, where it does.
    pub fn latent(&self) -> Option<&LatentInfo> {
        self.latent.as_ref()
    }

    /// The same from another data set instead of noise.
    pub fn from_source(mut self, source: Arc<Source>) -> Self {
        self.start = From::Source(source);
        self
    }

    /// The same with the rows of every batch paired by `coupling`.
    pub fn coupled(mut self, coupling: Coupling) -> Self {
        self.coupling = coupling;
        self
    }

    /// The same on ready pairs, whose ends are also the data.
    pub fn paired(mut self, pairs: Arc<Pairs>) -> Self {
        self.data = pairs.clone();
        self.order = BatchOrder::new(self.seed, self.data.len());
        self.start = From::Paired(pairs);
        self
    }

    /// Number of classes that the network is given; 0 where it is given none.
    pub fn classes(&self) -> usize {
        if self.objective.classes {
            self.data.classes().len()
        } else {
            0
        }
    }

    /// The path from the start to the data.
    pub fn path(&self) -> &ProbabilityPath {
        &self.path
    }

    /// What the network's output means.
    pub fn output(&self) -> Parametrization {
        self.output
    }

    /// Where samples start, where that is not noise.
    pub fn start(&self) -> Option<Arc<dyn Start>> {
        match &self.start {
            From::Source(source) => Some(source.clone()),
            From::Noise | From::Paired(_) => None,
        }
    }

    /// Does the network's output determine the score? See `Flow::has_score`.
    pub fn has_score(&self) -> bool {
        match self.start {
            From::Noise => self.coupling.method == Method::Independent,
            From::Source(_) => {
                self.path.is_noisy() && self.output == Parametrization::VelocityAndNoise
            }
            From::Paired(_) => false,
        }
    }

    /// Numbers in one item.
    pub fn dim(&self) -> usize {
        self.data.shape().size()
    }

    /// The training time of draw `draw`, place `i` of a batch of `size`.
    fn time(&self, draw: u64, i: usize, size: usize) -> f64 {
        let mut cursor = Stream::new(self.seed, Purpose::Time, draw, 0).cursor();
        let mut u = cursor.uniform_f64();
        if self.objective.stratified {
            u = stratum(i, size, u);
        }
        let scheduler = &**self.path.scheduler();
        let eps = self.objective.t_eps;
        if self.path.at(0.0).d_gamma.is_finite() {
            return self.law.quantile_until(1.0 - eps, u, scheduler);
        }
        let eps = eps.max(MARGIN);
        let [low, high] = [eps, 1.0 - eps].map(|t| self.law.cdf(t, scheduler));
        let t = self.law.quantile(low + (high - low) * u, scheduler);
        t.clamp(eps, 1.0 - eps)
    }

    /// x₀ for the rows of the draws `draws`, whose data have these labels.
    fn starts(&self, draws: std::ops::Range<u64>, labels: &[u32]) -> Result<Vec<f32>, TrainError> {
        let dim = self.dim();
        let mut x0 = vec![0.0; labels.len() * dim];
        match &self.start {
            From::Noise => normal_rows(self.seed, Purpose::Noise, draws, 0, dim, &mut x0),
            From::Source(source) => {
                for ((row, draw), label) in x0.chunks_exact_mut(dim).zip(draws).zip(labels) {
                    source.train(draw, *label, row)?;
                }
            }
            From::Paired(pairs) => {
                for (row, draw) in x0.chunks_exact_mut(dim).zip(draws) {
                    row.copy_from_slice(pairs.start(self.order.index(draw)));
                }
            }
        }
        Ok(x0)
    }

    /// Reorders starts and data as the coupling pairs them.
    fn couple(
        &self,
        step: u64,
        x0: &mut Vec<f32>,
        x1: &mut Vec<f32>,
        labels: &mut Vec<u32>,
    ) -> Result<(), TrainError> {
        if self.coupling.method == Method::Independent {
            return Ok(());
        }
        let dim = self.dim();
        let mut cursor = Stream::new(self.seed, Purpose::Couple, step, 0).cursor();
        let uniforms: Vec<f64> = labels.iter().map(|_| cursor.uniform_f64()).collect();
        let class_aware = self.coupling.class_aware;
        let by_class = matches!(&self.start, From::Source(source) if source.is_by_class());
        let batch = Batch {
            x0,
            x1,
            dim,
            // Starts drawn by class have the labels of the data beside them.
            labels0: (class_aware && by_class).then_some(&labels[..]),
            labels1: class_aware.then_some(&labels[..]),
        };
        let pairs = self.coupling.pair(&batch, &uniforms);
        let pairs = pairs.map_err(|error| TrainError::Coupling { step, error })?;
        let pairs = pairs.indices;
        let pick = |from: &[f32], rows: &mut dyn Iterator<Item = usize>| -> Vec<f32> {
            rows.flat_map(|i| &from[i * dim..(i + 1) * dim])
                .copied()
                .collect()
        };
        *x0 = pick(x0, &mut pairs.iter().map(|p| p.0));
        *x1 = pick(x1, &mut pairs.iter().map(|p| p.1));
        *labels = pairs.iter().map(|p| labels[p.1]).collect();
        Ok(())
    }

    /// The batch of `size` examples of step `step`: a pure function of the two.
    ///
    /// # Errors
    /// A batch that cannot be paired.
    pub fn examples(&self, step: u64, size: usize) -> Result<FlowBatch, TrainError> {
        let dim = self.dim();
        let first = step * size as u64;
        let draws = first..first + size as u64;
        let null = self.data.classes().len() as u32;
        let mut x1 = vec![0.0; size * dim];
        let rows = draws.clone().zip(x1.chunks_exact_mut(dim));
        let mut classes: Vec<u32> = rows
            .map(|(draw, row)| {
                let label = self.data.drawn(self.order.index(draw), draw, row);
                label.unwrap_or(null)
            })
            .collect();
        let mut x0 = self.starts(draws.clone(), &classes)?;
        self.couple(step, &mut x0, &mut x1, &mut classes)?;
        let times = draws.clone().enumerate();
        let t: Vec<f64> = times.map(|(i, draw)| self.time(draw, i, size)).collect();
        let mut eps = Vec::new();
        if self.path.is_noisy() {
            eps = vec![0.0; size * dim];
            normal_rows(self.seed, Purpose::Noise, draws.clone(), 0, dim, &mut eps);
        }
        if self.objective.label_drop > 0.0 {
            for (draw, class) in draws.zip(&mut classes) {
                let mut cursor = Stream::new(self.seed, Purpose::Drop, draw, 0).cursor();
                if cursor.uniform_f64() < self.objective.label_drop {
                    *class = null;
                }
            }
        }
        let rows: [&[f32]; 3] = [&x0, &x1, &eps];
        Ok(FlowBatch {
            examples: self.path.sample(&self.output, &self.weight, &t, rows),
            classes: (self.classes() > 0).then_some(classes),
        })
    }
}

impl<N: Network> Task<N> for FlowTask {
    type Batch = FlowBatch;

    fn batch(&self, step: u64, size: usize) -> Result<FlowBatch, TrainError> {
        self.examples(step, size)
    }

    /// The weighted mean of ‖net(x_t, t, y) − target‖² over batch and dimensions, summed over outputs.
    fn loss(&self, net: &N, batch: FlowBatch, device: &Device) -> Tensor<1> {
        let Examples {
            x,
            t,
            target,
            weight,
        } = batch.examples;
        let rows = t.len();
        let outputs = self.output.outputs();
        let state = |values: Vec<f32>| {
            let width = values.len() / rows;
            State::from_data(TensorData::new(values, [rows, width]), device)
        };
        let t = Tensor::from_data(TensorData::new(t, [rows]), device);
        let y = batch.classes.map(|c| labels(&c, device));
        let error = net.forward(state(x), t, y) - state(target);
        let error = match weight {
            None => error.square(),
            Some(weight) => error.square() * state(weight),
        };
        let mean = error.mean();
        if outputs == 1 {
            mean
        } else {
            mean.mul_scalar(outputs as f64)
        }
    }
}
