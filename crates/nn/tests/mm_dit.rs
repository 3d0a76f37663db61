//! MM-DiT: exact sizes, Flux's blocks by number, texts of any length, identity before training.

mod common;

use burn::module::Module;
use burn::tensor::Tensor;
use common::{
    alone_and_in_company, devices, equals_modern, error, filled, filled_in, init, inputs, texts,
    values,
};
use fokker_core::{Network, labels};
use fokker_nn::layers::{Rotary, TextTable};
use fokker_nn::{MmDiT, MmDiTConfig};

const IMAGE: [usize; 3] = [1, 8, 8];

/// As `mm_dit` of `parity/modern.py`.
fn small(text: usize) -> MmDiTConfig {
    MmDiTConfig {
        patch: 2,
        width: 16,
        depth: 2,
        heads: 2,
        mlp_ratio: 4,
        time_scale: 1000.0,
        text,
    }
}

fn text_net(lengths: &[usize]) -> MmDiT {
    let [_, device] = devices();
    let mut net = filled(small(6).init(IMAGE, 1, 0, &mut init(&device)));
    net.set_texts(TextTable::new(&texts(lengths), &device));
    net
}

#[test]
fn networks_have_the_size_that_is_told() {
    let [device, _] = devices();
    for (config, image, outputs, classes) in [
        (small(0), IMAGE, 1, 0),
        (small(0), [3, 4, 8], 2, 10),
        (small(6), IMAGE, 1, 4),
        (MmDiTConfig::default(), [1, 32, 32], 1, 10),
    ] {
        let net = config.init(image, outputs, classes, &mut init(&device));
        assert_eq!(net.num_params(), config.num_params(image, outputs, classes));
    }
    // A block of one kind of tokens, by hand: 18 d² + 15 d of maps, and two scales of a head.
    let blocks = |depth| {
        let config = MmDiTConfig { depth, ..small(0) };
        config.num_params(IMAGE, 1, 0)
    };
    assert_eq!(blocks(3) - blocks(2), 18 * 256 + 15 * 16 + 2 * 8);
}

#[test]
fn joint_blocks_equal_diffusers() {
    equals_modern(&text_net(&[1, 3, 2]), "mm_dit", 64);
}

#[test]
fn a_prompt_does_not_depend_on_others() {
    let [_, device] = devices();
    let (x, t, _) = inputs(2, 64, &device);
    let ask = |net: &MmDiT, y: [u32; 2]| {
        values(net.forward(x.clone(), t.clone(), Some(labels(&y, &device))))
    };
    let all = ask(&text_net(&[1, 3, 40]), [1, 3]);
    assert!(all == ask(&text_net(&[1, 3]), [1, 2]));
    assert!(all != ask(&text_net(&[1, 3]), [0, 2]));
}

#[test]
fn a_sample_does_not_depend_on_its_batch() {
    let [device, _] = devices();
    let net = small(0).init(IMAGE, 1, 3, &mut init(&device));
    alone_and_in_company(&filled(net), 64);
    alone_and_in_company(&text_net(&[5, 1, 2]).valid(), 64);
}

/// However many there are: with a head that is not zero, three blocks answer what one does.
#[test]
fn blocks_are_the_identity_before_training() {
    let [device, _] = devices();
    for text in [0, 6] {
        let ask = |depth: usize, head: bool| {
            let config = MmDiTConfig {
                depth,
                ..small(text)
            };
            let mut net = config.init(IMAGE, 1, 3, &mut init(&device));
            if head {
                net = filled_in(net, "head");
            }
            let (x, t, y) = inputs(2, 64, &device);
            let y = if text > 0 {
                labels(&[0, 0], &device)
            } else {
                y
            };
            values(net.forward(x, t, Some(y)))
        };
        assert!(ask(2, false).iter().all(|v| *v == 0.0));
        assert_eq!(ask(1, true), ask(3, true));
        assert!(ask(1, true).iter().any(|v| v.abs() > 1e-2));
    }
}

/// Turning keeps lengths, and products of turned vectors see the difference of their places only.
#[test]
fn rotary_products_see_differences_of_places() {
    let [device, _] = devices();
    let places = Rotary::new(8, [5, 7], &device);
    let vector =
        |from: f32| -> Vec<f32> { (0..8).map(|i| (from + 1.7 * i as f32).sin()).collect() };
    let turned = |v: &[f32]| -> Vec<Vec<f32>> {
        let all: Vec<f32> = v.iter().copied().cycle().take(35 * 8).collect();
        let data = burn::tensor::TensorData::new(all, [1, 35, 1, 8]);
        let x = Tensor::<4>::from_data(data, &device);
        values(places.forward(x))
            .chunks_exact(8)
            .map(<[f32]>::to_vec)
            .collect()
    };
    let (q, k) = (turned(&vector(0.1)), turned(&vector(2.0)));
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    assert!(error(&q[0], &vector(0.1)) < 1e-6);
    for place in 0..35 {
        assert!((dot(&q[place], &q[place]) - dot(&q[0], &q[0])).abs() < 1e-5);
    }
    // (1, 2) to (3, 5) is (0, 0) to (2, 3), but not (0, 0) to (3, 2).
    let at = |row: usize, column: usize| row * 7 + column;
    let want = dot(&q[at(0, 0)], &k[at(2, 3)]);
    assert!((dot(&q[at(1, 2)], &k[at(3, 5)]) - want).abs() < 1e-5);
    assert!((dot(&q[at(0, 0)], &k[at(3, 2)]) - want).abs() > 1e-2);
}

#[test]
#[should_panic(expected = "heads in multiples of four features")]
fn heads_without_two_axes_are_refused() {
    let [device, _] = devices();
    let config = MmDiTConfig {
        width: 12,
        ..small(0)
    };
    config.init(IMAGE, 1, 0, &mut init(&device));
}
