//! Why there is no encoder.

use std::io;
use std::path::{Path, PathBuf};

/// What can be wrong with the files of an encoder.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TextError {
    /// There are none where they are looked for.
    #[error("{what}. {how}")]
    Absent {
        /// Where they were looked for.
        what: String,
        /// How to get them.
        how: String,
    },
    /// A file could not be read.
    #[error("cannot read {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The answer of the operating system.
        source: io::Error,
    },
    /// A file does not hold what it should.
    #[error("{}: {what}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong, and what would be right.
        what: String,
    },
    /// Scalars that make no sense.
    #[error("{what}")]
    Scalars {
        /// What is wrong, and what would be right.
        what: String,
    },
    /// A caption that is not what the scalars' are.
    #[error("caption \"{text}\": {what}")]
    Caption {
        /// The caption.
        text: String,
        /// What is wrong, and what would be right.
        what: String,
    },
}

impl TextError {
    pub(crate) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self::Io { path, source }
    }

    pub(crate) fn file(path: &Path, what: impl Into<String>) -> Self {
        Self::File {
            path: path.to_owned(),
            what: what.into(),
        }
    }
}
