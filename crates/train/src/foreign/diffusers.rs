//! diffusers' `config.json` and `scheduler_config.json`, to plans and back.

use fokker_nn::{AdmUNetConfig, AutoencoderKlConfig, DiTConfig, DiTForm, Modulation, Resampling};
use serde_json::{Value, json};

use super::json::Json;
use super::plan::{Hints, Plan};
use crate::config::{
    BetasConfig, Config, NetworkConfig, ObjectiveConfig, PathConfig, PredictionConfig,
};

/// A DiT of `config.json`.
pub(super) fn dit(
    config: &Value,
    scheduler: Option<&Value>,
    hints: &Hints,
) -> Result<Plan, String> {
    let c = Json::new(config, "config.json");
    for (key, value) in [
        ("norm_type", json!("ada_norm_zero")),
        ("activation_fn", json!("gelu-approximate")),
        ("attention_bias", json!(true)),
        ("norm_elementwise_affine", json!(false)),
        ("norm_eps", json!(1e-5)),
    ] {
        c.only(key, value)?;
    }
    let heads = c.count("num_attention_heads", 16)?;
    let channels = c.count("in_channels", 4)?;
    let outputs = c.count("out_channels", channels)?;
    if outputs != channels && outputs != 2 * channels {
        return Err(c.wrong(
            "out_channels",
            "in_channels or twice as many",
            &json!(outputs),
        ));
    }
    let size = side(&c, hints)?;
    let network = DiTConfig {
        form: DiTForm::Diffusers,
        patch: c.count("patch_size", 2)?,
        width: heads * c.count("attention_head_dim", 72)?,
        depth: c.count("num_layers", 28)?,
        heads,
        mlp_ratio: 4,
        time_scale: 1.0,
    };
    let plan = diffusion(scheduler)?;
    Ok(Plan {
        network: NetworkConfig::DiT(network),
        image: [channels, size, size],
        classes: c.count("num_embeds_ada_norm", 1000)?,
        objective: ObjectiveConfig {
            variance: outputs != channels,
            ..plan.objective
        },
        null: true,
        ..plan
    })
}

/// An autoencoder of `config.json`.
pub(super) fn vae(config: &Value, hints: &Hints) -> Result<Plan, String> {
    let c = Json::new(config, "config.json");
    c.only("act_fn", json!("silu"))?;
    for (key, kind) in [
        ("down_block_types", "DownEncoderBlock2D"),
        ("up_block_types", "UpDecoderBlock2D"),
    ] {
        if let Some(types) = c.texts(key)?
            && let Some(other) = types.iter().find(|t| **t != kind)
        {
            return Err(c.wrong(key, kind, &json!(other)));
        }
    }
    let channels = c.count("in_channels", 3)?;
    c.only("out_channels", json!(channels))?;
    let maps = c.flag("use_quant_conv", true)?;
    c.only("use_post_quant_conv", json!(maps))?;
    let network = AutoencoderKlConfig {
        channels: c.counts("block_out_channels")?.unwrap_or(vec![64]),
        blocks: c.count("layers_per_block", 1)?,
        latent_channels: c.count("latent_channels", 4)?,
        groups: c.count("norm_num_groups", 32)?,
        attention: c.flag("mid_block_add_attention", true)?,
        latent_maps: maps,
        scaling: c.number("scaling_factor", 0.18215)?,
        shift: c.number("shift_factor", 0.0)?,
    };
    let size = side(&c, hints)?;
    Ok(Plan {
        network: NetworkConfig::AutoencoderKl(network),
        ..Plan::plain(channels, size)
    })
}

