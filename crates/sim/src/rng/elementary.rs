//! Box and Muller's transform from IEEE `+ − × ÷ √` and integer operations only.
//!
//! All are branch-free scalar functions that the compiler vectorises over lanes. Every operation is
//! correctly rounded by the standard, and Rust never contracts `a * b + c`, so each lane's bits are
//! those of the scalar code.
//!
//! −ln u: u = 2ᵉ·m with m in [√½, √2); with f = m − 1 and s = f/(2 + f),
//! ln m = 2 artanh s = 2s(1 + s²/3 + s⁴/5 + …), |s| ≤ 0.172. Where u ≥ √½ the code starts from
//! 1 − u, known exactly from the integer, so that small radii keep their full precision.
//!
//! cos, sin of 2πv/2ⁿ: the quadrant is cut off in integers, exactly, and the Taylor series are
//! summed on [−π/4, π/4].

/// Σ cᵢ xⁱ by Horner's rule.
macro_rules! horner {
    ($x:expr, $c0:expr $(,)?) => { $c0 };
    ($x:expr, $c0:expr, $($c:expr),+ $(,)?) => { $c0 + $x * horner!($x, $($c),+) };
}

/// A uniform number in [0, 1) with 24 bits.
#[inline(always)]
pub(super) fn uniform(w: u32) -> f32 {
    const SCALE: f32 = 1.0 / (1u32 << 24) as f32;
    (w >> 8) as i32 as f32 * SCALE
}

/// A uniform number in [0, 1) with 53 bits; `hi` holds the leading ones.
#[inline(always)]
pub(super) fn uniform_f64(hi: u32, lo: u32) -> f64 {
    const SCALE: f64 = 1.0 / (1u64 << 53) as f64;
    // 52 bits by the exponent trick (AVX2 has no 64-bit conversion), the last one apart: exact.
    let top = u64::from(hi) << 20 | u64::from(lo >> 12);
    let last = (lo >> 11 & 1) as i32;
    (integer(top) * 2.0 + f64::from(last)) * SCALE
}

/// `k` as f64, exactly, for k < 2⁵².
#[inline(always)]
fn integer(k: u64) -> f64 {
    const TWO_52: f64 = (1u64 << 52) as f64;
    f64::from_bits(k | TWO_52.to_bits()) - TWO_52
}

/// Two standard normal numbers from 32 bits for the radius and 32 for the angle.
#[inline(always)]
pub(super) fn box_muller(w: u32, v: u32) -> (f32, f32) {
    let r = (2.0 * minus_ln(w)).sqrt();
    let (cos, sin) = cos_sin(v);
    (r * cos, r * sin)
}

/// −ln((w + ½)/2³²).
#[inline(always)]
fn minus_ln(w: u32) -> f32 {
    const SCALE: f32 = 1.0 / (1u64 << 32) as f32;
    const SQRT_HALF: u32 = 0x3F35_04F3; // bits of √½
    const THRESHOLD: u32 = 0xB504_F334; // √½·2³²

    let near_one = w >= THRESHOLD;
    let u = ((if near_one { !w } else { w }) as f32 + 0.5) * SCALE;
    let shifted = u.to_bits().wrapping_sub(SQRT_HALF);
    let m = f32::from_bits((shifted & 0x007F_FFFF) + SQRT_HALF);
    let f = if near_one { -u } else { m - 1.0 };
    let e = if near_one { 0 } else { shifted as i32 >> 23 };

    let s = f / (2.0 + f);
    let z = s * s;
    let series = z * horner!(z, 2.0 / 3.0, 2.0 / 5.0, 2.0 / 7.0, 2.0 / 9.0);
    let ln_m = 2.0 * s + s * series;
    -(e as f32) * std::f32::consts::LN_2 - ln_m
}

/// cos and sin of 2πv/2³².
#[inline(always)]
fn cos_sin(v: u32) -> (f32, f32) {
    const EIGHTH: u32 = 1 << 29;
    const SCALE: f32 = std::f32::consts::TAU / (1u64 << 32) as f32;

    let turned = v.wrapping_add(EIGHTH);
    let quadrant = turned >> 30;
    let y = ((turned & (2 * EIGHTH - 1)) as i32 - EIGHTH as i32) as f32 * SCALE;
    let z = y * y;
    let sin = y + y * (z * horner!(z, -1.0 / 6.0, 1.0 / 120.0, -1.0 / 5040.0, 1.0 / 362_880.0));
    let cos = 1.0
        + z * horner!(
            z,
            -0.5,
            1.0 / 24.0,
            -1.0 / 720.0,
            1.0 / 40_320.0,
            -1.0 / 3_628_800.0
        );

    let swap = quadrant & 1 != 0;
    let (c, s) = if swap { (sin, cos) } else { (cos, sin) };
    let c_sign = ((quadrant + 1) & 2) << 30;
    let s_sign = (quadrant & 2) << 30;
    (
        f32::from_bits(c.to_bits() ^ c_sign),
        f32::from_bits(s.to_bits() ^ s_sign),
    )
}

