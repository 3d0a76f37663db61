use std::sync::Arc;

use fokker_math::interpolant::Interpolant;
use fokker_math::scheduler::{Coeffs, Scheduler};
use fokker_math::weight::LossWeight;

use crate::Parametrization;

/// A probability path from p_init to p_data: x_t = α_t x₁ + β_t x₀ + γ_t ε.
///
/// | path | x₀ | γ |
/// |---|---|---|
/// | [`gaussian`](Self::gaussian) | noise, N(0, I) | 0 |
/// | [`between`](Self::between) two data sets | a data set | 0, or noise of its own: a bridge |
///
/// Its velocity is u_t(x) = E\[α̇x₁ + β̇x₀ + γ̇ε | x_t = x\]. Pairs are made on the host: data and noise
/// are born there, and one upload per batch is cheaper than a chain of tensor operations. Sources:
/// Lipman et al., *Flow matching for generative modeling*, 2023; Albergo et al., *Stochastic
/// interpolants*, 2023; Tong et al., *Improving and generalizing flow-based generative models with
/// minibatch optimal transport*, 2024.
#[derive(Clone, Debug)]
pub struct ProbabilityPath {
    scheduler: Arc<dyn Scheduler>,
    interpolant: Option<Arc<dyn Interpolant>>,
}

/// The weights of x_t = α x₁ + β x₀ + γ ε at one time, and their derivatives.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PathCoeffs {
    /// α, β and their derivatives.
    pub ends: Coeffs,
    /// γ.
    pub gamma: f64,
    /// γ̇, infinite at the ends of a bridge.
    pub d_gamma: f64,
    /// Is x₀ standard normal noise?
    pub gaussian: bool,
}

impl PathCoeffs {
    /// The standard deviation of the Gaussian noise in x_t: β, or γ between data sets.
    pub fn noise_scale(&self) -> f64 {
        if self.gaussian {
            self.ends.beta
        } else {
            self.gamma
        }
    }
}

/// A batch of training examples on the host, row by row.
#[derive(Clone, Debug, PartialEq)]
pub struct Examples {
    /// What goes into the network, `[batch, dim]`.
    pub x: Vec<f32>,
    /// What it is told as time, `[batch]`.
    pub t: Vec<f32>,
    /// What it should put out, `[batch, outputs·dim]`.
    pub target: Vec<f32>,
    /// The weight of every row's squared error, `[batch]`; `None`: all 1.
    pub weight: Option<Vec<f32>>,
}

/// The α and β of an interpolant, as a scheduler: what a deterministic interpolant says of x₁ and x₀
/// converts like data and noise.
#[derive(Debug)]
struct Ends(Arc<dyn Interpolant>);

impl Scheduler for Ends {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn at(&self, t: f64) -> Coeffs {
        let c = self.0.at(t);
        Coeffs {
            alpha: c.b,
            beta: c.a,
            d_alpha: c.d_b,
            d_beta: c.d_a,
        }
    }
}

impl ProbabilityPath {
    /// The Gaussian conditional path p_t(x|z) = N(α_t z, β_t² I) with the coefficients of `scheduler`.
    pub fn gaussian(scheduler: Arc<dyn Scheduler>) -> Self {
        Self {
            scheduler,
            interpolant: None,
        }
    }

    /// The path between the rows of two data sets.
    pub fn between(interpolant: Arc<dyn Interpolant>) -> Self {
        Self {
            scheduler: Arc::new(Ends(interpolant.clone())),
            interpolant: Some(interpolant),
        }
    }

    /// The weights α of the data and β of the start.
    pub fn scheduler(&self) -> &Arc<dyn Scheduler> {
        &self.scheduler
    }

    /// Does it start at noise?
    pub fn is_gaussian(&self) -> bool {
        self.interpolant.is_none()
    }

    /// Does it carry noise of its own (γ ≠ 0)?
    pub fn is_noisy(&self) -> bool {
        self.at(0.5).gamma != 0.0
    }

    /// All weights at time `t`.
    pub fn at(&self, t: f64) -> PathCoeffs {
        let ends = self.scheduler.at(t);
        let own = self.interpolant.as_ref().map(|i| i.at(t));
        PathCoeffs {
            ends,
            gamma: own.map_or(0.0, |c| c.gamma),
            d_gamma: own.map_or(0.0, |c| c.d_gamma),
            gaussian: own.is_none(),
        }
    }