/// A U-Net of `config.json`.
pub(super) fn unet(
    config: &Value,
    scheduler: Option<&Value>,
    hints: &Hints,
) -> Result<Plan, String> {
    let c = Json::new(config, "config.json");
    for (key, value) in [
        ("center_input_sample", json!(false)),
        ("time_embedding_type", json!("positional")),
        ("mid_block_scale_factor", json!(1)),
        ("mid_block_type", json!("UNetMidBlock2D")),
        ("add_attention", json!(true)),
        ("act_fn", json!("silu")),
    ] {
        c.only(key, value)?;
    }
    if config.get("class_embed_type").is_some_and(|v| !v.is_null()) {
        return Err(c.wrong("class_embed_type", "null", &config["class_embed_type"]));
    }
    let channels = c
        .counts("block_out_channels")?
        .unwrap_or(vec![224, 448, 672, 896]);
    c.only("time_embedding_dim", json!(4 * channels[0]))?;
    let pixels = c.count("in_channels", 3)?;
    let outputs = c.count("out_channels", 3)?;
    if outputs != pixels && outputs != 2 * pixels {
        return Err(c.wrong(
            "out_channels",
            "in_channels or twice as many",
            &json!(outputs),
        ));
    }
    let groups = c.count("norm_num_groups", 32)?;
    let modulation = match c.text("resnet_time_scale_shift", "default")? {
        "default" => Modulation::Shift,
        "scale_shift" => Modulation::ScaleShift,
        other => {
            return Err(c.wrong(
                "resnet_time_scale_shift",
                "default or scale_shift",
                &json!(other),
            ));
        }
    };
    let middle = c.maybe_count("attn_norm_num_groups")?;
    if middle.is_some_and(|n| n != groups) {
        return Err(c.wrong("attn_norm_num_groups", "norm_num_groups", &json!(middle)));
    }
    let resample = match (
        c.text("downsample_type", "conv")?,
        c.text("upsample_type", "conv")?,
        c.count("downsample_padding", 1)?,
    ) {
        ("conv", "conv", 1) => Resampling::Conv,
        ("conv", "conv", 0) => Resampling::ConvRight,
        ("resnet", "resnet", _) => Resampling::Block,
        (down, up, padding) => {
            let got = format!("{down}, {up}, padding {padding}");
            return Err(c.wrong(
                "downsample_type, upsample_type",
                "conv or resnet, both",
                &json!(got),
            ));
        }
    };
    let resnet = resample == Resampling::Block;
    let attn = "AttnDownBlock2D";
    let down = c.texts("down_block_types")?;
    let down = down.unwrap_or(vec!["DownBlock2D", attn, attn, attn]);
    let attention = levels(
        &c,
        "down_block_types",
        &down,
        DOWN,
        (resnet, down.len() - 1),
    )?;
    let attn = "AttnUpBlock2D";
    let up = c.texts("up_block_types")?;
    let mut up = up.unwrap_or(vec![attn, attn, attn, "UpBlock2D"]);
    up.reverse();
    let above = levels(&c, "up_block_types", &up, UP, (resnet, 0))?;
    if down.len() != channels.len() || up.len() != channels.len() || above != attention {
        let got = json!([down, up]);
        return Err(c.wrong("up_block_types", "those of the way down, mirrored", &got));
    }
    // Without a width there is one head.
    let head_width = match config.get("attention_head_dim") {
        Some(Value::Null) => 0,
        _ => c.count("attention_head_dim", 8)?,
    };
    let network = AdmUNetConfig {
        channels,
        blocks: c.count("layers_per_block", 2)?,
        attention,
        head_width,
        groups,
        norm_epsilon: c.number("norm_eps", 1e-5)?,
        modulation,
        resample,
        middle_norm: modulation == Modulation::Shift || middle.is_some(),
        dropout: c.number("dropout", 0.0)?,
        time_scale: 1.0,
        time_offset: 0.0,
        time_shift: c.number("freq_shift", 0.0)?,
        sines_first: !c.flag("flip_sin_to_cos", true)?,
        text: 0,
    };
    let size = side(&c, hints)?;
    let plan = diffusion(scheduler)?;
    Ok(Plan {
        network: NetworkConfig::AdmUNet(network),
        image: [pixels, size, size],
        classes: c.count("num_class_embeds", 0)?,
        objective: ObjectiveConfig {
            variance: outputs != pixels,
            ..plan.objective
        },
        ..plan
    })
}

/// The kinds of blocks down: plain, plain where residual blocks resample, with attention.
const DOWN: [&str; 3] = ["DownBlock2D", "ResnetDownsampleBlock2D", "AttnDownBlock2D"];
/// The same up.
const UP: [&str; 3] = ["UpBlock2D", "ResnetUpsampleBlock2D", "AttnUpBlock2D"];

