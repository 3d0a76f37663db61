//! Methods with stages in σ = β/α, where the flow is d(x/α)/dσ = ε̂: Heun, DPM2 and DPM-Solver++(2S), with and
//! without noise.

use fokker_math::multistep::{Node, ddim_of_data, singlestep_second};

use super::Stepper;
use super::ask::{Known, ask_at_start, ask_inside, combine, node, time_of_sigma};
use super::multistep::apply;
use crate::renoise::{fresh, with_noise};
use crate::{Denoiser, Noise, Span, State};

/// A method of two stages.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Method {
    /// The trapezoidal rule.
    Heun,
    /// The midpoint rule, its midpoint taken in ln σ.
    Midpoint,
    /// DPM-Solver++(2S) with its stage in the middle of the step in λ.
    Dpm,
}

/// From x/α and slopes ε̂ to x′ = α′(x/α + (σ′ − σ) Σ w ε̂).
fn euler(from: Node, to: Node, x: &State, slopes: &[(f64, &State)]) -> State {
    let h = to.alpha * (to.sigma() - from.sigma());
    let terms = slopes.iter().map(|(w, eps)| (h * w, *eps));
    combine(std::iter::once((to.alpha / from.alpha, x)).chain(terms))
}

fn first_order(known: &Known, x: &State, to: Node) -> State {
    apply(&ddim_of_data(known.node, to, 0.0), x, [known])
}

impl Method {
    /// One deterministic step from where `known` was asked to `to`. Of first order from pure noise and to
    /// the data, where σ or λ has no middle.
    fn step(self, model: &dyn Denoiser, x: &State, known: &Known, to: Node, t: f64) -> State {
        let from = known.node;
        if !from.is_inside() || !to.is_inside() {
            return first_order(known, x, to);
        }
        let eps = |known: &Known| known.eps.clone().expect("asked with noise");
        if self == Method::Heun {
            let end = first_order(known, x, to);
            let there = ask_inside(model, &end, t, true);
            return euler(from, to, x, &[(0.5, &eps(known)), (0.5, &eps(&there))]);
        }
        let middle = (from.sigma() * to.sigma()).sqrt();
        let t = time_of_sigma(model, middle);
        let at = node(model, t);
        let there = ask_inside(
            model,
            &first_order(known, x, at),
            t,
            self == Method::Midpoint,
        );
        match self {
            Method::Midpoint => euler(from, to, x, &[(1.0, &eps(&there))]),
            _ => apply(&singlestep_second(from, there.node, to), x, [known, &there]),
        }
    }
}

/// A two-stage method, to the lower noise σ_down that leaves room for η times the ancestral noise:
/// σ_up = ησ′√(1 − σ′²/σ²), σ_down² = σ′² − σ_up².
pub(super) struct TwoStage {
    pub(super) method: Method,
    /// η: 0 solves the ODE.
    pub(super) eta: f64,
}

impl Stepper for TwoStage {
    fn step(&mut self, model: &dyn Denoiser, x: State, span: Span, noise: &mut dyn Noise) -> State {
        let known = ask_at_start(model, &x, span, true);
        let to = node(model, span.to);
        let up = ddim_of_data(known.node, to, self.eta).noise;
        let down = Node {
            alpha: to.alpha,
            beta: (to.beta * to.beta - up * up).max(0.0).sqrt(),
        };
        let t = if up == 0.0 {
            span.to
        } else {
            time_of_sigma(model, down.sigma())
        };
        with_noise(self.method.step(model, &x, &known, down, t), up, noise)
    }
}

/// The sampler of EDM: noise is added up to σ̂ = (1 + γ)σ, γ = min(S_churn/n, √2 − 1) for n steps, then a Heun step in σ.
/// σ̂ is at most the σ at which the path begins. Source: Karras et al. 2022, algorithm 2.
pub(super) struct Churn {
    pub(super) churn: f64,
}

impl Stepper for Churn {
    fn step(&mut self, model: &dyn Denoiser, x: State, span: Span, noise: &mut dyn Noise) -> State {
        let from = node(model, span.from);
        let gamma = (self.churn / span.steps as f64).min(2_f64.sqrt() - 1.0);
        let (mut x, mut span) = (x, span);
        if gamma > 0.0 && from.is_inside() {
            let most = node(model, 0.0).sigma();
            let sigma = ((1.0 + gamma) * from.sigma()).min(most);
            let t = time_of_sigma(model, sigma).min(span.from);
            let at = node(model, t);
            let added = (at.sigma().powi(2) - from.sigma().powi(2)).max(0.0).sqrt();
            x = with_noise(x.mul_scalar(at.alpha / from.alpha), at.alpha * added, noise);
            span.from = t;
        }
        let known = ask_at_start(model, &x, span, true);
        Method::Heun.step(model, &x, &known, node(model, span.to), span.to)
    }
}

/// SDE-DPM-Solver++(2S): an ancestral step to the middle of the step in λ, and the whole step with the mean of both
/// estimates (r = ½: all the weight on the middle one), both driven by the same path of the noise. Source: Lu et al. 2022, as *k-diffusion* runs it.
pub(super) struct SdeTwoStage {
    pub(super) eta: f64,
}

impl Stepper for SdeTwoStage {
    fn step(&mut self, model: &dyn Denoiser, x: State, span: Span, noise: &mut dyn Noise) -> State {
        let known = ask_at_start(model, &x, span, false);
        let (from, to) = (known.node, node(model, span.to));
        let whole = ddim_of_data(from, to, self.eta);
        if !from.is_inside() || !to.is_inside() {
            return with_noise(apply(&whole, &x, [&known]), whole.noise, noise);
        }
        let t = time_of_sigma(model, (from.sigma() * to.sigma()).sqrt());
        let at = node(model, t);
        let half = ddim_of_data(from, at, self.eta);
        if self.eta == 0.0 {
            let there = ask_inside(model, &apply(&half, &x, [&known]), t, false);
            return apply(&whole, &x, [&there]);
        }
        let first = fresh(&x, noise);
        let middle = apply(&half, &x, [&known]) + first.clone().mul_scalar(half.noise);
        let there = ask_inside(model, &middle, t, false);
        // The path's increments over the two parts, in the clock σ.
        let (a, b) = (from.sigma() - at.sigma(), at.sigma() - to.sigma());
        let second = fresh(&x, noise);
        let scale = whole.noise / (a + b).sqrt();
        apply(&whole, &x, [&there])
            + first.mul_scalar(scale * a.sqrt())
            + second.mul_scalar(scale * b.sqrt())
    }
}
