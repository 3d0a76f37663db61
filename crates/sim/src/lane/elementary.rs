//! Elementary functions from IEEE operations alone, so that every lane type gives the same bits.
//!
//! Arguments are reduced with the fused multiply-add (Cody and Waite, *Software Manual for the
//! Elementary Functions*, 1980); the rest are Taylor series long enough that what is left out stays
//! below half a unit in the last place. There are no closures here: one that the compiler leaves
//! out of line loses the instruction set.

use super::{Real, Simd};

/// Σ cₖ xᵏ, coefficients from degree 0 up.
#[inline(always)]
fn horner<S: Simd>(x: S, coefficients: &[f64]) -> S {
    let (last, rest) = coefficients.split_last().expect("a polynomial has a term");
    let mut sum = S::splat(*last);
    for c in rest.iter().rev() {
        sum = sum.mul_add(x, S::splat(*c));
    }
    sum
}

/// 1/k! from k = 1 on.
const INVERSE_FACTORIALS: [f64; 17] = {
    let mut table = [1.0; 17];
    let mut k = 1;
    while k < 17 {
        table[k] = table[k - 1] / (k + 1) as f64;
        k += 1;
    }
    table
};

/// (r, n) with x = n ln 2 + r, n whole and |r| ≤ ½ ln 2.
#[inline(always)]
fn reduce_ln2<S: Simd>(x: S) -> (S, S) {
    let n = (x * std::f64::consts::LOG2_E).round();
    let [hi, lo] = S::Real::LN_2;
    let r = (-n).mul_add(S::splat_real(hi), x);
    ((-n).mul_add(S::splat_real(lo), r), n)
}

/// (eʳ − 1)/r for |r| ≤ ½ ln 2.
#[inline(always)]
fn exp_m1_over<S: Simd>(r: S) -> S {
    horner(
        r,
        &INVERSE_FACTORIALS[..if S::Real::SINGLE { 7 } else { 13 }],
    )
}

/// x·2ⁿ for whole n, in two steps so that neither factor leaves the normal numbers.
#[inline(always)]
fn scale<S: Simd>(x: S, n: S) -> S {
    let half = (n * 0.5).round();
    x * S::exp2_whole(half) * S::exp2_whole(n - half)
}

#[inline(always)]
pub(super) fn exp<S: Simd>(x: S) -> S {
    let (low, high) = if S::Real::SINGLE {
        (-104.5, 89.0)
    } else {
        (-746.0, 710.0)
    };
    // In this order NaN passes through.
    let x = S::splat(high).min(S::splat(low).max(x));
    let (r, n) = reduce_ln2(x);
    scale(exp_m1_over(r).mul_add(r, S::splat(1.0)), n)
}

#[inline(always)]
pub(super) fn ln<S: Simd>(x: S) -> S {
    let tiny = S::splat_real(S::Real::MIN_POSITIVE);
    let (up, shift) = if S::Real::SINGLE {
        (16_777_216.0, 24.0)
    } else {
        (18_014_398_509_481_984.0, 54.0)
    };
    let subnormal = x.lt(tiny);
    let normal = S::select(subnormal, x * up, x);
    let (m, e) = normal.split_exponent();
    let e = S::select(subnormal, e - shift, e);

    let f = m - 1.0;
    let s = f / (f + 2.0);
    let z = s * s;
    // 2/3 z + 2/5 z² + …: ln m = 2 artanh s = 2s (1 + z/3 + z²/5 + …).
    const SERIES: [f64; 11] = {
        let mut table = [0.0; 11];
        let mut k = 0;
        while k < 11 {
            table[k] = 2.0 / (2 * k + 3) as f64;
            k += 1;
        }
        table
    };
    let series = z * horner(z, &SERIES[..if S::Real::SINGLE { 4 } else { 11 }]);
    // f − s(f − series) keeps the leading term f exact (2s = f − s f).
    let [hi, lo] = S::Real::LN_2;
    let ln_m = e.mul_add(S::splat_real(lo), -(s * (f - series)));
    let result = e.mul_add(S::splat_real(hi), f + ln_m);

    let zero = S::splat(0.0);
    let infinity = S::splat(f64::INFINITY);
    let result = S::select(x.lt(infinity), result, x);
    let result = S::select(x.le(zero), -infinity, result);
    S::select(x.lt(zero), S::splat(f64::NAN), result)
}

