use std::sync::Arc;

use fokker_math::{prediction::Prediction, scheduler::Scheduler};

/// The Gaussian conditional path p_t(x|z) = N(α_t z, β_t² I), sampled as x = α_t z + β_t ε.
///
/// Pairs are made on the host: data and noise are born there, and one upload per batch is cheaper
/// than a chain of tensor operations. Source: Lipman et al., *Flow matching for generative
/// modeling*, 2023.
#[derive(Clone, Debug)]
pub struct GaussianPath {
    scheduler: Arc<dyn Scheduler>,
}

impl GaussianPath {
    /// The path with the coefficients α_t, β_t of `scheduler`.
    pub fn new(scheduler: Arc<dyn Scheduler>) -> Self {
        Self { scheduler }
    }

    /// The coefficients of this path.
    pub fn scheduler(&self) -> &Arc<dyn Scheduler> {
        &self.scheduler
    }

    /// Turns noise into training inputs and data into regression targets, in place.
    ///
    /// On entry `eps` holds ε and `z` holds data, both `[batch, dim]` row by row with one time per
    /// row in `t`. On return `eps` holds x_t = α z + β ε and `z` the target r₀ z + r₁ ε, where
    /// (r₀, r₁) is the row of `prediction`: for velocity (α̇, β̇), which never divides by β.
    ///
    /// # Panics
    /// If the lengths do not agree.
    pub fn sample(&self, prediction: Prediction, t: &[f64], eps: &mut [f32], z: &mut [f32]) {
        assert_eq!(eps.len(), z.len(), "noise and data must have the same size");
        assert!(
            !t.is_empty() && z.len().is_multiple_of(t.len()),
            "expected [{}, dim] values, got {}",
            t.len(),
            z.len()
        );
        let dim = z.len() / t.len();
        for (i, &t) in t.iter().enumerate() {
            let c = self.scheduler.at(t);
            let row = prediction.row(&c);
            let (alpha, beta) = (c.alpha as f32, c.beta as f32);
            let (r0, r1) = (row[0] as f32, row[1] as f32);
            let span = i * dim..(i + 1) * dim;
            for (eps, z) in eps[span.clone()].iter_mut().zip(&mut z[span]) {
                let (e, data) = (*eps, *z);
                *eps = alpha * data + beta * e;
                *z = r0 * data + r1 * e;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fokker_math::scheduler::{CondOt, SCHEDULERS};

    #[test]
    fn condot_velocity_is_the_straight_line() {
        let path = GaussianPath::new(Arc::new(CondOt));
        let (mut eps, mut z) = (vec![1.0, -2.0], vec![3.0, 4.0]);
        path.sample(Prediction::Velocity, &[0.25], &mut eps, &mut z);
        assert_eq!(eps, [0.25 * 3.0 + 0.75, 0.25 * 4.0 - 0.75 * 2.0]);
        assert_eq!(z, [3.0 - 1.0, 4.0 + 2.0]);
    }

    /// The velocity target is the time derivative of x_t at fixed (z, ε), on every scheduler.
    #[test]
    fn velocity_target_is_the_derivative_of_the_path() {
        for spec in SCHEDULERS {
            let path = GaussianPath::new((spec.make)().into());
            let (t, h) = (0.4, 1e-3);
            let at = |t: f64| {
                let (mut eps, mut z) = (vec![0.7], vec![-1.3]);
                path.sample(Prediction::Velocity, &[t], &mut eps, &mut z);
                (eps[0], z[0])
            };
            let slope = f64::from(at(t + h).0 - at(t - h).0) / (2.0 * h);
            let target = f64::from(at(t).1);
            assert!(
                (slope - target).abs() < 2e-3 * (1.0 + target.abs()),
                "{}: slope {slope}, target {target}",
                spec.name
            );
        }
    }
}
