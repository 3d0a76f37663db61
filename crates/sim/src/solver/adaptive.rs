//! Steps chosen by an error estimate, for every trajectory its own.

use super::block::{Block, Fault, MAX_LANES, Task, finite};
use super::control::{Controller, mean_square, norm, weights};
use super::event::Events;
use super::{Grid, Solver, check_no_noise};
use crate::error::SimError;
use crate::lane::{Mask, Real, Simd};
use crate::process::{Components, Process};

/// How an adaptive solver chooses its steps.
///
/// The error estimate e of a step is measured as ‖e‖ = √(1/D Σ (eᵢ/(atol + rtol·max(|xᵢ|, |xᵢ⁺|)))²);
/// a step is accepted when ‖e‖ ≤ 1, and the next one is longer by about the factor
/// 0.9 ‖e‖^{−0.85/k} ‖e_prev‖^{0.2/k} in [0.2, 10], k = q + 1 with q the order of the embedded
/// solution (the PI controller of DOPRI5: Hairer & Wanner, *Solving Ordinary Differential
/// Equations II*, IV.2).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tolerance {
    /// The relative tolerance.
    pub rtol: f64,
    /// The absolute tolerance.
    pub atol: f64,
    /// The most steps of one trajectory, rejected ones included.
    pub max_steps: usize,
}

impl Tolerance {
    /// The same relative and absolute tolerance, and up to 1,000,000 steps.
    pub fn new(tolerance: f64) -> Self {
        Tolerance {
            rtol: tolerance,
            atol: tolerance,
            max_steps: 1_000_000,
        }
    }

    pub(crate) fn check(&self) -> Result<(), SimError> {
        for (what, value) in [
            ("relative tolerance", self.rtol),
            ("absolute tolerance", self.atol),
        ] {
            if !(value > 0.0 && value.is_finite()) {
                return Err(SimError::Tolerance { what, value });
            }
        }
        super::check_steps(self.max_steps)
    }
}

/// A one-step method with an error estimate and dense output.
pub trait Embedded: Sync {
    /// Intermediate values of a step.
    #[doc(hidden)]
    type Work<S: Simd, P: Process>;

    /// The name in prose.
    fn title(&self) -> &'static str;
    /// The order of the embedded solution.
    #[doc(hidden)]
    fn error_order(&self) -> u32;
    /// Room for a step, prepared at the start (t, x).
    #[doc(hidden)]
    fn work<S: Simd, P: Process>(&self, process: &P, t: S, x: &P::State<S>) -> Self::Work<S, P>;
    /// Tries a step of signed length `h`: the new state and the error estimate.
    #[doc(hidden)]
    fn attempt<S: Simd, P: Process>(
        &self,
        process: &P,
        clock: Clock<S>,
        x: &P::State<S>,
        work: &mut Self::Work<S, P>,
        new: &mut P::State<S>,
        error: &mut P::State<S>,
    );
    /// The state at t + θh of the step just tried.
    #[doc(hidden)]
    fn interpolate<S: Simd, P: Process>(
        &self,
        theta: S,
        h: S,
        x: &P::State<S>,
        work: &Self::Work<S, P>,
        out: &mut P::State<S>,
    );
    /// Prepares the next step of the lanes in `accepted`.
    #[doc(hidden)]
    fn accept<S: Simd, P: Process>(&self, accepted: S::Mask, work: &mut Self::Work<S, P>);
    /// f at the current state, where the method has it at hand.
    #[doc(hidden)]
    fn slope<'w, S: Simd, P: Process>(&self, work: &'w Self::Work<S, P>) -> &'w P::State<S>;
}

/// Where a step begins and how long it is, and the interval that no evaluation may leave.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct Clock<S> {
    pub(crate) t: S,
    /// Signed.
    pub(crate) h: S,
    pub(crate) low: S,
    pub(crate) high: S,
}

impl<S: Simd> Clock<S> {
    /// t + ch, inside the interval whatever the rounding.
    #[inline(always)]
    pub(crate) fn at(&self, c: f64) -> S {
        (self.t + self.h * c).max(self.low).min(self.high)
    }
}

/// An embedded method with steps of its own choice for every trajectory. Saved states come from
/// its dense output, so that saving does not change the steps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adaptive<M> {
    method: M,
    tolerance: Tolerance,
}

impl<M: Embedded> Adaptive<M> {
    /// `method` with that tolerance.
    pub fn new(method: M, tolerance: Tolerance) -> Self {
        Adaptive { method, tolerance }
    }
}

