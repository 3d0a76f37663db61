//! The networks of the course's labs, with the names that its notebooks give them.

use super::table::Layer::{BatchNorm, Batched, Conv, Embedding, Linear, Norm, Tensor};
use super::table::Row::{self, Layer, Part};

/// The U-Net of lab three, 2025: `MNISTUNet`.
pub(super) const UNET: &[Row] = &[
    Layer("stem", "init_conv.0", Conv),
    Layer("stem_norm", "init_conv.1", BatchNorm),
    Layer("time.omega", "time_embedder.weights", Batched),
    Layer("class.table", "y_embedder", Embedding),
    Part("down.#.blocks.#.", "encoders.#.res_blocks.#.", UNET_BLOCK),
    Layer("down.#.resample", "encoders.#.downsample", Conv),
    Part("middle.#.", "midcoder.res_blocks.#.", UNET_BLOCK),
    Layer("up.#.resample", "decoders.#.upsample.1", Conv),
    Part("up.#.blocks.#.", "decoders.#.res_blocks.#.", UNET_BLOCK),
    Layer("head", "final_conv", Conv),
];

const UNET_BLOCK: &[Row] = &[
    Layer("norm_in", "block1.1", BatchNorm),
    Layer("conv_in", "block1.2", Conv),
    Layer("time.fc1", "time_adapter.0", Linear),
    Layer("time.fc2", "time_adapter.2", Linear),
    Layer("class.fc1", "y_adapter.0", Linear),
    Layer("class.fc2", "y_adapter.2", Linear),
    Layer("norm_out", "block2.1", BatchNorm),
    Layer("conv_out", "block2.2", Conv),
];

/// The DiT of lab three, 2026, with modules named as ours.
pub(super) const DIT: &[Row] = &[
    Layer("patches.proj", "patches.proj", Linear),
    Layer("time.omega", "time.omega", Tensor),
    Layer("class.table", "class", Embedding),
    Layer("positions", "positions", Tensor),
    Part(
        "blocks.#.",
        "blocks.#.",
        &[
            Layer("attn.qkv", "attn.qkv", Linear),
            Layer("attn.proj", "attn.proj", Linear),
            Layer("mlp.fc1", "mlp.fc1", Linear),
            Layer("mlp.fc2", "mlp.fc2", Linear),
            Layer("modulation", "modulation", Linear),
        ],
    ),
    Layer("head.mlp.fc1", "head.mlp.fc1", Linear),
    Layer("head.mlp.fc2", "head.mlp.fc2", Linear),
    Layer("head.conv", "head.conv", Conv),
];

/// The autoencoder of lab three, 2026, with modules named as ours.
pub(super) const VAE: &[Row] = &[
    Layer("stem", "stem", Conv),
    Part("down.#.", "down.#.", VAE_LEVEL),
    Layer("moments", "moments", Conv),
    Layer("latent", "latent", Conv),
    Part("up.#.", "up.#.", VAE_LEVEL),
    Layer("head", "head", Conv),
];

const VAE_LEVEL: &[Row] = &[
    Layer("blocks.#.norm", "blocks.#.norm", Norm),
    Layer("blocks.#.conv_in", "blocks.#.conv_in", Conv),
    Layer("blocks.#.conv_out", "blocks.#.conv_out", Conv),
    Layer("attention.norm", "attention.norm", Norm),
    Layer("attention.attention.qkv", "attention.qkv", Linear),
    Layer("attention.attention.proj", "attention.proj", Linear),
    Layer("resample", "resample", Conv),
];
