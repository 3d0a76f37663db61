//! Pullbacks vᵀ ∂value/∂x against central differences, in f64.

use std::sync::Arc;

use burn::module::{Module, Param};
use burn::tensor::{DType, Device, Tensor, TensorData};
use fokker_core::{
    Denoiser, Labels, Model, Network, Oracle, Parametrization, ProbabilityPath, Rescheduled, State,
    Told,
};
use fokker_math::mixture::GaussianMixture;
use fokker_math::precondition::Precondition;
use fokker_math::prediction::{PREDICTIONS, Prediction};
use fokker_math::scheduler::{SCHEDULERS, Scheduler, scheduler};
use fokker_sim::rng::{Purpose, Stream};

fn f64s(x: State) -> Vec<f64> {
    x.into_data().convert::<f64>().try_to_vec().unwrap()
}

fn state(values: Vec<f64>, rows: usize) -> State {
    let dim = values.len() / rows;
    let device = Device::flex();
    Tensor::from_data(TensorData::new(values, [rows, dim]), (&device, DType::F64))
}

fn normals(n: usize, draw: u32) -> Vec<f64> {
    let mut out = vec![0.0; n];
    Stream::new(7, Purpose::Test, 0, draw).normals_f64(&mut out);
    out
}

/// The pullback at rows of size `size` is the central difference of value·v in every coordinate, to `tolerance` of its
/// largest; and the estimate beside it is the plain one.
fn check(model: &dyn Denoiser, t: f64, size: f64, tolerance: f64, what: &str) {
    const ROWS: usize = 3;
    const DIM: usize = 2;
    let x: Vec<f64> = normals(ROWS * DIM, 0).iter().map(|x| x * size).collect();
    let plain = model.predict(state(x.clone(), ROWS), t);
    let outputs = plain.value.dims()[1];
    let v = normals(ROWS * outputs, 1);
    let (estimate, pull) = model
        .vjp(state(x.clone(), ROWS), t, state(v.clone(), ROWS))
        .unwrap();
    assert_eq!(estimate.prediction, plain.prediction);
    assert!(!estimate.value.is_autodiff() && !pull.is_autodiff());
    assert_eq!(f64s(estimate.value), f64s(plain.value), "{what} at {t}");
    match (estimate.noise, plain.noise) {
        (Some(a), Some(b)) => {
            assert!(!a.0.is_autodiff() && a.1 == b.1);
            assert_eq!(f64s(a.0), f64s(b.0));
        }
        (a, b) => assert!(a.is_none() && b.is_none()),
    }
    let pull = f64s(pull);
    let h = 1e-5 * size;
    let product = |x: Vec<f64>| -> Vec<f64> {
        let value = f64s(model.predict(state(x, ROWS), t).value);
        let rows = value.chunks(outputs).zip(v.chunks(outputs));
        rows.map(|(a, b)| a.iter().zip(b).map(|(a, b)| a * b).sum())
            .collect()
    };
    let mut slopes = vec![0.0; x.len()];
    for i in 0..DIM {
        let moved = |h: f64| {
            let x = x.iter().enumerate();
            product(
                x.map(|(j, x)| x + if j % DIM == i { h } else { 0.0 })
                    .collect(),
            )
        };
        for (r, (up, down)) in moved(h).iter().zip(moved(-h)).enumerate() {
            slopes[r * DIM + i] = (up - down) / (2.0 * h);
        }
    }
    let largest = slopes.iter().fold(1e-3, |m: f64, s| m.max(s.abs()));
    for (p, s) in pull.iter().zip(&slopes) {
        let error = (p - s).abs() / largest;
        assert!(
            error < tolerance,
            "{what} at {t}: {p}, by differences {s} ({error:.1e})"
        );
    }
}

fn mixture() -> GaussianMixture {
    GaussianMixture::new(
        2,
        &[0.5, 0.3, 0.2],
        &[2.0, 0.0, -1.0, 1.5, -1.0, -2.0],
        &[0.4, 0.6, 0.3],
    )
    .unwrap()
}

const TIMES: [f64; 7] = [0.0, 0.05, 0.3, 0.5, 0.7, 0.95, 1.0];

