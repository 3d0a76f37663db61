use crate::EvalError;

/// How samples divide among the modes of a known mixture; see [`mode_weights`].
#[derive(Debug, Clone, PartialEq)]
pub struct ModeWeights {
    /// Points whose nearest mode is this one.
    pub counts: Vec<u64>,
    /// `counts` over the number of points; they sum to 1.
    pub weights: Vec<f64>,
    /// For each mode, the fraction of its points within k·std of it; NaN for a mode without points.
    pub within: Vec<f64>,
    /// The fraction of all points within k·std of their mode.
    pub within_all: f64,
    /// Modes without any point.
    pub missing: usize,
}

impl ModeWeights {
    /// The total variation distance ½ Σ|wᵢ − pᵢ| to the weights `expected` (normalised here), from 0 to 1.
    ///
    /// # Errors
    /// [`EvalError::Shape`] for a list of another length or one that does not sum to a positive number.
    pub fn total_variation(&self, expected: &[f64]) -> Result<f64, EvalError> {
        let sum: f64 = expected.iter().sum();
        if expected.len() != self.weights.len() || !(sum > 0.0 && sum.is_finite()) {
            return Err(EvalError::shape(
                "expected mode weights",
                format!("{} with a positive sum", self.weights.len()),
                format!("{} with sum {sum}", expected.len()),
            ));
        }
        let pairs = self.weights.iter().zip(expected);
        Ok(pairs.map(|(w, p)| (w - p / sum).abs()).sum::<f64>() / 2.0)
    }
}

/// Assigns each of the `points` (`dim` numbers each) to the nearest of the `modes` (`dim` numbers each; the first of
/// equally near ones), and counts how many lie within `k`·`std` of it.
///
/// For a normal distribution in the plane the fraction within k·std is 1 − e^(−k²/2): 0.8647 for k = 2 and
/// 0.9889 for k = 3.
///
/// # Errors
/// [`EvalError::Empty`] without points or modes; [`EvalError::Shape`] if a list is not a whole number of points;
/// [`EvalError::NotFinite`].
pub fn mode_weights(
    points: &[f64],
    dim: usize,
    modes: &[f64],
    std: f64,
    k: f64,
) -> Result<ModeWeights, EvalError> {
    for (what, list) in [("points", points), ("modes", modes)] {
        if list.is_empty() {
            return Err(EvalError::Empty(if what == "points" {
                "list of points"
            } else {
                "list of modes"
            }));
        }
        if dim == 0 || !list.len().is_multiple_of(dim) {
            return Err(EvalError::shape(
                what,
                format!("a multiple of the dimension {dim}"),
                list.len(),
            ));
        }
        EvalError::check_finite(what, list)?;
    }
    EvalError::check_finite("radius of a mode", &[std, k])?;
    let m = modes.len() / dim;
    let (mut counts, mut near) = (vec![0u64; m], vec![0u64; m]);
    let radius = std * k;
    for point in points.chunks_exact(dim) {
        let mut best = (f64::INFINITY, 0);
        for (i, mode) in modes.chunks_exact(dim).enumerate() {
            let d: f64 = point.iter().zip(mode).map(|(a, b)| (a - b) * (a - b)).sum();
            if d < best.0 {
                best = (d, i);
            }
        }
        counts[best.1] += 1;
        near[best.1] += u64::from(best.0 <= radius * radius);
    }
    let n = (points.len() / dim) as f64;
    Ok(ModeWeights {
        weights: counts.iter().map(|&c| c as f64 / n).collect(),
        within: counts
            .iter()
            .zip(&near)
            .map(|(&c, &w)| w as f64 / c as f64)
            .collect(),
        within_all: near.iter().sum::<u64>() as f64 / n,
        missing: counts.iter().filter(|&&c| c == 0).count(),
        counts,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_by_hand() {
        let modes = [0.0, 0.0, 10.0, 0.0, 0.0, 10.0];
        let points = [0.5, 0.0, 0.0, 3.0, 9.0, 0.0, 10.0, 2.0];
        let w = mode_weights(&points, 2, &modes, 1.0, 2.0).unwrap();
        assert_eq!(w.counts, [2, 2, 0]);
        assert_eq!(w.weights, [0.5, 0.5, 0.0]);
        assert_eq!(
            (w.within[0], w.within[1], w.within[2].is_nan()),
            (0.5, 1.0, true)
        );
        assert_eq!((w.within_all, w.missing), (0.75, 1));
        assert_eq!(w.total_variation(&[1.0, 1.0, 2.0]).unwrap(), 0.5);
        assert!(w.total_variation(&[1.0]).is_err());
    }

    #[test]
    fn wrong_input_is_refused() {
        assert!(mode_weights(&[], 2, &[0.0, 0.0], 1.0, 2.0).is_err());
        assert!(mode_weights(&[1.0; 3], 2, &[0.0, 0.0], 1.0, 2.0).is_err());
        assert!(mode_weights(&[1.0; 2], 0, &[0.0, 0.0], 1.0, 2.0).is_err());
        assert!(mode_weights(&[1.0, f64::NAN], 2, &[0.0, 0.0], 1.0, 2.0).is_err());
    }
}
