//! The modern U-Net: exact sizes, diffusers' networks by number, texts, dropout.

mod common;

use burn::module::Module;
use burn::tensor::Tensor;
use common::{
    alone_and_in_company, devices, equals_modern, filled, filled_in, init, inputs, pass, texts,
    values,
};
use fokker_core::{Network, State, labels};
use fokker_nn::layers::TextTable;
use fokker_nn::{AdmUNet, AdmUNetConfig, Modulation, Resampling};

const IMAGE: [usize; 3] = [1, 8, 8];

/// As `ddpm` of `parity/modern.py`.
fn ddpm() -> AdmUNetConfig {
    AdmUNetConfig {
        channels: vec![4, 8],
        groups: 2,
        time_scale: -9.0,
        time_offset: 9.0,
        dropout: 0.0,
        ..AdmUNetConfig::ddpm_cifar10()
    }
}

/// As `adm`.
fn adm() -> AdmUNetConfig {
    AdmUNetConfig {
        channels: vec![4, 8, 8],
        blocks: 1,
        attention: vec![1, 2],
        head_width: 4,
        groups: 2,
        resample: Resampling::Block,
        middle_norm: false,
        time_scale: 7.0,
        ..AdmUNetConfig::default()
    }
}

/// As `text_unet`.
fn with_text() -> AdmUNetConfig {
    AdmUNetConfig {
        channels: vec![4, 8],
        attention: vec![1],
        resample: Resampling::Conv,
        middle_norm: true,
        text: 6,
        ..adm()
    }
}

fn text_net(lengths: &[usize]) -> AdmUNet {
    let [_, device] = devices();
    let mut net = filled(with_text().init(IMAGE, 1, 0, &mut init(&device)));
    net.set_texts(TextTable::new(&texts(lengths), &device));
    net
}

#[test]
fn published_size_is_exact() {
    let config = AdmUNetConfig::ddpm_cifar10();
    assert_eq!(config.num_params([3, 32, 32], 1, 0), 35_746_307);
}

#[test]
fn networks_have_the_size_that_is_told() {
    let [device, _] = devices();
    let two_levels = AdmUNetConfig {
        channels: vec![8, 12],
        modulation: Modulation::Shift,
        head_width: 0,
        ..with_text()
    };
    for (config, image, outputs, classes) in [
        (ddpm(), IMAGE, 1, 0),
        (adm(), IMAGE, 2, 3),
        (with_text(), [3, 4, 8], 1, 0),
        (two_levels, IMAGE, 1, 5),
        (AdmUNetConfig::default(), [1, 32, 32], 1, 10),
    ] {
        let net = config.init(image, outputs, classes, &mut init(&device));
        assert_eq!(net.num_params(), config.num_params(image, outputs, classes));
    }
}

#[test]
fn ddpms_form_equals_diffusers() {
    let [_, device] = devices();
    let net = ddpm().init(IMAGE, 1, 0, &mut init(&device));
    equals_modern(&filled(net), "ddpm", 64);
}

#[test]
fn adms_form_equals_diffusers() {
    let [_, device] = devices();
    let net = adm().init(IMAGE, 1, 3, &mut init(&device));
    equals_modern(&filled(net), "adm", 64);
}

/// Each text with its own tokens only, though the table has a longer one.
#[test]
fn attention_to_texts_equals_diffusers() {
    equals_modern(&text_net(&[1, 3, 2]), "text_unet", 64);
}

/// The same text is the same, bit for bit, whatever else the table holds.
#[test]
fn a_prompt_does_not_depend_on_others() {
    let [_, device] = devices();
    let (x, t, _) = inputs(2, 64, &device);
    let ask = |net: &AdmUNet, y: [u32; 2]| {
        values(net.forward(x.clone(), t.clone(), Some(labels(&y, &device))))
    };
    let all = ask(&text_net(&[1, 3, 40]), [1, 3]);
    assert!(all == ask(&text_net(&[1, 3]), [1, 2]));
    assert!(all != ask(&text_net(&[1, 3]), [0, 2]));
}

#[test]
fn a_sample_does_not_depend_on_its_batch() {
    let [device, _] = devices();
    for config in [ddpm(), adm()] {
        let net = config.init(IMAGE, 1, 3, &mut init(&device));
        alone_and_in_company(&filled(net), 64);
    }
    alone_and_in_company(&text_net(&[5, 1, 2]).valid(), 64);
}

