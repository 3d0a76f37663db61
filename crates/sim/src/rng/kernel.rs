//! The loop from addresses to numbers: one source, compiled for several instruction sets.

use super::Purpose;
use super::elementary::{box_muller, box_muller_f64, uniform, uniform_f64};
use super::philox::{key, philox, sample_words};

/// Which numbers to make: rows of `dim` for the samples from `first_sample` on. With more than one
/// row `first_block` is 0; a single row may start at any block.
#[derive(Clone, Copy, Debug)]
pub(super) struct Job {
    pub(super) seed: u64,
    pub(super) purpose: Purpose,
    pub(super) first_sample: u64,
    pub(super) draw: u32,
    pub(super) first_block: u32,
    pub(super) dim: usize,
}

/// A kind of number: how the four words of a block become `PER_BLOCK` numbers.
pub(super) trait Kind {
    type Out: Copy + Default + Send;
    const PER_BLOCK: usize;
    /// `out.len() == PER_BLOCK`.
    fn put(words: [u32; 4], out: &mut [Self::Out]);
}

pub(super) enum Bits {}
pub(super) enum Uniforms {}
pub(super) enum UniformsF64 {}
pub(super) enum Normals {}
pub(super) enum NormalsF64 {}

impl Kind for Bits {
    type Out = u32;
    const PER_BLOCK: usize = 4;
    #[inline(always)]
    fn put(words: [u32; 4], out: &mut [u32]) {
        out.copy_from_slice(&words);
    }
}

impl Kind for Uniforms {
    type Out = f32;
    const PER_BLOCK: usize = 4;
    #[inline(always)]
    fn put(words: [u32; 4], out: &mut [f32]) {
        out.copy_from_slice(&words.map(uniform));
    }
}

impl Kind for UniformsF64 {
    type Out = f64;
    const PER_BLOCK: usize = 2;
    #[inline(always)]
    fn put(w: [u32; 4], out: &mut [f64]) {
        out[0] = uniform_f64(w[0], w[1]);
        out[1] = uniform_f64(w[2], w[3]);
    }
}

impl Kind for Normals {
    type Out = f32;
    const PER_BLOCK: usize = 4;
    #[inline(always)]
    fn put(w: [u32; 4], out: &mut [f32]) {
        (out[0], out[1]) = box_muller(w[0], w[1]);
        (out[2], out[3]) = box_muller(w[2], w[3]);
    }
}

impl Kind for NormalsF64 {
    type Out = f64;
    const PER_BLOCK: usize = 2;
    #[inline(always)]
    fn put(words: [u32; 4], out: &mut [f64]) {
        (out[0], out[1]) = box_muller_f64(words);
    }
}

/// Fills `out`, which holds whole rows (or one part of a row), on this thread.
pub(super) fn fill<K: Kind>(job: &Job, out: &mut [K::Out]) {
    if out.is_empty() {
        return;
    }
    let blocks = job.dim.div_ceil(K::PER_BLOCK) as u64;
    assert!(
        u64::from(job.first_block) + blocks <= 1 << 32,
        "a random row must fit in 2^32 blocks of {} numbers, got {} numbers",
        K::PER_BLOCK,
        job.dim
    );
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512vl")
        {
            // SAFETY: the features that the function needs were just detected.
            return unsafe { fill_avx512::<K>(job, out) };
        }
        if is_x86_feature_detected!("avx2") {
            // SAFETY: as above.
            return unsafe { fill_avx2::<K>(job, out) };
        }
    }
    fill_rows::<K>(job, out);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512dq,avx512vl")]
