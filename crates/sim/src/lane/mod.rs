//! SIMD lanes: many trajectories in one value.
//!
//! A process is written once, generic over [`Lane`], and runs on any lane type: one number at a
//! time ([`One`]), a vector register of the machine, several registers side by side ([`Pair`]), or
//! [`Dual`] numbers, which carry an exact derivative along.
//!
//! All lane types give the same bits: they use IEEE `+ − × ÷ √`, the fused multiply-add where
//! [`Lane::mul_add`] is written (and nowhere else), and our own elementary functions.

mod dispatch;
mod dual;
mod elementary;
#[cfg(target_arch = "aarch64")]
mod neon;
mod pair;
mod portable;
#[cfg(target_arch = "x86_64")]
mod x86;

#[cfg(test)]
mod tests;

use std::fmt::Debug;
use std::ops::{Add, BitAnd, BitOr, Div, Mul, Neg, Not, Sub};

pub(crate) use dispatch::Streams;
pub use dispatch::{Job, Level, Real};
pub use dual::Dual;
pub use pair::Pair;
pub use portable::One;

/// What a process computes with: arithmetic, comparisons and elementary functions, lane by lane.
///
/// A plain `f64` on the right of an operator is the same number in every lane:
/// `x * 2.0 - self.theta`.
pub trait Lane:
    Copy
    + Debug
    + Send
    + Sync
    + 'static
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + Add<f64, Output = Self>
    + Sub<f64, Output = Self>
    + Mul<f64, Output = Self>
    + Div<f64, Output = Self>
{
    /// The answers of a comparison, one per lane.
    type Mask: Mask;

    /// The same number in every lane (rounded to the lane's precision).
    fn splat(x: f64) -> Self;
    /// `self · a + b` with one rounding.
    fn mul_add(self, a: Self, b: Self) -> Self;
    /// √x, correctly rounded.
    fn sqrt(self) -> Self;
    /// |x|.
    fn abs(self) -> Self;
    /// `self` where `self < other`, else `other` (so `other` where either is NaN).
    fn min(self, other: Self) -> Self;
    /// `self` where `self > other`, else `other` (so `other` where either is NaN).
    fn max(self, other: Self) -> Self;
    /// The greatest integer not above x.
    fn floor(self) -> Self;
    /// eˣ, within 2 units in the last place.
    fn exp(self) -> Self;
    /// The natural logarithm, within 2 units in the last place; NaN below 0.
    fn ln(self) -> Self;
    /// sin x, with an absolute error of at most 2 ε for |x| up to 10⁵ (single) or 10⁹ (double).
    fn sin(self) -> Self;
    /// cos x, as precise as [`Lane::sin`].
    fn cos(self) -> Self;
    /// The hyperbolic tangent, within 4 units in the last place.
    fn tanh(self) -> Self;
    /// The arc tangent, within 4 units in the last place.
    fn atan(self) -> Self;
    /// `self < other`, lane by lane.
    fn lt(self, other: Self) -> Self::Mask;
    /// `self ≤ other`, lane by lane.
    fn le(self, other: Self) -> Self::Mask;
    /// `a` where `mask` holds, else `b`.
    fn select(mask: Self::Mask, a: Self, b: Self) -> Self;

    /// xⁿ by repeated squaring; x⁻ⁿ = 1/xⁿ.
    #[inline(always)]
    fn powi(self, n: i32) -> Self {
        let mut left = n.unsigned_abs();
        let (mut power, mut result) = (self, Self::splat(1.0));
        let mut first = true;
        while left > 0 {
            if left & 1 == 1 {
                result = if first { power } else { result * power };
                first = false;
            }
            left >>= 1;
            if left > 0 {
                power = power * power;
            }
        }
        if n < 0 {
            Self::splat(1.0) / result
        } else {
            result
        }
    }

    /// xʸ = e^{y ln |x|}, with the sign of xʸ for x < 0 and whole y, NaN for x < 0 and other y.
    /// The relative error grows with |y ln x| units in the last place.
    #[inline(always)]
    fn powf(self, y: Self) -> Self {
        let zero = Self::splat(0.0);
        let size = (y * self.abs().ln()).exp();
        let half = y * 0.5;
        let whole = y.le(y.floor());
        let even = half.le(half.floor());
        let negative = Self::select(
            even,
            size,
            Self::select(whole, -size, Self::splat(f64::NAN)),
        );
        let power = Self::select(self.lt(zero), negative, size);
        Self::select(y.abs().le(zero), Self::splat(1.0), power)
    }
}

