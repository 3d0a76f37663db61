//! Normal numbers for the trajectories in SIMD lanes.

use super::Purpose;
use super::elementary::{box_muller, box_muller_f64};
use super::philox::{key, philox, sample_words};

/// Where the noise of a block of trajectories comes from: lane `i` walks the stream
/// (seed, purpose, first + i, draw).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Address {
    pub(crate) seed: u64,
    pub(crate) purpose: Purpose,
    /// A multiple of the number of lanes, which is a power of two.
    pub(crate) first: u64,
    pub(crate) draw: u32,
}

/// Numbers `4·block..4·block + 4` of `out.len() / 4` streams, as `[4, lanes]`.
#[inline(always)]
pub(crate) fn normals_f32(at: Address, block: u32, out: &mut [f32]) {
    let lanes = out.len() / 4;
    debug_assert!(lanes.is_power_of_two() && at.first.is_multiple_of(lanes as u64));
    let key = key(at.seed);
    let [first, high] = sample_words(at.purpose, at.first);
    let (out0, rest) = out.split_at_mut(lanes);
    let (out1, rest) = rest.split_at_mut(lanes);
    let (out2, out3) = rest.split_at_mut(lanes);
    for (i, (((out0, out1), out2), out3)) in
        out0.iter_mut().zip(out1).zip(out2).zip(out3).enumerate()
    {
        // `first` is aligned, so the sum does not carry into the high word.
        let w = philox(key, [block, at.draw, first | i as u32, high]);
        (*out0, *out1) = box_muller(w[0], w[1]);
        (*out2, *out3) = box_muller(w[2], w[3]);
    }
}

/// Numbers `2·block..2·block + 2` of `out.len() / 2` streams, as `[2, lanes]`.
#[inline(always)]
pub(crate) fn normals_f64(at: Address, block: u32, out: &mut [f64]) {
    let lanes = out.len() / 2;
    debug_assert!(lanes.is_power_of_two() && at.first.is_multiple_of(lanes as u64));
    let key = key(at.seed);
    let [first, high] = sample_words(at.purpose, at.first);
    let (out0, out1) = out.split_at_mut(lanes);
    for (i, (out0, out1)) in out0.iter_mut().zip(out1).enumerate() {
        let w = philox(key, [block, at.draw, first | i as u32, high]);
        (*out0, *out1) = box_muller_f64(w);
    }
}
