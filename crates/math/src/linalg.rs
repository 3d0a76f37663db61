//! Dense matrices, row-major.

mod products;
mod semidefinite;
mod singular;

pub use products::add_products;
pub use semidefinite::{SemidefiniteRoot, semidefinite_root};
pub use singular::singular_values;

/// An LU factorisation with partial pivoting, PA = LU.
#[derive(Clone, Debug)]
pub(crate) struct Lu {
    n: usize,
    /// U on and above the diagonal, the multipliers of L below.
    lu: Vec<f64>,
    /// Row i of the factors was this row of A.
    rows: Vec<usize>,
}

impl Lu {
    /// Factorises the n × n matrix `a`, or names the column (from 0) that has no pivot: all zero,
    /// or not finite.
    pub(crate) fn new(n: usize, mut a: Vec<f64>) -> Result<Lu, usize> {
        let mut rows: Vec<usize> = (0..n).collect();
        for k in 0..n {
            let pivot = (k..n)
                .max_by(|&i, &j| a[i * n + k].abs().total_cmp(&a[j * n + k].abs()))
                .unwrap_or(k);
            let value = a[pivot * n + k];
            if value == 0.0 || !value.is_finite() {
                return Err(k);
            }
            if pivot != k {
                rows.swap(k, pivot);
                for j in 0..n {
                    a.swap(k * n + j, pivot * n + j);
                }
            }
            for i in k + 1..n {
                let factor = a[i * n + k] / value;
                a[i * n + k] = factor;
                for j in k + 1..n {
                    a[i * n + j] -= factor * a[k * n + j];
                }
            }
        }
        Ok(Lu { n, lu: a, rows })
    }

    /// A⁻¹b.
    pub(crate) fn solve(&self, b: &[f64]) -> Vec<f64> {
        let row = |i: usize| &self.lu[i * self.n..(i + 1) * self.n];
        let mut x: Vec<f64> = self.rows.iter().map(|&i| b[i]).collect();
        for i in 0..self.n {
            x[i] -= dot(&row(i)[..i], &x[..i]);
        }
        for i in (0..self.n).rev() {
            x[i] = (x[i] - dot(&row(i)[i + 1..], &x[i + 1..])) / row(i)[i];
        }
        x
    }
}

/// aᵀb.
pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The first leading minor of a symmetric matrix that is not positive.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct NotPositive {
    /// The size of the leading block, from 1.
    pub(crate) order: usize,
    /// Its determinant.
    pub(crate) minor: f64,
}

/// The lower triangular L of A = LLᵀ, with zeros above the diagonal; reads A's lower triangle.
/// A pivot that is only rounding errors of its diagonal entry counts as 0.
pub(crate) fn cholesky(n: usize, a: &[f64]) -> Result<Vec<f64>, NotPositive> {
    let mut l = vec![0.0; n * n];
    let mut minor = 1.0;
    for i in 0..n {
        for j in 0..=i {
            let rest = a[i * n + j] - dot(&l[i * n..i * n + j], &l[j * n..j * n + j]);
            if i != j {
                l[i * n + j] = rest / l[j * n + j];
                continue;
            }
            minor *= rest;
            if rest.is_nan() || rest <= n as f64 * f64::EPSILON * a[i * n + i] {
                return Err(NotPositive {
                    order: i + 1,
                    minor,
                });
            }
            l[i * n + i] = rest.sqrt();
        }
    }
    Ok(l)
}

/// x ← L⁻¹x.
pub(crate) fn forward(n: usize, l: &[f64], x: &mut [f64]) {
    for i in 0..n {
        x[i] = (x[i] - dot(&l[i * n..i * n + i], &x[..i])) / l[i * n + i];
    }
}

/// x ← L⁻ᵀx.
pub(crate) fn backward(n: usize, l: &[f64], x: &mut [f64]) {
    for i in (0..n).rev() {
        let sum: f64 = (i + 1..n).map(|j| l[j * n + i] * x[j]).sum();
        x[i] = (x[i] - sum) / l[i * n + i];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A Hilbert-like matrix that needs pivoting: its first entry is 0.
    fn matrix(n: usize) -> Vec<f64> {
        (0..n * n)
            .map(|e| (e / n, e % n))
            .map(|(i, j)| {
                if i + j == 0 {
                    0.0
                } else {
                    1.0 / (1 + i + 2 * j) as f64
                }
            })
            .collect()
    }

    #[test]
    fn lu_solves() {
        for n in 1..6 {
            let a: Vec<f64> = if n == 1 { vec![3.0] } else { matrix(n) };
            let x: Vec<f64> = (0..n).map(|i| 1.0 - i as f64).collect();
            let b: Vec<f64> = a.chunks(n).map(|row| dot(row, &x)).collect();
            let found = Lu::new(n, a).unwrap().solve(&b);
            assert!(
                x.iter().zip(&found).all(|(x, y)| (x - y).abs() < 1e-9),
                "{found:?}"
            );
        }
        assert_eq!(Lu::new(2, vec![1.0, 2.0, 2.0, 4.0]).unwrap_err(), 1);
        assert_eq!(Lu::new(1, vec![f64::NAN]).unwrap_err(), 0);
    }

    #[test]
    fn cholesky_factors_and_solves() {
        let l = cholesky(2, &[4.0, 9.0, 2.0, 10.0]).unwrap(); // 9.0 is above the diagonal: not read
        assert_eq!(l, [2.0, 0.0, 1.0, 3.0]);
        let mut x = [2.0, 7.0];
        forward(2, &l, &mut x);
        assert_eq!(x, [1.0, 2.0]);
        backward(2, &l, &mut x);
        assert_eq!(x, [(1.0 - 2.0 / 3.0) / 2.0, 2.0 / 3.0]);
        let minor = |a: &[f64]| cholesky(2, a).unwrap_err();
        assert_eq!(
            minor(&[1.0, 2.0, 2.0, 3.0]),
            NotPositive {
                order: 2,
                minor: -1.0
            }
        );
        assert_eq!(minor(&[0.01, 0.03, 0.03, 0.09]).order, 2); // singular but for rounding
    }
}
