//! Laws of sampling on the exact oracle: whatever σ_t is added and whichever scheduler is walked along,
//! the samples have the law of the data.

use std::ops::ControlFlow;
use std::sync::Arc;

use burn::tensor::{DType, Device, Tensor, TensorData};
use fokker_core::{Denoiser, Noise, Oracle, Rescheduled, RowNoise, State, sample, sampler};
use fokker_math::diffusion::{DIFFUSIONS, Diffusion};
use fokker_math::grid::uniform;
use fokker_math::mixture::GaussianMixture;
use fokker_math::prediction::{PREDICTIONS, Prediction, convert};
use fokker_math::scheduler::{CondOt, SCHEDULERS, Scheduler, scheduler};
use fokker_math::stats::energy_distance;
use fokker_sim::rng::{Purpose, Stream};

/// Three Gaussians of unlike weight and width in the plane.
fn mixture() -> GaussianMixture {
    GaussianMixture::new(
        2,
        &[0.5, 0.3, 0.2],
        &[2.0, 0.0, -1.0, 1.5, -1.0, -2.0],
        &[0.4, 0.6, 0.3],
    )
    .unwrap()
}

/// `n` exact samples, of stream `stream`.
fn exact(n: usize, stream: u64) -> Vec<f64> {
    let data = mixture();
    let mut cursor = Stream::new(5, Purpose::Data, stream, 0).cursor();
    let mut out = Vec::with_capacity(2 * n);
    for _ in 0..n {
        let u = cursor.uniform_f64();
        let mut sum = 0.0;
        let k = data.weights().iter().position(|w| {
            sum += w;
            u < sum
        });
        let k = k.unwrap_or(data.components() - 1);
        for m in data.mean(k) {
            out.push(m + data.stds()[k] * cursor.normal_f64());
        }
    }
    out
}

fn f64s(x: State) -> Vec<f64> {
    x.into_data().convert::<f64>().try_to_vec().unwrap()
}

fn walk(
    model: &dyn Denoiser,
    name: &str,
    diffusion: Diffusion,
    steps: usize,
    n: usize,
) -> Vec<f64> {
    let device = Device::flex();
    let scale = model.scheduler().at(0.0).beta;
    let x = RowNoise::new(11, Purpose::Init, 0, &device).normal(n, 2) * scale;
    let mut noise = RowNoise::new(11, Purpose::Solver, 0, &device);
    let mut stepper = sampler(name).unwrap().start(diffusion);
    let go_on = &mut |_: fokker_core::Progress| ControlFlow::Continue(());
    let end = sample(model, &mut *stepper, x, &uniform(steps), &mut noise, go_on);
    f64s(end.unwrap())
}

/// The largest energy distance of `pairs` pairs of exact samples of size `n`: what noise alone does.
fn noise_level(n: usize, pairs: u64) -> f64 {
    let distances =
        (0..pairs).map(|k| energy_distance(&exact(n, 100 + 2 * k), &exact(n, 101 + 2 * k), 2));
    distances.fold(0.0, f64::max)
}

/// Samples of the SDE extension at every kind of σ_t, weak and strong, are no further from exact samples
/// than those are from each other; samples without half of their drift are.
#[test]
fn every_sigma_keeps_the_law() {
    const N: usize = 1500;
    let level = noise_level(N, 40);
    let model = Oracle::new(mixture(), Arc::new(CondOt));
    let other = exact(N, 1);
    let choices = DIFFUSIONS.iter().map(|d| d.name.parse().unwrap());
    let strong = [
        "noise:0",
        "noise:3",
        "constant:0.3",
        "constant:2",
        "decreasing:2",
    ];
    let strong = strong.into_iter().map(|s| s.parse::<Diffusion>().unwrap());
    for diffusion in choices.chain(strong) {
        let samples = walk(&model, "euler-maruyama", diffusion, 400, N);
        let distance = energy_distance(&samples, &other, 2);
        assert!(
            distance < level,
            "{diffusion}: {distance} against noise of {level}"
        );
    }
    /// The same noise without the score that balances it.
    struct Unbalanced(Oracle);
    impl Denoiser for Unbalanced {
        fn scheduler(&self) -> &dyn Scheduler {
            self.0.scheduler()
        }
        fn predict(&self, x: State, t: f64) -> fokker_core::Estimate {
            self.0.predict(x, t)
        }
        fn velocity_and_noise(&self, x: State, t: f64) -> Option<(State, State, f64)> {
            let (u, eps, scale) = self.0.velocity_and_noise(x, t)?;
            Some((u, eps * 0.5, scale))
        }
    }
    let wrong = walk(
        &Unbalanced(model),
        "euler-maruyama",
        "noise:3".parse().unwrap(),
        400,
        N,
    );
    assert!(energy_distance(&wrong, &other, 2) > 2.0 * level);
}

/// The same along another scheduler than the model's own.
#[test]
fn a_rescheduled_model_is_sampled_with_noise() {
    const N: usize = 1500;
    let level = noise_level(N, 40);
    let other = exact(N, 3);
    for sigma in ["noise:1", "constant:1"] {
        let model = Oracle::new(mixture(), scheduler("vp").unwrap().into());
        let model = Rescheduled::new(model, scheduler("cosine").unwrap().into());
        let samples = walk(&model, "euler-maruyama", sigma.parse().unwrap(), 400, N);
        let distance = energy_distance(&samples, &other, 2);
        assert!(distance < level, "{sigma}: {distance} against {level}");
    }
}

