//! AVX2 and AVX-512 registers.
//!
//! Every operation is inlined into a function that was compiled for the instruction set and is
//! called only after detecting it (see `dispatch`); the values are not made elsewhere.

use std::arch::x86_64::*;

use super::{Lane, Mask, Simd, elementary_functions, scalar_operators};

/// One operation of a register type by an intrinsic.
macro_rules! operator {
    ($name:ident, $trait:ident, $f:ident, $intrinsic:ident) => {
        impl std::ops::$trait for $name {
            type Output = Self;
            #[inline(always)]
            fn $f(self, other: Self) -> Self {
                // SAFETY: the type is only used where its instruction set was detected.
                $name(unsafe { $intrinsic(self.0, other.0) })
            }
        }
    };
}

macro_rules! register {
    (
        $(#[$doc:meta])*
        $name:ident($raw:ident) = [$real:ident; $lanes:literal],
        mask: $mask:ident,
        set: $set:ident, add: $add:ident, sub: $sub:ident, mul: $mul:ident, div: $div:ident,
        fma: $fma:ident, sqrt: $sqrt:ident, min: $min:ident, max: $max:ident,
        load: $load:ident, store: $store:ident,
        neg: |$x:ident| $neg:expr, abs: $abs:expr, floor: $floor:expr, round: $round:expr,
        lt: |$a:ident, $b:ident| $lt:expr, le: $le:expr, select: |$m:ident| $select:expr,
        exp2: |$n:ident| $exp2:expr, split: |$s:ident| $split:expr,
        log: |$l:ident| $log:expr, exp: |$w:ident| $exp:expr,
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        #[repr(transparent)]
        pub(super) struct $name($raw);

        operator!($name, Add, add, $add);
        operator!($name, Sub, sub, $sub);
        operator!($name, Mul, mul, $mul);
        operator!($name, Div, div, $div);
        scalar_operators!($name);

        impl std::ops::Neg for $name {
            type Output = Self;
            #[inline(always)]
            fn neg(self) -> Self {
                // SAFETY: as for the operators.
                let $x = self.0;
                $name(unsafe { $neg })
            }
        }

        // SAFETY of every block below: as for the operators.
        impl Lane for $name {
            type Mask = $mask;
            #[inline(always)]
            fn splat(x: f64) -> Self {
                $name(unsafe { $set(x as $real) })
            }
            #[inline(always)]
            fn mul_add(self, a: Self, b: Self) -> Self {
                $name(unsafe { $fma(self.0, a.0, b.0) })
            }
            #[inline(always)]
            fn sqrt(self) -> Self {
                $name(unsafe { $sqrt(self.0) })
            }
            #[inline(always)]
            fn abs(self) -> Self {
                let $x = self.0;
                $name(unsafe { $abs })
            }
            #[inline(always)]
            fn min(self, other: Self) -> Self {
                $name(unsafe { $min(self.0, other.0) })
            }
            #[inline(always)]
            fn max(self, other: Self) -> Self {
                $name(unsafe { $max(self.0, other.0) })
            }
            #[inline(always)]
            fn floor(self) -> Self {
                let $x = self.0;
                $name(unsafe { $floor })
            }
            #[inline(always)]
            fn lt(self, other: Self) -> $mask {
                let ($a, $b) = (self.0, other.0);
                $mask(unsafe { $lt })
            }
            #[inline(always)]
            fn le(self, other: Self) -> $mask {
                let ($a, $b) = (self.0, other.0);
                $mask(unsafe { $le })
            }
            #[inline(always)]
            fn select(mask: $mask, a: Self, b: Self) -> Self {
                let ($m, $a, $b) = (mask.0, a.0, b.0);
                $name(unsafe { $select })
            }
            elementary_functions!();
        }

        impl Simd for $name {
            type Real = $real;
            const LANES: usize = $lanes;
            #[inline(always)]
            fn splat_real(x: $real) -> Self {
                $name(unsafe { $set(x) })
            }
            #[inline(always)]
            fn load(from: &[$real]) -> Self {
                let from: &[$real; $lanes] = from[..$lanes].try_into().expect("checked length");
                $name(unsafe { $load(from.as_ptr()) })
            }
            #[inline(always)]
            fn store(self, to: &mut [$real]) {
                let to: &mut [$real; $lanes] = (&mut to[..$lanes]).try_into().expect("checked length");
                unsafe { $store(to.as_mut_ptr(), self.0) }
            }
            #[inline(always)]
            fn round(self) -> Self {
                let $x = self.0;
                $name(unsafe { $round })
            }
            #[inline(always)]
            fn exp2_whole(n: Self) -> Self {
                let $n = n.0;
                $name(unsafe { $exp2 })
            }
            #[inline(always)]
            fn split_exponent(self) -> (Self, Self) {
                let $s = self.0;
                let (m, e) = unsafe { $split };
                ($name(m), $name(e))
            }
            #[inline(always)]
            fn pseudo_log(self) -> Self {
                let $l = self.0;
                $name(unsafe { $log })
            }
            #[inline(always)]
            fn pseudo_exp(self) -> Self {
                let $w = self.0;
                $name(unsafe { $exp })
            }
        }
    };
}

/// A mask whose answers are the sign bits of a register.
macro_rules! sign_mask {
    ($name:ident($raw:ident), $lanes:literal, $and:ident, $or:ident, $xor:ident, $ones:expr, $bits:ident) => {
        /// The mask of the register type of the same width.
        #[derive(Clone, Copy, Debug)]
        #[repr(transparent)]
        pub(super) struct $name($raw);

        operator!($name, BitAnd, bitand, $and);
        operator!($name, BitOr, bitor, $or);

        impl std::ops::Not for $name {
            type Output = Self;
            #[inline(always)]
            fn not(self) -> Self {
                // SAFETY: as for the operators.
                $name(unsafe { $xor(self.0, $ones) })
            }
        }

        impl Mask for $name {
            const LANES: usize = $lanes;
            #[inline(always)]
            fn splat(answer: bool) -> Self {
                // SAFETY: as for the operators.
                let all = $name(unsafe { $ones });
                if answer { all } else { !all }
            }
            #[inline(always)]
            fn any(self) -> bool {
                // SAFETY: as for the operators.
                unsafe { $bits(self.0) != 0 }
            }
            #[inline(always)]
            fn get(self, i: usize) -> bool {
                // SAFETY: as for the operators.
                unsafe { $bits(self.0) >> i & 1 == 1 }
            }
        }
    };
}

/// A mask of one bit per lane.
macro_rules! bit_mask {
    ($name:ident($raw:ident), $lanes:literal) => {
        /// The mask of the register type of the same width.
        #[derive(Clone, Copy, Debug)]
        #[repr(transparent)]
        pub(super) struct $name($raw);

        impl std::ops::BitAnd for $name {
            type Output = Self;
            #[inline(always)]
            fn bitand(self, other: Self) -> Self {
                $name(self.0 & other.0)
            }
        }
        impl std::ops::BitOr for $name {
            type Output = Self;
            #[inline(always)]
            fn bitor(self, other: Self) -> Self {
                $name(self.0 | other.0)
            }
        }
        impl std::ops::Not for $name {
            type Output = Self;
            #[inline(always)]
            fn not(self) -> Self {
                $name(!self.0)
            }
        }
        impl Mask for $name {
            const LANES: usize = $lanes;
            #[inline(always)]
            fn splat(answer: bool) -> Self {
                $name(if answer { !0 } else { 0 })
            }
            #[inline(always)]
            fn any(self) -> bool {
                self.0 != 0
            }
            #[inline(always)]
            fn get(self, i: usize) -> bool {
                self.0 >> i & 1 == 1
            }
        }
    };
}

/// 2⁵².
const TWO_52: f64 = 4_503_599_627_370_496.0;
const SQRT_HALF_32: i32 = 0x3F35_04F3;
const SQRT_HALF_64: i64 = 0x3FE6_A09E_667F_3BCD;
/// 1.5·2⁵²: adding it to a small whole number leaves that number in the low bits.
const MAGIC: f64 = 6_755_399_441_055_744.0;

sign_mask!(
    M32x8(__m256),
    8,
    _mm256_and_ps,
    _mm256_or_ps,
    _mm256_xor_ps,
    _mm256_castsi256_ps(_mm256_set1_epi32(-1)),
    _mm256_movemask_ps
);
sign_mask!(
    M64x4(__m256d),
    4,
    _mm256_and_pd,
    _mm256_or_pd,
    _mm256_xor_pd,
    _mm256_castsi256_pd(_mm256_set1_epi64x(-1)),
    _mm256_movemask_pd
);
bit_mask!(M32x16(__mmask16), 16);
bit_mask!(M64x8(__mmask8), 8);

register!(
    /// Eight single-precision numbers in an AVX2 register.
    F32x8(__m256) = [f32; 8],
    mask: M32x8,
    set: _mm256_set1_ps, add: _mm256_add_ps, sub: _mm256_sub_ps, mul: _mm256_mul_ps,
    div: _mm256_div_ps, fma: _mm256_fmadd_ps, sqrt: _mm256_sqrt_ps, min: _mm256_min_ps,
    max: _mm256_max_ps, load: _mm256_loadu_ps, store: _mm256_storeu_ps,
    neg: |x| _mm256_xor_ps(x, _mm256_set1_ps(-0.0)),
    abs: _mm256_andnot_ps(_mm256_set1_ps(-0.0), x),
    floor: _mm256_floor_ps(x),
    round: _mm256_round_ps::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(x),
    lt: |a, b| _mm256_cmp_ps::<_CMP_LT_OQ>(a, b),
    le: _mm256_cmp_ps::<_CMP_LE_OQ>(a, b),
    select: |m| _mm256_blendv_ps(b, a, m),
    exp2: |n| {
        let biased = _mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127));
        _mm256_castsi256_ps(_mm256_slli_epi32::<23>(biased))
    },
    split: |x| {
        let root = _mm256_set1_epi32(SQRT_HALF_32);
        let shifted = _mm256_sub_epi32(_mm256_castps_si256(x), root);
        let low = _mm256_and_si256(shifted, _mm256_set1_epi32(0x007F_FFFF));
        let m = _mm256_castsi256_ps(_mm256_add_epi32(low, root));
        (m, _mm256_cvtepi32_ps(_mm256_srai_epi32::<23>(shifted)))
    },
    log: |x| _mm256_cvtepi32_ps(_mm256_castps_si256(x)),
    exp: |n| _mm256_castsi256_ps(_mm256_cvtps_epi32(n)),
);

