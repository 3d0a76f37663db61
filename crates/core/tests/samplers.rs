//! Laws of the samplers beyond their order (`orders.rs`): all find the same limit, keep the law, stay on the path, arrive
//! at the data, and are told of by name.

#![allow(clippy::print_stdout)] // the figures, with --nocapture

use std::cell::RefCell;
use std::ops::ControlFlow;
use std::sync::Arc;

use burn::tensor::{DType, Device, Tensor, TensorData};
use fokker_core::{
    Adaptive, Denoiser, Estimate, Noise, Oracle, Plan, Progress, RowNoise, SAMPLERS, Sampler,
    SamplerError, State, sample, sampler,
};
use fokker_math::diffusion::Diffusion;
use fokker_math::grid::{Grid, uniform};
use fokker_math::mixture::GaussianMixture;
use fokker_math::prediction::Prediction;
use fokker_math::scheduler::{CondOt, Cosine, SCHEDULERS, Scheduler, VariancePreserving};
use fokker_math::tableau::DORMAND_PRINCE;
use fokker_sim::rng::Purpose;

fn tensor(values: &[f64], dim: usize) -> State {
    let shape = [values.len() / dim, dim];
    Tensor::from_data(
        TensorData::new(values.to_vec(), shape),
        (&Device::flex(), DType::F64),
    )
}

fn values(x: State) -> Vec<f64> {
    x.into_data().convert::<f64>().try_to_vec().unwrap()
}

fn noise(seed: u64) -> RowNoise {
    RowNoise::new(seed, Purpose::Solver, 0, &Device::flex())
}

fn walk(model: &dyn Denoiser, sampler: Sampler, x: State, grid: &[f64]) -> State {
    let watch = &mut |_: Progress| ControlFlow::Continue(());
    let stepper = &mut *sampler.start(Diffusion::default());
    sample(model, stepper, x, grid, &mut noise(3), watch).unwrap()
}

/// Every sampler with its usual parameter, and integer ones with every value.
fn all() -> impl Iterator<Item = Sampler> {
    SAMPLERS.iter().flat_map(|spec| {
        let usual = Sampler::from(spec);
        match spec.parameter {
            Some(p) if p.integer && spec.plan_is_grid() => (p.range[0] as u32..=p.range[1] as u32)
                .map(|v| Sampler {
                    parameter: f64::from(v),
                    ..usual
                })
                .collect(),
            _ => vec![usual],
        }
    })
}

trait IsGrid {
    fn plan_is_grid(&self) -> bool;
}

impl IsGrid for fokker_core::SamplerSpec {
    fn plan_is_grid(&self) -> bool {
        matches!(self.plan, Plan::Grid)
    }
}

/// Eight modes on a ring.
fn ring(std: f64) -> GaussianMixture {
    GaussianMixture::ring(8, 2.0, std).expect("a mixture")
}

/// The limit of ever finer grids is the flow itself. The error of a method on smooth grids is a power series in 1/n,
/// so that Richardson's extrapolation finds the limit of first-order methods as well.
#[test]
fn fine_grids_find_the_flow_of_dormand_prince() {
    let model = Oracle::new(ring(0.6), Arc::new(Cosine));
    let [from, to] = [0.2, 0.9];
    let x = tensor(&[0.3, -0.8, 1.1, 0.4, -0.9, -1.2, 0.2, 0.1], 2);
    let solver = Adaptive {
        tableau: &DORMAND_PRINCE,
        rtol: 1e-12,
        atol: 1e-12,
    };
    let exact = solver
        .integrate(
            &mut |t, x| model.velocity(x, t).unwrap(),
            x.clone(),
            from,
            to,
            &mut |_| ControlFlow::Continue(()),
        )
        .unwrap();
    let exact = values(exact.state);
    for sampler in all().map(|s| match s.spec.parameter {
        Some(p) if p.symbol == "η" => Sampler {
            parameter: 0.0,
            ..s
        },
        _ => s,
    }) {
        // Restart's own grid is not a smooth one; on any other it is Heun in σ.
        if sampler.is_stochastic() && sampler.spec.name != "restart" {
            continue;
        }
        let end = |n: usize| {
            let grid: Vec<f64> = uniform(n).iter().map(|t| from + (to - from) * t).collect();
            values(walk(&model, sampler, x.clone(), &grid))
        };
        // Romberg's table from the order of a multistep method's first-order start, or better.
        let coarsest = 40;
        let mut row: Vec<Vec<f64>> = (0..7).map(|k| end(coarsest << k)).collect();
        let lowest = sampler.order().min(2);
        let mut power = lowest;
        while row.len() > 1 {
            let factor = 2_f64.powi(power as i32);
            row = row
                .windows(2)
                .map(|p| {
                    p[1].iter()
                        .zip(&p[0])
                        .map(|(f, c)| f + (f - c) / (factor - 1.0))
                        .collect()
                })
                .collect();
            power += 1;
        }
        let gap = row[0]
            .iter()
            .zip(&exact)
            .map(|(a, b)| (a - b).abs())
            .fold(0.0, f64::max);
        println!("{sampler}: {gap:.1e}");
        assert!(gap < 1e-8, "{sampler}: {gap:e} from the flow");
    }
}

