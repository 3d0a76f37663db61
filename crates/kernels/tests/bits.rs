//! What must be the same to the bit: results under other thread counts, samples in other batches, and everything that
//! a non-finite value does not touch.

mod common;

use burn::tensor::{Device, Int, Tensor, TensorData};
use common::{bits, flat, numbers, run, values};
use fokker_kernels::{
    Activation, TokenNorm, attention, attention_within, conv2d, gated_add, gelu, gelu_erf,
    group_norm_silu, linear, linear_act, mlp, rotary, self_attention, silu, token_norm, upsample2x,
};

const BATCHES: [usize; 4] = [1, 5, 16, 33];

fn flatten<const D: usize>(t: Tensor<D>) -> Tensor<1> {
    let n = t.dims().iter().product::<usize>();
    t.reshape([n])
}

/// An operation on `[batch, ..]`: its name, the values of one sample, of the shared parameters and what it computes.
type Case = (
    &'static str,
    usize,
    Vec<usize>,
    Box<dyn Fn(usize, &[Tensor<1>]) -> Tensor<1> + Sync>,
);

fn cases() -> Vec<Case> {
    let mut all = plain_cases();
    all.extend(transformer(33, 2, 24));
    all.extend(transformer(200, 1, 16));
    all
}

fn plain_cases() -> Vec<Case> {
    let conv = |ci: usize, co: usize, n: usize, k: usize, s: usize| -> Case {
        let f = move |b: usize, t: &[Tensor<1>]| {
            let (x, w) = (
                t[0].clone().reshape([b, ci, n, n]),
                t[1].clone().reshape([co, ci, k, k]),
            );
            flatten(conv2d(x, w, Some(t[2].clone()), s, k / 2))
        };
        ("conv2d", ci * n * n, vec![co * ci * k * k, co], Box::new(f))
    };
    vec![
        conv(17, 40, 7, 3, 1),
        conv(3, 5, 9, 3, 2),
        conv(32, 32, 28, 3, 1),
        conv(8, 48, 5, 1, 1),
        (
            "linear",
            520,
            vec![520 * 40, 40],
            Box::new(|b, t| {
                flatten(linear(
                    t[0].clone().reshape([b, 520]),
                    t[1].clone().reshape([520, 40]),
                    Some(t[2].clone()),
                ))
            }),
        ),
        // Enough work for threads; the sample is one row, and then thirty.
        perceptron(1),
        perceptron(30),
        (
            "group_norm_silu",
            12 * 81,
            vec![12, 12],
            Box::new(|b, t| {
                let x = t[0].clone().reshape([b, 12, 9, 9]);
                flatten(group_norm_silu(
                    x,
                    t[1].clone(),
                    t[2].clone(),
                    3,
                    1e-5,
                    None,
                    true,
                ))
            }),
        ),
        ("silu", 9000, vec![], Box::new(|_, t| silu(t[0].clone()))),
        (
            "upsample2x",
            3 * 900,
            vec![],
            Box::new(|b, t| flatten(upsample2x(t[0].clone().reshape([b, 3, 30, 30])))),
        ),
    ]
}

