//! Networks whose settings parse but make no sense.

use fokker_nn::{
    AdmUNetConfig, CourseUNetConfig, DiTConfig, DiTForm, MlpConfig, MmDiTConfig,
    Transformer1dConfig, UNet1dConfig, UNetConfig,
};

use super::NetworkConfig;
use super::check::{Refusal, refuse, within};

/// The largest width of a layer.
const LARGEST: usize = 16_384;

fn widths(key: &str, values: &[usize]) -> Result<(), Refusal> {
    if values.is_empty() {
        return refuse(key, "expected at least one width, got an empty list");
    }
    match values.iter().find(|v| !(1..=LARGEST).contains(*v)) {
        Some(v) => refuse(key, format!("expected widths from 1 to {LARGEST}, got {v}")),
        None => Ok(()),
    }
}

fn between(key: &str, value: usize, low: usize, high: usize) -> Result<(), Refusal> {
    if (low..=high).contains(&value) {
        return Ok(());
    }
    refuse(key, format!("expected {low} to {high}, got {value}"))
}

fn even(key: &str, value: usize) -> Result<(), Refusal> {
    if value % 2 == 1 {
        return refuse(key, format!("expected an even width, got {value}"));
    }
    widths(key, &[value])
}

fn levels(channels: &[usize]) -> Result<(), Refusal> {
    widths("network.channels", channels)?;
    if channels.len() > 8 {
        return refuse("network.channels", "expected at most 8 levels");
    }
    Ok(())
}

impl NetworkConfig {
    /// Checks every value; an error is the key and what is wrong with its value.
    pub(crate) fn check(&self) -> Result<(), Refusal> {
        match self {
            Self::Mlp(config) => mlp(config),
            Self::UNet(config) => unet(config),
            Self::CourseUNet(config) => course_unet(config),
            Self::AdmUNet(config) => adm_unet(config),
            Self::DiT(config) => dit(config),
            Self::MmDiT(config) => mm_dit(config),
            Self::UNet1d(config) => unet1d(config),
            Self::Transformer1d(config) => transformer1d(config),
            Self::Classifier(config) => widths("network.channels", &config.channels),
        }
    }
}

fn mlp(config: &MlpConfig) -> Result<(), Refusal> {
    widths("network.hidden", &config.hidden)?;
    let features = config.time_features;
    if features % 2 == 1 || features > 4096 {
        let text = format!("expected an even number up to 4096, got {features}");
        return refuse("network.time_features", text);
    }
    widths("network.class_features", &[config.class_features])
}

fn unet(config: &UNetConfig) -> Result<(), Refusal> {
    levels(&config.channels)?;
    between("network.patch", config.patch, 1, 16)?;
    between("network.blocks", config.blocks, 1, 32)?;
    even("network.embedding", config.embedding)
}

fn course_unet(config: &CourseUNetConfig) -> Result<(), Refusal> {
    levels(&config.channels)?;
    between("network.blocks", config.blocks, 1, 32)?;
    even("network.embedding", config.embedding)
}

fn adm_unet(config: &AdmUNetConfig) -> Result<(), Refusal> {
    levels(&config.channels)?;
    even("network.channels", config.channels[0])?;
    between("network.blocks", config.blocks, 1, 32)?;
    between("network.groups", config.groups, 1, LARGEST)?;
    let levels = config.channels.len();
    if let Some(level) = config.attention.iter().find(|l| **l >= levels) {
        let text = format!(
            "expected levels from 0 (the finest) to {}, got {level}",
            levels - 1
        );
        return refuse("network.attention", text);
    }
    let last = levels - 1;
    let attentive = config.attention.iter().chain([&last]);
    for channels in attentive.map(|&level| config.channels[level]) {
        let width = config.head_width;
        if width > 0 && !channels.is_multiple_of(width) {
            let text = format!(
                "expected 0 or a divisor of the {channels} channels of a level with attention, got {width}"
            );
            return refuse("network.head_width", text);
        }
    }
    within("network.norm_epsilon", config.norm_epsilon, 1e-12, 1.0)?;
    within("network.dropout", config.dropout, 0.0, 0.99)?;
    within("network.time_scale", config.time_scale, -1e6, 1e6)?;
    within("network.time_offset", config.time_offset, -1e6, 1e6)?;
    within("network.time_shift", config.time_shift, 0.0, 1.0)?;
    between("network.text", config.text, 0, LARGEST)
}

/// What all transformers have.
fn transformer([width, depth, heads, ratio]: [usize; 4]) -> Result<(), Refusal> {
    widths("network.width", &[width])?;
    between("network.depth", depth, 1, 256)?;
    between("network.mlp_ratio", ratio, 1, 64)?;
    if heads == 0 || !width.is_multiple_of(heads) {
        let text = format!("expected a divisor of network.width = {width}, got {heads}");
        return refuse("network.heads", text);
    }
    Ok(())
}

fn time_scale(scale: f64) -> Result<(), Refusal> {
    within("network.time_scale", scale, f64::MIN_POSITIVE, 1e6)
}

fn mm_dit(config: &MmDiTConfig) -> Result<(), Refusal> {
    let MmDiTConfig {
        width,
        depth,
        heads,
        mlp_ratio,
        ..
    } = *config;
    between("network.patch", config.patch, 1, 64)?;
    transformer([width, depth, heads, mlp_ratio])?;
    if !(width / heads).is_multiple_of(4) {
        let text = format!(
            "expected heads of a multiple of 4 numbers, whose places are rows and columns, got {width}/{heads} = {}",
            width / heads
        );
        return refuse("network.heads", text);
    }
    between("network.text", config.text, 0, LARGEST)?;
    time_scale(config.time_scale)
}

fn unet1d(config: &UNet1dConfig) -> Result<(), Refusal> {
    levels(&config.channels)?;
    between("network.kernel", config.kernel, 1, 63)?;
    if config.kernel.is_multiple_of(2) {
        let text = format!("expected an odd number, got {}", config.kernel);
        return refuse("network.kernel", text);
    }
    between("network.groups", config.groups, 1, LARGEST)?;
    even("network.embedding", config.embedding)?;
    time_scale(config.time_scale)
}

fn transformer1d(config: &Transformer1dConfig) -> Result<(), Refusal> {
    let Transformer1dConfig {
        width,
        depth,
        heads,
        mlp_ratio,
        ..
    } = *config;
    between("network.patch", config.patch, 1, 4096)?;
    transformer([width, depth, heads, mlp_ratio])?;
    even("network.width", width)?;
    time_scale(config.time_scale)
}

fn dit(config: &DiTConfig) -> Result<(), Refusal> {
    between("network.patch", config.patch, 1, 64)?;
    let width = config.width;
    transformer([width, config.depth, config.heads, config.mlp_ratio])?;
    // Positions have sines and cosines of two coordinates, learned features of time those of one.
    let multiple = match config.form {
        DiTForm::Original => 4,
        DiTForm::Course => 2,
    };
    if !width.is_multiple_of(multiple) {
        let text = format!("expected a multiple of {multiple} in this form, got {width}");
        return refuse("network.width", text);
    }
    let usual = DiTConfig::default().time_scale;
    if config.form == DiTForm::Course && config.time_scale != usual {
        let text = "the course's form learns its features of time and has no scale; leave it out";
        return refuse("network.time_scale", text);
    }
    time_scale(config.time_scale)
}
