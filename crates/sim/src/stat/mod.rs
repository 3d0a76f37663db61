//! Statistics of an ensemble on the fly: what is known of millions of trajectories without one of them being stored.
//!
//! | accumulator | keeps |
//! |---|---|
//! | [`Moments`] | count, mean, covariance, least and greatest value |
//! | [`Quantiles`] | a sketch from which any quantile is read to a stated relative error |
//! | [`Histogram`] | counts between fixed edges |
//! | [`Summary`] | all of these for the state at one time |
//! | [`Summaries`] | a summary for every time of a grid |
//!
//! An accumulator is plain data. Blocks of trajectories fill one each, on whatever thread; the caller then merges them
//! **in the order of the blocks**. Sketches and histograms hold integers and extremes, so they would not even depend on
//! the order; the floating-point sums of [`Moments`] do, hence the rule. With fixed blocks, every number is the same to
//! the last bit for any number of threads.
//!
//! Values that are not finite (a trajectory that blew up) never enter a statistic: they are counted apart.
//!
//! ```
//! use fokker_sim::rng::{Purpose, Stream};
//! use fokker_sim::stat::{Summary, SummarySpec};
//!
//! let spec = SummarySpec::new(1);
//! let mut law = Summary::new(&spec)?;
//! for block in 0..4 {
//!     let mut x = [0.0; 1000]; // 1000 trajectories of one component
//!     Stream::new(1, Purpose::Test, block, 0).normals_f64(&mut x);
//!     let mut part = Summary::new(&spec)?;
//!     part.push_lanes(&x, 1000);
//!     law.merge(&part);
//! }
//! assert_eq!(law.moments.count(), 4000);
//! assert!(law.moments.mean()[0].abs() < 0.07);
//! let median = law.quantiles[0].quantile(0.5).unwrap();
//! assert!(median.abs() < 0.09);
//! # Ok::<(), fokker_sim::stat::StatError>(())
//! ```

mod histogram;
mod mapping;
mod moments;
mod quantiles;
mod store;
mod summary;
#[cfg(test)]
mod tests;

use std::fmt;

pub use histogram::Histogram;
pub use moments::Moments;
pub use quantiles::Quantiles;
pub use summary::{HistogramSpec, Summaries, Summary, SummarySpec};

/// Why an accumulator cannot be made as asked.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum StatError {
    /// The relative error of a quantile sketch is out of its range.
    Accuracy {
        /// The value asked for.
        alpha: f64,
    },
    /// A histogram's ends are not finite, in the wrong order, or too close for its bins.
    Range {
        /// The lower end.
        lo: f64,
        /// The upper end.
        hi: f64,
        /// The number of bins.
        bins: usize,
    },
    /// A histogram of no bins, or of more than [`Histogram::MAX_BINS`].
    Bins {
        /// The number asked for.
        bins: usize,
    },
    /// A histogram for a component that the state does not have, or two for one component.
    Component {
        /// The component, counted from 0.
        component: usize,
        /// The number of components.
        dim: usize,
    },
}

impl fmt::Display for StatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Accuracy { alpha } => write!(
                f,
                "quantiles: a relative error of {alpha} cannot be kept; it must lie in [{}, {}]",
                Quantiles::MIN_ALPHA,
                Quantiles::MAX_ALPHA
            ),
            Self::Range { lo, hi, bins } => write!(
                f,
                "histogram: {bins} bins do not fit from {lo} to {hi}; the ends must be finite, the lower one first, \
                 and far enough apart for the edges to differ"
            ),
            Self::Bins { bins } => write!(
                f,
                "histogram: {bins} bins; there must be 1 to {}",
                Histogram::MAX_BINS
            ),
            Self::Component { component, dim } => write!(
                f,
                "histogram of component {component}: the state has {dim} components, counted from 0, and each can \
                 have one histogram"
            ),
        }
    }
}

impl std::error::Error for StatError {}
