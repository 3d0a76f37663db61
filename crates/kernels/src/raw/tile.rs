//! The one micro-kernel under every product: a few rows, gathered through offsets, times a panel.
//!
//! Cᵢⱼ ⟵ [Cᵢⱼ +] Σₖ A[rowᵢ + offₖ] · B[k·width + j] for i < MR and j < width. A convolution's input needs no unrolling
//! in memory (im2col) because offₖ names the tap and the channel, and rowᵢ the position. Every Cᵢⱼ is one chain of
//! multiply-adds in the order of k: its bits depend neither on the other rows nor on how many there are, nor, on
//! processors with fused multiply-add, on the number of lanes.

use super::Level;

/// What one call of the micro-kernel works on.
#[derive(Clone, Copy)]
pub(crate) struct Tile {
    /// Start of A.
    pub(crate) a: *const f32,
    /// Offsets of the rows into A, as many as the call says.
    pub(crate) rows: *const u32,
    /// Offsets of the terms into A, `k` of them.
    pub(crate) offs: *const u32,
    /// Number of terms.
    pub(crate) k: usize,
    /// First term of the panel.
    pub(crate) b: *const f32,
    /// First row of the result.
    pub(crate) c: *mut f32,
    /// Distance between the result's rows.
    pub(crate) ldc: usize,
    /// Whether to add to the result or to overwrite it.
    pub(crate) add: bool,
}

/// A vector of f32 lanes.
trait Lanes: Copy {
    const N: usize;
    unsafe fn zero() -> Self;
    unsafe fn splat(p: *const f32) -> Self;
    unsafe fn load(p: *const f32) -> Self;
    unsafe fn store(self, p: *mut f32);
    unsafe fn add(self, b: Self) -> Self;
    unsafe fn mul_add(self, b: Self, c: Self) -> Self;
}

/// The panel widths of a level, widest first.
pub(crate) fn widths(level: Level) -> &'static [usize] {
    match level {
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 => &[32, 16],
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => &[16, 8],
        Level::Portable => &[16, 8],
    }
}

/// How many rows one call takes at most: as many as the accumulators fit into registers.
pub(crate) fn max_rows(level: Level, width: usize) -> usize {
    match (level, width) {
        #[cfg(target_arch = "x86_64")]
        (Level::Avx512, _) => 8,
        (_, 16) => 6,
        _ => 8,
    }
}

#[inline(always)]
unsafe fn body<V: Lanes, const MR: usize, const NV: usize>(t: Tile) {
    // SAFETY: the contract of `run`.
    unsafe {
        let mut acc = [[V::zero(); NV]; MR];
        let mut row = [t.a; MR];
        for (i, row) in row.iter_mut().enumerate() {
            *row = t.a.add(*t.rows.add(i) as usize);
        }
        let mut b = t.b;
        for k in 0..t.k {
            let off = *t.offs.add(k) as usize;
            let mut lanes = [V::zero(); NV];
            for (j, lanes) in lanes.iter_mut().enumerate() {
                *lanes = V::load(b.add(j * V::N));
            }
            for i in 0..MR {
                let a = V::splat(row[i].add(off));
                for j in 0..NV {
                    acc[i][j] = a.mul_add(lanes[j], acc[i][j]);
                }
            }
            b = b.add(NV * V::N);
        }
        for (i, acc) in acc.iter().enumerate() {
            for (j, &v) in acc.iter().enumerate() {
                let c = t.c.add(i * t.ldc + j * V::N);
                let v = if t.add { v.add(V::load(c)) } else { v };
                v.store(c);
            }
        }
    }
}

