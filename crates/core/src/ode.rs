use std::ops::ControlFlow;

use fokker_math::prediction::{Prediction, convert};
use fokker_math::tableau::{DORMAND_PRINCE, Tableau};

use crate::adaptive::{Adaptive, AdaptiveError, Watch, along, finest};
use crate::{Denoiser, State};

/// How the ordinary equation dx/dt = u_t(x) of a model is solved, between data and noise in either direction.
///
/// Where the velocity is not determined at an end of the path, the equation is solved up to a cut just before it:
///
/// - at t = 1, where a prediction of the data leaves the velocity open, or β ends like a root and its derivative is
///   infinite, data x₁ stand at αx₁ where β/α = 10⁻³: a state of the path whose noise has a standard deviation of
///   10⁻³ in the data's own unit. A density found from there is that of the data with so much noise added;
/// - at t = 0, where a prediction of noise says nothing of the data, the last of the way, from where β/α = 80 (at which
///   EDM begins), is one step of Euler's method with the velocity of that time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ode {
    /// The method; one with an error estimate unless the number of steps is given.
    pub tableau: &'static Tableau,
    /// The relative and absolute tolerance of a step, see [`Adaptive`]; in f32 less than 2e-6 counts as that much.
    pub tolerance: f64,
    /// A fixed number of steps, at the scheduler's own times, in place of a tolerance.
    pub steps: Option<usize>,
}

impl Default for Ode {
    /// Dormand and Prince's method to a tolerance of 10⁻⁵.
    fn default() -> Self {
        Self {
            tableau: &DORMAND_PRINCE,
            tolerance: 1e-5,
            steps: None,
        }
    }
}

/// Why the equation of a model cannot be followed, or its likelihood not be found.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum OdeError {
    /// A path that starts at other data.
    #[error(
        "this model starts at other data, whose density is not known; only a path that starts at Gaussian noise has a likelihood"
    )]
    OtherData,
    /// A model without derivatives by its state.
    #[error("this model has no derivatives by its state, which the divergence is made of")]
    NoPullback,
    /// A model that does not determine the velocity inside the path.
    #[error("this model's prediction does not determine the velocity at t = {t}")]
    NoVelocity {
        /// The time.
        t: f64,
    },
    /// Nothing of what at least one is needed of.
    #[error("expected at least one of {0}, got 0")]
    Zero(&'static str),
    /// A label that the model does not know.
    #[error(
        "class {class} is out of range: this model has {classes} classes, {classes} stands for none"
    )]
    Class {
        /// The label.
        class: u32,
        /// How many the model knows.
        classes: usize,
    },
    /// An integration that did not reach its end.
    #[error(transparent)]
    Integration(AdaptiveError),
    /// The watch broke off.
    #[error("stopped")]
    Stopped,
}

impl From<AdaptiveError> for OdeError {
    fn from(error: AdaptiveError) -> Self {
        match error {
            AdaptiveError::Stopped => Self::Stopped,
            other => Self::Integration(other),
        }
    }
}

/// A whole way between data and noise, walked by a right-hand side that may carry more columns than x.
pub(crate) struct Way<'a> {
    ode: &'a Ode,
    model: &'a dyn Denoiser,
    /// The first and the last time at which the velocity is asked for.
    inside: (f64, f64),
}

/// β/α of the cuts.
const NOISIEST: f64 = 80.0;
const CLEANEST: f64 = 1e-3;

/// A right-hand side that may fail.
pub(crate) type Rate<'a> = dyn FnMut(f64, State) -> Result<State, OdeError> + 'a;

impl<'a> Way<'a> {
    /// The way of `model` for batches like `x`.
    pub(crate) fn new(ode: &'a Ode, model: &'a dyn Denoiser, x: &State) -> Result<Self, OdeError> {
        if ode.steps == Some(0) {
            return Err(OdeError::Zero("steps"));
        }
        let scheduler = model.scheduler();
        let known = |t: f64| {
            let c = scheduler.at(t);
            let kind = || model.predict(x.clone(), t).prediction;
            c.d_alpha.is_finite()
                && c.d_beta.is_finite()
                && convert(kind(), Prediction::Velocity, &c).is_some()
        };
        let cut = |ratio: f64| scheduler.time_of_log_snr(-2.0 * f64::ln(ratio));
        let from = if known(0.0) { 0.0 } else { cut(NOISIEST) };
        let to = if known(1.0) { 1.0 } else { cut(CLEANEST) };
        Ok(Self {
            ode,
            model,
            inside: (from, to),
        })
    }

