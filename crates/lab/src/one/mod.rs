//! The course's first lab: simulating ordinary and stochastic differential equations, every figure
//! beside its closed form.
//!
//! [`LabOne::run`] simulates everything anew and gives a [`LabReport`]: sections with theory,
//! figures and [`Check`](crate::check::Check)s. The same seed gives the same report.
//!
//! | section | simulates | is held against |
//! |---|---|---|
//! | flow | dx/dt = −θx by Runge–Kutta methods | ψ_t = e^{−θt}x₀, Euler's (1 − θ/n)ⁿ, orders |
//! | Brownian motion | σW_t | N(0, σ²t), independent normal increments |
//! | Ornstein–Uhlenbeck | −θX dt + σ dW | the exact law of the equation and of its Euler–Maruyama chain |
//! | rescaling | the same at nine (θ, σ) | one law, one path per D = σ²/2θ over t·σ² |
//! | densities | – | integrals, scores, sampled moments |
//! | Langevin | ½σ²∇ln p dt + σ dW towards a mixture | cells' probabilities, marginals, mode weights |
//! | Langevin is OU | the same towards N(0, σ²/2θ) | the Ornstein–Uhlenbeck paths themselves |
//! | Fokker–Planck | an ensemble over time | the exact density p_t(x) |
//!
//! ```no_run
//! use std::ops::ControlFlow;
//! use fokker_lab::one::LabOne;
//!
//! let report = LabOne::default().run(&mut |_step| ControlFlow::Continue(()))?;
//! for check in report.checks() {
//!     println!("{check}");
//! }
//! report.report().write("one.html")?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod bench;
mod brownian;
mod densities;
mod flow;
mod fokker_planck;
mod langevin;
mod langevin_ou;
mod ornstein_uhlenbeck;
mod rescale;
mod target;

use std::ops::ControlFlow;

use fokker_eval::EvalError;
use fokker_math::density::DensityError;
use fokker_sim::SimError;
use fokker_sim::process::ProcessError;

use bench::Bench;

use crate::report::{LabReport, LabSection};

/// The first lab, with its seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LabOne {
    /// The seed of all randomness. The densities do not depend on it.
    pub seed: u64,
    /// Whether to draw the animation, which takes most of the time that is not simulation.
    pub animation: bool,
}

impl Default for LabOne {
    /// Seed 1, with the animation.
    fn default() -> LabOne {
        LabOne {
            seed: 1,
            animation: true,
        }
    }
}

/// How far the lab is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// The section being worked on, counted from 1.
    pub section: usize,
    /// How many sections there are.
    pub sections: usize,
    /// The section's title.
    pub title: &'static str,
    /// Trajectories finished in the section's present simulation, and how many it has.
    pub trajectories: (u64, u64),
}

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LabError {
    /// The progress function asked to stop.
    #[error("stopped in section {section}, “{title}”")]
    Stopped {
        /// The section being worked on, counted from 1.
        section: usize,
        /// Its title.
        title: &'static str,
    },
    /// A simulation failed.
    #[error(transparent)]
    Simulation(#[from] SimError),
    /// A process was refused.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// A density was refused.
    #[error(transparent)]
    Density(#[from] DensityError),
    /// A picture could not be made.
    #[error(transparent)]
    Picture(#[from] EvalError),
}

/// Simulates, draws and checks one section.
type Chapter = fn(&mut Bench<'_>) -> Result<LabSection, LabError>;

/// In the order of the page.
const CHAPTERS: [(&str, Chapter); 8] = [
    (flow::TITLE, flow::section),
    (brownian::TITLE, brownian::section),
    (ornstein_uhlenbeck::TITLE, ornstein_uhlenbeck::section),
    (rescale::TITLE, rescale::section),
    (densities::TITLE, densities::section),
    (langevin::TITLE, langevin::section),
    (langevin_ou::TITLE, langevin_ou::section),
    (fokker_planck::TITLE, fokker_planck::section),
];

impl LabOne {
    /// Runs the lab. `progress` is told now and then how far it is, and may stop it.
    ///
    /// A failed check is no error: it stands in the report.
    ///
    /// # Errors
    /// [`LabError::Stopped`] when `progress` breaks; otherwise when a simulation or a picture fails,
    /// which the fixed settings give no cause for.
    pub fn run(
        &self,
        progress: &mut dyn FnMut(Step) -> ControlFlow<()>,
    ) -> Result<LabReport, LabError> {
        let mut bench = Bench::new(*self, CHAPTERS.len(), progress);
        let mut sections = Vec::new();
        for (k, (title, chapter)) in CHAPTERS.iter().enumerate() {
            bench.enter(k + 1, title)?;
            sections.push(chapter(&mut bench)?);
        }
        Ok(LabReport {
            lab: "one",
            title: "simulating ODEs and SDEs",
            subtitle: "Flows, Brownian motion, Ornstein–Uhlenbeck and Langevin dynamics, each simulated \
                       and held against its closed form",
            fixed: "are not random, such as a solver's result, and must agree as closely as stated, mostly to rounding",
            reading: "Simulations of stochastic equations are held against the exact law of the simulated chain, \
                      X ← X + h u(X) + σ√h ε. Where the law of the equation itself is close but not equal, because \
                      h > 0, it is printed as well.",
            seed: self.seed,
            sections,
        })
    }
}
