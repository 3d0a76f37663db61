//! Log-densities by the change of variables against closed forms.

use std::ops::ControlFlow;
use std::sync::Arc;

use burn::module::{Module, Param};
use burn::tensor::{DType, Device, Tensor, TensorData};
use fokker_core::{
    Denoiser, Divergence, Estimate, Flow, Labels, Likelihood, LikelihoodSettings, Model, Network,
    Ode, OdeError, Oracle, Parametrization, ProbabilityPath, Probe, Rescheduled, Start, State,
    decode, encode, log_likelihood,
};
use fokker_math::mixture::GaussianMixture;
use fokker_math::prediction::{Prediction, convert};
use fokker_math::scheduler::{CondOt, SCHEDULERS, Scheduler, Start as At, scheduler};
use fokker_math::tableau::{DORMAND_PRINCE, RK4, TSIT5};
use fokker_sim::rng::{Purpose, Stream};

fn go_on(_: f64) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn state(values: Vec<f64>, dim: usize) -> State {
    let rows = values.len() / dim;
    let device = Device::flex();
    Tensor::from_data(TensorData::new(values, [rows, dim]), (&device, DType::F64))
}

fn f64s(x: State) -> Vec<f64> {
    x.into_data().convert::<f64>().try_to_vec().unwrap()
}

fn normals(n: usize) -> Vec<f64> {
    let mut out = vec![0.0; n];
    Stream::new(3, Purpose::Test, 0, 0).normals_f64(&mut out);
    out
}

fn exact(tolerance: f64) -> LikelihoodSettings {
    LikelihoodSettings {
        ode: Ode {
            tolerance,
            ..Ode::default()
        },
        ..LikelihoodSettings::default()
    }
}

fn likelihood(model: &dyn Denoiser, x: &[f64], dim: usize, how: &LikelihoodSettings) -> Likelihood {
    let samples: Vec<u64> = (0..(x.len() / dim) as u64).collect();
    log_likelihood(model, state(x.to_vec(), dim), &samples, how, &mut go_on).unwrap()
}

/// ln N(x; 0, s² I).
fn log_normal(x: &[f64], s: f64) -> f64 {
    let square: f64 = x.iter().map(|x| (x / s).powi(2)).sum();
    -0.5 * (square + x.len() as f64 * (std::f64::consts::TAU * s * s).ln())
}

fn eight() -> GaussianMixture {
    GaussianMixture::ring(8, 8.0_f64.sqrt(), 0.125_f64.sqrt()).unwrap()
}

/// Points about the modes of `data`, twice as wide as its own.
fn about(data: &GaussianMixture, count: usize) -> Vec<f64> {
    let dim = data.dim();
    let noise = normals(count * dim);
    let point = |(i, e): (usize, &[f64])| {
        let k = i % data.components();
        let pairs = data.mean(k).iter().zip(e);
        let at = pairs.map(|(m, e)| m + 2.0 * data.stds()[k] * e);
        at.collect::<Vec<f64>>()
    };
    noise.chunks(dim).enumerate().flat_map(point).collect()
}

fn wide(dim: usize) -> GaussianMixture {
    let mean: Vec<f64> = (0..dim).map(|i| i as f64 - 1.0).collect();
    GaussianMixture::new(dim, &[1.0], &mean, &[0.7]).unwrap()
}

