//! What happened since the last line of metrics.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Slices of \[0, 1\] in which losses are told apart by their time.
pub const BINS: usize = 10;

/// The losses and the time since the last line of metrics.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Window {
    pub(crate) sum: f64,
    pub(crate) count: u64,
    pub(crate) seconds: f64,
    /// Of these, waiting for data.
    #[serde(default)]
    pub(crate) wait: f64,
    /// The sum of losses and their number, by slices of time; empty where losses have none.
    #[serde(default)]
    bins: Vec<(f64, u64)>,
    /// Sums of what the losses are made of, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    terms: BTreeMap<String, f64>,
}

impl Window {
    /// Sees the losses of a batch's items at their times.
    pub(crate) fn see(&mut self, times: &[f32], losses: &[f32]) {
        self.bins.resize(BINS, (0.0, 0));
        for (t, loss) in times.iter().zip(losses) {
            let bin = (f64::from(*t) * BINS as f64) as usize;
            let (sum, count) = &mut self.bins[bin.min(BINS - 1)];
            *sum += f64::from(*loss);
            *count += 1;
        }
    }

    /// Sees a term of a step's loss.
    pub(crate) fn see_term(&mut self, name: &str, value: f64) {
        *self.terms.entry(name.to_owned()).or_default() += value;
    }

    /// The mean of each term, by name.
    pub(crate) fn terms(&self) -> BTreeMap<String, f64> {
        let mean = |(name, sum): (&String, &f64)| (name.clone(), sum / self.count as f64);
        self.terms.iter().map(mean).collect()
    }

    /// The mean loss in each slice of time, `None` where there was none; empty where losses have no times.
    pub(crate) fn by_time(&self) -> Vec<Option<f64>> {
        let mean = |(sum, count): &(f64, u64)| (*count > 0).then(|| sum / *count as f64);
        self.bins.iter().map(mean).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_are_told_apart_by_time() {
        let mut window = Window::default();
        assert!(window.by_time().is_empty());
        window.see(&[0.0, 0.05, 0.1, 0.999, 1.0], &[1.0, 3.0, 5.0, 7.0, 8.0]);
        let mut want = vec![None; BINS];
        (want[0], want[1], want[9]) = (Some(2.0), Some(5.0), Some(7.5));
        assert_eq!(window.by_time(), want);
    }
}
