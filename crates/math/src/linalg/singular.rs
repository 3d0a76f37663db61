//! Singular values of dense matrices.

use super::products::{add_rows, reflect_rows};
use crate::simd::multiversion;

/// The singular values of a `rows` × `columns` matrix, row-major, in falling order: as many as the
/// lesser of the two.
///
/// Householder reflections from both sides make the matrix bidiagonal (Golub & Kahan, *Calculating
/// the singular values and pseudo-inverse of a matrix*, 1965), in some 8/3·n³ operations; then each
/// value is bisected by the signs of Sturm's sequence. The error is a few units of the last place
/// of the largest value, small values included. Infinite or NaN entries have no meaningful answer.
///
/// # Panics
/// When `a` has not rows·columns entries.
pub fn singular_values(rows: usize, columns: usize, mut a: Vec<f64>) -> Vec<f64> {
    assert_eq!(a.len(), rows * columns, "a matrix of {rows} × {columns}");
    let (mut rows, mut columns) = (rows, columns);
    if rows < columns {
        a = (0..a.len())
            .map(|e| a[e % rows * columns + e / rows])
            .collect();
        (rows, columns) = (columns, rows);
    }
    // So that no square overflows.
    let scale = a.iter().fold(0.0f64, |most, x| most.max(x.abs()));
    if columns == 0 || scale == 0.0 {
        return vec![0.0; columns];
    }
    a.iter_mut().for_each(|x| *x /= scale);
    let mut values = bisect(&bidiagonal(rows, columns, a), columns);
    values.iter_mut().for_each(|value| *value *= scale);
    values
}

/// d_0, e_0, d_1, e_1, …, d_{n−1}: the diagonal of the bidiagonal form and the one above.
fn bidiagonal(rows: usize, n: usize, mut a: Vec<f64>) -> Vec<f64> {
    let mut out = Vec::with_capacity(2 * n);
    for k in 0..n {
        let mut v: Vec<f64> = (k..rows).map(|i| a[i * n + k]).collect();
        out.push(reflector(&mut v));
        let width = n - k - 1;
        if width == 0 {
            break;
        }
        let mut w = vec![0.0; width];
        add_rows(&a[k * n..], n, k + 1, &v, &mut w);
        let mut u: Vec<f64> = a[k * n + k + 1..(k + 1) * n].to_vec();
        u.iter_mut().zip(&w).for_each(|(x, w)| *x -= v[0] * w);
        out.push(reflector(&mut u));
        reflect_rows(&mut a[(k + 1) * n..], n, k + 1, &v[1..], &w, &u);
    }
    out
}

/// Replaces x by the v with (I − vvᵀ)x = ‖x‖·(∓1, 0, …, 0), and returns the first entry of that.
fn reflector(x: &mut [f64]) -> f64 {
    let norm = x.iter().map(|x| x * x).sum::<f64>().sqrt();
    // Beside entries of 1 that is nothing, and squares of less lose their precision.
    if norm < 1e-140 {
        x.fill(0.0);
        return 0.0;
    }
    let sign = 1f64.copysign(x[0]);
    let root = (1.0 + x[0].abs() / norm).sqrt();
    x[0] += sign * norm;
    x.iter_mut().for_each(|x| *x /= norm * root);
    -sign * norm
}

const LANES: usize = 8;
/// Halvings of an interval as long as the largest value, down to its last place.
const HALVINGS: usize = 55;

/// The singular values of the bidiagonal matrix `b` of `n` columns, in falling order: with the
/// entries of `b` beside a diagonal of zeros, ±σ are the eigenvalues of a symmetric tridiagonal matrix.
fn bisect(b: &[f64], n: usize) -> Vec<f64> {
    let squares: Vec<f64> = b.iter().map(|b| b * b).collect();
    // Gershgorin: no eigenvalue exceeds the sum of a row.
    let ends = b.first().into_iter().chain(b.last()).map(|b| b.abs());
    let inner = b.windows(2).map(|w| w[0].abs() + w[1].abs());
    let most = ends.chain(inner).fold(0.0, f64::max) * (1.0 + 4.0 * f64::EPSILON);
    let mut values = Vec::with_capacity(n + LANES);
    for first in (0..n).step_by(LANES) {
        let mut low = [0.0; LANES];
        let mut high = [most; LANES];
        for _ in 0..HALVINGS {
            let mid = std::array::from_fn(|l| 0.5 * (low[l] + high[l]));
            let mut below = [0.0; LANES];
            count(&squares, &mid, &mut below);
            for l in 0..LANES {
                // σ number i from the largest, from 0, has 2n − 1 − i eigenvalues below it.
                if below[l] as usize + first + l >= 2 * n {
                    high[l] = mid[l];
                } else {
                    low[l] = mid[l];
                }
            }
        }
        values.extend((0..LANES).map(|l| 0.5 * (low[l] + high[l])));
    }
    values.truncate(n);
    values
}