register!(
    /// Four double-precision numbers in an AVX2 register.
    F64x4(__m256d) = [f64; 4],
    mask: M64x4,
    set: _mm256_set1_pd, add: _mm256_add_pd, sub: _mm256_sub_pd, mul: _mm256_mul_pd,
    div: _mm256_div_pd, fma: _mm256_fmadd_pd, sqrt: _mm256_sqrt_pd, min: _mm256_min_pd,
    max: _mm256_max_pd, load: _mm256_loadu_pd, store: _mm256_storeu_pd,
    neg: |x| _mm256_xor_pd(x, _mm256_set1_pd(-0.0)),
    abs: _mm256_andnot_pd(_mm256_set1_pd(-0.0), x),
    floor: _mm256_floor_pd(x),
    round: _mm256_round_pd::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(x),
    lt: |a, b| _mm256_cmp_pd::<_CMP_LT_OQ>(a, b),
    le: _mm256_cmp_pd::<_CMP_LE_OQ>(a, b),
    select: |m| _mm256_blendv_pd(b, a, m),
    exp2: |n| {
        // The low bits of n + 1023 + MAGIC are the biased exponent.
        let biased = _mm256_add_pd(n, _mm256_set1_pd(MAGIC + 1023.0));
        _mm256_castsi256_pd(_mm256_slli_epi64::<52>(_mm256_castpd_si256(biased)))
    },
    split: |x| {
        let root = _mm256_set1_epi64x(SQRT_HALF_64);
        let shifted = _mm256_sub_epi64(_mm256_castpd_si256(x), root);
        let low = _mm256_and_si256(shifted, _mm256_set1_epi64x((1 << 52) - 1));
        let m = _mm256_castsi256_pd(_mm256_add_epi64(low, root));
        // There is no arithmetic shift of 64 bits: make the exponent positive first.
        let positive = _mm256_add_epi64(shifted, _mm256_set1_epi64x(1024 << 52));
        let e = _mm256_or_si256(
            _mm256_srli_epi64::<52>(positive),
            _mm256_castpd_si256(_mm256_set1_pd(TWO_52)),
        );
        (m, _mm256_sub_pd(_mm256_castsi256_pd(e), _mm256_set1_pd(TWO_52 + 1024.0)))
    },
    log: |x| {
        // There is no conversion from 64 bits, but below 2⁵² a number's bits are its mantissa.
        let leading = _mm256_srli_epi64::<12>(_mm256_castpd_si256(x));
        let above = _mm256_or_pd(_mm256_castsi256_pd(leading), _mm256_set1_pd(TWO_52));
        _mm256_sub_pd(above, _mm256_set1_pd(TWO_52))
    },
    exp: |n| {
        let above = _mm256_castpd_si256(_mm256_add_pd(n, _mm256_set1_pd(TWO_52)));
        _mm256_castsi256_pd(_mm256_slli_epi64::<12>(above))
    },
);

