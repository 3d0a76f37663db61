//! `fokker quickstart`: two minutes from nothing to garments.

use anyhow::Result;
use fokker::Config;

use crate::args::QuickstartArgs;
use crate::train::{self, Start};
use crate::{End, output};

/// The same file that `fokker train configs/quickstart.toml` reads.
const RECIPE: &str = include_str!("../../../configs/quickstart.toml");

pub(crate) fn run(args: QuickstartArgs) -> Result<End> {
    let device = args.device.open()?;
    let config = Config::parse(RECIPE, "quickstart", &args.set)?;
    let data = config.data.load(config.seed)?;
    let out = args.out.unwrap_or_else(|| train::free_folder(&config.name));
    output::note(&format!(
        "learning to draw garments, into {}",
        out.display()
    ));
    train::go(Start::New { config, out }, data, &device)
}
