//! The layers networks are made of: one per file, each created from an [`Init`].

mod ada_ln;
mod attention;
mod batch_norm;
mod conv;
mod dit_head;
mod embed;
mod feed_forward;
mod fourier;
mod init;
mod linear;
mod norm;
mod patches;
mod positions;
mod time;

pub use ada_ln::AdaLnBlock;
pub(crate) use ada_ln::{parts, plain_norm};
pub use attention::Attention;
pub use batch_norm::BatchNorm;
pub use conv::Conv2d;
pub use dit_head::{AdaLnHead, FoldHead};
pub use embed::{ClassEmbedding, time_features};
pub use feed_forward::FeedForward;
pub use fourier::FourierTime;
pub use init::Init;
pub use linear::Linear;
pub use norm::GroupNorm;
pub use patches::Patches;
pub(crate) use patches::{PatchLayout, unpatch};
pub use positions::Positions;
pub use time::{TimeFeatures, TimestepEmbedder};
