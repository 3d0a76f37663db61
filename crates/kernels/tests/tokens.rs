//! What surrounds attention in a transformer against plain burn operations, and its laws.

mod common;

use burn::tensor::{Device, Tensor};
use common::{agree, bits, error, flat, numbers, run, run_on, values};
use fokker_kernels::{
    Activation, TokenNorm, gated_add, gelu, gelu_erf, linear, linear_act, reference, rotary,
    token_norm,
};
use proptest::prelude::*;

fn flatten<const D: usize>(t: Tensor<D>) -> Tensor<1> {
    let n = t.dims().iter().product::<usize>();
    t.reshape([n])
}

/// `[batch, tokens, width]`, contiguous or a view whose memory runs the other way round.
fn tokens(t: &Tensor<1>, [b, n, w]: [usize; 3], view: bool) -> Tensor<3> {
    if view {
        t.clone().reshape([w, n, b]).permute([2, 1, 0])
    } else {
        t.clone().reshape([b, n, w])
    }
}

fn kinds() -> impl Strategy<Value = TokenNorm> {
    prop::sample::select(vec![TokenNorm::Layer, TokenNorm::Rms])
}

fn widths() -> impl Strategy<Value = usize> {
    prop::sample::select(vec![3usize, 7, 16, 31, 32, 33, 64, 100])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn turning(b in 1usize..4, n in 1usize..80, h in 1usize..4, pairs in 1usize..20, view: bool, seed: u64) {
        let d = 2 * pairs;
        let inputs = [numbers(b * n * h * d, seed)];
        let angles: Vec<f32> = numbers(n * pairs, seed ^ 1).iter().map(|a| 9.0 * a).collect();
        type Turn = fn(Tensor<4>, Tensor<2>, Tensor<2>) -> Tensor<4>;
        let with = |f: Turn| { let angles = &angles; move |t: &[Tensor<1>]| {
            let x = if view {
                t[0].clone().reshape([b, h, n, d]).swap_dims(1, 2)
            } else {
                t[0].clone().reshape([b, n, h, d])
            };
            let angles = flat(angles, &t[0].device()).reshape([n, pairs]);
            flatten(f(x, angles.clone().cos(), angles.sin()))
        } };
        agree("rotary", &inputs, with(rotary), with(reference::rotary));
    }

    #[test]
    fn normalisation(
        b in 1usize..4, n in 1usize..80, w in widths(), kind in kinds(),
        gamma: bool, beta: bool, modulated: bool, view: bool, seed: u64,
    ) {
        let mut inputs = vec![numbers(b * n * w, seed).iter().map(|v| 3.0 * v + 1.0).collect::<Vec<f32>>()];
        inputs.extend([w, w, b * w, b * w].iter().enumerate().map(|(i, &n)| numbers(n, seed ^ (i as u64 + 1))));
        let used = [true, gamma, beta, modulated, modulated];
        let inputs: Vec<_> = inputs.into_iter().zip(used).filter(|(_, used)| *used).map(|(v, _)| v).collect();
        type Norm = fn(Tensor<3>, TokenNorm, Option<Tensor<1>>, Option<Tensor<1>>, f64, Option<(Tensor<2>, Tensor<2>)>) -> Tensor<3>;
        let with = |f: Norm| move |t: &[Tensor<1>]| {
            let mut rest = t[1..].iter().cloned();
            let gamma = gamma.then(|| rest.next().expect("gamma"));
            let beta = beta.then(|| rest.next().expect("beta"));
            let modulation = modulated.then(|| {
                let mut next = || rest.next().expect("a modulation").reshape([b, w]);
                (next(), next())
            });
            flatten(f(tokens(&t[0], [b, n, w], view), kind, gamma, beta, 1e-6, modulation))
        };
        agree("token_norm", &inputs, with(token_norm), with(reference::token_norm));
    }

    #[test]
    fn residual(b in 1usize..4, n in 1usize..80, w in widths(), view: bool, seed: u64) {
        let inputs = [numbers(b * n * w, seed), numbers(b * n * w, seed ^ 1), numbers(b * w, seed ^ 2)];
        let with = |f: fn(Tensor<3>, Tensor<3>, Tensor<2>) -> Tensor<3>| move |t: &[Tensor<1>]| {
            let [x, h] = [0, 1].map(|i| tokens(&t[i], [b, n, w], view));
            flatten(f(x, h, t[2].clone().reshape([b, w])))
        };
        agree("gated_add", &inputs, with(gated_add), with(reference::gated_add));
    }

    #[test]
    fn activations(b in 1usize..4, n in 1usize..80, w in widths(), exact: bool, view: bool, seed: u64) {
        let inputs = [numbers(b * n * w, seed).iter().map(|v| 8.0 * v).collect()];
        let with = |f: fn(Tensor<3>) -> Tensor<3>| move |t: &[Tensor<1>]| flatten(f(tokens(&t[0], [b, n, w], view)));
        if exact {
            agree("gelu_erf", &inputs, with(gelu_erf), with(reference::gelu_erf));
        } else {
            agree("gelu", &inputs, with(gelu), with(reference::gelu));
        }
    }

    #[test]
    fn linear_maps(
        b in 1usize..4, n in 1usize..60, k in widths(), m in widths(), bias: bool, view: bool, seed: u64,
        activation in prop::sample::select(vec![Activation::None, Activation::Silu, Activation::Gelu]),
    ) {
        let inputs = [numbers(b * n * k, seed), numbers(k * m, seed ^ 1), numbers(m, seed ^ 2)];
        let inputs = &inputs[..if bias { 3 } else { 2 }];
        type Linear = fn(Tensor<3>, Tensor<2>, Option<Tensor<1>>, Activation) -> Tensor<3>;
        let with = |f: Linear| move |t: &[Tensor<1>]| {
            let x = tokens(&t[0], [b, n, k], view);
            flatten(f(x, t[1].clone().reshape([k, m]), t.get(2).cloned(), activation))
        };
        agree("linear_act", inputs, with(linear_act), with(reference::linear_act));
    }
}