/// On every scheduler: the found log-density is the exact one to 10⁻⁴ nat at a tolerance of 10⁻⁶, where the path starts
/// at N(0, β₀²I) exactly; and where it does so only nearly, with the start's own exact density in its place.
#[test]
fn the_oracles_density_is_the_exact_one() {
    for (data, dim) in [(eight(), 2), (wide(3), 3)] {
        let x = about(&data, 16);
        for spec in SCHEDULERS {
            let path: Arc<dyn Scheduler> = (spec.make)().into();
            let model = Oracle::new(data.clone(), path.clone());
            let found = likelihood(&model, &x, dim, &exact(1e-6));
            let start = data.at(&*path, 0.0);
            let scale = path.at(0.0).beta;
            for ((x, log_p), x0) in x.chunks(dim).zip(&found.log_p).zip(found.noise.chunks(dim)) {
                let x0: Vec<f64> = x0.iter().map(|v| f64::from(*v)).collect();
                let near = match spec.start {
                    At::Noise => 0.0,
                    _ => start.log_density(&x0) - log_normal(&x0, scale),
                };
                let truth = data.log_density(x);
                let error = (log_p + near - truth).abs();
                assert!(
                    error < 1e-4,
                    "{}: {log_p} for {truth} at {x:?}: {error:e}",
                    spec.name
                );
                assert!(near.abs() < 0.5);
            }
        }
    }
}

/// Another method, given steps, another path of the same law: the same density.
#[test]
fn any_way_gives_the_same_density() {
    let x = about(&eight(), 16);
    let truth: Vec<f64> = x.chunks(2).map(|x| eight().log_density(x)).collect();
    let oracle = || Oracle::new(eight(), Arc::new(CondOt));
    let close = |found: Likelihood, most: f64, what: &str| {
        for (found, truth) in found.log_p.iter().zip(&truth) {
            assert!((found - truth).abs() < most, "{what}: {found} for {truth}");
        }
    };
    let ode = |tableau, steps| LikelihoodSettings {
        ode: Ode {
            tableau,
            tolerance: 1e-6,
            steps,
        },
        ..LikelihoodSettings::default()
    };
    close(
        likelihood(&oracle(), &x, 2, &ode(&TSIT5, None)),
        1e-4,
        "tsit5",
    );
    let fixed = likelihood(&oracle(), &x, 2, &ode(&RK4, Some(200)));
    assert_eq!(fixed.calls, 200 * 4 * 2);
    close(fixed, 1e-4, "rk4");
    let moved = Rescheduled::new(oracle(), scheduler("cosine").unwrap().into());
    close(
        likelihood(&moved, &x, 2, &exact(1e-6)),
        1e-4,
        "condot along cosine",
    );
    let loose = likelihood(&oracle(), &x, 2, &exact(1e-3)).calls;
    let tight = likelihood(&oracle(), &x, 2, &exact(1e-6)).calls;
    assert!(loose < tight && tight < 2000, "{loose} {tight}");
}

/// The oracle, answering with one prediction as a network does.
struct As(Oracle, Prediction);

impl Denoiser for As {
    fn scheduler(&self) -> &dyn Scheduler {
        self.0.scheduler()
    }
    fn predict(&self, x: State, t: f64) -> Estimate {
        self.vjp(x.clone(), t, x.zeros_like()).unwrap().0
    }
    fn vjp(&self, x: State, t: f64, v: State) -> Option<(Estimate, State)> {
        let (estimate, pull) = self.0.vjp(x.clone(), t, v.clone())?;
        let c = self.scheduler().at(t);
        // Where the oracle's own answer does not determine this one, a network still says something.
        let (cx, cv) = convert(estimate.prediction, self.1, &c).unwrap_or((0.0, 1.0));
        let value = x.mul_scalar(cx) + estimate.value.mul_scalar(cv);
        Some((
            Estimate::of(value, self.1),
            v.mul_scalar(cx) + pull.mul_scalar(cv),
        ))
    }
}

/// Every prediction, also those that leave the velocity open at an end of the path: to the density of the cut.
#[test]
fn predictions_that_are_singular_at_an_end() {
    let x = about(&eight(), 16);
    for (kind, most) in [
        (Prediction::Velocity, 1e-4),
        (Prediction::V, 1e-4),
        (Prediction::Data, 1e-4),
        (Prediction::Noise, 5e-3),
        (Prediction::Score, 5e-3),
    ] {
        for name in ["condot", "cosine", "linear-sqrt"] {
            let path: Arc<dyn Scheduler> = scheduler(name).unwrap().into();
            let model = As(Oracle::new(eight(), path), kind);
            let found = likelihood(&model, &x, 2, &exact(1e-6));
            for (x, found) in x.chunks(2).zip(found.log_p) {
                let truth = eight().log_density(x);
                let error = (found - truth).abs();
                assert!(
                    error < most,
                    "{kind:?} on {name}: {found} for {truth}: {error:e}"
                );
            }
        }
    }
}

