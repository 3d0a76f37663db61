use std::fmt;
use std::str::FromStr;

use fokker_math::scheduler::Scheduler;
use fokker_math::tableau::Tableau;

use super::{Diffusion, SAMPLERS, Stepper};
use crate::ProbabilityPath;
use crate::plan::restart;

/// A row of the table of samplers, which help texts, menus and law tests all iterate.
pub struct SamplerSpec {
    /// The name on the command line.
    pub name: &'static str,
    /// What it is, in a few words.
    pub title: &'static str,
    /// Order of accuracy between the ends of the path: the error at a fixed time for smooth grids; of the mean
    /// and the covariance where it draws noise.
    pub order: Order,
    /// Network calls a step (a guided call counts once).
    pub calls: usize,
    /// Does it draw noise on the way?
    pub randomness: Randomness,
    /// What it asks of the model.
    pub needs: Needs,
    /// Where the times of its steps come from.
    pub plan: Plan,
    /// The number that can follow the name, as in `ddim:0.5`.
    pub parameter: Option<Parameter>,
    /// Where it comes from.
    pub reference: &'static str,
    /// Makes a fresh sampler with this parameter; one on the SDE extension with this σ_t.
    pub make: fn(f64, Diffusion) -> Box<dyn Stepper>,
}

/// The order of a sampler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// This one.
    Is(u32),
    /// Its parameter.
    Parameter,
    /// Its parameter and one: a predictor of that order with a corrector.
    ParameterPlusOne,
}

/// Whether a sampler draws noise on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Randomness {
    /// Never: it solves the ODE.
    No,
    /// Always, as much as its rule says.
    Yes,
    /// Always, with any diffusion coefficient σ_t.
    AnySigma,
    /// Where its parameter is above 0.
    Parameter,
}

/// What a sampler asks of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// The velocity: any path will do.
    Velocity,
    /// Data and start as x = αz + βε: a path without noise of its own.
    Ends,
    /// The velocity and the score.
    Score,
}

/// Where the times of a sampler's steps come from.
#[derive(Clone, Copy)]
pub enum Plan {
    /// The grid as given.
    Grid,
    /// The grid with an interval of it walked again, as often as the parameter says.
    Restart,
    /// Chosen by the error estimate of this method, to the tolerance that is the parameter.
    Adaptive(&'static Tableau),
}

/// The number that can follow a sampler's name.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Parameter {
    /// Its symbol.
    pub symbol: &'static str,
    /// What it is when left out.
    pub default: f64,
    /// The smallest and the largest value.
    pub range: [f64; 2],
    /// Must it be an integer?
    pub integer: bool,
}

/// A sampler with its parameter: `ddim:0.5`.
#[derive(Clone, Copy)]
pub struct Sampler {
    /// Which one.
    pub spec: &'static SamplerSpec,
    /// Its parameter (0 where it has none).
    pub parameter: f64,
}

impl Sampler {
    /// The order of accuracy.
    pub fn order(&self) -> u32 {
        match self.spec.order {
            Order::Is(order) => order,
            Order::Parameter => self.parameter as u32,
            Order::ParameterPlusOne => self.parameter as u32 + 1,
        }
    }

    /// Does it draw noise on the way? Then it needs a path whose noise is Gaussian and independent of the data.
    pub fn is_stochastic(&self) -> bool {
        match self.spec.randomness {
            Randomness::No => false,
            Randomness::Yes | Randomness::AnySigma => true,
            Randomness::Parameter => self.parameter > 0.0,
        }
    }

    /// Does it take any diffusion coefficient σ_t?
    pub fn takes_sigma(&self) -> bool {
        self.spec.randomness == Randomness::AnySigma
    }

    /// Does it choose its own steps?
    pub fn is_adaptive(&self) -> bool {
        matches!(self.spec.plan, Plan::Adaptive(_))
    }

    /// Whether it can walk `path`, of whose model `has_score` says whether it determines the score.
    ///
    /// # Errors
    /// Why it cannot.
    pub fn suits(&self, path: &ProbabilityPath, has_score: bool) -> Result<(), Unsuited> {
        if self.is_stochastic() && !has_score {
            return Err(Unsuited::Score(*self));
        }
        if self.spec.needs == Needs::Ends && path.is_noisy() {
            return Err(Unsuited::Ends(*self));
        }
        Ok(())
    }

    /// The times that it walks where it is given these: `restart` goes back among them.
    pub fn walk(&self, grid: Vec<f64>, scheduler: &dyn Scheduler) -> Vec<f64> {
        match self.spec.plan {
            Plan::Restart => restart(&grid, scheduler, self.parameter as usize),
            Plan::Grid | Plan::Adaptive(_) => grid,
        }
    }

