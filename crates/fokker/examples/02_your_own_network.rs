//! Define your own network: a module and one method.
//!
//! `cargo run --release --example 02_your_own_network` trains a network that looks at random Fourier
//! features of the point, and prints the share of samples that lie on a dark square of the board
//! (chance is 0.5; expect about 0.84).

#![allow(clippy::print_stdout)] // an example prints

use std::sync::Arc;

use fokker::burn::{self, module::Module, tensor::Tensor};
use fokker::core::Labels;
use fokker::data::{ToyConfig, toy};
use fokker::nn::layers::{Linear, time_features};
use fokker::train::config::{ObjectiveConfig, OptimizerConfig, TrainConfig, Training};
use fokker::{Device, Draw, FlowTask, Init, Network, ProbabilityPath, State, Trainer};

#[derive(Module, Debug)]
struct Fourier {
    frequencies: Linear,
    hidden: Vec<Linear>,
    head: Linear,
}

impl Fourier {
    fn new(init: &mut Init) -> Self {
        Self {
            frequencies: Linear::new(2, 64, init),
            hidden: vec![
                Linear::new(2 + 64 * 2 + 16, 192, init),
                Linear::new(192, 192, init),
            ],
            head: Linear::zero(192, 2, init),
        }
    }
}

impl Network for Fourier {
    fn forward(&self, x: State, t: Tensor<1>, _: Option<Labels>) -> State {
        let angle = self.frequencies.forward(x.clone()) * 3.0;
        let mut h = Tensor::cat(
            vec![x, angle.clone().sin(), angle.cos(), time_features(t, 16)],
            1,
        );
        for layer in &self.hidden {
            h = fokker::kernels::silu(layer.forward(h));
        }
        self.head.forward(h)
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let device = Device::flex().autodiff();
    let data = Arc::new(toy(&ToyConfig::new("checkerboard"))?);
    let path = ProbabilityPath::gaussian(Arc::new(fokker::math::scheduler::CondOt));
    let task = FlowTask::new(data, path, ObjectiveConfig::default(), 0);
    let training = Training {
        optimizer: OptimizerConfig {
            lr: 3e-3,
            ..OptimizerConfig::default()
        },
        train: TrainConfig {
            steps: 1500,
            batch: 512,
            ..TrainConfig::default()
        },
        ..Training::default()
    };
    let net = Fourier::new(&mut Init::new(0, &device));
    let mut trainer = Trainer::new(net, task, &training, &device);
    while trainer.steps_done() < training.train.steps {
        trainer.step()?;
    }
    let points = trainer.flow().sample(&Draw {
        count: 2000,
        ..Draw::default()
    })?;
    let dark = |p: &[f32]| ((p[0] / 2.0).floor() + (p[1] / 2.0).floor()) as i64 % 2 == 0;
    let inside = points.chunks(2).filter(|p| dark(p)).count();
    println!("on dark squares {:.2}", inside as f64 / 2000.0);
    Ok(())
}
