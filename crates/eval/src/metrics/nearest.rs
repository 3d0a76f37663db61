use rayon::prelude::*;

use crate::EvalError;

/// Rows read at a time: small enough for the second-level cache, large enough to be worth a task.
const BLOCK: u64 = 64;

/// The two nearest rows of a data set to one query.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Neighbours {
    /// Row number of the nearest.
    pub index: u64,
    /// Euclidean distance to it.
    pub distance: f32,
    /// Row number of the second nearest (of another row, which may hold the same values).
    pub second_index: u64,
    /// Euclidean distance to it; infinite if the data set has only one row.
    pub second_distance: f32,
}

impl Neighbours {
    /// Distance to the nearest over distance to the second nearest, in [0, 1]; small means that the query is almost
    /// one particular row. 1 where both are 0 (the data set holds that row twice).
    ///
    /// A ratio below 1/3 is taken for a copy by Yoon, Choi, Kwon & Ryu, *Diffusion Probabilistic Models Generalize
    /// when They Fail to Memorize* (2023).
    pub fn memorisation_ratio(&self) -> f32 {
        if self.second_distance == 0.0 {
            1.0
        } else {
            self.distance / self.second_distance
        }
    }
}

/// The fraction of queries whose [`Neighbours::memorisation_ratio`] is below `threshold` (1/3 in the literature);
/// NaN without queries.
pub fn memorised_fraction(neighbours: &[Neighbours], threshold: f32) -> f64 {
    let copies = neighbours
        .iter()
        .filter(|n| n.memorisation_ratio() < threshold)
        .count();
    copies as f64 / neighbours.len() as f64
}

/// For each query its nearest row of a data set and the Euclidean distance to it; see [`nearest_two`].
///
/// # Errors
/// Those of [`nearest_two`].
pub fn nearest(
    queries: &[f32],
    data: &(dyn Fn(u64, &mut [f32]) + Sync),
    n: u64,
    dim: usize,
) -> Result<Vec<(u64, f32)>, EvalError> {
    Ok(nearest_two(queries, data, n, dim)?
        .into_iter()
        .map(|r| (r.index, r.distance))
        .collect())
}

/// For each of the `queries` (`dim` numbers each) the two nearest of the rows 0 … n − 1; `data(i, row)` fills `row`
/// with row i.
///
/// Every row is read once, from several threads. The result does not depend on their number: distances are summed in
/// a fixed order, and of equally near rows the first counts. Rows with NaN are never near.
///
/// # Errors
/// [`EvalError::Empty`] if n is 0; [`EvalError::Shape`] if the queries are not a whole number of rows;
/// [`EvalError::NotFinite`] for a query that is not finite.
pub fn nearest_two(
    queries: &[f32],
    data: &(dyn Fn(u64, &mut [f32]) + Sync),
    n: u64,
    dim: usize,
) -> Result<Vec<Neighbours>, EvalError> {
    if n == 0 {
        return Err(EvalError::Empty("data set for the nearest neighbours"));
    }
    if dim == 0 || !queries.len().is_multiple_of(dim) {
        let expected = format!("a multiple of the dimension {dim}");
        return Err(EvalError::shape(
            "queries for the nearest neighbours",
            expected,
            queries.len(),
        ));
    }
    if let Some(index) = queries.iter().position(|v| !v.is_finite()) {
        return Err(EvalError::NotFinite {
            what: "queries for the nearest neighbours",
            index,
            value: queries[index].into(),
        });
    }
    let none = Neighbours {
        index: 0,
        distance: f32::INFINITY,
        second_index: 0,
        second_distance: f32::INFINITY,
    };
    let start = || vec![none; queries.len() / dim];
    let best = (0..n.div_ceil(BLOCK))
        .into_par_iter()
        .fold(
            || (start(), Vec::new()),
            |(mut best, mut rows), block| {
                let first = block * BLOCK;
                let count = BLOCK.min(n - first);
                rows.resize(count as usize * dim, 0.0f32);
                for (row, i) in rows.chunks_exact_mut(dim).zip(first..) {
                    data(i, row);
                }
                for (query, best) in queries.chunks_exact(dim).zip(&mut best) {
                    for (row, i) in rows.chunks_exact(dim).zip(first..) {
                        insert(best, i, squared_distance(query, row));
                    }
                }
                (best, rows)
            },
        )
        .map(|(best, _)| best)
        .reduce(start, |mut a, b| {
            for (a, b) in a.iter_mut().zip(b) {
                insert(a, b.index, b.distance);
                insert(a, b.second_index, b.second_distance);
            }
            a
        });
    let root = |b: Neighbours| Neighbours {
        distance: b.distance.sqrt(),
        second_distance: b.second_distance.sqrt(),
        ..b
    };
    Ok(best.into_iter().map(root).collect())
}

