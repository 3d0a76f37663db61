use proptest::prelude::*;

use super::*;

const METHODS: [Method; 4] = [
    Method::Independent,
    Method::Optimal,
    Method::Entropic {
        epsilon: Strength::Relative(0.05),
    },
    Method::Unbalanced {
        epsilon: Strength::Relative(0.05),
        rho: Strength::Relative(1.0),
    },
];

fn coupling(method: Method, class_aware: bool) -> Coupling {
    Coupling {
        method,
        class_aware,
    }
}

fn total(batch: &Batch<'_>, pairs: &[(usize, usize)]) -> f64 {
    let point = |x: &[f32], row: usize| x[row * batch.dim..(row + 1) * batch.dim].to_vec();
    let squares = pairs.iter().flat_map(|&(i, j)| {
        let differences = point(batch.x0, i).into_iter().zip(point(batch.x1, j));
        differences
            .map(|(a, b)| f64::from(a - b).powi(2))
            .collect::<Vec<_>>()
    });
    squares.sum()
}

fn is_permutation(rows: impl Iterator<Item = usize>, n: usize) -> bool {
    let mut rows: Vec<usize> = rows.collect();
    rows.sort_unstable();
    rows.into_iter().eq(0..n)
}

const N: usize = 24;

fn points() -> impl Strategy<Value = Vec<f32>> {
    proptest::collection::vec(-3.0..3.0f32, 2 * N)
}

fn uniforms() -> impl Strategy<Value = Vec<f64>> {
    proptest::collection::vec(0.0..1.0f64, N)
}

fn labels() -> impl Strategy<Value = Vec<u32>> {
    proptest::collection::vec(0..4u32, N)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn data_keeps_its_place(x0 in points(), x1 in points(), u in uniforms()) {
        let batch = Batch { x0: &x0, x1: &x1, dim: 2, labels0: None, labels1: None };
        for method in METHODS {
            let pairs = coupling(method, false).pair(&batch, &u).unwrap().indices;
            prop_assert_eq!(pairs.len(), N);
            if !matches!(method, Method::Unbalanced { .. }) {
                prop_assert!(pairs.iter().map(|p| p.1).eq(0..N));
            }
            if matches!(method, Method::Independent | Method::Optimal) {
                prop_assert!(is_permutation(pairs.iter().map(|p| p.0), N));
            }
        }
        let identity = coupling(Method::Independent, false).pair(&batch, &[]).unwrap().indices;
        prop_assert!(identity.iter().copied().eq((0..N).map(|i| (i, i))));
        let optimal = coupling(Method::Optimal, false).pair(&batch, &[]).unwrap().indices;
        for shift in 0..N {
            let other: Vec<_> = (0..N).map(|j| ((j + shift) % N, j)).collect();
            prop_assert!(total(&batch, &optimal) <= total(&batch, &other) + 1e-9);
        }
    }

    #[test]
    fn noise_stays_with_its_class(x0 in points(), x1 in points(), u in uniforms(), y in labels()) {
        let batch = Batch { x0: &x0, x1: &x1, dim: 2, labels0: None, labels1: Some(&y) };
        for method in METHODS {
            let pairs = coupling(method, true).pair(&batch, &u).unwrap().indices;
            for (k, &(i, j)) in pairs.iter().enumerate() {
                prop_assert_eq!((y[i], y[j]), (y[k], y[k]), "{:?}: pair {}", method, k);
            }
            // Permutations within classes: each class has exactly its own noise.
            if matches!(method, Method::Independent | Method::Optimal) {
                prop_assert!(is_permutation(pairs.iter().map(|p| p.0), N));
            }
        }
    }

    #[test]
    fn equal_labels_meet(
        x0 in points(), x1 in points(), u in uniforms(),
        y0 in labels().prop_shuffle(), turn in 0..N,
    ) {
        // The same labels in another order, as a sampler of equal classes gives them.
        let y1: Vec<u32> = (0..N).map(|i| y0[(i + turn) % N]).collect();
        let batch = Batch { x0: &x0, x1: &x1, dim: 2, labels0: Some(&y0), labels1: Some(&y1) };
        for method in METHODS {
            let pairs = coupling(method, true).pair(&batch, &u).unwrap().indices;
            for (k, &(i, j)) in pairs.iter().enumerate() {
                prop_assert_eq!((y0[i], y1[j]), (y1[k], y1[k]));
            }
        }
    }

    #[test]
    fn one_class_is_no_class(x0 in points(), x1 in points(), u in uniforms()) {
        let y = [7; N];
        let batch = Batch { x0: &x0, x1: &x1, dim: 2, labels0: None, labels1: Some(&y) };
        for method in METHODS {
            let [with, without] = [true, false].map(|c| coupling(method, c).pair(&batch, &u).unwrap());
            prop_assert_eq!(with, without);
        }
    }
}