multiversion! {
    /// How many eigenvalues are less than x, of the symmetric tridiagonal matrix with zeros on its
    /// diagonal and these squares beside: the negative pivots of its factorisation LDLᵀ, less x.
    fn count(squares: &[f64], x: &[f64; LANES], below: &mut [f64; LANES]) {
        let mut pivot = [0.0; LANES];
        for l in 0..LANES {
            pivot[l] = -x[l];
            below[l] = f64::from(u8::from(pivot[l] < 0.0));
        }
        for &square in squares {
            for l in 0..LANES {
                // A pivot of nothing counts as a small negative one.
                let by = if pivot[l].abs() < 1e-290 { -1e-290 } else { pivot[l] };
                pivot[l] = -x[l] - square / by;
                below[l] += if pivot[l] < 0.0 { 1.0 } else { 0.0 };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::dot;

    /// A·(I − 2vvᵀ/vᵀv) of a matrix with rows of n.
    fn reflected(a: &[f64], v: &[f64]) -> Vec<f64> {
        let rows = a.chunks_exact(v.len());
        rows.flat_map(|row| {
            let factor = 2.0 * dot(row, v) / dot(v, v);
            row.iter().zip(v).map(move |(x, v)| x - factor * v)
        })
        .collect()
    }

    fn transposed(rows: usize, columns: usize, a: &[f64]) -> Vec<f64> {
        (0..a.len())
            .map(|e| a[e % rows * columns + e / rows])
            .collect()
    }

    /// The matrix with these singular values: a diagonal reflected from both sides.
    fn with_values(rows: usize, columns: usize, values: &[f64]) -> Vec<f64> {
        let mut a = vec![0.0; rows * columns];
        for (i, value) in values.iter().enumerate() {
            a[i * columns + i] = *value;
        }
        let v = |n: usize| -> Vec<f64> { (0..n).map(|i| (i as f64 + 0.3).sin()).collect() };
        let a = transposed(rows, columns, &reflected(&a, &v(columns)));
        transposed(columns, rows, &reflected(&a, &v(rows)))
    }

    fn assert_values(found: &[f64], exact: &[f64], error: f64) {
        assert_eq!(found.len(), exact.len());
        for (found, exact) in found.iter().zip(exact) {
            assert!((found - exact).abs() <= error, "{found} {exact}");
        }
    }

    #[test]
    fn values_of_known_matrices() {
        assert_eq!(singular_values(0, 3, vec![]), [0.0; 0]);
        assert_eq!(singular_values(2, 3, vec![0.0; 6]), [0.0; 2]);
        assert_values(&singular_values(1, 1, vec![-3.0]), &[3.0], 1e-15);
        assert_values(&singular_values(3, 1, vec![2.0, -1.0, 2.0]), &[3.0], 1e-15);
        // σ² of [1 1; 0 1] are (3 ± √5)/2, the squares of the golden ratio and its inverse.
        let golden = 0.5 * (1.0 + 5f64.sqrt());
        let found = singular_values(2, 2, vec![1.0, 1.0, 0.0, 1.0]);
        assert_values(&found, &[golden, 1.0 / golden], 1e-15);
    }

    /// The differences x_i − x_{i+1} with x_{n+1} = 0: σ_j = 2cos(jπ/(2n + 1)).
    #[test]
    fn values_of_differences() {
        for n in [1, 2, 7, 8, 9, 40] {
            let mut a = vec![0.0; n * n];
            for i in 0..n {
                a[i * n + i] = 1.0;
                if i + 1 < n {
                    a[i * n + i + 1] = -1.0;
                }
            }
            let v: Vec<f64> = (0..n).map(|i| (i as f64).cos()).collect();
            let angle = std::f64::consts::PI / (2 * n + 1) as f64;
            let exact: Vec<f64> = (1..=n).map(|j| 2.0 * (j as f64 * angle).cos()).collect();
            let found = singular_values(n, n, reflected(&a, &v));
            assert_values(&found, &exact, 1e-14);
        }
    }

    #[test]
    fn values_of_any_shape() {
        for (rows, columns) in [(3, 3), (10, 4), (4, 10), (33, 32), (1, 5), (17, 50)] {
            let n = rows.min(columns);
            let falling: Vec<f64> = (0..n).map(|i| 5.0 * 0.3f64.powi(i as i32)).collect();
            // The last third of the values is 0.
            let singular: Vec<f64> = (0..n)
                .map(|i| if 3 * i < 2 * n { 2.0 } else { 0.0 })
                .collect();
            for exact in [falling, singular] {
                let a = with_values(rows, columns, &exact);
                assert_values(&singular_values(rows, columns, a.clone()), &exact, 1e-13);
                let large: Vec<f64> = a.iter().map(|x| x * 1e200).collect();
                let large = singular_values(rows, columns, large);
                let back: Vec<f64> = large.iter().map(|x| x / 1e200).collect();
                assert_values(&back, &exact, 1e-13);
            }
        }
    }
}
