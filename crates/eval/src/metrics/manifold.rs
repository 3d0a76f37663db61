use rayon::prelude::*;

use super::nearest::squared_distance;
use crate::EvalError;

/// How two sets of points, usually features of images, overlap; see [`overlap`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Overlap {
    /// The share of samples that lie in a ball of the data: are they plausible?
    pub precision: f64,
    /// The share of data that lie in a ball of the samples.
    pub recall: f64,
    /// How many balls of the data a sample lies in, on average, over k. 1 for samples of the data's own law; unlike
    /// precision not moved by a few outliers of the data.
    pub density: f64,
    /// The share of the data's balls with a sample inside: is everything there?
    pub coverage: f64,
}

/// The overlap of `samples` with `data`, both of `dim` numbers a point, by balls: that of a point of a set reaches to its
/// k-th nearest other point of the set.
///
/// With r(x) the radius of the ball at x, N points x of the data and M samples y,
///
/// - precision = |{y : ∃ x, ‖x − y‖ ≤ r(x)}| / M,
/// - recall = |{x : ∃ y, ‖x − y‖ ≤ r(y)}| / N,
/// - density = |{(x, y) : ‖x − y‖ < r(x)}| / kM,
/// - coverage = |{x : ∃ y, ‖x − y‖ < r(x)}| / N.
///
/// For samples of the data's own (continuous) law, density is 1 on average and coverage
/// 1 − Π_{i<k} (N − 1 − i)/(N + M − 1 − i) (see [`expected_coverage`]), whatever the law and the dimension.
///
/// N·(N + M) + M² distances, on all threads; the result does not depend on their number.
///
/// Source: Naeem, Oh, Uh, Choi and Yoo, *Reliable fidelity and diversity metrics for generative models*, 2020 (k = 5);
/// precision and recall: Kynkäänniemi et al., 2019 (k = 3).
///
/// # Errors
/// [`EvalError::Shape`] where a set is not a whole number of points, more than k of them; [`EvalError::NotFinite`].
pub fn overlap(samples: &[f32], data: &[f32], dim: usize, k: usize) -> Result<Overlap, EvalError> {
    for (what, values) in [("samples", samples), ("data", data)] {
        check(what, values, dim, k)?;
    }
    let (real, fake) = (radii(data, dim, k), radii(samples, dim, k));
    // Of a sample: balls of the data that it is inside of, and whether it is in one with its border.
    let of_samples: Vec<(u64, bool)> = samples
        .par_chunks_exact(dim)
        .map(|y| {
            let distances = data.chunks_exact(dim).map(|x| squared_distance(x, y));
            distances
                .zip(&real)
                .fold((0, false), |(inside, any), (d, r)| {
                    (inside + u64::from(d < *r), any || d <= *r)
                })
        })
        .collect();
    // Of a point of the data: whether its ball has a sample, and whether a sample's ball has it.
    let of_data: Vec<(bool, bool)> = data
        .par_chunks_exact(dim)
        .zip(&real)
        .map(|(x, r)| {
            let distances = samples.chunks_exact(dim).map(|y| squared_distance(x, y));
            distances
                .zip(&fake)
                .fold((false, false), |(covered, recalled), (d, of_sample)| {
                    (covered || d < *r, recalled || d <= *of_sample)
                })
        })
        .collect();
    let (n, m) = (of_data.len() as f64, of_samples.len() as f64);
    let inside: u64 = of_samples.iter().map(|s| s.0).sum();
    let share = |count: usize, of: f64| count as f64 / of;
    Ok(Overlap {
        precision: share(of_samples.iter().filter(|s| s.1).count(), m),
        recall: share(of_data.iter().filter(|x| x.1).count(), n),
        density: inside as f64 / (k as f64 * m),
        coverage: share(of_data.iter().filter(|x| x.0).count(), n),
    })
}

/// The coverage of `n` points by `m` samples of the same law, on average: one minus the chance that the k nearest of the other
/// N + M − 1 points to a point of the data are all data,
/// 1 − Π_{i<k} (N − 1 − i)/(N + M − 1 − i).
pub fn expected_coverage(n: usize, m: usize, k: usize) -> f64 {
    let factors = (0..k).map(|i| (n as f64 - 1.0 - i as f64) / ((n + m) as f64 - 1.0 - i as f64));
    1.0 - factors.product::<f64>()
}

fn check(what: &'static str, values: &[f32], dim: usize, k: usize) -> Result<(), EvalError> {
    if k == 0 || dim == 0 || !values.len().is_multiple_of(dim) || values.len() / dim <= k {
        return Err(EvalError::shape(
            what,
            format!("more than k = {k} points (k at least 1) of {dim} numbers, the dimension"),
            format!("{} numbers", values.len()),
        ));
    }
    match values.iter().position(|v| !v.is_finite()) {
        None => Ok(()),
        Some(index) => Err(EvalError::NotFinite {
            what,
            index,
            value: values[index].into(),
        }),
    }
}

