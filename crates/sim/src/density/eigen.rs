//! Eigenvalues of symmetric matrices.

/// The eigenvalues of a symmetric n × n matrix and its eigenvectors, one after another, of length
/// 1: Jacobi's method in cyclic order (Golub & Van Loan, *Matrix computations*, §8.5).
pub(super) fn eigen(n: usize, symmetric: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let mut a = symmetric.to_vec();
    let mut vectors = vec![0.0; n * n];
    vectors.iter_mut().step_by(n + 1).for_each(|v| *v = 1.0);
    // Convergence is quadratic: some ten sweeps in practice.
    for _ in 0..60 {
        let mut rotated = false;
        for p in 0..n {
            for q in p + 1..n {
                let off = a[p * n + q];
                let (app, aqq) = (a[p * n + p], a[q * n + q]);
                if off.abs() <= f64::EPSILON * (app.abs() * aqq.abs()).sqrt() {
                    continue;
                }
                rotated = true;
                // The smaller rotation that makes the entry 0.
                let tau = (aqq - app) / (2.0 * off);
                let t = 1f64.copysign(tau) / (tau.abs() + tau.hypot(1.0));
                let c = 1.0 / t.hypot(1.0);
                let s = t * c;
                for k in 0..n {
                    let (x, y) = (a[k * n + p], a[k * n + q]);
                    (a[k * n + p], a[k * n + q]) = (c * x - s * y, s * x + c * y);
                }
                for k in 0..n {
                    let (x, y) = (a[p * n + k], a[q * n + k]);
                    (a[p * n + k], a[q * n + k]) = (c * x - s * y, s * x + c * y);
                    let (x, y) = (vectors[p * n + k], vectors[q * n + k]);
                    (vectors[p * n + k], vectors[q * n + k]) = (c * x - s * y, s * x + c * y);
                }
                (a[p * n + q], a[q * n + p]) = (0.0, 0.0);
            }
        }
        if !rotated {
            break;
        }
    }
    (a.into_iter().step_by(n + 1).collect(), vectors)
}

#[cfg(test)]
mod tests {
    use super::eigen;

    /// A = QᵀΛQ with the rows of Q orthonormal.
    #[test]
    fn vectors_diagonalise() {
        for n in 1..8 {
            let entry = |i: usize, j: usize| {
                1.0 / (1 + i + j) as f64 + if i == j { 0.01 * i as f64 } else { 0.0 }
            };
            let a: Vec<f64> = (0..n * n).map(|at| entry(at / n, at % n)).collect();
            let (values, q) = eigen(n, &a);
            for i in 0..n {
                for j in 0..n {
                    let back: f64 = (0..n)
                        .map(|k| q[k * n + i] * values[k] * q[k * n + j])
                        .sum();
                    assert!((back - a[i * n + j]).abs() < 1e-14, "{n}: {i}, {j}: {back}");
                    let dot: f64 = (0..n).map(|k| q[i * n + k] * q[j * n + k]).sum();
                    assert!((dot - f64::from(u8::from(i == j))).abs() < 1e-14);
                }
            }
        }
        let values = eigen(2, &[2.0, 1.0, 1.0, 2.0]).0;
        assert!((values[0] - 1.0).abs() + (values[1] - 3.0).abs() < 1e-15);
    }
}
