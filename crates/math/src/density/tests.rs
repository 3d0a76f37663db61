use proptest::prelude::*;

use super::*;
use crate::mixture::GaussianMixture;

fn score(density: &dyn Density, x: &[f64]) -> Vec<f64> {
    let mut out = vec![f64::NAN; x.len()];
    density.score(x, &mut out);
    out
}

/// AAᵀ + I/4 is positive definite for any A.
fn spd(n: usize, a: &[f64]) -> Vec<f64> {
    (0..n * n)
        .map(|at| (at / n, at % n))
        .map(|(i, j)| {
            let product: f64 = (0..n).map(|k| a[i * n + k] * a[j * n + k]).sum();
            product + if i == j { 0.25 } else { 0.0 }
        })
        .collect()
}

fn gaussian(n: usize, numbers: &[f64]) -> Gaussian {
    Gaussian::new(&numbers[..n], &spd(n, &numbers[n..n + n * n])).unwrap()
}

fn mixture(n: usize, numbers: &[f64]) -> Mixture {
    let per = n + n * n;
    let components = [0, 1, 2].map(|k| gaussian(n, &numbers[k * per..]));
    Mixture::new(&[1.0, 0.3, 2.0], components.to_vec()).unwrap()
}

/// Dimension, numbers for three components, and a point.
fn parameters() -> impl Strategy<Value = (usize, Vec<f64>, Vec<f64>)> {
    (1usize..5).prop_flat_map(|n| {
        let numbers = proptest::collection::vec(-2.0..2.0, 3 * (n + n * n));
        (Just(n), numbers, proptest::collection::vec(-3.0..3.0, n))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn score_is_the_gradient((n, numbers, x) in parameters()) {
        let (gaussian, mixture) = (gaussian(n, &numbers), mixture(n, &numbers));
        for density in [&gaussian as &dyn Density, &mixture] {
            let score = score(density, &x);
            for i in 0..n {
                let at = |by: f64| {
                    let mut x = x.clone();
                    x[i] += by;
                    density.log_density(&x)
                };
                let h = 1e-3;
                let difference = (8.0 * (at(h) - at(-h)) - (at(2.0 * h) - at(-2.0 * h))) / (12.0 * h);
                prop_assert!((score[i] - difference).abs() < 1e-6 * (1.0 + difference.abs()));
            }
        }
    }

    /// y = Ax + b has the mean Aμ + b, the covariance AΣAᵀ, and ln p_y(y) = ln p_x(x) − ln|det A|;
    /// its score is A⁻ᵀ times that of x. A is triangular here, so that its determinant is plain.
    #[test]
    fn affine_equivariance((n, numbers, x) in parameters(), seed in 0.3..2.0f64) {
        let a: Vec<f64> = (0..n * n)
            .map(|at| (at / n, at % n))
            .map(|(i, j)| match i.cmp(&j) {
                std::cmp::Ordering::Less => 0.0,
                std::cmp::Ordering::Equal => seed + 0.2 * i as f64,
                std::cmp::Ordering::Greater => seed.sin() * (1 + i * j) as f64 * 0.3,
            })
            .collect();
        let b: Vec<f64> = (0..n).map(|i| seed * i as f64 - 1.0).collect();
        let times = |x: &[f64]| -> Vec<f64> {
            a.chunks(n).map(|row| row.iter().zip(x).map(|(a, x)| a * x).sum()).collect()
        };
        let moved = |x: &[f64]| -> Vec<f64> {
            times(x).iter().zip(&b).map(|(x, b)| x + b).collect()
        };
        let mapped = |g: &Gaussian| {
            let half: Vec<Vec<f64>> = g.covariance().chunks(n).map(times).collect(); // rows of ΣAᵀ
            let columns = |j: usize| half.iter().map(|row| row[j]).collect::<Vec<f64>>();
            let mut covariance = vec![0.0; n * n];
            for j in 0..n {
                for (i, value) in times(&columns(j)).into_iter().enumerate() {
                    covariance[i * n + j] = value;
                }
            }
            Gaussian::new(&moved(g.mean()), &covariance).unwrap()
        };
        let before = mixture(n, &numbers);
        let components = before.components().iter().map(mapped).collect();
        let after = Mixture::new(before.weights(), components).unwrap();
        let log_det: f64 = (0..n).map(|i| a[i * n + i].ln()).sum();
        let y = moved(&x);
        let expected = before.log_density(&x) - log_det;
        prop_assert!((after.log_density(&y) - expected).abs() < 1e-8 * (1.0 + expected.abs()));
        // Aᵀ score_y = score_x.
        let (sx, sy) = (score(&before, &x), score(&after, &y));
        for j in 0..n {
            let back: f64 = (0..n).map(|i| a[i * n + j] * sy[i]).sum();
            prop_assert!((back - sx[j]).abs() < 1e-6 * (1.0 + sx[j].abs()), "{back} {}", sx[j]);
        }
        let (mean, expected) = (after.mean(), moved(&before.mean()));
        prop_assert!(mean.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-10));
    }

    #[test]
    fn precision_inverts_the_covariance((n, numbers, _) in parameters()) {
        let gaussian = gaussian(n, &numbers);
        let (covariance, precision) = (gaussian.covariance(), gaussian.precision());
        for i in 0..n {
            for j in 0..n {
                let entry: f64 = (0..n).map(|k| covariance[i * n + k] * precision[k * n + j]).sum();
                let exact = f64::from(u8::from(i == j));
                prop_assert!((entry - exact).abs() < 1e-9, "{entry}");
            }
            let (mean, std) = gaussian.marginal(i);
            prop_assert_eq!(mean, gaussian.mean()[i]);
            prop_assert!((std * std - covariance[i * n + i]).abs() < 1e-12 * (1.0 + std * std));
        }
    }
}

/// The trapezoidal rule is exact up to rounding for functions that vanish at the ends like these.
#[test]
fn densities_integrate_to_one() {
    let h = 0.05;
    let ticks = || (-300..=300).map(|i| f64::from(i) * h);
    let line = mixture(1, &[0.3, 0.5, -2.0, 1.0, 1.5, -0.2]);
    let sum: f64 = ticks().map(|x| line.log_density(&[x]).exp()).sum();
    assert!((sum * h - 1.0).abs() < 1e-12, "{sum}");
    // … and its partial integral is the distribution function (Euler–Maclaurin: half the last term).
    let to = |end: f64| {
        let inside: f64 = ticks()
            .take_while(|x| *x < end - 0.5 * h)
            .map(|x| line.log_density(&[x]).exp())
            .sum();
        (inside + 0.5 * line.log_density(&[end]).exp()) * h
    };
    assert!((to(1.0) - line.marginal_cdf(0, 1.0)).abs() < 1e-3);

    let plane = mixture(
        2,
        &[
            0.3, 0.5, 1.0, -0.4, 0.3, 1.2, -2.0, 1.0, 0.5, 0.0, -1.0, 1.0, 1.5, -0.2, 1.0, 1.0,
            0.2, 0.1,
        ],
    );
    let (mut sum, mut moments) = (0.0, [0.0; 5]);
    let coarse = || (-120..=120).map(|i| f64::from(i) * 0.1);
    for x in coarse() {
        for y in coarse() {
            let p = plane.log_density(&[x, y]).exp() * 0.01;
            sum += p;
            let powers = [x, y, x * x, x * y, y * y];
            moments
                .iter_mut()
                .zip(powers)
                .for_each(|(m, power)| *m += p * power);
        }
    }
    assert!((sum - 1.0).abs() < 1e-10, "{sum}");
    let (mean, covariance) = (plane.mean(), plane.covariance());
    let [mx, my, mxx, mxy, myy] = moments;
    let expected = [mx, my, mxx - mx * mx, mxy - mx * my, myy - my * my];
    let stated = [
        mean[0],
        mean[1],
        covariance[0],
        covariance[1],
        covariance[3],
    ];
    assert!(
        expected
            .iter()
            .zip(&stated)
            .all(|(a, b)| (a - b).abs() < 1e-9),
        "{expected:?} {stated:?}"
    );
}

/// Sampling from a grid of quantiles instead of random numbers: the moments of the samples are
/// those of the distribution, to the grid's accuracy.
#[test]
fn samples_have_the_moments() {
    let plane = Mixture::new(
        &[1.0, 3.0],
        vec![
            Gaussian::new(&[1.0, -2.0], &[2.0, 0.6, 0.6, 0.5]).unwrap(),
            Gaussian::new(&[-1.0, 0.5], &[0.3, -0.2, -0.2, 1.0]).unwrap(),
        ],
    )
    .unwrap();
    assert_eq!((plane.dim(), plane.normals()), (2, 2));
    // ±√3 and 0 with weights 1/6, 2/3, 1/6: Gauss–Hermite, exact to degree 5.
    let nodes = [
        (-(3f64.sqrt()), 1.0 / 6.0),
        (0.0, 2.0 / 3.0),
        (3f64.sqrt(), 1.0 / 6.0),
    ];
    let mut moments = [0.0; 5];
    for u in 0..4 {
        for (a, wa) in nodes {
            for (b, wb) in nodes {
                let mut x = [0.0; 2];
                plane.sample((f64::from(u) + 0.5) / 4.0, &[a, b], &mut x);
                let powers = [x[0], x[1], x[0] * x[0], x[0] * x[1], x[1] * x[1]];
                let weight = 0.25 * wa * wb;
                moments
                    .iter_mut()
                    .zip(powers)
                    .for_each(|(m, power)| *m += weight * power);
            }
        }
    }
    let [mx, my, mxx, mxy, myy] = moments;
    let found = [mx, my, mxx - mx * mx, mxy - mx * my, myy - my * my];
    let (mean, covariance) = (plane.mean(), plane.covariance());
    let stated = [
        mean[0],
        mean[1],
        covariance[0],
        covariance[1],
        covariance[3],
    ];
    assert!(
        found
            .iter()
            .zip(&stated)
            .all(|(a, b)| (a - b).abs() < 1e-14),
        "{found:?} {stated:?}"
    );
}

#[test]
fn it_is_the_isotropic_mixture_where_that_is_defined() {
    let isotropic =
        GaussianMixture::new(2, &[1.0, 2.0], &[1.0, 0.5, -1.5, 0.3], &[0.3, 0.7]).unwrap();
    let mixture = Mixture::from(&isotropic);
    for x in [[0.0, 0.0], [1.0, -2.0], [300.0, 40.0]] {
        let (a, b) = (mixture.log_density(&x), isotropic.log_density(&x));
        assert!((a - b).abs() <= 1e-14 * (1.0 + b.abs()), "{a} {b}");
        let mut expected = [0.0; 2];
        isotropic.score(&x, &mut expected);
        let found = score(&mixture, &x);
        assert!((0..2).all(|i| (found[i] - expected[i]).abs() < 1e-13 * (1.0 + expected[i].abs())));
    }
}

#[test]
fn far_points_stay_finite() {
    let ring = Mixture::ring(5, 10.0, 1.0).unwrap();
    let score = score(&ring, &[1e6, 3.0]);
    assert!(
        (score[0] - (10.0 - 1e6)).abs() < 1e-6 && (score[1] + 3.0).abs() < 1e-6,
        "{score:?}"
    );
    assert!(ring.log_density(&[1e6, 3.0]).is_finite());
    assert!(ring.marginal_cdf(0, -30.0) > 0.0);
}

#[test]
fn the_random_mixture_of_the_course() {
    let mut next = (0..).map(|i| f64::from(i) / 8.0);
    let mixture = Mixture::random(3, 0.5, 20.0, 1.0, &mut || next.next().unwrap()).unwrap();
    assert_eq!(mixture.weights(), [1.0 / 3.0; 3]);
    let means: Vec<&[f64]> = mixture.components().iter().map(Gaussian::mean).collect();
    assert_eq!(means, [[-9.0, -7.5], [-4.0, -2.5], [1.0, 2.5]]);
    assert_eq!(mixture.components()[0].covariance(), [0.25, 0.0, 0.0, 0.25]);
    let space = Mixture::random_in(3, 2, 0.5, 20.0, 0.0, &mut || 0.5).unwrap();
    assert_eq!(space.mean(), [0.0; 3]);
}

#[test]
fn bad_parameters_are_refused() {
    let error =
        |mean: &[f64], covariance: &[f64]| Gaussian::new(mean, covariance).unwrap_err().to_string();
    let indefinite = error(&[0.0, 0.0], &[1.0, 1.1, 1.1, 1.11]);
    assert!(
        indefinite.contains("leading minor 2 is -0.1"),
        "{indefinite}"
    );
    assert!(error(&[0.0; 2], &[1.0, 1.0, 1.0, 1.0]).contains("leading minor 2 is 0,"));
    assert!(error(&[0.0], &[-2.0]).contains("leading minor 1 is -2"));
    let skew = error(&[0.0; 2], &[1.0, 0.5, 0.4, 1.0]);
    assert!(
        skew.contains("row 1, column 0 holds 0.4, but row 0, column 1 holds 0.5"),
        "{skew}"
    );
    let nan = error(&[0.0; 2], &[1.0, 0.0, f64::NAN, 1.0]);
    assert!(
        nan.contains("row 1, column 0 must be finite, got NaN"),
        "{nan}"
    );
    assert!(error(&[0.0, f64::INFINITY], &[1.0; 4]).contains("coordinate 1 of the mean"));
    assert!(error(&[0.0; 2], &[1.0; 3]).contains("must have 4 entries, got 3"));
    assert!(error(&[], &[]).contains("at least one coordinate"));
    assert!(
        Gaussian::isotropic(&[0.0], 0.0)
            .unwrap_err()
            .to_string()
            .contains("got 0")
    );

    let error = |r: Result<Mixture, DensityError>| r.unwrap_err().to_string();
    let unit = |n: usize| Gaussian::isotropic(&vec![0.0; n], 1.0).unwrap();
    assert!(error(Mixture::new(&[], vec![])).contains("at least one component"));
    assert!(error(Mixture::new(&[1.0], vec![unit(1), unit(1)])).contains("got 1"));
    assert!(error(Mixture::new(&[1.0, 1.0], vec![unit(1), unit(2)])).contains("dimension 2"));
    assert!(error(Mixture::new(&[1.0, -1.0], vec![unit(1), unit(1)])).contains("got -1"));
    assert!(error(Mixture::ring(3, 1.0, 0.0)).contains("standard deviation must be"));
}
