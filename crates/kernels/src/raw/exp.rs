//! The exponential and the logistic function in a form that compiles to vector code.

/// `a * b + c`, rounded once if `FMA`.
#[inline(always)]
pub(crate) fn mul_add<const FMA: bool>(a: f32, b: f32, c: f32) -> f32 {
    if FMA { a.mul_add(b, c) } else { a * b + c }
}

/// 1.5 · 2²³: adding it rounds to an integer and leaves that integer in the low bits.
const ROUND: f32 = 12_582_912.0;

/// eᶻ with z clamped to [−87.3, 88]; within 2 ulp. NaN gives e⁸⁸.
///
/// Argument reduction z = k ln 2 + r in two parts (Cody and Waite), then the degree-6 polynomial of the Cephes library.
#[inline(always)]
pub(crate) fn exp<const FMA: bool>(z: f32) -> f32 {
    let z = if z < 88.0 { z } else { 88.0 };
    let z = if z > -87.3 { z } else { -87.3 };
    let t = mul_add::<FMA>(z, std::f32::consts::LOG2_E, ROUND);
    let k = t - ROUND;
    let r = mul_add::<FMA>(k, -0.693_359_4, z);
    let r = mul_add::<FMA>(k, 2.121_944_4e-4, r);
    let mut p = 1.987_569_2e-4;
    p = mul_add::<FMA>(p, r, 1.398_199_9e-3);
    p = mul_add::<FMA>(p, r, 8.333_452e-3);
    p = mul_add::<FMA>(p, r, 4.166_579_6e-2);
    p = mul_add::<FMA>(p, r, 1.666_666_6e-1);
    p = mul_add::<FMA>(p, r, 5e-1);
    let p = mul_add::<FMA>(p, r * r, r) + 1.0;
    // 2ᵏ, built in the exponent bits.
    p * f32::from_bits((t.to_bits() << 23).wrapping_add(127 << 23))
}

/// 2ᶻ for z ≤ 0 (a little above does no harm); 0 below −126, where the result would leave the normal numbers and slow
/// down what is computed with it. Within 2 ulp. NaN gives NaN.
///
/// z = k + f with k the nearest integer; 2ᶠ is a polynomial of degree 6 fitted for the least relative error, 2e-8.
#[inline(always)]
pub(crate) fn exp2_falling<const FMA: bool>(z: f32) -> f32 {
    let t = z + ROUND;
    let f = z - (t - ROUND);
    let mut p = 1.535_337_4e-4;
    p = mul_add::<FMA>(p, f, 1.339_887_9e-3);
    p = mul_add::<FMA>(p, f, 9.618_437e-3);
    p = mul_add::<FMA>(p, f, 5.550_332_4e-2);
    p = mul_add::<FMA>(p, f, 2.402_264_8e-1);
    p = mul_add::<FMA>(p, f, 6.931_472e-1);
    let p = mul_add::<FMA>(p, f, 1.0);
    let e = p * f32::from_bits((t.to_bits() << 23).wrapping_add(127 << 23));
    if z < -126.0 { 0.0 } else { e }
}

/// σ(v) = 1 / (1 + e⁻ᵛ).
#[inline(always)]
pub(crate) fn sigmoid<const FMA: bool>(v: f32) -> f32 {
    1.0 / (1.0 + exp::<FMA>(-v))
}

/// v σ(v); a product, so that a caller that needs the slope as well divides once.
#[inline(always)]
pub(crate) fn silu<const FMA: bool>(v: f32) -> f32 {
    v * sigmoid::<FMA>(v)
}

/// The derivative of v σ(v): σ (1 + v (1 − σ)).
#[inline(always)]
pub(crate) fn silu_slope<const FMA: bool>(v: f32) -> f32 {
    let s = sigmoid::<FMA>(v);
    s * mul_add::<FMA>(v, 1.0 - s, 1.0)
}

/// 2 √(2/π) and 0.044715 times that: the argument of GELU's tanh form, doubled, is x (A + B x²).
const GELU_A: f32 = 1.595_769;
const GELU_B: f32 = 0.071_354_814;

