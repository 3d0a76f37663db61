//! Two lane types side by side.

use super::{Lane, Mask, Simd, elementary_functions};

/// Two lane values as one of twice the width: independent work that hides the latency of
/// arithmetic. Pairs nest.
#[derive(Clone, Copy, Debug)]
pub struct Pair<L>(pub L, pub L);

impl<M: Mask> std::ops::BitAnd for Pair<M> {
    type Output = Self;
    #[inline(always)]
    fn bitand(self, other: Self) -> Self {
        Pair(self.0 & other.0, self.1 & other.1)
    }
}

impl<M: Mask> std::ops::BitOr for Pair<M> {
    type Output = Self;
    #[inline(always)]
    fn bitor(self, other: Self) -> Self {
        Pair(self.0 | other.0, self.1 | other.1)
    }
}

impl<M: Mask> std::ops::Not for Pair<M> {
    type Output = Self;
    #[inline(always)]
    fn not(self) -> Self {
        Pair(!self.0, !self.1)
    }
}

impl<M: Mask> Mask for Pair<M> {
    const LANES: usize = 2 * M::LANES;
    #[inline(always)]
    fn splat(answer: bool) -> Self {
        Pair(M::splat(answer), M::splat(answer))
    }
    #[inline(always)]
    fn any(self) -> bool {
        self.0.any() | self.1.any()
    }
    #[inline(always)]
    fn get(self, i: usize) -> bool {
        if i < M::LANES {
            self.0.get(i)
        } else {
            self.1.get(i - M::LANES)
        }
    }
}

macro_rules! operator {
    ($trait:ident $f:ident) => {
        impl<L: Simd> std::ops::$trait for Pair<L> {
            type Output = Self;
            #[inline(always)]
            fn $f(self, other: Self) -> Self {
                Pair(self.0.$f(other.0), self.1.$f(other.1))
            }
        }
        impl<L: Simd> std::ops::$trait<f64> for Pair<L> {
            type Output = Self;
            #[inline(always)]
            fn $f(self, x: f64) -> Self {
                Pair(self.0.$f(x), self.1.$f(x))
            }
        }
    };
}
operator!(Add add);
operator!(Sub sub);
operator!(Mul mul);
operator!(Div div);

impl<L: Simd> std::ops::Neg for Pair<L> {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        Pair(-self.0, -self.1)
    }
}

impl<L: Simd> Lane for Pair<L> {
    type Mask = Pair<L::Mask>;
    #[inline(always)]
    fn splat(x: f64) -> Self {
        Pair(L::splat(x), L::splat(x))
    }
    #[inline(always)]
    fn mul_add(self, a: Self, b: Self) -> Self {
        Pair(self.0.mul_add(a.0, b.0), self.1.mul_add(a.1, b.1))
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        Pair(self.0.sqrt(), self.1.sqrt())
    }
    #[inline(always)]
    fn abs(self) -> Self {
        Pair(self.0.abs(), self.1.abs())
    }
    #[inline(always)]
    fn min(self, other: Self) -> Self {
        Pair(self.0.min(other.0), self.1.min(other.1))
    }
    #[inline(always)]
    fn max(self, other: Self) -> Self {
        Pair(self.0.max(other.0), self.1.max(other.1))
    }
    #[inline(always)]
    fn floor(self) -> Self {
        Pair(self.0.floor(), self.1.floor())
    }
    #[inline(always)]
    fn lt(self, other: Self) -> Self::Mask {
        Pair(self.0.lt(other.0), self.1.lt(other.1))
    }
    #[inline(always)]
    fn le(self, other: Self) -> Self::Mask {
        Pair(self.0.le(other.0), self.1.le(other.1))
    }
    #[inline(always)]
    fn select(mask: Self::Mask, a: Self, b: Self) -> Self {
        Pair(L::select(mask.0, a.0, b.0), L::select(mask.1, a.1, b.1))
    }
    elementary_functions!();
}

impl<L: Simd> Simd for Pair<L> {
    type Real = L::Real;
    const LANES: usize = 2 * L::LANES;
    #[inline(always)]
    fn splat_real(x: L::Real) -> Self {
        Pair(L::splat_real(x), L::splat_real(x))
    }
    #[inline(always)]
    fn load(from: &[L::Real]) -> Self {
        Pair(L::load(from), L::load(&from[L::LANES..]))
    }
    #[inline(always)]
    fn store(self, to: &mut [L::Real]) {
        self.0.store(to);
        self.1.store(&mut to[L::LANES..]);
    }
    #[inline(always)]
    fn round(self) -> Self {
        Pair(self.0.round(), self.1.round())
    }
    #[inline(always)]
    fn exp2_whole(n: Self) -> Self {
        Pair(L::exp2_whole(n.0), L::exp2_whole(n.1))
    }
    #[inline(always)]
    fn split_exponent(self) -> (Self, Self) {
        let ((m0, e0), (m1, e1)) = (self.0.split_exponent(), self.1.split_exponent());
        (Pair(m0, m1), Pair(e0, e1))
    }
    #[inline(always)]
    fn pseudo_log(self) -> Self {
        Pair(self.0.pseudo_log(), self.1.pseudo_log())
    }
    #[inline(always)]
    fn pseudo_exp(self) -> Self {
        Pair(self.0.pseudo_exp(), self.1.pseudo_exp())
    }
}
