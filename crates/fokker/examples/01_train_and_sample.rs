//! Train a flow in the plane and sample it.
//!
//! `cargo run --release --example 01_train_and_sample` prints a mean radius near 2.83: the eight
//! Gaussians lie on a circle of that radius.

#![allow(clippy::print_stdout)] // an example prints

use fokker::{Config, Device, Draw, flow_trainer};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let config = Config::parse(include_str!("8_gaussians.toml"), "8_gaussians.toml", &[])?;
    let data = config.data.load(config.seed)?;
    let mut trainer = flow_trainer(&config, data, &Device::flex())?;
    while trainer.steps_done() < config.training.train.steps {
        trainer.step()?;
    }
    let points = trainer.flow().sample(&Draw {
        count: 2000,
        ..Draw::default()
    })?;

    let radii = points.chunks(2).map(|p| p[0].hypot(p[1]));
    println!("mean radius {:.2}", radii.sum::<f32>() / 2000.0);
    Ok(())
}