/// The squared distance of every point to its k-th nearest other.
fn radii(points: &[f32], dim: usize, k: usize) -> Vec<f32> {
    points
        .par_chunks_exact(dim)
        .enumerate()
        .map_init(Vec::new, |distances, (i, x)| {
            let others = points
                .chunks_exact(dim)
                .enumerate()
                .filter(|(j, _)| *j != i);
            distances.clear();
            distances.extend(others.map(|(_, y)| squared_distance(x, y)));
            *distances.select_nth_unstable_by(k - 1, f32::total_cmp).1
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Independent numbers, uniform on [-1, 1).
    fn uniforms(count: usize, seed: u64) -> Vec<f32> {
        let mut state = seed << 40;
        let mut next = || {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = state;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            ((z ^ (z >> 31)) >> 40) as f32 / (1 << 23) as f32 - 1.0
        };
        (0..count).map(|_| next()).collect()
    }

    /// On a line: data 0, 1, 2, 10 with k = 1 have radii 1, 1, 1, 8.
    #[test]
    fn by_hand() {
        let data = [0.0, 1.0, 2.0, 10.0];
        let of = |samples: &[f32]| overlap(samples, &data, 1, 1).unwrap();
        // 1.5 is inside the balls of 1 and 2 (and 10's reaches only to 2); 100 in none.
        let found = of(&[1.5, 100.0]);
        assert_eq!(found.density, 1.0);
        assert_eq!(found.precision, 0.5);
        assert_eq!(found.coverage, 0.5);
        // Both balls of the samples have radius 98.5.
        assert_eq!(found.recall, 1.0);
        // 2.5 is inside the balls of 2 and of 10.
        assert_eq!(of(&[2.5, 100.0]).density, 1.0);
        // On the border counts for precision alone.
        let border = of(&[-1.0, -1.0]);
        assert_eq!(
            (border.precision, border.density, border.coverage),
            (1.0, 0.0, 0.0)
        );
        assert_eq!(border.recall, 0.0);
    }

    /// Samples of the data's own law: 1 and the closed form, for any law and dimension.
    #[test]
    fn the_same_law() {
        for (dim, n, m) in [(1, 1500, 1500), (3, 2000, 700), (20, 800, 1600)] {
            let (data, samples) = (uniforms(n * dim, 1), uniforms(m * dim, 2));
            let found = overlap(&samples, &data, dim, 5).unwrap();
            let want = expected_coverage(n, m, 5);
            // Four standard deviations of a binomial, doubled for the dependence of neighbouring balls.
            let spread = 8.0 * (want * (1.0 - want) / n.min(m) as f64).sqrt();
            assert!((found.coverage - want).abs() < spread, "{found:?}, {want}");
            assert!((found.density - 1.0).abs() < 0.2, "{found:?}");
        }
        assert!((expected_coverage(10_000, 10_000, 5) - (1.0 - 1.0 / 32.0)).abs() < 1e-4);
    }

    /// Samples of one mode of two are dense and cover half; samples far away have neither.
    #[test]
    fn lost_modes_and_strangers() {
        let n = 1000;
        let mut data = uniforms(2 * n, 3);
        let far = |p: &mut [f32]| p.iter_mut().for_each(|v| *v += 50.0);
        far(&mut data[n..]);
        let one = overlap(&uniforms(n, 4), &data, 2, 5).unwrap();
        assert!(
            (one.coverage - 0.5).abs() < 0.03 && one.density > 0.8,
            "{one:?}"
        );
        assert!(one.precision > 0.95 && one.recall < 0.55, "{one:?}");
        let mut strangers = uniforms(n, 4);
        far(&mut strangers);
        far(&mut strangers);
        let strangers = overlap(&strangers, &data, 2, 5).unwrap();
        let all = [
            strangers.precision,
            strangers.recall,
            strangers.density,
            strangers.coverage,
        ];
        assert_eq!(all, [0.0; 4]);
    }

    #[test]
    fn bad_sets_are_named() {
        let three = [0.0, 1.0, 2.0];
        assert!(overlap(&three, &[0.0; 20], 1, 3).is_err());
        assert!(overlap(&[0.0; 20], &three, 1, 3).is_err());
        assert!(overlap(&[0.0; 21], &[0.0; 20], 2, 3).is_err());
        let error = overlap(&[0.0; 20], &[f32::NAN; 20], 1, 3).unwrap_err();
        assert!(error.to_string().contains("data"), "{error}");
    }
}