fn line(values: &[f32]) -> Batch<'_> {
    Batch {
        x0: values,
        x1: values,
        dim: 1,
        labels0: None,
        labels1: None,
    }
}

/// With a small ε the draws are those of exact transport whatever the uniforms, with a large one they
/// are uniform: row ⌊un⌋.
#[test]
fn entropic_limits() {
    let values: Vec<f32> = (0..10).map(|i| i as f32).collect();
    let batch = line(&values);
    let u: Vec<f64> = (0..10)
        .map(|i| 0.05 + 0.1 * f64::from(i * 7 % 10))
        .collect();
    let draw = |epsilon| {
        coupling(Method::Entropic { epsilon }, false)
            .pair(&batch, &u)
            .unwrap()
    };
    let exact = draw(Strength::Absolute(0.01));
    assert!(
        exact.indices.iter().all(|(i, j)| i == j) && exact.error <= 1e-3,
        "{exact:?}"
    );
    let independent = draw(Strength::Relative(1e6)).indices;
    assert!(
        independent
            .iter()
            .zip(&u)
            .all(|(&(i, _), u)| i == (u * 10.0) as usize)
    );
}

/// The frequencies of a pair are the plan's, here for two points each in closed form.
#[test]
fn draws_follow_the_plan() {
    let batch = line(&[0.0, 1.0]);
    let method = Method::Entropic {
        epsilon: Strength::Absolute(0.5),
    };
    let off = 1.0 / (1.0 + f64::exp(1.0 / 0.5));
    let draws = 2000;
    let crossed = (0..draws)
        .map(|k| {
            let u = [(f64::from(k) + 0.5) / f64::from(draws), 0.5];
            coupling(method, false).pair(&batch, &u).unwrap().indices[0].0
        })
        .filter(|&i| i == 1)
        .count();
    assert!(
        (crossed as f64 / f64::from(draws) - off).abs() < 1e-3,
        "{crossed} {off}"
    );
}

#[test]
fn the_unbalanced_coupling_drops_outliers() {
    let x0: Vec<f32> = (0..16).map(|i| i as f32 * 0.1).collect();
    let mut x1 = x0.clone();
    x1[3] = 50.0;
    let batch = Batch {
        x1: &x1,
        ..line(&x0)
    };
    let u: Vec<f64> = (0..16).map(|i| (f64::from(i) + 0.5) / 16.0).collect();
    let method = Method::Unbalanced {
        epsilon: Strength::Absolute(0.05),
        rho: Strength::Absolute(1.0),
    };
    let pairs = coupling(method, false).pair(&batch, &u).unwrap();
    assert!(pairs.indices.iter().all(|&(_, j)| j != 3), "{pairs:?}");
    // The optimal coupling has to carry it.
    let optimal = coupling(Method::Optimal, false).pair(&batch, &[]).unwrap();
    assert!(optimal.indices.iter().any(|&(_, j)| j == 3));
}

#[test]
fn relative_strength_has_no_unit() {
    let x0: Vec<f32> = (0..20).map(|i| (i as f32 * 1.3).sin()).collect();
    let x1: Vec<f32> = (0..20).map(|i| (i as f32 * 0.7).cos()).collect();
    let u: Vec<f64> = (0..20).map(|i| f64::from(i) / 20.0).collect();
    let larger = |x: &[f32]| x.iter().map(|x| 64.0 * x).collect::<Vec<_>>();
    let (y0, y1) = (larger(&x0), larger(&x1));
    for method in METHODS {
        let [a, b] = [(&x0, &x1), (&y0, &y1)].map(|(x0, x1)| {
            coupling(method, false)
                .pair(
                    &Batch {
                        x0,
                        x1,
                        ..line(&[])
                    },
                    &u,
                )
                .unwrap()
        });
        assert_eq!(a.indices, b.indices, "{method:?}");
    }
}