register!(
    /// Sixteen single-precision numbers in an AVX-512 register.
    F32x16(__m512) = [f32; 16],
    mask: M32x16,
    set: _mm512_set1_ps, add: _mm512_add_ps, sub: _mm512_sub_ps, mul: _mm512_mul_ps,
    div: _mm512_div_ps, fma: _mm512_fmadd_ps, sqrt: _mm512_sqrt_ps, min: _mm512_min_ps,
    max: _mm512_max_ps, load: _mm512_loadu_ps, store: _mm512_storeu_ps,
    neg: |x| _mm512_castsi512_ps(_mm512_xor_si512(_mm512_castps_si512(x), _mm512_set1_epi32(i32::MIN))),
    abs: _mm512_abs_ps(x),
    floor: _mm512_roundscale_ps::<{ _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC }>(x),
    round: _mm512_roundscale_ps::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(x),
    lt: |a, b| _mm512_cmp_ps_mask::<_CMP_LT_OQ>(a, b),
    le: _mm512_cmp_ps_mask::<_CMP_LE_OQ>(a, b),
    select: |m| _mm512_mask_blend_ps(m, b, a),
    exp2: |n| {
        let biased = _mm512_add_epi32(_mm512_cvtps_epi32(n), _mm512_set1_epi32(127));
        _mm512_castsi512_ps(_mm512_slli_epi32::<23>(biased))
    },
    split: |x| {
        let root = _mm512_set1_epi32(SQRT_HALF_32);
        let shifted = _mm512_sub_epi32(_mm512_castps_si512(x), root);
        let low = _mm512_and_si512(shifted, _mm512_set1_epi32(0x007F_FFFF));
        let m = _mm512_castsi512_ps(_mm512_add_epi32(low, root));
        (m, _mm512_cvtepi32_ps(_mm512_srai_epi32::<23>(shifted)))
    },
    log: |x| _mm512_cvtepi32_ps(_mm512_castps_si512(x)),
    exp: |n| _mm512_castsi512_ps(_mm512_cvtps_epi32(n)),
);

