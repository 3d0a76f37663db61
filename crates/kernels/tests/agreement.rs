//! The fast path against plain burn operations, over random shapes, contents and views.

mod common;

use burn::tensor::{Device, Tensor};
use common::{agree, error, numbers, run, run_on, values};
use fokker_kernels::{conv2d, group_norm_silu, linear, mlp, reference, silu, upsample2x};
use proptest::prelude::*;

/// Channel counts around the widths of the vectors.
fn channels() -> impl Strategy<Value = usize> {
    prop::sample::select(vec![1usize, 3, 5, 8, 16, 17, 33])
}

/// A tensor of these sizes from flat values, contiguous or as a view whose memory runs the other way round.
fn shaped(t: &Tensor<1>, [b, c, h, w]: [usize; 4], view: bool) -> Tensor<4> {
    if view {
        t.clone().reshape([w, h, c, b]).permute([3, 2, 1, 0])
    } else {
        t.clone().reshape([b, c, h, w])
    }
}

fn flatten<const D: usize>(t: Tensor<D>) -> Tensor<1> {
    let n = t.dims().iter().product::<usize>();
    t.reshape([n])
}

/// An input of `rows` rows, and the weight and the bias of every layer in turn.
fn perceptron_inputs(rows: usize, widths: &[usize], seed: u64) -> Vec<Vec<f32>> {
    let mut inputs = vec![numbers(rows * widths[0], seed)];
    for (l, w) in widths.windows(2).enumerate() {
        inputs.push(numbers(w[0] * w[1], seed ^ (2 * l as u64 + 1)));
        inputs.push(numbers(w[1], seed ^ (2 * l as u64 + 2)));
    }
    inputs
}

