use std::path::PathBuf;

/// Everything that can go wrong while measuring, drawing and writing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EvalError {
    /// A file could not be read or written.
    #[error("cannot {action} {path}: {source}", path = path.display())]
    Io {
        /// What was being done: "read", "write", …
        action: &'static str,
        /// The file or folder it was done to.
        path: PathBuf,
        /// The reason the operating system gave.
        source: std::io::Error,
    },
    /// A file could not be written.
    #[error(transparent)]
    Write(#[from] fokker_data::DataError),
    /// The file is not a PNG at all.
    #[error("{path} is not a PNG file: it does not start with the PNG signature", path = path.display())]
    NotPng {
        /// The file.
        path: PathBuf,
    },
    /// The file starts like a PNG and then breaks its rules or the limits of this reader.
    #[error("{path} is a damaged PNG file: {reason}", path = path.display())]
    BadPng {
        /// The file.
        path: PathBuf,
        /// What was found.
        reason: String,
    },
    /// A picture could not be encoded.
    #[error("cannot encode the {format}: {reason}")]
    Encode {
        /// "PNG" or "GIF".
        format: &'static str,
        /// What the encoder refused.
        reason: String,
    },
    /// An SVG could not be drawn.
    #[error("cannot draw the SVG: {0}")]
    Svg(String),
    /// Two numbers that belong together do not match.
    #[error("{what}: expected {expected}, got {got}")]
    Shape {
        /// Which argument.
        what: &'static str,
        /// What would be right.
        expected: String,
        /// What was given.
        got: String,
    },
    /// A value is not a finite number where one is needed.
    #[error("{what}: value {index} is {value}; only finite numbers (up to 1e150) are allowed")]
    NotFinite {
        /// Which argument.
        what: &'static str,
        /// Position of the first offender.
        index: usize,
        /// The offender.
        value: f64,
    },
    /// Something that must not be empty is empty.
    #[error("{0} is empty; at least one is needed")]
    Empty(&'static str),
    /// An index points outside its list.
    #[error("{what}: entry {index} is {value}, but there are only {count} (0 to {count} − 1)")]
    OutOfRange {
        /// Which argument.
        what: &'static str,
        /// Position of the first offender.
        index: usize,
        /// The offender.
        value: usize,
        /// How many there are.
        count: usize,
    },
}

impl EvalError {
    /// The first value that is not finite, or larger than can be squared and summed, is an error.
    pub(crate) fn check_finite(what: &'static str, values: &[f64]) -> Result<(), Self> {
        match values
            .iter()
            .position(|v| !v.is_finite() || v.abs() > 1e150)
        {
            Some(index) => Err(Self::NotFinite {
                what,
                index,
                value: values[index],
            }),
            None => Ok(()),
        }
    }

    pub(crate) fn shape(what: &'static str, expected: impl ToString, got: impl ToString) -> Self {
        Self::Shape {
            what,
            expected: expected.to_string(),
            got: got.to_string(),
        }
    }
}
