use proptest::prelude::*;

use super::*;

fn moments(mean: &[f64], covariance: &[f64]) -> Moments {
    Moments {
        mean: mean.to_vec(),
        covariance: covariance.to_vec(),
        count: 100,
    }
}

fn centred(dim: usize, covariance: &[f64]) -> Moments {
    moments(&vec![0.0; dim], covariance)
}

fn diagonal(sigmas: &[f64]) -> Moments {
    let d = sigmas.len();
    let mut covariance = vec![0.0; d * d];
    for (i, sigma) in sigmas.iter().enumerate() {
        covariance[i * d + i] = sigma * sigma;
    }
    centred(d, &covariance)
}

/// BBᵀ of a B with rows of `columns` numbers.
fn gram(b: &[f64], columns: usize) -> Vec<f64> {
    let rows = || b.chunks_exact(columns);
    rows()
        .flat_map(|x| rows().map(move |y| x.iter().zip(y).map(|(x, y)| x * y).sum()))
        .collect()
}

/// The same moments after the reflection I − 2vvᵀ/vᵀv of space.
fn reflected(m: &Moments, v: &[f64]) -> Moments {
    let d = v.len();
    let square: f64 = v.iter().map(|v| v * v).sum();
    let reflect = |x: &[f64]| -> Vec<f64> {
        let factor = 2.0 * x.iter().zip(v).map(|(x, v)| x * v).sum::<f64>() / square;
        x.iter().zip(v).map(|(x, v)| x - factor * v).collect()
    };
    let rows = |c: &[f64]| -> Vec<f64> { c.chunks_exact(d).flat_map(&reflect).collect() };
    let transposed = |c: &[f64]| -> Vec<f64> { (0..d * d).map(|e| c[e % d * d + e / d]).collect() };
    moments(&reflect(&m.mean), &rows(&transposed(&rows(&m.covariance))))
}

/// Pseudo-random points on a grid, exact in single precision.
fn points(n: usize, dim: usize, a: usize, b: usize) -> Vec<f32> {
    (0..n * dim)
        .map(|i| (i * a % b) as f32 / 8.0 - 2.0)
        .collect()
}

#[track_caller]
fn close(found: f64, exact: f64, error: f64) {
    assert!((found - exact).abs() <= error, "{found} {exact}");
}

/// The definition, entry by entry; more points and dimensions than a task takes.
#[test]
fn moments_by_their_definition() {
    for (n, dim) in [(2, 1), (40, 5), (600, 3), (300, 70)] {
        let values = points(n, dim, 377, 1009);
        let found = Moments::of(&values, dim).unwrap();
        assert_eq!(found.count, n as u64);
        let x = |k: usize, i: usize| f64::from(values[k * dim + i]);
        let mean: Vec<f64> = (0..dim)
            .map(|i| (0..n).map(|k| x(k, i)).sum::<f64>() / n as f64)
            .collect();
        for i in 0..dim {
            close(found.mean[i], mean[i], 1e-12);
            for j in 0..dim {
                let sum: f64 = (0..n)
                    .map(|k| (x(k, i) - mean[i]) * (x(k, j) - mean[j]))
                    .sum();
                let covariance = found.covariance[i * dim + j];
                close(covariance, sum / (n - 1) as f64, 1e-9);
                assert_eq!(covariance, found.covariance[j * dim + i]);
            }
        }
    }
}

