//! What can be wrong with a data set.

use std::io;
use std::path::{Path, PathBuf};

/// Why a data set was refused: where the fault lies, what it is and what would be right.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// A file or folder could not be read or written.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What was tried, as in "read" or "list".
        action: &'static str,
        /// The answer of the operating system.
        source: io::Error,
    },
    /// A file or folder does not hold what it should.
    #[error("{}: {what}; {right}", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong.
        what: String,
        /// What would be right.
        right: String,
    },
    /// One item (an image, a point, a label) of a data set is wrong.
    #[error("{set}: item {index}: {what}; {right}")]
    Item {
        /// The data set's name or path.
        set: String,
        /// The item, counted from 0.
        index: u64,
        /// What is wrong.
        what: String,
        /// What would be right.
        right: String,
    },
    /// The parts of a data set do not fit together.
    #[error("{set}: {what}; {right}")]
    Contents {
        /// The data set's name.
        set: String,
        /// What is wrong.
        what: String,
        /// What would be right.
        right: String,
    },
    /// An option has a value that it cannot have.
    #[error("{option}: {what}; {right}")]
    Option {
        /// The option's name, such as `modes`.
        option: String,
        /// What is wrong.
        what: String,
        /// What would be right.
        right: String,
    },
}

impl DataError {
    pub(crate) fn io(path: &Path, action: &'static str, source: io::Error) -> Self {
        Self::Io {
            path: path.into(),
            action,
            source,
        }
    }

    pub(crate) fn file(path: &Path, what: impl Into<String>, right: impl Into<String>) -> Self {
        Self::File {
            path: path.into(),
            what: what.into(),
            right: right.into(),
        }
    }

    pub(crate) fn item(
        set: impl Into<String>,
        index: usize,
        what: impl Into<String>,
        right: impl Into<String>,
    ) -> Self {
        let (set, what, right) = (set.into(), what.into(), right.into());
        Self::Item {
            set,
            index: index as u64,
            what,
            right,
        }
    }

    pub(crate) fn contents(
        set: impl Into<String>,
        what: impl Into<String>,
        right: impl Into<String>,
    ) -> Self {
        Self::Contents {
            set: set.into(),
            what: what.into(),
            right: right.into(),
        }
    }

    pub(crate) fn option(
        option: impl Into<String>,
        what: impl Into<String>,
        right: impl Into<String>,
    ) -> Self {
        Self::Option {
            option: option.into(),
            what: what.into(),
            right: right.into(),
        }
    }
}
