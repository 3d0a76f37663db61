//! What a batch costs, and how much of a step goes by waiting for it.
//!
//! ```text
//! cargo run --release -p fokker-train --example data_wait -- RECIPE.toml STEPS
//! ```
//!
//! Prints the milliseconds of a batch made on its own, of a step, and of its waiting: without batches made ahead a step would wait for all
//! of the first.

#![allow(clippy::print_stdout)] // an example prints

use std::time::Instant;

use burn::tensor::Device;
use fokker_train::{Config, flow_trainer};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Steps before the clock counts.
const WARM: u64 = 5;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut words = std::env::args().skip(1);
    let usage = "usage: data_wait RECIPE.toml STEPS";
    let (path, steps) = (words.next().ok_or(usage)?, words.next().ok_or(usage)?);
    let steps: u64 = steps.parse()?;
    let config = Config::parse(&std::fs::read_to_string(&path)?, &path, &[])?;
    let data = config.data.load(config.seed)?;
    let mut trainer = flow_trainer(&config, data, &Device::flex())?;
    let size = config.training.train.batch;
    let start = Instant::now();
    for step in 0..steps {
        trainer.task().examples(step, size)?;
    }
    let batch = start.elapsed().as_secs_f64() / steps as f64;
    let mut totals = [0.0; 2];
    for step in 0..WARM + steps {
        let report = trainer.step()?;
        if step >= WARM {
            totals[0] += report.seconds;
            totals[1] += report.wait;
        }
    }
    let [step, wait] = totals.map(|total| total / steps as f64);
    println!(
        "batch {:.3} ms, step {:.3} ms, of which {:.3} ms waiting: {:.2} % (made on demand: {:.2} %)",
        1e3 * batch,
        1e3 * step,
        1e3 * wait,
        100.0 * wait / step,
        100.0 * batch / (step - wait + batch),
    );
    Ok(())
}
