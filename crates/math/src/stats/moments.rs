//! Moments, and the energy distance of samples.

use super::distance_squared;

/// Mean, and the standardised central moments of a sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moments {
    /// The mean x̄.
    pub mean: f64,
    /// The variance Σ(x − x̄)²/n (division by n).
    pub variance: f64,
    /// The skewness m₃/m₂^{3/2}; 0 for a normal distribution.
    pub skewness: f64,
    /// The kurtosis m₄/m₂²; 3 for a normal distribution.
    pub kurtosis: f64,
}

/// The moments of a sample, or none of an empty one. In two passes, so that a large mean does no
/// harm to the variance. Skewness and kurtosis of a constant sample are NaN.
pub fn moments(sample: &[f64]) -> Option<Moments> {
    if sample.is_empty() {
        return None;
    }
    let n = sample.len() as f64;
    let mean = sample.iter().sum::<f64>() / n;
    let [m2, m3, m4] = sample
        .iter()
        .fold([0.0; 3], |[m2, m3, m4], x| {
            let d = x - mean;
            [m2 + d * d, m3 + d * d * d, m4 + d * d * d * d]
        })
        .map(|sum| sum / n);
    Some(Moments {
        mean,
        variance: m2,
        skewness: m3 / (m2 * m2.sqrt()),
        kurtosis: m4 / (m2 * m2),
    })
}

/// The energy distance 2E|X − Y| − E|X − X′| − E|Y − Y′| ≥ 0 of two point sets with `dim` numbers
/// per point, over all pairs (Székely & Rizzo, 2013); 0 if and only if the sets are equal.
///
/// # Panics
/// When `dim` is 0, or a set is empty or no whole number of points.
pub fn energy_distance(a: &[f64], b: &[f64], dim: usize) -> f64 {
    for set in [a, b] {
        assert!(
            dim > 0 && !set.is_empty() && set.len().is_multiple_of(dim),
            "the energy distance needs non-empty sets of points of dimension {dim}, got {} numbers",
            set.len()
        );
    }
    let mean = |a: &[f64], b: &[f64]| {
        let sum: f64 = a
            .chunks_exact(dim)
            .flat_map(|x| {
                b.chunks_exact(dim)
                    .map(move |y| distance_squared(x, y).sqrt())
            })
            .sum();
        sum / ((a.len() / dim) as f64 * (b.len() / dim) as f64)
    };
    2.0 * mean(a, b) - mean(a, a) - mean(b, b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_of_a_two_point_sample() {
        let m = moments(&[1e6, 1e6 + 2.0]).unwrap();
        assert_eq!([m.mean, m.variance], [1e6 + 1.0, 1.0]);
        assert_eq!([m.skewness, m.kurtosis], [0.0, 1.0]);
        assert_eq!(moments(&[]), None);
    }

    #[test]
    fn energy_distance_of_points() {
        assert_eq!(energy_distance(&[0.0, 0.0], &[3.0, 4.0], 2), 10.0);
        let a = [0.3, 1.0, -2.0, 0.5];
        assert!(energy_distance(&a, &a, 2).abs() < 1e-15);
    }
}
