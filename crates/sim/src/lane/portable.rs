//! One number at a time, on any machine.

use super::{Lane, Mask, Simd, elementary_functions, scalar_operators};

/// A single number as a lane type: the portable code path, and the reference for all others.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(transparent)]
pub struct One<T>(pub T);

impl Mask for bool {
    const LANES: usize = 1;
    #[inline(always)]
    fn splat(answer: bool) -> Self {
        answer
    }
    #[inline(always)]
    fn any(self) -> bool {
        self
    }
    #[inline(always)]
    fn get(self, _: usize) -> bool {
        self
    }
}

macro_rules! one {
    ($real:ident, $bits:ident, $signed:ident, $mantissa:literal, $dropped:literal, $bias:literal, $sqrt_half:literal) => {
        one!(@operators $real, Add add +);
        one!(@operators $real, Sub sub -);
        one!(@operators $real, Mul mul *);
        one!(@operators $real, Div div /);
        scalar_operators!(One<$real>);

        impl std::ops::Neg for One<$real> {
            type Output = Self;
            #[inline(always)]
            fn neg(self) -> Self {
                One(-self.0)
            }
        }

        impl Lane for One<$real> {
            type Mask = bool;
            #[inline(always)]
            fn splat(x: f64) -> Self {
                One(x as $real)
            }
            #[inline(always)]
            fn mul_add(self, a: Self, b: Self) -> Self {
                One(self.0.mul_add(a.0, b.0))
            }
            #[inline(always)]
            fn sqrt(self) -> Self {
                One(self.0.sqrt())
            }
            #[inline(always)]
            fn abs(self) -> Self {
                One(self.0.abs())
            }
            #[inline(always)]
            fn min(self, other: Self) -> Self {
                if self.0 < other.0 { self } else { other }
            }
            #[inline(always)]
            fn max(self, other: Self) -> Self {
                if self.0 > other.0 { self } else { other }
            }
            #[inline(always)]
            fn floor(self) -> Self {
                One(self.0.floor())
            }
            #[inline(always)]
            fn lt(self, other: Self) -> bool {
                self.0 < other.0
            }
            #[inline(always)]
            fn le(self, other: Self) -> bool {
                self.0 <= other.0
            }
            #[inline(always)]
            fn select(mask: bool, a: Self, b: Self) -> Self {
                if mask { a } else { b }
            }
            elementary_functions!();
        }

        impl Simd for One<$real> {
            type Real = $real;
            const LANES: usize = 1;
            #[inline(always)]
            fn splat_real(x: $real) -> Self {
                One(x)
            }
            #[inline(always)]
            fn load(from: &[$real]) -> Self {
                One(from[0])
            }
            #[inline(always)]
            fn store(self, to: &mut [$real]) {
                to[0] = self.0;
            }
            #[inline(always)]
            fn round(self) -> Self {
                One(self.0.round_ties_even())
            }
            #[inline(always)]
            fn exp2_whole(n: Self) -> Self {
                One($real::from_bits(((n.0 as $signed + $bias) as $bits) << $mantissa))
            }
            #[inline(always)]
            fn split_exponent(self) -> (Self, Self) {
                let shifted = self.0.to_bits().wrapping_sub($sqrt_half) as $signed;
                let m = (shifted as $bits & ((1 << $mantissa) - 1)) + $sqrt_half;
                (One($real::from_bits(m)), One((shifted >> $mantissa) as $real))
            }
            #[inline(always)]
            fn pseudo_log(self) -> Self {
                One((self.0.to_bits() >> $dropped) as $signed as $real)
            }
            #[inline(always)]
            fn pseudo_exp(self) -> Self {
                let bits = self.0.round_ties_even() as $signed as $bits;
                One($real::from_bits(bits << $dropped))
            }
        }
    };
    (@operators $real:ident, $trait:ident $f:ident $op:tt) => {
        impl std::ops::$trait for One<$real> {
            type Output = Self;
            #[inline(always)]
            fn $f(self, other: Self) -> Self {
                One(self.0 $op other.0)
            }
        }
    };
}

one!(f32, u32, i32, 23, 0, 127, 0x3F35_04F3);
one!(f64, u64, i64, 52, 12, 1023, 0x3FE6_A09E_667F_3BCD);
