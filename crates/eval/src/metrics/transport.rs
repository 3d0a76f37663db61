use fokker_math::transport::wasserstein2;

use crate::EvalError;

/// A Wasserstein-2 distance beside its floor; see [`w2_report`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct W2Report {
    /// Mean W₂ over the measured pairs (samples, data).
    pub mean: f64,
    /// Standard deviation over those pairs (n − 1 in the denominator; 0 for a single pair).
    pub std: f64,
    /// Mean W₂ over the floor pairs (data, other data): what a perfect sampler would score.
    pub floor: f64,
    /// Standard deviation over the floor pairs.
    pub floor_std: f64,
    /// `mean / floor`; 1 is perfect.
    pub ratio: f64,
}

/// Mean W₂ over `pairs` of equally large point sets, and over the `floor` pairs that hold two independent draws from
/// the data.
///
/// Two finite sets of the same law are never at distance 0, and by how much depends on their size: a W₂ says
/// something only beside the floor for the same number of points. Each pair is solved exactly (O(n³)).
///
/// # Errors
/// [`EvalError::Empty`] without pairs or for an empty set; [`EvalError::Shape`] if the sets of a pair differ in length
/// or are not a whole number of points; [`EvalError::NotFinite`].
pub fn w2_report(
    pairs: &[(&[f64], &[f64])],
    floor: &[(&[f64], &[f64])],
    dim: usize,
) -> Result<W2Report, EvalError> {
    let (mean, std) = mean_w2(pairs, dim)?;
    let (floor, floor_std) = mean_w2(floor, dim)?;
    Ok(W2Report {
        mean,
        std,
        floor,
        floor_std,
        ratio: mean / floor,
    })
}

fn mean_w2(pairs: &[(&[f64], &[f64])], dim: usize) -> Result<(f64, f64), EvalError> {
    if pairs.is_empty() {
        return Err(EvalError::Empty(
            "list of pairs for the Wasserstein distance",
        ));
    }
    let mut values = Vec::with_capacity(pairs.len());
    for (a, b) in pairs {
        if a.is_empty() {
            return Err(EvalError::Empty("point set for the Wasserstein distance"));
        }
        if dim == 0 || a.len() != b.len() || !a.len().is_multiple_of(dim) {
            return Err(EvalError::shape(
                "point sets for the Wasserstein distance",
                format!("equal lengths, a multiple of the dimension {dim}"),
                format!("{} and {}", a.len(), b.len()),
            ));
        }
        EvalError::check_finite("point set", a)?;
        EvalError::check_finite("point set", b)?;
        values.push(wasserstein2(a, b, dim));
    }
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|v| (v - mean) * (v - mean)).sum();
    Ok((mean, (squares / (n - 1.0).max(1.0)).sqrt()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shift_costs_its_length() {
        let a = [0.0, 0.0, 1.0, 5.0, -3.0, 2.0];
        let shift = |by: f64| a.iter().map(|v| v + by).collect::<Vec<_>>();
        let (b, c) = (shift(3.0), shift(1.0));
        let r = w2_report(&[(&a, &b), (&a, &c)], &[(&a, &c)], 2).unwrap();
        let s = 2f64.sqrt();
        assert!((r.mean - 2.0 * s).abs() < 1e-12 && (r.floor - s).abs() < 1e-12);
        assert!((r.ratio - 2.0).abs() < 1e-12 && (r.std - 2.0).abs() < 1e-12 && r.floor_std == 0.0);
    }

    #[test]
    fn wrong_input_is_refused() {
        let a = [0.0; 4];
        for (pairs, dim) in [
            (vec![], 2),
            (vec![(&a[..], &a[..2])], 2),
            (vec![(&a[..], &a[..])], 3),
            (vec![(&a[..], &a[..])], 0),
            (vec![(&a[..0], &a[..0])], 2),
            (vec![(&a[..], &[0.0, 0.0, 0.0, f64::INFINITY][..])], 2),
        ] {
            assert!(w2_report(&pairs, &[(&a, &a)], dim).is_err());
        }
    }
}