#[test]
fn there_and_back() {
    for spec in SCHEDULERS {
        let path: Arc<dyn Scheduler> = (spec.make)().into();
        let model = Oracle::new(eight(), path);
        let ode = exact(1e-6).ode;
        let x = about(&eight(), 16);
        let (x0, _) = encode(&model, state(x.clone(), 2), &ode, &mut go_on).unwrap();
        let (back, calls) = decode(&model, x0, &ode, &mut go_on).unwrap();
        assert!(calls > 20);
        for (a, b) in x.iter().zip(f64s(back)) {
            assert!((a - b).abs() < 1e-4, "{}: {a} came back as {b}", spec.name);
        }
    }
}

/// u = Ax, whose divergence is tr A everywhere.
struct Linear(Vec<f64>, usize);

impl Linear {
    fn times(&self, transposed: bool, x: State) -> State {
        let a = state(self.0.clone(), self.1);
        x.matmul(if transposed { a } else { a.transpose() })
    }
}

impl Denoiser for Linear {
    fn scheduler(&self) -> &dyn Scheduler {
        &CondOt
    }
    fn predict(&self, x: State, _: f64) -> Estimate {
        Estimate::of(self.times(false, x), Prediction::Velocity)
    }
    fn vjp(&self, x: State, t: f64, v: State) -> Option<(Estimate, State)> {
        Some((self.predict(x, t), self.times(true, v)))
    }
}

/// Errors of 2,000 estimates of −tr A, each by a sample of its own: mean and variance.
fn estimates(law: Probe, probes: usize, antithetic: bool) -> (f64, f64, usize) {
    const DIM: usize = 6;
    const ROWS: usize = 2000;
    // A diagonal, neighbours, and a little everywhere.
    let a: Vec<f64> = (0..DIM * DIM)
        .map(|k| match (k / DIM).abs_diff(k % DIM) {
            0 => 0.3 - 0.1 * (k % DIM) as f64,
            1 => 0.5,
            _ => 0.05,
        })
        .collect();
    let trace: f64 = a.iter().step_by(DIM + 1).sum();
    let how = LikelihoodSettings {
        ode: Ode {
            tableau: &RK4,
            steps: Some(2),
            ..Ode::default()
        },
        divergence: Divergence::Hutchinson {
            law,
            probes,
            antithetic,
        },
        seed: 9,
    };
    let found = likelihood(&Linear(a, DIM), &vec![0.0; ROWS * DIM], DIM, &how);
    // From 0 to 0: log p₁ = log N(0; 0, I) − ∫ div.
    let exact = log_normal(&[0.0; DIM], 1.0) - trace;
    let errors: Vec<f64> = found.log_p.iter().map(|p| p - exact).collect();
    let mean = errors.iter().sum::<f64>() / ROWS as f64;
    let squares = errors.iter().map(|e| (e - mean).powi(2)).sum::<f64>();
    (mean, squares / (ROWS - 1) as f64, found.calls)
}

