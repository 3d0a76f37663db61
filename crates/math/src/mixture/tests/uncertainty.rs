//! Posterior covariance, floors of losses and guidance.

use super::{Numbers, TIMES, difference, mixture, mixtures, moved, vector};
use crate::mixture::{GaussianMixture, MixtureError};
use crate::prediction::{PREDICTIONS, Prediction, convert};
use crate::scheduler::{CondOt, LinearSqrt, SCHEDULERS, Scheduler};

/// Tweedie's formula of second order: Cov\[z|x\] = (β²/α²)(I + β²∇²ln p), and that is (β²/α)∇D.
#[test]
fn posterior_covariance_is_the_slope_of_the_denoiser() {
    let mixture = mixture();
    for spec in SCHEDULERS {
        let scheduler = (spec.make)();
        for t in TIMES {
            let here = mixture.at(&*scheduler, t);
            let c = here.coeffs();
            for x in super::POINTS {
                let covariance = here.posterior_covariance(&x);
                let size = covariance[0].max(covariance[3]);
                for i in 0..2 {
                    for j in 0..2 {
                        let h = 1e-3 * (0.3 * c.alpha).hypot(c.beta);
                        let slope = difference(h, |by| {
                            vector(|x, out| here.denoiser(x, out), &moved(x, j, by))[i]
                        });
                        let expected = c.beta * c.beta / c.alpha * slope;
                        let error = (covariance[2 * i + j] - expected).abs();
                        assert!(
                            error < 1e-8 * (size + expected.abs()),
                            "{scheduler:?} {t} {x:?}"
                        );
                    }
                }
                let trace = covariance[0] + covariance[3];
                assert!((here.posterior_variance(&x) - trace).abs() < 1e-13 * trace);
            }
        }
    }
}

/// The variances of all targets are those of the data times the conversions' factors squared, and
/// finite at both ends where the rows are.
#[test]
fn target_variances_convert() {
    for mixture in mixtures() {
        let x = vec![0.4; mixture.dim()];
        for spec in SCHEDULERS {
            let scheduler = (spec.make)();
            for t in TIMES {
                let here = mixture.at(&*scheduler, t);
                let c = here.coeffs();
                let data = here.posterior_variance(&x);
                for &p in PREDICTIONS {
                    let (_, cv) = convert(p, Prediction::Data, &c).unwrap();
                    let found = cv * cv * here.target_variance(p.row(&c), &x);
                    assert!(
                        (found / data - 1.0).abs() < 1e-11,
                        "{scheduler:?} {t} {p:?}"
                    );
                }
            }
        }
        // At t = 0, z − ε has the variance of z given nothing; at t = 1 that of ε given nothing.
        let start = mixture.at(&CondOt, 0.0);
        let velocity = Prediction::Velocity.row(&start.coeffs());
        let free = start.posterior_variance(&x);
        assert!((start.target_variance(velocity, &x) / free - 1.0).abs() < 1e-12);
        let end = mixture.at(&CondOt, 1.0);
        let dim = mixture.dim() as f64;
        let velocity = Prediction::Velocity.row(&end.coeffs());
        assert!((end.target_variance(velocity, &x) / dim - 1.0).abs() < 1e-12);
        assert_eq!(end.posterior_variance(&x), 0.0);
    }
}

/// E|P − E\[P|x\]|² by sampling (z, ε) agrees with the mean of the exact conditional variances.
#[test]
fn target_variance_is_the_squared_error_of_the_best_predictor() {
    let mut numbers = Numbers::new(7);
    for mixture in mixtures() {
        for t in [0.2, 0.7] {
            let here = mixture.at(&CondOt, t);
            let c = here.coeffs();
            let n = 6_000;
            let (mut sum, mut square) = (0.0, 0.0);
            let mut u = vec![0.0; mixture.dim()];
            for _ in 0..n {
                let z = numbers.draw(&mixture);
                let eps: Vec<f64> = z.iter().map(|_| numbers.normal()).collect();
                let x: Vec<f64> = z
                    .iter()
                    .zip(&eps)
                    .map(|(z, e)| c.alpha * z + c.beta * e)
                    .collect();
                here.velocity(&x, &mut u);
                let loss: f64 = (0..u.len()).map(|i| (z[i] - eps[i] - u[i]).powi(2)).sum();
                // The difference has mean 0 whatever x is.
                let off = loss - here.target_variance([1.0, -1.0], &x);
                sum += off;
                square += off * off;
            }
            let n = f64::from(n);
            let error = (square / n).sqrt() / n.sqrt();
            assert!((sum / n).abs() < 4.0 * error, "{t}: {} ± {error}", sum / n);
        }
    }
}

/// One Gaussian: z given x has variance s²β²/(α²s² + β²), so the CondOT velocity's is s²/v.
#[test]
fn floors_of_one_gaussian() {
    let s = 0.5f64;
    let single = GaussianMixture::new(1, &[1.0], &[2.0], &[s]).unwrap();
    for t in [0.0, 0.3, 1.0] {
        let v = (s * t).powi(2) + (1.0 - t).powi(2);
        let floor = single.at(&CondOt, t).floor([1.0, -1.0], 33);
        assert!((floor - s * s / v).abs() < 1e-12, "{t}: {floor}");
    }
    // ∫₀¹ s²/(s²t² + (1−t)²) dt = sπ/2.
    let floor = single.loss_floor(&CondOt, Prediction::Velocity, 1.0, 60, 33);
    let expected = s * std::f64::consts::FRAC_PI_2;
    assert!((floor - expected).abs() < 1e-9, "{floor} {expected}");
}

