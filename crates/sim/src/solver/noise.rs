//! The normal numbers of a block's trajectories, made as they are needed.

use crate::lane::{Real, Simd, Streams};
use crate::rng::{Address, Purpose};

/// Numbers made at a time: what fits the first-level cache beside the state.
const BUFFER: usize = 2048;

/// The streams of a block's trajectories, in step: number `j` of trajectory `i` is the `j`-th
/// normal number of the address (seed, solver, i, 0).
pub(crate) struct Normals<S: Simd> {
    at: Streams,
    /// `[numbers, lanes]`.
    buffer: Vec<S::Real>,
    /// The trajectories of the block: several registers full.
    lanes: usize,
    per_step: usize,
    /// Where the numbers of the current step begin, and where those of the next, in numbers per
    /// trajectory.
    now: usize,
    next: usize,
    made: usize,
    block: u32,
    /// How many numbers are still to be made.
    left: usize,
}

impl<S: Simd> Normals<S> {
    /// The streams of the block that begins with trajectory `first`, for `steps` steps of
    /// `per_step` numbers each.
    #[inline(always)]
    pub(crate) fn new(seed: u64, first: u64, units: usize, per_step: usize, steps: usize) -> Self {
        let lanes = units * S::LANES;
        let least = (per_step + S::Real::NORMALS_PER_BLOCK) * lanes;
        Normals {
            at: Streams(Address {
                seed,
                purpose: Purpose::Solver,
                first,
                draw: 0,
            }),
            buffer: vec![S::Real::default(); BUFFER.max(least)],
            lanes,
            per_step,
            now: 0,
            next: 0,
            made: 0,
            block: 0,
            left: per_step * steps,
        }
    }

    /// Goes on to the next step.
    #[inline(always)]
    pub(crate) fn advance(&mut self) {
        self.now = self.next;
        if self.now + self.per_step > self.made {
            self.refill();
        }
        self.next = self.now + self.per_step;
    }

    /// Number `j` of the current step, for the trajectories of a unit.
    #[inline(always)]
    pub(crate) fn get(&self, j: usize, unit: usize) -> S {
        S::load(&self.buffer[(self.now + j) * self.lanes + unit * S::LANES..])
    }

    #[inline(always)]
    fn refill(&mut self) {
        // What is left over moves to the front.
        self.buffer
            .copy_within(self.now * self.lanes..self.made * self.lanes, 0);
        let kept = self.made - self.now;
        let per_block = S::Real::NORMALS_PER_BLOCK;
        let numbers = per_block * self.lanes;
        let room = (self.buffer.len() - kept * self.lanes) / numbers;
        let blocks = self.left.div_ceil(per_block).clamp(1, room);
        for block in self.buffer[kept * self.lanes..]
            .chunks_exact_mut(numbers)
            .take(blocks)
        {
            S::Real::normals(self.at, self.block, block);
            self.block = self.block.wrapping_add(1);
        }
        self.now = 0;
        self.made = kept + blocks * per_block;
        self.left = self.left.saturating_sub(blocks * per_block);
    }
}
