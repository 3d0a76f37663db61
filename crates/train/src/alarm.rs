//! Notices that a training has diverged.

use serde::{Deserialize, Serialize};

/// Steps of the first mean, of the running mean, and of what makes an explosion: one bad batch is none.
const STEPS: u64 = 20;

/// Watches a loss: it has exploded where it stayed for 20 steps above where it began and above a multiple of its lowest
/// running mean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Alarm {
    seen: u64,
    /// The mean of the first steps.
    first: f64,
    /// The running mean of the steps that were not high, and its lowest value.
    mean: f64,
    lowest: f64,
    /// High steps in a row.
    high: u64,
}

impl Alarm {
    /// Sees the loss of a step; true where it has exploded, `factor` being the multiple (0: never).
    pub(crate) fn sees(&mut self, loss: f64, factor: f64) -> bool {
        self.seen += 1;
        if self.seen <= STEPS {
            self.first += (loss - self.first) / self.seen as f64;
            (self.mean, self.lowest) = (self.first, self.first);
            return false;
        }
        // A loss that began below zero has no scale to compare with.
        let limit = self.first.max(factor * self.lowest);
        if factor > 0.0 && self.first > 0.0 && loss > limit {
            self.high += 1;
            return self.high >= STEPS;
        }
        self.high = 0;
        self.mean += (loss - self.mean) / STEPS as f64;
        self.lowest = self.lowest.min(self.mean);
        false
    }

    /// Was the last step an ordinary one?
    pub(crate) fn is_calm(&self) -> bool {
        self.high == 0
    }

    /// The running mean before the trouble.
    pub(crate) fn usual(&self) -> f64 {
        self.mean
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn falling(k: u64) -> f64 {
        0.3 + 2.0 / (1.0 + k as f64)
    }

    #[test]
    fn an_explosion_is_seen_and_outliers_are_not() {
        let mut alarm = Alarm::default();
        for k in 0..490 {
            // One batch in fifty is a thousand times as bad.
            let loss = falling(k) * if k % 50 == 49 { 1000.0 } else { 1.0 };
            assert!(!alarm.sees(loss, 100.0), "step {k}");
            assert_eq!(alarm.is_calm(), k % 50 != 49, "step {k}");
        }
        let usual = alarm.usual();
        assert!((usual - 0.3).abs() < 0.05, "{usual}");
        let last = (0..100).find(|_| alarm.sees(80.0, 100.0));
        assert_eq!(last, Some(STEPS - 1));
        assert!(!alarm.is_calm() && alarm.usual() == usual);
    }

    #[test]
    fn what_is_slow_or_negative_or_switched_off_is_no_explosion() {
        let mut off = Alarm::default();
        assert!((0..200).all(|k| !off.sees(if k < 50 { 1.0 } else { 1e9 }, 0.0)));
        // Back to where it began is no explosion, even from a thousandth.
        let mut back = Alarm::default();
        assert!(
            (0..200).all(|k| !back.sees(if (20..100).contains(&k) { 1e-3 } else { 0.9 }, 100.0))
        );
        // A likelihood may pass zero.
        let mut likelihood = Alarm::default();
        assert!((0..400).all(|k| !likelihood.sees(300.0 - 2.0 * k as f64, 100.0)));
        let mut below = Alarm::default();
        assert!((0..400).all(|k| !below.sees(-3.0 + (k % 7) as f64, 100.0)));
    }
}
