//! diffusers' `UNet2DModel`.

use super::table::Layer::{Classes, Conv, Linear, Norm};
use super::table::Row::{self, Layer, Part};

/// The table.
pub(super) const ROWS: &[Row] = &[
    Layer("time.fc1", "time_embedding.linear_1", Linear),
    Layer("time.fc2", "time_embedding.linear_2", Linear),
    Layer("class.table", "class_embedding", Classes),
    Layer("conv_in", "conv_in", Conv),
    Part("down.#.blocks.#.", "down_blocks.#.resnets.#.", BLOCK),
    Part("down.#.attns.#.", "down_blocks.#.attentions.#.", ATTENTION),
    Layer("down.#.resample", "down_blocks.#.downsamplers.0.conv", Conv),
    Part("down.#.resample.", "down_blocks.#.downsamplers.0.", BLOCK),
    Part("middle.first.", "mid_block.resnets.0.", BLOCK),
    Part("middle.attn.", "mid_block.attentions.0.", ATTENTION),
    Part("middle.second.", "mid_block.resnets.1.", BLOCK),
    Part("up.#.blocks.#.", "up_blocks.#.resnets.#.", BLOCK),
    Part("up.#.attns.#.", "up_blocks.#.attentions.#.", ATTENTION),
    Layer("up.#.resample", "up_blocks.#.upsamplers.0.conv", Conv),
    Part("up.#.resample.", "up_blocks.#.upsamplers.0.", BLOCK),
    Layer("norm_out", "conv_norm_out", Norm),
    Layer("conv_out", "conv_out", Conv),
];

const BLOCK: &[Row] = &[
    Layer("norm1", "norm1", Norm),
    Layer("conv1", "conv1", Conv),
    Layer("embed", "time_emb_proj", Linear),
    Layer("norm2", "norm2", Norm),
    Layer("conv2", "conv2", Conv),
    Layer("shortcut", "conv_shortcut", Conv),
];

const ATTENTION: &[Row] = &[
    Layer("norm", "group_norm", Norm),
    Layer("q", "to_q", Linear),
    Layer("k", "to_k", Linear),
    Layer("v", "to_v", Linear),
    Layer("proj", "to_out.0", Linear),
];