/// With few steps and much noise the data, narrow as a point, still comes out clean.
#[test]
fn the_last_step_leaves_no_noise() {
    let point = GaussianMixture::new(2, &[1.0], &[1.0, -1.0], &[1e-3]).unwrap();
    for scheduler in ["condot", "cosine", "edm"] {
        let model = Oracle::new(point.clone(), named(scheduler));
        for sigma in ["noise:1", "noise:3", "constant:2", "memoryless"] {
            let samples = walk(&model, "euler-maruyama", sigma.parse().unwrap(), 25, 200);
            let off = samples.chunks(2).map(|p| (p[0] - 1.0).hypot(p[1] + 1.0));
            let worst = off.fold(0.0, f64::max);
            assert!(worst < 0.02, "{scheduler}, {sigma}: {worst}");
        }
    }
}

fn named(name: &str) -> Arc<dyn Scheduler> {
    scheduler(name).unwrap().into()
}

/// A model of one scheduler, sampled along any other, gives the same law; and with the exact flow even
/// the same points: the way from x₀ to the data is a property of the law, not of the scheduler.
#[test]
fn another_scheduler_gives_the_same_law() {
    const N: usize = 1000;
    let level = noise_level(N, 40);
    let other = exact(N, 2);
    let condot = walk(
        &Oracle::new(mixture(), Arc::new(CondOt)),
        "heun",
        Diffusion::default(),
        200,
        N,
    );
    for (trained, walked) in [
        ("condot", "cosine"),
        ("condot", "polynomial"),
        ("condot", "vp"),
        ("cosine", "condot"),
        ("vp", "condot"),
        ("linear-sqrt", "condot"),
        ("sub-vp", "cosine"),
        ("ve", "condot"),
        ("edm", "cosine"),
    ] {
        let model = Oracle::new(mixture(), scheduler(trained).unwrap().into());
        let model = Rescheduled::new(model, scheduler(walked).unwrap().into());
        let samples = walk(&model, "heun", Diffusion::default(), 200, N);
        let distance = energy_distance(&samples, &other, 2);
        assert!(
            distance < level,
            "{trained} along {walked}: {distance}, noise {level}"
        );
        let apart = condot.iter().zip(&samples).map(|(a, b)| (a - b).abs());
        let mean = apart.sum::<f64>() / (2 * N) as f64;
        assert!(
            mean < 0.02,
            "{trained} along {walked}: {mean} from the flow of condot"
        );
    }
}

/// The rescheduled field is the oracle's own field on the new path.
#[test]
fn a_rescheduled_field_is_the_exact_one() {
    let device = Device::flex();
    let x = [0.7, -0.4, -2.0, 1.0, 0.1, 2.5];
    for from in SCHEDULERS {
        for to in SCHEDULERS {
            let model = Oracle::new(mixture(), (from.make)().into());
            let moved = Rescheduled::new(model, (to.make)().into());
            let direct = Oracle::new(mixture(), (to.make)().into());
            for t in [0.2, 0.5, 0.8, 0.97] {
                let scale = 1.0 + direct.scheduler().at(t).beta;
                let x: Vec<f64> = x.iter().map(|x| x * scale).collect();
                let x = TensorData::new(x, [3, 2]);
                let x = Tensor::<2>::from_data(x, (&device, DType::F64));
                let found = f64s(moved.velocity(x.clone(), t).unwrap());
                let exact = f64s(direct.velocity(x, t).unwrap());
                let reach = (from.make)().at(0.0).log_snr();
                if direct.scheduler().at(t).log_snr() < reach {
                    continue; // noisier than the trained path ever is
                }
                for (f, e) in found.iter().zip(&exact) {
                    assert!(
                        (f - e).abs() < 1e-6 * (1.0 + e.abs()),
                        "{} along {} at {t}: {f} for {e}",
                        from.name,
                        to.name
                    );
                }
            }
        }
    }
}

/// Score from field and field from score, on tensors, against the oracle.
#[test]
fn the_score_of_the_field_is_exact() {
    let device = Device::flex();
    let x = TensorData::new(vec![0.7, -0.4, -2.0, 1.0], [2, 2]);
    let x = Tensor::<2>::from_data(x, (&device, DType::F64));
    for spec in SCHEDULERS {
        let scheduler: Arc<dyn Scheduler> = (spec.make)().into();
        let model = Oracle::new(mixture(), scheduler.clone());
        for t in [0.1, 0.5, 0.9] {
            let c = scheduler.at(t);
            let score = f64s(model.score(x.clone(), t).unwrap());
            let field = f64s(model.velocity(x.clone(), t).unwrap());
            let (a, b) = (c.field_of_score(), c.field_of_state());
            for ((s, u), x) in score.iter().zip(&field).zip(f64s(x.clone())) {
                let back = a * s + b * x;
                let size = 1.0 + u.abs() + (b * x).abs();
                assert!((back - u).abs() < 1e-9 * size, "{} at {t}", spec.name);
            }
            for &from in PREDICTIONS {
                let (cx, cv) = convert(from, Prediction::Score, &c).unwrap();
                assert!(cx.is_finite() && cv.is_finite());
            }
        }
    }
}