/// Which levels have attention, finest first. A plain block resamples by a convolution whatever is asked for, so that its kind must be
/// the one that fits, but for the level `free`, which does not resample.
fn levels(
    c: &Json<'_>,
    key: &str,
    types: &[&str],
    kinds: [&str; 3],
    (resnet, free): (bool, usize),
) -> Result<Vec<usize>, String> {
    let [plain, other] = if resnet {
        [kinds[1], kinds[0]]
    } else {
        [kinds[0], kinds[1]]
    };
    let mut found = Vec::new();
    for (i, kind) in types.iter().enumerate() {
        if *kind == kinds[2] {
            found.push(i);
        } else if *kind != plain && (*kind != other || i != free) {
            let expected = format!("{plain} or {}", kinds[2]);
            return Err(c.wrong(key, &expected, &json!(kind)));
        }
    }
    Ok(found)
}

/// The discrete diffusion of `scheduler_config.json`, or the usual one.
fn diffusion(scheduler: Option<&Value>) -> Result<Plan, String> {
    let none = Value::Null;
    let s = Json::new(scheduler.unwrap_or(&none), "scheduler_config.json");
    let betas = match s.text("beta_schedule", "linear")? {
        "linear" => BetasConfig::Linear,
        "scaled_linear" => BetasConfig::ScaledLinear,
        other => {
            let expected = "linear or scaled_linear, which are supported";
            return Err(s.wrong("beta_schedule", expected, &json!(other)));
        }
    };
    let prediction = match s.text("prediction_type", "epsilon")? {
        "epsilon" => PredictionConfig::Noise,
        "v_prediction" => PredictionConfig::V,
        "sample" => PredictionConfig::Data,
        other => {
            return Err(s.wrong(
                "prediction_type",
                "epsilon, v_prediction or sample",
                &json!(other),
            ));
        }
    };
    s.only("rescale_betas_zero_snr", json!(false))?;
    let steps = s.count("num_train_timesteps", 1000)?;
    let steps =
        u32::try_from(steps).map_err(|_| s.wrong("num_train_timesteps", "fewer", &json!(steps)))?;
    Ok(Plan {
        path: PathConfig {
            beta_start: Some(s.number("beta_start", 1e-4)?),
            beta_end: Some(s.number("beta_end", 0.02)?),
            betas: Some(betas),
            steps: Some(steps),
            ..PathConfig::scheduler("ddpm")
        },
        objective: ObjectiveConfig {
            prediction,
            steps: Some(steps),
            ..ObjectiveConfig::default()
        },
        sampler: "ddim",
        ..Plan::plain(0, 0)
    })
}

/// The largest side of an image, as on the command line.
const LARGEST_SIDE: usize = 8192;

/// Pixels a side.
fn side(c: &Json, hints: &Hints) -> Result<usize, String> {
    if let Some(size) = hints.size {
        return Ok(size);
    }
    match c.count("sample_size", 32)? {
        size if size > LARGEST_SIDE => {
            let expected = format!("a whole number up to {LARGEST_SIDE}");
            Err(c.wrong("sample_size", &expected, &json!(size)))
        }
        size => Ok(size),
    }
}

/// `config.json` of a network for images of this shape, with this many classes; `null`: their table has a row for ∅.
///
/// # Errors
/// In words: a network that diffusers does not have.
pub(super) fn describe(
    config: &Config,
    [channels, height, width]: [usize; 3],
    classes: usize,
    null: bool,
) -> Result<Value, String> {
    if height != width {
        return Err(format!(
            "diffusers' networks have square images, and these are {height}×{width}"
        ));
    }
    let outputs = channels * config.objective.parametrization().outputs();
    Ok(match &config.network {
        NetworkConfig::DiT(net) => json!({
            "_class_name": "DiTTransformer2DModel",
            "_diffusers_version": VERSION,
            "activation_fn": "gelu-approximate",
            "attention_bias": true,
            "attention_head_dim": net.width / net.heads,
            "dropout": 0.0,
            "in_channels": channels,
            "norm_elementwise_affine": false,
            "norm_eps": 1e-5,
            "norm_num_groups": 32,
            "norm_type": "ada_norm_zero",
            "num_attention_heads": net.heads,
            "num_embeds_ada_norm": classes,
            "num_layers": net.depth,
            "out_channels": outputs,
            "patch_size": net.patch,
            "sample_size": height,
            "upcast_attention": false,
        }),
        NetworkConfig::AutoencoderKl(net) => {
            let levels = net.channels.len();
            json!({
                "_class_name": "AutoencoderKL",
                "_diffusers_version": VERSION,
                "act_fn": "silu",
                "block_out_channels": net.channels,
                "down_block_types": vec!["DownEncoderBlock2D"; levels],
                "in_channels": channels,
                "latent_channels": net.latent_channels,
                "layers_per_block": net.blocks,
                "mid_block_add_attention": net.attention,
                "norm_num_groups": net.groups,
                "out_channels": channels,
                "sample_size": height,
                "scaling_factor": net.scaling,
                "shift_factor": if net.shift == 0.0 { Value::Null } else { json!(net.shift) },
                "up_block_types": vec!["UpDecoderBlock2D"; levels],
                "use_post_quant_conv": net.latent_maps,
                "use_quant_conv": net.latent_maps,
            })
        }
        NetworkConfig::AdmUNet(net) => {
            describe_unet(net, [channels, outputs, height], classes, null)?
        }
        other => return Err(format!("diffusers has no {} like ours", other.name())),
    })
}