/// Large enough to be shared out to threads.
#[test]
fn many_tokens() {
    let (b, n, w) = (3, 300, 100);
    let inputs: Vec<Vec<f32>> = [b * n * w, b * n * w, b * w, b * w, w * w, w]
        .iter()
        .enumerate()
        .map(|(i, &n)| numbers(n, i as u64 + 1))
        .collect();
    let net = |fast: bool| {
        move |t: &[Tensor<1>]| {
            let [x, h] = [0, 1].map(|i| t[i].clone().reshape([b, n, w]));
            let [p, q] = [2, 3].map(|i| t[i].clone().reshape([b, w]));
            let (weight, bias) = (t[4].clone().reshape([w, w]), Some(t[5].clone()));
            let modulation = Some((p.clone(), q.clone()));
            flatten(if fast {
                let h = token_norm(h, TokenNorm::Layer, None, None, 1e-6, modulation);
                gated_add(x, linear_act(h, weight, bias, Activation::Gelu), p)
            } else {
                let h = reference::token_norm(h, TokenNorm::Layer, None, None, 1e-6, modulation);
                let h = reference::linear_act(h, weight, bias, Activation::Gelu);
                reference::gated_add(x, h, p)
            })
        }
    };
    agree("a block", &inputs, net(true), net(false));
    let (_, want) = run(&inputs, net(false));
    let checkpointing = Device::flex().autodiff().gradient_checkpointing();
    let (_, got) = run_on(&checkpointing, &inputs, net(true));
    for (g, w) in got.iter().zip(&want) {
        assert!(error(g, w) <= 1e-4, "with checkpointing");
    }
}

/// Layer norm makes mean 0 and variance 1 of every token, RMS norm mean square 1, whatever the offset and the size.
#[test]
fn normalised_tokens_have_their_moments() {
    let device = Device::flex();
    let x = flat(&numbers(2 * 9 * 77, 3), &device).reshape([2, 9, 77]) * 5.0 + 300.0;
    for kind in [TokenNorm::Layer, TokenNorm::Rms] {
        let y = values(token_norm(x.clone(), kind, None, None, 1e-12, None));
        for token in y.chunks(77) {
            let mean = token.iter().map(|&v| f64::from(v)).sum::<f64>() / 77.0;
            let square = token.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>() / 77.0;
            assert!(
                (square - 1.0).abs() < 1e-4,
                "{kind:?}: mean square {square}"
            );
            assert!(kind == TokenNorm::Rms || mean.abs() < 1e-4, "mean {mean}");
        }
    }
}

/// A gate of zero is the identity, to the bit, also where the result may be written over x.
#[test]
fn a_closed_gate_is_the_identity() {
    let device = Device::flex();
    let (x, h) = (numbers(2 * 5 * 33, 1), numbers(2 * 5 * 33, 2));
    let of = |v: &[f32]| flat(v, &device).reshape([2, 5, 33]);
    let gate = Tensor::zeros([2, 33], &device);
    let kept = of(&x);
    assert!(bits(&values(gated_add(kept.clone(), of(&h), gate.clone()))) == bits(&x));
    assert!(bits(&values(gated_add(of(&x), of(&h), gate))) == bits(&x));
    let open = Tensor::ones([2, 33], &device);
    let y = values(gated_add(kept.clone(), of(&h), open));
    let sum: Vec<f32> = x.iter().zip(&h).map(|(x, h)| x + h).collect();
    assert!(bits(&y) == bits(&sum));
    assert!(bits(&values(kept)) == bits(&x), "x was somebody else's");
}

