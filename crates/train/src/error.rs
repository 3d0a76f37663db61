use std::fmt;
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
    /// A loss that is no number any more, or has exploded.
    #[error("{0}")]
    Diverged(Box<Diverged>),
}

/// What was seen of a training that has diverged.
#[derive(Clone, Debug, PartialEq)]
pub struct Diverged {
    /// The step, counted from 1.
    pub step: u64,
    /// Its loss.
    pub loss: f64,
    /// The running mean of the loss before the trouble; 0 where it came in the first steps.
    pub usual: f64,
    /// The (largest) learning rate.
    pub lr: f64,
    /// The limit of the gradients' norm; 0: none.
    pub clip: f64,
    /// Steps of warm-up.
    pub warmup: u64,
    /// The step of the newest checkpoint, written before the trouble.
    pub kept: Option<u64>,
}

impl fmt::Display for Diverged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { step, loss, .. } = self;
        write!(f, "training has diverged: the loss ")?;
        match loss.is_finite() {
            true => write!(f, "stayed far above what it was, {loss:.3e} at step {step}")?,
            false => write!(f, "became {loss} at step {step}")?,
        }
        if self.usual != 0.0 {
            write!(f, " (it was about {:.4} before)", self.usual)?;
        }
        write!(
            f,
            "; train again with a lower optimizer.lr (it is {:e}",
            self.lr
        )?;
        match self.clip {
            0.0 => write!(f, "), or with optimizer.clip = 1.0")?,
            clip => write!(f, "; gradients are already clipped at {clip})")?,
        }
        if self.warmup == 0 {
            write!(f, ", or with some steps of schedule.warmup")?;
        }
        match self.kept {
            Some(kept) => write!(
                f,
                "; the checkpoint of step {kept} is from before the trouble and can be sampled from"
            ),
            None => write!(f, "; no checkpoint was written before"),
        }
    }
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
