//! Square roots of covariance matrices, singular ones too.

use super::products::add_rows;

/// R of A = RᵀR for a symmetric positive semi-definite A.
#[derive(Clone, Debug, PartialEq)]
pub struct SemidefiniteRoot {
    /// The rank of A beside rounding.
    pub rank: usize,
    /// R, `rank` × n, row-major.
    pub root: Vec<f64>,
    /// The least entry on the diagonal of A − RᵀR: what is negative beyond rounding, some
    /// n·10⁻¹⁶ of A's largest entry, says that A is not positive semi-definite.
    pub least: f64,
}

/// Cholesky's factorisation with pivots on the diagonal, the largest left first, until those are
/// n·2⁻⁵² of the first (Higham, *Analysis of the Cholesky decomposition of a semi-definite
/// matrix*, 1990): n × n, row-major, in n·rank² multiplications.
///
/// # Panics
/// When `a` has not n² entries.
pub fn semidefinite_root(n: usize, a: &[f64]) -> SemidefiniteRoot {
    assert_eq!(a.len(), n * n, "a matrix of {n} rows has {n}² entries");
    let mut rest: Vec<f64> = (0..n).map(|i| a[i * n + i]).collect();
    let least_pivot = n as f64 * f64::EPSILON * rest.iter().copied().fold(0.0, f64::max);
    let mut left: Vec<usize> = (0..n).collect();
    let mut root = Vec::new();
    while let Some(place) = (0..left.len()).max_by(|&i, &j| rest[left[i]].total_cmp(&rest[left[j]]))
    {
        let pivot = left[place];
        if rest[pivot].is_nan() || rest[pivot] <= least_pivot {
            break;
        }
        left.swap_remove(place);
        let weights: Vec<f64> = root
            .chunks_exact(n)
            .map(|row: &[f64]| -row[pivot])
            .collect();
        let mut row = a[pivot * n..(pivot + 1) * n].to_vec();
        add_rows(&root, n, 0, &weights, &mut row);
        let scale = rest[pivot].sqrt();
        let mut next = vec![0.0; n];
        next[pivot] = scale;
        for &j in &left {
            next[j] = row[j] / scale;
            rest[j] -= next[j] * next[j];
        }
        root.append(&mut next);
    }
    SemidefiniteRoot {
        rank: n - left.len(),
        root,
        least: left.iter().map(|&j| rest[j]).fold(0.0, f64::min),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A = BᵀB of a B with `rank` rows.
    fn gram(n: usize, rank: usize) -> Vec<f64> {
        let b = |m: usize, i: usize| {
            ((m * n + i).pow(2) as f64 * 0.7 + 1.0).sin() * 10f64.powi(-(m as i32) % 4)
        };
        (0..n * n)
            .map(|e| (0..rank).map(|m| b(m, e / n) * b(m, e % n)).sum())
            .collect()
    }

    #[test]
    fn the_square_of_the_root_is_the_matrix() {
        for (n, rank) in [(1, 1), (5, 5), (9, 3), (13, 1), (20, 12), (4, 0)] {
            let a = gram(n, rank);
            let found = semidefinite_root(n, &a);
            assert_eq!((found.rank, found.root.len()), (rank, rank * n));
            for (e, &a) in a.iter().enumerate() {
                let square: f64 = found
                    .root
                    .chunks_exact(n)
                    .map(|row| row[e / n] * row[e % n])
                    .sum();
                assert!((square - a).abs() < 1e-13, "{n} {rank}: {square} {a}");
            }
            assert!(found.least > -1e-13);
        }
    }

    #[test]
    fn what_is_not_semidefinite_is_told() {
        assert_eq!(semidefinite_root(2, &[1.0, 2.0, 2.0, 1.0]).least, -3.0);
        assert_eq!(semidefinite_root(1, &[-2.0]).least, -2.0);
        assert_eq!(semidefinite_root(0, &[]).rank, 0);
    }
}
