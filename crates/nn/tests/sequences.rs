//! Networks of sequences: exact sizes, PyTorch's modules by number, batch independence.

mod common;

use burn::module::Module;
use common::{alone_and_in_company, devices, equals_modern, filled, init, inputs, values};
use fokker_core::Network;
use fokker_nn::{Transformer1dConfig, UNet1dConfig};

/// As `unet1d` of `parity/modern.py`.
fn unet() -> UNet1dConfig {
    UNet1dConfig {
        channels: vec![4, 8],
        kernel: 5,
        groups: 2,
        embedding: 6,
        time_scale: 7.0,
    }
}

/// As `transformer1d`.
fn transformer() -> Transformer1dConfig {
    Transformer1dConfig {
        patch: 4,
        width: 16,
        depth: 2,
        heads: 2,
        mlp_ratio: 4,
        time_scale: 1000.0,
    }
}

#[test]
fn networks_have_the_size_that_is_told() {
    let [device, _] = devices();
    for (config, channels, outputs, classes) in [
        (unet(), 2, 1, 3),
        (unet(), 3, 2, 0),
        (UNet1dConfig::default(), 2, 1, 0),
    ] {
        let net = config.init([channels, 32], outputs, classes, &mut init(&device));
        assert_eq!(
            net.num_params(),
            config.num_params(channels, outputs, classes)
        );
    }
    for (config, channels, outputs, classes) in [
        (transformer(), 2, 1, 3),
        (transformer(), 3, 2, 0),
        (Transformer1dConfig::default(), 2, 1, 0),
    ] {
        let net = config.init([channels, 32], outputs, classes, &mut init(&device));
        assert_eq!(
            net.num_params(),
            config.num_params(channels, outputs, classes)
        );
    }
}

#[test]
fn the_unet_equals_pytorch() {
    let [_, device] = devices();
    let net = unet().init([2, 32], 1, 3, &mut init(&device));
    equals_modern(&filled(net), "unet1d", 64);
}

#[test]
fn the_transformer_equals_pytorch() {
    let [_, device] = devices();
    let net = transformer().init([2, 32], 1, 3, &mut init(&device));
    equals_modern(&filled(net), "transformer1d", 64);
}

#[test]
fn a_sample_does_not_depend_on_its_batch() {
    let [device, _] = devices();
    let net = unet().init([2, 32], 1, 3, &mut init(&device));
    alone_and_in_company(&filled(net), 64);
    let net = transformer().init([2, 32], 1, 3, &mut init(&device));
    alone_and_in_company(&filled(net), 64);
}

#[test]
fn networks_answer_zero_before_training() {
    let [device, _] = devices();
    let (x, t, y) = inputs(2, 64, &device);
    let net = unet().init([2, 32], 1, 3, &mut init(&device));
    let answer = net.forward(x.clone(), t.clone(), Some(y.clone()));
    assert!(values(answer).iter().all(|v| *v == 0.0));
    let net = transformer().init([2, 32], 1, 3, &mut init(&device));
    assert!(values(net.forward(x, t, Some(y))).iter().all(|v| *v == 0.0));
}

#[test]
#[should_panic(expected = "multiples of 2, got 31")]
fn a_length_that_cannot_be_halved_is_refused() {
    let [device, _] = devices();
    unet().init([2, 31], 1, 0, &mut init(&device));
}