fn describe_unet(
    net: &AdmUNetConfig,
    [channels, outputs, size]: [usize; 3],
    classes: usize,
    null: bool,
) -> Result<Value, String> {
    if net.text > 0 || net.time_scale != 1.0 || net.time_offset != 0.0 {
        return Err(
            "UNet2DModel has no text and is told the number of a step: it needs network.time_scale = 1, time_offset = 0 and \
             objective.steps"
                .into(),
        );
    }
    let resnet = net.resample == Resampling::Block;
    let kinds = |kinds: [&'static str; 3]| {
        let plain = kinds[usize::from(resnet)];
        let attentive = |i| net.attention.contains(&i);
        let kind = move |i| if attentive(i) { kinds[2] } else { plain };
        (0..net.channels.len()).map(kind)
    };
    let shift = net.modulation == Modulation::Shift;
    let kind = if resnet { "resnet" } else { "conv" };
    Ok(json!({
        "_class_name": "UNet2DModel",
        "_diffusers_version": VERSION,
        "act_fn": "silu",
        "add_attention": true,
        "attention_head_dim": if net.head_width == 0 { Value::Null } else { json!(net.head_width) },
        "attn_norm_num_groups": if shift || !net.middle_norm { Value::Null } else { json!(net.groups) },
        "block_out_channels": net.channels,
        "center_input_sample": false,
        "class_embed_type": null,
        "down_block_types": kinds(DOWN).collect::<Vec<_>>(),
        "downsample_padding": if net.resample == Resampling::ConvRight { 0 } else { 1 },
        "downsample_type": kind,
        "dropout": net.dropout,
        "flip_sin_to_cos": !net.sines_first,
        "freq_shift": net.time_shift,
        "in_channels": channels,
        "layers_per_block": net.blocks,
        "mid_block_scale_factor": 1,
        "norm_eps": net.norm_epsilon,
        "norm_num_groups": net.groups,
        "num_class_embeds": if classes == 0 { Value::Null } else { json!(classes + usize::from(null)) },
        "out_channels": outputs,
        "resnet_time_scale_shift": if shift { "default" } else { "scale_shift" },
        "sample_size": size,
        "time_embedding_type": "positional",
        "up_block_types": kinds(UP).rev().collect::<Vec<_>>(),
        "upsample_type": kind,
    }))
}

/// The version whose configurations these are.
const VERSION: &str = "0.42.0";

/// `scheduler_config.json` of a recipe on a discrete diffusion; `None` for other paths.
pub(super) fn describe_scheduler(config: &Config) -> Option<Value> {
    let path = &config.path;
    let prediction = match config.objective.prediction {
        PredictionConfig::Noise => "epsilon",
        PredictionConfig::V => "v_prediction",
        PredictionConfig::Data => "sample",
        _ => return None,
    };
    (path.scheduler.as_deref() == Some("ddpm")).then(|| {
        json!({
            "_class_name": "DDIMScheduler",
            "_diffusers_version": VERSION,
            "beta_end": path.beta_end.unwrap_or(0.02),
            "beta_schedule": match path.betas.unwrap_or_default() {
                BetasConfig::Linear => "linear",
                BetasConfig::ScaledLinear => "scaled_linear",
            },
            "beta_start": path.beta_start.unwrap_or(1e-4),
            "clip_sample": false,
            "num_train_timesteps": path.steps.unwrap_or(1000),
            "prediction_type": prediction,
            "set_alpha_to_one": true,
            "timestep_spacing": "trailing",
        })
    })
}
