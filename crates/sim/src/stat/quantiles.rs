//! Quantiles to a relative error, of the values or of their distance from a centre.

use super::StatError;
use super::mapping::{LEAST, Mapping};
use super::store::Store;

/// Values whose buckets are found together.
const LANES: usize = 8;

/// A mergeable sketch of a distribution from which any quantile is read to a relative error α.
///
/// Masson, Rim, Lee, *DDSketch: a fast and fully-mergeable quantile sketch with relative-error guarantees*, VLDB 2019:
/// values are counted in buckets whose ends differ by a factor of at most γ = (1 + α)/(1 − α), so that some number is
/// within α·|x| of every x of a bucket. Negative values have buckets of their own, and zero (with everything below
/// 2.3·10⁻³⁰⁸) has one. Counts are integers: a sketch depends neither on the order of its values nor on how they were
/// split and merged.
///
/// A relative error is a great one where values lie far from 0 and near each other: at 1000 ± 0.01 it is larger than
/// their spread. [`Quantiles::around`] therefore sketches the distances x − c from a centre c: with any c among the
/// values, the error is α times a distance between values. Everything said here of x then holds of x − c.
///
/// **Guarantee.** [`Quantiles::quantile`]`(q)` lies within α·|x| of the exact x = x₍ₖ₎, k = ⌊1 + q(n − 1)⌋, the k-th least
/// of the n values.
///
/// **Memory.** 8 bytes for each bucket between the least and the greatest magnitude of a sign, 70 of them for a doubling
/// at the default α = 0.5 %. Each sign keeps at most 60 doublings (a factor of 10¹⁸) below its greatest magnitude apart:
/// what is smaller is counted in the lowest bucket kept. There the guarantee is an absolute one, an error below 2⁻⁵⁹ of
/// that greatest magnitude, and a sketch never holds more than 70 kB (at α = 0.5 %; ∝ 1/α).
#[derive(Clone, Debug, PartialEq)]
pub struct Quantiles {
    mapping: Mapping,
    centre: f64,
    /// The positive and the negative values.
    signs: [Store; 2],
    zeros: u64,
    non_finite: u64,
    min: f64,
    max: f64,
}

impl Default for Quantiles {
    fn default() -> Self {
        Self::new()
    }
}

impl Quantiles {
    /// The relative error α of [`Quantiles::new`].
    pub const ALPHA: f64 = 0.005;
    /// The least relative error that can be asked for.
    pub const MIN_ALPHA: f64 = 0.001;
    /// The greatest relative error that can be asked for.
    pub const MAX_ALPHA: f64 = 0.1;

    /// An empty sketch of relative error α = 0.5 %.
    pub fn new() -> Self {
        Self::of(Mapping::new(Self::ALPHA))
    }

    /// An empty sketch of relative error `alpha`.
    ///
    /// # Errors
    /// [`StatError::Accuracy`] unless `alpha` lies in [0.001, 0.1].
    pub fn with_alpha(alpha: f64) -> Result<Self, StatError> {
        if !(Self::MIN_ALPHA..=Self::MAX_ALPHA).contains(&alpha) {
            return Err(StatError::Accuracy { alpha });
        }
        Ok(Self::of(Mapping::new(alpha)))
    }

    fn of(mapping: Mapping) -> Self {
        Self {
            mapping,
            centre: 0.0,
            signs: [Store::new(&mapping), Store::new(&mapping)],
            zeros: 0,
            non_finite: 0,
            min: f64::INFINITY,
            max: f64::NEG_INFINITY,
        }
    }

    /// The same sketch, still empty, of the distances from `centre`; one that is not finite counts as 0.
    ///
    /// # Panics
    /// When it has values already.
    pub fn around(mut self, centre: f64) -> Self {
        assert_eq!(
            self.count() + self.non_finite,
            0,
            "quantiles: values before the centre"
        );
        self.centre = if centre.is_finite() {
            centre + 0.0
        } else {
            0.0
        };
        self
    }

    /// The centre c; 0 unless told otherwise.
    pub fn centre(&self) -> f64 {
        self.centre
    }

    /// The relative error α.
    pub fn alpha(&self) -> f64 {
        self.mapping.alpha()
    }

    /// The number of finite values.
    pub fn count(&self) -> u64 {
        self.signs[0].total() + self.signs[1].total() + self.zeros
    }