    /// α at the data's end: data x₁ stand at αx₁ there.
    pub(crate) fn shrink(&self) -> f64 {
        match self.inside.1 {
            1.0 => 1.0,
            t => self.model.scheduler().at(t).alpha,
        }
    }

    /// From the data's end to noise. Also the evaluations of `f`.
    pub(crate) fn to_noise(
        &self,
        x: State,
        f: &mut Rate<'_>,
        watch: &mut Watch<'_>,
    ) -> Result<(State, usize), OdeError> {
        let (from, to) = self.inside;
        let (x, calls) = self.walk(x, f, (to, from), watch)?;
        if from == 0.0 {
            return Ok((x, calls));
        }
        Ok((x.clone() - f(from, x)?.mul_scalar(from), calls + 1))
    }

    /// From noise to the data's end. Also the evaluations of `f`.
    pub(crate) fn to_data(
        &self,
        x: State,
        f: &mut Rate<'_>,
        watch: &mut Watch<'_>,
    ) -> Result<(State, usize), OdeError> {
        let (from, to) = self.inside;
        if from == 0.0 {
            return self.walk(x, f, (from, to), watch);
        }
        let x = x.clone() + f(from, x)?.mul_scalar(from);
        let (x, calls) = self.walk(x, f, (from, to), watch)?;
        Ok((x, calls + 1))
    }

    fn walk(
        &self,
        x: State,
        f: &mut Rate<'_>,
        (from, to): (f64, f64),
        watch: &mut Watch<'_>,
    ) -> Result<(State, usize), OdeError> {
        let Ode {
            tableau,
            tolerance,
            steps,
        } = *self.ode;
        let failure = std::cell::Cell::new(None);
        let mut f = |t: f64, x: State| {
            let like = x.clone();
            f(t, x).unwrap_or_else(|error| {
                failure.set(Some(error));
                like.zeros_like()
            })
        };
        // What fails once need not be asked again.
        let mut watch = |share: f64| match failure.get() {
            Some(_) => ControlFlow::Break(()),
            None => watch(share),
        };
        let walk = match steps {
            None => {
                let solver = Adaptive {
                    tableau,
                    rtol: tolerance,
                    // Data and noise are numbers of order 1.
                    atol: tolerance.max(finest(&x)),
                };
                solver.integrate(&mut f, x, from, to, &mut watch)
            }
            Some(n) => {
                let (low, high) = self.inside;
                let times = self.model.scheduler().times(n);
                let mut grid: Vec<f64> = times.into_iter().map(|t| t.clamp(low, high)).collect();
                grid.dedup();
                if from > to {
                    grid.reverse();
                }
                along(tableau, &mut f, x, &grid, &mut watch)
            }
        };
        match failure.get() {
            Some(error) => Err(error),
            None => Ok(walk.map(|w| (w.state, w.calls))?),
        }
    }
}

fn velocity(model: &dyn Denoiser) -> impl FnMut(f64, State) -> Result<State, OdeError> + '_ {
    |t, x| model.velocity(x, t).ok_or(OdeError::NoVelocity { t })
}

/// The noise x₀ that the flow of `model` takes to the data `x`, `[batch, dim]`: the equation solved from t = 1 to t = 0.
/// Also the number of network calls. `watch` is told the share that is done and may break off.
///
/// # Errors
/// See [`OdeError`].
pub fn encode(
    model: &dyn Denoiser,
    x: State,
    ode: &Ode,
    watch: &mut dyn FnMut(f64) -> ControlFlow<()>,
) -> Result<(State, usize), OdeError> {
    let way = Way::new(ode, model, &x)?;
    let x = x.mul_scalar(way.shrink());
    way.to_noise(x, &mut velocity(model), watch)
}

/// The data x₁ to which the flow of `model` takes the noise `x`, `[batch, dim]`: [`encode`] backwards.
///
/// # Errors
/// See [`OdeError`].
pub fn decode(
    model: &dyn Denoiser,
    x: State,
    ode: &Ode,
    watch: &mut dyn FnMut(f64) -> ControlFlow<()>,
) -> Result<(State, usize), OdeError> {
    let way = Way::new(ode, model, &x)?;
    let (x, calls) = way.to_data(x, &mut velocity(model), watch)?;
    Ok((x.mul_scalar(1.0 / way.shrink()), calls))
}