impl<M: Embedded> Solver for Adaptive<M> {
    const UNITS: usize = 1;

    fn title(&self) -> &'static str {
        self.method.title()
    }

    fn grid(&self) -> Grid {
        Grid::Any
    }

    fn check<P: Process>(&self, process: &P) -> Result<(), SimError> {
        self.tolerance.check()?;
        check_no_noise(process, self.title())
    }

    #[inline(always)]
    fn block<S: Simd, P: Process>(&self, process: &P, task: &Task<'_>, block: &mut Block<'_, S>) {
        let (dim, saves) = (process.dim(), task.save.len());
        let direction = (task.to - task.from).signum();
        // Elapsed time runs from 0 to `length`, whatever the direction.
        let length = S::splat((task.to - task.from).abs());
        let from = S::splat(task.from);
        let (low, high) = (
            S::splat(task.from.min(task.to)),
            S::splat(task.from.max(task.to)),
        );
        let clock = |s: S, h: S| Clock {
            t: s.mul_add(S::splat(direction), from).max(low).min(high),
            h: h * direction,
            low,
            high,
        };
        let least = S::splat(4.0 * S::Real::EPSILON * task.from.abs().max(task.to.abs()));
        let weights = weights::<S>(&self.tolerance, dim);
        let controller = Controller::<S>::new(self.method.error_order());

        let mut x = P::State::<S>::zeros(dim);
        block.load(0, x.as_mut());
        let mut work = self.method.work::<S, P>(process, from, &x);
        let mut new = P::State::<S>::zeros(dim);
        let mut error = P::State::<S>::zeros(dim);
        let mut h = self.first_step(process, &clock, length, &x, &mut work);
        let zero = S::splat(0.0);
        let one = S::splat(1.0);
        // Elapsed time with the rounding error of its sum (Kahan).
        let (mut s, mut lost) = (zero, zero);
        let mut previous = Controller::size(one);
        let mut active = !S::Mask::splat(false) & finite(x.as_ref());
        let mut events =
            (P::EVENTS && process.has_event()).then(|| Events::<S>::new(process, from, &x));

        // Per lane, the next save time.
        let mut next_save = [0_usize; MAX_LANES];
        let due = |k: usize| {
            task.save
                .get(k)
                .map_or(f64::INFINITY, |t| (t - task.from).abs())
        };
        let mut due_lanes = [S::Real::default(); MAX_LANES];
        for lane in 0..S::LANES {
            while due(next_save[lane]) <= 0.0 {
                block.save_lane(lane, next_save[lane], saves, x.as_ref());
                next_save[lane] += 1;
            }
            due_lanes[lane] = S::Real::from_f64(due(next_save[lane]));
        }

        let mut steps = 0;
        while active.any() {
            if steps == self.tolerance.max_steps {
                self.give_up(active, s, task, block, Fault::TooManySteps);
                break;
            }
            steps += 1;
            let rest = length - s - lost;
            let last = rest.le(h);
            let step = h.min(rest);
            let now = clock(s, step);
            self.method
                .attempt(process, now, &x, &mut work, &mut new, &mut error);
            let square = mean_square(error.as_ref(), x.as_ref(), new.as_ref(), weights);
            let accepted = active & square.le(one);
            let size = Controller::size(square);
            let factor = controller.factor(accepted, size, previous);
            previous = S::select(accepted, size, previous);

            let shifted = step + lost;
            let sum = s + shifted;
            let reached = S::select(last, length, sum);
            // Save times inside the step come from dense output.
            loop {
                let times = S::load(&due_lanes);
                let ready = accepted & times.le(reached);
                if !ready.any() {
                    break;
                }
                let theta = ((times - s - lost) / step).max(zero).min(one);
                let mut y = new.clone();
                self.method
                    .interpolate::<S, P>(theta, now.h, &x, &work, &mut y);
                // The end of the step is the new state itself.
                let end = reached.le(times);
                for (y, new) in y.as_mut().iter_mut().zip(new.as_ref()) {
                    *y = S::select(end, *new, *y);
                }
                for lane in 0..S::LANES {
                    if ready.get(lane) {
                        block.save_lane(lane, next_save[lane], saves, y.as_ref());
                        next_save[lane] += 1;
                        due_lanes[lane] = S::Real::from_f64(due(next_save[lane]));
                    }
                }
            }
            let mut stopped = S::Mask::splat(false);
            if let Some(events) = &mut events {
                stopped = events.after_step(
                    process,
                    (now.t, now.h),
                    accepted,
                    &mut new,
                    |theta, y| self.method.interpolate::<S, P>(theta, now.h, &x, &work, y),
                    block.stops,
                );
            }
            for (x, new) in x.as_mut().iter_mut().zip(new.as_ref()) {
                *x = S::select(accepted, *new, *x);
            }
            if stopped.any() {
                self.finish_stopped(stopped, task, block, &mut next_save, x.as_ref());
            }
            self.method.accept::<S, P>(accepted, &mut work);
            lost = S::select(accepted, shifted - (sum - s), lost);
            s = S::select(accepted, reached, s);
            active = active & !(accepted & last) & !stopped;
            h = step * factor;
            let small = active & h.lt(least);
            if small.any() {
                // The end may be nearer than the least step.
                let small = small & h.lt(length - s);
                self.give_up(small, s, task, block, |t, _| Fault::StepUnderflow(t));
                active = active & !small;
            }
        }
    }
}

