//! NEON registers of 64-bit ARM.
//!
//! NEON belongs to what the compiler takes for granted on 64-bit ARM, so nothing has to be detected.

use std::arch::aarch64::*;

use super::{Lane, Mask, Simd, elementary_functions, scalar_operators};

/// One operation of a register type by an intrinsic.
macro_rules! operator {
    ($name:ident, $trait:ident, $f:ident, $intrinsic:ident) => {
        impl std::ops::$trait for $name {
            type Output = Self;
            #[inline(always)]
            fn $f(self, other: Self) -> Self {
                // SAFETY: the target has NEON.
                $name(unsafe { $intrinsic(self.0, other.0) })
            }
        }
    };
}

macro_rules! register {
    (
        $(#[$doc:meta])*
        $name:ident($raw:ident) = [$real:ident; $lanes:literal],
        mask: $mask:ident($mask_raw:ident) = [$bits:ident; $mask_set:ident, $mask_and:ident, $mask_or:ident],
        mask_not: $mask_not:expr, any: $any:expr,
        set: $set:ident, add: $add:ident, sub: $sub:ident, mul: $mul:ident, div: $div:ident,
        neg: $neg:ident, abs: $abs:ident, fma: $fma:ident, sqrt: $sqrt:ident,
        floor: $floor:ident, round: $round:ident, load: $load:ident, store: $store:ident,
        lt: $lt:ident, le: $le:ident, select: $select:ident,
        exp2: $exp2:expr, split: $split:expr, log: $log:expr, exp: $exp:expr,
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
                $name(unsafe { $neg(self.0) })
            }
        }

        // SAFETY of every block below: as for the operators; loads and stores go through arrays of
        // the register's size.
        impl Lane for $name {
            type Mask = $mask;
            #[inline(always)]
            fn splat(x: f64) -> Self {
                $name(unsafe { $set(x as $real) })
            }
            #[inline(always)]
            fn mul_add(self, a: Self, b: Self) -> Self {
                // The instruction adds the product of its last two operands to the first.
                $name(unsafe { $fma(b.0, self.0, a.0) })
            }
            #[inline(always)]
            fn sqrt(self) -> Self {
                $name(unsafe { $sqrt(self.0) })
            }
            #[inline(always)]
            fn abs(self) -> Self {
                $name(unsafe { $abs(self.0) })
            }
            // The instructions for the minimum and the maximum treat NaN and −0 differently.
            #[inline(always)]
            fn min(self, other: Self) -> Self {
                Self::select(self.lt(other), self, other)
            }
            #[inline(always)]
            fn max(self, other: Self) -> Self {
                Self::select(other.lt(self), self, other)
            }
            #[inline(always)]
            fn floor(self) -> Self {
                $name(unsafe { $floor(self.0) })
            }
            #[inline(always)]
            fn lt(self, other: Self) -> $mask {
                $mask(unsafe { $lt(self.0, other.0) })
            }
            #[inline(always)]
            fn le(self, other: Self) -> $mask {
                $mask(unsafe { $le(self.0, other.0) })
            }
            #[inline(always)]
            fn select(mask: $mask, a: Self, b: Self) -> Self {
                $name(unsafe { $select(mask.0, a.0, b.0) })
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
                $name(unsafe { $round(self.0) })
            }
            #[inline(always)]
            fn exp2_whole(n: Self) -> Self {
                $name(unsafe { $exp2(n.0) })
            }
            #[inline(always)]
            fn split_exponent(self) -> (Self, Self) {
                let (m, e) = unsafe { $split(self.0) };
                ($name(m), $name(e))
            }
            #[inline(always)]
            fn pseudo_log(self) -> Self {
                $name(unsafe { $log(self.0) })
            }
            #[inline(always)]
            fn pseudo_exp(self) -> Self {
                $name(unsafe { $exp(self.0) })
            }
        }

        /// The mask of the register type of the same name: all bits of a lane, or none.
        #[derive(Clone, Copy, Debug)]
        #[repr(transparent)]
        pub(super) struct $mask($mask_raw);

        operator!($mask, BitAnd, bitand, $mask_and);
        operator!($mask, BitOr, bitor, $mask_or);

        impl std::ops::Not for $mask {
            type Output = Self;
            #[inline(always)]
            fn not(self) -> Self {
                $mask(unsafe { $mask_not(self.0) })
            }
        }

        impl Mask for $mask {
            const LANES: usize = $lanes;
            #[inline(always)]
            fn splat(answer: bool) -> Self {
                $mask(unsafe { $mask_set(if answer { $bits::MAX } else { 0 }) })
            }
            #[inline(always)]
            fn any(self) -> bool {
                unsafe { $any(self.0) }
            }
            #[inline(always)]
            fn get(self, i: usize) -> bool {
                // SAFETY: a register of integers and the array have the same size, and every bit
                // pattern is a value of either.
                let answers: [$bits; $lanes] = unsafe { std::mem::transmute(self.0) };
                answers[i] != 0
            }
        }
    };
}

