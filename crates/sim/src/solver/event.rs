//! Stopping a trajectory where a function of time and state crosses zero.

use super::MAX_UNITS;
use super::block::Task;
use crate::lane::{Mask, Real, Simd};
use crate::process::{Components, Process};

/// The event function's value at the last step, and who has stopped.
pub(crate) struct Events<S: Simd> {
    value: S,
    pub(crate) stopped: S::Mask,
}

/// Bisections: each halves the part of a step in which the crossing lies.
fn bisections<S: Simd>() -> usize {
    if S::Real::SINGLE { 26 } else { 54 }
}

impl<S: Simd> Events<S> {
    #[inline(always)]
    pub(crate) fn new<P: Process>(process: &P, t: S, x: &P::State<S>) -> Self {
        Events {
            value: process.event(t, x),
            stopped: S::Mask::splat(false),
        }
    }

    /// After a step of the lanes in `moved` from time `t` by `h` (signed) to the state `x`: where
    /// the function changed its sign, `x` becomes the state at the crossing and the lane stops.
    /// `interpolate(θ, out)` writes the state at t + θh. Returns the lanes that stopped now.
    #[inline(always)]
    pub(crate) fn after_step<P: Process>(
        &mut self,
        process: &P,
        (t, h): (S, S),
        moved: S::Mask,
        x: &mut P::State<S>,
        mut interpolate: impl FnMut(S, &mut P::State<S>),
        stops: &mut [f64],
    ) -> S::Mask {
        let zero = S::splat(0.0);
        let before = self.value;
        let after = process.event(t + h, x);
        let crossed = moved
            & !self.stopped
            & ((before.lt(zero) & zero.le(after)) | (zero.lt(before) & after.le(zero)));
        self.value = S::select(moved, after, before);
        if !crossed.any() {
            return crossed;
        }
        let (mut low, mut high) = (zero, S::splat(1.0));
        let mut y = x.clone();
        for _ in 0..bisections::<S>() {
            let middle = (low + high) * 0.5;
            interpolate(middle, &mut y);
            let value = process.event(h.mul_add(middle, t), &y);
            let same = (before.lt(zero) & value.lt(zero)) | (zero.lt(before) & zero.lt(value));
            low = S::select(same, middle, low);
            high = S::select(same, high, middle);
        }
        interpolate(high, &mut y);
        for (x, y) in x.as_mut().iter_mut().zip(y.as_ref()) {
            *x = S::select(crossed, *y, *x);
        }
        let mut times = [S::Real::default(); super::block::MAX_LANES];
        h.mul_add(high, t).store(&mut times);
        for (lane, stop) in stops.iter_mut().enumerate().take(S::LANES) {
            if crossed.get(lane) {
                *stop = times[lane].to_f64();
            }
        }
        self.stopped = self.stopped | crossed;
        crossed
    }
}

/// The cubic through (x₀, f₀) at θ = 0 and (x₁, f₁) at θ = 1, for steps of signed length h.
#[inline(always)]
pub(crate) fn hermite<S: Simd>(
    (theta, h): (S, S),
    [x0, f0]: [&[S]; 2],
    [x1, f1]: [&[S]; 2],
    out: &mut [S],
) {
    let rest = S::splat(1.0) - theta;
    let (w0, w1) = (rest * rest * theta * h, theta * theta * rest * h);
    let blend = theta * theta * (S::splat(3.0) - theta * 2.0);
    for (i, out) in out.iter_mut().enumerate() {
        *out = x0[i] + (x1[i] - x0[i]) * blend + f0[i] * w0 - f1[i] * w1;
    }
}

/// Watches the event function between the equal steps of a block's units.
pub(crate) struct Watch<S: Simd, P: Process> {
    events: [Option<Events<S>>; MAX_UNITS],
    before: [P::State<S>; MAX_UNITS],
    slope: P::State<S>,
}

impl<S: Simd, P: Process> Watch<S, P> {
    /// Nothing where the process has no event.
    #[inline(always)]
    pub(crate) fn new(process: &P, task: &Task<'_>, x: &[P::State<S>]) -> Option<Self> {
        if !P::EVENTS || !process.has_event() {
            return None;
        }
        let from = S::splat(task.from);
        let zeros = || P::State::<S>::zeros(process.dim());
        Some(Watch {
            events: std::array::from_fn(|u| x.get(u).map(|x| Events::new(process, from, x))),
            before: std::array::from_fn(|_| zeros()),
            slope: zeros(),
        })
    }

    /// Keeps the state before a step.
    #[inline(always)]
    pub(crate) fn before(&mut self, x: &[P::State<S>]) {
        for (before, x) in self.before.iter_mut().zip(x) {
            before.as_mut().copy_from_slice(x.as_ref());
        }
    }

    /// After a step from `t` by `h`: trajectories that crossed stop at the crossing, those that
    /// had stopped stay. Between the steps the state is taken from the cubic through both ends and
    /// their slopes (`k[unit][0]` is the first), or, without slopes, from the line.
    #[inline(always)]
    pub(crate) fn after<const N: usize>(
        &mut self,
        process: &P,
        (t, h): (f64, f64),
        x: &mut [P::State<S>],
        k: Option<&[[P::State<S>; N]; MAX_UNITS]>,
        stops: &mut [f64],
    ) {
        let span = S::splat(h);
        for (unit, x) in x.iter_mut().enumerate() {
            let Some(events) = &mut self.events[unit] else {
                continue;
            };
            let before = &self.before[unit];
            let moved = !events.stopped;
            for (x, before) in x.as_mut().iter_mut().zip(before.as_ref()) {
                *x = S::select(moved, *x, *before);
            }
            let end = x.clone();
            if k.is_some() {
                process.drift(S::splat(t + h), &end, &mut self.slope);
            }
            let slope = &self.slope;
            let first = unit * S::LANES;
            events.after_step(
                process,
                (S::splat(t), span),
                moved,
                x,
                |theta, out| match k {
                    Some(k) => hermite(
                        (theta, span),
                        [before.as_ref(), k[unit][0].as_ref()],
                        [end.as_ref(), slope.as_ref()],
                        out.as_mut(),
                    ),
                    None => line(theta, before.as_ref(), end.as_ref(), out.as_mut()),
                },
                &mut stops[first..first + S::LANES],
            );
        }
    }
}

/// The line through x₀ at θ = 0 and x₁ at θ = 1: between two steps of a rough path nothing better
/// is known.
#[inline(always)]
pub(crate) fn line<S: Simd>(theta: S, x0: &[S], x1: &[S], out: &mut [S]) {
    for (i, out) in out.iter_mut().enumerate() {
        *out = (x1[i] - x0[i]).mul_add(theta, x0[i]);
    }
}
