//! Identities of classifier-free guidance and of sampling in chunks.

use std::sync::Arc;

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor, TensorData};
use fokker_core::{Denoiser, Draw, Flow, Guided, Labels, Model, Network, ProbabilityPath, State};
use fokker_math::prediction::Prediction;
use fokker_math::scheduler::CondOt;

/// u = shift[y] − x·(1 + t): as simple as a class-conditional network can be.
#[derive(Module, Debug)]
struct Shift {
    shift: Param<Tensor<2>>,
}

impl Network for Shift {
    fn forward(&self, x: State, t: Tensor<1>, y: Option<Labels>) -> State {
        let rows = x.dims()[0];
        let shift = self.shift.val().select(0, y.unwrap());
        shift - x * (t.reshape([rows, 1]) + 1.0)
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

fn predict(w: f64, classes: &[u32]) -> Vec<f32> {
    let device = Device::flex();
    let net = network(&device);
    let model = Model::new(&net, condot(), Prediction::Velocity, &device).given(classes);
    let x = Tensor::from_data([[0.3_f32, -1.0], [2.0, 0.7]], &device);
    values(Guided::new(model, 2, w).predict(x, 0.3).value)
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
    }
}

/// Sample i has the same bits however many are made, wherever the first one is, and in any chunk.
#[test]
fn a_sample_does_not_depend_on_its_company() {
    let flow = flow(&Device::flex());
    for sampler in fokker_core::SAMPLERS {
        let draw = |first, count| Draw {
            sampler,
            steps: 3,
            guidance: 2.0.into(),
            seed: 5,
            first,
            count,
            ..Draw::default()
        };
        let all = flow.sample(&draw(0, 2100));
        assert_eq!(flow.sample(&draw(0, 8)), all[..16], "{}", sampler.name);
        assert_eq!(
            flow.sample(&draw(1021, 7)),
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