/// Two standard normal numbers from 52 bits for the radius and 52 for the angle.
#[inline(always)]
pub(super) fn box_muller_f64(w: [u32; 4]) -> (f64, f64) {
    let bits = |hi: u32, lo: u32| u64::from(hi) << 20 | u64::from(lo >> 12);
    let r = (2.0 * minus_ln_f64(bits(w[0], w[1]))).sqrt();
    let (cos, sin) = cos_sin_f64(bits(w[2], w[3]));
    (r * cos, r * sin)
}

/// −ln((w + ½)/2⁵²) for w < 2⁵².
#[inline(always)]
fn minus_ln_f64(w: u64) -> f64 {
    const MASK: u64 = (1 << 52) - 1;
    const SCALE: f64 = 1.0 / (1u64 << 52) as f64;
    const SQRT_HALF: u64 = 0x3FE6_A09E_667F_3BCD; // bits of √½
    const THRESHOLD: u64 = 0xB_504F_333F_9DE6; // √½·2⁵²
    // Added to the exponent so that it is positive and `integer` can convert it.
    const BIAS: u64 = 64;

    let near_one = w >= THRESHOLD;
    let u = (integer(if near_one { w ^ MASK } else { w }) + 0.5) * SCALE;
    let shifted = u.to_bits().wrapping_sub(SQRT_HALF).wrapping_add(BIAS << 52);
    let m = f64::from_bits((shifted & MASK) + SQRT_HALF);
    let f = if near_one { -u } else { m - 1.0 };
    let e = if near_one {
        0.0
    } else {
        BIAS as f64 - integer(shifted >> 52)
    };

    let s = f / (2.0 + f);
    let z = s * s;
    let series = z * horner!(
        z,
        2.0 / 3.0,
        2.0 / 5.0,
        2.0 / 7.0,
        2.0 / 9.0,
        2.0 / 11.0,
        2.0 / 13.0,
        2.0 / 15.0,
        2.0 / 17.0,
        2.0 / 19.0,
        2.0 / 21.0,
    );
    let ln_m = 2.0 * s + s * series;
    e * std::f64::consts::LN_2 - ln_m
}

/// cos and sin of 2πv/2⁵² for v < 2⁵².
#[inline(always)]
fn cos_sin_f64(v: u64) -> (f64, f64) {
    const EIGHTH: u64 = 1 << 49;
    const SCALE: f64 = std::f64::consts::TAU / (1u64 << 52) as f64;

    let turned = v + EIGHTH;
    let quadrant = turned >> 50;
    let y = (integer(turned & (2 * EIGHTH - 1)) - EIGHTH as f64) * SCALE;
    let z = y * y;
    let sin = y + y
        * (z * horner!(
            z,
            -1.0 / 6.0,
            1.0 / 120.0,
            -1.0 / 5040.0,
            1.0 / 362_880.0,
            -1.0 / 39_916_800.0,
            1.0 / 6_227_020_800.0,
            -1.0 / 1_307_674_368_000.0,
            1.0 / 355_687_428_096_000.0,
        ));
    let cos = 1.0
        + z * horner!(
            z,
            -0.5,
            1.0 / 24.0,
            -1.0 / 720.0,
            1.0 / 40_320.0,
            -1.0 / 3_628_800.0,
            1.0 / 479_001_600.0,
            -1.0 / 87_178_291_200.0,
            1.0 / 20_922_789_888_000.0,
            -1.0 / 6_402_373_705_728_000.0,
        );

    let swap = quadrant & 1 != 0;
    let (c, s) = if swap { (sin, cos) } else { (cos, sin) };
    let c_sign = ((quadrant + 1) & 2) << 62;
    let s_sign = (quadrant & 2) << 62;
    (
        f64::from_bits(c.to_bits() ^ c_sign),
        f64::from_bits(s.to_bits() ^ s_sign),
    )
}

#[cfg(test)]
mod tests {
    use std::f64::consts::TAU;

    use super::*;
    use crate::rng::{Purpose, Stream};

