//! A block of trajectories, one per lane, and what is asked of it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

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

/// What the workers of an ensemble and the one who watches them tell each other.
#[derive(Debug, Default)]
pub(crate) struct Pulse {
    stop: AtomicBool,
    /// The work that is done, in parts of a trajectory.
    done: AtomicU64,
}

impl Pulse {
    /// Parts of a trajectory.
    const PARTS: u64 = 1 << 20;

    /// Asks the workers to stop.
    pub(crate) fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Whether they were asked to.
    pub(crate) fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Forgets the work that is done.
    pub(crate) fn restart(&self) {
        self.done.store(0, Ordering::Relaxed);
    }

    /// The work that is done, in trajectories.
    pub(crate) fn done(&self) -> f64 {
        self.done.load(Ordering::Relaxed) as f64 / Self::PARTS as f64
    }

    /// Notes that `count` trajectories are done, of which `before` parts were noted already.
    pub(crate) fn finish(&self, count: u64, before: u64) {
        let all = count * Self::PARTS;
        self.done
            .fetch_add(all.saturating_sub(before), Ordering::Relaxed);
    }

    /// Notes the `share`-th part of `count` trajectories and gives it.
    fn note(&self, count: u64, share: usize) -> u64 {
        let part = count * Self::PARTS / share.max(1) as u64;
        self.done.fetch_add(part, Ordering::Relaxed);
        part
    }
}

/// The places of save times in the results, where some entries of [`Task::save_steps`] are only
/// there to look up from the work.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Places<'a> {
    /// The place of each entry, or [`Places::LOOK`]; empty where every entry is saved.
    pub(crate) of: &'a [usize],
    /// How many entries are saved.
    pub(crate) saves: usize,
    /// How many are not.
    pub(crate) looks: usize,
}

impl Places<'_> {
    /// An entry at which nothing is saved.
    pub(crate) const LOOK: usize = usize::MAX;
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
    pub(crate) places: Places<'a>,
    pub(crate) pulse: &'a Pulse,
    /// How many lanes are trajectories of the ensemble.
    pub(crate) real: usize,
    /// The parts of its trajectories' work that `pulse` knows of.
    pub(crate) noted: u64,
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
    /// trajectories are not finite. Gives whether to go on.
    #[inline(always)]
    pub(crate) fn save(
        &mut self,
        unit: usize,
        (mut k, mut saves, t): (usize, usize, f64),
        x: &[S],
    ) -> bool {
        if let Some(&place) = self.places.of.get(k) {
            if place == Places::LOOK {
                return self.look(unit);
            }
            (k, saves) = (place, self.places.saves);
        }
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
        true
    }

    /// Says how far the work is, and gives whether to go on.
    #[cold]
    fn look(&mut self, unit: usize) -> bool {
        if unit == 0 {
            let share = self.places.looks + 1;
            self.noted += self.pulse.note(self.real as u64, share);
        }
        !self.pulse.stopped()
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