/// Samples of every stochastic sampler have the law of the data: 100,000 of them are as far from as many exact points as those
/// are from others.
#[test]
fn stochastic_samplers_keep_the_law() {
    let rows = 100_000;
    let mixture = ring(0.5);
    let model = Oracle::new(mixture.clone(), Arc::new(CondOt));
    let exact = |seed: u64| {
        let normals = values(noise(seed).normal(rows, 2));
        let classes = values(noise(seed + 1000).normal(rows, 1));
        let mut points = normals;
        for (point, c) in points.chunks_exact_mut(2).zip(classes) {
            let k = (fokker_math::stats::normal_cdf(c) * 8.0).floor().min(7.0);
            let angle = k * std::f64::consts::FRAC_PI_4;
            point[0] = 0.5 * point[0] + 2.0 * angle.cos();
            point[1] = 0.5 * point[1] + 2.0 * angle.sin();
        }
        points
    };
    let truth = exact(1);
    // One name of those that are the same thing (see `families_meet_at_their_ends`).
    let same = ["euler-ancestral", "dpm++1-sde"];
    let samplers: Vec<Sampler> = all()
        .filter(|s| s.is_stochastic() && !same.contains(&s.spec.name))
        .chain(["edm:20".parse().unwrap(), "ddim:0.5".parse().unwrap()])
        .collect();
    let judge = |sampler: &Sampler| {
        let steps = if sampler.order() == 1 { 200 } else { 60 };
        let x = noise(7).normal(rows, 2).cast(DType::F64);
        let end = values(walk(
            &model,
            *sampler,
            x,
            &Grid::Cosine.times(&CondOt, steps),
        ));
        (*sampler, gap(&end, &truth))
    };
    let halves = samplers.split_at(samplers.len() / 2);
    let judged: Vec<(Sampler, f64)> = std::thread::scope(|scope| {
        let other = scope.spawn(|| halves.1.iter().map(judge).collect::<Vec<_>>());
        let mut judged: Vec<_> = halves.0.iter().map(judge).collect();
        judged.extend(other.join().expect("the other half"));
        judged
    });
    println!("exact points: {:.2}; {judged:.2?}", gap(&exact(2), &truth));
    for (sampler, gap) in judged {
        // Equal laws pass it in one of the eight directions with probability 8·2e^{−2·2.2²} = 0.001.
        assert!(gap < 2.2, "{sampler}: {gap}");
    }
}

/// How far two samples are apart, in standard deviations of equal laws: the largest Kolmogorov–Smirnov statistic over
/// eight directions, times √(n/2).
fn gap(a: &[f64], b: &[f64]) -> f64 {
    let along = |points: &[f64], angle: f64| {
        let (s, c) = angle.sin_cos();
        let mut p: Vec<f64> = points
            .chunks_exact(2)
            .map(|p| c * p[0] + s * p[1])
            .collect();
        p.sort_by(f64::total_cmp);
        p
    };
    let n = (a.len() / 2) as f64;
    (0..8)
        .map(|k| {
            let angle = std::f64::consts::PI * (f64::from(k) + 0.3) / 8.0;
            let (a, b) = (along(a, angle), along(b, angle));
            let (mut i, mut j, mut d) = (0, 0, 0_f64);
            while i < a.len() && j < b.len() {
                if a[i] <= b[j] {
                    i += 1
                } else {
                    j += 1
                }
                d = d.max((i as f64 - j as f64).abs() / n);
            }
            d * (n / 2.0).sqrt()
        })
        .fold(0.0, f64::max)
}

/// A model that notes when it is asked.
struct Noting<'a> {
    model: &'a dyn Denoiser,
    times: RefCell<Vec<f64>>,
}

impl Denoiser for Noting<'_> {
    fn scheduler(&self) -> &dyn Scheduler {
        self.model.scheduler()
    }

    fn predict(&self, x: State, t: f64) -> Estimate {
        self.times.borrow_mut().push(t);
        self.model.predict(x, t)
    }
}

