//! What a step of every sampler costs outside the network, beside one call of the quickstart's U-Net.
//!
//! ```text
//! cargo run --release -p fokker-train --example step_overhead
//! ```
//!
//! Sixteen garments, ten steps on the path's own grid, untrained weights (they do not change the cost). Prints for every
//! sampler the network calls of a step, the time of a call, the median time of a step outside its calls, and that as a
//! share of one call (at most 2 % is the aim): with the quickstart's guidance, whose mixing counts as outside, and plain.

#![allow(clippy::print_stdout)] // an example prints

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use fokker_core::{
    Draw, Flow, Labels, Network, Parametrization, RowNoise, SAMPLERS, Sampler, State, sample,
};
use fokker_math::grid::Grid;
use fokker_math::prediction::Prediction;
use fokker_nn::Init;
use fokker_sim::rng::Purpose;
use fokker_train::{AnyNetwork, Config};

// As the binary: page faults would cost more than the arithmetic.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ROWS: usize = 16;
const STEPS: usize = 10;
const WALKS: usize = 3;

/// Nanoseconds inside the network, and calls of it.
static INSIDE: AtomicU64 = AtomicU64::new(0);
static CALLS: AtomicU64 = AtomicU64::new(0);

/// A network that measures itself.
#[derive(Module, Debug)]
struct Timed {
    network: AnyNetwork,
}

impl Network for Timed {
    fn forward(&self, x: State, t: Tensor<1>, y: Option<Labels>) -> State {
        let start = Instant::now();
        let out = self.network.forward(x, t, y);
        INSIDE.fetch_add(start.elapsed().as_nanos() as u64, Ordering::Relaxed);
        CALLS.fetch_add(1, Ordering::Relaxed);
        out
    }
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Calls a step, milliseconds of a call, milliseconds of a step outside its calls.
fn measure(flow: &Flow<Timed>, draw: &Draw) -> [f64; 3] {
    let model = flow.denoiser(draw, 0..ROWS as u64);
    let grid = Grid::Native.times(model.scheduler(), STEPS);
    let (mut calls, mut inside, mut outside) = (Vec::new(), Vec::new(), Vec::new());
    for walk in 0..=WALKS {
        let x = flow.start(draw, 0..ROWS as u64);
        let x = State::from_data(
            burn::tensor::TensorData::new(x, [ROWS, flow.dim]),
            &flow.device,
        );
        let mut noise = RowNoise::new(0, Purpose::Solver, 0, &flow.device);
        let now = || {
            let counted = [&INSIDE, &CALLS].map(|c| c.load(Ordering::Relaxed) as f64);
            (Instant::now(), counted)
        };
        let mut before = now();
        let stepper = &mut *draw.sampler.start(draw.diffusion);
        sample(&*model, stepper, x, &grid, &mut noise, &mut |at| {
            let (start, [net, called]) = before;
            let (end, [net_now, called_now]) = now();
            // The first walk only touches memory; the steps to and from the ends are other steps than those between.
            if walk > 0 && at.step > 1 && at.step < STEPS {
                let (whole, net) = ((end - start).as_secs_f64() * 1e3, (net_now - net) * 1e-6);
                calls.push(called_now - called);
                inside.push(net / (called_now - called));
                outside.push(whole - net);
            }
            before = now();
            ControlFlow::Continue(())
        });
    }
    [
        median(&mut calls),
        median(&mut inside),
        median(&mut outside),
    ]
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let text = include_str!("../../../configs/quickstart.toml");
    let config = Config::parse(text, "quickstart.toml", &[])?;
    let data = config.data.load(config.seed)?;
    let (device, classes) = (Device::flex(), data.classes().len());
    let mut init = Init::new(config.seed, &device);
    let network = AnyNetwork::new(&config.network, data.shape(), 1, classes, &mut init)?;
    let flow = Flow {
        network: Timed { network },
        path: config.probability_path(),
        output: Parametrization::Plain(Prediction::Velocity),
        start: None,
        has_score: true,
        dim: data.shape().size(),
        classes,
        device,
        weaker: None,
    };
    let columns = "   ms a call   outside  share";
    let [guided, plain] = ["guided, w = 2", "plain, w = 1"];
    println!("{:24}  {guided:>28}  {plain:>28}", "");
    let [sampler, calls] = ["sampler", "calls"];
    println!("{sampler:18} {calls:>5}{columns}{columns}");
    let mut worst: f64 = 0.0;
    for spec in SAMPLERS {
        let mut line = String::new();
        let mut calls = 0.0;
        for guidance in [config.sample.guidance, 1.0] {
            let draw = Draw {
                sampler: Sampler::from(spec),
                guidance: guidance.into(),
                ..Draw::default()
            };
            let [n, inside, outside] = measure(&flow, &draw);
            calls = n;
            worst = worst.max(outside / inside);
            let share = 100.0 * outside / inside;
            line += &format!("  {inside:10.3} {outside:9.4} {share:4.2} %");
        }
        println!("{:18} {calls:5.0}{line}", spec.name);
    }
    println!("the largest share: {:.2} %", 100.0 * worst);
    Ok(())
}
