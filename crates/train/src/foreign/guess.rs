//! What network a state dict is of, where names and shapes tell: published DiT and SiT, and the course's U-Net.

use fokker_nn::{CourseUNetConfig, DiTConfig, DiTForm, VaeConfig};

use super::plan::{Hints, Plan};
use super::state_dict::StateDict;
use super::table::captures;
use crate::config::{NetworkConfig, ObjectiveConfig, PathConfig, PredictionConfig};

/// A DiT: noise on the discrete diffusion of 1,000 steps.
pub(super) fn dit(dict: &StateDict, hints: &Hints) -> Result<Plan, String> {
    let plan = transformer(dict, hints)?;
    let objective = ObjectiveConfig {
        prediction: PredictionConfig::Noise,
        steps: Some(1000),
        ..plan.objective
    };
    Ok(Plan {
        path: PathConfig::scheduler("ddpm"),
        objective,
        sampler: "ddim",
        ..plan
    })
}

/// A SiT: velocity on the straight path, t = 1 at the data there as here.
pub(super) fn sit(dict: &StateDict, hints: &Hints) -> Result<Plan, String> {
    transformer(dict, hints)
}

/// Heads of the published widths: S, B, L, XL.
const HEADS: [(usize, usize); 4] = [(384, 6), (768, 12), (1024, 16), (1152, 16)];

fn transformer(dict: &StateDict, hints: &Hints) -> Result<Plan, String> {
    let &[width, channels, patch, _] = shape(dict, "x_embedder.proj.weight")? else {
        return Err("x_embedder.proj.weight is not that of a convolution".into());
    };
    let depth = items(dict, "blocks.#.attn.qkv.weight");
    let &[hidden, _] = shape(dict, "blocks.0.mlp.fc1.weight")? else {
        return Err("blocks.0.mlp.fc1.weight is not that of a linear map".into());
    };
    let classes = rows(dict, "y_embedder.embedding_table.weight")?.saturating_sub(1);
    let pixels = rows(dict, "final_layer.linear.weight")?;
    let outputs = pixels / (patch * patch * channels).max(1);
    if !(1..=2).contains(&outputs) {
        return Err(format!(
            "final_layer.linear.weight has {pixels} rows: neither one nor two outputs for each of {channels} channels in patches of {patch}"
        ));
    }
    let size = match (hints.size, shape(dict, "pos_embed")) {
        (Some(size), _) => size,
        (None, Ok([1, tokens, _])) => tokens.isqrt() * patch,
        _ => return Err("the size of its images is not told by the file: give --size".into()),
    };
    let known = HEADS.iter().find(|(w, _)| *w == width).map(|(_, h)| *h);
    let heads = hints.heads.or(known).ok_or_else(|| {
        format!("the number of heads is not told by the file, and {width} is none of the published widths: give --heads")
    })?;
    Ok(Plan {
        network: NetworkConfig::DiT(DiTConfig {
            form: DiTForm::Original,
            patch,
            width,
            depth,
            heads,
            mlp_ratio: hidden / width.max(1),
            time_scale: 1.0,
        }),
        classes,
        objective: ObjectiveConfig {
            variance: outputs == 2,
            ..ObjectiveConfig::default()
        },
        null: true,
        ..Plan::plain(channels, size)
    })
}

/// The U-Net of lab three: velocity on the straight path.
pub(super) fn course_unet(dict: &StateDict, hints: &Hints) -> Result<Plan, String> {
    let &[first, channels, ..] = shape(dict, "init_conv.0.weight")? else {
        return Err("init_conv.0.weight is not that of a convolution".into());
    };
    let levels = items(dict, "encoders.#.downsample.weight");
    let coarser = (0..levels).map(|i| rows(dict, &format!("encoders.{i}.downsample.weight")));
    let widths: Result<Vec<usize>, String> = std::iter::once(Ok(first)).chain(coarser).collect();
    let &[_, embedding] = shape(dict, "y_embedder.weight")? else {
        return Err("y_embedder.weight is not a table".into());
    };
    Ok(Plan {
        network: NetworkConfig::CourseUNet(CourseUNetConfig {
            channels: widths?,
            blocks: items(dict, "midcoder.res_blocks.#.block1.2.weight"),
            embedding,
        }),
        classes: rows(dict, "y_embedder.weight")?.saturating_sub(1),
        null: true,
        ..Plan::plain(channels, hints.size.unwrap_or(32))
    })
}

/// The DiT of lab three, 2026: velocity on the straight path.
pub(super) fn course_dit(dict: &StateDict, hints: &Hints) -> Result<Plan, String> {
    let &[width, pixels] = shape(dict, "patches.proj.weight")? else {
        return Err("patches.proj.weight is not that of a linear map".into());
    };
    let channels = rows(dict, "head.conv.weight")?;
    let patch = (pixels / channels.max(1)).isqrt();
    let size = hints
        .size
        .unwrap_or(rows(dict, "positions")?.isqrt() * patch);
    let hidden = rows(dict, "blocks.0.mlp.fc1.weight")?;
    Ok(Plan {
        network: NetworkConfig::DiT(DiTConfig {
            depth: items(dict, "blocks.#.attn.qkv.weight"),
            width,
            heads: hints.heads.unwrap_or(8),
            mlp_ratio: hidden / width.max(1),
            ..DiTConfig::course(patch)
        }),
        classes: rows(dict, "class.weight").map_or(0, |n| n.saturating_sub(1)),
        null: true,
        ..Plan::plain(channels, size)
    })
}

/// The autoencoder of lab three, 2026.
pub(super) fn course_vae(dict: &StateDict, hints: &Hints) -> Result<Plan, String> {
    let &[_, channels, ..] = shape(dict, "stem.weight")? else {
        return Err("stem.weight is not that of a convolution".into());
    };
    let levels = items(dict, "down.#.blocks.0.norm.weight");
    let widths = (0..levels).map(|i| rows(dict, &format!("down.{i}.blocks.0.norm.weight")));
    let network = VaeConfig {
        channels: widths.collect::<Result<_, _>>()?,
        blocks: items(dict, "down.0.blocks.#.norm.weight"),
    };
    Ok(Plan {
        network: NetworkConfig::Vae(network),
        ..Plan::plain(channels, hints.size.unwrap_or(32))
    })
}

fn shape<'a>(dict: &'a StateDict, name: &str) -> Result<&'a [usize], String> {
    let what = || {
        let first: Vec<&str> = dict.names().take(3).collect();
        format!(
            "not of this family: there is no {name} (the first names are {})",
            first.join(", ")
        )
    };
    dict.shape(name).ok_or_else(what)
}

fn rows(dict: &StateDict, name: &str) -> Result<usize, String> {
    shape(dict, name)?
        .first()
        .copied()
        .ok_or_else(|| format!("{name} is a single number"))
}

/// How many items a list has, by the names like `pattern`.
fn items(dict: &StateDict, pattern: &str) -> usize {
    dict.names().filter_map(|n| captures(pattern, n)).count()
}
