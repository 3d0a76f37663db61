//! Laws of the samplers, on a model whose flow is known in closed form.
//!
//! With p_data = N(m, s²) the marginal at t is N(αm, α²s² + β²) and the flow carries x₀ to m + s·x₀
//! exactly. (The cosine path, because on CondOT symmetry gives the midpoint rule a third order here.)

use std::ops::ControlFlow;

use burn::tensor::{DType, Device, Tensor, TensorData};
use fokker_core::{Denoiser, Estimate, Noise, RowNoise, SAMPLERS, State, sample, sampler};
use fokker_math::diffusion::Diffusion;
use fokker_math::grid::uniform;
use fokker_math::prediction::Prediction;
use fokker_math::scheduler::{Cosine, Scheduler};
use fokker_sim::rng::Purpose;

const M: f64 = 1.5;
const S: f64 = 0.4;

/// The exact model of N(M, S²), asked as any prediction.
struct Exact(Prediction);

impl Denoiser for Exact {
    fn scheduler(&self) -> &dyn Scheduler {
        &Cosine
    }

    fn predict(&self, x: State, t: f64) -> Estimate {
        let c = Cosine.at(t);
        // E[ε|x] = β (x − αm)/(α²s² + β²), E[z|x] = m + αs² (x − αm)/(α²s² + β²).
        let var = (c.alpha * S).powi(2) + c.beta * c.beta;
        let r = (x - c.alpha * M) / var;
        let eps = r.clone() * c.beta;
        let z = r * (c.alpha * S * S) + M;
        let [a, b] = self.0.row(&c);
        Estimate::of(z * a + eps * b, self.0)
    }
}

fn run(name: &str, kind: Prediction, steps: usize, x: State, noise: &mut dyn Noise) -> State {
    let spec = sampler(name).unwrap();
    let watch = &mut |_: fokker_core::Progress| ControlFlow::Continue(());
    let grid = uniform(steps);
    sample(
        &Exact(kind),
        &mut *(spec.make)(Diffusion::default()),
        x,
        &grid,
        noise,
        watch,
    )
    .unwrap()
}

fn start(rows: usize) -> State {
    let values: Vec<f64> = (0..rows)
        .map(|i| -2.0 + 4.0 * i as f64 / (rows - 1) as f64)
        .collect();
    let device = Device::flex();
    Tensor::<2>::from_data(TensorData::new(values, [rows, 1]), (&device, DType::F64))
}

fn error(name: &str, kind: Prediction, steps: usize) -> f64 {
    let x = start(9);
    let exact = x.clone() * S + M;
    let mut noise = RowNoise::new(0, Purpose::Test, 0, &Device::flex());
    let end = run(name, kind, steps, x, &mut noise);
    assert_eq!(end.dtype(), DType::F64, "the measurement needs f64");
    (end - exact).abs().max().into_scalar::<f64>()
}

#[test]
fn every_deterministic_sampler_has_its_order() {
    for spec in SAMPLERS.iter().filter(|s| !s.stochastic) {
        let (coarse, fine) = (
            error(spec.name, Prediction::Velocity, 40),
            error(spec.name, Prediction::Velocity, 80),
        );
        let order = (coarse / fine).log2();
        assert!(
            (order - f64::from(spec.order)).abs() < 0.15,
            "{}: measured order {order:.3}, stated {}",
            spec.name,
            spec.order
        );
    }
}

/// Singular predictions (noise at t = 0, data at t = 1) still arrive, at the price of the guarded ends.
#[test]
fn every_prediction_arrives_at_the_data() {
    for kind in [Prediction::Data, Prediction::Noise, Prediction::V] {
        for spec in SAMPLERS.iter().filter(|s| !s.stochastic) {
            let e = error(spec.name, kind, 200);
            assert!(e < 0.02, "{} with {kind:?}: error {e}", spec.name);
        }
    }
}

/// The SDE extension keeps the marginals: samples have the data's mean and variance.
#[test]
fn the_stochastic_sampler_keeps_the_law() {
    let rows = 20_000;
    let device = Device::flex();
    let x = RowNoise::new(3, Purpose::Init, 0, &device).normal(rows, 1);
    let mut noise = RowNoise::new(3, Purpose::Solver, 0, &device);
    let end = run("euler-maruyama", Prediction::Velocity, 200, x, &mut noise);
    let values = end
        .into_data()
        .convert::<f64>()
        .try_to_vec::<f64>()
        .unwrap();
    let mean = values.iter().sum::<f64>() / rows as f64;
    let var = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / rows as f64;
    // Four standard errors and the first-order bias of 200 steps.
    assert!(
        (mean - M).abs() < 4.0 * S / (rows as f64).sqrt() + 0.01,
        "mean {mean}"
    );
    assert!(
        (var.sqrt() - S).abs() < 0.02,
        "standard deviation {}",
        var.sqrt()
    );
}

#[test]
fn watching_can_break_off_and_sees_every_time() {
    let mut seen = Vec::new();
    let mut noise = RowNoise::new(0, Purpose::Test, 0, &Device::flex());
    let mut euler = (sampler("euler").unwrap().make)(Diffusion::default());
    let grid = uniform(4);
    let model = Exact(Prediction::Velocity);
    let done = sample(&model, &mut *euler, start(2), &grid, &mut noise, &mut |p| {
        seen.push(p.t);
        if p.step == 2 {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    });
    assert!(done.is_none());
    assert_eq!(seen, [0.0, 0.25, 0.5]);
}