/// Blocks and attentions add nothing before training: even with a last convolution that is not zero, time and text, which enter
/// through them, do not matter then.
#[test]
fn blocks_are_the_identity_before_training() {
    let [device, _] = devices();
    for filled_too in [false, true] {
        let mut net = with_text().init(IMAGE, 1, 0, &mut init(&device));
        net.set_texts(TextTable::new(&texts(&[2]), &device));
        let (x, t, _) = inputs(2, 64, &device);
        let ask = |net: &AdmUNet, t: Tensor<1>, y: u32| {
            values(net.forward(x.clone(), t, Some(labels(&[y; 2], &device))))
        };
        assert!(ask(&net, t.clone(), 0).iter().all(|v| *v == 0.0));
        net = filled_in(net, "conv_out");
        if filled_too {
            net = filled(net);
        }
        let one = ask(&net, t.clone(), 0);
        assert!(one.iter().any(|v| v.abs() > 1e-3));
        assert_eq!(one == ask(&net, t.clone() + 0.1, 0), !filled_too);
        assert_eq!(one == ask(&net, t, 1), !filled_too);
    }
}

/// With dropout: in training every sample loses others of its values, the same ones whatever its batch; at rest none.
#[test]
fn dropout_belongs_to_the_sample() {
    let [plain, device] = devices();
    let config = AdmUNetConfig {
        dropout: 0.3,
        ..adm()
    };
    let net = filled(config.init(IMAGE, 1, 3, &mut init(&device)));
    let without = filled(adm().init(IMAGE, 1, 3, &mut init(&device)));
    let (x, t, y) = inputs(3, 64, &device);
    let ask = |net: &AdmUNet, from: usize, rows: usize| {
        let [x, y] =
            [x.clone(), y.clone().float().reshape([3, 1])].map(|v| v.narrow(0, from, rows));
        let y = y.reshape([rows]).int();
        values(net.forward(x, t.clone().narrow(0, from, rows), Some(y)))
    };
    let all = ask(&net, 0, 3);
    assert_eq!(all, ask(&net, 0, 3));
    assert_eq!(all[64..128], ask(&net, 1, 1));
    assert_ne!(all, ask(&without, 0, 3));
    // Another time, another loss.
    let later = net.forward(x.clone(), t.clone() + 0.01, Some(y.clone()));
    let later_without = without.forward(x.clone(), t.clone() + 0.01, Some(y.clone()));
    let moved = |a: Vec<f32>, b: Vec<f32>| {
        let squares = a.iter().zip(&b).map(|(a, b)| (a - b) * (a - b));
        squares.sum::<f32>()
    };
    let smooth = moved(values(later_without), ask(&without, 0, 3));
    assert!(moved(values(later), all) > 10.0 * smooth);
    let (x, t, y) = inputs(3, 64, &plain);
    let rest = net.valid().forward(x.clone(), t.clone(), Some(y.clone()));
    let want = without.valid().forward(x, t, Some(y));
    assert_eq!(values(rest), values(want));
    assert!(pass(&net, 2, 64).at_x.iter().all(|g| g.is_finite()));
}

/// A share p of the values is lost, and the mean stays.
#[test]
fn dropout_keeps_the_mean() {
    let [device, _] = devices();
    let (x, t, _) = inputs(4, 8, &device);
    let dropout = fokker_nn::layers::Dropout::new(0.25, &x, &t);
    let y = values(dropout.forward(Tensor::<2>::ones([4, 20_000], &device), 1));
    for row in y.chunks_exact(20_000) {
        let kept = row.iter().filter(|v| **v > 0.0).count() as f64 / 20_000.0;
        // Four standard deviations.
        assert!((kept - 0.75).abs() < 4.0 * (0.25_f64 * 0.75 / 20_000.0).sqrt());
        assert!(
            row.iter()
                .all(|v| *v == 0.0 || (*v - 4.0 / 3.0).abs() < 1e-6)
        );
    }
    let other = values(dropout.forward(Tensor::<2>::ones([4, 20_000], &device), 2));
    assert_ne!(y, other);
    assert_ne!(y[..20_000], y[20_000..40_000]);
}

#[test]
#[should_panic(expected = "multiples of 4, got 8×6")]
fn an_image_that_cannot_be_halved_is_refused() {
    let [device, _] = devices();
    adm().init([1, 8, 6], 1, 0, &mut init(&device));
}

#[test]
#[should_panic(expected = "made without texts")]
fn texts_are_refused_where_there_are_none() {
    let [device, _] = devices();
    let mut net = adm().init(IMAGE, 1, 0, &mut init(&device));
    net.set_texts(TextTable::new(&texts(&[1]), &device));
}

#[test]
#[should_panic(expected = "made with texts: give it labels")]
fn texts_need_labels() {
    let [device, _] = devices();
    let (x, t, _): (State, _, _) = inputs(1, 64, &device);
    text_net(&[1]).valid().forward(x, t, None);
}
