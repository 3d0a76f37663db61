//! Dual numbers: a value and its derivative in one direction.

use std::ops::{Add, Div, Mul, Neg, Sub};

use super::Lane;

/// `v + d·ε` with ε² = 0: evaluating a function on duals gives its value and its exact directional
/// derivative (forward mode). Comparisons look at the value alone.
#[derive(Clone, Copy, Debug)]
pub struct Dual<L> {
    /// The value.
    pub v: L,
    /// The derivative.
    pub d: L,
}

impl<L: Lane> Dual<L> {
    /// A constant: its derivative is 0.
    #[inline(always)]
    pub fn constant(v: L) -> Self {
        Dual {
            v,
            d: L::splat(0.0),
        }
    }

    /// A value with its derivative.
    #[inline(always)]
    pub fn new(v: L, d: L) -> Self {
        Dual { v, d }
    }
}

impl<L: Lane> Add for Dual<L> {
    type Output = Self;
    #[inline(always)]
    fn add(self, o: Self) -> Self {
        Dual::new(self.v + o.v, self.d + o.d)
    }
}

impl<L: Lane> Sub for Dual<L> {
    type Output = Self;
    #[inline(always)]
    fn sub(self, o: Self) -> Self {
        Dual::new(self.v - o.v, self.d - o.d)
    }
}

impl<L: Lane> Mul for Dual<L> {
    type Output = Self;
    #[inline(always)]
    fn mul(self, o: Self) -> Self {
        Dual::new(self.v * o.v, self.v.mul_add(o.d, self.d * o.v))
    }
}

impl<L: Lane> Div for Dual<L> {
    type Output = Self;
    #[inline(always)]
    fn div(self, o: Self) -> Self {
        let v = self.v / o.v;
        Dual::new(v, (self.d - v * o.d) / o.v)
    }
}

impl<L: Lane> Neg for Dual<L> {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        Dual::new(-self.v, -self.d)
    }
}

impl<L: Lane> Add<f64> for Dual<L> {
    type Output = Self;
    #[inline(always)]
    fn add(self, x: f64) -> Self {
        Dual::new(self.v + x, self.d)
    }
}

impl<L: Lane> Sub<f64> for Dual<L> {
    type Output = Self;
    #[inline(always)]
    fn sub(self, x: f64) -> Self {
        Dual::new(self.v - x, self.d)
    }
}

impl<L: Lane> Mul<f64> for Dual<L> {
    type Output = Self;
    #[inline(always)]
    fn mul(self, x: f64) -> Self {
        Dual::new(self.v * x, self.d * x)
    }
}

impl<L: Lane> Div<f64> for Dual<L> {
    type Output = Self;
    #[inline(always)]
    fn div(self, x: f64) -> Self {
        Dual::new(self.v / x, self.d / x)
    }
}

impl<L: Lane> Lane for Dual<L> {
    type Mask = L::Mask;

    #[inline(always)]
    fn splat(x: f64) -> Self {
        Dual::constant(L::splat(x))
    }
    #[inline(always)]
    fn mul_add(self, a: Self, b: Self) -> Self {
        Dual::new(
            self.v.mul_add(a.v, b.v),
            self.v.mul_add(a.d, self.d.mul_add(a.v, b.d)),
        )
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        let root = self.v.sqrt();
        Dual::new(root, self.d / (root + root))
    }
    #[inline(always)]
    fn abs(self) -> Self {
        let negative = self.v.lt(L::splat(0.0));
        Dual::new(self.v.abs(), L::select(negative, -self.d, self.d))
    }
    #[inline(always)]
    fn min(self, other: Self) -> Self {
        Self::select(self.v.lt(other.v), self, other)
    }
    #[inline(always)]
    fn max(self, other: Self) -> Self {
        Self::select(other.v.lt(self.v), self, other)
    }
    #[inline(always)]
    fn floor(self) -> Self {
        Dual::constant(self.v.floor())
    }
    #[inline(always)]
    fn exp(self) -> Self {
        let e = self.v.exp();
        Dual::new(e, e * self.d)
    }
    #[inline(always)]
    fn ln(self) -> Self {
        Dual::new(self.v.ln(), self.d / self.v)
    }
    #[inline(always)]
    fn sin(self) -> Self {
        Dual::new(self.v.sin(), self.v.cos() * self.d)
    }
    #[inline(always)]
    fn cos(self) -> Self {
        Dual::new(self.v.cos(), -(self.v.sin() * self.d))
    }
    #[inline(always)]
    fn tanh(self) -> Self {
        let y = self.v.tanh();
        Dual::new(y, (L::splat(1.0) - y * y) * self.d)
    }
    #[inline(always)]
    fn atan(self) -> Self {
        Dual::new(
            self.v.atan(),
            self.d / self.v.mul_add(self.v, L::splat(1.0)),
        )
    }
    #[inline(always)]
    fn lt(self, other: Self) -> L::Mask {
        self.v.lt(other.v)
    }
    #[inline(always)]
    fn le(self, other: Self) -> L::Mask {
        self.v.le(other.v)
    }
    #[inline(always)]
    fn select(mask: L::Mask, a: Self, b: Self) -> Self {
        Dual::new(L::select(mask, a.v, b.v), L::select(mask, a.d, b.d))
    }
    #[inline(always)]
    fn powf(self, y: Self) -> Self {
        // d(xʸ) = y xʸ⁻¹ dx + xʸ ln x dy; the second term only where dy ≠ 0, so that a constant
        // exponent is differentiable at x ≤ 0.
        let zero = L::splat(0.0);
        let power = self.v.powf(y.v);
        let base = y.v * self.v.powf(y.v - 1.0) * self.d;
        let exponent = power * self.v.ln() * y.d;
        let fixed = y.d.abs().le(zero);
        Dual::new(power, base + L::select(fixed, zero, exponent))
    }
}
