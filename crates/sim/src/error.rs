//! What can go wrong in a simulation.

use crate::process::{Calculus, NoiseKind};

/// A number as messages show it: the shortest text that reads back as the same number, with an
/// exponent where it is very large or very small.
///
/// ```
/// assert_eq!(fokker_sim::shown(1e-300), "1e-300");
/// assert_eq!(fokker_sim::shown(20.0), "20");
/// ```
pub fn shown(x: f64) -> String {
    crate::expr::number(x)
}

/// Why a simulation was refused or gave up.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SimError {
    /// The interval is empty, backward where it may not be, or not finite.
    #[error("the interval must be two different finite times, got {} to {}", shown(*.from), shown(*.to))]
    Interval {
        /// The start.
        from: f64,
        /// The end.
        to: f64,
    },
    /// No step, or too many.
    #[error("the number of steps must be between 1 and {max}, got {steps}")]
    Steps {
        /// The number asked for.
        steps: usize,
        /// The most.
        max: usize,
    },
    /// A tolerance that is not positive and finite.
    #[error("the {what} must be positive and finite, got {}", shown(*.value))]
    Tolerance {
        /// Which number.
        what: &'static str,
        /// The value given.
        value: f64,
    },
    /// A save time outside the interval.
    #[error(
        "save time {} lies outside the interval from {} to {}",
        shown(*.time), shown(*.from), shown(*.to)
    )]
    SaveOutside {
        /// The time.
        time: f64,
        /// The start.
        from: f64,
        /// The end.
        to: f64,
    },
    /// Save times that do not go forward.
    #[error("save times must follow one another: {} comes after {}", shown(*.after), shown(*.before))]
    SaveOrder {
        /// The earlier entry.
        before: f64,
        /// The later entry.
        after: f64,
    },
    /// A save time between two steps of a fixed-step solver.
    #[error(
        "save time {} is not a step of {steps} steps from {} to {}: the nearest steps are at {} \
         and {}",
        shown(*.time), shown(*.from), shown(*.to), shown(*.left), shown(*.right)
    )]
    SaveBetween {
        /// The time.
        time: f64,
        /// The number of steps.
        steps: usize,
        /// The start.
        from: f64,
        /// The end.
        to: f64,
        /// The step before.
        left: f64,
        /// The step after.
        right: f64,
    },
    /// A save time that halving the interval does not reach.
    #[error(
        "save time {} is none of the times {} + {} j/2^{depth} that steps on a Brownian tree \
         reach: save an even grid of 2, 4, 8, … intervals",
        shown(*.time), shown(*.from), shown(.to - .from)
    )]
    SaveDyadic {
        /// The time.
        time: f64,
        /// The start.
        from: f64,
        /// The end.
        to: f64,
        /// The depth of the tree.
        depth: u32,
    },
    /// A way of stepping that the solver has not.
    #[error("{solver} {wants}")]
    Stepping {
        /// The solver's title.
        solver: &'static str,
        /// Why not, and what would do.
        wants: &'static str,
    },
    /// Noise that the solver cannot treat.
    #[error("{solver} needs {needs}, and this process has {}", noise(*.has))]
    Noise {
        /// The solver's title.
        solver: &'static str,
        /// What it can treat, in words.
        needs: &'static str,
        /// The process's noise.
        has: NoiseKind,
    },
    /// A choice of steps that would change the law.
    #[error(
        "{solver} cannot choose its steps by a tolerance for {}: a choice that looks at the noise \
         needs strong order 1, or it changes the law; {instead}",
        noise(*.has)
    )]
    Adaptive {
        /// The solver's title.
        solver: &'static str,
        /// The process's noise.
        has: NoiseKind,
        /// What would do.
        instead: &'static str,
    },
    /// A stochastic solver for an ordinary differential equation.
    #[error(
        "{solver} is made for noise, and this process has none: take an ODE solver such as tsit5"
    )]
    NoNoise {
        /// The solver's title.
        solver: &'static str,
    },
    /// A process written in the other calculus.
    #[error(
        "{solver} solves {solves} equations and this process is written in {written}'s sense: \
         convert it first"
    )]
    Calculus {
        /// The solver's title.
        solver: &'static str,
        /// What it solves.
        solves: Calculus,
        /// How the process is written.
        written: Calculus,
    },
    /// A start of the wrong dimension.
    #[error("the start has {got} components, the process {dim}")]
    Start {
        /// The components given.
        got: usize,
        /// The components needed.
        dim: usize,
    },
    /// A start that is not finite.
    #[error(
        "component {component} of the start of trajectory {trajectory} must be finite, got {}",
        shown(*.value)
    )]
    StartValue {
        /// Which trajectory.
        trajectory: u64,
        /// Which component.
        component: usize,
        /// The value.
        value: f64,
    },
    /// Trajectory numbers beyond what addresses of random numbers can hold.
    #[error("trajectories are numbered below 2^48, got {0}")]
    Count(u64),
    /// A trajectory left the finite numbers.
    #[error(
        "trajectory {trajectory} left the finite numbers at t = {}: the solution blows up, or the \
         step is too large for it",
        shown(*.time)
    )]
    BlowUp {
        /// Which trajectory.
        trajectory: u64,
        /// When.
        time: f64,
    },
    /// An adaptive step became too small for its precision.
    #[error(
        "the step of trajectory {trajectory} fell below what {bits}-bit numbers resolve at \
         t = {}: the solution blows up there, the problem is stiff (try a Rosenbrock method), or \
         the tolerance is too small for the precision",
        shown(*.time)
    )]
    StepUnderflow {
        /// Which trajectory.
        trajectory: u64,
        /// When.
        time: f64,
        /// 32 or 64.
        bits: u32,
    },
    /// An adaptive solver took too many steps.
    #[error(
        "trajectory {trajectory} used up its {max} steps at t = {}: allow more, loosen the \
         tolerance, or take a Rosenbrock method if the problem is stiff",
        shown(*.time)
    )]
    TooManySteps {
        /// Which trajectory.
        trajectory: u64,
        /// When.
        time: f64,
        /// The limit.
        max: usize,
    },
}

fn noise(kind: NoiseKind) -> &'static str {
    match kind {
        NoiseKind::None => "no noise",
        NoiseKind::Additive => "additive noise",
        NoiseKind::Commutative => "commutative noise that depends on the state",
        NoiseKind::General => "noise that is not known to be additive or commutative",
    }
}