/// From pure noise to the data on every path: no call outside of it, no infinity, and as many calls as stated.
#[test]
fn every_sampler_walks_every_path_within_it() {
    for spec in SCHEDULERS {
        let scheduler: Arc<dyn Scheduler> = (spec.make)().into();
        let oracle = Oracle::new(ring(0.5), scheduler.clone());
        let model = Noting {
            model: &oracle,
            times: RefCell::default(),
        };
        let beta = scheduler.at(0.0).beta;
        let x = tensor(&[0.3, -0.8, 1.1, 0.4, -0.9, -1.2], 2).mul_scalar(beta);
        for sampler in all() {
            for grid in [Grid::Native, Grid::Karras { rho: 7.0 }, Grid::Uniform] {
                let grid = grid.times(&*scheduler, 12);
                let end = values(walk(&model, sampler, x.clone(), &grid));
                let times = model.times.take();
                let what = format!("{sampler} on {}", spec.name);
                assert!(end.iter().all(|v| v.is_finite()), "{what}: {end:?}");
                assert!(
                    times.iter().all(|t| (0.0..=1.0).contains(t)),
                    "{what}: {times:?}"
                );
                let calls = sampler.spec.calls * 12;
                // A second-order method may do with fewer calls at the ends, and one that was asked
                // in vain at t = 0 is asked again.
                assert!(
                    (12..=calls + 1).contains(&times.len()),
                    "{what}: {} calls",
                    times.len()
                );
            }
        }
    }
}

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

/// Singular predictions (noise at t = 0, data at t = 1) still arrive, at the price of the guarded ends.
#[test]
fn every_prediction_arrives_at_the_data() {
    let x = tensor(&[-2.0, -1.0, 0.0, 0.7, 2.0], 1);
    let exact = values(x.clone() * S + M);
    for kind in [
        Prediction::Data,
        Prediction::Noise,
        Prediction::V,
        Prediction::Velocity,
    ] {
        for sampler in all().filter(|s| !s.is_stochastic()) {
            let end = values(walk(&Exact(kind), sampler, x.clone(), &uniform(200)));
            let e = end
                .iter()
                .zip(&exact)
                .map(|(a, b)| (a - b).abs())
                .fold(0.0, f64::max);
            assert!(e < 0.02, "{sampler} with {kind:?}: error {e}");
        }
    }
}

/// Without its noise a stochastic sampler is the deterministic one of the same name.
#[test]
fn families_meet_at_their_ends() {
    let vp: Arc<dyn Scheduler> = Arc::new(VariancePreserving::default());
    let model = Oracle::new(ring(0.5), vp.clone());
    let x = tensor(&[0.3, -0.8, 1.1, 0.4, -0.9, -1.2], 2);
    let grid = Grid::LogSnr.times(&*vp, 10);
    let end = |name: &str| values(walk(&model, name.parse().unwrap(), x.clone(), &grid));
    for (a, b) in [
        ("ddim", "euler-ancestral:0"),
        ("ddim", "dpm++1s"),
        ("ddim", "exp-ab:1"),
        ("ddim", "deis:1"),
        ("ddim", "lms:1"),
        ("ddim:1", "ddpm"),
        ("ddim:1", "euler-ancestral"),
        ("ddim:1", "dpm++1-sde"),
        ("dpm2", "dpm2-ancestral:0"),
        ("dpm++2s", "dpm++2s-ancestral:0"),
        ("dpm++2m", "dpm++2m-sde:0"),
        ("dpm++3m", "dpm++3m-sde:0"),
        ("dpm++3m", "exp-ab:3"),
        ("edm", "restart:0"),
    ] {
        let gap = end(a)
            .iter()
            .zip(end(b))
            .map(|(a, b)| (a - b).abs())
            .fold(0.0, f64::max);
        assert!(gap < 1e-9, "{a} and {b}: {gap}");
    }
}

#[test]
fn watching_can_break_off_and_sees_every_time() {
    let mut seen = Vec::new();
    let mut euler = sampler("euler").unwrap().start(Diffusion::default());
    let x = tensor(&[-2.0, 2.0], 1);
    let model = Exact(Prediction::Velocity);
    let done = sample(
        &model,
        &mut *euler,
        x,
        &uniform(4),
        &mut noise(0),
        &mut |p| {
            seen.push(p.t);
            if p.step == 2 {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        },
    );
    assert!(done.is_none());
    assert_eq!(seen, [0.0, 0.25, 0.5]);
}

#[test]
fn names_and_parameters_read_back() {
    for sampler in all() {
        assert_eq!(sampler.to_string().parse(), Ok(sampler));
    }
    assert_eq!("ddim: 0.25".parse::<Sampler>().unwrap().parameter, 0.25);
    let wrong = |text: &str| text.parse::<Sampler>().unwrap_err();
    assert!(matches!(
        wrong("dpm++2n"),
        SamplerError::Name {
            similar: Some("dpm++2m"),
            ..
        }
    ));
    assert!(matches!(
        wrong("zzz"),
        SamplerError::Name { similar: None, .. }
    ));
    assert!(matches!(
        wrong("heun:2"),
        SamplerError::NoParameter { name: "heun" }
    ));
    for text in [
        "ddim:2",
        "ddim:x",
        "ddim:",
        "unipc:2.5",
        "unipc:0",
        "dopri5:0",
        "lms:nan",
    ] {
        assert!(
            matches!(wrong(text), SamplerError::Parameter { .. }),
            "{text}"
        );
    }
    assert!(
        wrong("unipc:9")
            .to_string()
            .contains("an integer n from 1 to 3")
    );
}