#[test]
fn hutchinson_is_unbiased_and_its_partners_help() {
    for law in [Probe::Rademacher, Probe::Gaussian] {
        let mut variances = Vec::new();
        for (probes, antithetic) in [(1, false), (2, false), (1, true), (4, false)] {
            let (mean, variance, calls) = estimates(law, probes, antithetic);
            let standard = (variance / 2000.0).sqrt();
            assert!(
                mean.abs() < 4.0 * standard,
                "{law:?} {probes} {antithetic}: {mean} ± {standard}"
            );
            assert_eq!(calls, 2 * 4 * probes * if antithetic { 2 } else { 1 });
            variances.push(variance);
        }
        let [one, two, partners, four] = variances[..] else {
            unreachable!()
        };
        assert!(partners < one && partners < two, "{law:?}: {variances:?}");
        for (n, variance) in [(2.0, two), (4.0, four)] {
            let ratio = one / variance / n;
            assert!((0.8..1.25).contains(&ratio), "{law:?}: {variances:?}");
        }
    }
    // Rademacher: 2Σ_{i≠j} of the symmetric part's squares; with a partner those of equal parity, i − j even.
    let (close, far) = (2.0 * 10.0 * 0.25, 2.0 * 20.0 * 0.0025);
    let even = 2.0 * 12.0 * 0.0025;
    let (_, one, _) = estimates(Probe::Rademacher, 1, false);
    let (_, partners, _) = estimates(Probe::Rademacher, 1, true);
    assert!((one / (close + far) - 1.0).abs() < 0.1, "{one}");
    assert!((partners / even - 1.0).abs() < 0.2, "{partners}");
}

/// u = shift[y] − x, f32.
#[derive(Module, Debug)]
struct Shift {
    shift: Param<Tensor<2>>,
}

impl Network for Shift {
    fn forward(&self, x: State, _: Tensor<1>, y: Option<Labels>) -> State {
        self.shift.val().select(0, y.unwrap()) - x
    }
}

fn flow() -> Flow<Shift> {
    let device = Device::flex();
    let shift = TensorData::new(vec![1.0_f32, 2.0, -3.0, 0.5, 0.25, 4.0], [3, 2]);
    Flow {
        network: Shift {
            shift: Param::from_tensor(Tensor::from_data(shift, &device)),
        },
        path: ProbabilityPath::gaussian(Arc::new(CondOt)),
        output: Parametrization::Plain(Prediction::Velocity),
        start: None,
        has_score: true,
        dim: 2,
        classes: 2,
        device,
        weaker: None,
    }
}

/// x₁ = m + (x₀ − m)/e with m = shift[y]: log p₁(x₁) = log N(x₀) + 2, in f32.
#[test]
fn a_flow_of_a_network_in_chunks() {
    let flow = flow();
    let x: Vec<f32> = normals(2 * 1100).iter().map(|v| *v as f32).collect();
    let classes: Vec<u32> = (0..1100).map(|i| i % 3).collect();
    let means = [[1.0, 2.0], [-3.0, 0.5], [0.25, 4.0]];
    let how = exact(1e-5);
    let found = flow
        .log_likelihood(&how, &x, Some(&classes), &mut go_on)
        .unwrap();
    assert_eq!((found.log_p.len(), found.noise.len()), (1100, 2200));
    for (i, x) in x.chunks(2).enumerate() {
        let m = means[i % 3];
        let e = std::f64::consts::E;
        let x0 = [0, 1].map(|j| m[j] + (f64::from(x[j]) - m[j]) * e);
        let truth = log_normal(&x0, 1.0) + 2.0;
        let error = (found.log_p[i] - truth).abs();
        assert!(
            error < 1e-3 * (1.0 + truth.abs()),
            "row {i}: {} for {truth}",
            found.log_p[i]
        );
        assert!((f64::from(found.noise[2 * i]) - x0[0]).abs() < 1e-3);
    }
    // Without classes all are given none.
    let none = flow
        .log_likelihood(&how, &x[..4], None, &mut go_on)
        .unwrap();
    let same = flow
        .log_likelihood(&how, &x[..4], Some(&[2, 2]), &mut go_on)
        .unwrap();
    assert_eq!(none, same);
    // In given steps a row has the same bits in any company.
    let steps = LikelihoodSettings {
        ode: Ode {
            tableau: &RK4,
            steps: Some(5),
            ..Ode::default()
        },
        divergence: Divergence::Hutchinson {
            law: Probe::Gaussian,
            probes: 2,
            antithetic: true,
        },
        seed: 1,
    };
    let mut shares = Vec::new();
    let mut see = |share| {
        shares.push(share);
        ControlFlow::Continue(())
    };
    let all = flow
        .log_likelihood(&steps, &x, Some(&classes), &mut see)
        .unwrap();
    let few = flow
        .log_likelihood(&steps, &x[..14], Some(&classes[..7]), &mut go_on)
        .unwrap();
    assert_eq!(all.log_p[..7], few.log_p);
    assert!(shares.windows(2).all(|s| s[0] <= s[1]) && shares[0] == 0.0);
    // And there and back.
    let ode = how.ode;
    let (x0, _) = flow.encode(&ode, &x, Some(&classes), &mut go_on).unwrap();
    let (back, _) = flow.decode(&ode, &x0, Some(&classes), &mut go_on).unwrap();
    for (a, b) in x.iter().zip(&back) {
        assert!((a - b).abs() < 1e-4);
    }
}

