//! Attention against plain burn operations, and its laws.

mod common;

use burn::tensor::{Device, Int, Tensor, TensorData};
use common::{agree, agree_from, bits, error, flat, numbers, run, run_on, values};
use fokker_kernels::{attention, attention_within, reference, self_attention};
use proptest::prelude::*;

/// Features per head around the widths of the vectors.
fn dims() -> impl Strategy<Value = usize> {
    prop::sample::select(vec![1usize, 3, 8, 13, 16, 24, 33, 64])
}

fn flatten<const D: usize>(t: Tensor<D>) -> Tensor<1> {
    let n = t.dims().iter().product::<usize>();
    t.reshape([n])
}

/// `[batch, tokens, heads, dim]`, contiguous or a view of heads before tokens.
fn heads(t: &Tensor<1>, [b, n, h, d]: [usize; 4], view: bool) -> Tensor<4> {
    if view {
        t.clone().reshape([b, h, n, d]).swap_dims(1, 2)
    } else {
        t.clone().reshape([b, n, h, d])
    }
}

type Attention = fn(Tensor<4>, Tensor<4>, Tensor<4>) -> Tensor<4>;
type OfFlat = Box<dyn Fn(&[Tensor<1>]) -> Tensor<1>>;

/// q, k and v and the operation on them.
fn case(
    [b, n, m, h, d]: [usize; 5],
    size: f32,
    view: bool,
    seed: u64,
) -> (Vec<Vec<f32>>, impl Fn(Attention) -> OfFlat) {
    let large = |v: Vec<f32>| v.into_iter().map(|v| size * v).collect();
    let inputs = vec![
        large(numbers(b * n * h * d, seed)),
        large(numbers(b * m * h * d, seed ^ 1)),
        numbers(b * m * h * d, seed ^ 2),
    ];
    let with = move |f: Attention| -> OfFlat {
        Box::new(move |t: &[Tensor<1>]| {
            let q = heads(&t[0], [b, n, h, d], view);
            let [k, v] = [1, 2].map(|i| heads(&t[i], [b, m, h, d], view));
            flatten(f(q, k, v))
        })
    };
    (inputs, with)
}

/// The gradients at q and k are sums over up to 120 tokens of differences dy · v − δ of terms of size one and more, which cancel
/// where a query has one key or looks at one alone: their error is that of the terms, 120^½ · 3 · 10⁻⁷ and a few times that.
const TERMS: f32 = 0.1;

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_shapes(
        b in 1usize..4, n in 1usize..120, m in 1usize..120, h in 1usize..5, d in dims(), view: bool, seed: u64,
    ) {
        let (inputs, with) = case([b, n, m, h, d], 2.0, view, seed);
        agree_from(TERMS, "attention", &inputs, with(attention), with(reference::attention));
    }

    #[test]
    fn random_shapes_side_by_side(
        b in 1usize..4, n in 1usize..90, h in 1usize..5, d in dims(), view: bool, seed: u64,
    ) {
        let inputs = [numbers(b * n * 3 * h * d, seed).iter().map(|v| 2.0 * v).collect()];
        let with = |f: fn(Tensor<3>, usize) -> Tensor<3>| move |t: &[Tensor<1>]| {
            let w = 3 * h * d;
            let qkv = if view { t[0].clone().reshape([w, n, b]).permute([2, 1, 0]) } else { t[0].clone().reshape([b, n, w]) };
            flatten(f(qkv, h))
        };
        agree_from(TERMS, "self_attention", &inputs, with(self_attention), with(reference::self_attention));
    }
}

/// Several blocks of queries and of keys, and heads cut into runs of queries.
#[test]
fn many_tokens() {
    for sizes in [
        [1, 700, 1300, 1, 40],
        [2, 1024, 1024, 1, 16],
        [3, 256, 256, 4, 64],
    ] {
        let (inputs, with) = case(sizes, 3.0, false, 5);
        agree(
            "attention",
            &inputs,
            with(attention),
            with(reference::attention),
        );
    }
}

/// The weights of a query sum to one: of values that are all one it makes one. Also where logits are huge.
#[test]
fn weights_sum_to_one() {
    let device = Device::flex();
    for size in [1.0f32, 30.0, 300.0] {
        for [n, m, d] in [[5, 3, 4], [100, 700, 17], [64, 256, 64]] {
            let of = |n: usize, seed| {
                (flat(&numbers(2 * n * 3 * d, seed), &device) * size).reshape([2, n, 3, d])
            };
            let y = attention(of(n, 1), of(m, 2), Tensor::ones([2, m, 3, d], &device));
            for y in values(y) {
                assert!((y - 1.0).abs() < 2e-6, "{y} with {m} keys times {size}");
            }
        }
    }
}