fn fill_avx512<K: Kind>(job: &Job, out: &mut [K::Out]) {
    fill_rows::<K>(job, out);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn fill_avx2<K: Kind>(job: &Job, out: &mut [K::Out]) {
    fill_rows::<K>(job, out);
}

/// Blocks made together when rows are short; a multiple of any SIMD width.
const GROUP: usize = 32;

#[inline(always)]
pub(super) fn fill_rows<K: Kind>(job: &Job, out: &mut [K::Out]) {
    if job.dim >= GROUP * K::PER_BLOCK {
        fill_long::<K>(job, out);
    } else if out.len() <= 2 * K::PER_BLOCK {
        fill_few::<K>(job, out);
    } else {
        fill_short::<K>(job, out);
    }
}

/// Long rows: one vectorised loop per row, over its blocks.
#[inline(always)]
fn fill_long<K: Kind>(job: &Job, out: &mut [K::Out]) {
    let key = key(job.seed);
    for (r, row) in out.chunks_exact_mut(job.dim).enumerate() {
        let [lo, hi] = sample_words(job.purpose, job.first_sample + r as u64);
        let block = |i: usize| {
            let i = job.first_block.wrapping_add(i as u32);
            philox(key, [i, job.draw, lo, hi])
        };
        let mut blocks = row.chunks_exact_mut(K::PER_BLOCK);
        let last = blocks.len();
        for (i, out) in blocks.by_ref().enumerate() {
            K::put(block(i), out);
        }
        put_part::<K>(|| block(last), blocks.into_remainder());
    }
}

/// A handful of numbers: no lanes to fill.
#[inline(always)]
fn fill_few<K: Kind>(job: &Job, out: &mut [K::Out]) {
    let key = key(job.seed);
    for (r, row) in out.chunks_exact_mut(job.dim).enumerate() {
        let [lo, hi] = sample_words(job.purpose, job.first_sample + r as u64);
        for (i, part) in row.chunks_mut(K::PER_BLOCK).enumerate() {
            let i = job.first_block.wrapping_add(i as u32);
            put_part::<K>(|| philox(key, [i, job.draw, lo, hi]), part);
        }
    }
}

/// The first `out.len()` numbers of a block.
#[inline(always)]
fn put_part<K: Kind>(words: impl FnOnce() -> [u32; 4], out: &mut [K::Out]) {
    if !out.is_empty() {
        let mut whole = [K::Out::default(); 4];
        K::put(words(), &mut whole[..K::PER_BLOCK]);
        out.copy_from_slice(&whole[..out.len()]);
    }
}

/// Short rows: the blocks of several rows share one vectorised loop.
#[inline(always)]
fn fill_short<K: Kind>(job: &Job, out: &mut [K::Out]) {
    let key = key(job.seed);
    let blocks_per_row = job.dim.div_ceil(K::PER_BLOCK) as u32;
    let rows = out.len() / job.dim;
    let mut blocks_left = rows as u64 * u64::from(blocks_per_row);

    let mut made = [K::Out::default(); 4 * GROUP];
    let made = &mut made[..K::PER_BLOCK * GROUP];
    let (mut sample, mut block) = (job.first_sample, 0);
    let (mut filled, mut element) = (0, 0); // in `out`, in the row
    while blocks_left > 0 {
        // Blocks past the last row are made as well, and dropped.
        let mut counters = [[0; 4]; GROUP];
        for counter in &mut counters {
            let [lo, hi] = sample_words(job.purpose, sample);
            *counter = [job.first_block.wrapping_add(block), job.draw, lo, hi];
            block += 1;
            let wrap = block == blocks_per_row;
            block = if wrap { 0 } else { block };
            sample = sample.wrapping_add(u64::from(wrap));
        }
        for (counter, numbers) in counters.iter().zip(made.chunks_exact_mut(K::PER_BLOCK)) {
            K::put(philox(key, *counter), numbers);
        }

        let used = blocks_left.min(GROUP as u64) as usize;
        blocks_left -= used as u64;
        if job.dim.is_multiple_of(K::PER_BLOCK) {
            let numbers = used * K::PER_BLOCK;
            out[filled..filled + numbers].copy_from_slice(&made[..numbers]);
            filled += numbers;
            continue;
        }
        for numbers in made.chunks_exact(K::PER_BLOCK).take(used) {
            let n = K::PER_BLOCK.min(job.dim - element);
            for (out, number) in out[filled..filled + n].iter_mut().zip(numbers) {
                *out = *number;
            }
            filled += n;
            element = if element + n == job.dim {
                0
            } else {
                element + n
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Number by number, from the address alone, without any vectorised loop.
    fn reference<K: Kind>(job: &Job, rows: usize) -> Vec<K::Out> {
        (0..rows * job.dim)
            .map(|i| {
                let (row, element) = ((i / job.dim) as u64, i % job.dim);
                let block = job
                    .first_block
                    .wrapping_add((element / K::PER_BLOCK) as u32);
                let [lo, hi] = sample_words(job.purpose, job.first_sample + row);
                let words = philox(key(job.seed), [block, job.draw, lo, hi]);
                let mut numbers = vec![K::Out::default(); K::PER_BLOCK];
                K::put(std::hint::black_box(words), &mut numbers);
                numbers[element % K::PER_BLOCK]
            })
            .collect()
    }

    fn check<K: Kind>(job: &Job, rows: usize, bits: fn(K::Out) -> u64) {
        let mut dispatched = vec![K::Out::default(); rows * job.dim];
        fill::<K>(job, &mut dispatched);
        let mut portable = vec![K::Out::default(); rows * job.dim];
        fill_rows::<K>(job, &mut portable);
        let expected: Vec<u64> = reference::<K>(job, rows).into_iter().map(bits).collect();
        for found in [dispatched, portable] {
            let found: Vec<u64> = found.into_iter().map(bits).collect();
            assert!(found == expected, "{job:?}, {rows} rows");
        }
    }

    #[test]
    fn the_same_bits_vectorised_or_not() {
        for dim in (1..=200).chain([1000, 1023]) {
            // Carries from sample word 2 to word 3 in some, other blocks than the first in others.
            let first_sample = if dim % 2 == 0 { (1 << 32) - 2 } else { 5 };
            for rows in [1, 2, 3, if dim < 20 { 70 } else { 4 }] {
                let job = Job {
                    seed: 0x1234_5678_9abc_def0 + dim as u64,
                    purpose: Purpose::Noise,
                    first_sample,
                    draw: 3,
                    first_block: if rows == 1 { 77 } else { 0 },
                    dim,
                };
                check::<Bits>(&job, rows, u64::from);
                check::<Uniforms>(&job, rows, |x| u64::from(x.to_bits()));
                check::<Normals>(&job, rows, |x| u64::from(x.to_bits()));
                check::<UniformsF64>(&job, rows, f64::to_bits);
                check::<NormalsF64>(&job, rows, f64::to_bits);
            }
        }
    }
}