impl<M: Embedded> Adaptive<M> {
    /// A first step from the sizes of x, x' and x'' (Hairer, Nørsett & Wanner, *Solving Ordinary
    /// Differential Equations I*, II.4).
    #[inline(always)]
    fn first_step<S: Simd, P: Process>(
        &self,
        process: &P,
        clock: &impl Fn(S, S) -> Clock<S>,
        length: S,
        x: &P::State<S>,
        work: &mut M::Work<S, P>,
    ) -> S {
        let k = f64::from(self.method.error_order() + 1);
        let zero = S::splat(0.0);
        let f0 = self.method.slope::<S, P>(work).clone();
        let d0 = norm(x.as_ref(), x.as_ref(), x.as_ref(), &self.tolerance);
        let d1 = norm(f0.as_ref(), x.as_ref(), x.as_ref(), &self.tolerance);
        let tiny = d0.lt(S::splat(1e-5)) | d1.lt(S::splat(1e-5));
        let h0 = S::select(tiny, length * 1e-6, d0 / d1 * 0.01).min(length);
        let begin = clock(zero, h0);
        let mut y = x.clone();
        super::block::add(y.as_mut(), begin.h, f0.as_ref());
        let mut f1 = f0.clone();
        process.drift(begin.at(1.0), &y, &mut f1);
        for (f1, f0) in f1.as_mut().iter_mut().zip(f0.as_ref()) {
            *f1 = *f1 - *f0;
        }
        let d2 = norm(f1.as_ref(), x.as_ref(), x.as_ref(), &self.tolerance) / h0;
        let most = d1.max(d2);
        let h1 = ((S::splat(0.01) / most).ln() * (1.0 / k)).exp();
        let flat = most.le(S::splat(1e-15));
        let h1 = S::select(flat, h0.max(length * 1e-3), h1);
        let h = (h0 * 100.0).min(h1).min(length);
        // A start at which f is not finite has no good first step.
        S::select(zero.lt(h), h, length * 1e-6)
    }

    /// Records a fault at the current time of the lanes in `who`.
    #[inline(always)]
    fn give_up<S: Simd>(
        &self,
        who: S::Mask,
        s: S,
        task: &Task<'_>,
        block: &mut Block<'_, S>,
        fault: impl Fn(f64, usize) -> Fault,
    ) {
        let mut elapsed = [S::Real::default(); MAX_LANES];
        s.store(&mut elapsed);
        let direction = (task.to - task.from).signum();
        for (lane, elapsed) in elapsed.iter().enumerate().take(S::LANES) {
            if who.get(lane) && block.faults[lane].is_none() {
                let t = task.from + direction * elapsed.to_f64();
                block.faults[lane] = Some(fault(t, self.tolerance.max_steps));
            }
        }
    }

    /// Lanes that an event stopped keep their state for the save times to come.
    #[inline(always)]
    fn finish_stopped<S: Simd>(
        &self,
        stopped: S::Mask,
        task: &Task<'_>,
        block: &mut Block<'_, S>,
        next_save: &mut [usize],
        x: &[S],
    ) {
        for (lane, next_save) in next_save.iter_mut().enumerate().take(S::LANES) {
            if stopped.get(lane) {
                // Saves of this step after the event were taken from the step: take them again.
                let direction = (task.to - task.from).signum();
                let stop = (block.stops[lane] - task.from) * direction;
                while *next_save > 0 && (task.save[*next_save - 1] - task.from) * direction > stop {
                    *next_save -= 1;
                }
                for k in *next_save..task.save.len() {
                    block.save_lane(lane, k, task.save.len(), x);
                }
                *next_save = task.save.len();
            }
        }
    }
}
