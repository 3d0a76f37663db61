//! Time grids from noise (0) to data (1): where a sampler spends its steps.

mod levels;
mod named;
mod spread;
#[cfg(test)]
mod tests;

use std::f64::consts::FRAC_PI_2;
use std::sync::Arc;

use crate::scheduler::Scheduler;

pub(crate) use levels::{cleanest, karras};
pub use named::{GRIDS, GridError, GridSpec};
pub use spread::equidistribute;

/// The `n` + 1 times i/n: `n` steps of equal length from 0 to exactly 1. For n = 0, only 0.
///
/// ```
/// assert_eq!(fokker_math::grid::uniform(4), [0.0, 0.25, 0.5, 0.75, 1.0]);
/// ```
pub fn uniform(n: usize) -> Vec<f64> {
    // i/n is correctly rounded, which sums of 1/n are not.
    (0..=n).map(|i| i as f64 / n.max(1) as f64).collect()
}

/// A choice of n + 1 times 0 = t_0 < t_1 < … < t_n = 1. σ = β/α is the noise beside the data,
/// λ = −2 ln σ the log-SNR.
///
/// Texts read as grids and grids write as texts: a name of [`GRIDS`], some with a number, or a list.
///
/// ```
/// use fokker_math::grid::Grid;
/// use fokker_math::scheduler::CondOt;
///
/// let grid: Grid = "shifted:3".parse()?;
/// let times = grid.times(&CondOt, 4);
/// assert!((times[2] - 0.25).abs() < 1e-15); // t/(3 − 2t) at ½
/// assert!("0,0.5,0.4,1".parse::<Grid>().is_err());
/// # Ok::<(), fokker_math::grid::GridError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Grid {
    /// The scheduler's own [`times`](Scheduler::times).
    #[default]
    Native,
    /// t = i/n.
    Uniform,
    /// ln σ equally spaced (Lu et al., *DPM-Solver*, 2022) over n points: from σ = 80, or from
    /// where the path starts if that is less, to 0.002; then t = 1. The first point is t = 0.
    LogSnr,
    /// As [`LogSnr`](Grid::LogSnr) with σ^{1/ρ} equally spaced (Karras et al., *Elucidating the
    /// design space of diffusion-based generative models*, 2022).
    Karras {
        /// ρ from 1 (σ equally spaced) to 100 (all but ln σ).
        rho: f64,
    },
    /// t = sin²(πi/2n): dense at both ends.
    Cosine,
    /// Equal steps of a path with the log-SNR lowered by 2 ln s: t_i has λ(t_i) = λ(u_i) − 2 ln s,
    /// u_i equally spaced from 0, or where the path starts with σ < ∞ from the u that has t = 0, to 1. For condot t = u/(s − (s − 1)u),
    /// the shift of the resolution (Esser et al., *Scaling rectified flow transformers for
    /// high-resolution image synthesis*, 2024; their time is 1 − t).
    Shifted {
        /// s from 0.01 to 100, the factor of σ; above 1 for more steps in the noise.
        shift: f64,
    },
    /// 1 − t = ((n − i)/n)²: dense at the data (Song et al., *Denoising diffusion implicit models*,
    /// 2021).
    Quadratic,
    /// These times; [`Grid::given`] checks them.
    Given(Arc<[f64]>),
}

impl Grid {
    /// These times as a grid.
    ///
    /// # Errors
    /// [`GridError`] unless they are two or more, rise strictly, start at 0 and end at 1.
    pub fn given(times: &[f64]) -> Result<Grid, GridError> {
        named::check(times)?;
        // A zero is a zero without its sign.
        Ok(Grid::Given(times.iter().map(|t| t + 0.0).collect()))
    }

    /// The number of steps that the grid itself fixes: that of a given list.
    pub fn steps(&self) -> Option<usize> {
        match self {
            Grid::Given(times) => Some(times.len().saturating_sub(1)),
            _ => None,
        }
    }

    /// The `steps` + 1 times of a sampler on the path of this scheduler, strictly rising from
    /// exactly 0 to exactly 1. A given list is itself, whatever `steps` is; 0 steps have the time 0
    /// alone.
    pub fn times(&self, scheduler: &dyn Scheduler, steps: usize) -> Vec<f64> {
        let inside = |time: &dyn Fn(f64, f64) -> f64| -> Vec<f64> {
            let n = steps as f64;
            (1..steps).map(|i| time(i as f64, n)).collect()
        };
        let inside = match *self {
            Grid::Native => return scheduler.times(steps),
            Grid::Given(ref times) => return times.to_vec(),
            Grid::Uniform => return uniform(steps),
            Grid::LogSnr => levels::times(scheduler, steps, levels::geometric),
            Grid::Karras { rho } => {
                levels::times(scheduler, steps, |from, to, x| karras(from, to, rho, x))
            }
            Grid::Cosine => inside(&|i, n| (FRAC_PI_2 * i / n).sin().powi(2)),
            Grid::Shifted { shift } => {
                let lower = 2.0 * shift.ln();
                let time =
                    |t: f64, by: f64| scheduler.time_of_log_snr(scheduler.at(t).log_snr() + by);
                // The u whose times are 0 and 1: 0 and 1 but where λ(0) or λ(1) is finite.
                let [from, to] = [0.0, 1.0].map(|t| time(t, lower));
                inside(&|i, n| time(from + (to - from) * (i / n), -lower))
            }
            Grid::Quadratic => inside(&|i, n| 1.0 - ((n - i) / n).powi(2)),
        };
        closed(inside, steps)
    }
}

/// 0, the times `inside`, 1.
fn closed(inside: Vec<f64>, steps: usize) -> Vec<f64> {
    let mut times = vec![0.0];
    times.extend(inside);
    if steps > 0 {
        times.push(1.0);
    }
    spread::separate(&mut times);
    times
}
