//! diffusers' `AutoencoderKL`.

use super::table::Layer::{Conv, Linear, Norm};
use super::table::Row::{self, Fused, Layer, Part};

/// The table.
pub(super) const ROWS: &[Row] = &[
    Layer("encoder.stem", "encoder.conv_in", Conv),
    Part(
        "encoder.levels.#.blocks.#.",
        "encoder.down_blocks.#.resnets.#.",
        RESIDUAL,
    ),
    Layer(
        "encoder.levels.#.resample",
        "encoder.down_blocks.#.downsamplers.0.conv",
        Conv,
    ),
    Part("encoder.middle.", "encoder.mid_block.", MIDDLE),
    Layer("encoder.norm", "encoder.conv_norm_out", Norm),
    Layer("encoder.head", "encoder.conv_out", Conv),
    Layer("moments", "quant_conv", Conv),
    Layer("latent", "post_quant_conv", Conv),
    Layer("decoder.stem", "decoder.conv_in", Conv),
    Part("decoder.middle.", "decoder.mid_block.", MIDDLE),
    Part(
        "decoder.levels.#.blocks.#.",
        "decoder.up_blocks.#.resnets.#.",
        RESIDUAL,
    ),
    Layer(
        "decoder.levels.#.resample",
        "decoder.up_blocks.#.upsamplers.0.conv",
        Conv,
    ),
    Layer("decoder.norm", "decoder.conv_norm_out", Norm),
    Layer("decoder.head", "decoder.conv_out", Conv),
];

const MIDDLE: &[Row] = &[
    Part("before.", "resnets.0.", RESIDUAL),
    Layer("norm", "attentions.0.group_norm", Norm),
    Fused(
        "attention.qkv",
        [
            "attentions.0.to_q",
            "attentions.0.to_k",
            "attentions.0.to_v",
        ],
    ),
    Layer("attention.proj", "attentions.0.to_out.0", Linear),
    Part("after.", "resnets.1.", RESIDUAL),
];

const RESIDUAL: &[Row] = &[
    Layer("norm_in", "norm1", Norm),
    Layer("conv_in", "conv1", Conv),
    Layer("norm_out", "norm2", Norm),
    Layer("conv_out", "conv2", Conv),
    Layer("shortcut", "conv_shortcut", Conv),
];

/// What the attention's maps were called before diffusers 0.16, and are now.
pub(super) const OLD_NAMES: &[(&str, &str)] = &[
    (".query.", ".to_q."),
    (".key.", ".to_k."),
    (".value.", ".to_v."),
    (".proj_attn.", ".to_out.0."),
];