/// Monomorphic entry points of one level for 1 to 8 rows.
macro_rules! entries {
    ($level:ident, $lanes:ty, $([$feature:literal])? $($nv:literal),*) => {
        mod $level {
            use super::*;
            $(#[target_feature(enable = $feature)])?
            unsafe fn go<const MR: usize, const NV: usize>(t: Tile) {
                // SAFETY: the contract of `run`.
                unsafe { body::<$lanes, MR, NV>(t) }
            }
            pub(super) unsafe fn run(rows: usize, width: usize, t: Tile) {
                // SAFETY: the contract of the outer `run`.
                unsafe {
                    $(if width == $nv * <$lanes as Lanes>::N {
                        return match rows {
                            1 => go::<1, $nv>(t), 2 => go::<2, $nv>(t), 3 => go::<3, $nv>(t), 4 => go::<4, $nv>(t),
                            5 => go::<5, $nv>(t), 6 => go::<6, $nv>(t), 7 => go::<7, $nv>(t), 8 => go::<8, $nv>(t),
                            _ => unreachable!("a tile has 1 to 8 rows, got {rows}"),
                        };
                    })*
                }
                unreachable!("no tile of width {width}")
            }
        }
    };
}
#[cfg(target_arch = "x86_64")]
entries!(avx512, x86::F32x16, ["avx512f,avx512vl,avx512dq,avx2,fma"] 1, 2);
#[cfg(target_arch = "x86_64")]
entries!(avx2, x86::F32x8, ["avx2,fma"] 1, 2);
entries!(portable, Plain, 1, 2);

/// Runs the micro-kernel on `rows` rows and a panel of `width` lanes.
///
/// # Safety
/// `rows` and `width` are allowed at this level ([`max_rows`], [`widths`]); `t.rows` holds `rows` and `t.offs` holds
/// `t.k` values; A covers every row plus every offset; B covers `k·width` and C `(rows-1)·ldc + width`
/// values, and nobody else uses these parts of C.
pub(crate) unsafe fn run(level: Level, rows: usize, width: usize, t: Tile) {
    // SAFETY: the contract; a level exists only where its instructions do.
    unsafe {
        match level {
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => avx512::run(rows, width, t),
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => avx2::run(rows, width, t),
            Level::Portable => portable::run(rows, width, t),
        }
    }
}

/// Eight lanes in plain Rust.
#[derive(Clone, Copy)]
struct Plain([f32; 8]);

impl Lanes for Plain {
    const N: usize = 8;
    #[inline(always)]
    unsafe fn zero() -> Self {
        Plain([0.0; 8])
    }
    #[inline(always)]
    unsafe fn splat(p: *const f32) -> Self {
        // SAFETY: the contract of `run`.
        Plain([unsafe { *p }; 8])
    }
    #[inline(always)]
    unsafe fn load(p: *const f32) -> Self {
        // SAFETY: the contract of `run`.
        Plain(unsafe { *p.cast() })
    }
    #[inline(always)]
    unsafe fn store(self, p: *mut f32) {
        // SAFETY: the contract of `run`.
        unsafe { *p.cast() = self.0 }
    }
    #[inline(always)]
    unsafe fn add(self, b: Self) -> Self {
        Plain(std::array::from_fn(|i| self.0[i] + b.0[i]))
    }
    #[inline(always)]
    unsafe fn mul_add(self, b: Self, c: Self) -> Self {
        const FUSED: bool = cfg!(target_arch = "aarch64");
        Plain(std::array::from_fn(|i| {
            super::exp::mul_add::<FUSED>(self.0[i], b.0[i], c.0[i])
        }))
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::Lanes;
    use std::arch::x86_64::*;

    macro_rules! lanes {
        ($name:ident, $raw:ty, $n:literal, $zero:ident, $set:ident, $load:ident, $store:ident, $add:ident, $fma:ident) => {
            #[derive(Clone, Copy)]
            pub(super) struct $name($raw);
            // SAFETY of every method: called only from a function compiled for these instructions, on memory that
            // the contract of `run` covers.
            impl Lanes for $name {
                const N: usize = $n;
                #[inline(always)]
                unsafe fn zero() -> Self {
                    // SAFETY: above.
                    $name(unsafe { $zero() })
                }
                #[inline(always)]
                unsafe fn splat(p: *const f32) -> Self {
                    // SAFETY: above.
                    $name(unsafe { $set(*p) })
                }
                #[inline(always)]
                unsafe fn load(p: *const f32) -> Self {
                    // SAFETY: above.
                    $name(unsafe { $load(p) })
                }
                #[inline(always)]
                unsafe fn store(self, p: *mut f32) {
                    // SAFETY: above.
                    unsafe { $store(p, self.0) }
                }
                #[inline(always)]
                unsafe fn add(self, b: Self) -> Self {
                    // SAFETY: above.
                    $name(unsafe { $add(self.0, b.0) })
                }
                #[inline(always)]
                unsafe fn mul_add(self, b: Self, c: Self) -> Self {
                    // SAFETY: above.
                    $name(unsafe { $fma(self.0, b.0, c.0) })
                }
            }
        };
    }
    lanes!(
        F32x8,
        __m256,
        8,
        _mm256_setzero_ps,
        _mm256_set1_ps,
        _mm256_loadu_ps,
        _mm256_storeu_ps,
        _mm256_add_ps,
        _mm256_fmadd_ps
    );
    lanes!(
        F32x16,
        __m512,
        16,
        _mm512_setzero_ps,
        _mm512_set1_ps,
        _mm512_loadu_ps,
        _mm512_storeu_ps,
        _mm512_add_ps,
        _mm512_fmadd_ps
    );
}
