//! Identities of classifier-free guidance and of sampling in chunks.

use std::sync::Arc;

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor, TensorData};
use fokker_core::{
    ByClass, Denoiser, Draw, Flow, Guidance, Guided, Labels, Model, Network, ProbabilityPath, State,
};
use fokker_math::prediction::Prediction;
use fokker_math::scheduler::CondOt;

/// u = shift[y]·(1 + sin x) − x·(1 + t): as simple as a class-conditional network can be.
#[derive(Module, Debug)]
struct Shift {
    shift: Param<Tensor<2>>,
}

impl Network for Shift {
    fn forward(&self, x: State, t: Tensor<1>, y: Option<Labels>) -> State {
        let rows = x.dims()[0];
        let shift = self.shift.val().select(0, y.unwrap());
        shift * (x.clone().sin() + 1.0) - x * (t.reshape([rows, 1]) + 1.0)
    }
}

fn condot() -> ProbabilityPath {
    ProbabilityPath::gaussian(Arc::new(CondOt))
}

fn network(device: &Device) -> Shift {
    let shift = TensorData::new(vec![1.0_f32, 2.0, -3.0, 0.5, 0.25, 4.0], [3, 2]);
    Shift {
        shift: Param::from_tensor(Tensor::from_data(shift, device)),
    }
}

fn values(t: State) -> Vec<f32> {
    t.into_data().try_to_vec().unwrap()
}

fn guided(guidance: &Guidance, classes: &[u32], x: State, t: f64) -> Vec<f32> {
    let device = Device::flex();
    let net = network(&device);
    let model = Model::new(&net, condot(), Prediction::Velocity, &device);
    let both = ByClass::new(model, classes, guidance.negative.unwrap_or(2));
    let samples = 0..classes.len() as u64;
    values(Guided::new(both, guidance, samples).predict(x, t).value)
}

fn predict(w: f64, classes: &[u32]) -> Vec<f32> {
    let x = Tensor::from_data([[0.3_f32, -1.0], [2.0, 0.7]], &Device::flex());
    guided(&w.into(), classes, x, 0.3)
}

#[test]
fn w_one_is_conditional_and_w_zero_is_not() {
    let device = Device::flex();
    let net = network(&device);
    let plain = Model::new(&net, condot(), Prediction::Velocity, &device).given(&[0, 1]);
    let x = Tensor::from_data([[0.3_f32, -1.0], [2.0, 0.7]], &device);
    assert_eq!(predict(1.0, &[0, 1]), values(plain.predict(x, 0.3).value));
    assert_eq!(predict(0.0, &[0, 1]), predict(1.0, &[2, 2]));
}

#[test]
fn guidance_is_the_stated_combination() {
    let (given, null) = (predict(1.0, &[0, 1]), predict(1.0, &[2, 2]));
    for w in [-1.0, 0.5, 3.0] {
        let expected = given.iter().zip(&null);
        for (got, (g, n)) in predict(w, &[0, 1]).iter().zip(expected) {
            let want = (1.0 - w as f32) * n + w as f32 * g;
            assert!((got - want).abs() < 1e-5, "w = {w}: {got}, expected {want}");
        }
    }
}

/// Rows of one batch may have weights of their own: each is what it is with that weight alone.
#[test]
fn every_row_has_its_own_weight() {
    let x = || Tensor::from_data([[0.3_f32, -1.0], [2.0, 0.7], [0.3, -1.0]], &Device::flex());
    let weights = vec![3.0, 0.0, 1.0];
    let mixed = Guidance {
        weights: weights.clone(),
        ..Guidance::default()
    };
    let got = guided(&mixed, &[0, 1, 1], x(), 0.3);
    for (row, w) in weights.into_iter().enumerate() {
        let alone = guided(&w.into(), &[0, 1, 1], x(), 0.3);
        assert_eq!(
            got[2 * row..2 * row + 2],
            alone[2 * row..2 * row + 2],
            "w = {w}"
        );
    }
}

/// Outside of its interval guidance is plain conditional sampling, bit for bit.
#[test]
fn the_interval_bounds_the_weight() {
    let x = || Tensor::from_data([[0.3_f32, -1.0], [2.0, 0.7]], &Device::flex());
    let within = Guidance {
        interval: Some((0.2, 0.6)),
        ..3.0.into()
    };
    for (t, w) in [(0.1, 1.0), (0.2, 3.0), (0.4, 3.0), (0.6, 3.0), (0.7, 1.0)] {
        let plain = guided(&w.into(), &[0, 1], x(), t);
        assert_eq!(guided(&within, &[0, 1], x(), t), plain, "t = {t}");
    }
}

