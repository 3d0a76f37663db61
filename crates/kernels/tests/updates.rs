//! Optimizer steps against burn's own.

mod common;

use burn::module::{Module, Param};
use burn::optim::{AdamWConfig, GradientsParams};
use burn::tensor::{Device, Tensor};
use common::{bits, flat, numbers, values};
use fokker_kernels::{AdamwStep, adamw, blend, reference, silu, sum_of_squares};

#[derive(Module, Debug)]
struct One {
    p: Param<Tensor<1>>,
}

/// Twenty steps with burn's optimizer, with the plain form and with the kernel, on sizes around a vector's and a task's.
#[test]
fn adamw_is_that_of_burn_to_the_bit() {
    let (plain, device) = (Device::flex(), Device::flex().autodiff());
    for (n, weight_decay) in [(1, 0.0), (7, 0.01), (64, 0.0), (70_001, 0.1)] {
        let start = numbers(n, 1);
        let mut burns = AdamWConfig::new()
            .with_beta_1(0.9)
            .with_beta_2(0.99)
            .with_epsilon(1e-8)
            .with_weight_decay(weight_decay)
            .init();
        let mut net = One {
            p: Param::from_tensor(flat(&start, &device)),
        };
        let [mut ours, mut written_out] =
            [(flat(&start, &plain), None), (flat(&start, &plain), None)];
        for k in 0..20usize {
            let gradient = numbers(n, 100 + k as u64);
            let step = AdamwStep {
                lr: 0.01 / (k + 1) as f64,
                betas: [0.9, 0.99],
                epsilon: 1e-8,
                weight_decay,
                time: k + 1,
            };
            let mut grads = GradientsParams::new();
            grads.register(net.p.id, flat(&gradient, &plain));
            net = burns.step(step.lr, net, grads);
            let go = |f: fn(_, _, _, &_) -> (Tensor<1>, [Tensor<1>; 2]),
                      (p, m): (Tensor<1>, Option<_>)| {
                let (p, m) = f(p, flat(&gradient, &plain), m, &step);
                (p, Some(m))
            };
            ours = go(adamw::<1>, ours);
            written_out = go(reference::adamw::<1>, written_out);
        }
        let want = bits(&values(net.p.val()));
        assert!(bits(&values(ours.0)) == want, "{n} values");
        assert!(
            bits(&values(written_out.0)) == want,
            "{n} values, plain form"
        );
    }
}

/// The first step has length lr whatever the gradient's size: m̂ / √v̂ is its sign.
#[test]
fn the_first_step_is_the_sign_of_the_gradient() {
    let device = Device::flex();
    let step = AdamwStep {
        lr: 0.5,
        betas: [0.9, 0.999],
        epsilon: 0.0,
        weight_decay: 0.2,
        time: 1,
    };
    let p = flat(&[1.0, 2.0, -3.0], &device);
    let g = flat(&[1e-3, -50.0, 7.0], &device);
    let (p, _) = adamw(p, g, None, &step);
    for (got, want) in values(p)
        .into_iter()
        .zip([0.9 - 0.5, 1.8 + 0.5, -2.7 - 0.5])
    {
        assert!((got - want).abs() < 1e-5, "{got} for {want}");
    }
}

#[test]
fn averages_are_the_plain_ones_to_the_bit() {
    let device = Device::flex();
    for n in [1, 9, 70_001] {
        let (a, b) = (flat(&numbers(n, 1), &device), flat(&numbers(n, 2), &device));
        let want = values(reference::blend(a.clone(), b.clone(), 0.9));
        assert!(bits(&values(blend(a, b, 0.9))) == bits(&want));
    }
}

/// Steps work in place only where nobody else holds the tensor, and a tensor is all of its memory.
#[test]
fn what_is_held_elsewhere_or_a_part_of_more_is_left_alone() {
    let device = Device::flex();
    let n = 100;
    let step = |time| AdamwStep {
        lr: 0.1,
        betas: [0.9, 0.99],
        epsilon: 1e-8,
        weight_decay: 0.0,
        time,
    };
    let whole = |seed| flat(&numbers(n, seed), &device);
    // The first n of 2n values, and the last: views of a memory that nobody else holds.
    let part = |seed: u64, start: usize| {
        let mut values = numbers(2 * n, 99);
        values[start..start + n].copy_from_slice(&numbers(n, seed));
        flat(&values, &device).narrow(0, start, n)
    };
    let all = |p: Tensor<1>, m: [Tensor<1>; 2]| {
        let (p, [a, b]) = adamw(p, whole(2), Some(m), &step(2));
        [p, a, b].map(values)
    };
    let squares = |t: Tensor<1>| t.clone() * t;
    let want = all(whole(1), [whole(3), squares(whole(4))]);
    for start in [0, n] {
        let got = all(part(1, start), [part(3, start), squares(part(4, start))]);
        assert!(got == want, "views from {start}");
        let blended = values(blend(part(1, start), whole(2), 0.25));
        assert_eq!(blended, values(reference::blend(whole(1), whole(2), 0.25)));
        assert_eq!(values(silu(part(1, start))), values(silu(whole(1))));
    }
    let held = [whole(1), whole(3), squares(whole(4))];
    let [p, a, b] = held.clone();
    assert!(all(p, [a, b]) == want);
    let [p, a, b] = held.map(values);
    assert_eq!([p, a], [1, 3].map(|seed| numbers(n, seed)));
    assert_eq!(b, values(squares(whole(4))));
}

#[test]
fn squares_are_summed() {
    let device = Device::flex();
    assert_eq!(sum_of_squares(flat(&[3.0, 4.0], &device)), 25.0);
    let many = numbers(1_000_000, 3);
    let want: f64 = many.iter().map(|&v| f64::from(v).powi(2)).sum();
    let got = sum_of_squares(flat(&many, &device));
    assert!((got - want).abs() < 1e-6 * want, "{got} for {want}");
    let view = flat(&many, &device).reshape([1000, 1000]).transpose();
    assert!((sum_of_squares(view) - want).abs() < 1e-6 * want);
}
