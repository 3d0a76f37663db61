//! Weights that were trained elsewhere, and ours for others: a table of names for each family, and one engine.
//!
//! ```no_run
//! use std::path::Path;
//! use fokker_train::foreign::{self, Hints};
//!
//! # fn main() -> Result<(), fokker_train::TrainError> {
//! let family = foreign::family("dit")?;
//! let source = foreign::Source::open(Path::new("DiT-XL-2-256x256.pt"), family, None)?;
//! let run = foreign::import(&source, family, &Hints::default(), Path::new("runs/dit"))?;
//! foreign::export(&run, foreign::family("dit")?, Path::new("dit.safetensors"))?;
//! # Ok(())
//! # }
//! ```
//!
//! What a family's networks are asked for is part of what is imported: a DiT is told the number of a step and predicts the
//! noise of the discrete diffusion of DDPM (`path.scheduler = "ddpm"`, `objective.steps`), a SiT predicts the velocity of the
//! straight path, at t = 1 at the data there as here. A learned variance is kept and left alone (`objective.variance`).

mod course;
mod diffusers;
mod diffusers_dit;
mod diffusers_unet;
mod diffusers_vae;
mod dit;
mod elsewhere;
mod engine;
mod guess;
mod json;
mod pickle;
mod plan;
mod run;
mod source;
mod state_dict;
mod table;
mod torch_file;

pub use plan::Hints;
pub use run::{export, import, import_as};
pub use source::Source;
pub use state_dict::StateDict;

use fokker_nn::DiTForm;

use crate::TrainError;
use crate::config::NetworkConfig;
use plan::Plan;
use table::Row;

/// A kind of foreign network: its table of names, and how it is recognised.
pub struct Family {
    /// What it is called on the command line.
    pub name: &'static str,
    /// Whose networks they are.
    pub about: &'static str,
    rows: &'static [Row],
    /// What tensors were called once, and are now.
    old_names: &'static [(&'static str, &'static str)],
    /// Its folder in a pipeline of diffusers, where it is described by a `config.json`.
    folder: Option<&'static str>,
    plan: fn(&Source, &Hints) -> Result<Plan, String>,
    /// Is a network of ours of this family?
    takes: fn(&NetworkConfig) -> bool,
}

/// All families: help texts and tests iterate this slice.
pub const FAMILIES: &[Family] = &[
    Family {
        name: "dit",
        about: "DiT as published (facebookresearch/DiT)",
        rows: dit::ROWS,
        old_names: &[],
        folder: None,
        plan: |source, hints| guess::dit(&source.dict, hints),
        takes: |network| form(network) == Some(DiTForm::Original),
    },
    Family {
        name: "sit",
        about: "SiT as published (willisma/SiT)",
        rows: dit::ROWS,
        old_names: &[],
        folder: None,
        plan: |source, hints| guess::sit(&source.dict, hints),
        takes: |network| form(network) == Some(DiTForm::Original),
    },
    Family {
        name: "diffusers-dit",
        about: "DiTTransformer2DModel of diffusers",
        rows: diffusers_dit::ROWS,
        old_names: &[],
        folder: Some("transformer"),
        plan: |s, hints| diffusers::dit(s.config()?, s.scheduler.as_ref(), hints),
        takes: |network| form(network) == Some(DiTForm::Diffusers),
    },
    Family {
        name: "diffusers-unet",
        about: "UNet2DModel of diffusers",
        rows: diffusers_unet::ROWS,
        old_names: diffusers_vae::OLD_NAMES,
        folder: Some("unet"),
        plan: |s, hints| diffusers::unet(s.config()?, s.scheduler.as_ref(), hints),
        takes: |network| matches!(network, NetworkConfig::AdmUNet(_)),
    },
    Family {
        name: "autoencoder-kl",
        about: "AutoencoderKL of diffusers",
        rows: diffusers_vae::ROWS,
        old_names: diffusers_vae::OLD_NAMES,
        folder: Some("vae"),
        plan: |s, hints| diffusers::vae(s.config()?, hints),
        takes: |network| matches!(network, NetworkConfig::AutoencoderKl(_)),
    },
    Family {
        name: "course-unet",
        about: "the U-Net of the course's lab three, 2025",
        rows: course::UNET,
        old_names: &[],
        folder: None,
        plan: |source, hints| guess::course_unet(&source.dict, hints),
        takes: |network| matches!(network, NetworkConfig::CourseUNet(_)),
    },
    Family {
        name: "course-dit",
        about: "the DiT of the course's lab three, 2026",
        rows: course::DIT,
        old_names: &[],
        folder: None,
        plan: |source, hints| guess::course_dit(&source.dict, hints),
        takes: |network| form(network) == Some(DiTForm::Course),
    },
    Family {
        name: "course-vae",
        about: "the autoencoder of the course's lab three, 2026",
        rows: course::VAE,
        old_names: &[],
        folder: None,
        plan: |source, hints| guess::course_vae(&source.dict, hints),
        takes: |network| matches!(network, NetworkConfig::Vae(_)),
    },
];

fn form(network: &NetworkConfig) -> Option<DiTForm> {
    match network {
        NetworkConfig::DiT(config) => Some(config.form),
        _ => None,
    }
}

/// The family of this name.
///
/// # Errors
/// An unknown name; the message lists the known.
pub fn family(name: &str) -> Result<&'static Family, TrainError> {
    let found = FAMILIES.iter().find(|f| f.name == name);
    found.ok_or_else(|| {
        let known: Vec<&str> = FAMILIES.iter().map(|f| f.name).collect();
        TrainError::Config(format!(
            "unknown family {name}; known are {}",
            known.join(", ")
        ))
    })
}
