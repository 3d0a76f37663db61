//! Muon beside torch.optim: `parity/muon.py` made the fixture.

use burn::module::{Module, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};
use fokker_train::Optimizer;
use fokker_train::config::{OptimizerConfig, OptimizerKind};

const STEPS: usize = 6;

#[derive(Module, Debug)]
struct Layer<const D: usize> {
    weight: Param<Tensor<D>>,
}

/// The first and the last weight touch the data.
#[derive(Module, Debug)]
struct Net {
    first: Layer<2>,
    wide: Layer<2>,
    tall: Layer<2>,
    kernel: Layer<4>,
    last: Layer<2>,
}

fn formula<const D: usize>(number: usize, shape: [usize; D]) -> Tensor<D> {
    let value = |i: usize| {
        let u = (43758.5453 * (12.9898 * i as f64 + 78.233 * number as f64).sin().abs()).fract();
        (2.0 * u - 1.0) as f32
    };
    let values: Vec<f32> = (0..shape.iter().product()).map(value).collect();
    Tensor::from_data(TensorData::new(values, shape), &Device::flex())
}

fn layer<const D: usize>(number: usize, shape: [usize; D]) -> Layer<D> {
    Layer {
        // A network in training is on an autodiff device, its gradients are not.
        weight: Param::from_tensor(formula(number, shape).autodiff()),
    }
}

fn net() -> Net {
    Net {
        first: layer(0, [5, 12]),
        wide: layer(1, [12, 20]),
        tall: layer(2, [20, 12]),
        kernel: layer(3, [8, 3, 2, 2]),
        last: layer(4, [12, 3]),
    }
}

fn optimizer(net: &Net) -> Optimizer {
    let config = OptimizerConfig {
        kind: OptimizerKind::Muon,
        lr: 0.02,
        weight_decay: 0.1,
        ..OptimizerConfig::default()
    };
    Optimizer::new(&config, net)
}

fn step(optimizer: &mut Optimizer, net: Net, k: usize) -> Net {
    let mut grads = GradientsParams::new();
    let number = |i: usize| 100 + 10 * k + i;
    grads.register(net.first.weight.id, formula(number(0), [5, 12]));
    grads.register(net.wide.weight.id, formula(number(1), [12, 20]));
    grads.register(net.tall.weight.id, formula(number(2), [20, 12]));
    grads.register(net.kernel.weight.id, formula(number(3), [8, 3, 2, 2]));
    grads.register(net.last.weight.id, formula(number(4), [12, 3]));
    optimizer.step(0.02, net, grads)
}

fn values(net: &Net) -> [Vec<f32>; 5] {
    fn of<const D: usize>(layer: &Layer<D>) -> Vec<f32> {
        layer.weight.val().into_data().try_to_vec().unwrap()
    }
    [
        of(&net.first),
        of(&net.wide),
        of(&net.tall),
        of(&net.kernel),
        of(&net.last),
    ]
}

#[test]
fn steps_are_those_of_torch() {
    let text = include_str!("fixtures/muon.json");
    let fixture: Vec<serde_json::Value> = serde_json::from_str(text).unwrap();
    let mut net = net();
    let mut optimizer = optimizer(&net);
    for k in 0..STEPS {
        net = step(&mut optimizer, net, k);
        let name = match k {
            0 => "first",
            _ if k == STEPS - 1 => "last",
            _ => continue,
        };
        for (entry, got) in fixture.iter().zip(values(&net)) {
            let want = entry[name].as_array().unwrap();
            assert_eq!(want.len(), got.len());
            for (i, (want, got)) in want.iter().zip(got).enumerate() {
                let gap = (want.as_f64().unwrap() - f64::from(got)).abs();
                assert!(gap < 2e-5, "{}, {name}, {i}: off by {gap:e}", entry["name"]);
            }
        }
    }
}

/// The state goes through bytes to another process' optimizer.
#[test]
fn a_state_survives_to_the_bit() {
    let (whole, parts) = {
        let mut whole = net();
        let mut first = optimizer(&whole);
        let mut parts = whole.clone();
        let mut second = optimizer(&parts);
        for k in 0..STEPS {
            whole = step(&mut first, whole, k);
            if k == 3 {
                let bytes = second.to_bytes().unwrap();
                second = optimizer(&parts).with_bytes(bytes).unwrap();
            }
            parts = step(&mut second, parts, k);
        }
        (values(&whole), values(&parts))
    };
    assert!(whole == parts);
}

/// The mean square of a step's entries is that of AdamW's usual ones, 0.2 lr, whatever the gradient's size and the matrix'
/// shape.
#[test]
fn a_step_has_the_length_of_adamws() {
    let before = net();
    let config = OptimizerConfig {
        kind: OptimizerKind::Muon,
        ..OptimizerConfig::default()
    };
    let mut optimizer = Optimizer::new(&config, &before);
    let after = step(&mut optimizer, before.clone(), 0);
    let moved = values(&before)
        .into_iter()
        .zip(values(&after))
        .map(|(a, b)| a.iter().zip(b).map(|(a, b)| a - b).collect::<Vec<f32>>());
    for (i, step) in moved.enumerate().skip(1).take(3) {
        let square: f32 = step.iter().map(|s| s * s).sum();
        let rms = (square / step.len() as f32).sqrt() / 0.02;
        assert!((0.14..0.26).contains(&rms), "{i}: {rms}");
    }
}
