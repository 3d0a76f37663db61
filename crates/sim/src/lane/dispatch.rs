//! Choosing the widest lanes that the machine has, at run time.

use std::sync::atomic::{AtomicU8, Ordering};

use super::{One, Simd};
use crate::rng;

/// An instruction set that lanes are compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Level {
    /// One number at a time, on any machine.
    Portable = 1,
    /// x86-64 with AVX2 and FMA: 256 bits.
    Avx2 = 2,
    /// x86-64 with AVX-512 F and DQ: 512 bits.
    Avx512 = 3,
    /// 64-bit ARM: 128 bits.
    Neon = 4,
}

/// 0: not chosen yet.
static CHOSEN: AtomicU8 = AtomicU8::new(0);

impl Level {
    /// The levels that this machine can run, the narrowest first.
    pub fn available() -> Vec<Level> {
        let mut levels = vec![Level::Portable];
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                levels.push(Level::Avx2);
                if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512dq") {
                    levels.push(Level::Avx512);
                }
            }
        }
        #[cfg(target_arch = "aarch64")]
        levels.push(Level::Neon);
        levels
    }

    /// The level in use: the widest available, unless [`Level::choose`] said otherwise.
    #[inline]
    pub fn current() -> Level {
        match CHOSEN.load(Ordering::Relaxed) {
            1 => Level::Portable,
            2 => Level::Avx2,
            3 => Level::Avx512,
            4 => Level::Neon,
            _ => {
                let widest = *Level::available().last().expect("portable is always there");
                CHOSEN.store(widest as u8, Ordering::Relaxed);
                widest
            }
        }
    }

    /// Uses another level from now on, in the whole process; the results stay the same bits. For
    /// tests and comparisons.
    ///
    /// # Panics
    /// When the machine does not have it.
    pub fn choose(level: Level) {
        assert!(
            Level::available().contains(&level),
            "this machine has no {level:?}; it has {:?}",
            Level::available()
        );
        CHOSEN.store(level as u8, Ordering::Relaxed);
    }
}

/// Work that is generic over the lane type. `run` must be `#[inline(always)]`, and so must what it
/// calls in its inner loops: only then is it compiled for the instruction set.
pub trait Job<R: Real> {
    /// What the work results in.
    type Out;
    /// Does the work.
    fn run<S: Simd<Real = R>>(self) -> Self::Out;
}

/// The random streams of a block of trajectories.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct Streams(pub(crate) rng::Address);

/// The precision of a lane: `f32` or `f64`.
pub trait Real:
    Copy + Default + PartialEq + PartialOrd + Send + Sync + std::fmt::Debug + 'static
{
    /// Whether this is `f32`.
    const SINGLE: bool;
    /// The distance from 1 to the next number.
    const EPSILON: f64;
    /// By how much [`Simd::pseudo_log`] grows from x to 2x.
    const OCTAVE: f64;
    /// The exponent's bias: the pseudo-logarithm of 1 in octaves.
    const BIAS: f64;
    /// The least positive normal number.
    const MIN_POSITIVE: Self;
    /// ln 2 as a sum of two numbers.
    const LN_2: [Self; 2];
    /// π/2 as a sum of three numbers.
    const HALF_PI: [Self; 3];
    /// The portable lane type of this precision.
    type Portable: Simd<Real = Self>;

    /// Rounds a double to this precision.
    fn from_f64(x: f64) -> Self;
    /// The same number as a double.
    fn to_f64(self) -> f64;
    /// Whether it is neither infinite nor NaN.
    fn is_finite(self) -> bool;
    /// How many normal numbers one block of random bits gives.
    #[doc(hidden)]
    const NORMALS_PER_BLOCK: usize;
    /// The normal numbers of one block for each of `out.len() / NORMALS_PER_BLOCK` streams.
    #[doc(hidden)]
    fn normals(at: Streams, block: u32, out: &mut [Self]);
    /// Runs the work on the widest lanes of [`Level::current`].
    fn dispatch<J: Job<Self>>(job: J) -> J::Out;
}

macro_rules! real {
    (
        $real:ident, single: $single:literal, normals: $normals:ident, $per_block:literal, octave: $octave:expr, bias: $bias:literal, ln2: $ln2:expr, half_pi: $half_pi:expr,
        avx2: $avx2:ident, avx512: $avx512:ident, neon: $neon:ident
    ) => {
        impl Real for $real {
            const SINGLE: bool = $single;
            const EPSILON: f64 = $real::EPSILON as f64;
            const OCTAVE: f64 = $octave;
            const BIAS: f64 = $bias;
            const MIN_POSITIVE: $real = $real::MIN_POSITIVE;
            const LN_2: [$real; 2] = $ln2;
            const HALF_PI: [$real; 3] = $half_pi;
            type Portable = One<$real>;
            const NORMALS_PER_BLOCK: usize = $per_block;

            #[inline(always)]
            fn normals(at: Streams, block: u32, out: &mut [$real]) {
                rng::$normals(at.0, block, out);
            }

            #[inline(always)]
            fn from_f64(x: f64) -> $real {
                x as $real
            }
            #[inline(always)]
            fn to_f64(self) -> f64 {
                f64::from(self)
            }
            #[inline(always)]
            fn is_finite(self) -> bool {
                $real::is_finite(self)
            }
            fn dispatch<J: Job<$real>>(job: J) -> J::Out {
                #[cfg(target_arch = "x86_64")]
                {
                    #[target_feature(enable = "avx2,fma")]
                    fn avx2<J: Job<$real>>(job: J) -> J::Out {
                        job.run::<super::x86::$avx2>()
                    }
                    #[target_feature(enable = "avx2,fma,avx512f,avx512dq")]
                    fn avx512<J: Job<$real>>(job: J) -> J::Out {
                        job.run::<super::x86::$avx512>()
                    }
                    match Level::current() {
                        // SAFETY: a level is current only where it was detected.
                        Level::Avx2 => return unsafe { avx2(job) },
                        Level::Avx512 => return unsafe { avx512(job) },
                        _ => {}
                    }
                }
                #[cfg(target_arch = "aarch64")]
                if Level::current() == Level::Neon {
                    return job.run::<super::neon::$neon>();
                }
                job.run::<One<$real>>()
            }
        }
    };
}

real!(
    f32,
    single: true,
    normals: normals_f32, 4,
    octave: (1_u64 << 23) as f64, bias: 127.0,
    ln2: [std::f32::consts::LN_2, -1.904_654_2e-9],
    half_pi: [std::f32::consts::FRAC_PI_2, -4.371_139e-8, -1.715_124_5e-15],
    avx2: F32x8, avx512: F32x16, neon: F32x4
);
real!(
    f64,
    single: false,
    normals: normals_f64, 2,
    octave: (1_u64 << 40) as f64, bias: 1023.0,
    ln2: [std::f64::consts::LN_2, 2.319_046_813_846_299_6e-17],
    half_pi: [
        std::f64::consts::FRAC_PI_2,
        6.123_233_995_736_766e-17,
        -1.497_384_904_859_169_8e-33
    ],
    avx2: F64x4, avx512: F64x8, neon: F64x2
);