    /// The number of values left out because they were NaN or infinite.
    pub fn non_finite(&self) -> u64 {
        self.non_finite
    }

    /// Adds one value.
    pub fn push(&mut self, x: f64) {
        self.add(x);
    }

    /// Adds every value of a slice.
    pub fn push_slice<T: Copy + Into<f64>>(&mut self, values: &[T]) {
        let centre = self.centre;
        let (groups, rest) = values.as_chunks::<LANES>();
        let (mut min, mut max) = ([self.min; LANES], [self.max; LANES]);
        for group in groups {
            let x = group.map(Into::into);
            let d = x.map(|x| x - centre);
            // Almost always, so that eight buckets are found at once.
            if d.iter().fold(true, |all, d| all & is_plain(d.abs())) {
                for (i, x) in x.into_iter().enumerate() {
                    min[i] = if x < min[i] { x } else { min[i] };
                    max[i] = if x > max[i] { x } else { max[i] };
                }
                let buckets = d.map(|d| self.mapping.bucket(d));
                for (d, bucket) in d.into_iter().zip(buckets) {
                    self.signs[usize::from(d < 0.0)].add(bucket, 1);
                }
            } else {
                x.into_iter().for_each(|x| self.add(x));
            }
        }
        self.min = min.into_iter().fold(self.min, f64::min);
        self.max = max.into_iter().fold(self.max, f64::max);
        rest.iter().for_each(|&x| self.add(x.into()));
    }

    fn add(&mut self, x: f64) {
        if !x.is_finite() {
            self.non_finite += 1;
            return;
        }
        let d = (x - self.centre).clamp(f64::MIN, f64::MAX);
        if is_plain(d.abs()) {
            let bucket = self.mapping.bucket(d);
            self.signs[usize::from(d < 0.0)].add(bucket, 1);
        } else {
            self.zeros += 1;
        }
        // Adding zero turns −0 into +0, so that the order of the two cannot matter.
        self.min = self.min.min(x + 0.0);
        self.max = self.max.max(x + 0.0);
    }

    /// Adds the values of `other`.
    ///
    /// # Panics
    /// When the relative errors or the centres differ.
    pub fn merge(&mut self, other: &Self) {
        assert_eq!(
            self.alpha(),
            other.alpha(),
            "quantiles: relative error of the sketch merged"
        );
        assert_eq!(
            self.centre, other.centre,
            "quantiles: centre of the sketch merged"
        );
        for (mine, more) in self.signs.iter_mut().zip(&other.signs) {
            mine.merge(more);
        }
        self.zeros += other.zeros;
        self.non_finite += other.non_finite;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }

    /// The q-quantile to the relative error α, of its distance from the centre: 0 gives the least value, ½ the median, 1 the greatest value, of which the
    /// first and the last are exact. `None` when there is no value or q is not in [0, 1].
    pub fn quantile(&self, q: f64) -> Option<f64> {
        let count = self.count();
        if count == 0 || !(0.0..=1.0).contains(&q) {
            return None;
        }
        if q == 0.0 {
            return Some(self.min);
        }
        if q == 1.0 {
            return Some(self.max);
        }
        // How many values are less than or equal to the one sought, without itself.
        let [positive, negative] = &self.signs;
        let mut rank = (q * (count - 1) as f64) as u64;
        let estimate = |sign: f64, bucket| self.around_centre(sign * self.mapping.centre(bucket));
        for (bucket, count) in negative.iter().rev() {
            if rank < count {
                return Some(estimate(-1.0, bucket));
            }
            rank -= count;
        }
        if rank < self.zeros {
            return Some(self.around_centre(0.0));
        }
        rank -= self.zeros;
        for (bucket, count) in positive.iter() {
            if rank < count {
                return Some(estimate(1.0, bucket));
            }
            rank -= count;
        }
        // Only reached when q(n − 1) was rounded up beyond 2⁵³ values.
        Some(self.max)
    }

    /// The value at a distance from the centre, as far as values reach.
    fn around_centre(&self, distance: f64) -> f64 {
        (self.centre + distance).clamp(self.min, self.max)
    }
}

/// Whether numbers of this size have a bucket.
#[inline(always)]
fn is_plain(size: f64) -> bool {
    (LEAST..=f64::MAX).contains(&size)
}