/// ½ v (1 + tanh(√(2/π) (v + 0.044715 v³))) = v σ(v (A + B v²)).
#[inline(always)]
pub(crate) fn gelu<const FMA: bool>(v: f32) -> f32 {
    v * sigmoid::<FMA>(v * mul_add::<FMA>(v * v, GELU_B, GELU_A))
}

/// The derivative of the above: σ (1 + v (1 − σ) (A + 3 B v²)). Beyond ±10 it is 0 or 1, where the cube could overflow.
#[inline(always)]
pub(crate) fn gelu_slope<const FMA: bool>(v: f32) -> f32 {
    let v = if v > 10.0 { 10.0 } else { v };
    let v = if v < -10.0 { -10.0 } else { v };
    let square = v * v;
    let e = exp::<FMA>(-v * mul_add::<FMA>(square, GELU_B, GELU_A));
    let s = 1.0 / (1.0 + e);
    let inner = v * mul_add::<FMA>(square, 3.0 * GELU_B, GELU_A);
    // e σ is 1 − σ without its cancellation.
    s * mul_add::<FMA>(inner, e * s, 1.0)
}

/// Φ(−a) and e^(−a²/2) for a = |v| cut at 14, where both are 0.
///
/// Φ(−a) e^(a²/2) is a polynomial of degree 9 in t = 1 / (1 + 0.26 a) without a constant term, fitted for the least
/// relative error over 0 ≤ a ≤ 13.3, which is 4e-8.
#[inline(always)]
fn normal_tail<const FMA: bool>(v: f32) -> (f32, f32) {
    let a = if v.abs() > 14.0 { 14.0 } else { v.abs() };
    let e = exp2_falling::<FMA>(-0.5 * std::f32::consts::LOG2_E * (a * a));
    let t = 1.0 / mul_add::<FMA>(a, 0.26, 1.0);
    let mut p = 0.030_897_407;
    p = mul_add::<FMA>(p, t, -0.154_746_49);
    p = mul_add::<FMA>(p, t, 0.255_479_37);
    p = mul_add::<FMA>(p, t, -0.155_550_3);
    p = mul_add::<FMA>(p, t, 0.164_162_32);
    p = mul_add::<FMA>(p, t, 0.049_638_283);
    p = mul_add::<FMA>(p, t, 0.103_392_42);
    p = mul_add::<FMA>(p, t, 0.102_964_78);
    p = mul_add::<FMA>(p, t, 0.103_762_2);
    (p * t * e, e)
}

/// v Φ(v) = max(v, 0) − |v| Φ(−|v|).
#[inline(always)]
pub(crate) fn gelu_erf<const FMA: bool>(v: f32) -> f32 {
    let (tail, _) = normal_tail::<FMA>(v);
    let a = if v.abs() > 14.0 { 14.0 } else { v.abs() };
    (if v < 0.0 { 0.0 } else { v }) - a * tail
}

