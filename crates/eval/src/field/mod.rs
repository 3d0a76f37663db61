//! Functions of the plane as plain numbers: level sets, kernel densities, streamlines, bins.
//!
//! Figures draw what is computed here; nothing here knows a colour or a pixel.

mod bins;
mod contour;
mod kde;
mod lattice;
mod stream;

pub use bins::Bins;
pub use contour::{contours, superlevel};
pub use kde::{Bandwidth, kde};
pub use lattice::Lattice;
pub use stream::{Stream, streamlines};

/// A line through points (x, y), in their order.
pub type Line = Vec<(f64, f64)>;

/// A band over x: points (x, lower, upper), in the order of x.
pub type Band = Vec<(f64, f64, f64)>;

/// An arrow: where it is (x, y), and its vector (u, v).
pub type Arrow = ((f64, f64), (f64, f64));

/// `f` at `n` evenly spaced points of a range, both ends included: an exact curve to lay over a measured one.
///
/// ```
/// let line = fokker_eval::field::sampled((0.0, 2.0), 3, |t| t * t);
/// assert_eq!(line, [(0.0, 0.0), (1.0, 1.0), (2.0, 4.0)]);
/// ```
pub fn sampled((lo, hi): (f64, f64), n: usize, f: impl Fn(f64) -> f64) -> Line {
    let last = n.max(2) - 1;
    (0..=last)
        .map(|k| lo + (hi - lo) * (k as f64 / last as f64))
        .map(|x| (x, f(x)))
        .collect()
}

/// A range that is finite, increasing and wide enough to divide by; (0, 1) where it is not.
pub(crate) fn sound((lo, hi): (f64, f64)) -> (f64, f64) {
    let drawable = lo.is_finite() && hi.is_finite() && lo.abs().max(hi.abs()) < 1e150;
    if drawable && hi - lo > 1e-12 * lo.abs().max(hi.abs()) && hi - lo > 1e-150 {
        (lo, hi)
    } else {
        (0.0, 1.0)
    }
}
