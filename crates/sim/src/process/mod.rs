//! What is simulated: dX = f(t, X) dt + g(t, X) dW.
//!
//! ```
//! use fokker_sim::lane::Lane;
//! use fokker_sim::process::Process;
//!
//! /// A damped pendulum: angle and angular velocity.
//! struct Pendulum {
//!     damping: f64,
//! }
//!
//! impl Process for Pendulum {
//!     type State<L: Lane> = [L; 2];
//!     type Noise<L: Lane> = [L; 0];
//!
//!     #[inline(always)]
//!     fn drift<L: Lane>(&self, _t: L, x: &[L; 2], f: &mut [L; 2]) {
//!         *f = [x[1], -x[0].sin() - x[1] * self.damping];
//!     }
//! }
//! ```
//!
//! Those that come with the crate, also by name ([`Named`], [`PROCESSES`]):
//!
//! | type | equation |
//! |---|---|
//! | [`Linear`] | dx = −θx dt |
//! | [`Spiral`] | dx = −λx − ωy, dy = ωx − λy: also the rotation |
//! | [`Lorenz`], [`VanDerPol`] | chaos; a limit cycle, stiff if wanted |
//! | [`Brownian`], [`OrnsteinUhlenbeck`] | σ dW; θ(m − X) dt + σ dW |
//! | [`GeometricBrownian`], [`Heston`] | prices, with constant and with random variance |
//! | [`DoubleWell`] | −U′(X) dt + σ dW, U with two wells |
//! | [`Langevin`], [`UnderdampedLangevin`] | leave a density invariant, without and with inertia |
//! | [`diffusion::Forward`], [`diffusion::Reverse`], [`diffusion::ProbabilityFlow`] | VP, sub-VP and VE diffusions of score-based models |

mod brownian;
mod calculus;
pub mod diffusion;
mod double_well;
mod error;
mod geometric_brownian;
mod heston;
mod langevin;
mod linear;
mod lorenz;
pub mod named;
mod ornstein_uhlenbeck;
mod space;
mod spiral;
#[cfg(test)]
mod tests;
mod underdamped;
mod van_der_pol;

pub use brownian::Brownian;
pub use calculus::Converted;
pub(crate) use calculus::{column_derivatives, diffusion_derivative};
pub use double_well::DoubleWell;
pub(crate) use error::similar;
pub use error::{ProcessError, Range};
pub use geometric_brownian::GeometricBrownian;
pub use heston::Heston;
pub use langevin::Langevin;
pub use linear::Linear;
pub use lorenz::Lorenz;
pub use named::{Named, PROCESSES, ProcessSpec, SHORT_NAMES, Start, Visit};
pub use ornstein_uhlenbeck::OrnsteinUhlenbeck;
pub use space::{Dynamic, Fixed, Space};
pub use spiral::Spiral;
pub use underdamped::UnderdampedLangevin;
pub use van_der_pol::VanDerPol;

use crate::lane::{Lane, One};

/// The components of a state or of a noise: `[L; N]` where the dimension is fixed by the type (the
/// values then live in registers), `Vec<L>` where it is known only at run time.
pub trait Components<L: Lane>: Clone + Send + Sync + AsRef<[L]> + AsMut<[L]> {
    /// The number of components, where the type fixes it.
    const FIXED: Option<usize>;
    /// `dim` zeros.
    ///
    /// # Panics
    /// When the type fixes another number.
    fn zeros(dim: usize) -> Self;
}

impl<L: Lane, const N: usize> Components<L> for [L; N] {
    const FIXED: Option<usize> = Some(N);
    #[inline(always)]
    fn zeros(dim: usize) -> Self {
        assert!(dim == N, "a state of {N} components, asked for {dim}");
        [L::splat(0.0); N]
    }
}

impl<L: Lane> Components<L> for Vec<L> {
    const FIXED: Option<usize> = None;
    #[inline(always)]
    fn zeros(dim: usize) -> Self {
        vec![L::splat(0.0); dim]
    }
}

