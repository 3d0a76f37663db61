use fokker_math::transport::wasserstein2;
use rayon::prelude::*;

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

/// The mean W₂ between two independent samples of one law, with its standard deviation over the repeats (n − 1 in the
/// denominator): the floor that no sampler gets below at that number of points.
///
/// `draw(k)` is the k-th independent sample; repeat r compares samples 2r and 2r + 1, so that repeats are independent.
///
/// # Errors
/// As [`w2_report`]; [`EvalError::Empty`] for 0 repeats.
pub fn w2_floor(
    repeats: usize,
    dim: usize,
    mut draw: impl FnMut(usize) -> Vec<f64>,
) -> Result<(f64, f64), EvalError> {
    let samples: Vec<_> = (0..repeats)
        .map(|r| (draw(2 * r), draw(2 * r + 1)))
        .collect();
    let pairs: Vec<_> = samples.iter().map(|(a, b)| (&a[..], &b[..])).collect();
    mean_w2(&pairs, dim)
}

/// The normalised path energy |PE − W₂²| / W₂² with PE = E ∫₀¹ |u_t(x_t)|² dt along the flow's own trajectories
/// (Tong et al., *Improving and generalizing flow-based generative models with minibatch optimal transport*, TMLR 2024).
///
/// W₂² is the least energy of all flows between the two laws (Benamou & Brenier, 2000): 0 means that the trajectories
/// are those of optimal transport. Both are of the same unit; `w2` is the distance, not its square.
///
/// # Errors
/// [`EvalError::NotFinite`] unless both are finite; [`EvalError::Shape`] unless `path_energy` ≥ 0 and `w2` > 0: between equal
/// laws the ratio means nothing.
pub fn normalised_path_energy(path_energy: f64, w2: f64) -> Result<f64, EvalError> {
    EvalError::check_finite("path energy and Wasserstein distance", &[path_energy, w2])?;
    if path_energy < 0.0 || w2 <= 0.0 {
        return Err(EvalError::shape(
            "the normalised path energy",
            "an energy of at least 0 and a distance above 0".to_owned(),
            format!("{path_energy} and {w2}"),
        ));
    }
    let least = w2 * w2;
    Ok((path_energy - least).abs() / least)
}

/// The mean W₂ over `pairs` of equally large point sets, with its standard deviation (n − 1 in the denominator; 0 for a
/// single pair). Each pair is solved exactly (O(n³)), all at once on the threads there are.
///
/// # Errors
/// As [`w2_report`].
pub fn mean_w2(pairs: &[(&[f64], &[f64])], dim: usize) -> Result<(f64, f64), EvalError> {
    if pairs.is_empty() {
        return Err(EvalError::Empty(
            "list of pairs for the Wasserstein distance",
        ));
    }
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
    }
    let solve = |(a, b): &(&[f64], &[f64])| wasserstein2(a, b, dim);
    let values: Vec<f64> = pairs.par_iter().map(solve).collect();
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

    /// Points of a law on the line at fixed quantiles: W₂ between sorted samples is known.
    #[test]
    fn the_floor_is_the_mean_over_repeats() {
        let mut asked = Vec::new();
        let (mean, std) = w2_floor(3, 1, |k| {
            asked.push(k);
            // Samples 2r and 2r + 1 are a shift by r + 1 apart.
            [0.0, 5.0, 9.0]
                .iter()
                .map(|x| x + (k % 2 * (k / 2 + 1)) as f64)
                .collect()
        })
        .unwrap();
        assert_eq!(asked, [0, 1, 2, 3, 4, 5]);
        assert!((mean - 2.0).abs() < 1e-12 && (std - 1.0).abs() < 1e-12);
        assert!(w2_floor(0, 1, |_| vec![0.0]).is_err());
        assert!(w2_floor(1, 1, |k| vec![0.0; k + 1]).is_err());
    }

    /// N(0, 1) to N(m, s²) on the line: W₂² = m² + (s − 1)², the energy of the straight paths of the monotone map. The
    /// independent coupling's linear path has marginal field u = m + c(t)(x − mt), c = V'/2V with V = (1 − t)² + s²t², of
    /// energy m² + ∫ c²V dt = m² + ∫ V'²/4V dt.
    #[test]
    fn path_energy_of_normal_laws() {
        let (m, s) = (3.0, 0.5);
        let w2 = f64::sqrt(m * m + (s - 1.0) * (s - 1.0));
        assert!(normalised_path_energy(w2 * w2, w2).unwrap() < 1e-15);
        let steps = 20_000;
        let spread: f64 = (0..steps)
            .map(|i| (f64::from(i) + 0.5) / f64::from(steps))
            .map(|t| {
                let v = (1.0 - t) * (1.0 - t) + s * s * t * t;
                let rate = -2.0 * (1.0 - t) + 2.0 * s * s * t;
                rate * rate / (4.0 * v) / f64::from(steps)
            })
            .sum();
        // ∫ V'²/4V dt in closed form, with V'² = 4(1 + s²)V − 4s²: (1 + s²) − s∫ s dt/V, and ∫₀¹ s dt/V = π/2.
        let closed = 1.0 + s * s - s * std::f64::consts::FRAC_PI_2;
        assert!((spread - closed).abs() < 1e-8, "{spread} {closed}");
        let found = normalised_path_energy(m * m + spread, w2).unwrap();
        let excess = s * (2.0 - std::f64::consts::FRAC_PI_2);
        assert!((found - excess / (w2 * w2)).abs() < 1e-8, "{found}");
        assert_eq!(normalised_path_energy(2.0, 2.0).unwrap(), 0.5); // too little is counted, too
    }

    #[test]
    fn energies_without_meaning_are_refused() {
        for (energy, w2) in [
            (1.0, 0.0),
            (-1.0, 1.0),
            (f64::NAN, 1.0),
            (1.0, f64::INFINITY),
            (1.0, -2.0),
        ] {
            assert!(normalised_path_energy(energy, w2).is_err());
        }
    }
}
