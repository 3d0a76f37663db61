//! The exponential and the logistic function in a form that compiles to vector code.

/// `a * b + c`, rounded once if `FMA`.
#[inline(always)]
pub(crate) fn mul_add<const FMA: bool>(a: f32, b: f32, c: f32) -> f32 {
    if FMA { a.mul_add(b, c) } else { a * b + c }
}

/// eᶻ with z clamped to [−87.3, 88]; within 2 ulp. NaN gives e⁸⁸.
///
/// Argument reduction z = k ln 2 + r in two parts (Cody and Waite), then the degree-6 polynomial of the Cephes library.
#[inline(always)]
pub(crate) fn exp<const FMA: bool>(z: f32) -> f32 {
    /// 1.5 · 2²³: adding it rounds to an integer and leaves that integer in the low bits.
    const ROUND: f32 = 12_582_912.0;
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
            if v != 0.0 {
                let s = f64::from(v) / (1.0 + (-f64::from(v)).exp());
                assert!(ulps(silu::<true>(v), s) < 4.0, "silu({v})");
                assert!(ulps(silu::<false>(v), s) < 4.0, "silu({v})");
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
    }
}