/// A lane type of the machine: [`Lane`] plus access to the single numbers and to their bits.
pub trait Simd: Lane {
    /// The number in one lane.
    type Real: Real;
    /// How many numbers there are.
    const LANES: usize;

    /// The same number in every lane.
    fn splat_real(x: Self::Real) -> Self;
    /// The first `LANES` numbers of a slice.
    ///
    /// # Panics
    /// When the slice is shorter.
    fn load(from: &[Self::Real]) -> Self;
    /// Writes the numbers to the first `LANES` places of a slice.
    ///
    /// # Panics
    /// When the slice is shorter.
    fn store(self, to: &mut [Self::Real]);
    /// The nearest integer, ties to even.
    fn round(self) -> Self;
    /// 2ⁿ for whole n in the range of normal exponents.
    fn exp2_whole(n: Self) -> Self;
    /// (m, e) with x = m·2ᵉ and m in [√½, √2), for normal positive x; anything otherwise.
    fn split_exponent(self) -> (Self, Self);
    /// The leading bits of a positive number as a whole number:
    /// [`Real::OCTAVE`]·(log₂ x + [`Real::BIAS`]), with a logarithm that is linear between powers
    /// of two and so up to 0.0861 too small (Schraudolph, *A fast, compact approximation of the
    /// exponential function*, Neural Computation, 1999).
    fn pseudo_log(self) -> Self;
    /// The inverse of [`Simd::pseudo_log`], after rounding to a whole number.
    fn pseudo_exp(self) -> Self;
}

/// Aligns the stack of the function that this is inlined into to the widest register. Otherwise the
/// compiler, when it finds out late that registers must be spilled, puts them where every other
/// one crosses a cache line.
#[inline(always)]
pub(crate) fn align_stack() {
    #[repr(align(64))]
    struct Anchor(#[allow(dead_code)] u8);
    let mut anchor = Anchor(0);
    std::hint::black_box(&mut anchor);
}

/// Answers of a comparison, one per lane.
pub trait Mask:
    Copy + Debug + Send + Sync + BitAnd<Output = Self> + BitOr<Output = Self> + Not<Output = Self>
{
    /// How many answers there are.
    const LANES: usize;
    /// The same answer in every lane.
    fn splat(answer: bool) -> Self;
    /// Whether any lane says yes.
    fn any(self) -> bool;
    /// Whether all lanes say yes.
    fn all(self) -> bool {
        !(!self).any()
    }
    /// The answer of lane `i`.
    fn get(self, i: usize) -> bool;
}

/// Operators with a plain number on the right, for a lane type that has those with itself.
macro_rules! scalar_operators {
    ($type:ty) => {
        $crate::lane::scalar_operators!($type, Add add, Sub sub, Mul mul, Div div);
    };
    ($type:ty, $($trait:ident $f:ident),*) => {
        $(impl std::ops::$trait<f64> for $type {
            type Output = Self;
            #[inline(always)]
            fn $f(self, x: f64) -> Self {
                std::ops::$trait::$f(self, <Self as $crate::lane::Lane>::splat(x))
            }
        })*
    };
}
pub(crate) use scalar_operators;

/// The elementary functions of [`Lane`] for a [`Simd`] type.
macro_rules! elementary_functions {
    () => {
        #[inline(always)]
        fn exp(self) -> Self {
            $crate::lane::elementary::exp(self)
        }
        #[inline(always)]
        fn ln(self) -> Self {
            $crate::lane::elementary::ln(self)
        }
        #[inline(always)]
        fn sin(self) -> Self {
            $crate::lane::elementary::sin_cos(self).0
        }
        #[inline(always)]
        fn cos(self) -> Self {
            $crate::lane::elementary::sin_cos(self).1
        }
        #[inline(always)]
        fn tanh(self) -> Self {
            $crate::lane::elementary::tanh(self)
        }
        #[inline(always)]
        fn atan(self) -> Self {
            $crate::lane::elementary::atan(self)
        }
    };
}
pub(crate) use elementary_functions;