/// `numpy.mean`, `numpy.cov` and, with `scipy.linalg.sqrtm` of C₁C₂, the distance of two sets of points, and the
/// distance of two small covariances.
#[test]
fn numpy_and_scipy_agree() {
    let a = Moments::of(&points(40, 5, 37, 41), 5).unwrap();
    let b = Moments::of(&points(30, 5, 29, 43), 5).unwrap();
    let row = [2.29967949, 1.08413462, 0.13141026, -0.55849359, -0.98557692];
    for (i, (mean, entry)) in [0.5, 0.5125, 0.525, 0.5375, 0.55]
        .into_iter()
        .zip(row)
        .enumerate()
    {
        close(a.mean[i], mean, 1e-14);
        close(a.covariance[i], entry, 5e-9);
    }
    close(frechet(&a, &b).unwrap(), 6.364429634549665, 1e-11);
    let a = moments(
        &[1.0, 2.0, 3.0],
        &[5.0, 2.0, 1.0, 2.0, 10.0, 3.0, 1.0, 3.0, 2.0],
    );
    let b = moments(
        &[0.0, 2.5, -1.0],
        &[2.0, 1.0, -3.0, 1.0, 6.0, 5.0, -3.0, 5.0, 13.0],
    );
    close(frechet(&a, &b).unwrap(), 25.92797315039849, 1e-12);
}

/// Σ(σ₁ − σ₂)² where the covariances commute, zeros included.
#[test]
fn commuting_covariances() {
    let (a, b) = ([3.0, 1.0, 0.0, 1e-4, 0.0], [1.0, 1.5, 2.0, 2e-4, 0.0]);
    let exact: f64 = a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum();
    let v = [1.0, -2.0, 0.5, 3.0, 1.0];
    let (a, b) = (diagonal(&a), diagonal(&b));
    close(frechet(&a, &b).unwrap(), exact, 1e-13);
    close(
        frechet(&reflected(&a, &v), &reflected(&b, &v)).unwrap(),
        exact,
        1e-12,
    );
}

/// For 2 × 2, Tr(M^{1/2}) = √(Tr M + 2√(det M)).
#[test]
fn two_by_two() {
    let (a, b) = ([2.0, 0.5, 0.5, 1.0], [1.0, -0.8, -0.8, 3.0]);
    let trace = 2.0 * 1.0 + 2.0 * 0.5 * -0.8 + 1.0 * 3.0;
    let determinant = (2.0 - 0.25) * (3.0 - 0.64);
    let exact = 7.0 - 2.0 * f64::sqrt(trace + 2.0 * f64::sqrt(determinant));
    close(
        frechet(&centred(2, &a), &centred(2, &b)).unwrap(),
        exact,
        1e-14,
    );
}

/// Laws on two lines at an angle: σ₁² + σ₂² − 2σ₁σ₂|cos|.
#[test]
fn laws_on_lines() {
    let along = |x: [f64; 3]| centred(3, &gram(&x, 1));
    let a = along([3.0, 0.0, 4.0]);
    close(frechet(&a, &along([0.0, 2.0, 0.0])).unwrap(), 29.0, 1e-13);
    close(frechet(&a, &along([6.0, 0.0, 8.0])).unwrap(), 25.0, 1e-13);
    let exact = 25.0 + 4.0 - 2.0 * 5.0 * 2.0 * 0.6;
    close(frechet(&a, &along([-2.0, 0.0, 0.0])).unwrap(), exact, 1e-13);
}

/// Fewer points than dimensions: the distance to a shift is its length, to a multiple (s − 1)² of the trace about
/// the mean. No square root of a rounding error of 1e-16 is in it.
#[test]
fn fewer_points_than_dimensions() {
    let dim = 60;
    let values = points(7, dim, 377, 1009);
    let map = |f: &dyn Fn(f32) -> f32| values.iter().map(|&x| f(x)).collect::<Vec<f32>>();
    let a = Moments::of(&values, dim).unwrap();
    let shifted = Moments::of(&map(&|x| x + 0.5), dim).unwrap();
    let thrice = Moments::of(&map(&|x| 3.0 * x), dim).unwrap();
    let trace: f64 = a.covariance.iter().step_by(dim + 1).sum();
    let square: f64 = a.mean.iter().map(|m| m * m).sum();
    assert!(trace > 1000.0);
    close(frechet(&a, &a).unwrap(), 0.0, 1e-12 * trace);
    close(frechet(&a, &shifted).unwrap(), 15.0, 1e-12 * trace);
    close(
        frechet(&a, &thrice).unwrap(),
        4.0 * (square + trace),
        1e-10 * trace,
    );
    let other = Moments::of(&points(5, dim, 523, 1013), dim).unwrap();
    let (there, back) = (frechet(&a, &other).unwrap(), frechet(&other, &a).unwrap());
    assert!(there.is_finite() && there > 0.0);
    close(there, back, 1e-11 * trace);
    // One constant set: the other's second moment.
    let constant = Moments::of(&vec![0.0; 3 * dim], dim).unwrap();
    close(
        frechet(&a, &constant).unwrap(),
        square + trace,
        1e-12 * trace,
    );
    assert_eq!(frechet(&constant, &constant).unwrap(), 0.0);
}

