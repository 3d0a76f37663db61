//! Any embedded method in equal steps.

use super::adaptive::{Clock, Embedded};
use super::block::{Block, Task};
use super::event::Events;
use super::{Grid, Solver, check_no_noise, check_steps};
use crate::error::SimError;
use crate::lane::{Mask, Simd};
use crate::process::{Components, Process};

/// An embedded method in `steps` equal steps; its error estimate is not used.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Equal<M> {
    method: M,
    steps: usize,
}

impl<M: Embedded> Equal<M> {
    /// `method` in `steps` equal steps.
    pub fn new(method: M, steps: usize) -> Self {
        Equal { method, steps }
    }
}

impl<M: Embedded> Solver for Equal<M> {
    const UNITS: usize = 1;

    fn title(&self) -> &'static str {
        self.method.title()
    }

    fn grid(&self) -> Grid {
        Grid::Equal(self.steps)
    }

    fn check<P: Process>(&self, process: &P) -> Result<(), SimError> {
        check_steps(self.steps)?;
        check_no_noise(process, self.title())
    }

    #[inline(always)]
    fn block<S: Simd, P: Process>(&self, process: &P, task: &Task<'_>, block: &mut Block<'_, S>) {
        let h = (task.to - task.from) / self.steps as f64;
        let (low, high) = (task.from.min(task.to), task.from.max(task.to));
        let all = !S::Mask::splat(false);
        let mut x = P::State::<S>::zeros(process.dim());
        block.load(0, x.as_mut());
        let mut work = self.method.work::<S, P>(process, S::splat(task.from), &x);
        let mut new = x.clone();
        let mut error = x.clone();
        let mut events = (P::EVENTS && process.has_event())
            .then(|| Events::<S>::new(process, S::splat(task.from), &x));
        let mut done = 0;
        for (number, &until) in task.save_steps.iter().enumerate() {
            for n in done..until {
                let clock = Clock {
                    t: S::splat(task.from + h * n as f64),
                    h: S::splat(h),
                    low: S::splat(low),
                    high: S::splat(high),
                };
                self.method
                    .attempt(process, clock, &x, &mut work, &mut new, &mut error);
                if let Some(events) = &mut events {
                    let moved = !events.stopped;
                    events.after_step(
                        process,
                        (clock.t, clock.h),
                        moved,
                        &mut new,
                        |theta, y| {
                            self.method
                                .interpolate::<S, P>(theta, clock.h, &x, &work, y)
                        },
                        block.stops,
                    );
                    for (x, new) in x.as_mut().iter_mut().zip(new.as_ref()) {
                        *x = S::select(moved, *new, *x);
                    }
                } else {
                    x.as_mut().copy_from_slice(new.as_ref());
                }
                self.method.accept::<S, P>(all, &mut work);
            }
            done = until;
            let at = (number, task.save.len(), task.save[number]);
            if !block.save(0, at, x.as_ref()) {
                return;
            }
        }
    }
}
