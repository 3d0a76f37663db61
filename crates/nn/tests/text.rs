//! Texts by label: what a text is to a network does not depend on the texts beside it, and ∅ is learned.

mod common;

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::Device;
use common::{against, devices, error, filled, gradients, init, values};
use fokker_core::labels;
use fokker_nn::layers::{EncodedText, TextEmbedding, TextTable};

const WIDTH: usize = 6;

/// A text of `length` tokens that depends on `k` alone.
fn text(k: usize, length: usize) -> EncodedText {
    let wave = |i: usize| (1.3 * i as f32 + k as f32).sin();
    EncodedText {
        tokens: (0..length * WIDTH).map(wave).collect(),
        pooled: (100..100 + WIDTH).map(wave).collect(),
    }
}

fn embedding(texts: &[EncodedText], device: &Device) -> TextEmbedding {
    let mut text = filled(TextEmbedding::new(WIDTH, 8, &mut init(device)));
    text.set(TextTable::new(texts, device));
    text
}

#[test]
fn a_text_does_not_depend_on_the_table() {
    let [device, _] = devices();
    let alone = embedding(&[text(1, 3)], &device).forward(labels(&[0, 1], &device));
    let table = [text(0, 9), text(1, 3), text(2, 1)];
    let among = embedding(&table, &device).forward(labels(&[3, 1], &device));
    assert_eq!(alone.tokens.dims(), [2, 3, 8]);
    assert_eq!(among.tokens.dims(), [2, 9, 8]);
    let lengths = |t: &burn::tensor::Tensor<1, burn::tensor::Int>| {
        let data = t.clone().into_data().convert::<i32>();
        data.try_to_vec::<i32>().expect("whole numbers")
    };
    assert_eq!(lengths(&alone.lengths), [3, 1]);
    assert_eq!(lengths(&among.lengths), [1, 3]);
    let row = |t: &burn::tensor::Tensor<2>, i| values(t.clone().narrow(0, i, 1));
    for (a, b) in [(0, 1), (1, 0)] {
        assert_eq!(row(&alone.pooled, a), row(&among.pooled, b));
    }
    let tokens =
        |t: &burn::tensor::Tensor<3>, i, n| values(t.clone().narrow(0, i, 1).narrow(1, 0, n));
    assert_eq!(tokens(&alone.tokens, 0, 3), tokens(&among.tokens, 1, 3));
    assert_eq!(tokens(&alone.tokens, 1, 1), tokens(&among.tokens, 0, 1));
}

/// tokens · W + b of vectors divided by their root mean square, and ∅'s own.
#[test]
fn values_are_those_of_the_formula() {
    let [device, _] = devices();
    let net = embedding(&[text(0, 2), text(1, 4)], &device);
    let got = net.forward(labels(&[1, 2], &device));
    let [weight, bias] = [
        values(net.pooled.weight.val()),
        values(net.pooled.bias.val()),
    ];
    let pooled = text(1, 4).pooled;
    let square = pooled.iter().map(|v| v * v).sum::<f32>() / WIDTH as f32;
    let expected: Vec<f32> = (0..8)
        .map(|o| {
            let term = |i: usize| pooled[i] / (square + 1e-6).sqrt() * weight[i * 8 + o];
            (0..WIDTH).map(term).sum::<f32>() + bias[o]
        })
        .collect();
    let got_pooled = values(got.pooled);
    assert!(error(&got_pooled[..8], &expected) < 1e-6);
    assert_eq!(got_pooled[8..], values(net.null_pooled.val()));
    assert_eq!(
        values(got.tokens.narrow(0, 1, 1).narrow(1, 0, 1)),
        values(net.null_token.val())
    );
}

/// ∅ alone before any text is set, and again with an empty table.
#[test]
fn without_texts_there_is_null() {
    let [device, _] = devices();
    let mut net = filled(TextEmbedding::new(WIDTH, 8, &mut init(&device)));
    let first = net.forward(labels(&[0, 0], &device));
    net.set(TextTable::new(&[text(0, 2)], &device));
    let then = net.forward(labels(&[1, 1], &device));
    assert_eq!(values(first.pooled), values(then.pooled));
    net.set(TextTable::new(&[], &device));
    let again = net.forward(labels(&[0], &device));
    assert_eq!(values(again.tokens), values(net.null_token.val()));
}

/// The table is data: not counted, and it gets no gradient; a batch trains exactly what it shows.
#[test]
fn only_maps_and_stand_ins_are_trained() {
    let [plain, device] = devices();
    let mut net = filled(TextEmbedding::new(WIDTH, 8, &mut init(&device)));
    // A table made without autodiff serves a network that trains, and what is then taken from it for sampling.
    net.set(TextTable::new(&[text(0, 2)], &plain));
    assert_eq!(net.num_params(), TextEmbedding::count(WIDTH, 8));
    let zero = |y: u32| -> Vec<bool> {
        let text = net.forward(labels(&[y], &device));
        let grads = (against(text.tokens) + against(text.pooled)).backward();
        let grads = gradients(&net, GradientsParams::from_grads(grads, &net));
        let zero = |(_, g): &(String, Vec<f32>)| g.iter().all(|v| *v == 0.0);
        grads.iter().map(zero).collect()
    };
    assert_eq!(zero(0), [false, false, false, false, true, true]);
    assert_eq!(zero(1), [true, true, true, true, false, false]);
    let sampled = net.valid().forward(labels(&[0], &plain));
    assert!(!sampled.pooled.device().is_autodiff());
}

#[test]
#[should_panic(expected = "expected texts with vectors of 5 numbers, got 6")]
fn texts_of_another_encoder_are_refused() {
    let [device, _] = devices();
    let mut net = TextEmbedding::new(5, 8, &mut init(&device));
    net.set(TextTable::new(&[text(0, 1)], &device));
}

#[test]
#[should_panic(expected = "at least one token of the pooled vector's 6 numbers, got 0 numbers")]
fn texts_have_a_token() {
    let [device, _] = devices();
    TextTable::new(&[text(0, 0)], &device);
}
