//! A stochastic process of your own: a noisy pendulum, a million steps of it in a blink.
//!
//! `cargo run --release --example 04_your_own_process`
//!
//! Prints the temperature that 4,000 pendulums settle at, ⟨p²⟩ = T = 0.5 within 0.05 (equipartition).

#![allow(clippy::print_stdout)]

use std::ops::ControlFlow;

use fokker::sim::ensemble::{Keep, Plan, Start, simulate};
use fokker::sim::lane::Lane;
use fokker::sim::process::{NoiseKind, Process};
use fokker::sim::solver::{FixedSde, Sra1};

/// dq = p dt, dp = (−sin q − γp) dt + √(2γT) dW.
struct Pendulum {
    gamma: f64,
    temperature: f64,
}

impl Process for Pendulum {
    type State<L: Lane> = [L; 2];
    type Noise<L: Lane> = [L; 1];

    #[inline(always)]
    fn drift<L: Lane>(&self, _t: L, x: &[L; 2], f: &mut [L; 2]) {
        let [q, p] = *x;
        *f = [p, -q.sin() - p * self.gamma];
    }

    #[inline(always)]
    fn diffusion<L: Lane>(&self, _t: L, _x: &[L; 2], dw: &[L; 1], out: &mut [L; 2]) {
        let sigma = (2.0 * self.gamma * self.temperature).sqrt();
        *out = [L::splat(0.0), dw[0] * sigma];
    }

    fn noise_kind(&self) -> NoiseKind {
        NoiseKind::Additive
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let pendulum = Pendulum {
        gamma: 0.5,
        temperature: 0.5,
    };
    let solver = FixedSde::new(Sra1, 500);
    let plan = Plan::new(4000, 0.0, 25.0, 7);
    let mut ends = Keep::<f32>::default();
    let watch = &mut |_done| ControlFlow::Continue(());
    simulate(
        &pendulum,
        &solver,
        &plan,
        &Start::Point(&[0.0, 0.0]),
        &mut ends,
        watch,
    )?;

    let squares = ends.values.chunks(2).map(|x| f64::from(x[1] * x[1]));
    let temperature = squares.sum::<f64>() / 4000.0;
    println!("⟨p²⟩ = {temperature:.3}, exact {}", pendulum.temperature);
    Ok(())
}