/// Ordered by (distance, row number), so that the order of insertion does not matter.
fn insert(best: &mut Neighbours, index: u64, distance: f32) {
    let before = |d: f32, i: u64| distance < d || (distance == d && index < i);
    if distance == f32::INFINITY {
        return;
    }
    if before(best.distance, best.index) {
        best.second_index = best.index;
        best.second_distance = best.distance;
        best.index = index;
        best.distance = distance;
    } else if before(best.second_distance, best.second_index) && index != best.index {
        best.second_index = index;
        best.second_distance = distance;
    }
}

/// Σ(a − b)² in sixteen lanes and a fixed order, which compilers turn into vector instructions.
pub(super) fn squared_distance(a: &[f32], b: &[f32]) -> f32 {
    const LANES: usize = 16;
    let mut lanes = [0.0f32; LANES];
    let (a_chunks, b_chunks) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let tail: f32 = a_chunks
        .remainder()
        .iter()
        .zip(b_chunks.remainder())
        .map(|(x, y)| (x - y) * (x - y))
        .sum();
    for (x, y) in a_chunks.zip(b_chunks) {
        for k in 0..LANES {
            let d = x[k] - y[k];
            lanes[k] += d * d;
        }
    }
    lanes.iter().sum::<f32>() + tail
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reproducible numbers in [0, 1) on a coarse lattice, so that ties happen.
    fn value(i: u64, k: usize) -> f32 {
        let mut h =
            i.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (k as u64).wrapping_mul(0xc2b2_ae3d_27d4_eb4f);
        h = (h ^ (h >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        ((h >> 40) % 8) as f32 / 8.0
    }

    #[test]
    fn equals_brute_force_with_ties() {
        for (n, dim) in [(1u64, 3), (700, 2), (523, 19), (129, 33)] {
            let queries: Vec<f32> = (0..11 * dim)
                .map(|k| value(9999 + (k / dim) as u64, k % dim))
                .collect();
            let fill = |i: u64, row: &mut [f32]| {
                row.iter_mut()
                    .enumerate()
                    .for_each(|(k, v)| *v = value(i, k))
            };
            let got = nearest_two(&queries, &fill, n, dim).unwrap();
            for (q, got) in queries.chunks(dim).zip(got) {
                let mut all: Vec<(f64, u64)> = (0..n)
                    .map(|i| {
                        (
                            (0..dim)
                                .map(|k| f64::from(q[k] - value(i, k)).powi(2))
                                .sum::<f64>()
                                .sqrt(),
                            i,
                        )
                    })
                    .collect();
                all.sort_by(|a, b| a.partial_cmp(b).unwrap());
                assert_eq!(got.index, all[0].1);
                assert!((f64::from(got.distance) - all[0].0).abs() < 1e-6);
                if n > 1 {
                    assert_eq!(got.second_index, all[1].1);
                    assert!((f64::from(got.second_distance) - all[1].0).abs() < 1e-6);
                } else {
                    assert_eq!(
                        (got.second_distance, got.memorisation_ratio()),
                        (f32::INFINITY, 0.0)
                    );
                }
            }
        }
    }

    #[test]
    fn a_copy_is_found_and_counts_as_memorised() {
        let fill = |i: u64, row: &mut [f32]| row.fill(i as f32);
        let found = nearest_two(&[41.0, 41.0, 7.5, 7.5], &fill, 100, 2).unwrap();
        assert_eq!((found[0].index, found[0].distance), (41, 0.0));
        assert_eq!(found[0].memorisation_ratio(), 0.0);
        assert_eq!((found[1].index, found[1].memorisation_ratio()), (7, 1.0));
        assert_eq!(memorised_fraction(&found, 1.0 / 3.0), 0.5);
        assert_eq!(nearest(&[3.0, 3.0], &fill, 100, 2).unwrap(), [(3, 0.0)]);
    }

    #[test]
    fn wrong_input_is_refused() {
        let fill = |_: u64, row: &mut [f32]| row.fill(f32::NAN);
        assert!(nearest(&[0.0; 2], &fill, 0, 2).is_err());
        assert!(nearest(&[0.0; 3], &fill, 5, 2).is_err());
        assert!(nearest(&[0.0, f32::NAN], &fill, 5, 2).is_err());
        assert_eq!(
            nearest(&[0.0; 2], &fill, 5, 2).unwrap(),
            [(0, f32::INFINITY)]
        );
        assert_eq!(nearest(&[], &fill, 5, 2).unwrap(), []);
    }
}
