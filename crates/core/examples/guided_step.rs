//! What a guided step costs beside one network call on twice the batch, at 784 numbers a sample.
//!
//! ```text
//! MALLOC_MMAP_THRESHOLD_=1000000000 MALLOC_TRIM_THRESHOLD_=4000000000 \
//!     cargo run --release -p fokker-core --example guided_step
//! ```
//!
//! Without these variables glibc gives the tensors' memory back between calls, and the page faults of getting it again
//! cost more than the arithmetic. Prints, for every size, each rule's fastest call over the plain one's. On one
//! core of a busy x86 server the linear rule was at 1.02 with 16 and with 64 rows and 512 hidden units, 1.6 and 5.5 ms a
//! call; what it adds is 9 µs at 16 rows.

#![allow(clippy::print_stdout)]

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use burn::module::{Module, Param};
use burn::tensor::activation::silu;
use burn::tensor::{Device, Distribution, Tensor};
use fokker_core::{
    ByClass, Denoiser, Guidance, Guided, Labels, Model, Network, ProbabilityPath, Rule, State,
};
use fokker_math::prediction::Prediction;
use fokker_math::scheduler::CondOt;

const DIM: usize = 784;
const NULL: u32 = 10;

/// A perceptron: x to a hidden layer, shifted by the class, through two more and back.
#[derive(Module, Debug)]
struct Perceptron {
    layers: Vec<Param<Tensor<2>>>,
    classes: Param<Tensor<2>>,
}

impl Perceptron {
    fn new(hidden: usize, device: &Device) -> Self {
        let random = |rows: usize, columns: usize| {
            let spread = Distribution::Normal(0.0, 1.0 / (rows as f64).sqrt());
            Param::from_tensor(Tensor::random([rows, columns], spread, device))
        };
        let widths = [DIM, hidden, hidden, hidden, DIM];
        Self {
            layers: widths.windows(2).map(|w| random(w[0], w[1])).collect(),
            classes: random(NULL as usize + 1, hidden),
        }
    }
}

impl Network for Perceptron {
    fn forward(&self, x: State, t: Tensor<1>, y: Option<Labels>) -> State {
        let rows = x.dims()[0];
        let class = self.classes.val().select(0, y.expect("classes are given"));
        let mut h = x.matmul(self.layers[0].val()) + class + t.reshape([rows, 1]);
        for layer in &self.layers[1..] {
            h = silu(h).matmul(layer.val());
        }
        h
    }
}

/// The fastest of several calls, in milliseconds.
fn fastest(best: &mut f64, model: &dyn Denoiser, x: &State) {
    let start = Instant::now();
    let value = model.predict(x.clone(), 0.4).value;
    black_box(value.into_data());
    *best = best.min(start.elapsed().as_secs_f64() * 1e3);
}

fn main() {
    let device = Device::flex();
    let path = ProbabilityPath::gaussian(Arc::new(CondOt));
    println!("rows  hidden  plain(2 rows) ms  linear  rows' own w  rescale  perpendicular  cfg++");
    for (rows, hidden) in [(16, 512), (16, 1024), (64, 512), (64, 1024)] {
        let network = Perceptron::new(hidden, &device);
        let model = Model::new(&network, path.clone(), Prediction::Velocity, &device);
        let classes: Vec<u32> = (0..rows as u32).map(|i| i % NULL).collect();
        let twice = model
            .clone()
            .given(&[&classes[..], &vec![NULL; rows]].concat());
        let x = Tensor::random([rows, DIM], Distribution::Normal(0.0, 1.0), &device);
        let xx = Tensor::cat(vec![x.clone(), x.clone()], 0);
        let with = |rule, weights: &[f64]| {
            let guidance = Guidance {
                weights: weights.to_vec(),
                rule,
                ..Guidance::default()
            };
            let both = ByClass::new(model.clone(), &classes, NULL);
            Guided::new(both, &guidance, 0..rows as u64)
        };
        let perpendicular = Rule::Perpendicular {
            eta: 0.0,
            norm: 10.0,
            momentum: -0.5,
        };
        let guided = [
            with(Rule::Linear, &[3.0]),
            with(Rule::Linear, &[3.0, 2.0]),
            with(Rule::Rescale { phi: 0.7 }, &[3.0]),
            with(perpendicular, &[3.0]),
            with(Rule::PlusPlus, &[0.6]),
        ];
        let (mut plain, mut best) = (f64::INFINITY, [f64::INFINITY; 5]);
        for _ in 0..200 {
            fastest(&mut plain, &twice, &xx);
            for (best, model) in best.iter_mut().zip(&guided) {
                fastest(best, model, &x);
            }
        }
        let [linear, own, rescale, perpendicular, plus] = best.map(|b| b / plain);
        println!(
            "{rows:4}  {hidden:6}  {plain:16.3}  {linear:6.3}  {own:11.3}  {rescale:7.3}  \
             {perpendicular:13.3}  {plus:5.3}"
        );
    }
}
