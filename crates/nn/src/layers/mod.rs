//! The layers networks are made of: one per file, each created from an [`Init`].

mod conv;
mod embed;
mod init;
mod linear;
mod norm;

pub use conv::Conv2d;
pub use embed::{ClassEmbedding, time_features};
pub use init::Init;
pub use linear::Linear;
pub use norm::GroupNorm;
