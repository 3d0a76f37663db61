//! Where the steps of a sampler are, where it is not simply the grid.

use std::ops::ControlFlow;

use fokker_math::scheduler::Scheduler;

use crate::{Adaptive, AdaptiveError, Denoiser, State};

/// The noise-to-signal ratios σ between which `restart` walks again.
const RESTART: [f64; 2] = [1.0, 0.1];

/// `grid` with its part between σ = 1 and σ = 0.1 walked `times` times more: after it the grid jumps back to its
/// beginning, where the sampling loop adds the noise again. A grid without two such times stays as it is.
pub(crate) fn restart(grid: &[f64], scheduler: &dyn Scheduler, times: usize) -> Vec<f64> {
    let sigma = |t: &f64| {
        let c = scheduler.at(*t);
        c.beta / c.alpha
    };
    let first = grid.iter().position(|t| sigma(t) <= RESTART[0]);
    let last = grid.iter().rposition(|t| sigma(t) >= RESTART[1]);
    match (first, last) {
        (Some(first), Some(last)) if first < last => {
            let mut all = grid[..=last].to_vec();
            for _ in 0..times {
                all.extend(&grid[first..=last]);
            }
            all.extend(&grid[last + 1..]);
            all
        }
        _ => grid.to_vec(),
    }
}

/// Where the model leaves its velocity open at t = 0 it is first asked where β/α is this.
const NOISIEST: f64 = 80.0;
/// Where it does at t = 1 the last step begins where β/α is this: one Euler step is then exact to about its
/// square.
const CLEANEST: f64 = 1e-3;

/// The times that `solver` takes from x at time `begin` to t = 1.
pub(crate) fn adaptive_times(
    model: &dyn Denoiser,
    solver: &Adaptive,
    x: State,
    begin: f64,
) -> Result<Vec<f64>, AdaptiveError> {
    let scheduler = model.scheduler();
    let time = |sigma: f64| scheduler.time_of_log_snr(-2.0 * f64::ln(sigma));
    let open = |t: f64| model.velocity(x.clone(), t).is_none();
    let from = if open(begin) {
        time(NOISIEST).max(begin)
    } else {
        begin
    };
    let to = if open(1.0) { time(CLEANEST) } else { 1.0 };
    let mut velocity = |t: f64, x: State| model.velocity(x, t).expect("open at the ends at most");
    let watch = &mut |_| ControlFlow::Continue(());
    let mut times = solver
        .integrate(&mut velocity, x.clone(), from, to, watch)?
        .times;
    if from > begin {
        times.insert(0, begin);
    }
    if to < 1.0 {
        times.push(1.0);
    }
    Ok(times)
}