#[inline(always)]
pub(super) fn sin_cos<S: Simd>(x: S) -> (S, S) {
    let n = (x * std::f64::consts::FRAC_2_PI).round();
    let mut r = x;
    for part in S::Real::HALF_PI {
        r = (-n).mul_add(S::splat_real(part), r);
    }
    let z = r * r;
    let sin = (r * z).mul_add(
        horner(
            z,
            &[
                -1.0 / 6.0,
                1.0 / 120.0,
                -1.0 / 5040.0,
                1.0 / 362_880.0,
                -1.0 / 39_916_800.0,
                1.0 / 6_227_020_800.0,
                -1.0 / 1_307_674_368_000.0,
                1.0 / 355_687_428_096_000.0,
            ][..if S::Real::SINGLE { 4 } else { 8 }],
        ),
        r,
    );
    let cos = z.mul_add(
        horner(
            z,
            &[
                -0.5,
                1.0 / 24.0,
                -1.0 / 720.0,
                1.0 / 40_320.0,
                -1.0 / 3_628_800.0,
                1.0 / 479_001_600.0,
                -1.0 / 87_178_291_200.0,
                1.0 / 20_922_789_888_000.0,
                -1.0 / 6_402_373_705_728_000.0,
            ][..if S::Real::SINGLE { 5 } else { 9 }],
        ),
        S::splat(1.0),
    );
    // The quadrant n mod 4, as whole numbers.
    let quadrant = (n * 0.25).floor().mul_add(S::splat(-4.0), n);
    let (above_0, above_1, above_2) = (
        S::splat(0.5).lt(quadrant),
        S::splat(1.5).lt(quadrant),
        S::splat(2.5).lt(quadrant),
    );
    let odd = (above_0 & !above_1) | above_2;
    let (s, c) = (S::select(odd, cos, sin), S::select(odd, sin, cos));
    let s = S::select(above_1, -s, s);
    let c = S::select(above_0 & !above_2, -c, c);
    (s, c)
}

#[inline(always)]
pub(super) fn tanh<S: Simd>(x: S) -> S {
    // Beyond 20 the result is 1 in double precision.
    let size = S::splat(20.0).min(x.abs());
    let (r, n) = reduce_ln2(size + size);
    let power = S::exp2_whole(n);
    // e^{2|x|} − 1 without cancellation near 0.
    let em1 = (exp_m1_over(r) * r).mul_add(power, power - 1.0);
    let result = em1 / (em1 + 2.0);
    let result = S::select(x.lt(S::splat(0.0)), -result, result);
    // Keeps the sign of 0.
    S::select(x.abs().le(S::splat(0.0)), x, result)
}

#[inline(always)]
pub(super) fn atan<S: Simd>(x: S) -> S {
    let size = x.abs();
    let one = S::splat(1.0);
    let large = one.lt(size);
    let y = S::select(large, one / size, size);
    // atan y = 2 atan(y/(1 + √(1 + y²))), twice: then |y| ≤ 0.199.
    let y = y / (y.mul_add(y, one).sqrt() + one);
    let y = y / (y.mul_add(y, one).sqrt() + one);
    let z = y * y;
    const SERIES: [f64; 12] = {
        let mut table = [0.0; 12];
        let mut k = 0;
        while k < 12 {
            let sign = if k % 2 == 0 { -1.0 } else { 1.0 };
            table[k] = sign / (2 * k + 3) as f64;
            k += 1;
        }
        table
    };
    let series = horner(z, &SERIES[..if S::Real::SINGLE { 5 } else { 12 }]);
    let angle = (y * z).mul_add(series, y) * 4.0;
    let angle = S::select(large, S::splat(std::f64::consts::FRAC_PI_2) - angle, angle);
    S::select(x.lt(S::splat(0.0)), -angle, angle)
}
