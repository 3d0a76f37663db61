use burn::tensor::Tensor;

use crate::{Denoiser, Estimate, Model, Network, State};

/// A model that can be asked with its condition and without.
pub trait Conditional {
    /// The model given the condition.
    fn given(&self) -> &dyn Denoiser;

    /// The model without it: given ∅, a negative condition, or simply a worse model.
    fn null(&self) -> &dyn Denoiser;

    /// Both estimates at (x, t), the given one first: in one call where both are one network.
    fn both(&self, x: State, t: f64) -> [Estimate; 2] {
        [
            self.given().predict(x.clone(), t),
            self.null().predict(x, t),
        ]
    }

    /// Both estimates and their pullbacks of `v`; see [`Denoiser::vjp`].
    fn both_vjp(&self, x: State, t: f64, v: [State; 2]) -> Option<[(Estimate, State); 2]> {
        let [given, null] = v;
        Some([
            self.given().vjp(x.clone(), t, given)?,
            self.null().vjp(x, t, null)?,
        ])
    }
}

/// Any two denoisers of one scheduler: two calls.
pub struct Pair<A, B> {
    /// The one given the condition.
    pub given: A,
    /// The one without it.
    pub null: B,
}

impl<A: Denoiser, B: Denoiser> Conditional for Pair<A, B> {
    fn given(&self) -> &dyn Denoiser {
        &self.given
    }

    fn null(&self) -> &dyn Denoiser {
        &self.null
    }
}

/// A class-conditional network, asked for the rows' classes and for ∅ as one batch of twice the size.
pub struct ByClass<'a, N> {
    given: Model<'a, N>,
    null: Model<'a, N>,
    both: Model<'a, N>,
}

impl<'a, N: Network> ByClass<'a, N> {
    /// `model` for rows of these `classes`; `null` is the label of ∅, or a class to lead away from. The
    /// labels are made here, once.
    pub fn new(model: Model<'a, N>, classes: &[u32], null: u32) -> Self {
        let nulls = vec![null; classes.len()];
        Self {
            given: model.clone().given(classes),
            null: model.clone().given(&nulls),
            both: model.given(&[classes, &nulls].concat()),
        }
    }
}

impl<N: Network> Conditional for ByClass<'_, N> {
    fn given(&self) -> &dyn Denoiser {
        &self.given
    }

    fn null(&self) -> &dyn Denoiser {
        &self.null
    }

    fn both(&self, x: State, t: f64) -> [Estimate; 2] {
        split(self.both.predict(twice(x), t))
    }

    fn both_vjp(&self, x: State, t: f64, v: [State; 2]) -> Option<[(Estimate, State); 2]> {
        let (estimate, pulled) = self.both.vjp(twice(x), t, Tensor::cat(v.into(), 0))?;
        let [given, null] = split(estimate);
        let [of_given, of_null] = halves(pulled);
        Some([(given, of_given), (null, of_null)])
    }
}

/// x above x.
fn twice(x: State) -> State {
    Tensor::cat(vec![x.clone(), x], 0)
}

/// The upper and the lower half.
fn halves(x: State) -> [State; 2] {
    let rows = x.dims()[0] / 2;
    [x.clone().narrow(0, 0, rows), x.narrow(0, rows, rows)]
}

fn split(both: Estimate) -> [Estimate; 2] {
    let [given, null] = halves(both.value);
    let [of_given, of_null] = match both.noise {
        Some((noise, scale)) => halves(noise).map(|half| Some((half, scale))),
        None => [None, None],
    };
    let of = |value, noise| Estimate {
        noise,
        ..Estimate::of(value, both.prediction)
    };
    [of(given, of_given), of(null, of_null)]
}
