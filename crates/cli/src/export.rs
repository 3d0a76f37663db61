//! `fokker export`: a run's weights as others read them.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use fokker::RunFolder;
use fokker::train::foreign;

use crate::import::families;
use crate::{End, output};

/// Write a run's weights with the names that others give them
///
/// The weights are those that samples are made with: the newest checkpoint's moving average, where there is one. With a name
/// in .safetensors only that file is written, else a folder; for diffusers with config.json and, where the run is on a
/// discrete diffusion, scheduler_config.json, so that from_pretrained loads it.
#[derive(Args)]
#[command(after_help = after_help())]
pub(crate) struct ExportArgs {
    /// The run folder
    #[arg(value_name = "RUN")]
    run: PathBuf,

    /// For whose network (see below)
    #[arg(long, value_name = "FAMILY")]
    family: String,

    /// Where to write: a new folder, or a new .safetensors file
    #[arg(long, short, value_name = "OUT")]
    out: PathBuf,
}

fn after_help() -> String {
    format!(
        "{}\n\nExample:\n  fokker export runs/cifar --family diffusers-unet -o exported\n  \
         python -c 'from diffusers import UNet2DModel; UNet2DModel.from_pretrained(\"exported\")'",
        families()
    )
}

pub(crate) fn run(args: ExportArgs) -> Result<End> {
    let family = foreign::family(&args.family)?;
    let run = RunFolder::open(&args.run)?;
    foreign::export(&run, family, &args.out)?;
    output::result(&args.out.display().to_string());
    Ok(End::Done)
}
