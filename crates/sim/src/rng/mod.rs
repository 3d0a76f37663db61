//! Counter-based random numbers: every number is a pure function of its address.
//!
//! The generator is Philox4x32-10 (Salmon, Moraes, Dror, Shaw, *Parallel random numbers: as easy as
//! 1, 2, 3*, SC 2011). A number's address is (seed, purpose, sample, draw, element); there is no
//! state to advance, so the order in which numbers are made cannot matter:
//!
//! * a sample's numbers do not depend on the batch it is made in, on the number of threads, or on
//!   where a run was resumed;
//! * element `j` of a row does not depend on the row's length (a longer row starts with the shorter
//!   row's numbers);
//! * the floating-point code uses only IEEE `+ − × ÷ √` and integer operations, without fused
//!   multiply-add and without the platform's libm, so the bits do not depend on the machine or on
//!   its SIMD width either.
//!
//! The layout of the 64-bit key and the 128-bit counter (frozen; all words little end first):
//!
//! | word | holds |
//! |---|---|
//! | key 0, key 1 | `seed` low, high 32 bits |
//! | counter 0 | block: numbers `4i..4i+4` of 32 bits, or `2i..2i+2` of 64 bits, come from block `i` |
//! | counter 1 | `draw` |
//! | counter 2 | `sample`, bits 0..32 |
//! | counter 3 | `sample`, bits 32..48, and `purpose << 16` |
//!
//! ```
//! use fokker_sim::rng::{normal_rows, Purpose, Stream};
//!
//! let mut batch = [0.0; 3 * 2]; // samples 5, 6, 7 in two dimensions
//! normal_rows(42, Purpose::Init, 5..8, 0, 2, &mut batch);
//!
//! let mut alone = [0.0; 2];
//! Stream::new(42, Purpose::Init, 6, 0).normals(&mut alone);
//! assert_eq!(batch[2..4], alone);
//! ```

mod cursor;
mod elementary;
mod kernel;
mod lanes;
mod philox;
mod rows;

pub use cursor::Cursor;
pub(crate) use lanes::{Address, normals_f32, normals_f64};
pub use rows::{normal_rows, permutation, uniform_rows};

use kernel::{Bits, Job, Normals, NormalsF64, Uniforms, UniformsF64};

/// What a random number is for. Two purposes never share a number. The values are frozen: they are
/// part of a number's address, and with it of every recorded result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u16)]
pub enum Purpose {
    /// The initial noise of a sample.
    Init = 0,
    /// The noise an SDE solver adds in its steps.
    Solver = 1,
    /// Training times.
    Time = 2,
    /// Generation of toy data.
    Data = 3,
    /// The order of a data set's rows in an epoch.
    Order = 4,
    /// Which labels classifier-free training drops.
    Drop = 5,
    /// The noise ε that training mixes into data.
    Noise = 6,
    /// Initial network weights.
    Weights = 7,
    /// Data augmentation.
    Augment = 8,
    /// Random projections and pair draws in evaluation.
    Project = 9,
    /// Tests.
    Test = 10,
    /// Which start goes with which data point.
    Couple = 11,
}

/// The numbers of one address (seed, purpose, sample, draw): a row of any length.
///
/// A stream is a value, not a state. Each method fills its slice from element 0 on, so calling one
/// twice gives the same numbers, and methods of different kinds give *different views of the same
/// bits*: take numbers of only one kind from one address, or walk it with a [`Cursor`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stream {
    seed: u64,
    purpose: Purpose,
    sample: u64,
    draw: u32,
}

impl Stream {
    /// The stream at (seed, purpose, sample, draw).
    ///
    /// # Panics
    /// When `sample` is not below 2⁴⁸, the width of its field in the counter.
    pub fn new(seed: u64, purpose: Purpose, sample: u64, draw: u32) -> Stream {
        assert!(
            sample < 1 << 48,
            "a random stream's sample index must be below 2^48, got {sample}"
        );
        Stream {
            seed,
            purpose,
            sample,
            draw,
        }
    }

    /// The `i`-th Philox4x32-10 block of this stream: four words of 32 random bits.
    pub fn block(&self, i: u32) -> [u32; 4] {
        let [sample_lo, sample_hi] = philox::sample_words(self.purpose, self.sample);
        let counter = [i, self.draw, sample_lo, sample_hi];
        philox::philox(philox::key(self.seed), counter)
    }

    /// Fills `out` with raw bits: element `4i + k` is word `k` of block `i`.
    ///
    /// # Panics
    /// Like all fills, when `out` is longer than the 2³² blocks of a stream.
    pub fn bits(&self, out: &mut [u32]) {
        kernel::fill::<Bits>(&self.job(out.len()), out);
    }

    /// Fills `out` with uniform numbers k/2²⁴ in [0, 1), one per word.
    pub fn uniforms(&self, out: &mut [f32]) {
        kernel::fill::<Uniforms>(&self.job(out.len()), out);
    }

    /// Fills `out` with uniform numbers k/2⁵³ in [0, 1), one per two words.
    pub fn uniforms_f64(&self, out: &mut [f64]) {
        kernel::fill::<UniformsF64>(&self.job(out.len()), out);
    }

    /// Fills `out` with standard normal numbers by Box and Muller's transform.
    ///
    /// Each pair of words (w, v) gives √(−2 ln u) · (cos 2πv/2³², sin 2πv/2³²) with
    /// u = (w + ½)/2³², so |x| ≤ 6.77. The result is within a few units in the last place of that
    /// formula's exact value.
    pub fn normals(&self, out: &mut [f32]) {
        kernel::fill::<Normals>(&self.job(out.len()), out);
    }

    /// Fills `out` with standard normal numbers in double precision, two per block: as
    /// [`Stream::normals`], with 52 bits for the radius and 52 for the angle, so |x| ≤ 8.58.
    pub fn normals_f64(&self, out: &mut [f64]) {
        kernel::fill::<NormalsF64>(&self.job(out.len()), out);
    }

    /// Numbers drawn one after another, for code whose number of draws is not known beforehand.
    pub fn cursor(self) -> Cursor {
        Cursor::new(self)
    }

    fn job(&self, dim: usize) -> Job {
        Job {
            seed: self.seed,
            purpose: self.purpose,
            first_sample: self.sample,
            draw: self.draw,
            first_block: 0,
            dim,
        }
    }
}
