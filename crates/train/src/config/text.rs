use std::path::PathBuf;

use fokker_text::Scalar;
use serde::{Deserialize, Serialize};

/// The encoder of texts, for networks that read them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TextConfig {
    /// The folder or wheel of all-MiniLM-L6-v2; left out: where `FOKKER_MINILM` says, else the user's cache.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encoder: Option<PathBuf>,
    /// The scalars that captions are made of, such as `"angle = 30, size = 1.2"`, in the place of words; `network.text` = 8 for each is enough.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub scalars: Vec<Scalar>,
    /// Where the run folder keeps the encoded captions, once there is one.
    #[serde(skip)]
    pub(crate) kept: Option<PathBuf>,
}

impl TextConfig {
    /// Is every key as usual?
    pub(super) fn is_usual(&self) -> bool {
        self.encoder.is_none() && self.scalars.is_empty()
    }
}