/// The derivative of v Φ(v): Φ(v) + v φ(v).
#[inline(always)]
pub(crate) fn gelu_erf_slope<const FMA: bool>(v: f32) -> f32 {
    const DENSITY: f32 = 0.398_942_3;
    let (tail, e) = normal_tail::<FMA>(v);
    let below = if v < 0.0 { tail } else { 1.0 - tail };
    // Cut, since ∞ · 0 is no number.
    let cut = v.clamp(-14.0, 14.0);
    mul_add::<FMA>(cut * e, DENSITY, below)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ulps(got: f32, want: f64) -> f64 {
        let w = want as f32;
        (f64::from(got) - want).abs() / f64::from(f32::from_bits(w.abs().to_bits() + 1) - w.abs())
    }

    #[test]
    fn exp_and_silu_are_within_a_few_ulp() {
        for i in 0..200_000 {
            let v = -30.0 + 60.0 * i as f32 / 2e5;
            let e = f64::from(v).exp();
            assert!(ulps(exp::<true>(v), e) < 2.0, "exp({v})");
            if v <= 0.0 {
                let e2 = (4.0 * f64::from(v)).exp2();
                assert!(
                    ulps(exp2_falling::<true>(4.0 * v), e2) < 2.0,
                    "2^{}",
                    4.0 * v
                );
            }
            if v != 0.0 {
                let s = f64::from(v) / (1.0 + (-f64::from(v)).exp());
                assert!(ulps(silu::<true>(v), s) < 4.0, "silu({v})");
                assert!(ulps(silu::<false>(v), s) < 4.0, "silu({v})");
            }
        }
    }

    /// Φ by its series (small arguments) and the continued fraction of the tail (large ones), in f64.
    fn phi(v: f64) -> f64 {
        let density = (-0.5 * v * v).exp() / std::f64::consts::TAU.sqrt();
        if v.abs() < 3.0 {
            let (mut term, mut sum) = (v, v);
            for k in 1..80 {
                term *= v * v / f64::from(2 * k + 1);
                sum += term;
            }
            return 0.5 + density * sum;
        }
        let fraction = (1..200)
            .rev()
            .fold(v.abs(), |f, k| v.abs() + f64::from(k) / f);
        let tail = density / fraction;
        if v < 0.0 { tail } else { 1.0 - tail }
    }

    /// Off by less than `ulps` of the result where that is large, and of the tail of a normal where it is small.
    #[test]
    fn gelus_match_their_definitions() {
        let close = |got: f32, want: f64, relative: f64, what: &str, v: f32| {
            let error = (f64::from(got) - want).abs();
            assert!(
                error <= relative * want.abs() + 1e-7,
                "{what}({v}): {got} for {want}"
            );
        };
        for i in 0..100_000 {
            let v = -20.0 + 40.0 * i as f32 / 1e5;
            let x = f64::from(v);
            let root = (2.0 / std::f64::consts::PI).sqrt();
            let t = (root * (x + 0.044715 * x.powi(3))).tanh();
            let inner = root * (1.0 + 3.0 * 0.044715 * x * x);
            let slope = 0.5 * (1.0 + t) + 0.5 * x * (1.0 - t * t) * inner;
            close(gelu::<true>(v), 0.5 * x * (1.0 + t), 1e-6, "gelu", v);
            close(gelu_slope::<true>(v), slope, 1e-6, "gelu_slope", v);
            close(gelu_erf::<true>(v), x * phi(x), 3e-7, "gelu_erf", v);
            let density = (-0.5 * x * x).exp() / std::f64::consts::TAU.sqrt();
            close(
                gelu_erf_slope::<true>(v),
                phi(x) + x * density,
                3e-7,
                "gelu_erf_slope",
                v,
            );
            if v < -0.5 && v > -12.0 {
                // The tail itself is right, not only small.
                let relative = f64::from(gelu_erf::<true>(v)) / (x * phi(x)) - 1.0;
                assert!(
                    relative.abs() < 1e-5,
                    "gelu_erf({v}) off by {relative:e} of itself"
                );
            }
        }
    }

    #[test]
    fn extremes_stay_what_they_are() {
        assert!(silu::<true>(f32::NAN).is_nan() && silu_slope::<true>(f32::NAN).is_nan());
        assert_eq!(silu::<true>(f32::INFINITY), f32::INFINITY);
        assert_eq!(silu::<true>(0.0), 0.0);
        assert!(silu::<true>(-1e4).abs() < 1e-30);
        assert_eq!(silu::<true>(1e4), 1e4);
        assert_eq!(exp2_falling::<true>(f32::NEG_INFINITY), 0.0);
        assert_eq!(exp2_falling::<true>(0.0), 1.0);
        assert!(exp2_falling::<true>(f32::NAN).is_nan());
        for f in [gelu::<true>, gelu_erf::<true>] {
            assert!(f(f32::NAN).is_nan());
            assert_eq!((f(0.0), f(1e4)), (0.0, 1e4));
            assert!(f(-1e4).abs() < 1e-30);
        }
        for f in [gelu_slope::<true>, gelu_erf_slope::<true>] {
            assert!(f(f32::NAN).is_nan());
            assert_eq!((f(0.0), f(1e4)), (0.5, 1.0));
            assert!(f(-1e4).abs() < 1e-20);
            assert_eq!(f(f32::INFINITY), 1.0);
            assert!(f(f32::NEG_INFINITY).abs() < 1e-20);
        }
        assert_eq!(gelu_erf::<true>(f32::INFINITY), f32::INFINITY);
    }
}
