//! From a number to its bucket and back, by `+ − × ÷` on its bits alone: no logarithm of the platform takes part, so
//! buckets are the same on every machine.

/// Buckets on the positive axis whose ends differ by a factor of at most γ = (1 + α)/(1 − α).
///
/// A logarithm is not needed for that: any f with d(ln x)/df ≤ 7/10 gives such buckets at the equidistant values of f
/// with the spacing 1/M, M = 0.7/ln γ. Here, with x = 2^e (1 + s),
///
/// f(x) = e + s(10/7 + s(−3/5 + s·6/35)),
///
/// the cubic with f(2x) = f(x) + 1 for which (1 + s)f′ ≥ 10/7 has equality at s = 0 and s = 2/3, the most that a cubic
/// can do. It needs 1 % more buckets than log₂ would. (Masson, Rim, Lee, *DDSketch*, VLDB 2019, section 2.2, names
/// interpolations of the logarithm as the fast variant.)
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Mapping {
    alpha: f64,
    per_octave: f64,
}

const A: f64 = 6.0 / 35.0;
const B: f64 = -3.0 / 5.0;
const C: f64 = 10.0 / 7.0;
const MANTISSA: u64 = (1 << 52) - 1;
/// The least number with a bucket; what is smaller counts as zero.
pub(super) const LEAST: f64 = f64::MIN_POSITIVE;

impl Mapping {
    pub(super) fn new(alpha: f64) -> Self {
        // ln γ = 2 artanh α by its series: the bits of a library's logarithm are not the same everywhere.
        let mut power = alpha;
        let mut log = 0.0;
        for k in 0..40 {
            log += 2.0 * power / f64::from(2 * k + 1);
            power *= alpha * alpha;
        }
        // The margin covers the rounding of f.
        let per_octave = 0.7 / log * (1.0 + 1e-8);
        Self { alpha, per_octave }
    }

    pub(super) fn alpha(&self) -> f64 {
        self.alpha
    }

    /// The number of buckets that `octaves` doublings take.
    pub(super) fn buckets(&self, octaves: u32) -> usize {
        (f64::from(octaves) * self.per_octave).ceil() as usize
    }

    /// The bucket of |x|, for finite |x| ≥ [`LEAST`].
    #[inline(always)]
    pub(super) fn bucket(&self, x: f64) -> i32 {
        let bits = x.to_bits();
        let s = f64::from_bits((bits & MANTISSA) | 1.0f64.to_bits()) - 1.0;
        let exponent = f64::from((bits >> 52 & 0x7ff) as u32);
        let f = exponent + s * (C + s * (B + s * A));
        (f * self.per_octave) as i32
    }

    /// The number whose relative distance to every number of the bucket is at most α.
    pub(super) fn centre(&self, bucket: i32) -> f64 {
        let (lower, upper) = (self.edge(bucket), self.edge(bucket + 1));
        // The harmonic mean 2lu/(l + u), written so that it cannot overflow.
        lower * (2.0 / (1.0 + lower / upper))
    }

    /// The least number of the bucket.
    fn edge(&self, bucket: i32) -> f64 {
        let f = f64::from(bucket) / self.per_octave;
        let exponent = f.floor();
        if exponent < 1.0 {
            return LEAST;
        }
        if exponent >= 2047.0 {
            return f64::MAX;
        }
        let target = f - exponent;
        let mut s = target;
        // Newton's method: f is nearly linear and increasing, so six steps are more than double precision needs.
        for _ in 0..6 {
            let value = s * (C + s * (B + s * A));
            let slope = C + s * (2.0 * B + s * 3.0 * A);
            s = (s - (value - target) / slope).clamp(0.0, 1.0);
        }
        f64::from_bits((exponent as u64) << 52) * (1.0 + s)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_as_narrow_as_promised_and_few() {
        for alpha in [0.001, 0.005, 0.05, 0.1] {
            let mapping = Mapping::new(alpha);
            let gamma = (1.0 + alpha) / (1.0 - alpha);
            let first = mapping.bucket(1.0);
            let octave = mapping.bucket(2.0) - first;
            for bucket in first + 1..first + octave {
                let ratio = mapping.edge(bucket + 1) / mapping.edge(bucket);
                assert!(ratio <= gamma && ratio > 1.0, "{alpha}: {ratio}");
            }
            let ideal = 2f64.ln() / gamma.ln();
            assert!(f64::from(octave) < 1.011 * ideal + 2.0, "{octave} {ideal}");
        }
    }

    #[test]
    fn edges_belong_to_their_buckets() {
        let mapping = Mapping::new(0.005);
        for bucket in (mapping.bucket(LEAST) + 1..mapping.bucket(f64::MAX)).step_by(61) {
            let edge = mapping.edge(bucket);
            assert_eq!(mapping.bucket(edge * (1.0 + 1e-9)), bucket);
            assert_eq!(mapping.bucket(edge * (1.0 - 1e-9)), bucket - 1);
        }
    }

    #[test]
    fn the_ends_of_the_axis_are_finite() {
        for alpha in [0.001, 0.005, 0.1] {
            let mapping = Mapping::new(alpha);
            for x in [LEAST, f64::MAX] {
                let centre = mapping.centre(mapping.bucket(x));
                assert!((centre - x).abs() <= alpha * x, "{x} {centre}");
            }
        }
    }
}
