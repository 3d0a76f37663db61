use fokker_math::tableau::Tableau;

use super::Stepper;
use super::ask::at_start;
use crate::{Denoiser, Noise, Span, State};

/// An explicit Runge–Kutta method on dx/dt = u_t(x), from its tableau.
pub(super) struct RungeKutta {
    tableau: &'static Tableau,
}

impl RungeKutta {
    pub(super) fn boxed(tableau: &'static Tableau) -> Box<dyn Stepper> {
        Box::new(Self { tableau })
    }
}

impl Stepper for RungeKutta {
    fn step(&mut self, model: &dyn Denoiser, x: State, span: Span, _: &mut dyn Noise) -> State {
        let Tableau { a, b, c, .. } = self.tableau;
        let h = span.to - span.from;
        let (_, u) = at_start(model, span, |t| model.velocity(x.clone(), t));
        let mut k = vec![u];
        // The last stage of a FSAL method has no weight: it is the next step's first.
        for i in 1..self.tableau.evaluations() {
            let stage = combine(x.clone(), k.clone(), a[i], h);
            match model.velocity(stage, span.from + c[i] * h) {
                Some(u) => k.push(u),
                // A stage at t = 1, where this prediction leaves the velocity open: the step is
                // finished by Euler, as EDM does with its last one.
                None => return combine(x, k, &[1.0], h),
            }
        }
        combine(x, k, b, h)
    }
}

/// x + h Σ_j w_j k_j, skipping zero weights. What is given away is written over in place where nothing else holds it.
fn combine(x: State, k: Vec<State>, weights: &[f64], h: f64) -> State {
    weights
        .iter()
        .zip(k)
        .filter(|(w, _)| **w != 0.0)
        .fold(x, |x, (w, k)| x + k.mul_scalar(h * w))
}