#[test]
fn the_oracle_and_along_another_scheduler() {
    for spec in SCHEDULERS {
        let make = || -> Arc<dyn Scheduler> { (spec.make)().into() };
        let oracle = Oracle::new(mixture(), make());
        for t in TIMES {
            let size = 1.0 + make().at(t).beta;
            check(&oracle, t, size, 1e-7, spec.name);
            for to in ["condot", "vp", "edm"] {
                let to: Arc<dyn Scheduler> = scheduler(to).unwrap().into();
                let size = 1.0 + to.at(t).beta;
                let moved = Rescheduled::new(oracle.clone(), to);
                check(&moved, t, size, 1e-6, &format!("{} moved", spec.name));
            }
        }
    }
}

/// Two layers with tanh between them, over x, t and a class; all f64.
#[derive(Module, Debug)]
struct Small {
    w1: Param<Tensor<2>>,
    class: Param<Tensor<2>>,
    w2: Param<Tensor<2>>,
}

impl Small {
    fn new(outputs: usize) -> Self {
        let weights =
            |rows, columns, draw| Param::from_tensor(state(normals(rows * columns, draw), rows));
        Self {
            w1: weights(3, 5, 10),
            class: weights(2, 5, 11),
            w2: weights(5, 2 * outputs, 12),
        }
    }
}

impl Network for Small {
    fn forward(&self, x: State, t: Tensor<1>, y: Option<Labels>) -> State {
        let t = t.cast(DType::F64).reshape([x.dims()[0], 1]);
        let input = Tensor::cat(vec![x, t], 1);
        let mut h = input.matmul(self.w1.val());
        if let Some(y) = y {
            h = h + self.class.val().select(0, y);
        }
        h.tanh().matmul(self.w2.val())
    }
}

#[test]
fn a_network_under_every_parametrization() {
    let device = Device::flex();
    let plain = PREDICTIONS.iter().map(|p| Parametrization::Plain(*p));
    let edm = Parametrization::Edm(Precondition::new(0.7).unwrap());
    let told = Parametrization::Told(Told {
        prediction: Prediction::Noise,
        steps: Some(10),
        variance: true,
    });
    for output in plain.chain([edm, Parametrization::VelocityAndNoise, told]) {
        let net = Small::new(output.outputs());
        for name in ["condot", "vp", "edm"] {
            let scheduler: Arc<dyn Scheduler> = scheduler(name).unwrap().into();
            let path = ProbabilityPath::gaussian(scheduler.clone());
            let what = format!("{output:?} on {name}");
            let model = Model::new(&net, path.clone(), output, &device);
            let classed = Model::new(&net, path.clone(), output, &device).given(&[1, 0, 1]);
            let moved = Model::new(&net, path, output, &device);
            let moved = Rescheduled::new(moved, Arc::new(fokker_math::scheduler::Cosine));
            for t in [0.05, 0.3, 0.8, 0.99] {
                let size = 1.0 + scheduler.at(t).beta;
                check(&model, t, size, 1e-6, &what);
                check(&classed, t, size, 1e-6, &what);
                check(&moved, t, 1.0, 1e-6, &what);
            }
        }
    }
}

/// A network whose output does not depend on x: a pullback of zeros.
#[test]
fn a_constant_has_a_pullback_of_zero() {
    #[derive(Module, Debug)]
    struct Constant;
    impl Network for Constant {
        fn forward(&self, x: State, _: Tensor<1>, _: Option<Labels>) -> State {
            x.ones_like()
        }
    }
    let device = Device::flex();
    let path = ProbabilityPath::gaussian(scheduler("condot").unwrap().into());
    let model = Model::new(
        &Constant,
        path,
        fokker_math::prediction::Prediction::Velocity,
        &device,
    );
    let x = state(vec![1.0, 2.0], 1);
    let (estimate, pull) = model.vjp(x.clone(), 0.5, x).unwrap();
    assert_eq!(f64s(estimate.value), [1.0, 1.0]);
    assert_eq!(f64s(pull), [0.0, 0.0]);
}