/// Flat weights and biases as the layers of a perceptron.
fn layers(widths: &[usize], flat: &[Tensor<1>]) -> Vec<(Tensor<2>, Tensor<1>)> {
    let pairs = widths.windows(2).zip(flat.chunks_exact(2));
    pairs
        .map(|(w, t)| (t[0].clone().reshape([w[0], w[1]]), t[1].clone()))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn convolution(
        b in 1usize..4, ci in channels(), co in channels(), h in 1usize..12, w in 1usize..12,
        k in prop::sample::select(vec![[1usize, 1], [3, 3], [3, 3], [5, 5], [2, 3]]),
        s in 1usize..3, p in 0usize..3, bias: bool, view: bool, seed: u64,
    ) {
        prop_assume!(h + 2 * p >= k[0] && w + 2 * p >= k[1]);
        let inputs = [
            numbers(b * ci * h * w, seed),
            numbers(co * ci * k[0] * k[1], seed ^ 1),
            numbers(co, seed ^ 2),
        ];
        let inputs = &inputs[..if bias { 3 } else { 2 }];
        let with = |f: fn(Tensor<4>, Tensor<4>, Option<Tensor<1>>, usize, usize) -> Tensor<4>| {
            move |t: &[Tensor<1>]| {
                let (x, weight) = (shaped(&t[0], [b, ci, h, w], view), shaped(&t[1], [co, ci, k[0], k[1]], view));
                flatten(f(x, weight, t.get(2).cloned(), s, p))
            }
        };
        agree("conv2d", inputs, with(conv2d), with(reference::conv2d));
    }

    #[test]
    fn linear_map(rows in 1usize..200, k in 1usize..70, n in 1usize..70, bias: bool, view: bool, seed: u64) {
        let inputs = [numbers(rows * k, seed), numbers(k * n, seed ^ 1), numbers(n, seed ^ 2)];
        let inputs = &inputs[..if bias { 3 } else { 2 }];
        let with = |f: fn(Tensor<2>, Tensor<2>, Option<Tensor<1>>) -> Tensor<2>| {
            move |t: &[Tensor<1>]| {
                let x = if view { t[0].clone().reshape([k, rows]).transpose() } else { t[0].clone().reshape([rows, k]) };
                flatten(f(x, t[1].clone().reshape([k, n]), t.get(2).cloned()))
            }
        };
        agree("linear", inputs, with(linear), with(reference::linear));
    }

    #[test]
    fn perceptron(
        rows in 1usize..400, widths in prop::collection::vec(prop::sample::select(vec![1usize, 2, 3, 7, 8, 16, 17, 33, 64, 70]), 2..6),
        view: bool, seed: u64,
    ) {
        let inputs = perceptron_inputs(rows, &widths, seed);
        type Net = fn(Tensor<2>, Vec<(Tensor<2>, Tensor<1>)>) -> Tensor<2>;
        let with = |f: Net| {
            let widths = &widths;
            move |t: &[Tensor<1>]| {
                let n = widths[0];
                let x = if view { t[0].clone().reshape([n, rows]).transpose() } else { t[0].clone().reshape([rows, n]) };
                flatten(f(x, layers(widths, &t[1..])))
            }
        };
        agree("mlp", &inputs, with(mlp), with(reference::mlp));
    }

    #[test]
    fn activation(b in 1usize..4, c in channels(), h in 1usize..40, w in 1usize..40, view: bool, seed: u64) {
        let inputs = [numbers(b * c * h * w, seed).iter().map(|v| 20.0 * v).collect()];
        let with = |f: fn(Tensor<4>) -> Tensor<4>| move |t: &[Tensor<1>]| flatten(f(shaped(&t[0], [b, c, h, w], view)));
        agree("silu", &inputs, with(silu), with(reference::silu));
    }

    #[test]
    fn normalisation(
        b in 1usize..4, per in 1usize..6, groups in 1usize..5, h in 1usize..12, w in 1usize..12,
        modulated: bool, activate: bool, view: bool, seed: u64,
    ) {
        let c = per * groups;
        // One value per group has no variance: everything hangs on rounding.
        prop_assume!(per * h * w > 2);
        let inputs = [
            numbers(b * c * h * w, seed).iter().map(|v| 3.0 * v + 1.0).collect(),
            numbers(c, seed ^ 1), numbers(c, seed ^ 2), numbers(b * c, seed ^ 3), numbers(b * c, seed ^ 4),
        ];
        let inputs = &inputs[..if modulated { 5 } else { 3 }];
        type Norm = fn(Tensor<4>, Tensor<1>, Tensor<1>, usize, f64, Option<(Tensor<2>, Tensor<2>)>, bool) -> Tensor<4>;
        let with = |f: Norm| {
            move |t: &[Tensor<1>]| {
                let modulation = modulated.then(|| (t[3].clone().reshape([b, c]), t[4].clone().reshape([b, c])));
                let x = shaped(&t[0], [b, c, h, w], view);
                flatten(f(x, t[1].clone(), t[2].clone(), groups, 1e-5, modulation, activate))
            }
        };
        agree("group_norm_silu", inputs, with(group_norm_silu), with(reference::group_norm_silu));
    }

    #[test]
    fn doubling(b in 1usize..4, c in channels(), h in 1usize..9, w in 1usize..9, view: bool, seed: u64) {
        let inputs = [numbers(b * c * h * w, seed)];
        let with = |f: fn(Tensor<4>) -> Tensor<4>| move |t: &[Tensor<1>]| flatten(f(shaped(&t[0], [b, c, h, w], view)));
        agree("upsample2x", &inputs, with(upsample2x), with(reference::upsample2x));
    }
}

/// Large enough to be shared out to threads, where the random shapes above stay small.
#[test]
fn large_shapes() {
    let with = |f: fn(Tensor<4>) -> Tensor<4>| {
        move |t: &[Tensor<1>]| flatten(f(t[0].clone().reshape([9, 16, 28, 28])))
    };
    let inputs = [numbers(9 * 16 * 784, 5)];
    agree("silu", &inputs, with(silu), with(reference::silu));
    agree(
        "upsample2x",
        &inputs,
        with(upsample2x),
        with(reference::upsample2x),
    );
    let inputs = [
        numbers(33 * 32 * 196, 1),
        numbers(48 * 32 * 9, 2),
        numbers(48, 3),
    ];
    let with = |f: fn(Tensor<4>, Tensor<4>, Option<Tensor<1>>, usize, usize) -> Tensor<4>| {
        move |t: &[Tensor<1>]| {
            let (x, w) = (
                t[0].clone().reshape([33, 32, 14, 14]),
                t[1].clone().reshape([48, 32, 3, 3]),
            );
            flatten(f(x, w, Some(t[2].clone()), 1, 1))
        }
    };
    agree("conv2d", &inputs, with(conv2d), with(reference::conv2d));
}