/// The bits of √½.
const SQRT_HALF_32: u32 = 0x3F35_04F3;
const SQRT_HALF_64: u64 = 0x3FE6_A09E_667F_3BCD;

register!(
    /// Four single-precision numbers.
    F32x4(float32x4_t) = [f32; 4],
    mask: M32x4(uint32x4_t) = [u32; vdupq_n_u32, vandq_u32, vorrq_u32],
    mask_not: |m| vmvnq_u32(m),
    any: |m| vmaxvq_u32(m) != 0,
    set: vdupq_n_f32, add: vaddq_f32, sub: vsubq_f32, mul: vmulq_f32, div: vdivq_f32,
    neg: vnegq_f32, abs: vabsq_f32, fma: vfmaq_f32, sqrt: vsqrtq_f32,
    floor: vrndmq_f32, round: vrndnq_f32, load: vld1q_f32, store: vst1q_f32,
    lt: vcltq_f32, le: vcleq_f32, select: vbslq_f32,
    exp2: |n| {
        let biased = vaddq_s32(vcvtq_s32_f32(n), vdupq_n_s32(127));
        vreinterpretq_f32_s32(vshlq_n_s32::<23>(biased))
    },
    split: |x| {
        let root = vdupq_n_u32(SQRT_HALF_32);
        let shifted = vsubq_u32(vreinterpretq_u32_f32(x), root);
        let low = vandq_u32(shifted, vdupq_n_u32((1 << 23) - 1));
        let e = vshrq_n_s32::<23>(vreinterpretq_s32_u32(shifted));
        (vreinterpretq_f32_u32(vaddq_u32(low, root)), vcvtq_f32_s32(e))
    },
    log: |x| vcvtq_f32_s32(vreinterpretq_s32_f32(x)),
    exp: |n| vreinterpretq_f32_s32(vcvtnq_s32_f32(n)),
);

register!(
    /// Two double-precision numbers.
    F64x2(float64x2_t) = [f64; 2],
    mask: M64x2(uint64x2_t) = [u64; vdupq_n_u64, vandq_u64, vorrq_u64],
    mask_not: |m| vreinterpretq_u64_u32(vmvnq_u32(vreinterpretq_u32_u64(m))),
    any: |m| vmaxvq_u32(vreinterpretq_u32_u64(m)) != 0,
    set: vdupq_n_f64, add: vaddq_f64, sub: vsubq_f64, mul: vmulq_f64, div: vdivq_f64,
    neg: vnegq_f64, abs: vabsq_f64, fma: vfmaq_f64, sqrt: vsqrtq_f64,
    floor: vrndmq_f64, round: vrndnq_f64, load: vld1q_f64, store: vst1q_f64,
    lt: vcltq_f64, le: vcleq_f64, select: vbslq_f64,
    exp2: |n| {
        let biased = vaddq_s64(vcvtq_s64_f64(n), vdupq_n_s64(1023));
        vreinterpretq_f64_s64(vshlq_n_s64::<52>(biased))
    },
    split: |x| {
        let root = vdupq_n_u64(SQRT_HALF_64);
        let shifted = vsubq_u64(vreinterpretq_u64_f64(x), root);
        let low = vandq_u64(shifted, vdupq_n_u64((1 << 52) - 1));
        let e = vshrq_n_s64::<52>(vreinterpretq_s64_u64(shifted));
        (vreinterpretq_f64_u64(vaddq_u64(low, root)), vcvtq_f64_s64(e))
    },
    log: |x| vcvtq_f64_u64(vshrq_n_u64::<12>(vreinterpretq_u64_f64(x))),
    exp: |n| vreinterpretq_f64_u64(vshlq_n_u64::<12>(vcvtnq_u64_f64(n))),
);

