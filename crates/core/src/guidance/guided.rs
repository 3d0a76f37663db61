use std::ops::Range;

use fokker_math::prediction::Prediction;
use fokker_math::scheduler::{Coeffs, Scheduler};

use super::perpendicular::Momentum;
use super::rescale::rescale;
use super::weights::Weights;
use super::{Conditional, Guidance, Pair, Rule};
use crate::pullback::of_data;
use crate::{Denoiser, Estimate, State};

/// Guidance by the difference between a model with its condition and without: ũ = (1 − w) u(x|∅) +
/// w u(x|y), or another [`Rule`].
///
/// w = 1 is plain conditional sampling bit for bit, for one call, and so is every w outside of the
/// guidance's interval; w = 0 is unconditional bit for bit (with the rules linear and CFG++). CFG++ at w = 1 takes
/// two calls, for the noise of ∅. A linear combination is the same on every prediction, so it is taken on the model's own.
///
/// Where a rule needs predictions of the data that do not follow (a prediction of noise at α = 0) the
/// combination is linear.
pub struct Guided<C> {
    model: C,
    guidance: Guidance,
    weights: Weights,
    momentum: Momentum,
}

/// A model led away from a bad version of itself (smaller, less trained): D_bad + w (D − D_bad). Source:
/// Karras et al., *Guiding a diffusion model with a bad version of itself*, 2024.
pub type Autoguided<A, B> = Guided<Pair<A, B>>;

impl<A: Denoiser, B: Denoiser> Autoguided<A, B> {
    /// `model` led away from `bad`, of the same scheduler.
    pub fn autoguided(model: A, bad: B, guidance: &Guidance, samples: Range<u64>) -> Self {
        let pair = Pair {
            given: model,
            null: bad,
        };
        Self::new(pair, guidance, samples)
    }
}

impl<C: Conditional> Guided<C> {
    /// Guides `model`, whose rows are the samples of these indices.
    pub fn new(model: C, guidance: &Guidance, samples: Range<u64>) -> Self {
        Self {
            model,
            guidance: guidance.clone(),
            weights: Weights::new(guidance, samples),
            momentum: Momentum::default(),
        }
    }

    /// The one model that answers at time `t` for both, where one is enough.
    fn alone(&self, t: f64) -> Option<&dyn Denoiser> {
        let rule = self.guidance.rule;
        let two = rule == Rule::PlusPlus;
        if !self.guidance.is_on(t) || (self.weights.are(1.0) && !two) {
            return Some(self.model.given());
        }
        (self.weights.are(0.0) && (two || rule == Rule::Linear)).then(|| self.model.null())
    }

    /// The linear combination of two predictions of one kind.
    fn linear(&self, given: Estimate, null: Estimate) -> Estimate {
        let noise = given.noise.zip(null.noise);
        Estimate {
            noise: noise.map(|((given, scale), (null, _))| (self.weights.mix(given, null), scale)),
            ..Estimate::of(self.weights.mix(given.value, null.value), given.prediction)
        }
    }

    fn rescaled(&self, given: Estimate, null: Estimate, phi: f64) -> Estimate {
        let mut guided = self.linear(given.clone(), null);
        guided.value = rescale(guided.value, given.value, phi);
        let noise = guided.noise.zip(given.noise);
        guided.noise = noise.map(|((g, scale), (c, _))| (rescale(g, c, phi), scale));
        guided
    }

    fn perpendicular(
        &self,
        how: [f64; 3],
        t: f64,
        [given, null]: [State; 2],
        noise: Option<(State, f64)>,
    ) -> Estimate {
        let update = self.momentum.update(how, t, &given, null);
        Estimate {
            noise,
            ..Estimate::of(given - self.weights.rest(update), Prediction::Data)
        }
    }
}

impl<C: Conditional> Denoiser for Guided<C> {
    fn scheduler(&self) -> &dyn Scheduler {
        self.model.given().scheduler()
    }

    fn predict(&self, x: State, t: f64) -> Estimate {
        if let Some(model) = self.alone(t) {
            return model.predict(x, t);
        }
        let c = self.scheduler().at(t);
        let both = self.model.both(x.clone(), t);
        let Some([given, null]) = alike(&both, &x, &c) else {
            // No kind that both determine: nothing to lead away from.
            let [given, _] = both;
            return given;
        };
        let data = |estimate: &Estimate| estimate.clone().convert(Prediction::Data, &x, &c);
        match self.guidance.rule {
            Rule::Linear => self.linear(given, null),
            Rule::Rescale { phi } => self.rescaled(given, null, phi),
            Rule::Perpendicular {
                eta,
                norm,
                momentum,
            } => match data(&given).zip(data(&null)) {
                Some((z, without)) => {
                    // A noise that is stated separately is combined as it is.
                    let noise = self.linear(given, null).noise;
                    self.perpendicular([eta, norm, momentum], t, [z, without], noise)
                }
                None => self.linear(given, null),
            },
            Rule::PlusPlus => {
                let guided = self.linear(given, null.clone());
                let noise = null.noise.clone().or_else(|| {
                    let noise = null.convert(Prediction::Noise, &x, &c)?;
                    Some((noise, c.beta))
                });
                match data(&guided).zip(noise) {
                    Some((z, noise)) => Estimate {
                        noise: Some(noise),
                        ..Estimate::of(z, Prediction::Data)
                    },
                    None => guided,
                }
            }
        }
    }

    /// Of the linear rule; `None` for the others.
    fn vjp(&self, x: State, t: f64, v: State) -> Option<(Estimate, State)> {
        if self.guidance.rule != Rule::Linear {
            return None;
        }
        if let Some(model) = self.alone(t) {
            return model.vjp(x, t, v);
        }
        let of = [self.weights.given(v.clone()), self.weights.rest(v)];
        let [(given, g), (null, n)] = self.model.both_vjp(x.clone(), t, of.clone())?;
        if given.prediction == null.prediction {
            return Some((self.linear(given, null), g + n));
        }
        // Two kinds: as data, each a multiple of x and one of its value.
        let c = self.scheduler().at(t);
        let rows = [
            of_data(given.prediction, &c)?,
            of_data(null.prediction, &c)?,
        ];
        let [of_given, of_null] = of;
        let pulled = of_given.mul_scalar(rows[0].0) + g.mul_scalar(rows[0].1);
        let pulled = pulled + of_null.mul_scalar(rows[1].0) + n.mul_scalar(rows[1].1);
        let [given, null] = alike(&[given, null], &x, &c)?;
        Some((self.linear(given, null), pulled))
    }
}

/// Both as predictions of one kind, `None` where there is none that they determine.
fn alike(both: &[Estimate; 2], x: &State, c: &Coeffs) -> Option<[Estimate; 2]> {
    let [given, null] = both;
    if given.prediction == null.prediction {
        return Some(both.clone());
    }
    let kinds = [Prediction::Data, Prediction::Noise, Prediction::Velocity];
    kinds.into_iter().find_map(|kind| {
        let as_kind = |estimate: &Estimate| {
            Some(Estimate {
                noise: estimate.noise.clone(),
                ..Estimate::of(estimate.clone().convert(kind, x, c)?, kind)
            })
        };
        Some([as_kind(given)?, as_kind(null)?])
    })
}