    /// Random words, and those where something may go wrong: the ends, around √½, powers of two.
    fn words() -> Vec<u32> {
        let mut words = vec![0; 200_000];
        Stream::new(7, Purpose::Test, 0, 0).bits(&mut words);
        let special = (0..32).map(|k| 1 << k).chain([0, u32::MAX, 0xB504_F334]);
        for centre in special {
            words.extend((0..9).map(|i| u32::wrapping_add(centre, i).wrapping_sub(4)));
        }
        words
    }

    /// ln((k + ½)/2^bits) with the standard library, from the nearer end.
    fn ln(k: u64, bits: i32) -> f64 {
        let scale = 2f64.powi(-bits);
        let rest = ((1u64 << bits) - 1 - k) as f64 + 0.5;
        if rest * scale < 0.25 {
            (-rest * scale).ln_1p()
        } else {
            ((k as f64 + 0.5) * scale).ln()
        }
    }

    /// cos and sin of 2πk/2^bits with the standard library, after an exact reduction.
    fn cos_sin_exact(k: u64, bits: u32) -> (f64, f64) {
        let quarter = 1i64 << (bits - 2);
        let quadrant = (k as i64 + quarter / 2) / quarter;
        let rest = (k as i64 - quadrant * quarter) as f64 * (TAU / (1u64 << bits) as f64);
        match quadrant % 4 {
            0 => (rest.cos(), rest.sin()),
            1 => (-rest.sin(), rest.cos()),
            2 => (-rest.cos(), -rest.sin()),
            _ => (rest.sin(), -rest.cos()),
        }
    }

    /// The error in units of `epsilon` relative to the exact value; 0 must be met exactly.
    fn error(found: f64, exact: f64, epsilon: f64) -> f64 {
        if exact == 0.0 {
            return if found == 0.0 { 0.0 } else { f64::INFINITY };
        }
        assert!(found.is_finite());
        (found - exact).abs() / (exact.abs() * epsilon)
    }

    #[test]
    fn single_precision_within_three_ulp() {
        let words = words();
        let mut worst = 0.0_f64;
        for (&w, &v) in words.iter().zip(words.iter().rev()) {
            for (w, v) in [(w, v), (v, w)] {
                let r = (-2.0 * ln(u64::from(w), 32)).sqrt();
                let (cos, sin) = cos_sin_exact(u64::from(v), 32);
                let (x, y) = box_muller(w, v);
                assert!(x.abs() < 6.77 && y.abs() < 6.77);
                worst = worst
                    .max(error(f64::from(x), r * cos, f64::from(f32::EPSILON)))
                    .max(error(f64::from(y), r * sin, f64::from(f32::EPSILON)));
            }
        }
        assert!(worst < 3.0, "{worst} ulp");
    }

    #[test]
    fn double_precision_within_three_ulp() {
        let words = words();
        let mut worst = 0.0_f64;
        for w in words.windows(4) {
            let (x, y) = box_muller_f64([w[0], w[1], w[2], w[3]]);
            let bits = |hi: u32, lo: u32| u64::from(hi) << 20 | u64::from(lo >> 12);
            let r = (-2.0 * ln(bits(w[0], w[1]), 52)).sqrt();
            let (cos, sin) = cos_sin_exact(bits(w[2], w[3]), 52);
            assert!(x.abs() < 8.58 && y.abs() < 8.58);
            worst = worst
                .max(error(x, r * cos, f64::EPSILON))
                .max(error(y, r * sin, f64::EPSILON));
        }
        assert!(worst < 3.0, "{worst} ulp");
    }

    #[test]
    fn the_extreme_words() {
        let radius = |u: f64| (-2.0 * u.ln()).sqrt();
        let (x, y) = box_muller(0, 0);
        assert!((f64::from(x) - radius(2f64.powi(-33))).abs() < 1e-6 && y == 0.0);
        let (x, _) = box_muller(u32::MAX, 0);
        assert!((f64::from(x) / 2f64.powi(-16) - 1.0).abs() < 1e-6, "{x}");
        let (x, y) = box_muller_f64([0; 4]);
        assert!((x - radius(2f64.powi(-53))).abs() < 1e-14 && y == 0.0);
        let (x, _) = box_muller_f64([u32::MAX, u32::MAX, 0, 0]);
        assert!((x / 2f64.powi(-26) - 1.0).abs() < 1e-14, "{x}");
        assert_eq!((uniform(0), uniform(u32::MAX)), (0.0, 1.0 - 2f32.powi(-24)));
        let top = uniform_f64(u32::MAX, u32::MAX);
        assert_eq!((uniform_f64(0, 0), top), (0.0, 1.0 - 2f64.powi(-53)));
        assert_eq!(uniform_f64(0, 1 << 11), 2f64.powi(-53));
        assert_eq!(uniform_f64(1 << 31, 0), 0.5);
    }
}
