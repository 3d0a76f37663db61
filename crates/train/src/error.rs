use std::path::PathBuf;

use fokker_data::DataError;
use fokker_text::TextError;

/// What can go wrong between a configuration file and a trained model.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// A configuration that cannot be understood or makes no sense.
    #[error("{0}")]
    Config(String),
    /// Data that cannot be read.
    #[error(transparent)]
    Data(#[from] DataError),
    /// No encoder of texts, or one that cannot be read.
    #[error("text encoder: {0}")]
    Text(#[from] TextError),
    /// A file or folder that cannot be read or written.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// "read", "write" …
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's answer.
        source: std::io::Error,
    },
    /// A run folder or checkpoint that is not what it should be.
    #[error("{}: {what}", path.display())]
    Run {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong with it, and what would be right.
        what: String,
    },
    /// A batch whose rows cannot be paired.
    #[error("step {step}: {error}; change epsilon or rho of [coupling], or the batch")]
    Coupling {
        /// The step.
        step: u64,
        /// Why not.
        error: fokker_math::transport::TransportError,
    },
    /// A loss that is no number any more.
    #[error(
        "the loss became {loss} at step {step}: training has diverged; lower optimizer.lr or set \
         optimizer.clip (checkpoints written before are intact)"
    )]
    Diverged {
        /// The step.
        step: u64,
        /// The loss.
        loss: f64,
    },
}

impl TrainError {
    pub(crate) fn io(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io {
            action,
            path,
            source,
        }
    }

    pub(crate) fn run(path: impl Into<PathBuf>, what: impl Into<String>) -> Self {
        Self::Run {
            path: path.into(),
            what: what.into(),
        }
    }
}