/// What transformers are made of, a sample being `tokens` tokens of `heads` heads of `dim` and what belongs to them.
fn transformer(tokens: usize, heads: usize, dim: usize) -> Vec<Case> {
    let (n, h, d, w) = (tokens, heads, dim, heads * dim);
    vec![
        (
            "attention",
            3 * n * w,
            vec![],
            Box::new(move |b, t| {
                let x = t[0].clone().reshape([b, 3 * n, h, d]);
                let [q, k, v] = [0, 1, 2].map(|i| x.clone().narrow(1, i * n, n));
                flatten(attention(q, k.narrow(1, 1, n - 1), v.narrow(1, 1, n - 1)))
            }),
        ),
        (
            "attention_within",
            3 * n * w,
            vec![],
            Box::new(move |b, t| {
                let x = t[0].clone().reshape([b, 3 * n, h, d]);
                let [q, k, v] = [0, 1, 2].map(|i| x.clone().narrow(1, i * n, n));
                let lengths: Vec<i32> = (0..b).map(|i| ((7 * i + n / 2) % n + 1) as i32).collect();
                let lengths = TensorData::new(lengths, [b]);
                let lengths = Tensor::<1, Int>::from_data(lengths, &t[0].device());
                flatten(attention_within(q, k, v, lengths))
            }),
        ),
        (
            "rotary",
            n * w,
            vec![],
            Box::new(move |b, t| {
                let x = t[0].clone().reshape([b, n, h, d]);
                let angles = flat(&numbers(n * d / 2, 3), &t[0].device()).reshape([n, d / 2]);
                flatten(rotary(x, angles.clone().cos(), angles.sin()))
            }),
        ),
        (
            "self_attention",
            3 * n * w,
            vec![],
            Box::new(move |b, t| flatten(self_attention(t[0].clone().reshape([b, n, 3 * w]), h))),
        ),
        (
            "token_norm",
            (n + 2) * w,
            vec![w, w],
            Box::new(move |b, t| {
                let x = t[0].clone().reshape([b, n + 2, w]);
                let [scale, shift] =
                    [n, n + 1].map(|at| x.clone().narrow(1, at, 1).reshape([b, w]));
                let (gamma, beta) = (Some(t[1].clone()), Some(t[2].clone()));
                let x = x.narrow(1, 0, n);
                let kind = TokenNorm::Layer;
                flatten(token_norm(x, kind, gamma, beta, 1e-6, Some((scale, shift))))
            }),
        ),
        (
            "gated_add",
            (2 * n + 1) * w,
            vec![],
            Box::new(move |b, t| {
                let all = t[0].clone().reshape([b, 2 * n + 1, w]);
                let [x, h] = [0, n].map(|at| all.clone().narrow(1, at, n));
                flatten(gated_add(x, h, all.narrow(1, 2 * n, 1).reshape([b, w])))
            }),
        ),
        (
            "gelu",
            n * w,
            vec![],
            Box::new(|_, t| gelu(t[0].clone()) + gelu_erf(t[0].clone())),
        ),
        (
            "linear_act",
            n * w,
            vec![w * 40, 40],
            Box::new(move |b, t| {
                let (x, weight) = (t[0].clone().reshape([b, n, w]), t[1].clone());
                let weight = weight.reshape([w, 40]);
                flatten(linear_act(x, weight, Some(t[2].clone()), Activation::Gelu))
            }),
        ),
    ]
}

/// A perceptron on samples of `each` rows.
fn perceptron(each: usize) -> Case {
    let f = move |b: usize, t: &[Tensor<1>]| {
        let layer = |i: usize, k: usize, n: usize| (t[i].clone().reshape([k, n]), t[i + 1].clone());
        let layers = vec![layer(1, 5, 70), layer(3, 70, 64), layer(5, 64, 3)];
        flatten(mlp(t[0].clone().reshape([b * each, 5]), layers))
    };
    let parameters = vec![5 * 70, 70, 70 * 64, 64, 64 * 3, 3];
    ("mlp", 5 * each, parameters, Box::new(f))
}

fn inputs(case: &Case, batch: usize) -> Vec<Vec<f32>> {
    let mut all = vec![numbers(batch * case.1, 7)];
    all.extend(
        case.2
            .iter()
            .enumerate()
            .map(|(i, &n)| numbers(n, 11 + i as u64)),
    );
    all
}

#[test]
fn threads_do_not_change_a_bit() {
    for case in cases() {
        let inputs = inputs(&case, 17);
        let results: Vec<_> = [1, 2, 7]
            .map(|threads| {
                let pool = rayon::ThreadPoolBuilder::new()
                    .num_threads(threads)
                    .build()
                    .expect("a thread pool");
                let (y, grads) = pool.install(|| run(&inputs, |t| case.3(17, t)));
                (bits(&y), grads.iter().map(|g| bits(g)).collect::<Vec<_>>())
            })
            .into();
        assert!(
            results[0] == results[1] && results[0] == results[2],
            "{}",
            case.0
        );
    }
}

#[test]
fn the_batch_does_not_change_a_sample() {
    for case in cases() {
        let mut seen: Vec<[Vec<u32>; 2]> = Vec::new();
        for batch in BATCHES {
            let inputs = inputs(&case, batch);
            let device = Device::flex().autodiff();
            let leaves: Vec<Tensor<1>> = inputs
                .iter()
                .map(|v| flat(v, &device).require_grad())
                .collect();
            let y = case.3(batch, &leaves);
            let len = y.dims()[0] / batch;
            // The same gradient at the first samples' outputs in every batch.
            let grads = (y.clone() * flat(&numbers(len * batch, 5), &device))
                .sum()
                .backward();
            let dx = leaves[0].grad(&grads).expect("a gradient at x");
            let first = |t: Tensor<1>, each: usize| bits(&values(t)[..each]);
            seen.push([first(y, len), first(dx, case.1)]);
        }
        assert!(seen.windows(2).all(|w| w[0] == w[1]), "{}", case.0);
    }
}

/// The outputs that differ in any bit between two runs.
fn changed(a: &[f32], b: &[f32]) -> Vec<usize> {
    (0..a.len())
        .filter(|&i| a[i].to_bits() != b[i].to_bits())
        .collect()
}