/// A negative class stands where ∅ did.
#[test]
fn a_negative_class_replaces_the_empty_one() {
    let away = |negative| Guidance {
        negative,
        ..2.0.into()
    };
    let x = || Tensor::from_data([[0.3_f32, -1.0], [2.0, 0.7]], &Device::flex());
    let got = guided(&away(Some(1)), &[0, 0], x(), 0.3);
    let (given, other) = (predict(1.0, &[0, 0]), predict(1.0, &[1, 1]));
    for (got, (g, n)) in got.iter().zip(given.iter().zip(&other)) {
        assert!((got - (2.0 * g - n)).abs() < 1e-5);
    }
    assert_eq!(
        guided(&away(Some(2)), &[0, 0], x(), 0.3),
        predict(2.0, &[0, 0])
    );
}

/// The pullback of both halves, by autodiff in one batch, is vᵀ∂ũ/∂x in closed form.
#[test]
fn the_pullback_of_a_guided_network() {
    let device = Device::flex();
    let net = network(&device);
    let model = Model::new(&net, condot(), Prediction::Velocity, &device);
    let guidance = Guidance {
        weights: vec![2.5, -0.5],
        ..Guidance::default()
    };
    let model = Guided::new(ByClass::new(model, &[0, 1], 2), &guidance, 0..2);
    let x = [[0.3_f32, -1.0], [2.0, 0.7]];
    let v = [[1.0_f32, -0.4], [0.6, 2.0]];
    let at = |x| State::from_data(x, &device);
    let (estimate, pulled) = model.vjp(at(x), 0.3, at(v)).unwrap();
    assert_eq!(
        values(estimate.value),
        values(model.predict(at(x), 0.3).value)
    );
    let (shift, null) = ([[1.0, 2.0], [-3.0, 0.5]], [0.25, 4.0]);
    let pulled = values(pulled);
    for row in 0..2 {
        let w = guidance.weights[row] as f32;
        for j in 0..2 {
            let s: f32 = w * shift[row][j] + (1.0 - w) * null[j];
            let want = v[row][j] * (s * x[row][j].cos() - 1.3);
            assert!(
                (pulled[2 * row + j] - want).abs() < 1e-5,
                "{pulled:?}, expected {want}"
            );
        }
    }
}

fn flow(device: &Device) -> Flow<Shift> {
    Flow {
        network: network(device),
        path: condot(),
        output: Prediction::Velocity.into(),
        start: None,
        has_score: true,
        dim: 2,
        classes: 2,
        device: device.clone(),
        weaker: None,
    }
}

/// Also with weights in turn, some of which are 1.
#[test]
fn a_weight_belongs_to_its_sample() {
    let flow = flow(&Device::flex());
    let draw = |first, count| Draw {
        steps: 3,
        guidance: Guidance {
            weights: vec![1.0, 2.0, 0.0],
            ..Guidance::default()
        },
        first,
        count,
        ..Draw::default()
    };
    let all = flow.sample(&draw(0, 1100)).unwrap();
    assert_eq!(
        flow.sample(&draw(1021, 7)).unwrap(),
        all[2 * 1021..2 * 1028]
    );
    let plain = Draw {
        guidance: 2.0.into(),
        ..draw(1, 1)
    };
    assert_eq!(flow.sample(&plain).unwrap(), all[2..4]);
}

/// Sample i has the same bits however many are made, wherever the first one is, and in any chunk.
#[test]
fn a_sample_does_not_depend_on_its_company() {
    let flow = flow(&Device::flex());
    for sampler in fokker_core::SAMPLERS {
        let draw = |first, count| Draw {
            sampler: sampler.into(),
            steps: 3,
            guidance: 2.0.into(),
            seed: 5,
            first,
            count,
            ..Draw::default()
        };
        let all = flow.sample(&draw(0, 2100)).unwrap();
        assert_eq!(
            flow.sample(&draw(0, 8)).unwrap(),
            all[..16],
            "{}",
            sampler.name
        );
        assert_eq!(
            flow.sample(&draw(1021, 7)).unwrap(),
            all[2 * 1021..2 * 1028],
            "{}",
            sampler.name
        );
    }
}

#[test]
fn classes_are_taken_in_turn_by_index() {
    let flow = flow(&Device::flex());
    let all = Draw::default();
    assert_eq!(
        (0..4)
            .map(|i| flow.class_of(&all, i).unwrap())
            .collect::<Vec<_>>(),
        [0, 1, 0, 1]
    );
    let some = Draw {
        classes: vec![1, 2],
        ..Draw::default()
    };
    assert_eq!(flow.class_of(&some, 3), Some(2));
}
