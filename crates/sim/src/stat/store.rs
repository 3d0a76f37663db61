//! Counts of buckets.

use super::mapping::Mapping;

/// How far below the greatest magnitude buckets are kept apart, in doublings.
pub(super) const OCTAVES: u32 = 60;

/// The counts of the buckets of one sign. Two stores with the same counts are equal, however they were filled: `counts`
/// begins and ends at a bucket that is not empty, and is at most `width` long.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Store {
    /// The bucket of `counts[0]`.
    first: i32,
    counts: Vec<u64>,
    width: usize,
}

impl Store {
    pub(super) fn new(mapping: &Mapping) -> Self {
        Self {
            first: 0,
            counts: Vec::new(),
            width: mapping.buckets(OCTAVES),
        }
    }

    pub(super) fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    #[inline(always)]
    pub(super) fn add(&mut self, bucket: i32, count: u64) {
        // A bucket below the first wraps to a large place.
        let place = bucket.wrapping_sub(self.first) as u32 as usize;
        match self.counts.get_mut(place) {
            Some(slot) => *slot += count,
            None => self.add_outside(bucket, count),
        }
    }

    #[cold]
    fn add_outside(&mut self, bucket: i32, count: u64) {
        if self.counts.is_empty() {
            self.first = bucket;
        }
        let end = (self.first + self.counts.len() as i32).max(bucket + 1);
        let lowest = end - self.width as i32;
        self.collapse(lowest);
        self.counts.resize((end - self.first) as usize, 0);
        let bucket = bucket.max(lowest);
        if bucket < self.first {
            let more = (self.first - bucket) as usize;
            self.counts.splice(0..0, std::iter::repeat_n(0, more));
            self.first = bucket;
        }
        self.counts[(bucket - self.first) as usize] += count;
    }

    /// Adds what lies below `lowest` to it.
    fn collapse(&mut self, lowest: i32) {
        if self.first < lowest {
            let below = self.counts.len().min((lowest - self.first) as usize);
            let moved: u64 = self.counts.drain(..below).sum();
            self.first = lowest;
            match self.counts.first_mut() {
                Some(slot) => *slot += moved,
                None => self.counts.push(moved),
            }
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        // From the top down: what would be collapsed anyway is then never stored.
        for (bucket, count) in other.iter().rev() {
            self.add(bucket, count);
        }
    }

    /// The buckets with a count, from the smallest magnitude up.
    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = (i32, u64)> {
        let end = self.first + self.counts.len() as i32;
        (self.first..end)
            .zip(self.counts.iter().copied())
            .filter(|&(_, count)| count > 0)
    }
}
