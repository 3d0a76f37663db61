//! diffusers' `DiTTransformer2DModel`. Every block there has its own copy of the embeddings of time and class; in the published
//! checkpoints the copies are the same, and ours has them once.

use super::table::Layer::{Embedding, Linear, Patches};
use super::table::Row::{self, Fused, Layer, LeftOut, Part, Repeated};

/// The table.
pub(super) const ROWS: &[Row] = &[
    Layer("patches.proj", "pos_embed.proj", Patches),
    Repeated(
        "time.fc1",
        "transformer_blocks.*.norm1.emb.timestep_embedder.linear_1",
        Linear,
        "blocks",
    ),
    Repeated(
        "time.fc2",
        "transformer_blocks.*.norm1.emb.timestep_embedder.linear_2",
        Linear,
        "blocks",
    ),
    Repeated(
        "class.table",
        "transformer_blocks.*.norm1.emb.class_embedder.embedding_table",
        Embedding,
        "blocks",
    ),
    Part(
        "blocks.#.",
        "transformer_blocks.#.",
        &[
            Fused("attn.qkv", ["attn1.to_q", "attn1.to_k", "attn1.to_v"]),
            Layer("attn.proj", "attn1.to_out.0", Linear),
            Layer("mlp.fc1", "ff.net.0.proj", Linear),
            Layer("mlp.fc2", "ff.net.2", Linear),
            Layer("modulation", "norm1.linear", Linear),
        ],
    ),
    Layer("head.modulation", "proj_out_1", Linear),
    Layer("head.linear", "proj_out_2", Linear),
    // Fixed positions, which follow from a formula.
    LeftOut("pos_embed.pos_embed"),
];
