//! Batch normalisation and bilinear doubling: against plain burn, against their definitions, and on any number of threads.

mod common;

use burn::tensor::{Device, Tensor};
use common::{agree, bits, error, flat, numbers, run, values};
use fokker_kernels::{SiluAt, batch_norm, batch_norm_train, bilinear2x, reference};

const SHAPES: [[usize; 4]; 6] = [
    [1, 1, 1, 1],
    [2, 3, 4, 5],
    [5, 2, 7, 9],
    [3, 8, 16, 16],
    [64, 3, 3, 3],
    [2, 1, 33, 31],
];

/// x, shift, gamma and beta; gamma about one, so that gradients do not vanish.
fn inputs([b, c, h, w]: [usize; 4]) -> Vec<Vec<f32>> {
    let gamma = numbers(c, 3).iter().map(|v| 1.0 + 0.5 * v).collect();
    let x = numbers(b * c * h * w, 1)
        .iter()
        .map(|v| 2.0 * v + 0.3)
        .collect();
    vec![x, numbers(b * c, 2), gamma, numbers(c, 4)]
}

#[test]
fn batch_norm_agrees_in_training() {
    for shape @ [b, c, h, w] in SHAPES {
        if b * h * w == 1 {
            continue; // one value has no variance: nothing but rounding is left of it
        }
        for silu in [SiluAt::Before, SiluAt::After] {
            let parts = |t: &[Tensor<1>]| {
                let [x, shift, gamma, beta] = [0, 1, 2, 3].map(|i| t[i].clone());
                (x.reshape(shape), shift.reshape([b, c]), gamma, beta)
            };
            agree(
                &format!("{shape:?} {silu:?}"),
                &inputs(shape),
                |t| {
                    let (x, shift, gamma, beta) = parts(t);
                    batch_norm_train(x, Some(shift), gamma, beta, 1e-5, silu)
                        .0
                        .reshape([b * c * h * w])
                },
                |t| {
                    let (x, shift, gamma, beta) = parts(t);
                    let y = reference::batch_norm_train(x, Some(shift), gamma, beta, 1e-5, silu).0;
                    y.reshape([b * c * h * w])
                },
            );
        }
    }
}

#[test]
fn batch_norm_agrees_in_inference() {
    for shape @ [b, c, h, w] in SHAPES {
        for silu in [SiluAt::Before, SiluAt::After] {
            let device = Device::flex().autodiff();
            let mean = flat(&numbers(c, 5), &device);
            let var = flat(&numbers(c, 6), &device).abs();
            type Norm = fn(
                Tensor<4>,
                Option<Tensor<2>>,
                Tensor<1>,
                Tensor<1>,
                Tensor<1>,
                Tensor<1>,
                f64,
                SiluAt,
            ) -> Tensor<4>;
            let with = |norm: Norm| {
                let (mean, var) = (mean.clone(), var.clone());
                move |t: &[Tensor<1>]| {
                    let shift = Some(t[1].clone().reshape([b, c]));
                    let (x, gamma, beta) =
                        (t[0].clone().reshape(shape), t[2].clone(), t[3].clone());
                    let y = norm(x, shift, gamma, beta, mean.clone(), var.clone(), 1e-3, silu);
                    y.reshape([b * c * h * w])
                }
            };
            let what = format!("{shape:?} {silu:?}");
            agree(
                &what,
                &inputs(shape),
                with(batch_norm),
                with(reference::batch_norm),
            );
        }
    }
}

