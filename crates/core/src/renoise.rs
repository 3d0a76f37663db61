//! Against the current: from data, or from a state, back to a noisier time of the path.

use fokker_math::scheduler::Scheduler;

use crate::{Noise, State};

/// x_t = α_t x₁ + β_t ξ: the data as it is at time `t` of the path. Sampling on from there is image-to-image
/// (Meng et al., *SDEdit: guided image synthesis and editing with stochastic differential equations*, 2022).
pub fn noised(scheduler: &dyn Scheduler, x1: State, t: f64, noise: &mut dyn Noise) -> State {
    let c = scheduler.at(t);
    with_noise(x1.mul_scalar(c.alpha), c.beta, noise)
}

/// The part of `grid` that image-to-image of strength s in \[0, 1\] (held there) walks: from t₀ = 1 − s on.
/// s = 1 is all of it, as if there were no image; s = 0 is t = 1 alone, where the image stays as it is.
pub fn tail(grid: &[f64], strength: f64) -> Vec<f64> {
    let start = 1.0 - strength.clamp(0.0, 1.0);
    let later = grid.iter().copied().filter(|&t| t > start);
    std::iter::once(start).chain(later).collect()
}

/// A state of time `from` as it may have been at the earlier, noisier time `to`: x ← (α_to/α_from) x +
/// √(β_to² − (α_to/α_from)² β_from²) ξ, which carries p_from to p_to.
///
/// # Panics
/// If `to` is later than `from`.
pub fn renoise(
    scheduler: &dyn Scheduler,
    x: State,
    from: f64,
    to: f64,
    noise: &mut dyn Noise,
) -> State {
    assert!(
        to <= from,
        "renoising goes back in time, not from {from} to {to}"
    );
    if to == from {
        return x;
    }
    let (c, back) = (scheduler.at(from), scheduler.at(to));
    let keep = back.alpha / c.alpha;
    // The signal-to-noise ratio rises with t, so only rounding makes this negative.
    let fresh = (back.beta.powi(2) - (keep * c.beta).powi(2)).max(0.0);
    with_noise(x.mul_scalar(keep), fresh.sqrt(), noise)
}

/// x + s ξ, without a draw where s is 0.
pub(crate) fn with_noise(x: State, s: f64, noise: &mut dyn Noise) -> State {
    if s == 0.0 {
        return x;
    }
    let fresh = fresh(&x, noise);
    x + fresh.mul_scalar(s)
}

/// ξ of the shape and the type of x.
pub(crate) fn fresh(x: &State, noise: &mut dyn Noise) -> State {
    let [rows, dim] = x.dims();
    noise.normal(rows, dim).cast(x.dtype())
}
