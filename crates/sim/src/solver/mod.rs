//! How it is simulated: one solver, one type.

mod adaptive;
mod any;
mod block;
mod control;
mod equal;
mod event;
mod noise;
mod pair;
mod rosenbrock;
mod runge_kutta;
mod sde;
mod tree;

pub use adaptive::{Adaptive, Embedded, Tolerance};
pub use any::{AnySolver, Family, SOLVERS, SolverSpec, Steps, solver};
pub use block::{Block, Fault, Task};
pub(crate) use block::{Places, Pulse};
pub use equal::Equal;
pub use pair::EmbeddedPair;
pub use rosenbrock::Rosenbrock;
pub use runge_kutta::RungeKutta;
pub use sde::{EulerMaruyama, FixedSde, Milstein, SdeMethod, Sra1, StochasticHeun};
pub use tree::{MAX_DEPTH, TreeSde, TreeSteps};

use crate::error::SimError;
use crate::lane::Simd;
use crate::process::{NoiseKind, Process};

/// A method that carries a block of trajectories through time, generic over process and lanes: the
/// whole time loop of a block runs with its state in registers.
pub trait Solver: Sync {
    /// How many registers run side by side, to hide the latency of arithmetic; at most
    /// [`MAX_UNITS`].
    #[doc(hidden)]
    const UNITS: usize;

    /// Whether every trajectory must be simulated alone.
    #[doc(hidden)]
    const ALONE: bool = false;

    /// The name in prose.
    fn title(&self) -> &'static str;

    /// The times that can be saved.
    fn grid(&self) -> Grid;

    /// Whether the solver can treat this process.
    ///
    /// # Errors
    /// When it cannot, or its own settings are out of range.
    fn check<P: Process>(&self, process: &P) -> Result<(), SimError>;

    /// Simulates the trajectories of one block.
    #[doc(hidden)]
    fn block<S: Simd, P: Process>(&self, process: &P, task: &Task<'_>, block: &mut Block<'_, S>);
}

/// The times at which a solver can save.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grid {
    /// Any.
    Any,
    /// Those of this many equal steps.
    Equal(usize),
    /// Those of 2^depth equal steps, because steps halve the interval again and again.
    Dyadic(u32),
}

/// The most steps of one trajectory.
pub const MAX_STEPS: usize = 1 << 32;

/// The most registers side by side.
#[doc(hidden)]
pub const MAX_UNITS: usize = 4;

fn check_steps(steps: usize) -> Result<(), SimError> {
    if steps == 0 || steps > MAX_STEPS {
        return Err(SimError::Steps {
            steps,
            max: MAX_STEPS,
        });
    }
    Ok(())
}

/// An ODE solver is no solver for a process with noise: it would silently leave it out.
fn check_no_noise<P: Process>(process: &P, solver: &'static str) -> Result<(), SimError> {
    match process.noise_kind() {
        NoiseKind::None => Ok(()),
        has => Err(SimError::Noise {
            solver,
            needs: "a process without noise",
            has,
        }),
    }
}
