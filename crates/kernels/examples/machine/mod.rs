//! The processor's own limits: fused multiply-adds on registers alone, and copies of memory.
#![allow(dead_code)] // not every example asks for both

use std::hint::black_box;
use std::time::Instant;

const STEPS: usize = 4_000_000;
const CHAINS: usize = 12;

/// Floating-point operations of one thread.
pub(crate) fn flop() -> f64 {
    let lanes = match fokker_kernels::simd_level() {
        "AVX-512" => 16,
        "AVX2" => 8,
        _ => 1,
    };
    (2 * STEPS * CHAINS * lanes) as f64
}

macro_rules! chains {
    ($splat:expr, $fma:expr) => {{
        let b = $splat(black_box(0.999f32));
        let mut acc = [$splat(black_box(1.0f32)); CHAINS];
        for _ in 0..STEPS {
            for v in &mut acc {
                *v = $fma(*v, b, b);
            }
        }
        black_box(acc);
    }};
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512vl,avx2,fma")]
fn avx512() {
    use std::arch::x86_64::{_mm512_fmadd_ps, _mm512_set1_ps};
    chains!(_mm512_set1_ps, _mm512_fmadd_ps);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn avx2() {
    use std::arch::x86_64::{_mm256_fmadd_ps, _mm256_set1_ps};
    chains!(_mm256_set1_ps, _mm256_fmadd_ps);
}

fn one() {
    match fokker_kernels::simd_level() {
        // SAFETY: the level says that the processor has these instructions.
        #[cfg(target_arch = "x86_64")]
        "AVX-512" => unsafe { avx512() },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        "AVX2" => unsafe { avx2() },
        _ => chains!(|v: f32| v, |a: f32, b: f32, c: f32| a * b + c),
    }
}

pub(crate) fn seconds(threads: usize) -> f64 {
    let start = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(one);
        }
    });
    start.elapsed().as_secs_f64()
}

/// Bytes that a copy by all threads reads and writes.
pub(crate) const COPIED: usize = 2 << 28;

/// Seconds of that copy.
pub(crate) fn copy_seconds(threads: usize) -> f64 {
    let words = COPIED / 2 / 8;
    let from = vec![1u64; words];
    // Ones, so that the pages are there before the clock starts.
    let mut to = vec![1u64; words];
    let part = words.div_ceil(threads);
    let start = Instant::now();
    std::thread::scope(|scope| {
        for (to, from) in to.chunks_mut(part).zip(from.chunks(part)) {
            scope.spawn(|| to.copy_from_slice(from));
        }
    });
    let seconds = start.elapsed().as_secs_f64();
    black_box(to);
    seconds
}
