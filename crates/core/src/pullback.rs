//! Derivatives of a model's expected data, and what a change of the score does to its predictions.

use fokker_math::prediction::{self, Prediction};
use fokker_math::scheduler::Coeffs;

use crate::{Denoiser, Estimate, State};

/// The pair (a, b) with D = a x + b value, where `kind` determines the data.
pub(crate) fn of_data(kind: Prediction, c: &Coeffs) -> Option<(f64, f64)> {
    prediction::convert(kind, Prediction::Data, c)
}

/// D(x) and vᵀ ∂D/∂x; `None` where the model has no derivatives or its prediction leaves the data open.
pub(crate) fn data_vjp(model: &dyn Denoiser, x: State, t: f64, v: State) -> Option<(State, State)> {
    let (estimate, pulled) = model.vjp(x.clone(), t, v.clone())?;
    let (a, b) = of_data(estimate.prediction, &model.scheduler().at(t))?;
    let z = x.mul_scalar(a) + estimate.value.mul_scalar(b);
    Some((z, v.mul_scalar(a) + pulled.mul_scalar(b)))
}

/// The estimate after `g` is added to the score.
///
/// ε̂ gains −βg and the data β²/α g, so the combination p₀z + p₁ε gains (p₀β − p₁α)β/α g. Where that is not
/// finite (α = 0, the kind is not of the noise alone) the answer is a prediction of the noise.
pub(crate) fn with_score(estimate: Estimate, x: &State, c: &Coeffs, g: State) -> Estimate {
    let noise = estimate.noise.clone().map(|(eps, scale)| {
        let less = g.clone().mul_scalar(scale);
        (eps - less, scale)
    });
    let [p0, p1] = estimate.prediction.row(c);
    let factor = match p0 == 0.0 {
        true => -p1 * c.beta,
        false => (p0 * c.beta - p1 * c.alpha) * c.beta / c.alpha,
    };
    if factor.is_finite() {
        let value = estimate.value + g.mul_scalar(factor);
        return Estimate {
            noise,
            ..Estimate::of(value, estimate.prediction)
        };
    }
    match estimate.clone().convert(Prediction::Noise, x, c) {
        Some(eps) => Estimate {
            noise,
            ..Estimate::of(eps - g.mul_scalar(c.beta), Prediction::Noise)
        },
        None => estimate,
    }
}