/// The statistics in f64, also far from zero, where squares minus the squared mean would lose everything.
#[test]
fn statistics_are_those_of_the_batch() {
    let (b, c, n) = (7, 3, 35);
    let device = Device::flex();
    for offset in [0.0, 1000.0] {
        let x: Vec<f32> = numbers(b * c * n, 8).iter().map(|v| v + offset).collect();
        let ones = Tensor::ones([c], &device);
        let t = flat(&x, &device).reshape([b, c, 5, 7]);
        let (_, mean, var) = batch_norm_train(t, None, ones.clone(), ones, 1e-5, SiluAt::After);
        let (mean, var) = (values(mean), values(var));
        for k in 0..c {
            let of_k = || {
                (0..b)
                    .flat_map(|i| &x[(i * c + k) * n..][..n])
                    .map(|&v| f64::from(v))
            };
            let count = (b * n) as f64;
            let m = of_k().sum::<f64>() / count;
            let v = of_k().map(|x| (x - m).powi(2)).sum::<f64>() / count;
            assert!((f64::from(mean[k]) - m).abs() < 1e-6 * (1.0 + m.abs()));
            assert!(
                (f64::from(var[k]) / v - 1.0).abs() < 2e-4,
                "{} and {v}",
                var[k]
            );
        }
    }
}

#[test]
fn bilinear_agrees() {
    for shape @ [b, c, h, w] in SHAPES {
        let n = b * c * h * w;
        agree(
            &format!("{shape:?}"),
            &[numbers(n, 1)],
            |t| bilinear2x(t[0].clone().reshape(shape)).reshape([4 * n]),
            |t| reference::bilinear2x(t[0].clone().reshape(shape)).reshape([4 * n]),
        );
    }
}

/// Four values by hand, corners kept; and a plane stays a plane inside.
#[test]
fn bilinear_is_its_definition() {
    let device = Device::flex();
    let x = flat(&[0.0, 4.0, 8.0, 12.0], &device).reshape([1, 1, 2, 2]);
    let want = [
        0.0, 1.0, 3.0, 4.0, 2.0, 3.0, 5.0, 6.0, 6.0, 7.0, 9.0, 10.0, 8.0, 9.0, 11.0, 12.0,
    ];
    assert_eq!(values(bilinear2x(x)), want);
    let plane = |i: f32, j: f32| 0.5 + 2.0 * i - 3.0 * j;
    let x: Vec<f32> = (0..30)
        .map(|k| plane((k / 6) as f32, (k % 6) as f32))
        .collect();
    let y = values(bilinear2x(flat(&x, &device).reshape([1, 1, 5, 6])));
    for i in 1..9 {
        for j in 1..11 {
            let want = plane((i as f32 - 0.5) / 2.0, (j as f32 - 0.5) / 2.0);
            assert!((y[i * 12 + j] - want).abs() < 1e-4);
        }
    }
}

#[test]
fn bits_do_not_depend_on_threads_or_company() {
    let shape @ [b, c, h, w] = [9, 4, 12, 12];
    let work = || {
        run(&inputs(shape), |t| {
            let shift = Some(t[1].clone().reshape([b, c]));
            let x = t[0].clone().reshape(shape);
            let (y, ..) =
                batch_norm_train(x, shift, t[2].clone(), t[3].clone(), 1e-5, SiluAt::Before);
            bilinear2x(y).reshape([4 * b * c * h * w])
        })
    };
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.expect("a pool").install(work)
    };
    let (y, grads) = on(1);
    for threads in [2, 3, 7] {
        let (other, other_grads) = on(threads);
        assert!(bits(&y) == bits(&other), "{threads} threads");
        for (a, b) in grads.iter().zip(&other_grads) {
            assert!(bits(a) == bits(b), "{threads} threads: a gradient");
        }
    }
    let device = Device::flex();
    let all = inputs(shape);
    let given = |rows: usize| {
        let x = flat(&all[0][..rows * c * h * w], &device).reshape([rows, c, h, w]);
        let shift = flat(&all[1][..rows * c], &device).reshape([rows, c]);
        let [gamma, beta] = [2, 3].map(|i| flat(&all[i], &device));
        let (mean, var) = (beta.clone(), gamma.clone());
        let y = batch_norm(x, Some(shift), gamma, beta, mean, var, 1e-5, SiluAt::After);
        values(bilinear2x(y))
    };
    let (one, nine) = (given(1), given(9));
    assert!(
        bits(&one) == bits(&nine[..one.len()]),
        "off by {}",
        error(&one, &nine[..one.len()])
    );
}
