use fokker_math::diffusion::Diffusion;
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
    /// Makes a fresh sampler; a stochastic one with this σ_t.
    pub make: fn(Diffusion) -> Box<dyn Stepper>,
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
            make: |_| Box::new(RungeKutta { tableau: &$tableau }),
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
        title: "Euler–Maruyama on the SDE extension, any σ_t",
        order: 1,
        calls: 1,
        stochastic: true,
        reference: "Maruyama 1955; Song et al. 2021",
        make: |diffusion| Box::new(EulerMaruyama { diffusion }),
    },
];

/// Looks a sampler up by name.
pub fn sampler(name: &str) -> Option<&'static SamplerSpec> {
    SAMPLERS.iter().find(|s| s.name == name)
}

/// Where a prediction is singular at t = 0 (noise prediction, α = 0) the model is asked at this β/α
/// instead, the noise at which EDM begins: the velocity of a predicted noise has its error times β/α.
const NOISIEST: f64 = 80.0;

/// What `ask` answers at the start of a step, or a little later where it is singular there.
fn at_start<T>(model: &dyn Denoiser, span: Span, ask: impl Fn(f64) -> Option<T>) -> (f64, T) {
    let begin = || model.scheduler().time_of_log_snr(-2.0 * NOISIEST.ln());
    let inside = |t: f64| t.max(span.from + 1e-4 * (span.to - span.from)).min(span.to);
    let now = ask(span.from).map(|answer| (span.from, answer));
    now.or_else(|| {
        let later = inside(begin());
        Some((later, ask(later)?))
    })
    .expect("every prediction determines the others inside (0, 1)")
}

/// An explicit Runge–Kutta method on dx/dt = u_t(x), from its tableau.
struct RungeKutta {
    tableau: &'static Tableau,
}

impl Stepper for RungeKutta {
    fn step(&mut self, model: &dyn Denoiser, x: State, span: Span, _: &mut dyn Noise) -> State {
        let Tableau { a, b, c, .. } = self.tableau;
        let h = span.to - span.from;
        let (_, u) = at_start(model, span, |t| model.velocity(x.clone(), t));
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

/// dX = [u_t + ½σ_t² ∇log p_t] dt + σ_t dW keeps X_t ~ p_t for every σ_t ≥ 0. With the score as −ε̂/β
/// the drift is u − ½(σ²/β) ε̂.
struct EulerMaruyama {
    diffusion: Diffusion,
}

/// The largest ½σ²h/(ββ′) that a step from β to β′ takes. In one step the noise in x is multiplied by 1
/// minus about this; a larger one overshoots. With β′ = 0 at the data the last step adds no noise, which
/// nothing after it would take out again.
const RESOLVED: f64 = 0.25;

impl Stepper for EulerMaruyama {
    /// Where a step is too long for σ_t it takes the largest σ that it resolves: every σ keeps the law, up to
    /// the error of the step.
    fn step(&mut self, model: &dyn Denoiser, x: State, span: Span, noise: &mut dyn Noise) -> State {
        let h = span.to - span.from;
        let (t, (u, eps, scale)) = at_start(model, span, |t| {
            let known = model.velocity_and_noise(x.clone(), t)?;
            (known.2 > 0.0).then_some(known)
        });
        let c = model.scheduler().at(t);
        let left = model.scheduler().at(span.to).beta / c.beta;
        let most = scale * (2.0 * RESOLVED * left / h).sqrt();
        let sigma = self.diffusion.sigma(t, &c, scale).min(most);
        let drift = u - eps.mul_scalar(0.5 * sigma * sigma / scale);
        let [rows, dim] = x.dims();
        x + drift.mul_scalar(h) + noise.normal(rows, dim).mul_scalar(sigma * h.sqrt())
    }
}