#[test]
fn a_pixel_that_is_not_finite_touches_only_its_neighbours() {
    let (b, ci, co, n) = (2, 5, 17, 7);
    let device = Device::flex();
    let w = flat(&numbers(co * ci * 9, 2), &device).reshape([co, ci, 3, 3]);
    for stride in [1, 2] {
        for bad in [f32::NAN, f32::INFINITY] {
            let run = |x: &[f32]| {
                values(conv2d(
                    flat(x, &device).reshape([b, ci, n, n]),
                    w.clone(),
                    None,
                    stride,
                    1,
                ))
            };
            let x = numbers(b * ci * n * n, 1);
            let (mut y, mut x2) = (run(&x), x.clone());
            let (row, col) = (3, 6);
            x2[(ci + 2) * n * n + row * n + col] = bad;
            let m = n.div_ceil(stride);
            for i in changed(&run(&x2), &y) {
                let (img, u, v) = (i / (co * m * m), i % (m * m) / m * stride, i % m * stride);
                assert!(
                    img == 1 && u.abs_diff(row) <= 1 && v.abs_diff(col) <= 1,
                    "output {i} of image {img}"
                );
                y[i] = 0.0;
            }
        }
    }
}

/// Winograd's form works on tiles of 4×4 outputs and the 6×6 pixels that they see.
#[test]
fn a_pixel_that_is_not_finite_touches_only_the_tiles_that_see_it() {
    let (b, c, n) = (2, 16, 16);
    let device = Device::flex();
    let w = flat(&numbers(c * c * 9, 2), &device).reshape([c, c, 3, 3]);
    let run = |x: &[f32]| {
        values(conv2d(
            flat(x, &device).reshape([b, c, n, n]),
            w.clone(),
            None,
            1,
            1,
        ))
    };
    let x = numbers(b * c * n * n, 1);
    let y = run(&x);
    for bad in [f32::NAN, f32::INFINITY] {
        // Row 4 is seen by the tiles of rows 0–3 and 4–7; column 9 by those of columns 8–11 alone.
        let (row, col) = (4, 9);
        let mut x = x.clone();
        x[(c + 2) * n * n + row * n + col] = bad;
        let spoilt = changed(&run(&x), &y);
        assert!(!spoilt.is_empty());
        for i in spoilt {
            let (img, u, v) = (i / (c * n * n), i % (n * n) / n, i % n);
            assert!(
                img == 1 && u < 8 && (8..12).contains(&v),
                "{u}, {v} of {img}"
            );
        }
    }
}

#[test]
fn a_gradient_that_is_not_finite_stays_in_its_channel() {
    for ci in [5, 16] {
        stays_in_its_channel(ci);
    }
}

/// Of the weight's gradient; the input's stays near, in tiles where there are 16 channels.
fn stays_in_its_channel(ci: usize) {
    let (b, co, n) = (2, 17, 7);
    let device = Device::flex().autodiff();
    let run = |bad: Option<f32>| {
        let x = flat(&numbers(b * ci * n * n, 1), &device).require_grad();
        let w = flat(&numbers(co * ci * 9, 2), &device).require_grad();
        let y = conv2d(
            x.clone().reshape([b, ci, n, n]),
            w.clone().reshape([co, ci, 3, 3]),
            None,
            1,
            1,
        );
        let mut dy = numbers(b * co * n * n, 3);
        if let Some(bad) = bad {
            dy[(co + 4) * n * n + 2 * n + 1] = bad;
        }
        let grads = (flatten(y) * flat(&dy, &device)).sum().backward();
        (
            values(x.grad(&grads).expect("dx")),
            values(w.grad(&grads).expect("dw")),
        )
    };
    let (dx, dw) = run(None);
    for bad in [f32::NAN, f32::INFINITY] {
        let (dx2, dw2) = run(Some(bad));
        for i in changed(&dw2, &dw) {
            assert_eq!(i / (ci * 9), 4, "dw {i}");
        }
        for i in changed(&dx2, &dx) {
            let (img, u, v) = (i / (ci * n * n), i % (n * n) / n, i % n);
            let near = u.abs_diff(2) <= 1 && v.abs_diff(1) <= 1;
            assert!(img == 1 && (near || ci == 16 && u < 4 && v < 4), "dx {i}");
        }
    }
}

#[test]
fn a_row_that_is_not_finite_stays_in_its_row() {
    let device = Device::flex();
    let w = flat(&numbers(30 * 20, 2), &device).reshape([30, 20]);
    let run = |x: &[f32]| values(linear(flat(x, &device).reshape([9, 30]), w.clone(), None));
    let x = numbers(9 * 30, 1);
    let mut x2 = x.clone();
    x2[4 * 30 + 3] = f32::NAN;
    let rows: Vec<usize> = changed(&run(&x2), &run(&x))
        .iter()
        .map(|i| i / 20)
        .collect();
    assert_eq!(rows, vec![4; 20]);
}