/// A tolerance that f32 cannot meet ends all the same.
#[test]
fn a_tolerance_beyond_f32() {
    let found = flow().log_likelihood(&exact(1e-12), &[0.5, -0.5], Some(&[0]), &mut go_on);
    assert!(found.unwrap().calls < 2000);
}

#[test]
fn what_has_no_likelihood() {
    let (how, x) = (exact(1e-5), [0.0_f32, 1.0]);
    let ask = |flow: &Flow<Shift>, how: &LikelihoodSettings, classes: Option<&[u32]>| {
        flow.log_likelihood(how, &x, classes, &mut go_on)
            .map(|_| ())
    };
    struct Elsewhere;
    impl Start for Elsewhere {
        fn start(&self, _: u64, _: u64, _: Option<u32>, _: &mut [f32]) {}
    }
    let mut other = flow();
    other.start = Some(Arc::new(Elsewhere));
    assert_eq!(ask(&other, &how, None), Err(OdeError::OtherData));
    assert_eq!(
        other.encode(&how.ode, &x, None, &mut go_on),
        Err(OdeError::OtherData)
    );
    let class = OdeError::Class {
        class: 3,
        classes: 2,
    };
    assert_eq!(ask(&flow(), &how, Some(&[3])), Err(class));
    let none = LikelihoodSettings {
        divergence: Divergence::Hutchinson {
            law: Probe::Rademacher,
            probes: 0,
            antithetic: false,
        },
        ..how
    };
    assert_eq!(ask(&flow(), &none, None), Err(OdeError::Zero("probes")));
    let mut still = how;
    still.ode.steps = Some(0);
    assert_eq!(ask(&flow(), &still, None), Err(OdeError::Zero("steps")));
    let mut no_estimate = how;
    no_estimate.ode.tableau = &RK4;
    assert!(matches!(
        ask(&flow(), &no_estimate, None),
        Err(OdeError::Integration(_))
    ));
    let mut stop = |_| ControlFlow::Break(());
    let stopped = flow().log_likelihood(&how, &x, None, &mut stop);
    assert_eq!(stopped, Err(OdeError::Stopped));
    assert_eq!(how.ode.tableau, &DORMAND_PRINCE);

    /// A denoiser of somebody's own, without derivatives.
    struct Blind;
    impl Denoiser for Blind {
        fn scheduler(&self) -> &dyn Scheduler {
            &CondOt
        }
        fn predict(&self, x: State, _: f64) -> Estimate {
            Estimate::of(x, Prediction::Velocity)
        }
    }
    let blind = log_likelihood(&Blind, state(vec![1.0, 2.0], 2), &[0], &how, &mut go_on);
    assert_eq!(blind, Err(OdeError::NoPullback));
    let broken = Linear(vec![f64::NAN; 4], 2);
    let broken = log_likelihood(&broken, state(vec![1.0, 2.0], 2), &[0], &how, &mut go_on);
    assert!(matches!(broken, Err(OdeError::Integration(_))));

    // The plain model beside: it has derivatives.
    let net = flow();
    let model = Model::new(&net.network, net.path.clone(), net.output, &net.device).given(&[0]);
    let x = Tensor::from_data([[1.0_f32, 2.0]], &net.device);
    assert!(model.vjp(x.clone(), 0.5, x).is_some());
}
