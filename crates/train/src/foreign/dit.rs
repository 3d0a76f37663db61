//! DiT and SiT as published (`facebookresearch/DiT`, `willisma/SiT`): the same names in both.

use super::table::Layer::{Embedding, Linear, Patches};
use super::table::Made::Positions;
use super::table::Row::{self, Layer, Made, Part};

/// The table.
pub(super) const ROWS: &[Row] = &[
    Layer("patches.proj", "x_embedder.proj", Patches),
    Layer("time.fc1", "t_embedder.mlp.0", Linear),
    Layer("time.fc2", "t_embedder.mlp.2", Linear),
    Layer("class.table", "y_embedder.embedding_table", Embedding),
    Part(
        "blocks.#.",
        "blocks.#.",
        &[
            Layer("attn.qkv", "attn.qkv", Linear),
            Layer("attn.proj", "attn.proj", Linear),
            Layer("mlp.fc1", "mlp.fc1", Linear),
            Layer("mlp.fc2", "mlp.fc2", Linear),
            Layer("modulation", "adaLN_modulation.1", Linear),
        ],
    ),
    Layer("head.modulation", "final_layer.adaLN_modulation.1", Linear),
    Layer("head.linear", "final_layer.linear", Linear),
    Made("pos_embed", Positions),
];
