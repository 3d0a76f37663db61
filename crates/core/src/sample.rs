use std::ops::ControlFlow;

use crate::renoise::renoise;
use crate::{Denoiser, Noise, State, Stepper};

/// One step's interval of time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Span {
    /// Where the step starts.
    pub from: f64,
    /// Where it ends.
    pub to: f64,
    /// Steps in all.
    pub steps: usize,
    /// Where the walk ends at the data: how many steps follow this one.
    pub to_data: Option<usize>,
}

/// Where a sampling loop stands, told after every step and once before the first.
pub struct Progress<'a> {
    /// Steps done.
    pub step: usize,
    /// Steps in all.
    pub steps: usize,
    /// The time of the state.
    pub t: f64,
    /// The state, `[batch, dim]`.
    pub state: &'a State,
}

/// The sampling loop, the only one: walks `x` along `grid` (n + 1 times for n steps). Where the grid goes back in time
/// noise is added by the forward process.
///
/// `watch` sees every state; when it breaks, the loop ends and `None` is returned.
pub fn sample(
    model: &dyn Denoiser,
    stepper: &mut dyn Stepper,
    x: State,
    grid: &[f64],
    noise: &mut dyn Noise,
    watch: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Option<State> {
    let steps = grid.len().saturating_sub(1);
    let ends_at_data = grid
        .last()
        .is_some_and(|t| model.scheduler().at(*t).beta == 0.0);
    let mut x = x;
    for (step, &t) in grid.iter().enumerate() {
        let progress = Progress {
            step,
            steps,
            t,
            state: &x,
        };
        if watch(progress).is_break() {
            return None;
        }
        if let Some(&to) = grid.get(step + 1) {
            let span = Span {
                from: t,
                to,
                steps,
                to_data: ends_at_data.then_some(steps - step - 1),
            };
            x = if to < t {
                renoise(model.scheduler(), x, t, to, noise)
            } else {
                stepper.step(model, x, span, noise)
            };
        }
    }
    Some(x)
}
