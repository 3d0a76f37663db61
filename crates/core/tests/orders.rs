//! The order of accuracy of every sampler, measured.
//!
//! With p_data = N(m, s²) the marginal at t is N(αm, α²s² + β²), and the flow carries a point at the same number of
//! standard deviations. The model is linear there, so that a sampler's end is a linear function of its
//! start and of all its noise: unit impulses give its mean and its variance exactly, without any sampling.

#![allow(clippy::print_stdout)] // the figures, with --nocapture

use std::ops::ControlFlow;

use burn::tensor::{DType, Device, Tensor, TensorData};
use fokker_core::{Denoiser, Estimate, Noise, Plan, Randomness, SAMPLERS, Sampler, State, sample};
use fokker_math::diffusion::Diffusion;
use fokker_math::prediction::Prediction;
use fokker_math::scheduler::{Cosine, Scheduler};

const M: f64 = 1.5;
/// Three laws: an error may vanish by chance for one.
const S: [f64; 3] = [0.3, 0.5, 2.0];
/// Where the measurement begins and ends: inside the path, where nothing is singular.
const SPAN: [f64; 2] = [0.15, 0.85];

/// The exact model of N(M, s²).
struct Exact {
    s: f64,
}

impl Denoiser for Exact {
    fn scheduler(&self) -> &dyn Scheduler {
        &Cosine
    }

    fn predict(&self, x: State, t: f64) -> Estimate {
        let c = Cosine.at(t);
        let r = (x - c.alpha * M) / std(self.s, t).powi(2);
        Estimate::of(r * (c.alpha * self.s * self.s) + M, Prediction::Data)
    }
}

fn std(s: f64, t: f64) -> f64 {
    let c = Cosine.at(t);
    (c.alpha * s).hypot(c.beta)
}

/// Row k + 2 has its k-th draw equal to 1; every other number is 0.
struct Impulses {
    drawn: usize,
}

impl Noise for Impulses {
    fn normal(&mut self, rows: usize, dim: usize) -> State {
        let mut values = vec![0.0; rows * dim];
        values[(self.drawn + 2) * dim] = 1.0;
        self.drawn += 1;
        column(values)
    }
}

fn column(values: Vec<f64>) -> State {
    let rows = values.len();
    Tensor::from_data(
        TensorData::new(values, [rows, 1]),
        (&Device::flex(), DType::F64),
    )
}

/// `n` steps of equal length. A deterministic sampler may begin with four short ones, in which a multistep
/// method gathers its estimates at an error that does not show. (With noise the estimates of so short
/// steps differ by noise alone.)
fn grid(n: usize, short_start: bool) -> Vec<f64> {
    let [from, to] = SPAN;
    let short = (1.0 / n as f64).powi(2);
    let begin: Vec<f64> = (0..if short_start { 4 } else { 0 })
        .map(|i| from + short * i as f64)
        .collect();
    let first = from + begin.len() as f64 * short;
    let equal = (0..=n).map(|i| first + (to - first) * i as f64 / n as f64);
    begin.into_iter().chain(equal).collect()
}

/// The mean and the standard deviation at the end, in units of the exact standard deviation, less the exact
/// ones.
fn errors(sampler: Sampler, s: f64, n: usize) -> [f64; 2] {
    let [from, to] = SPAN;
    let times = grid(n, !sampler.is_stochastic());
    // Two draws a step at most.
    let impulses = if sampler.is_stochastic() {
        2 * times.len()
    } else {
        0
    };
    let mut x = vec![Cosine.at(from).alpha * M; impulses + 2];
    x[1] += std(s, from);
    let end = sample(
        &Exact { s },
        &mut *sampler.start(Diffusion::default()),
        column(x),
        &times,
        &mut Impulses { drawn: 0 },
        &mut |_| ControlFlow::Continue(()),
    );
    let end: Vec<f64> = end.unwrap().into_data().try_to_vec().unwrap();
    let mean = end[0];
    let variance: f64 = end[1..].iter().map(|v| (v - mean).powi(2)).sum();
    let exact = Cosine.at(to).alpha * M;
    [
        (mean - exact) / std(s, to),
        variance.sqrt() / std(s, to) - 1.0,
    ]
}

fn measured(sampler: Sampler) -> (f64, f64) {
    let n = match sampler.spec.plan {
        Plan::Adaptive(_) => 6, // finer, and rounding is all that is left
        _ => 128,
    };
    let size = |n: usize| {
        let all = S.iter().flat_map(|s| errors(sampler, *s, n));
        all.map(|e| e * e).sum::<f64>().sqrt()
    };
    let (coarse, fine) = (size(n), size(2 * n));
    ((coarse / fine).log2(), fine)
}

/// Every sampler with every parameter that matters for its order.
fn all() -> Vec<Sampler> {
    let mut all = Vec::new();
    for spec in SAMPLERS {
        let mut add = |parameter| all.push(Sampler { spec, parameter });
        match spec.parameter {
            _ if matches!(spec.plan, Plan::Adaptive(_)) => add(0.0),
            None => add(0.0),
            Some(p) if p.integer => {
                (p.range[0] as u32..=p.range[1].min(4.0) as u32).for_each(|v| add(f64::from(v)))
            }
            Some(p) if p.range[1] == 1.0 => [0.0, 0.5, 1.0]
                .into_iter()
                .filter(|v| p.symbol == "η" || *v == 0.0)
                .for_each(&mut add),
            Some(_) => [0.0, 8.0].into_iter().for_each(&mut add),
        }
    }
    all
}

#[test]
fn every_sampler_has_its_order() {
    let mut wrong = Vec::new();
    for sampler in all() {
        let (order, fine) = measured(sampler);
        let stated = f64::from(sampler.order());
        println!(
            "{:<20} stated {stated}  measured {order:.3}  error {fine:.1e}",
            sampler.to_string()
        );
        // Without its noise a sampler of the SDE may be of higher order.
        let silent = sampler.spec.randomness == Randomness::Parameter && !sampler.is_stochastic();
        let most = if silent { f64::INFINITY } else { stated + 0.2 };
        if !(stated - 0.2..=most).contains(&order) {
            wrong.push(format!("{sampler}: measured {order:.3}, stated {stated}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
