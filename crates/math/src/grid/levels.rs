//! Times at chosen levels of noise σ = β/α.

use crate::scheduler::Scheduler;

/// The noisiest level of a grid: that of Karras et al. 2022.
const SIGMA_MAX: f64 = 80.0;
/// The cleanest level before the data, from the same paper.
const SIGMA_MIN: f64 = 0.002;

/// The cleanest level before the data of a path that starts at σ = `max`.
pub(crate) fn cleanest(max: f64) -> f64 {
    SIGMA_MIN.min(max / 2.0)
}

/// The level at the part `x` of the way from `from` to `to`, where σ^{1/ρ} is linear: equation 5 of
/// Karras et al., *Elucidating the design space of diffusion-based generative models*, 2022.
pub(crate) fn karras(from: f64, to: f64, rho: f64, x: f64) -> f64 {
    let [from, to] = [from, to].map(|sigma| sigma.powf(1.0 / rho));
    (from + x * (to - from)).powf(rho)
}

/// As [`karras`] where ln σ is linear, its limit for ρ → ∞.
pub(super) fn geometric(from: f64, to: f64, x: f64) -> f64 {
    let [from, to] = [from, to].map(f64::ln);
    (from + x * (to - from)).exp()
}

/// The times between 0 and 1 of `steps` points whose level at the part x of the way is
/// `level(from, to, x)`, with 1 as one more point. On a path that ends noisier than the cleanest
/// level, 1 is the last of the points.
pub(super) fn times(
    scheduler: &dyn Scheduler,
    steps: usize,
    level: impl Fn(f64, f64, f64) -> f64,
) -> Vec<f64> {
    let [start, end] = [0.0, 1.0].map(|t| {
        let c = scheduler.at(t);
        c.beta / c.alpha
    });
    let from = start.min(SIGMA_MAX);
    let (to, last) = if end >= cleanest(from) {
        (end, steps)
    } else {
        (cleanest(from), steps.saturating_sub(1))
    };
    (1..steps)
        .map(|i| level(from, to, i as f64 / last as f64))
        .map(|sigma| scheduler.time_of_log_snr(-2.0 * sigma.ln()))
        .collect()
}
