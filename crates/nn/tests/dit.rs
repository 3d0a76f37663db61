//! The diffusion transformer: exact sizes, what adaLN-Zero promises, and the published form against PyTorch.

mod common;

use burn::module::Module;
use burn::tensor::{Int, Tensor, TensorData};
use common::{alone_and_in_company, devices, equals_fixture, error, filled, init, inputs, values};
use fokker_core::Network;
use fokker_kernels::{Activation, TokenNorm};
use fokker_nn::layers::{AdaLnBlock, Attention, FeedForward, Linear};
use fokker_nn::{DiTConfig, DiTForm};

const LATENTS: [usize; 3] = [4, 32, 32];

/// The published totals count the fixed positions, [tokens, width], which are no parameters here.
#[test]
fn published_sizes_are_exact() {
    for (config, published) in [
        (DiTConfig::small(2), 32_963_360),
        (DiTConfig::base(2), 130_512_416),
        (DiTConfig::large(2), 458_102_816),
        (DiTConfig::xlarge(2), 675_129_632),
    ] {
        let positions = 256 * config.width;
        assert_eq!(config.num_params(LATENTS, 2, 1000) + positions, published);
    }
    // A larger patch changes the two maps at the ends only.
    let [two, four, eight] =
        [2, 4, 8].map(|p| DiTConfig::xlarge(p).num_params(LATENTS, 2, 1000) as i64);
    let ends = |p: i64| p * p * (4 * 1152 + 8 * 1153);
    assert_eq!(four - two, ends(4) - ends(2));
    assert_eq!(eight - two, ends(8) - ends(2));
}

#[test]
fn networks_have_the_size_that_is_told() {
    let [device, _] = devices();
    for (config, image, outputs, classes, told) in [
        (
            DiTConfig::small(2),
            LATENTS,
            2,
            1000,
            32_963_360 - 256 * 384,
        ),
        (DiTConfig::course(4), [1, 32, 32], 1, 10, 9_918_843),
        (DiTConfig::course(1), [128, 4, 4], 1, 10, 9_793_034),
    ] {
        let net = config.init(image, outputs, classes, &mut init(&device));
        assert_eq!(net.num_params(), told);
        assert_eq!(config.num_params(image, outputs, classes), told);
    }
    let config = DiTConfig::course(4);
    let net = config.init([3, 16, 8], 2, 0, &mut init(&device));
    assert_eq!(net.num_params(), config.num_params([3, 16, 8], 2, 0));
}

/// A small network of either form.
fn small(form: DiTForm) -> DiTConfig {
    DiTConfig {
        form,
        patch: 2,
        width: 16,
        depth: 2,
        heads: 2,
        mlp_ratio: 4,
        time_scale: 1000.0,
    }
}

fn block(norm: TokenNorm) -> AdaLnBlock {
    let [device, _] = devices();
    let init = &mut init(&device);
    let attn = Attention::new(16, 2, Linear::new, init);
    let mlp = FeedForward::new([16, 64, 16], Activation::Gelu, Linear::new, init);
    AdaLnBlock::new(attn, mlp, norm, init)
}

fn tokens() -> (Tensor<3>, Tensor<2>) {
    let [device, _] = devices();
    let (x, ..) = inputs(3, 6 * 16 + 16, &device);
    let c = x.clone().narrow(1, 6 * 16, 16);
    (x.narrow(1, 0, 6 * 16).reshape([3, 6, 16]), c)
}

#[test]
fn blocks_are_the_identity_before_training() {
    let (x, c) = tokens();
    for norm in [TokenNorm::Layer, TokenNorm::Rms] {
        let y = block(norm).forward(x.clone(), c.clone());
        assert_eq!(values(y), values(x.clone()));
        let y = filled(block(norm)).forward(x.clone(), c.clone());
        assert!(error(&values(y), &values(x.clone())) > 0.01);
    }
}

#[test]
fn the_published_form_answers_zero_before_training() {
    let [device, _] = devices();
    let net = small(DiTForm::Original).init([1, 8, 8], 1, 3, &mut init(&device));
    let (x, t, y) = inputs(2, 64, &device);
    assert!(values(net.forward(x, t, Some(y))).iter().all(|v| *v == 0.0));
}

/// Without positions a transformer sees a set: permuted tokens give permuted tokens.
#[test]
fn blocks_are_equivariant_to_permutations() {
    let [device, _] = devices();
    let (x, c) = tokens();
    let order = TensorData::new(vec![3_i32, 0, 5, 1, 4, 2], [6]);
    let order = Tensor::<1, Int>::from_data(order, &device);
    for norm in [TokenNorm::Layer, TokenNorm::Rms] {
        let block = filled(block(norm));
        let then = block.forward(x.clone(), c.clone()).select(1, order.clone());
        let first = block.forward(x.clone().select(1, order.clone()), c.clone());
        assert!(error(&values(then), &values(first)) < 1e-6);
    }
}

/// With them it does not: the same patch in two places gives two answers.
#[test]
fn positions_tell_places_apart() {
    let [device, _] = devices();
    for form in [DiTForm::Original, DiTForm::Course] {
        let net = filled(small(form).init([1, 8, 8], 1, 0, &mut init(&device)));
        let (_, t, _) = inputs(1, 64, &device);
        let y = values(net.forward(Tensor::ones([1, 64], &device), t, None));
        // The inner pixels of two patches: the head's convolution sees no padding there.
        let (a, b) = (&y[2 * 8 + 2], &y[4 * 8 + 4]);
        assert!((a - b).abs() > 1e-3, "{form:?}: {a} and {b}");
    }
}

#[test]
fn a_sample_does_not_depend_on_its_batch() {
    let [device, _] = devices();
    for form in [DiTForm::Original, DiTForm::Course] {
        let net = small(form).init([1, 8, 8], 1, 3, &mut init(&device));
        alone_and_in_company(&filled(net), 64);
    }
}

#[test]
fn the_published_form_equals_pytorch() {
    let [_, device] = devices();
    let net = small(DiTForm::Original).init([1, 8, 8], 2, 3, &mut init(&device));
    equals_fixture(&filled(net), "dit", 2, 64);
}

#[test]
fn the_courses_form_equals_pytorch() {
    let [_, device] = devices();
    let net = small(DiTForm::Course).init([1, 8, 8], 1, 3, &mut init(&device));
    equals_fixture(&filled(net), "course_dit", 2, 64);
}

#[test]
#[should_panic(expected = "multiples of the patch 4, got 8×6")]
fn an_image_that_is_not_made_of_patches_is_refused() {
    let [device, _] = devices();
    DiTConfig::course(4).init([1, 8, 6], 1, 0, &mut init(&device));
}
