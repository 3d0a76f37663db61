//! The statistics of a state, at one time and at all times of a grid.

use super::moments::stride;
use super::{Histogram, Moments, Quantiles, StatError};

/// Where the histogram of one component lies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HistogramSpec {
    /// The component, counted from 0.
    pub component: usize,
    /// The lower end of the range.
    pub lo: f64,
    /// The upper end of the range.
    pub hi: f64,
    /// The number of bins of equal width.
    pub bins: usize,
}

/// Which statistics a [`Summary`] keeps of states of `dim` components. The moments are always kept.
#[derive(Clone, Debug, PartialEq)]
pub struct SummarySpec {
    /// The number of components.
    pub dim: usize,
    /// The relative error of the quantiles, or none of them.
    pub alpha: Option<f64>,
    /// The histograms, at most one for a component.
    pub histograms: Vec<HistogramSpec>,
}

impl SummarySpec {
    /// Moments, and quantiles to a relative error of 0.5 %; no histograms.
    pub fn new(dim: usize) -> Self {
        Self {
            dim,
            alpha: Some(Quantiles::ALPHA),
            histograms: Vec::new(),
        }
    }
}

/// What is known of the state of an ensemble at one time.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// Count, mean, covariance and extremes of the states.
    pub moments: Moments,
    /// The quantiles of each component; empty when they were not asked for.
    pub quantiles: Vec<Quantiles>,
    /// The histogram of each component that has one.
    pub histograms: Vec<Option<Histogram>>,
}

impl Summary {
    /// Nothing yet.
    ///
    /// # Errors
    /// What [`Quantiles::with_alpha`] and [`Histogram::new`] refuse; [`StatError::Component`] for a histogram of a component
    /// that does not exist or has one already.
    pub fn new(spec: &SummarySpec) -> Result<Self, StatError> {
        let dim = spec.dim;
        let quantiles = match spec.alpha {
            Some(alpha) => vec![Quantiles::with_alpha(alpha)?; dim],
            None => Vec::new(),
        };
        let mut histograms = vec![None; dim];
        for h in &spec.histograms {
            let component = h.component;
            match histograms.get_mut(component) {
                Some(place @ None) => *place = Some(Histogram::new(h.lo, h.hi, h.bins)?),
                _ => return Err(StatError::Component { component, dim }),
            }
        }
        Ok(Self {
            moments: Moments::new(dim),
            quantiles,
            histograms,
        })
    }

    /// The same, still empty, with quantiles by the distance from these centres, one for each component; see
    /// [`Quantiles::around`].
    ///
    /// # Panics
    /// When there is another number of centres, or something was added already.
    pub fn around(mut self, centres: &[f64]) -> Self {
        assert_eq!(
            centres.len(),
            self.moments.dim(),
            "summary: number of centres"
        );
        let sketches = self.quantiles.into_iter().zip(centres);
        self.quantiles = sketches
            .map(|(sketch, &centre)| sketch.around(centre))
            .collect();
        self
    }

    /// Adds the state of one trajectory, `[dim]`.
    ///
    /// # Panics
    /// When `x` has another length.
    pub fn push(&mut self, x: &[f64]) {
        assert_eq!(x.len(), self.moments.dim(), "summary: length of a state");
        self.push_lanes(x, 1);
    }

    /// Adds the states of `n` trajectories, column-major as in [`Moments::push_lanes`].
    ///
    /// # Panics
    /// When `values` is not `dim` columns of at least `n`.
    pub fn push_lanes<T: Copy + Into<f64>>(&mut self, values: &[T], n: usize) {
        let stride = stride(values.len(), self.moments.dim(), n);
        self.moments.push_lanes(values, n);
        let column = |j: usize| &values[j * stride..][..n];
        for (j, quantiles) in self.quantiles.iter_mut().enumerate() {
            quantiles.push_slice(column(j));
        }
        for (j, histogram) in self.histograms.iter_mut().enumerate() {
            if let Some(histogram) = histogram {
                histogram.push_slice(column(j));
            }
        }
    }

    /// Adds the states of `other`.
    ///
    /// # Panics
    /// When the two were made from different specifications.
    pub fn merge(&mut self, other: &Self) {
        self.moments.merge(&other.moments);
        assert_eq!(
            self.quantiles.len(),
            other.quantiles.len(),
            "summary: quantiles merged"
        );
        for (mine, more) in self.quantiles.iter_mut().zip(&other.quantiles) {
            mine.merge(more);
        }
        for (mine, more) in self.histograms.iter_mut().zip(&other.histograms) {
            match (mine, more) {
                (Some(mine), Some(more)) => mine.merge(more),
                (None, None) => (),
                _ => panic!("summary: a histogram on one side only"),
            }
        }
    }
}

/// A [`Summary`] for every time of a grid.
#[derive(Clone, Debug, PartialEq)]
pub struct Summaries {
    times: Vec<f64>,
    at: Vec<Summary>,
}

impl Summaries {
    /// Nothing yet, at each of `times`.
    ///
    /// # Errors
    /// As [`Summary::new`].
    pub fn new(times: &[f64], spec: &SummarySpec) -> Result<Self, StatError> {
        Ok(Self {
            times: times.to_vec(),
            at: vec![Summary::new(spec)?; times.len()],
        })
    }

    /// The same, still empty, with quantiles by the distance from centres `[times, dim]`; see [`Summary::around`].
    ///
    /// # Panics
    /// When there is another number of centres, or something was added already.
    pub fn around(mut self, centres: &[f64]) -> Self {
        let dim = centres.len() / self.at.len().max(1);
        assert_eq!(
            centres.len(),
            dim * self.at.len(),
            "summaries: number of centres"
        );
        let summaries = self.at.into_iter().zip(centres.chunks(dim.max(1)));
        self.at = summaries
            .map(|(summary, centres)| summary.around(centres))
            .collect();
        self
    }

    /// The times of the grid.
    pub fn times(&self) -> &[f64] {
        &self.times
    }

    /// The summaries, one for each time.
    pub fn summaries(&self) -> &[Summary] {
        &self.at
    }

    /// The summary at time `i` of the grid, to be filled.
    ///
    /// # Panics
    /// When the grid has no time `i`.
    pub fn at_mut(&mut self, i: usize) -> &mut Summary {
        &mut self.at[i]
    }

    /// Adds the states of `n` trajectories at time `i` of the grid, column-major as in [`Moments::push_lanes`].
    ///
    /// # Panics
    /// When the grid has no time `i`, or `values` is not `dim` columns of at least `n`.
    pub fn push_lanes<T: Copy + Into<f64>>(&mut self, i: usize, values: &[T], n: usize) {
        self.at[i].push_lanes(values, n);
    }

    /// Adds the states of `other`: the next block of trajectories on the same grid.
    ///
    /// # Panics
    /// When the grids or the specifications differ.
    pub fn merge(&mut self, other: &Self) {
        assert_eq!(self.times, other.times, "summaries: times merged");
        for (mine, more) in self.at.iter_mut().zip(&other.at) {
            mine.merge(more);
        }
    }
}