/// Logits of ±10⁴: everything stays finite, and a query whose best key is far ahead takes that key's value.
#[test]
fn huge_logits() {
    let (n, m, d) = (40usize, 600usize, 16usize);
    // Query i is ±100 at feature i mod d; key j is 400 there too if it is the best of that feature.
    let q: Vec<f32> = (0..n * d)
        .map(|i| match (i / d % d == i % d, i / d / d % 2) {
            (false, _) => 0.0,
            (true, 0) => 100.0,
            (true, _) => -100.0,
        })
        .collect();
    let best = |j: usize| (j % 37 == 5).then_some(j / 37).filter(|&f| f < d);
    let k: Vec<f32> = (0..m * d)
        .map(|i| {
            if best(i / d) == Some(i % d) {
                400.0
            } else {
                0.0
            }
        })
        .collect();
    let inputs = [q, k, numbers(m * d, 3)];
    let (y, grads) = run(&inputs, |t| {
        let [k, v] = [1, 2].map(|i| t[i].clone().reshape([1, m, 1, d]));
        flatten(attention(t[0].clone().reshape([1, n, 1, d]), k, v))
    });
    assert!(
        y.iter()
            .chain(grads.iter().flatten())
            .all(|v| v.is_finite())
    );
    for i in 0..d {
        let j = (0..m).find(|&j| best(j) == Some(i)).expect("a best key");
        assert!(error(&y[i * d..(i + 1) * d], &inputs[2][j * d..(j + 1) * d]) < 1e-6);
    }
    // A query that is −100 gives its feature's key no weight and all others the same.
    let (i, j) = (d, (0..m).find(|&j| best(j) == Some(0)).expect("a best key"));
    let mean: Vec<f32> = (0..d)
        .map(|c| {
            let others = (0..m)
                .filter(|&k| k != j)
                .map(|k| f64::from(inputs[2][k * d + c]));
            (others.sum::<f64>() / (m - 1) as f64) as f32
        })
        .collect();
    assert!(error(&y[i * d..(i + 1) * d], &mean) < 1e-5);
}

/// One tensor or three: the same bits, forward and backward.
#[test]
fn side_by_side_is_apart() {
    let (b, n, h, d) = (2, 100, 3, 24);
    let inputs = [numbers(b * n * 3 * h * d, 1)];
    let one = run(&inputs, |t| {
        flatten(self_attention(t[0].clone().reshape([b, n, 3 * h * d]), h))
    });
    let three = run(&inputs, |t| {
        let qkv = t[0].clone().reshape([b, n, 3, h * d]);
        let [q, k, v] = [0, 1, 2].map(|i| qkv.clone().narrow(2, i, 1).reshape([b, n, h, d]));
        flatten(attention(q, k, v))
    });
    assert!(bits(&one.0) == bits(&three.0));
    assert!(bits(&one.1[0]) == bits(&three.1[0]));
}

#[test]
fn frozen_inputs_and_checkpointing() {
    let sizes = [2, 50, 70, 2, 16];
    let (inputs, with) = case(sizes, 2.0, true, 7);
    let (want, want_grads) = run(&inputs, with(reference::attention));
    let checkpointing = Device::flex().autodiff().gradient_checkpointing();
    let (y, grads) = run_on(&checkpointing, &inputs, with(attention));
    assert!(error(&y, &want) <= 1e-5);
    for (g, w) in grads.iter().zip(&want_grads) {
        assert!(error(g, w) <= 1e-4);
    }
    let (plain, device) = (Device::flex(), Device::flex().autodiff());
    for tracked in 0..3 {
        let t: Vec<Tensor<1>> = (0..3)
            .map(|i| match i == tracked {
                true => flat(&inputs[i], &device).require_grad(),
                false => flat(&inputs[i], &plain),
            })
            .collect();
        let y = with(attention)(&t);
        let grads = (y.clone() * flat(&numbers(want.len(), 99), &device))
            .sum()
            .backward();
        let grad = values(t[tracked].grad(&grads).expect("a gradient"));
        assert!(
            error(&grad, &want_grads[tracked]) <= 1e-4,
            "input {tracked}"
        );
    }
}

#[test]
#[should_panic(expected = "k and v must be [2, keys, 3, 8] to go with q [2, 5, 3, 8]")]
fn keys_of_another_width_are_named() {
    let of = |d: usize| Tensor::<4>::zeros([2, 5, 3, d], &Device::flex());
    attention(of(8), of(4), of(4));
}

#[test]
#[should_panic(expected = "q, k and v of 5 heads do not fit in a width of 24")]
fn heads_that_do_not_fit_are_named() {
    self_attention(Tensor::zeros([1, 2, 24], &Device::flex()), 5);
}

