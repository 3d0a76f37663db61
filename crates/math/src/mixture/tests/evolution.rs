//! The equations of evolution, and the posterior average by sampling.

use super::{Numbers, mixtures};
use crate::mixture::{GaussianMixture, Marginal, TwoMixtures};
use crate::scheduler::{SCHEDULERS, Scheduler};

/// First derivative at 0: central differences of eighth order.
fn first(h: f64, f: impl Fn(f64) -> f64) -> f64 {
    let d = |k: f64| f(k * h) - f(-k * h);
    (4.0 / 5.0 * d(1.0) - 1.0 / 5.0 * d(2.0) + 4.0 / 105.0 * d(3.0) - 1.0 / 280.0 * d(4.0)) / h
}

/// Second derivative at 0, likewise.
fn second(h: f64, f: impl Fn(f64) -> f64) -> f64 {
    let d = |k: f64| f(k * h) + f(-k * h);
    (-205.0 / 72.0 * f(0.0) + 8.0 / 5.0 * d(1.0) - 1.0 / 5.0 * d(2.0) + 8.0 / 315.0 * d(3.0)
        - 1.0 / 560.0 * d(4.0))
        / (h * h)
}

fn moved(x: &[f64], i: usize, by: f64) -> Vec<f64> {
    let mut x = x.to_vec();
    x[i] += by;
    x
}

fn field(x: &[f64], of: impl Fn(&[f64], &mut [f64])) -> Vec<f64> {
    let mut out = vec![f64::NAN; x.len()];
    of(x, &mut out);
    out
}

/// div f + f·∇ln p and its terms' size, with div f by differences.
fn flux(x: &[f64], h: f64, score: &[f64], of: impl Fn(&[f64], &mut [f64])) -> (f64, f64) {
    let here = field(x, &of);
    let mut total = (0.0, 0.0);
    for i in 0..x.len() {
        let div = first(h, |by| field(&moved(x, i, by), &of)[i]);
        let carried = here[i] * score[i];
        total.0 += div + carried;
        total.1 += div.abs() + carried.abs();
    }
    total
}

/// Random times, and random points of p_t and around it.
fn places(
    mixture: &GaussianMixture,
    scheduler: &dyn Scheduler,
    numbers: &mut Numbers,
) -> Vec<(f64, Vec<f64>)> {
    (0..12)
        .map(|_| {
            let t = 0.03 + 0.94 * numbers.uniform();
            let c = scheduler.at(t);
            let z = numbers.draw(mixture);
            (
                t,
                z.iter()
                    .map(|z| c.alpha * z + 1.5 * c.beta * numbers.normal())
                    .collect(),
            )
        })
        .collect()
}

/// ∂ₜp + div(p u) = 0, and for every σ ∂ₜp + div(p f) = ½σ²Δp with f = u + ½σ²∇ln p: divided by p,
/// with every derivative by differences of the densities and fields that the crate gives.
#[test]
fn continuity_and_fokker_planck() {
    let mut numbers = Numbers::new(1);
    for mixture in mixtures() {
        for spec in SCHEDULERS {
            let scheduler = (spec.make)();
            for (t, x) in places(&mixture, &*scheduler, &mut numbers) {
                let here = mixture.at(&*scheduler, t);
                let least = (0..mixture.components())
                    .map(|k| here.variance(k))
                    .fold(1e9, f64::min);
                let h = 0.05 * least.sqrt();
                let d_t = first(0.01 * t.min(1.0 - t), |by| {
                    mixture.at(&*scheduler, t + by).log_density(&x)
                });
                let log = |i: usize| {
                    let (here, x) = (&here, &x);
                    move |by: f64| here.log_density(&moved(x, i, by))
                };
                let score: Vec<f64> = (0..x.len()).map(|i| first(h, log(i))).collect();
                let (out, size) = flux(&x, h, &score, |x, out| here.velocity(x, out));
                let residual = (d_t + out).abs() / (d_t.abs() + size);
                assert!(residual < 1e-6, "{scheduler:?} {t} {x:?}: {residual:e}");

                // Δp/p = Δln p + |∇ln p|².
                let laplace: f64 = (0..x.len())
                    .map(|i| second(h, log(i)) + score[i] * score[i])
                    .sum();
                for sigma in [0.1, 0.5, 1.0, 3.0, scheduler.at(t).beta] {
                    let spread = 0.5 * sigma * sigma * laplace;
                    let (out, size) = flux(&x, h, &score, |x, out| here.sde_drift(x, sigma, out));
                    let scale = d_t.abs() + size + spread.abs();
                    let residual = (d_t + out - spread).abs() / scale;
                    assert!(residual < 1e-6, "{scheduler:?} {t} σ {sigma}: {residual:e}");
                }
            }
        }
    }
}

