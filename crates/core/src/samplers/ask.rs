//! What samplers ask of a model, also where its prediction says nothing.

use fokker_math::multistep::Node;

use crate::{Denoiser, Span, State};

/// Where a prediction is singular at t = 0 (noise prediction, α = 0) the model is asked at this β/α
/// instead, the noise at which EDM begins: the velocity of a predicted noise has its error times β/α.
const NOISIEST: f64 = 80.0;

/// What `ask` answers at the start of a step, or a little later where it is singular there.
pub(super) fn at_start<T>(
    model: &dyn Denoiser,
    span: Span,
    ask: impl Fn(f64) -> Option<T>,
) -> (f64, T) {
    let begin = || model.scheduler().time_of_log_snr(-2.0 * NOISIEST.ln());
    let inside = |t: f64| t.max(span.from + 1e-4 * (span.to - span.from)).min(span.to);
    let now = ask(span.from).map(|answer| (span.from, answer));
    now.or_else(|| {
        let later = inside(begin());
        Some((later, ask(later)?))
    })
    .expect("every prediction determines the others inside (0, 1)")
}

/// The weights of the model's path at `t`.
pub(super) fn node(model: &dyn Denoiser, t: f64) -> Node {
    let c = model.scheduler().at(t);
    Node {
        alpha: c.alpha,
        beta: c.beta,
    }
}

/// The time at which the model's path has the noise-to-signal ratio `sigma`, within the span.
pub(super) fn time_of_sigma(model: &dyn Denoiser, sigma: f64) -> f64 {
    model.scheduler().time_of_log_snr(-2.0 * sigma.ln())
}

/// What a model says about one state.
#[derive(Clone)]
pub(super) struct Known {
    /// Where it was asked.
    pub(super) node: Node,
    /// The expected data D.
    pub(super) data: State,
    /// The expected noise ε̂, where it was asked for or the model says it separately.
    pub(super) eps: Option<State>,
}

/// D and, if `with_noise`, ε̂ at a time inside the path; `None` where the prediction does not determine them.
pub(super) fn ask(model: &dyn Denoiser, x: &State, t: f64, with_noise: bool) -> Option<Known> {
    use fokker_math::prediction::Prediction;
    let c = model.scheduler().at(t);
    let mut estimate = model.predict(x.clone(), t);
    let separate = estimate.noise.take().map(|(eps, _)| eps);
    let eps = match separate {
        None if with_noise => Some(estimate.clone().convert(Prediction::Noise, x, &c)?),
        separate => separate,
    };
    let data = estimate.convert(Prediction::Data, x, &c)?;
    let node = Node {
        alpha: c.alpha,
        beta: c.beta,
    };
    Some(Known { node, data, eps })
}

/// The same at the start of a step.
pub(super) fn ask_at_start(model: &dyn Denoiser, x: &State, span: Span, with_noise: bool) -> Known {
    at_start(model, span, |t| ask(model, x, t, with_noise)).1
}

/// The same at a time strictly inside the path.
pub(super) fn ask_inside(model: &dyn Denoiser, x: &State, t: f64, with_noise: bool) -> Known {
    ask(model, x, t, with_noise).expect("every prediction determines the others inside (0, 1)")
}

/// Σ w·y, skipping zero weights; zeros of x's shape where there are none.
pub(super) fn combine<'a>(terms: impl IntoIterator<Item = (f64, &'a State)>) -> State {
    let mut sum: Option<State> = None;
    let mut shape: Option<&State> = None;
    for (w, y) in terms {
        shape = Some(y);
        if w == 0.0 {
            continue;
        }
        let term = if w == 1.0 {
            y.clone()
        } else {
            y.clone().mul_scalar(w)
        };
        sum = Some(match sum {
            None => term,
            Some(sum) => sum + term,
        });
    }
    sum.unwrap_or_else(|| shape.expect("at least one term").zeros_like())
}
