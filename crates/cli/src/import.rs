//! `fokker import`: from somebody else's weights to a run folder.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::Args;
use fokker::Config;
use fokker::train::RunFolder;
use fokker::train::foreign::{self, FAMILIES, Hints, Source};

use crate::train::free_folder;
use crate::{End, output};

/// Make a run folder of weights that were trained elsewhere
///
/// WEIGHTS is a .safetensors file, what torch.save wrote (.pt, .pth, .bin), or a folder of diffusers. What the network is, and
/// what it is asked for, follows from names and shapes or from config.json; a recipe (--config) says it instead. The run is
/// sampled from like any other.
#[derive(Args)]
#[command(after_help = after_help())]
pub(crate) struct ImportArgs {
    /// The weights
    #[arg(value_name = "WEIGHTS")]
    weights: PathBuf,

    /// Whose network it is (see below)
    #[arg(long, value_name = "FAMILY")]
    family: String,

    /// A recipe (.toml), or the folder of diffusers' config.json
    #[arg(long, value_name = "PATH")]
    config: Option<PathBuf>,

    /// The run folder to make [default: runs/FAMILY, or the next free name]
    #[arg(long, short, value_name = "DIR")]
    out: Option<PathBuf>,

    /// A text file with the name of a class on each line
    #[arg(long, value_name = "FILE")]
    names: Option<PathBuf>,

    /// The run of the autoencoder whose latents the network works in: samples are then decoded
    #[arg(long, value_name = "RUN")]
    autoencoder: Option<PathBuf>,

    /// Pixels a side of an image (or a latent), where the file does not tell
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=8192))]
    size: Option<u16>,

    /// Heads of the attention, where the file does not tell
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    heads: Option<u16>,
}

/// The families, for help texts.
pub(crate) fn families() -> String {
    let rows = FAMILIES
        .iter()
        .map(|f| format!("\n  {:<16}{}", f.name, f.about));
    format!("Families:{}", rows.collect::<String>())
}

fn after_help() -> String {
    format!(
        "{}\n\nExamples:\n  fokker import DiT-XL-2-256x256.pt --family dit -o runs/dit\n  \
         fokker import ddpm-cifar10-32 --family diffusers-unet -o runs/cifar\n  \
         fokker import unet.pt --family course-unet -o runs/mine && fokker sample runs/mine --grid -o sheet.png",
        families()
    )
}

pub(crate) fn run(args: ImportArgs) -> Result<End> {
    let family = foreign::family(&args.family)?;
    let is_recipe = |path: &PathBuf| path.extension().is_some_and(|e| e == "toml");
    let (recipe, beside) = match &args.config {
        Some(path) if is_recipe(path) => (Some(path), None),
        beside => (None, beside.as_deref()),
    };
    let out = args.out.unwrap_or_else(|| free_folder(family.name));
    let source = Source::open(&args.weights, family, beside)?;
    let run = match recipe {
        Some(path) => {
            let hints = [args.names.is_some(), args.autoencoder.is_some()];
            if hints.contains(&true) || args.size.is_some() || args.heads.is_some() {
                bail!(
                    "--names, --autoencoder, --size and --heads say what a recipe says already; leave them out"
                );
            }
            let text = fs::read_to_string(path);
            let text = text.with_context(|| format!("cannot read {}", path.display()))?;
            let config = Config::parse(&text, &path.display().to_string(), &[])?.pinned()?;
            foreign::import_as(&source, family, config, &out)?
        }
        None => {
            let hints = Hints {
                size: args.size.map(usize::from),
                heads: args.heads.map(usize::from),
                names: args.names.as_deref().map(names).transpose()?,
                autoencoder: args.autoencoder,
            };
            foreign::import(&source, family, &hints, &out)?
        }
    };
    output::note(&describe(&run)?);
    output::result(&out.display().to_string());
    Ok(End::Done)
}

fn describe(run: &RunFolder) -> Result<String> {
    let info = run.info();
    let classes = match info.classes.len() {
        0 => String::new(),
        n => format!(", {n} classes"),
    };
    let network = run.config().network.name();
    let shape = info.shape()?;
    Ok(format!(
        "{network} of {} parameters on {shape}{classes}",
        info.parameters
    ))
}

/// The lines of a file of names.
fn names(path: &std::path::Path) -> Result<Vec<String>> {
    let text = fs::read_to_string(path);
    let text = text.with_context(|| format!("cannot read {}", path.display()))?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    Ok(lines.map(str::to_owned).collect())
}