/// A perceptron is its layers done one by one: the same bits forward, with and without gradients, on one row and many.
#[test]
fn a_perceptron_is_its_layers() {
    for (rows, widths) in [
        (1, vec![3, 64, 64, 2]),
        (1000, vec![3, 64, 64, 64, 64, 2]),
        (97, vec![5, 17, 1, 40, 9]),
        (200, vec![300, 20]),
    ] {
        let inputs = perceptron_inputs(rows, &widths, 3);
        for device in [Device::flex(), Device::flex().autodiff()] {
            let t: Vec<Tensor<1>> = inputs
                .iter()
                .map(|v| {
                    let t = common::flat(v, &device);
                    if device.is_autodiff() {
                        t.require_grad()
                    } else {
                        t
                    }
                })
                .collect();
            let x = t[0].clone().reshape([rows, widths[0]]);
            let layers = layers(&widths, &t[1..]);
            let mut one_by_one = x.clone();
            for (l, (w, b)) in layers.iter().enumerate() {
                let h = if l == 0 { one_by_one } else { silu(one_by_one) };
                one_by_one = linear(h, w.clone(), Some(b.clone()));
            }
            let at_once = values(mlp(x, layers));
            assert!(
                common::bits(&at_once) == common::bits(&values(one_by_one)),
                "{rows} rows, {widths:?}"
            );
        }
    }
}

/// Frozen layers, an input without gradient, more layers and wider ones than the kernel takes, checkpointing.
#[test]
fn perceptrons_off_the_beaten_track() {
    let type_of = |fast: bool| if fast { mlp } else { reference::mlp };
    for widths in [vec![4; 12], vec![3, 600, 2], vec![7, 9]] {
        let inputs = perceptron_inputs(20, &widths, 9);
        let net = |fast: bool| {
            let widths = &widths;
            move |t: &[Tensor<1>]| {
                flatten(type_of(fast)(
                    t[0].clone().reshape([20, widths[0]]),
                    layers(widths, &t[1..]),
                ))
            }
        };
        agree("mlp", &inputs, net(true), net(false));
        let (_, want) = run(&inputs, net(false));
        let checkpointing = Device::flex().autodiff().gradient_checkpointing();
        let (_, got) = run_on(&checkpointing, &inputs, net(true));
        for (g, w) in got.iter().zip(&want) {
            assert!(error(g, w) <= 1e-4, "{widths:?} with checkpointing");
        }
    }
    // Only the second layer's weight is trained.
    let (plain, device) = (Device::flex(), Device::flex().autodiff());
    let widths = [3, 16, 2];
    let inputs = perceptron_inputs(50, &widths, 4);
    let grad = |fast: bool| {
        let mut t: Vec<Tensor<1>> = inputs.iter().map(|v| common::flat(v, &plain)).collect();
        t[3] = common::flat(&inputs[3], &device).require_grad();
        let x = t[0].clone().reshape([50, 3]);
        let y = type_of(fast)(x, layers(&widths, &t[1..]));
        values(t[3].grad(&y.sum().backward()).expect("a gradient"))
    };
    assert!(error(&grad(true), &grad(false)) <= 1e-4);
}

#[test]
#[should_panic(expected = "layer 1 is given 4 features; its weight is [5, 2]")]
fn layers_that_do_not_follow_are_named() {
    let zeros = |shape: [usize; 2]| Tensor::<2>::zeros(shape, &Device::flex());
    let bias = |n: usize| Tensor::<1>::zeros([n], &Device::flex());
    mlp(
        zeros([1, 3]),
        vec![(zeros([3, 4]), bias(4)), (zeros([5, 2]), bias(2))],
    );
}