/// The floors of the lab's ring: five modes, radius 10, deviation 1.
///
/// Near t = 1 the noise alone is uncertain: with β = √(1 − t) the velocity's floor grows by ½ ln 10
/// and the score's by 2 ln 10 per nine of t_max, the score's on CondOT by 2/(1 − t_max).
#[test]
fn floors_of_the_ring() {
    let ring = GaussianMixture::ring(5, 10.0, 1.0).unwrap();
    let cfm = ring.loss_floor(&CondOt, Prediction::Velocity, 1.0, 30, 41);
    assert!((cfm - 18.23).abs() < 0.05, "{cfm}");
    let ln10 = std::f64::consts::LN_10;
    let floor = |scheduler: &dyn Scheduler, prediction, nines: i32| {
        let end = 1.0 - 0.1f64.powi(nines);
        ring.loss_floor(scheduler, prediction, end, 30, 31) * end
    };
    let velocity = [2, 5].map(|n| floor(&LinearSqrt, Prediction::Velocity, n));
    assert!((velocity[0] / 0.99 - 19.4).abs() < 0.05, "{velocity:?}");
    assert!(
        (velocity[1] - velocity[0] - 1.5 * ln10).abs() < 0.02,
        "{velocity:?}"
    );
    let score = [2, 5].map(|n| floor(&LinearSqrt, Prediction::Score, n));
    assert!((score[0] / 0.99 - 7.2).abs() < 0.05, "{score:?}");
    assert!((score[1] - score[0] - 6.0 * ln10).abs() < 0.05, "{score:?}");
    let score = [2, 3].map(|n| floor(&CondOt, Prediction::Score, n));
    assert!((score[0] / 0.99 / 198.0 - 1.0).abs() < 0.01, "{score:?}");
    assert!((score[1] - score[0] - 1800.0).abs() < 1.0, "{score:?}");
}

fn labelled() -> GaussianMixture {
    mixture().with_labels(&[7, 3, 7]).unwrap()
}

#[test]
fn a_class_is_the_mixture_of_its_components() {
    let all = labelled();
    let class = all.given(7).unwrap();
    assert_eq!((class.components(), class.labels()), (2, Some(&[7, 7][..])));
    assert!((class.weights()[0] - 2.0 / 3.0).abs() < 1e-15);
    assert_eq!(
        (class.mean(1), class.stds()[1]),
        (all.mean(2), all.stds()[2])
    );
    // p(x) = Σ P(y) p(x|y), also along the path.
    for t in TIMES {
        for x in super::POINTS {
            let p = |m: &GaussianMixture| m.at(&CondOt, t).log_density(&x).exp();
            let share = 1.5 / 3.5;
            let sum = share * p(&class) + (1.0 - share) * p(&all.given(3).unwrap());
            assert!((p(&all) / sum - 1.0).abs() < 1e-13);
        }
    }
    let error = all.given(4).unwrap_err();
    let known = vec![3, 7];
    assert_eq!(error, MixtureError::Label { label: 4, known });
    assert!(error.to_string().contains("[3, 7]"));
    assert!(
        mixture()
            .given(0)
            .unwrap_err()
            .to_string()
            .contains("has no labels")
    );
    let error = mixture().with_labels(&[1]).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("3 components needs as many labels, got 1")
    );
}

#[test]
fn guidance_is_the_line_through_both_fields() {
    let all = labelled();
    let class = all.given(7).unwrap();
    for spec in SCHEDULERS {
        let scheduler = (spec.make)();
        for t in TIMES {
            let (a, b) = (all.at(&*scheduler, t), class.at(&*scheduler, t));
            for w in [0.0, 1.0, 3.0, -0.5] {
                let guided = all.guided(7, w).unwrap();
                let here = guided.at(&*scheduler, t);
                for x in super::POINTS {
                    let u = vector(|x, out| here.velocity(x, out), &x);
                    let s = vector(|x, out| here.score(x, out), &x);
                    let d = vector(|x, out| here.denoiser(x, out), &x);
                    let (all, class) = (
                        vector(|x, out| a.velocity(x, out), &x),
                        vector(|x, out| b.velocity(x, out), &x),
                    );
                    let c = a.coeffs();
                    for i in 0..2 {
                        assert_eq!(u[i], (1.0 - w) * all[i] + w * class[i]);
                        // The guided field and denoiser are those of the guided score.
                        let from_score = c.field_of_score() * s[i] + c.field_of_state() * x[i];
                        let size = 1.0 + u[i].abs() + (c.field_of_state() * x[i]).abs();
                        assert!((u[i] - from_score).abs() < 1e-11 * size);
                        let from_score = (x[i] + c.beta * c.beta * s[i]) / c.alpha;
                        let size = 1.0 + d[i].abs() + (x[i] / c.alpha).abs();
                        assert!((d[i] - from_score).abs() < 1e-11 * size);
                        // The guided score is that of the tilted density.
                        let h = 1e-3 * (0.3 * c.alpha).hypot(c.beta);
                        let slope = difference(h, |by| here.log_tilted(&moved(x, i, by)));
                        let size = 1.0 + s[i].abs() + 1.0 / c.beta;
                        assert!((s[i] - slope).abs() < 1e-6 * size, "{scheduler:?} {t} {w}");
                    }
                }
            }
        }
    }
    assert!(all.guided(1, 1.0).is_err());
}