#[test]
fn too_small_epsilon_still_draws_and_says_so() {
    let points = |k: f32| (0..400).map(|i| (i as f32 * k).sin()).collect::<Vec<_>>();
    let (x0, x1) = (points(12.9), points(7.1));
    let batch = Batch {
        x1: &x1,
        dim: 2,
        ..line(&x0)
    };
    let draw = |epsilon| {
        let method = Method::Entropic {
            epsilon: Strength::Relative(epsilon),
        };
        coupling(method, false).pair(&batch, &[0.5; 200]).unwrap()
    };
    let (small, usual) = (draw(5e-4), draw(0.05));
    assert!(
        small.error > 1e-3 && small.indices.len() == 200,
        "{}",
        small.error
    );
    assert!(usual.error <= 1e-3);
}

#[test]
fn coinciding_points_and_empty_batches() {
    for method in METHODS {
        let pairs = coupling(method, false)
            .pair(&line(&[2.0; 8]), &[0.5; 8])
            .unwrap();
        assert_eq!(pairs.indices.len(), 8);
        assert!(
            coupling(method, false)
                .pair(&line(&[]), &[])
                .unwrap()
                .indices
                .is_empty()
        );
    }
}

#[test]
fn bad_batches_are_refused() {
    let x = [0.0f32, 1.0, 2.0, 3.0];
    let batch = line(&x);
    let labels: &[u32] = &[0, 0, 1, 1];
    let optimal = coupling(Method::Optimal, true);
    let entropic = coupling(METHODS[2], true);
    let refuse = |c: Coupling, b: Batch<'_>, u: &[f64]| c.pair(&b, u).unwrap_err().to_string();
    let labelled = Batch {
        labels1: Some(labels),
        ..batch
    };
    for (found, part) in [
        (
            refuse(
                optimal,
                Batch {
                    x1: &x[..3],
                    ..batch
                },
                &[],
            ),
            "got 4 and 3 numbers",
        ),
        (
            refuse(optimal, Batch { dim: 3, ..batch }, &[]),
            "dimension 3",
        ),
        (
            refuse(optimal, Batch { dim: 0, ..batch }, &[]),
            "dimension 0",
        ),
        (refuse(optimal, batch, &[]), "needs the labels of x1"),
        (
            refuse(
                optimal,
                Batch {
                    labels1: Some(&[1]),
                    ..batch
                },
                &[],
            ),
            "x1 has 4 points but 1 labels",
        ),
        (
            refuse(
                optimal,
                Batch {
                    labels0: Some(&[0, 0, 0, 1]),
                    ..labelled
                },
                &[],
            ),
            "class 0 has 3 points in x0 and 2 in x1",
        ),
        (
            refuse(
                entropic,
                Batch {
                    labels0: Some(&[0, 0, 0, 0]),
                    ..labelled
                },
                &[0.5; 4],
            ),
            "class 1 has 0 points in x0 and 2 in x1",
        ),
        (
            refuse(entropic, labelled, &[0.5; 3]),
            "drawing 4 pairs takes as many uniform numbers, got 3",
        ),
        (
            refuse(
                optimal,
                Batch {
                    x0: &[0.0, f32::NAN, 0.0, 0.0],
                    ..labelled
                },
                &[],
            ),
            "row 0, column 1 must be finite",
        ),
    ] {
        assert!(found.contains(part), "{found:?} lacks {part:?}");
    }
    for (epsilon, rho) in [(0.0, 1.0), (1.0, 0.0), (1.0, 1e-6)] {
        let (epsilon, rho) = (Strength::Absolute(epsilon), Strength::Absolute(rho));
        let far = Batch {
            x1: &[100.0; 4],
            ..batch
        };
        assert!(
            coupling(Method::Unbalanced { epsilon, rho }, false)
                .pair(&far, &[0.5; 4])
                .is_err()
        );
    }
}
