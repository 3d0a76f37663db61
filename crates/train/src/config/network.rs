//! Networks whose settings parse but make no sense.

use fokker_nn::{AutoencoderKlConfig, CourseUNetConfig, DiTConfig, DiTForm, MlpConfig, UNetConfig};

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
            Self::DiT(config) => dit(config),
            Self::Classifier(config) => widths("network.channels", &config.channels),
            Self::AutoencoderKl(config) => autoencoder_kl(config),
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

fn autoencoder_kl(config: &AutoencoderKlConfig) -> Result<(), Refusal> {
    levels(&config.channels)?;
    between("network.blocks", config.blocks, 1, 32)?;
    widths("network.latent_channels", &[config.latent_channels])?;
    between("network.groups", config.groups, 1, LARGEST)?;
    let groups = config.groups;
    if let Some(c) = config.channels.iter().find(|c| !c.is_multiple_of(groups)) {
        let text = format!("expected a divisor of all channels, got {groups} beside {c}");
        return refuse("network.groups", text);
    }
    within("network.scaling", config.scaling, f64::MIN_POSITIVE, 1e6)?;
    within("network.shift", config.shift, -1e6, 1e6)
}

fn dit(config: &DiTConfig) -> Result<(), Refusal> {
    between("network.patch", config.patch, 1, 64)?;
    widths("network.width", &[config.width])?;
    between("network.depth", config.depth, 1, 256)?;
    between("network.mlp_ratio", config.mlp_ratio, 1, 64)?;
    let width = config.width;
    if config.heads == 0 || !width.is_multiple_of(config.heads) {
        let heads = config.heads;
        let text = format!("expected a divisor of network.width = {width}, got {heads}");
        return refuse("network.heads", text);
    }
    // Positions have sines and cosines of two coordinates, learned features of time those of one.
    let multiple = match config.form {
        DiTForm::Original | DiTForm::Diffusers => 4,
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
    within(
        "network.time_scale",
        config.time_scale,
        f64::MIN_POSITIVE,
        1e6,
    )
}
