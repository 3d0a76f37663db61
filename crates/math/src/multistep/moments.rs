//! Integrals of polynomials beside an exponential.

/// M_k = ∫₀^h e^{κ(s−h)} s^k ds for k < `count`, h of either sign.
///
/// For |κh| ≥ 1 by parts, κM_k = h^k − kM_{k−1}; below that by the series
/// M_k = h^{k+1} Σ_j (−κh)^j k!/(k+1+j)!, for the recurrence cancels.
pub(super) fn moments(count: usize, h: f64, kappa: f64) -> Vec<f64> {
    let z = kappa * h;
    let mut m: Vec<f64> = Vec::with_capacity(count);
    for k in 0..count {
        let next = if z.abs() < 1.0 {
            let mut term = h.powi(k as i32 + 1) / (k + 1) as f64;
            let mut sum = 0.0;
            for j in 1..24 {
                sum += term;
                term *= -z / (k + 1 + j) as f64;
            }
            sum + term
        } else if k == 0 {
            -(-z).exp_m1() / kappa
        } else {
            (h.powi(k as i32) - k as f64 * m[k - 1]) / kappa
        };
        m.push(next);
    }
    m
}

/// The coefficients, constant first, of Lagrange's polynomials ℓ_j with ℓ_j(x_i) = δ_ij.
pub(super) fn polynomials(x: &[f64]) -> Vec<Vec<f64>> {
    (0..x.len())
        .map(|j| {
            let mut p = vec![1.0];
            for (_, &xm) in x.iter().enumerate().filter(|(m, _)| *m != j) {
                // p ← p·(s − x_m)/(x_j − x_m)
                let d = x[j] - xm;
                let mut next = vec![0.0; p.len() + 1];
                for (k, c) in p.iter().enumerate() {
                    next[k] -= c * xm / d;
                    next[k + 1] += c / d;
                }
                p = next;
            }
            p
        })
        .collect()
}
