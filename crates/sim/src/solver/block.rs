//! A block of trajectories, one per lane, and what is asked of it.

use crate::lane::{Mask, Simd};

/// What is asked of every trajectory.
#[derive(Clone, Copy, Debug)]
pub struct Task<'a> {
    /// The time of the start.
    pub from: f64,
    /// The time of the end.
    pub to: f64,
    /// When to save, in the order of time.
    pub save: &'a [f64],
    /// The same as numbers of steps, for solvers with equal steps.
    pub save_steps: &'a [usize],
    /// The seed of the noise.
    pub seed: u64,
}

/// How a trajectory failed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fault {
    /// It is not finite at this save time or, found again step by step, time.
    BlowUp(f64),
    /// The adaptive step became too small at this time.
    StepUnderflow(f64),
    /// The step limit was reached at this time.
    TooManySteps(f64, usize),
}

/// The trajectories of one block, some registers full: lane `i` of unit `u` is trajectory
/// `first + u·LANES + i`.
pub struct Block<'a, S: Simd> {
    pub(crate) first: u64,
    /// The registers side by side.
    pub(crate) units: usize,
    /// `[units · LANES, dim]`.
    pub(crate) start: &'a [S::Real],
    /// `[units · LANES, save times, dim]`.
    pub(crate) out: &'a mut [S::Real],
    pub(crate) dim: usize,
    /// Per lane.
    pub(crate) faults: &'a mut [Option<Fault>],
    /// Per lane: when an event stopped it, NaN when none did.
    pub(crate) stops: &'a mut [f64],
}

/// The most lanes of a register, or of several side by side as one lane type.
pub(crate) const MAX_LANES: usize = 128;

impl<S: Simd> Block<'_, S> {
    /// Loads the starting state of a unit.
    #[inline(always)]
    pub(crate) fn load(&self, unit: usize, x: &mut [S]) {
        let mut lanes = [S::Real::default(); MAX_LANES];
        let start = &self.start[unit * S::LANES * self.dim..];
        for (d, x) in x.iter_mut().enumerate() {
            for (lane, value) in lanes[..S::LANES].iter_mut().enumerate() {
                *value = start[lane * self.dim + d];
            }
            *x = S::load(&lanes);
        }
    }

    /// Writes the state of a unit at save time `k` of `saves`, and notes at time `t` which of its
    /// trajectories are not finite.
    #[inline(always)]
    pub(crate) fn save(&mut self, unit: usize, (k, saves, t): (usize, usize, f64), x: &[S]) {
        let first = unit * S::LANES;
        note_blow_ups(x, t, &mut self.faults[first..first + S::LANES]);
        let mut lanes = [S::Real::default(); MAX_LANES];
        let out = &mut self.out[first * saves * self.dim..];
        for (d, x) in x.iter().enumerate() {
            x.store(&mut lanes);
            for (lane, value) in lanes[..S::LANES].iter().enumerate() {
                out[(lane * saves + k) * self.dim + d] = *value;
            }
        }
    }

    /// Writes the state of one lane of the first unit at save time `k`.
    #[inline(always)]
    pub(crate) fn save_lane(&mut self, lane: usize, k: usize, saves: usize, x: &[S]) {
        let mut lanes = [S::Real::default(); MAX_LANES];
        for (d, x) in x.iter().enumerate() {
            x.store(&mut lanes);
            self.out[(lane * saves + k) * self.dim + d] = lanes[lane];
        }
    }
}

/// Lanes whose every component is finite.
#[inline(always)]
pub(crate) fn finite<S: Simd>(x: &[S]) -> S::Mask {
    // 0·x is 0 for finite x and NaN otherwise, and NaN stays NaN in a sum.
    let mut sum = S::splat(0.0);
    for x in x {
        sum = x.mul_add(S::splat(0.0), sum);
    }
    sum.le(S::splat(0.0))
}

/// Notes a blow-up at time `t` for the lanes that are not finite.
#[inline(always)]
pub(crate) fn note_blow_ups<S: Simd>(x: &[S], t: f64, faults: &mut [Option<Fault>]) {
    let fine = finite(x);
    if !fine.all() {
        for (lane, fault) in faults.iter_mut().enumerate().take(S::LANES) {
            if !fine.get(lane) && fault.is_none() {
                *fault = Some(Fault::BlowUp(t));
            }
        }
    }
}

/// y ← y + w k.
#[inline(always)]
pub(crate) fn add<S: Simd>(y: &mut [S], w: S, k: &[S]) {
    for (y, k) in y.iter_mut().zip(k) {
        *y = k.mul_add(w, *y);
    }
}
