//! Define your own data set: a shape, a length and a way to write item i.
//!
//! `cargo run --release --example 03_your_own_data` trains on points of a three-dimensional spiral and
//! prints their mean distance from its axis: 1.00 in the data, about 0.90 in the samples after so short a training.

#![allow(clippy::print_stdout)] // an example prints

use std::sync::Arc;

use fokker::{Config, Dataset, Device, Draw, Shape, flow_trainer};

/// 5,000 points on a helix of radius 1.
struct Helix;

impl Dataset for Helix {
    fn name(&self) -> &str {
        "helix"
    }

    fn shape(&self) -> Shape {
        Shape::Vector(3)
    }

    fn len(&self) -> Option<u64> {
        Some(5000)
    }

    fn item(&self, index: u64, out: &mut [f32]) -> Option<u32> {
        let s = index as f32 / 5000.0;
        let angle = 4.0 * std::f32::consts::PI * s;
        out.copy_from_slice(&[angle.cos(), angle.sin(), 4.0 * s - 2.0]);
        None
    }
}

const RECIPE: &str = r#"
name = "helix"
[data]
kind = "garments"  # replaced by our own below
[network]
kind = "mlp"
hidden = [128, 128, 128]
[optimizer]
lr = 2e-3
[train]
steps = 800
batch = 512
"#;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let config = Config::parse(RECIPE, "recipe", &[])?;
    let mut trainer = flow_trainer(&config, Arc::new(Helix), &Device::flex())?;
    while trainer.steps_done() < config.training.train.steps {
        trainer.step()?;
    }
    let points = trainer.flow().sample(&Draw {
        count: 1000,
        ..Draw::default()
    })?;
    let radius: f32 = points.chunks(3).map(|p| p[0].hypot(p[1])).sum();
    println!(
        "mean distance from the axis: data 1.00, samples {:.2}",
        radius / 1000.0
    );
    Ok(())
}
