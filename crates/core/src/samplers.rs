use fokker_math::prediction::Prediction;
use fokker_math::tableau::{self, Tableau};

use crate::{Denoiser, Noise, Span, State};

/// A one-step sampler: moves a state from `span.from` to `span.to`.
pub trait Stepper {
    /// Takes one step; all randomness comes from `noise`.
    fn step(&mut self, model: &dyn Denoiser, x: State, span: Span, noise: &mut dyn Noise) -> State;
}

/// A row of the table of samplers, which help texts, menus and law tests all iterate.
pub struct SamplerSpec {
    /// The name on the command line.
    pub name: &'static str,
    /// What it is, in a few words.
    pub title: &'static str,
    /// Global order of accuracy (strong order for a stochastic sampler with additive noise).
    pub order: u32,
    /// Network calls a step (a guided call counts once).
    pub calls: usize,
    /// Does it draw noise on the way?
    pub stochastic: bool,
    /// Where it comes from.
    pub reference: &'static str,
    /// Makes a fresh sampler.
    pub make: fn() -> Box<dyn Stepper>,
}

macro_rules! runge_kutta {
    ($name:literal, $title:literal, $order:literal, $calls:literal, $tableau:path, $reference:literal) => {
        SamplerSpec {
            name: $name,
            title: $title,
            order: $order,
            calls: $calls,
            stochastic: false,
            reference: $reference,
            make: || Box::new(RungeKutta { tableau: &$tableau }),
        }
    };
}

/// Every sampler. A new one is a line here and, where it is no tableau, a file.
pub const SAMPLERS: &[SamplerSpec] = &[
    runge_kutta!("euler", "Euler", 1, 1, tableau::EULER, "Euler 1768"),
    runge_kutta!(
        "midpoint",
        "explicit midpoint",
        2,
        2,
        tableau::MIDPOINT,
        "Runge 1895"
    ),
    runge_kutta!(
        "heun",
        "Heun (trapezoidal), the sampler of EDM without churn",
        2,
        2,
        tableau::HEUN,
        "Heun 1900; Karras et al. 2022"
    ),
    runge_kutta!(
        "ralston",
        "Ralston, second order with the least error bound",
        2,
        2,
        tableau::RALSTON,
        "Ralston 1962"
    ),
    runge_kutta!(
        "rk3",
        "Kutta, third order",
        3,
        3,
        tableau::RK3,
        "Kutta 1901"
    ),
    runge_kutta!(
        "rk4",
        "the classical Runge–Kutta method",
        4,
        4,
        tableau::RK4,
        "Kutta 1901"
    ),
    SamplerSpec {
        name: "euler-maruyama",
        title: "Euler–Maruyama on the SDE extension with σ_t = β_t",
        order: 1,
        calls: 1,
        stochastic: true,
        reference: "Maruyama 1955; Song et al. 2021",
        make: || Box::new(EulerMaruyama),
    },
];

/// Looks a sampler up by name.
pub fn sampler(name: &str) -> Option<&'static SamplerSpec> {
    SAMPLERS.iter().find(|s| s.name == name)
}

/// Where a prediction is singular at t = 0 (noise prediction, α = 0) the model is asked this much
/// later instead: the marginals differ by less than the step's own error.
const START: f64 = 1e-4;

/// The estimate at the start of a step as each of `kinds`, from one network call.
fn at_start<const K: usize>(
    model: &dyn Denoiser,
    x: &State,
    span: Span,
    kinds: [Prediction; K],
) -> [State; K] {
    let ask = |t: f64| {
        let c = model.scheduler().at(t);
        let estimate = model.predict(x.clone(), t);
        kinds.map(|kind| estimate.clone().convert(kind, x, &c))
    };
    let mut found = ask(span.from);
    if found.iter().any(Option::is_none) {
        found = ask(span.from + START.min(span.to - span.from));
    }
    found.map(|value| value.expect("every prediction determines the others inside (0, 1)"))
}

/// An explicit Runge–Kutta method on dx/dt = u_t(x), from its tableau.
struct RungeKutta {
    tableau: &'static Tableau,
}

impl Stepper for RungeKutta {
    fn step(&mut self, model: &dyn Denoiser, x: State, span: Span, _: &mut dyn Noise) -> State {
        let Tableau { a, b, c, .. } = self.tableau;
        let h = span.to - span.from;
        let [u] = at_start(model, &x, span, [Prediction::Velocity]);
        let mut k = vec![u];
        for i in 1..b.len() {
            let stage = combine(&x, &k, a[i], h);
            match model.velocity(stage, span.from + c[i] * h) {
                Some(u) => k.push(u),
                // A stage at t = 1, where this prediction leaves the velocity open: the step is
                // finished by Euler, as EDM does with its last one.
                None => return combine(&x, &k[..1], &[1.0], h),
            }
        }
        combine(&x, &k, b, h)
    }
}

/// x + h Σ_j w_j k_j, skipping zero weights.
fn combine(x: &State, k: &[State], weights: &[f64], h: f64) -> State {
    weights
        .iter()
        .zip(k)
        .filter(|(w, _)| **w != 0.0)
        .fold(x.clone(), |x, (w, k)| x + k.clone().mul_scalar(h * w))
}

/// dX = [u_t + ½σ_t² ∇log p_t] dt + σ_t dW keeps X_t ~ p_t for every σ_t ≥ 0. Here σ_t = β_t, which
/// vanishes at the data and keeps the drift finite: ½β² ∇log p = −½β ε̂.
struct EulerMaruyama;

impl Stepper for EulerMaruyama {
    fn step(&mut self, model: &dyn Denoiser, x: State, span: Span, noise: &mut dyn Noise) -> State {
        let h = span.to - span.from;
        let sigma = model.scheduler().at(span.from).beta;
        let [u, eps] = at_start(model, &x, span, [Prediction::Velocity, Prediction::Noise]);
        let drift = u - eps.mul_scalar(0.5 * sigma);
        let [rows, dim] = x.dims();
        x + drift.mul_scalar(h) + noise.normal(rows, dim).mul_scalar(sigma * h.sqrt())
    }
}