register!(
    /// Eight double-precision numbers in an AVX-512 register.
    F64x8(__m512d) = [f64; 8],
    mask: M64x8,
    set: _mm512_set1_pd, add: _mm512_add_pd, sub: _mm512_sub_pd, mul: _mm512_mul_pd,
    div: _mm512_div_pd, fma: _mm512_fmadd_pd, sqrt: _mm512_sqrt_pd, min: _mm512_min_pd,
    max: _mm512_max_pd, load: _mm512_loadu_pd, store: _mm512_storeu_pd,
    neg: |x| _mm512_castsi512_pd(_mm512_xor_si512(_mm512_castpd_si512(x), _mm512_set1_epi64(i64::MIN))),
    abs: _mm512_abs_pd(x),
    floor: _mm512_roundscale_pd::<{ _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC }>(x),
    round: _mm512_roundscale_pd::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(x),
    lt: |a, b| _mm512_cmp_pd_mask::<_CMP_LT_OQ>(a, b),
    le: _mm512_cmp_pd_mask::<_CMP_LE_OQ>(a, b),
    select: |m| _mm512_mask_blend_pd(m, b, a),
    exp2: |n| {
        let biased = _mm512_add_pd(n, _mm512_set1_pd(MAGIC + 1023.0));
        _mm512_castsi512_pd(_mm512_slli_epi64::<52>(_mm512_castpd_si512(biased)))
    },
    split: |x| {
        let root = _mm512_set1_epi64(SQRT_HALF_64);
        let shifted = _mm512_sub_epi64(_mm512_castpd_si512(x), root);
        let low = _mm512_and_si512(shifted, _mm512_set1_epi64((1 << 52) - 1));
        let m = _mm512_castsi512_pd(_mm512_add_epi64(low, root));
        (m, _mm512_cvtepi64_pd(_mm512_srai_epi64::<52>(shifted)))
    },
    log: |x| _mm512_cvtepi64_pd(_mm512_srli_epi64::<12>(_mm512_castpd_si512(x))),
    exp: |n| _mm512_castsi512_pd(_mm512_slli_epi64::<12>(_mm512_cvtpd_epi64(n))),
);