/// Group normalisation makes mean 0 and variance 1 of every group, whatever the input's offset.
#[test]
fn normalised_groups_have_zero_mean_and_unit_variance() {
    let device = Device::flex();
    let x = common::flat(&numbers(2 * 8 * 49, 3), &device).reshape([2, 8, 7, 7]) * 5.0 + 300.0;
    let (one, zero) = (Tensor::ones([8], &device), Tensor::zeros([8], &device));
    let y = values(group_norm_silu(x, one, zero, 4, 1e-12, None, false));
    for group in y.chunks(2 * 49) {
        let n = group.len() as f64;
        let mean = group.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
        let var = group
            .iter()
            .map(|&v| (f64::from(v) - mean).powi(2))
            .sum::<f64>()
            / n;
        assert!(
            mean.abs() < 1e-4 && (var - 1.0).abs() < 1e-4,
            "mean {mean}, variance {var}"
        );
    }
}

/// A network of all operations, with and without gradient checkpointing, where values are also used twice.
#[test]
fn a_small_network_with_and_without_checkpointing() {
    let inputs = [
        numbers(2 * 3 * 64, 1),
        numbers(8 * 3 * 9, 2),
        numbers(8, 3),
        numbers(8, 4),
        numbers(8, 5),
        numbers(8 * 8 * 9, 6),
    ];
    let net = |fast: bool| {
        move |t: &[Tensor<1>]| {
            let x = t[0].clone().reshape([2, 3, 8, 8]);
            let (w1, w2) = (
                t[1].clone().reshape([8, 3, 3, 3]),
                t[5].clone().reshape([8, 8, 3, 3]),
            );
            let (bias, gamma, beta) = (t[2].clone(), t[3].clone(), t[4].clone());
            if fast {
                let h = silu(conv2d(x, w1, Some(bias), 2, 1));
                let n = group_norm_silu(h.clone(), gamma, beta, 2, 1e-5, None, true);
                flatten(upsample2x(silu(conv2d(n, w2, None, 1, 1)) + h))
            } else {
                let h = reference::silu(reference::conv2d(x, w1, Some(bias), 2, 1));
                let n = reference::group_norm_silu(h.clone(), gamma, beta, 2, 1e-5, None, true);
                flatten(reference::upsample2x(
                    reference::silu(reference::conv2d(n, w2, None, 1, 1)) + h,
                ))
            }
        }
    };
    let (want, want_grads) = run(&inputs, net(false));
    let device = Device::flex().autodiff();
    for device in [device.clone(), device.gradient_checkpointing()] {
        let (y, grads) = run_on(&device, &inputs, net(true));
        assert!(error(&y, &want) <= 1e-5);
        for (g, w) in grads.iter().zip(&want_grads) {
            assert!(error(g, w) <= 1e-4);
        }
    }
}

/// Frozen weights, and an input that needs no gradient.
#[test]
fn constants_beside_tracked_tensors() {
    let plain = Device::flex();
    let device = plain.clone().autodiff();
    let x = common::flat(&numbers(2 * 3 * 25, 1), &plain).reshape([2, 3, 5, 5]);
    let w = common::flat(&numbers(4 * 3 * 9, 2), &device)
        .reshape([4, 3, 3, 3])
        .require_grad();
    let grad = |y: Tensor<4>| {
        values(
            w.grad(&y.sum().backward())
                .expect("a gradient for the weight"),
        )
    };
    let (fast, want) = (
        conv2d(x.clone(), w.clone(), None, 1, 1),
        reference::conv2d(x, w.clone(), None, 1, 1),
    );
    assert!(error(&grad(fast), &grad(want)) <= 1e-4);
}

/// Other types take the plain path.
#[test]
fn f64_takes_the_plain_path() {
    let x = Tensor::<2>::ones([2, 3], (&Device::flex(), burn::tensor::DType::F64));
    let y: Vec<f64> = silu(x).into_data().try_to_vec().expect("f64 values");
    assert!(
        y.iter()
            .all(|v| (v - 1.0 / (1.0 + (-1.0f64).exp())).abs() < 1e-12)
    );
}

#[test]
#[should_panic(expected = "the weight [4, 2, 3, 3] takes 2 channels, x [1, 3, 5, 5] has 3")]
fn wrong_channels_are_named() {
    let device = Device::flex();
    conv2d(
        Tensor::ones([1, 3, 5, 5], &device),
        Tensor::ones([4, 2, 3, 3], &device),
        None,
        1,
        1,
    );
}