    /// A fresh one at work; `diffusion` is the σ_t of one that [takes any](Self::takes_sigma).
    pub fn start(&self, diffusion: Diffusion) -> Box<dyn Stepper> {
        (self.spec.make)(self.parameter, diffusion)
    }
}

impl From<&'static SamplerSpec> for Sampler {
    /// With its usual parameter.
    fn from(spec: &'static SamplerSpec) -> Self {
        let parameter = spec.parameter.map_or(0.0, |p| p.default);
        Self { spec, parameter }
    }
}

impl fmt::Display for Sampler {
    /// As [`FromStr`] reads it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.spec.name)?;
        match self.spec.parameter {
            Some(p) if p.default != self.parameter => write!(f, ":{}", self.parameter),
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for Sampler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl PartialEq for Sampler {
    fn eq(&self, other: &Self) -> bool {
        self.spec.name == other.spec.name && self.parameter == other.parameter
    }
}

/// Why a sampler cannot walk a path.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum Unsuited {
    /// It draws noise, and the model does not determine the score.
    #[error(
        "{0} draws noise, so it needs the score, which this model does not know: that takes noise that is \
         independent of the data, or a path with noise of its own and objective.prediction = \
         \"velocity-and-noise\"; use a sampler of ordinary differential equations, such as heun"
    )]
    Score(Sampler),
    /// The path has noise of its own.
    #[error(
        "{0} needs a path x = αz + βε, and this one has noise of its own beside its two ends; use a sampler \
         in t, such as heun, or euler-maruyama"
    )]
    Ends(Sampler),
}

/// Looks a sampler up by name, without a parameter.
pub fn sampler(name: &str) -> Option<Sampler> {
    SAMPLERS.iter().find(|s| s.name == name).map(Sampler::from)
}

/// Why a text names no sampler.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum SamplerError {
    /// The name is none of [`SAMPLERS`].
    #[error("unknown sampler \"{name}\"{}; known are {}", hint(*similar), names())]
    Name {
        /// The name given.
        name: String,
        /// A known name that is like it.
        similar: Option<&'static str>,
    },
    /// A number after the name of one that takes none.
    #[error("{name} takes no number after a colon")]
    NoParameter {
        /// The sampler.
        name: &'static str,
    },
    /// The parameter is not a number of its range.
    #[error(
        "{name}:{text}: expected {} {} from {} to {}, such as {name}:{}",
        if takes.integer { "an integer" } else { "a number" },
        takes.symbol, takes.range[0], takes.range[1], takes.default
    )]
    Parameter {
        /// The sampler.
        name: &'static str,
        /// The text given.
        text: String,
        /// What it takes.
        takes: Parameter,
    },
}

fn hint(similar: Option<&str>) -> String {
    similar.map_or_else(String::new, |name| format!(" (did you mean \"{name}\"?)"))
}

fn names() -> String {
    let names: Vec<&str> = SAMPLERS.iter().map(|s| s.name).collect();
    names.join(", ")
}

impl FromStr for Sampler {
    type Err = SamplerError;

    /// Reads `name` or `name:parameter`.
    fn from_str(text: &str) -> Result<Self, SamplerError> {
        let (name, number) = match text.split_once(':') {
            None => (text.trim(), None),
            Some((name, number)) => (name.trim(), Some(number.trim())),
        };
        let Some(found) = sampler(name) else {
            return Err(SamplerError::Name {
                name: name.into(),
                similar: similar(name),
            });
        };
        let Some(number) = number else {
            return Ok(found);
        };
        let name = found.spec.name;
        let Some(takes) = found.spec.parameter else {
            return Err(SamplerError::NoParameter { name });
        };
        let [least, most] = takes.range;
        let fits = |v: &f64| (least..=most).contains(v) && (!takes.integer || v.fract() == 0.0);
        match number.parse::<f64>().ok().filter(fits) {
            Some(parameter) => Ok(Sampler { parameter, ..found }),
            None => Err(SamplerError::Parameter {
                name,
                text: number.into(),
                takes,
            }),
        }
    }
}

/// The known name nearest to a wrong one, if one is near.
fn similar(wrong: &str) -> Option<&'static str> {
    let wrong = wrong.to_lowercase();
    let near = SAMPLERS
        .iter()
        .map(|s| (strsim::damerau_levenshtein(&wrong, s.name), s.name));
    near.min()
        .filter(|(d, name)| *d <= 1 + name.len() / 4)
        .map(|(_, name)| name)
}