/// The same for the path between two mixtures.
#[test]
fn continuity_between_two_mixtures() {
    let mut numbers = Numbers::new(2);
    for data in mixtures() {
        let dim = data.dim();
        let means: Vec<f64> = (0..2 * dim).map(|_| 2.0 * numbers.normal()).collect();
        let init = GaussianMixture::new(dim, &[0.3, 0.7], &means, &[0.6, 1.1]).unwrap();
        let path = TwoMixtures::new(init.clone(), data.clone()).unwrap();
        for spec in SCHEDULERS {
            let scheduler = (spec.make)();
            for _ in 0..8 {
                let t = 0.03 + 0.94 * numbers.uniform();
                let c = scheduler.at(t);
                let (z, e) = (numbers.draw(&data), numbers.draw(&init));
                let x: Vec<f64> = z
                    .iter()
                    .zip(e)
                    .map(|(z, e)| c.alpha * z + c.beta * e)
                    .collect();
                let here = path.at(&*scheduler, t);
                let h = 0.05 * (0.3 * c.alpha).hypot(0.6 * c.beta);
                let d_t = first(0.004 * t.min(1.0 - t), |by| {
                    path.at(&*scheduler, t + by).log_density(&x)
                });
                let score: Vec<f64> = (0..dim)
                    .map(|i| first(h, |by| here.log_density(&moved(&x, i, by))))
                    .collect();
                let exact = field(&x, |x, out| here.score(x, out));
                let size = exact.iter().fold(1.0f64, |size, s| size.max(s.abs()));
                for (s, exact) in score.iter().zip(&exact) {
                    assert!((s - exact).abs() < 1e-8 * size, "{s} {exact}");
                }
                let (out, size) = flux(&x, h, &score, |x, out| here.velocity(x, out));
                let residual = (d_t + out).abs() / (d_t.abs() + size);
                assert!(residual < 1e-6, "{scheduler:?} {t} {x:?}: {residual:e}");
            }
        }
    }
}

/// From standard normal noise it is the oracle of the Gaussian path; at the ends it is the ends.
#[test]
fn two_mixtures_generalise_one() {
    let mut numbers = Numbers::new(3);
    for data in mixtures() {
        let dim = data.dim();
        let noise = GaussianMixture::new(dim, &[1.0], &vec![0.0; dim], &[1.0]).unwrap();
        let path = TwoMixtures::new(noise, data.clone()).unwrap();
        for spec in SCHEDULERS {
            let scheduler = (spec.make)();
            for (t, x) in places(&data, &*scheduler, &mut numbers) {
                let (one, two) = (data.at(&*scheduler, t), path.at(&*scheduler, t));
                let (a, b) = (one.log_density(&x), two.log_density(&x));
                assert!((a - b).abs() < 1e-11 * a.abs().max(1.0));
                let u = field(&x, |x, out| one.velocity(x, out));
                let v = field(&x, |x, out| two.velocity(x, out));
                let size = u.iter().fold(1.0f64, |size, u| size.max(u.abs()));
                assert!(u.iter().zip(&v).all(|(u, v)| (u - v).abs() < 1e-10 * size));
            }
        }
    }
    let [a, b] = [1.0, 3.0].map(|r| GaussianMixture::ring(3, r, 0.4).unwrap());
    let path = TwoMixtures::new(a.clone(), b.clone()).unwrap();
    let x = [0.4, -1.2];
    for (t, end) in [(0.0, a), (1.0, b)] {
        let here = path.at(&crate::scheduler::CondOt, t);
        assert!((here.log_density(&x) - end.log_density(&x)).abs() < 1e-13);
    }
    let line = GaussianMixture::new(1, &[1.0], &[0.0], &[1.0]).unwrap();
    let error = TwoMixtures::new(line, path.data().clone()).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("from dimension 1 to dimension 2")
    );
}

/// Averages over data points with weights N(x; αz, β²I): the definition of the marginal field.
#[test]
fn marginal_field_is_the_posterior_average() {
    let mut numbers = Numbers::new(4);
    let n = 20_000;
    let mut far = 0;
    let mut count = 0;
    for mixture in mixtures() {
        let data: Vec<Vec<f64>> = (0..n).map(|_| numbers.draw(&mixture)).collect();
        for spec in SCHEDULERS {
            let scheduler = (spec.make)();
            for t in [0.15, 0.4, 0.6] {
                let here: Marginal<'_> = mixture.at(&*scheduler, t);
                let c = here.coeffs();
                let x: Vec<f64> = numbers
                    .draw(&mixture)
                    .iter()
                    .map(|z| c.alpha * z + c.beta * numbers.normal())
                    .collect();
                let logs: Vec<f64> = data
                    .iter()
                    .map(|z| {
                        let off: f64 = z
                            .iter()
                            .zip(&x)
                            .map(|(z, x)| (x - c.alpha * z).powi(2))
                            .sum();
                        -0.5 * off / (c.beta * c.beta)
                    })
                    .collect();
                let max = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let weights: Vec<f64> = logs.iter().map(|l| (l - max).exp()).collect();
                let sum: f64 = weights.iter().sum();
                let squares: f64 = weights.iter().map(|w| w * w).sum();
                if sum * sum / squares < 200.0 {
                    continue; // too few points carry the average for its error to be known
                }
                let exact = field(&x, |x, out| here.velocity(x, out));
                for i in 0..x.len() {
                    // u(x|z) = α̇z + β̇ε with ε = (x − αz)/β.
                    let u =
                        |z: &[f64]| c.d_alpha * z[i] + c.d_beta * (x[i] - c.alpha * z[i]) / c.beta;
                    let pairs = || weights.iter().zip(&data);
                    let mean = pairs().map(|(w, z)| w * u(z)).sum::<f64>() / sum;
                    let variance: f64 = pairs().map(|(w, z)| (w * (u(z) - mean)).powi(2)).sum();
                    let error = variance.sqrt() / sum;
                    let off = (mean - exact[i]).abs() / error;
                    assert!(off < 5.0, "{scheduler:?} {t} {x:?}: {off} standard errors");
                    (count, far) = (count + 1, far + usize::from(off > 1.96));
                }
            }
        }
    }
    // 5 % are beyond 1.96 standard errors.
    assert!(
        count > 60 && (far as f64) < 0.12 * f64::from(count),
        "{far} of {count}"
    );
}
