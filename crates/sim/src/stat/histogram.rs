//! Counts between fixed edges.

use super::StatError;

/// Counts of values in bins of equal width on [lo, hi], and of those below and above.
///
/// Bin i is [eᵢ, eᵢ₊₁) with eᵢ = lo + i·(hi − lo)/bins; the last bin holds hi as well. Counts are integers: a histogram
/// depends neither on the order of its values nor on how they were split and merged.
#[derive(Clone, Debug, PartialEq)]
pub struct Histogram {
    edges: Vec<f64>,
    per_unit: f64,
    counts: Vec<u64>,
    below: u64,
    above: u64,
    non_finite: u64,
}

impl Histogram {
    /// The greatest number of bins.
    pub const MAX_BINS: usize = 1 << 24;

    /// An empty histogram of `bins` bins on [`lo`, `hi`].
    ///
    /// # Errors
    /// [`StatError::Bins`] unless there are 1 to [`Histogram::MAX_BINS`] bins; [`StatError::Range`] unless the edges are finite
    /// and each is above the one before.
    pub fn new(lo: f64, hi: f64, bins: usize) -> Result<Self, StatError> {
        if bins == 0 || bins > Self::MAX_BINS {
            return Err(StatError::Bins { bins });
        }
        let width = hi - lo;
        let per_unit = bins as f64 / width;
        let mut edges: Vec<f64> = (0..bins)
            .map(|i| lo + width * (i as f64 / bins as f64))
            .collect();
        edges.push(hi);
        let apart = edges.windows(2).all(|pair| pair[0] < pair[1]);
        if !(width.is_finite() && per_unit.is_finite() && apart) {
            return Err(StatError::Range { lo, hi, bins });
        }
        Ok(Self {
            edges,
            per_unit,
            counts: vec![0; bins],
            below: 0,
            above: 0,
            non_finite: 0,
        })
    }

    /// The edges from lo to hi, one more than there are bins.
    pub fn edges(&self) -> &[f64] {
        &self.edges
    }

    /// The number of values in each bin.
    pub fn counts(&self) -> &[u64] {
        &self.counts
    }

    /// The number of finite values below lo.
    pub fn below(&self) -> u64 {
        self.below
    }

    /// The number of finite values above hi.
    pub fn above(&self) -> u64 {
        self.above
    }

    /// The number of finite values, in and out of the range.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum::<u64>() + self.below + self.above
    }

    /// The number of values left out because they were NaN or infinite.
    pub fn non_finite(&self) -> u64 {
        self.non_finite
    }

    /// An estimate of the density in each bin: its count ÷ (number of finite values × width of the bin).
    ///
    /// Values out of the range count in the divisor, so this estimates the density of the whole law, and its integral is
    /// the share of values in the range. NaN when there is no finite value.
    pub fn density(&self) -> Vec<f64> {
        let count = self.count() as f64;
        self.counts
            .iter()
            .zip(self.edges.windows(2))
            .map(|(&bin, edges)| bin as f64 / (count * (edges[1] - edges[0])))
            .collect()
    }

    /// Adds one value.
    pub fn push(&mut self, x: f64) {
        self.push_slice(&[x]);
    }

    /// Adds every value of a slice.
    pub fn push_slice<T: Copy + Into<f64>>(&mut self, values: &[T]) {
        let last = self.counts.len() - 1;
        let (lo, hi) = (self.edges[0], self.edges[last + 1]);
        for &x in values {
            let x: f64 = x.into();
            if x >= lo && x <= hi {
                let mut bin = (((x - lo) * self.per_unit) as usize).min(last);
                // The product is rounded: the edges decide.
                if x < self.edges[bin] {
                    bin -= 1;
                } else if bin < last && x >= self.edges[bin + 1] {
                    bin += 1;
                }
                self.counts[bin] += 1;
            } else if !x.is_finite() {
                self.non_finite += 1;
            } else if x < lo {
                self.below += 1;
            } else {
                self.above += 1;
            }
        }
    }

    /// Adds the values of `other`.
    ///
    /// # Panics
    /// When the edges differ.
    pub fn merge(&mut self, other: &Self) {
        assert!(
            self.edges == other.edges,
            "histogram: {} bins on [{}, {}] cannot take in {} bins on [{}, {}]",
            self.counts.len(),
            self.edges[0],
            self.edges[self.counts.len()],
            other.counts.len(),
            other.edges[0],
            other.edges[other.counts.len()],
        );
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count += more;
        }
        self.below += other.below;
        self.above += other.above;
        self.non_finite += other.non_finite;
    }
}
