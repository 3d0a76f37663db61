//! The course's second lab: conditional and marginal paths, flow matching, score matching, and sampling by
//! ordinary and stochastic differential equations, every figure with its number.
//!
//! [`LabTwo::run`] trains everything anew and gives a [`LabReport`]. The same seed gives the same report.
//!
//! | section | trains | is held against |
//! |---|---|---|
//! | conditional path | – | N(αₜ z, βₜ² I), along its ODE and its SDE |
//! | marginal path | – | Monte-Carlo averages, the continuity equation |
//! | flow matching | the velocity on the ring of five modes | the loss's floor, the exact field, exact samples |
//! | score matching | velocity and noise in one network | the exact score, and the score from the field |
//! | SDE extension | – | the data's law, at five σ |
//! | couplings | normal → 8 Gaussians, moons → 8 Gaussians | the straight paths of optimal transport |
//! | checkerboards | from noise, and from circles | the board |

mod bench;
mod checkerboard;
mod conditional;
mod coupling;
mod flow_matching;
mod marginal;
mod measure;
mod points;
mod score;
mod sde;

use std::ops::ControlFlow;

use fokker_data::DataError;
use fokker_eval::EvalError;
use fokker_lab::report::{LabReport, LabSection};
use fokker_math::mixture::MixtureError;
use fokker_train::TrainError;

use bench::Bench;

/// The second lab, with its seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LabTwo {
    /// The seed of all randomness.
    pub seed: u64,
}

impl Default for LabTwo {
    /// Seed 1.
    fn default() -> LabTwo {
        LabTwo { seed: 1 }
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
    /// The share of the section's work that is done.
    pub share: f64,
    /// The share of the whole lab's work that is done.
    pub whole: f64,
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
    /// A training failed.
    #[error(transparent)]
    Training(#[from] TrainError),
    /// Data could not be made.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A mixture was refused.
    #[error(transparent)]
    Mixture(#[from] MixtureError),
    /// A picture could not be made.
    #[error(transparent)]
    Picture(#[from] EvalError),
}

/// Trains, samples, draws and checks one section.
type Chapter = fn(&mut Bench<'_>) -> Result<LabSection, LabError>;

/// In the order of the page, with the share of the work that each is.
const CHAPTERS: [(&str, f64, Chapter); 8] = [
    (conditional::TITLE, 0.02, conditional::section),
    (marginal::TITLE, 0.03, marginal::section),
    (flow_matching::TITLE, 0.15, flow_matching::section),
    (score::TITLE, 0.08, score::section),
    (sde::TITLE, 0.02, sde::section),
    (coupling::TITLE, 0.3, coupling::section),
    (checkerboard::NOISE, 0.2, checkerboard::from_noise),
    (checkerboard::CIRCLES, 0.2, checkerboard::from_circles),
];

impl LabTwo {
    /// Runs the lab. `progress` is told now and then how far it is, and may stop it.
    ///
    /// A failed check is no error: it stands in the report.
    ///
    /// # Errors
    /// [`LabError::Stopped`] when `progress` breaks; otherwise when a training or a picture fails, which
    /// the fixed settings give no cause for.
    pub fn run(
        &self,
        progress: &mut dyn FnMut(Step) -> ControlFlow<()>,
    ) -> Result<LabReport, LabError> {
        self.run_sections(&(1..=CHAPTERS.len()).collect::<Vec<_>>(), progress)
    }

    /// The same for some sections only, counted from 1; what they need of others is made as well.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub fn run_sections(
        &self,
        wanted: &[usize],
        progress: &mut dyn FnMut(Step) -> ControlFlow<()>,
    ) -> Result<LabReport, LabError> {
        let mut bench = Bench::new(self.seed, CHAPTERS.len(), progress);
        let mut sections = Vec::new();
        let mut before = 0.0;
        for (k, (title, share, chapter)) in CHAPTERS.iter().enumerate() {
            if wanted.contains(&(k + 1)) {
                bench.enter(k + 1, title, (before, *share))?;
                sections.push(chapter(&mut bench)?);
            }
            before += share;
        }
        Ok(LabReport {
            lab: "two",
            title: "flow matching and score matching",
            subtitle: "Conditional and marginal paths, fields and scores, learned and exact; one trained field, \
                       sampled by ordinary and stochastic equations",
            fixed: "hold a trained network, or samples of it, to a stated accuracy, or are exact",
            reading: "The accuracy is what these trainings are meant to reach: another seed gives other numbers, and \
                      nothing but experience says that it will pass. Where samples are held against the law of the data, \
                      their energy distance may be twice the largest of 30 pairs of exact samples.",
            seed: self.seed,
            sections,
        })
    }
}