/// How the noise coefficient g may depend on the state: the question on which a solver's order
/// hangs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NoiseKind {
    /// There is no noise: an ordinary differential equation.
    None,
    /// g depends on time only.
    Additive,
    /// The columns of g commute, Σᵢ (gᵢⱼ ∂ᵢgₖ − gᵢₖ ∂ᵢgⱼ) = 0: among others diagonal noise, where
    /// component i has its own noise with gᵢᵢ(xᵢ), and a single noise.
    Commutative,
    /// Anything else.
    General,
}

/// The meaning of g(X) dW.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Calculus {
    /// g at the left end of each interval.
    Ito,
    /// g at the middle; the ordinary chain rule holds.
    Stratonovich,
}

impl std::fmt::Display for Calculus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Calculus::Ito => "Itô",
            Calculus::Stratonovich => "Stratonovich",
        })
    }
}

/// A (stochastic) differential equation dX = f(t, X) dt + g(t, X) dW, written once for every lane
/// type.
///
/// Mark `drift`, `diffusion` and what they call `#[inline(always)]`: they must be compiled into the
/// solvers' loops, for the instruction set of the lanes.
pub trait Process: Send + Sync {
    /// The state X: `[L; D]`, or `Vec<L>` for a dimension known at run time.
    type State<L: Lane>: Components<L>;
    /// The noise dW: `[L; M]`; `[L; 0]` for an ordinary differential equation.
    type Noise<L: Lane>: Components<L>;

    /// The dimension D of the state. To be given where the type does not fix it.
    fn dim(&self) -> usize {
        <Self::State<One<f64>> as Components<One<f64>>>::FIXED
            .expect("a process with a state of run-time dimension says its `dim`")
    }

    /// The dimension M of the noise. To be given where the type does not fix it.
    fn noise_dim(&self) -> usize {
        <Self::Noise<One<f64>> as Components<One<f64>>>::FIXED
            .expect("a process with a noise of run-time dimension says its `noise_dim`")
    }

    /// Writes f(t, x).
    fn drift<L: Lane>(&self, t: L, x: &Self::State<L>, f: &mut Self::State<L>);

    /// Writes the product g(t, x)·dW. The default is 0.
    fn diffusion<L: Lane>(
        &self,
        t: L,
        x: &Self::State<L>,
        dw: &Self::Noise<L>,
        out: &mut Self::State<L>,
    ) {
        let _ = (t, x, dw);
        out.as_mut().fill(L::splat(0.0));
    }

    /// How g depends on the state. The default is [`NoiseKind::None`] without noise, and
    /// [`NoiseKind::General`], which promises nothing, otherwise.
    fn noise_kind(&self) -> NoiseKind {
        if self.noise_dim() == 0 {
            NoiseKind::None
        } else {
            NoiseKind::General
        }
    }

    /// What g dW means as written here. The default is Itô.
    fn calculus(&self) -> Calculus {
        Calculus::Ito
    }

    /// The names of the components, for tables and plots.
    fn names(&self) -> Vec<String> {
        (0..self.dim()).map(|i| format!("x{i}")).collect()
    }

    /// Whether the type has an event at all: code for events is compiled only where it does.
    const EVENTS: bool = false;

    /// Whether drift and diffusion are interpreted rather than compiled: they then get several
    /// registers at a time, to spread the cost of interpretation over more trajectories.
    const INTERPRETED: bool = false;

    /// Whether [`Process::event`] says anything; asked where [`Process::EVENTS`] is true.
    fn has_event(&self) -> bool {
        Self::EVENTS
    }

    /// A function of time and state; a trajectory stops where it crosses zero.
    fn event<L: Lane>(&self, t: L, x: &Self::State<L>) -> L {
        let _ = (t, x);
        L::splat(1.0)
    }
}
