//! Averages of weights by a power function of time, on paper (Karras et al., *Analyzing and improving the training
//! dynamics of diffusion models*, 2024, arXiv:2312.02696, section 3 and appendix C).
//!
//! The average at step T gives the weights of step τ the density p(τ) = (γ + 1) τ^γ / T^(γ+1) on [0, T]; its standard
//! deviation is σ_rel·T.

/// An average: its exponent γ, and the step T at which it stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Profile {
    /// γ ≥ 0.
    pub gamma: f64,
    /// T > 0.
    pub step: f64,
}

/// σ_rel of the exponent γ: σ² = (γ + 1) / ((γ + 2)² (γ + 3)).
pub fn relative_width(gamma: f64) -> f64 {
    ((gamma + 1.0) / (gamma + 3.0)).sqrt() / (gamma + 2.0)
}

/// The exponent γ of a relative width in (0, 1/√12].
///
/// # Panics
/// Where the width is outside.
pub fn exponent(sigma: f64) -> f64 {
    let widest = 1.0 / 12_f64.sqrt();
    assert!(
        sigma > 0.0 && sigma <= widest,
        "exponent: expected a width in (0, {widest:.4}], got {sigma}"
    );
    // The width falls with γ, and stays below 1/γ.
    let (mut low, mut high) = (0.0, 1.0 / sigma);
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        if relative_width(middle) > sigma {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
}

/// The decay β of step `step` (counted from 1): average ← β·average + (1 − β)·weights. β = (1 − 1/step)^(γ+1), with which
/// step k of T has the weight that the profile gives to (k − 1, k].
pub fn decay(gamma: f64, step: u64) -> f64 {
    (1.0 - 1.0 / step as f64).powf(gamma + 1.0)
}

impl Profile {
    /// ∫ p q dτ.
    pub fn inner(&self, other: &Self) -> f64 {
        let (early, late) = match self.step <= other.step {
            true => (self, other),
            false => (other, self),
        };
        let (a, b) = (early.gamma, late.gamma);
        (a + 1.0) * (b + 1.0) / (a + b + 1.0) * (early.step / late.step).powf(b) / late.step
    }

    /// √∫ p² dτ.
    pub fn norm(&self) -> f64 {
        self.inner(self).sqrt()
    }
}

/// A profile put together from others.
#[derive(Clone, Debug, PartialEq)]
pub struct Combination {
    /// The factor of each; their sum is 1.
    pub factors: Vec<f64>,
    /// ‖target − Σ factor·profile‖ / ‖target‖.
    pub error: f64,
}

/// Added to the diagonal of profiles of length 1, which may be as good as parallel.
const RIDGE: f64 = 1e-10;

/// The combination of `stored` nearest to `target` in ∫ (p − q)² dτ, of those with factors that sum to 1, so that weights
/// which never change are kept. `None` where nothing is stored.
pub fn combine(target: &Profile, stored: &[Profile]) -> Option<Combination> {
    let n = stored.len();
    if n == 0 {
        return None;
    }
    let norms: Vec<f64> = stored.iter().map(Profile::norm).collect();
    let gram: Vec<Vec<f64>> = (0..n)
        .map(|i| {
            let row = (0..n).map(|j| stored[i].inner(&stored[j]) / (norms[i] * norms[j]));
            row.collect()
        })
        .collect();
    let aims: Vec<f64> = (0..n).map(|i| stored[i].inner(target) / norms[i]).collect();
    let ones: Vec<f64> = norms.iter().map(|norm| 1.0 / norm).collect();
    let factor = cholesky(&gram);
    let [free, shift] = [&aims, &ones].map(|b| solve(&factor, b));
    // A multiplier holds the sum.
    let excess = (dot(&ones, &free) - 1.0) / dot(&ones, &shift);
    let y: Vec<f64> = (0..n).map(|i| free[i] - excess * shift[i]).collect();
    let own: Vec<f64> = gram.iter().map(|row| dot(row, &y)).collect();
    let whole = target.inner(target);
    let missed = (whole - 2.0 * dot(&y, &aims) + dot(&y, &own)).max(0.0);
    Some(Combination {
        factors: (0..n).map(|i| y[i] / norms[i]).collect(),
        error: (missed / whole).sqrt(),
    })
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The lower triangle L of L Lᵀ = a + RIDGE.
fn cholesky(a: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let mut l: Vec<Vec<f64>> = Vec::with_capacity(a.len());
    for (i, row) in a.iter().enumerate() {
        let mut new: Vec<f64> = Vec::with_capacity(i + 1);
        for j in 0..i {
            new.push((row[j] - dot(&new[..j], &l[j][..j])) / l[j][j]);
        }
        // Rounding may eat what the ridge adds.
        let rest = row[i] + RIDGE - dot(&new, &new);
        new.push(rest.max(0.1 * RIDGE).sqrt());
        l.push(new);
    }
    l
}

fn solve(l: &[Vec<f64>], b: &[f64]) -> Vec<f64> {
    let n = b.len();
    let mut x: Vec<f64> = Vec::with_capacity(n);
    for i in 0..n {
        x.push((b[i] - dot(&l[i][..i], &x)) / l[i][i]);
    }
    for i in (0..n).rev() {
        let below: f64 = (i + 1..n).map(|j| l[j][i] * x[j]).sum();
        x[i] = (x[i] - below) / l[i][i];
    }
    x
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The exponents that the paper names (section 3.1).
    #[test]
    fn widths_are_those_of_the_paper() {
        for (sigma, gamma) in [(0.05, 16.97), (0.10, 6.94)] {
            assert!((exponent(sigma) - gamma).abs() < 0.005, "{sigma}");
        }
        for gamma in [0.0, 0.5, 3.0, 40.0, 900.0] {
            let back = exponent(relative_width(gamma));
            assert!(
                (back - gamma).abs() < 1e-9 * (1.0 + gamma),
                "{gamma}: {back}"
            );
        }
        // γ = 0 is the plain mean, of a uniform density.
        assert!((relative_width(0.0) - 1.0 / 12_f64.sqrt()).abs() < 1e-15);
    }

    /// Averaging step by step gives each step the weight that its profile says.
    #[test]
    fn decays_make_the_profile() {
        let (gamma, last) = (5.5, 40_u64);
        let mut weights = vec![0.0; last as usize];
        for k in 1..=last {
            let beta = decay(gamma, k);
            weights.iter_mut().for_each(|w| *w *= beta);
            weights[k as usize - 1] += 1.0 - beta;
        }
        for (k, w) in (1..).zip(weights) {
            let share = |k: u64| (k as f64 / last as f64).powf(gamma + 1.0);
            assert!((w - (share(k) - share(k - 1))).abs() < 1e-12, "step {k}");
        }
    }

    /// The closed form of ∫ p q against sums over fine slices.
    #[test]
    fn inner_products_are_integrals() {
        let density = |p: &Profile, t: f64| match t <= p.step {
            true => (p.gamma + 1.0) * (t / p.step).powf(p.gamma) / p.step,
            false => 0.0,
        };
        let make = |gamma, step| Profile { gamma, step };
        for (p, q) in [
            (make(7.0, 100.0), make(17.0, 100.0)),
            (make(7.0, 60.0), make(17.0, 100.0)),
            (make(7.0, 100.0), make(2.5, 30.0)),
        ] {
            let n = 400_000;
            let sum: f64 = (0..n)
                .map(|i| 100.0 * (f64::from(i) + 0.5) / f64::from(n))
                .map(|t| density(&p, t) * density(&q, t))
                .sum();
            let want = sum * 100.0 / f64::from(n);
            assert!((p.inner(&q) / want - 1.0).abs() < 1e-4);
            assert_eq!(p.inner(&q), q.inner(&p));
        }
    }

    fn snapshots(sigmas: &[f64], every: usize, last: usize) -> Vec<Profile> {
        let steps = (every..=last).step_by(every);
        steps
            .flat_map(|step| {
                sigmas.iter().map(move |s| Profile {
                    gamma: exponent(*s),
                    step: step as f64,
                })
            })
            .collect()
    }

    #[test]
    fn a_stored_profile_is_itself() {
        let stored = snapshots(&[0.05, 0.1], 100, 1000);
        for (i, target) in stored.iter().enumerate() {
            let found = combine(target, &stored).unwrap();
            assert!(found.error < 1e-6, "{i}: {}", found.error);
            for (j, x) in found.factors.iter().enumerate() {
                let want = if i == j { 1.0 } else { 0.0 };
                assert!((x - want).abs() < 1e-4, "{i}, {j}: {x}");
            }
        }
    }

    /// Between stored widths the error is small, and smaller with more snapshots; factors sum to 1.
    #[test]
    fn others_are_met_the_better_the_more_is_stored() {
        let target = Profile {
            gamma: exponent(0.075),
            step: 1000.0,
        };
        let errors: Vec<f64> = [500, 250, 125, 50]
            .map(|every| {
                let found = combine(&target, &snapshots(&[0.05, 0.1], every, 1000)).unwrap();
                assert!((found.factors.iter().sum::<f64>() - 1.0).abs() < 1e-9);
                found.error
            })
            .to_vec();
        assert!(errors.windows(2).all(|e| e[1] < e[0]), "{errors:?}");
        assert!(errors[3] < 0.01, "{errors:?}");
        assert!(combine(&target, &[]).is_none());
    }
}
