mod evolution;
mod precision;
mod uncertainty;

use super::*;
use crate::prediction::{Prediction, convert};
use crate::scheduler::{CondOt, SCHEDULERS, Start};

fn mixture() -> GaussianMixture {
    GaussianMixture::new(
        2,
        &[1.0, 2.0, 0.5],
        &[1.0, 0.5, -1.5, 0.3, 0.2, -2.0],
        &[0.3, 0.7, 0.5],
    )
    .unwrap()
}

/// Mixtures of dimensions 1, 2, 3 and 5 with unlike weights and deviations.
fn mixtures() -> Vec<GaussianMixture> {
    let make = |dim, weights: &[f64], means: &[f64], stds: &[f64]| {
        GaussianMixture::new(dim, weights, means, stds).unwrap()
    };
    vec![
        make(1, &[0.2, 0.5, 0.3], &[-2.0, 0.1, 1.5], &[0.4, 0.3, 0.9]),
        mixture(),
        make(
            3,
            &[3.0, 1.0],
            &[0.5, -1.0, 0.2, -0.7, 1.3, 0.9],
            &[0.35, 0.8],
        ),
        make(
            5,
            &[1.0, 4.0, 2.0],
            &[
                0.5, -1.0, 0.2, 0.0, 1.0, -0.7, 1.3, 0.9, -0.4, 0.3, 0.1, 0.6, -1.2, 0.8, -0.9,
            ],
            &[0.5, 1.0, 0.3],
        ),
    ]
}

/// Random numbers for tests: SplitMix64 (Steele, Lea & Flood 2014).
struct Numbers(u64);

impl Numbers {
    fn new(seed: u64) -> Numbers {
        Numbers(seed)
    }

    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / 2f64.powi(53)
    }

    fn normal(&mut self) -> f64 {
        crate::stats::normal_quantile(self.uniform() + 2f64.powi(-54))
    }

    /// A sample of the mixture.
    fn draw(&mut self, mixture: &GaussianMixture) -> Vec<f64> {
        let u = self.uniform();
        let mut below = 0.0;
        let k = mixture.weights().iter().position(|w| {
            below += w;
            u < below
        });
        let k = k.unwrap_or(0);
        let std = mixture.stds()[k];
        mixture
            .mean(k)
            .iter()
            .map(|m| m + std * self.normal())
            .collect()
    }
}

const POINTS: [[f64; 2]; 6] = [
    [0.0, 0.0],
    [0.9, 0.4],
    [-1.2, 0.7],
    [0.3, -1.7],
    [2.1, -0.8],
    [-0.4, 1.9],
];
const TIMES: [f64; 5] = [0.05, 0.3, 0.5, 0.8, 0.97];

fn vector(of: impl Fn(&[f64], &mut [f64]), x: &[f64]) -> [f64; 2] {
    let mut out = [f64::NAN; 2];
    of(x, &mut out);
    out
}

/// Central difference of fourth order.
fn difference(h: f64, f: impl Fn(f64) -> f64) -> f64 {
    (8.0 * (f(h) - f(-h)) - (f(2.0 * h) - f(-2.0 * h))) / (12.0 * h)
}

fn moved(x: [f64; 2], i: usize, by: f64) -> [f64; 2] {
    let mut x = x;
    x[i] += by;
    x
}

fn close(a: [f64; 2], b: [f64; 2], tolerance: f64) {
    for i in 0..2 {
        let error = (a[i] - b[i]).abs() / (1.0 + b[i].abs());
        assert!(error < tolerance, "{a:?} is not {b:?}");
    }
}

/// `a` is `b` but for `tolerance` times the length of b.
fn close_to(a: [f64; 2], b: [f64; 2], tolerance: f64, place: &str) {
    let error = (a[0] - b[0]).hypot(a[1] - b[1]) / b[0].hypot(b[1]);
    assert!(error < tolerance, "{place}: {a:?} is not {b:?}, {error:e}");
}

fn everywhere(check: impl Fn(&dyn Scheduler, f64, [f64; 2])) {
    for spec in SCHEDULERS {
        let scheduler = (spec.make)();
        for t in TIMES {
            POINTS.iter().for_each(|&x| check(&*scheduler, t, x));
        }
    }
}

#[test]
fn score_is_the_gradient_of_the_log_density() {
    let mixture = mixture();
    everywhere(|scheduler, t, x| {
        let here = mixture.at(scheduler, t);
        let gradient = [0, 1].map(|i| difference(1e-3, |h| here.log_density(&moved(x, i, h))));
        close(vector(|x, out| here.score(x, out), &x), gradient, 1e-6);
    });
    for x in POINTS {
        let gradient = [0, 1].map(|i| difference(1e-3, |h| mixture.log_density(&moved(x, i, h))));
        close(vector(|x, out| mixture.score(x, out), &x), gradient, 1e-6);
    }
}

#[test]
fn field_from_score() {
    let mixture = mixture();
    everywhere(|scheduler, t, x| {
        let here = mixture.at(scheduler, t);
        let (a, b) = (
            here.coeffs().field_of_score(),
            here.coeffs().field_of_state(),
        );
        let s = vector(|x, out| here.score(x, out), &x);
        let u = vector(|x, out| here.velocity(x, out), &x);
        close([0, 1].map(|i| a * s[i] + b * x[i]), u, 1e-11);
    });
}

