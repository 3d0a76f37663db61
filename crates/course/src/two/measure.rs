//! Numbers that hold learned objects against exact ones.

use burn::tensor::Device;
use fokker_core::{Denoiser, Flow};
use fokker_eval::metrics::w2_report;
use fokker_math::mixture::GaussianMixture;
use fokker_math::scheduler::Scheduler;
use fokker_math::stats::energy_distance;
use fokker_nn::Mlp;
use fokker_sim::rng::Cursor;

use super::LabError;
use super::bench::model;
use super::points::{Points, draw, draw_at, flat, of_state, to_state};

/// Mean squares over pₜ and over times: of an error, and of what it is an error of.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Errors {
    pub(super) error: f64,
    pub(super) exact: f64,
}

impl Errors {
    /// √(E‖error‖²/E‖exact‖²).
    pub(super) fn relative(self) -> f64 {
        (self.error / self.exact).sqrt()
    }
}

/// A function of the learned model beside its exact one, at points of pₜ.
pub(super) type Compare<'a> =
    dyn Fn(&dyn Denoiser, &[(f64, f64)], f64, &Device) -> (Points, Points) + 'a;

/// Errors of `compare` over `times`, with `n` points of pₜ each; one entry per time.
pub(super) fn errors(
    flow: &Flow<Mlp>,
    mixture: &GaussianMixture,
    times: &[f64],
    n: usize,
    cursor: &mut Cursor,
    compare: &Compare<'_>,
) -> Vec<Errors> {
    let learned = model(flow);
    let scheduler = learned.scheduler();
    times
        .iter()
        .map(|&t| {
            let c = scheduler.at(t);
            let points: Points = (0..n)
                .map(|_| draw_at(mixture, (c.alpha, c.beta), cursor))
                .collect();
            let (found, exact) = compare(&*learned, &points, t, &flow.device);
            let square = |a: (f64, f64)| a.0 * a.0 + a.1 * a.1;
            let pairs = found.iter().zip(&exact);
            let error = pairs
                .map(|(f, e)| square((f.0 - e.0, f.1 - e.1)))
                .sum::<f64>();
            Errors {
                error: error / n as f64,
                exact: exact.iter().map(|e| square(*e)).sum::<f64>() / n as f64,
            }
        })
        .collect()
}

/// Their mean over times.
pub(super) fn mean(errors: &[Errors]) -> Errors {
    let n = errors.len() as f64;
    Errors {
        error: errors.iter().map(|e| e.error).sum::<f64>() / n,
        exact: errors.iter().map(|e| e.exact).sum::<f64>() / n,
    }
}

/// The learned velocity beside the exact one.
pub(super) fn velocity(mixture: &GaussianMixture) -> Box<Compare<'_>> {
    Box::new(move |learned, points, t, device| {
        let found = learned.velocity(to_state(points, device), t);
        let found = of_state(&found.expect("a velocity inside (0, 1)"));
        (
            found,
            exact_velocity(mixture, learned.scheduler(), points, t),
        )
    })
}

/// uₜ at `points`.
pub(super) fn exact_velocity(
    mixture: &GaussianMixture,
    scheduler: &dyn Scheduler,
    points: &[(f64, f64)],
    t: f64,
) -> Points {
    let at = mixture.at(scheduler, t);
    each(points, |x, out| at.velocity(x, out))
}

/// ∇ln pₜ at `points`.
pub(super) fn exact_score(
    mixture: &GaussianMixture,
    scheduler: &dyn Scheduler,
    points: &[(f64, f64)],
    t: f64,
) -> Points {
    let at = mixture.at(scheduler, t);
    each(points, |x, out| at.score(x, out))
}

fn each(points: &[(f64, f64)], f: impl Fn(&[f64], &mut [f64])) -> Points {
    let mut out = [0.0; 2];
    points
        .iter()
        .map(|p| {
            f(&[p.0, p.1], &mut out);
            (out[0], out[1])
        })
        .collect()
}

/// The energy distance of samples to as many exact ones, and twice the largest of 30 pairs of exact samples:
/// noise alone exceeds the largest once in 31 times, and its double about once in a thousand.
pub(super) fn energy(samples: &[(f64, f64)], exact: &mut dyn FnMut() -> (f64, f64)) -> (f64, f64) {
    const PAIRS: usize = 30;
    let n = samples.len();
    let mut set = || -> Vec<f64> { flat(&(0..n).map(|_| exact()).collect::<Points>()) };
    let distance = energy_distance(&flat(samples), &set(), 2);
    let level = (0..PAIRS).map(|_| energy_distance(&set(), &set(), 2));
    (distance, 2.0 * level.fold(0.0, f64::max))
}

/// Exact samples of a mixture, one after the other.
pub(super) fn sampler<'a>(
    mixture: &'a GaussianMixture,
    cursor: &'a mut Cursor,
) -> impl FnMut() -> (f64, f64) + 'a {
    move || draw(mixture, cursor)
}

/// The mean 2-Wasserstein distance of samples to data over its floor, that of data to data, in sets of `set`
/// points; `fresh` gives that many points of the data, others each time.
pub(super) fn w2_over_floor(
    samples: &[(f64, f64)],
    set: usize,
    fresh: &mut dyn FnMut(usize) -> Points,
) -> Result<f64, LabError> {
    let ends: Vec<Vec<f64>> = samples.chunks_exact(set).map(flat).collect();
    let sets: Vec<Vec<f64>> = (0..3 * ends.len()).map(|_| flat(&fresh(set))).collect();
    let (beside, among) = sets.split_at(ends.len());
    let pairs: Vec<(&[f64], &[f64])> = ends
        .iter()
        .zip(beside)
        .map(|(a, b)| (&a[..], &b[..]))
        .collect();
    let floor: Vec<(&[f64], &[f64])> = among
        .chunks_exact(2)
        .map(|p| (&p[0][..], &p[1][..]))
        .collect();
    let report = w2_report(&pairs, &floor, 2)?;
    Ok(report.mean / report.floor)
}
