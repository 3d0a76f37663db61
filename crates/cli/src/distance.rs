//! Points against a run's data: the exact 2-Wasserstein distance of sets of one size.

use anyhow::{Result, bail};
use fokker::Dataset;
use fokker::eval::metrics::mean_w2;
use fokker::sim::rng::{Purpose, permutation};

use crate::present;

/// Points in a set, where the data has so many.
pub(crate) const POINTS: usize = 1000;

/// Pairs of independent draws from a run's data: samples are held against the second of each, the first says how close
/// data come to data.
pub(crate) struct DataPairs {
    sets: Vec<(Vec<f64>, Vec<Option<u32>>)>,
    /// Points in a set.
    pub(crate) points: usize,
    dim: usize,
}

impl DataPairs {
    /// `pairs` of them with `points` in each set, or half the data where there are fewer.
    pub(crate) fn draw(data: &dyn Dataset, pairs: usize, points: usize) -> Result<Self> {
        let points = data.len().map_or(points, |n| points.min(n as usize / 2));
        if points < 10 {
            bail!("the data has too few points to measure a distance: at least 20 are needed");
        }
        let sets = (0..2 * pairs as u64).map(|j| set(data, j, points));
        Ok(Self {
            sets: sets.collect(),
            points,
            dim: data.shape().size(),
        })
    }

    /// Samples that are held against them.
    pub(crate) fn count(&self) -> usize {
        self.sets.len() / 2 * self.points
    }

    /// The classes of those samples: as often as the data has them.
    pub(crate) fn classes(&self) -> Vec<u32> {
        let labels = self.sets.iter().step_by(2).flat_map(|(_, labels)| labels);
        labels.map(|l| l.unwrap_or(0)).collect()
    }

    /// Mean and standard deviation of the distance of data to data.
    pub(crate) fn floor(&self) -> Result<(f64, f64)> {
        let pairs = self.sets.chunks_exact(2);
        let pairs: Vec<_> = pairs.map(|p| (&p[0].0[..], &p[1].0[..])).collect();
        Ok(mean_w2(&pairs, self.dim)?)
    }

    /// Mean and standard deviation of the distance of these samples to the data.
    pub(crate) fn distance(&self, values: &[f64]) -> Result<(f64, f64)> {
        let samples = values.chunks_exact(self.points * self.dim);
        let data = self.sets.iter().skip(1).step_by(2);
        let pairs: Vec<_> = samples.zip(data).map(|(s, (d, _))| (s, &d[..])).collect();
        Ok(mean_w2(&pairs, self.dim)?)
    }
}

/// `points` rows of the data, set `j`: fresh ones where the data has no end, else a random subset.
/// Also their labels.
fn set(data: &dyn Dataset, j: u64, points: usize) -> (Vec<f64>, Vec<Option<u32>>) {
    let dim = data.shape().size();
    let indices: Vec<u64> = match data.len() {
        None => {
            let start = present::fresh(data) + (j + 1) * points as u64;
            (start..start + points as u64).collect()
        }
        // Sets 2k and 2k + 1 are the two halves of one permutation: disjoint.
        Some(n) => permutation(0, Purpose::Project, j / 2, n as usize)
            .into_iter()
            .skip((j % 2) as usize * points)
            .take(points)
            .map(u64::from)
            .collect(),
    };
    let mut row = vec![0.0_f32; dim];
    let mut values = Vec::with_capacity(points * dim);
    let mut labels = Vec::with_capacity(points);
    for i in indices {
        labels.push(data.item(i, &mut row));
        values.extend(row.iter().map(|v| f64::from(*v)));
    }
    (values, labels)
}