/// The expectations of all predictions convert to each other as the predictions do.
#[test]
fn the_four_fields_agree_by_conversion() {
    let mixture = mixture();
    everywhere(|scheduler, t, x| {
        let m = mixture.at(scheduler, t);
        let c = m.coeffs();
        let fields = [
            (Prediction::Data, vector(|x, out| m.denoiser(x, out), &x)),
            (Prediction::Noise, vector(|x, out| m.noise(x, out), &x)),
            (
                Prediction::Velocity,
                vector(|x, out| m.velocity(x, out), &x),
            ),
            (Prediction::Score, vector(|x, out| m.score(x, out), &x)),
        ];
        for (from, given) in fields {
            for (to, expected) in fields {
                let (cx, cv) = convert(from, to, &c).unwrap();
                let scale = 1.0 + cx.abs() + cv.abs();
                close(
                    [0, 1].map(|i| cx * x[i] + cv * given[i]),
                    expected,
                    1e-12 * scale,
                );
            }
        }
    });
}

#[test]
fn at_time_zero_it_is_standard_normal() {
    let mixture = mixture();
    let mean = [0, 1].map(|i| {
        (0..3)
            .map(|k| mixture.weights()[k] * mixture.mean(k)[i])
            .sum()
    });
    for spec in SCHEDULERS.iter().filter(|spec| spec.start == Start::Noise) {
        let start = mixture.at(&*(spec.make)(), 0.0);
        for x in POINTS {
            let expected = -0.5 * (x[0] * x[0] + x[1] * x[1]) - TAU.ln();
            assert!((start.log_density(&x) - expected).abs() < 1e-14);
            close(
                vector(|x, out| start.score(x, out), &x),
                x.map(|x| -x),
                1e-15,
            );
            // x says nothing of z.
            close(vector(|x, out| start.denoiser(x, out), &x), mean, 1e-15);
        }
    }
}

#[test]
fn the_ends_are_the_limits() {
    let mixture = mixture();
    for spec in SCHEDULERS {
        let scheduler = (spec.make)();
        for x in POINTS {
            for (end, near) in [(0.0, 1e-9), (1.0, 1.0 - 1e-9)] {
                let (end, near) = (mixture.at(&*scheduler, end), mixture.at(&*scheduler, near));
                for of in [Marginal::velocity, Marginal::score, Marginal::denoiser] {
                    let (end, near) = (
                        vector(|x, out| of(&end, x, out), &x),
                        vector(|x, out| of(&near, x, out), &x),
                    );
                    // β̇β of the exploding schedulers changes by β_0²·1e-9.
                    close(near, end, 1e-6 + 1e-8 * scheduler.at(0.0).beta.powi(2));
                }
            }
            let end = mixture.at(&*scheduler, 1.0);
            close(vector(|x, out| end.denoiser(x, out), &x), x, 1e-10);
            let (at_end, data) = (end.log_density(&x), mixture.log_density(&x));
            assert!((at_end - data).abs() < 1e-9);
        }
    }
}

/// One component: the flow from x₀ ~ N(0, 1) is affine, with u = ṁ + (v̇/2v)(x − m).
#[test]
fn a_single_gaussian_in_closed_form() {
    let single = GaussianMixture::new(1, &[3.0], &[2.0], &[0.5]).unwrap();
    for t in [0.0, 0.2, 0.6, 1.0] {
        let (m, v) = (2.0 * t, 0.25 * t * t + (1.0 - t) * (1.0 - t));
        let dv = 0.5 * t - 2.0 * (1.0 - t);
        let marginal = single.at(&CondOt, t);
        let mut u = [0.0];
        marginal.velocity(&[1.3], &mut u);
        assert!((u[0] - (2.0 + 0.5 * dv / v * (1.3 - m))).abs() < 1e-14);
        let log = -0.5 * (1.3 - m) * (1.3 - m) / v - 0.5 * (TAU * v).ln();
        assert!((marginal.log_density(&[1.3]) - log).abs() < 1e-14);
    }
}

/// Far away every density underflows; the logarithms do not.
#[test]
fn far_points_stay_finite() {
    let ring = GaussianMixture::ring(5, 10.0, 1.0).unwrap();
    assert_eq!(
        (ring.components(), ring.dim(), ring.mean(0)),
        (5, 2, &[10.0, 0.0][..])
    );
    let x = [1e4, 3.0];
    let r = ring.responsibilities(&x);
    assert!((r[0] - 1.0).abs() < 1e-12 && (r.iter().sum::<f64>() - 1.0).abs() < 1e-15);
    assert!(ring.log_density(&x).is_finite());
    close(
        vector(|x, out| ring.score(x, out), &x),
        [10.0 - 1e4, -3.0],
        1e-12,
    );
}

#[test]
fn bad_parameters_are_refused() {
    let error = |r: Result<GaussianMixture, MixtureError>| r.unwrap_err().to_string();
    assert!(error(GaussianMixture::ring(0, 1.0, 1.0)).contains("got 0 components"));
    assert!(error(GaussianMixture::ring(3, 1.0, 0.0)).contains("standard deviation must be"));
    assert!(error(GaussianMixture::ring(3, f64::NAN, 1.0)).contains("mean must be finite"));
    let short = GaussianMixture::new(2, &[1.0, 1.0], &[0.0; 3], &[1.0; 2]);
    assert!(error(short).contains("needs 4 mean coordinates"));
}
