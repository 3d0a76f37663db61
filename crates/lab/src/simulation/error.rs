//! Why a simulation was refused or gave up.

use fokker_data::DataError;
use fokker_eval::EvalError;
use fokker_sim::density::ParseError;
use fokker_sim::expr::ExprError;
use fokker_sim::process::ProcessError;
use fokker_sim::stat::StatError;
use fokker_sim::{SimError, shown};

/// Why a simulation was refused or gave up: what was wrong, where, and what would be right.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SimulationError {
    /// A setting that does not go with the others, or is out of its range.
    #[error("{setting}: {problem}; {right}")]
    Setting {
        /// Which setting.
        setting: &'static str,
        /// What is wrong.
        problem: String,
        /// What would be right.
        right: String,
    },
    /// A name that no solver has.
    #[error("there is no solver `{name}`{hint}; there are {known}")]
    Solver {
        /// The name given.
        name: String,
        /// A similar name, in words.
        hint: String,
        /// All names.
        known: String,
    },
    /// A solver for the other calculus.
    #[error(
        "{solver} solves {solves} equations and this process is written in {written}'s sense: take \
         another solver, or --convert to rewrite the equation"
    )]
    Calculus {
        /// The solver's title.
        solver: &'static str,
        /// What it solves.
        solves: fokker_sim::process::Calculus,
        /// How the process is written.
        written: fokker_sim::process::Calculus,
    },
    /// A trajectory left the finite numbers in a known step.
    #[error(
        "trajectory {trajectory} left the finite numbers in step {step} of {steps}, between \
         t = {} and t = {}: the solution blows up, or the step is too large for it (--keep-going \
         leaves such trajectories out)",
        shown(*.after), shown(*.time)
    )]
    BlowUp {
        /// Which trajectory.
        trajectory: u64,
        /// The step, counted from 1.
        step: usize,
        /// The number of steps.
        steps: usize,
        /// The step's start.
        after: f64,
        /// The step's end.
        time: f64,
    },
    /// The chosen steps were too many.
    #[error(
        "trajectory {trajectory} used up its {} steps at t = {}: {advice}",
        super::words::grouped(*.max as u64), shown(*.time)
    )]
    TooManySteps {
        /// Which trajectory.
        trajectory: u64,
        /// When.
        time: f64,
        /// The limit.
        max: usize,
        /// What may be changed.
        advice: &'static str,
    },
    /// An equation that is not a number where trajectories start.
    #[error("{what} is {value} at {place}: trajectories cannot start there; give another --start")]
    Undefined {
        /// The drift or the noise.
        what: String,
        /// NaN or inf.
        value: f64,
        /// Time and state.
        place: String,
    },
    /// The engine refused or gave up.
    #[error(transparent)]
    Sim(#[from] SimError),
    /// The process cannot be made.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// An expression cannot be read.
    #[error(transparent)]
    Expression(#[from] ExprError),
    /// A density cannot be read.
    #[error("{0}")]
    Density(#[from] ParseError),
    /// A statistic cannot be kept.
    #[error(transparent)]
    Statistic(#[from] StatError),
    /// A file cannot be written.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A picture cannot be made.
    #[error(transparent)]
    Picture(#[from] EvalError),
}

/// A setting that is not right.
pub(super) fn setting(
    setting: &'static str,
    problem: impl Into<String>,
    right: impl Into<String>,
) -> SimulationError {
    SimulationError::Setting {
        setting,
        problem: problem.into(),
        right: right.into(),
    }
}

/// ", did you mean …?" where a known name is similar.
pub(super) fn did_you_mean<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    let lower = name.to_lowercase();
    known
        .map(|k| (strsim::damerau_levenshtein(&lower, k), k))
        .filter(|(distance, k)| *distance <= (k.len().max(lower.len()) / 3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map_or_else(String::new, |(_, k)| format!(", did you mean `{k}`?"))
}
