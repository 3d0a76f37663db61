//! Every object of the theory, run: path, field, score, their exact values, and a network that learns them.
//!
//! `cargo run --release --example 05_paths_and_targets` prints, among others, `continuity residual 1e-9` or less,
//! `loss … floor 18.196`, and energy distances like those of two exact samples (`noise level`, some 0.03). The book's chapter on paths is made of this file.

#![allow(clippy::print_stdout)] // an example prints

use std::sync::Arc;

use fokker::core::{Denoiser, Oracle, ProbabilityPath, Rescheduled};
use fokker::data::{ToyConfig, toy};
use fokker::math::mixture::GaussianMixture;
use fokker::math::prediction::{PREDICTIONS, Prediction, convert};
use fokker::math::scheduler::{CondOt, Scheduler, scheduler};
use fokker::math::stats::energy_distance;
use fokker::math::transport::{Coupling, Method};
use fokker::nn::MlpConfig;
use fokker::train::config::{ObjectiveConfig, OptimizerConfig, TrainConfig, Training};
use fokker::{Device, Draw, FlowTask, Init, Trainer, sampler};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // ANCHOR: path
    let c = CondOt.at(0.25);
    let (z, eps) = (3.0, -1.0);
    let x = c.alpha * z + c.beta * eps;
    let u = c.d_alpha * z + c.d_beta * eps;
    println!(
        "x = {x}, conditional field {u}, conditional score {}",
        -eps / c.beta
    );
    // ANCHOR_END: path

    // ANCHOR: conversions
    for &to in PREDICTIONS {
        let (from_x, from_u) = convert(Prediction::Velocity, to, &c).expect("0 < t < 1");
        println!("{:>8} = {:.3}", to.name(), from_x * x + from_u * u);
    }
    // ANCHOR_END: conversions

    // ANCHOR: oracle
    let ring = GaussianMixture::ring(5, 10.0, 1.0)?;
    let at = |t: f64, x: [f64; 2]| {
        let marginal = ring.at(&CondOt, t);
        let (mut u, mut s) = ([0.0; 2], [0.0; 2]);
        marginal.velocity(&x, &mut u);
        marginal.score(&x, &mut s);
        (marginal.log_density(&x), u, s)
    };
    let (t, x, h) = (0.6, [4.0, 2.0], 1e-4);
    let (_, u, s) = at(t, x);
    let dt = (at(t + h, x).0 - at(t - h, x).0) / (2.0 * h);
    let du = (at(t, [x[0] + h, x[1]]).1[0] - at(t, [x[0] - h, x[1]]).1[0]) / (2.0 * h);
    let dv = (at(t, [x[0], x[1] + h]).1[1] - at(t, [x[0], x[1] - h]).1[1]) / (2.0 * h);
    // ∂ₜ ln p + div u + u·∇ln p = 0
    let residual = dt + du + dv + u[0] * s[0] + u[1] * s[1];
    println!("continuity residual {:.0e}", residual.abs());
    // ANCHOR_END: oracle

    // ANCHOR: floor
    let floor = ring.loss_floor(&CondOt, Prediction::Velocity, 1.0, 60, 60);
    // ANCHOR_END: floor

    // ANCHOR: training
    let device = Device::flex().autodiff();
    let data = Arc::new(toy(&ToyConfig {
        modes: Some(5),
        radius: Some(10.0),
        std: Some(1.0),
        ..ToyConfig::new("ring")
    })?);
    let path = ProbabilityPath::gaussian(Arc::new(CondOt));
    let objective = ObjectiveConfig {
        classes: false,
        ..ObjectiveConfig::default()
    };
    let task = FlowTask::new(data, path, objective, 0);
    let network = MlpConfig {
        hidden: vec![64; 4],
        time_features: 0,
        ..MlpConfig::default()
    };
    let net = network.init(2, 1, 0, &mut Init::new(0, &device));
    let training = Training {
        optimizer: OptimizerConfig {
            lr: 4e-3,
            ..OptimizerConfig::default()
        },
        train: TrainConfig {
            steps: 3000,
            batch: 1000,
            ..TrainConfig::default()
        },
        ..Training::default()
    };
    let mut trainer = Trainer::new(net, task, &training, &device);
    let mut loss = 0.0;
    while trainer.steps_done() < 3000 {
        // The trainer's loss is the mean over two coordinates.
        loss = 0.99 * loss + 0.01 * 2.0 * trainer.step()?.loss;
    }
    println!("loss {loss:.1}, floor {floor:.3}");
    // ANCHOR_END: training

    let flow = trainer.flow();
    let f64s = |x: Vec<f32>| -> Vec<f64> { x.into_iter().map(f64::from).collect() };
    let exact = |seed: u64| {
        let oracle = Oracle::new(ring.clone(), Arc::new(CondOt));
        let start = flow.start(
            &Draw {
                seed,
                ..Draw::default()
            },
            0..1000,
        );
        let x = fokker::burn::tensor::TensorData::new(start, [1000, 2]);
        let x = fokker::State::from_data(x, &Device::flex());
        let mut noise =
            fokker::core::RowNoise::new(0, fokker::sim::rng::Purpose::Test, 0, &Device::flex());
        let mut heun = sampler("heun")
            .expect("in the table")
            .start(Default::default());
        let go_on = &mut |_: fokker::core::Progress| std::ops::ControlFlow::Continue(());
        let grid = fokker::math::grid::uniform(100);
        let end = fokker::core::sample(&oracle, &mut *heun, x, &grid, &mut noise, go_on);
        end.expect("not stopped")
            .into_data()
            .convert::<f64>()
            .try_to_vec::<f64>()
            .expect("f64")
    };
    let truth = exact(100);
    println!("noise level {:.3}", energy_distance(&truth, &exact(101), 2));

    // ANCHOR: sde
    for sigma in ["noise:0", "constant:1", "memoryless"] {
        let samples = flow.sample(&Draw {
            sampler: sampler("euler-maruyama").expect("in the table"),
            diffusion: sigma.parse()?,
            steps: 400,
            count: 1000,
            ..Draw::default()
        })?;
        println!(
            "σ {sigma:<12} energy distance {:.3}",
            energy_distance(&f64s(samples), &truth, 2)
        );
    }
    // ANCHOR_END: sde

    // ANCHOR: reschedule
    let draw = Draw {
        scheduler: Some(scheduler("vp").expect("in the table").into()),
        steps: 200,
        count: 1000,
        ..Draw::default()
    };
    let samples = f64s(flow.sample(&draw)?);
    println!(
        "along vp        energy distance {:.3}",
        energy_distance(&samples, &truth, 2)
    );
    // ANCHOR_END: reschedule

    // ANCHOR: rescheduled-field
    let moved = Rescheduled::new(
        Oracle::new(ring.clone(), Arc::new(CondOt)),
        scheduler("cosine").expect("in the table").into(),
    );
    let here = fokker::State::from_data([[4.0_f32, 2.0]], &Device::flex());
    println!(
        "field of the same law on the cosine path: {}",
        moved.velocity(here, 0.5).expect("0 < t < 1")
    );
    // ANCHOR_END: rescheduled-field

    // ANCHOR: coupling
    let (x0, x1) = ([0.0_f32, 0.0, 1.0, 1.0], [0.9_f32, 1.2, 0.2, -0.1]);
    let batch = fokker::math::transport::Batch {
        x0: &x0,
        x1: &x1,
        dim: 2,
        labels0: None,
        labels1: None,
    };
    let optimal = Coupling {
        method: Method::Optimal,
        class_aware: false,
    };
    println!("pairs {:?}", optimal.pair(&batch, &[])?.indices);
    // ANCHOR_END: coupling
    Ok(())
}
