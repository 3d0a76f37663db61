//! What may be asked for, in plain values.

use std::str::FromStr;

use fokker_sim::density::DensityArg;
use fokker_sim::process::Calculus;

use super::error::{SimulationError, setting};

/// One ensemble, as a user asks for it. What is `None` gets the process's or the solver's default.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What is simulated.
    pub process: ProcessChoice,
    /// The name of a solver of [`fokker_sim::solver::SOLVERS`]. The default is the process's; for a
    /// process written down it is tsit5 without and euler-maruyama with noise.
    pub solver: Option<String>,
    /// How steps are chosen. The default is by a tolerance of 10⁻⁶ for solvers of ordinary
    /// equations that can, and 1,000 equal steps for all others.
    pub stepping: Option<Stepping>,
    /// The time of the start, 0 by default.
    pub from: Option<f64>,
    /// The time of the end. The default is the process's, or 10 after the start.
    pub to: Option<f64>,
    /// The number of trajectories. The default is 1 where all would be the same and 1,000 elsewhere.
    pub count: Option<u64>,
    /// When states are saved and summed up. The default is about 100 even intervals.
    pub save: Option<Save>,
    /// Where trajectories start.
    pub start: StartChoice,
    /// The seed of all noise and of random starts.
    pub seed: u64,
    /// The precision of all arithmetic.
    pub precision: Precision,
    /// Rewrites the equation in the other calculus, where the solver needs it.
    pub convert: bool,
    /// Leaves out trajectories that fail, and counts them, instead of giving up.
    pub keep_going: bool,
}

impl Settings {
    /// This process with every default.
    pub fn new(process: ProcessChoice) -> Settings {
        Settings {
            process,
            solver: None,
            stepping: None,
            from: None,
            to: None,
            count: None,
            save: None,
            start: StartChoice::Default,
            seed: 0,
            precision: Precision::F64,
            convert: false,
            keep_going: false,
        }
    }

    /// The process of that name with every default.
    pub fn named(name: impl Into<String>) -> Settings {
        Settings::new(ProcessChoice::Named {
            name: name.into(),
            params: Vec::new(),
            density: None,
            event: None,
        })
    }
}

/// A process by name, or written down.
#[derive(Clone, Debug)]
pub enum ProcessChoice {
    /// One of [`fokker_sim::process::PROCESSES`].
    Named {
        /// Its name.
        name: String,
        /// Parameters that are not at their defaults.
        params: Vec<(String, f64)>,
        /// Its density, where it has one.
        density: Option<DensityArg>,
        /// An expression at whose zero a trajectory stops; for processes without a density.
        event: Option<String>,
    },
    /// Expressions as [`fokker_sim::expr`] reads them.
    Written {
        /// The drift, all components.
        drift: String,
        /// The noise coefficients.
        diffusion: Option<String>,
        /// The names of the components, where the drift does not tell.
        names: Vec<String>,
        /// The parameters.
        params: Vec<(String, f64)>,
        /// An expression at whose zero a trajectory stops.
        event: Option<String>,
        /// The meaning of the noise.
        calculus: Calculus,
    },
}

/// How steps are chosen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Stepping {
    /// This many equal steps.
    Steps(usize),
    /// Equal steps of this length, which must divide the interval.
    Size(f64),
    /// By an error estimate, to this relative and absolute tolerance.
    Tolerance(f64),
    /// 2^depth equal steps on a Brownian tree.
    Tree(u32),
}

/// When states are saved.
#[derive(Clone, Debug, PartialEq)]
pub enum Save {
    /// At the ends of this many even intervals, and at the start.
    Even(usize),
    /// At these times.
    Times(Vec<f64>),
    /// At the end only.
    End,
}

impl FromStr for Save {
    type Err = SimulationError;

    /// Reads `100`, `0,0.5,1` or `end`.
    fn from_str(text: &str) -> Result<Save, SimulationError> {
        let right = "give a number of even intervals, times with commas between them, or end";
        let bad = |part: &str| setting("--save", format!("`{part}` is no number"), right);
        let text = text.trim();
        if text == "end" {
            return Ok(Save::End);
        }
        if !text.contains(',') {
            return match text.parse::<usize>() {
                Ok(0) => Err(setting("--save", "0 intervals", right)),
                Ok(n) => Ok(Save::Even(n)),
                Err(_) => match text.parse::<f64>() {
                    Ok(time) => Ok(Save::Times(vec![time])),
                    Err(_) => Err(bad(text)),
                },
            };
        }
        let parts = text.split(',').map(str::trim).filter(|p| !p.is_empty());
        let times: Result<Vec<f64>, _> = parts
            .map(|part| part.parse().map_err(|_| bad(part)))
            .collect();
        Ok(Save::Times(times?))
    }
}

/// The precision of all arithmetic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// Single: 32 bits.
    F32,
    /// Double: 64 bits.
    F64,
}

/// Where trajectories start.
#[derive(Clone, Debug)]
pub enum StartChoice {
    /// Where the process does by default: a point, or its density.
    Default,
    /// All at one point.
    Point(Vec<f64>),
    /// Each at its own sample of a density.
    Density(DensityArg),
    /// Some components by name, the others where they start by default.
    Components(Vec<(String, ComponentStart)>),
}

/// Where one component starts.
#[derive(Clone, Debug)]
pub enum ComponentStart {
    /// At a value.
    Value(f64),
    /// At samples of a density on the line.
    Density(DensityArg),
}

impl FromStr for StartChoice {
    type Err = SimulationError;

    /// Reads a point `1,0`, a density `gaussian:mean=[1,0],std=2`, or components
    /// `x=1; v=gaussian:std=0.5`.
    fn from_str(text: &str) -> Result<StartChoice, SimulationError> {
        let text = text.trim();
        let right = "give a point such as 1,0, a density such as gaussian:std=2, or components such \
                     as x=1;v=gaussian:std=0.5";
        if text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c))
            || ["nan", "inf"].contains(&text.to_lowercase().as_str())
        {
            let number = |part: &str| {
                let value = part.trim().parse::<f64>();
                value.map_err(|_| setting("--start", format!("`{part}` is no number"), right))
            };
            let point: Result<Vec<f64>, _> = text.split(',').map(number).collect();
            return Ok(StartChoice::Point(point?));
        }
        let density = |text: &str| Ok::<_, SimulationError>(text.parse::<DensityArg>()?);
        let named = |part: &str| {
            let (name, value) = part.split_once('=')?;
            let name = name.trim();
            let plain = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
            plain.then(|| (name.to_owned(), value.trim().to_owned()))
        };
        let separator = if text.contains(';') { ';' } else { ',' };
        if text.split(separator).all(|part| named(part).is_some()) && !text.is_empty() {
            let mut components = Vec::new();
            for (name, value) in text.split(separator).filter_map(named) {
                let start = match value.parse::<f64>() {
                    Ok(value) => ComponentStart::Value(value),
                    Err(_) => ComponentStart::Density(density(&value)?),
                };
                components.push((name, start));
            }
            return Ok(StartChoice::Components(components));
        }
        if text.is_empty() {
            return Err(setting("--start", "it is empty", right));
        }
        Ok(StartChoice::Density(density(text)?))
    }
}