#[cfg(test)]
mod tests {
    use super::super::{Level, Real};
    use super::*;

    #[test]
    fn the_machine_runs_these_lanes() {
        assert_eq!(Level::available(), [Level::Portable, Level::Neon]);
    }

    /// Whether both are NaN or have the same bits.
    fn same<R: Real>(a: R, b: R) -> bool {
        let (a, b) = (a.to_f64(), b.to_f64());
        (a.is_nan() && b.is_nan()) || a.to_bits() == b.to_bits()
    }

    fn first<S: Simd>(x: S) -> S::Real {
        let mut out = vec![S::Real::default(); S::LANES];
        x.store(&mut out);
        out[0]
    }

    /// Operations of two numbers, and answers about them.
    fn of_two<S: Simd>(a: S, b: S) -> (Vec<S>, Vec<S::Mask>) {
        let (lt, le) = (a.lt(b), a.le(b));
        (
            vec![
                a + b,
                a - b,
                a * b,
                a / b,
                -a,
                a.mul_add(b, S::splat(-1.5)),
                a.sqrt(),
                a.abs(),
                a.min(b),
                a.max(b),
                a.floor(),
                a.round(),
                a.exp(),
                a.ln(),
                a.tanh(),
                a.atan(),
                S::select(lt, a, b),
            ],
            vec![lt, le, !lt, lt | !le, le & !lt],
        )
    }

    /// Every operation on every pair of awkward numbers, in every lane, against single numbers.
    fn agrees_with_single_numbers<S: Simd>() {
        let (tiny, most) = (S::Real::MIN_POSITIVE.to_f64(), f64::from(f32::MAX));
        let awkward = [
            0.0,
            -0.0,
            f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
            tiny,
            -tiny / 4.0,
            tiny / 1024.0,
            most,
            -most,
            0.5,
            -0.5,
            1.5,
            2.5,
            -2.5,
            8_388_609.0,
            -4_503_599_627_370_497.0,
            1e-3,
            -0.1,
        ];
        for a in awkward {
            for b in awkward {
                let (numbers, answers) = of_two(
                    <S::Real as Real>::Portable::splat(a),
                    <S::Real as Real>::Portable::splat(b),
                );
                for lane in 0..S::LANES {
                    let place = |x: f64| {
                        let mut all = vec![S::Real::from_f64(7.0); S::LANES + 1];
                        all[lane] = S::Real::from_f64(x);
                        S::load(&all)
                    };
                    let (found, found_answers) = of_two(place(a), place(b));
                    for (i, (found, expected)) in found.iter().zip(&numbers).enumerate() {
                        let mut out = vec![S::Real::default(); S::LANES];
                        found.store(&mut out);
                        assert!(
                            same(out[lane], first(*expected)),
                            "operation {i} of {a:e} and {b:e} in lane {lane}: {out:?}"
                        );
                    }
                    for (i, (found, expected)) in found_answers.iter().zip(&answers).enumerate() {
                        assert_eq!(
                            found.get(lane),
                            expected.get(0),
                            "answer {i} of {a:e}, {b:e}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn awkward_numbers_give_the_bits_of_single_numbers() {
        agrees_with_single_numbers::<F32x4>();
        agrees_with_single_numbers::<F64x2>();
    }

    fn masks<S: Simd>() {
        for lane in 0..S::LANES {
            let mut x = vec![S::Real::from_f64(1.0); S::LANES];
            x[lane] = S::Real::from_f64(-1.0);
            let one = S::load(&x).lt(S::splat(0.0));
            assert!(one.any() && (!one).any());
            assert!(!one.all() && !(!one).all());
            for i in 0..S::LANES {
                assert_eq!(one.get(i), i == lane);
                assert_eq!((!one).get(i), i != lane);
            }
            assert!((one | !one).all() && !(one & !one).any());
        }
        assert!(S::Mask::splat(true).all() && !S::Mask::splat(false).any());
        assert_eq!(<S::Mask as Mask>::LANES, S::LANES);
    }

    #[test]
    fn masks_answer_lane_by_lane() {
        masks::<F32x4>();
        masks::<F64x2>();
    }
}