/// Leading axes are rows: any rank gives the bits of rank two.
#[test]
fn any_rank_is_rows() {
    let inputs = [numbers(6 * 7 * 20, 1), numbers(20 * 11, 2), numbers(11, 3)];
    for activation in [Activation::None, Activation::Gelu] {
        let of = |t: &[Tensor<1>]| (t[1].clone().reshape([20, 11]), Some(t[2].clone()));
        let two = run(&inputs, |t| {
            let (w, b) = of(t);
            flatten(linear_act(t[0].clone().reshape([42, 20]), w, b, activation))
        });
        let four = run(&inputs, |t| {
            let (w, b) = of(t);
            flatten(linear_act(
                t[0].clone().reshape([3, 2, 7, 20]),
                w,
                b,
                activation,
            ))
        });
        assert!(bits(&two.0) == bits(&four.0));
        assert!(two.1.iter().zip(&four.1).all(|(a, b)| bits(a) == bits(b)));
    }
}

/// Only some inputs are trained.
#[test]
fn constants_beside_tracked_tensors() {
    let (plain, device) = (Device::flex(), Device::flex().autodiff());
    let inputs = [
        numbers(2 * 5 * 9, 1),
        numbers(2 * 5 * 9, 2),
        numbers(18, 3),
        numbers(81, 4),
    ];
    let net = |t: &[Tensor<1>]| {
        let [x, h] = [0, 1].map(|i| t[i].clone().reshape([2, 5, 9]));
        let gate = t[2].clone().reshape([2, 9]);
        let weight = t[3].clone().reshape([9, 9]);
        let modulation = Some((gate.clone(), gate.clone()));
        let h = linear_act(h, weight, None, Activation::Silu);
        let h = token_norm(h, TokenNorm::Rms, None, None, 1e-6, modulation);
        flatten(gated_add(x, gelu(h), gate))
    };
    let (_, want) = run(&inputs, net);
    for tracked in 0..4 {
        let t: Vec<Tensor<1>> = (0..4)
            .map(|i| match i == tracked {
                true => flat(&inputs[i], &device).require_grad(),
                false => flat(&inputs[i], &plain),
            })
            .collect();
        let y = net(&t) * flat(&numbers(90, 99), &device);
        let grad = t[tracked].grad(&y.sum().backward()).expect("a gradient");
        assert!(
            bits(&values(grad)) == bits(&want[tracked]),
            "input {tracked}"
        );
    }
}

#[test]
#[should_panic(expected = "scale and shift must be [2, 8], got [2, 4] and [2, 8]")]
fn a_modulation_of_another_width_is_named() {
    let device = Device::flex();
    let modulation = (
        Tensor::zeros([2, 4], &device),
        Tensor::zeros([2, 8], &device),
    );
    let x = Tensor::zeros([2, 3, 8], &device);
    token_norm(x, TokenNorm::Layer, None, None, 1e-6, Some(modulation));
}

#[test]
#[should_panic(expected = "the gate [2, 8], got [2, 3, 8] and [1, 8]")]
fn a_gate_of_another_batch_is_named() {
    let device = Device::flex();
    let x = Tensor::<3>::zeros([2, 3, 8], &device);
    gated_add(x.clone(), x, Tensor::zeros([1, 8], &device));
}

#[test]
#[should_panic(expected = "the weight [4, 2] takes 4 features, x [2, 3, 8] has 8")]
fn a_weight_of_another_width_is_named() {
    let device = Device::flex();
    linear(
        Tensor::<3>::zeros([2, 3, 8], &device),
        Tensor::zeros([4, 2], &device),
        None,
    );
}

/// The residual is added in place only to a tensor that is all of its memory.
#[test]
fn a_residual_is_added_to_a_part_of_more() {
    let device = Device::flex();
    let (b, n, d) = (1, 3, 8);
    let all = flat(&numbers(2 * b * n * d, 1), &device).reshape([2 * b, n, d]);
    let h = flat(&numbers(b * n * d, 2), &device).reshape([b, n, d]);
    let gate = flat(&numbers(b * d, 3), &device).reshape([b, d]);
    for start in [0, b] {
        let alone = values(all.clone().narrow(0, start, b));
        let alone = flat(&alone, &device).reshape([b, n, d]);
        let want = values(gated_add(alone, h.clone(), gate.clone()));
        let copy = flat(&values(all.clone()), &device).reshape([2 * b, n, d]);
        let got = values(gated_add(copy.narrow(0, start, b), h.clone(), gate.clone()));
        assert_eq!(got, want, "from {start}");
    }
}