#[test]
fn what_is_no_set_of_points_is_refused() {
    for (values, dim) in [
        (vec![], 2),
        (vec![0.0; 2], 2),
        (vec![0.0; 5], 2),
        (vec![0.0; 4], 0),
    ] {
        let message = Moments::of(&values, dim).unwrap_err().to_string();
        assert!(message.contains("two points or more"), "{message}");
    }
    let message = Moments::of(&[0.0, 1.0, f32::NAN, 2.0], 2)
        .unwrap_err()
        .to_string();
    assert!(message.contains("value 2 is NaN"), "{message}");
}

#[test]
fn what_is_no_covariance_is_refused() {
    let good = diagonal(&[1.0, 2.0]);
    for (bad, word) in [
        (diagonal(&[1.0]), "same dimension"),
        (moments(&[0.0; 2], &[1.0; 3]), "d × d"),
        (moments(&[0.0; 2], &[1.0, 2.0, 2.0, 1.0]), "semi-definite"),
        (moments(&[0.0; 2], &[-1.0, 0.0, 0.0, 1.0]), "semi-definite"),
        (moments(&[0.0; 2], &[1.0, 0.5, 0.4, 1.0]), "symmetric"),
        (
            moments(&[0.0; 2], &[1.0, f64::NAN, 0.0, 1.0]),
            "value 1 is NaN",
        ),
        (
            moments(&[f64::INFINITY, 0.0], &[1.0, 0.0, 0.0, 1.0]),
            "value 0 is inf",
        ),
    ] {
        for result in [frechet(&good, &bad), frechet(&bad, &good)] {
            let message = result.unwrap_err().to_string();
            assert!(message.contains(word), "{message}");
        }
    }
    let none = moments(&[], &[]);
    assert!(frechet(&none, &none).is_err());
}

fn any_moments(dim: usize) -> impl Strategy<Value = Moments> {
    // Ranks from 1 to dim + 1.
    (
        1..dim + 2,
        prop::collection::vec(-2.0..2.0f64, dim * (dim + 2)),
    )
        .prop_map(move |(rank, x)| {
            let (mean, b) = x.split_at(dim);
            moments(mean, &gram(&b[..dim * rank], rank))
        })
}

proptest! {
    #[test]
    fn laws_of_a_distance(
        a in any_moments(6),
        b in any_moments(6),
        c in any_moments(6),
        v in prop::collection::vec(0.1..1.0f64, 6),
    ) {
        let d = |a, b| frechet(a, b).unwrap();
        let scale: f64 = [&a, &b, &c].into_iter().flat_map(|m| m.covariance.iter().step_by(7)).sum();
        let error = 1e-12 * (1.0 + scale);
        prop_assert!(d(&a, &a) <= error);
        prop_assert!((d(&a, &b) - d(&b, &a)).abs() <= error);
        let turned = frechet(&reflected(&a, &v), &reflected(&b, &v)).unwrap();
        prop_assert!((d(&a, &b) - turned).abs() <= 10.0 * error, "{} {turned}", d(&a, &b));
        let [ab, bc, ac] = [d(&a, &b), d(&b, &c), d(&a, &c)].map(f64::sqrt);
        prop_assert!(ac <= ab + bc + error.sqrt());
    }
}