    /// Training examples from pairs (x₀, x₁), `[batch, dim]` row by row, with one time per row in `t`;
    /// `eps` is the path's own noise, empty where it has none. The velocity's target never divides by β.
    ///
    /// # Panics
    /// If the lengths do not agree.
    pub fn sample(
        &self,
        what: &Parametrization,
        weight: &LossWeight,
        t: &[f64],
        [x0, x1, eps]: [&[f32]; 3],
    ) -> Examples {
        assert_eq!(x0.len(), x1.len(), "start and data must have the same size");
        assert!(
            !t.is_empty() && x1.len().is_multiple_of(t.len()),
            "expected [{}, dim] values, got {}",
            t.len(),
            x1.len()
        );
        let noisy = self.is_noisy();
        assert!(
            !noisy || eps.len() == x1.len(),
            "this path needs its own noise"
        );
        let dim = x1.len() / t.len();
        let outputs = what.outputs();
        let uniform = *weight == LossWeight::Uniform;
        let mut examples = Examples {
            x: vec![0.0; x1.len()],
            t: Vec::with_capacity(t.len()),
            target: vec![0.0; x1.len() * outputs],
            weight: (!uniform).then(|| Vec::with_capacity(t.len())),
        };
        for (i, &t) in t.iter().enumerate() {
            let at = self.at(t);
            let span = i * dim..(i + 1) * dim;
            let rows = [
                &x1[span.clone()],
                &x0[span.clone()],
                if noisy { &eps[span.clone()] } else { &[] },
            ];
            let c_in = what.input_scale(&at);
            let mix = [at.ends.alpha, at.ends.beta, at.gamma].map(|w| w * c_in);
            combine(mix, rows, &mut examples.x[span]);
            let (first, second) = what.rows(&at);
            let mut target = examples.target[i * outputs * dim..].chunks_exact_mut(dim);
            for row in [Some(first), second].into_iter().flatten() {
                combine(row, rows, target.next().expect("as many as outputs"));
            }
            examples.t.push(what.input_time(&at, t) as f32);
            if let Some(weights) = &mut examples.weight {
                let [r1, r0, _] = first;
                weights.push(weight.on([r1, r0], &at.ends) as f32);
            }
        }
        examples
    }
}

/// out = w₀ x₁ + w₁ x₀ + w₂ ε; an empty ε is 0.
fn combine(w: [f64; 3], [x1, x0, eps]: [&[f32]; 3], out: &mut [f32]) {
    let [w1, w0, w2] = w.map(|w| w as f32);
    for ((out, x1), x0) in out.iter_mut().zip(x1).zip(x0) {
        *out = w1 * x1 + w0 * x0;
    }
    for (out, eps) in out.iter_mut().zip(eps) {
        *out += w2 * eps;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fokker_math::interpolant::INTERPOLANTS;
    use fokker_math::prediction::Prediction;
    use fokker_math::scheduler::{CondOt, SCHEDULERS};

    const VELOCITY: Parametrization = Parametrization::Plain(Prediction::Velocity);

    #[test]
    fn condot_velocity_is_the_straight_line() {
        let path = ProbabilityPath::gaussian(Arc::new(CondOt));
        let pair: [&[f32]; 3] = [&[1.0, -2.0], &[3.0, 4.0], &[]];
        let batch = path.sample(&VELOCITY, &LossWeight::Uniform, &[0.25], pair);
        assert_eq!(batch.x, [0.25 * 3.0 + 0.75, 0.25 * 4.0 - 0.75 * 2.0]);
        assert_eq!(batch.target, [3.0 - 1.0, 4.0 + 2.0]);
        assert_eq!(batch.weight, None);
    }

    /// The velocity target is the time derivative of x_t at fixed (x₀, x₁, ε), on every path.
    #[test]
    fn velocity_target_is_the_derivative_of_the_path() {
        let gaussian = SCHEDULERS
            .iter()
            .map(|s| ProbabilityPath::gaussian((s.make)().into()));
        let between = INTERPOLANTS
            .iter()
            .map(|s| ProbabilityPath::between((s.make)().into()));
        for path in gaussian.chain(between) {
            let (t, h) = (0.4, 1e-3);
            let at = |t: f64| {
                let rows: [&[f32]; 3] = [&[0.7], &[-1.3], &[0.4]];
                let batch = path.sample(&VELOCITY, &LossWeight::Uniform, &[t], rows);
                (batch.x[0], batch.target[0])
            };
            let slope = f64::from(at(t + h).0 - at(t - h).0) / (2.0 * h);
            let target = f64::from(at(t).1);
            assert!(
                (slope - target).abs() < 3e-3 * (1.0 + target.abs()),
                "{path:?}: slope {slope}, target {target}"
            );
        }
    }

    /// The second half of a joint target is the noise that the score is made of.
    #[test]
    fn the_joint_target_holds_the_noise() {
        for spec in INTERPOLANTS {
            let path = ProbabilityPath::between((spec.make)().into());
            if !path.is_noisy() {
                continue; // no noise, no score
            }
            let rows: [&[f32]; 3] = [&[0.7, 0.1], &[-1.3, 0.2], &[0.4, -0.6]];
            let joint = Parametrization::VelocityAndNoise;
            let batch = path.sample(&joint, &LossWeight::Uniform, &[0.3], rows);
            assert_eq!(batch.target[2..], [0.4, -0.6], "{}", spec.name);
        }
        let path = ProbabilityPath::gaussian(Arc::new(CondOt));
        let joint = Parametrization::VelocityAndNoise;
        let batch = path.sample(&joint, &LossWeight::Uniform, &[0.3], [&[0.7], &[-1.3], &[]]);
        assert_eq!(batch.target, [-1.3 - 0.7, 0.7]);
    }
}
