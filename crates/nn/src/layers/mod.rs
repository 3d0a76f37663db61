//! The layers networks are made of: one per file, each created from an [`Init`].

mod ada_ln;
mod attention;
mod batch_norm;
mod condition;
mod conv;
mod conv1d;
mod dit_head;
mod dropout;
mod embed;
mod feed_forward;
mod fourier;
mod image_attention;
mod init;
mod joint;
mod linear;
mod norm;
mod patches;
mod positions;
mod rotary;
mod text;
mod time;

pub use ada_ln::AdaLnBlock;
pub(crate) use ada_ln::{parts, plain_norm};
pub use attention::Attention;
pub use batch_norm::BatchNorm;
pub(crate) use condition::{is_training, told};
pub use conv::Conv2d;
pub use conv1d::Conv1d;
pub use dit_head::{AdaLnHead, FoldHead};
pub use dropout::Dropout;
pub use embed::{ClassEmbedding, time_features};
pub use feed_forward::FeedForward;
pub use fourier::FourierTime;
pub use image_attention::ImageAttention;
pub use init::Init;
pub use joint::{HeadMap, JointBlock, LastText, Stream, TextStream};
pub use linear::Linear;
pub use norm::GroupNorm;
pub use patches::Patches;
pub(crate) use patches::{PatchLayout, unpatch};
pub use positions::Positions;
<<<<<<< HEAD
=======
pub use rotary::Rotary;
pub use text::{EncodedText, Text, TextEmbedding, TextTable};
>>>>>>> w7-nets
pub use time::{TimeFeatures, TimestepEmbedder};