/// A query with one key takes its value, whatever the two are: no gradient flows to them, all of it to the value.
#[test]
fn one_key_takes_it_all() {
    let (inputs, with) = case([2, 3, 1, 2, 64], 2.0, false, 8);
    let (y, grads) = run(&inputs, with(attention));
    for (q, y) in y.chunks_exact(2 * 64).enumerate() {
        assert!(error(y, &inputs[2][q / 3 * 128..][..128]) < 1e-6);
    }
    for gradient in &grads[..2] {
        assert!(gradient.iter().all(|g| g.abs() < 2e-6), "{gradient:?}");
    }
}

fn lengths(values: &[i32], device: &Device) -> Tensor<1, Int> {
    Tensor::from_data(TensorData::new(values.to_vec(), [values.len()]), device)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 30, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_lengths(
        n in 1usize..120, m in 1usize..160, h in 1usize..4, d in dims(), view: bool, seed: u64, share in prop::array::uniform3(0f64..1.0),
    ) {
        let (inputs, with) = lengthy([3, n, m, h, d], view, seed);
        let counts = share.map(|s| 1 + (s * m as f64) as i32);
        agree_from(TERMS, "attention_within", &inputs, with(attention_within, counts), with(reference::attention_within, counts));
    }
}

type Within = fn(Tensor<4>, Tensor<4>, Tensor<4>, Tensor<1, Int>) -> Tensor<4>;

/// As [`case`], of three samples with as many keys each as `counts` says.
fn lengthy(
    [b, n, m, h, d]: [usize; 5],
    view: bool,
    seed: u64,
) -> (Vec<Vec<f32>>, impl Fn(Within, [i32; 3]) -> OfFlat) {
    let (inputs, _) = case([b, n, m, h, d], 2.0, view, seed);
    let with = move |f: Within, counts: [i32; 3]| -> OfFlat {
        Box::new(move |t: &[Tensor<1>]| {
            let q = heads(&t[0], [b, n, h, d], view);
            let [k, v] = [1, 2].map(|i| heads(&t[i], [b, m, h, d], view));
            let counts = lengths(&counts, &t[0].device());
            flatten(f(q, k, v, counts))
        })
    };
    (inputs, with)
}

/// A sample within its length has the bits of a sample that has no other keys, forward and backward, whatever lies after them.
#[test]
fn keys_after_the_length_change_no_bit() {
    let [n, m, h, d] = [130, 700, 2, 24];
    for count in [1, 9, 128, 600] {
        let (mut inputs, with) = lengthy([3, n, m, h, d], false, 3);
        let (y, grads) = run(&inputs, with(attention_within, [700, count, 700]));
        let token = h * d;
        let (of_q, of_k) = (n * token, m * token);
        let keys = count as usize * token;
        let alone: Vec<Vec<f32>> = [(0, of_q, of_q), (1, of_k, keys), (2, of_k, keys)]
            .map(|(i, sample, n)| inputs[i][sample..][..n].to_vec())
            .to_vec();
        let device = Device::flex().autodiff();
        let t: Vec<Tensor<1>> = alone
            .iter()
            .map(|v| flat(v, &device).require_grad())
            .collect();
        let [k, v] = [1, 2].map(|i| t[i].clone().reshape([1, count as usize, h, d]));
        let one = flatten(attention(t[0].clone().reshape([1, n, h, d]), k, v));
        assert!(bits(&values(one.clone())) == bits(&y[of_q..2 * of_q]));
        let dy = &numbers(3 * of_q, 99)[of_q..2 * of_q];
        let back = (one * flat(dy, &device)).sum().backward();
        for (i, (from, n)) in [(of_q, of_q), (of_k, keys), (of_k, keys)]
            .into_iter()
            .enumerate()
        {
            let own = values(t[i].grad(&back).expect("a gradient"));
            assert!(
                bits(&own) == bits(&grads[i][from..from + n]),
                "gradient {i} of {count} keys"
            );
        }
        for i in [1, 2] {
            let rest = &grads[i][of_k + keys..2 * of_k];
            assert!(rest.iter().all(|g| *g == 0.0));
            inputs[i][of_k + keys..2 * of_k].fill(f32::NAN);
        }
        let (spoiled, _) = run(&inputs, with(attention_within, [700, count, 700]));
        assert!(bits(&spoiled) == bits(&y), "what is not looked at matters");
    }
}

#[test]
#[should_panic(expected = "lengths must be from 1 to the 4 keys, got 5")]
fn lengths_beyond_the_keys_are_named() {
    let device = Device::flex();
    let of = || Tensor::<4>::zeros([2, 4, 1, 8], &device);
    attention_within(of(), of(), of(), lengths(&[4, 5], &device));
}
