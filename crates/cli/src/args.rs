//! The command line, as documentation.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::begin::BeginArgs;
use crate::compare::CompareArgs;
use crate::export::ExportArgs;
use crate::grid::GridArgs;
use crate::how::HowArgs;
use crate::import::ImportArgs;
use crate::lab::LabArgs;
use crate::likelihood::LikelihoodArgs;
use crate::prompt::PromptArgs;
use crate::simulate::args::SimulateArgs;

/// Simulate, train, sample and evaluate flow and diffusion models
///
/// fokker trains generative models that turn noise into data along a probability path. A training is
/// one TOML recipe and becomes one run folder: weights, samples, curves and a report that opens in a
/// browser. The same seed gives the same bits, whatever the batch, the thread count or an
/// interruption.
#[derive(Parser)]
#[command(name = "fokker", version, after_help = AFTER, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,

    /// Number of CPU threads [default: all cores]; results do not depend on it
    #[arg(long, global = true, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) threads: Option<u16>,
}

const AFTER: &str = "\
Examples:
  fokker quickstart                                learn to draw garments in two minutes
  fokker train configs/moons.toml                  a flow in the plane
  fokker train configs/fashion.toml --dry-run      show the resolved recipe
  fokker sample runs/moons -o points.csv           draw from it
  fokker likelihood runs/8-gaussians data          log-densities, beside the exact ones
  fokker train --resume runs/moons                 go on after Ctrl-C
  fokker simulate lorenz                           an ODE or an SDE, with pictures
  fokker lab one                                   simulation beside closed forms, in one page
  fokker lab two                                   flow matching beside exact fields, in one page
  fokker lab three                                 a conditional image generator, in half an hour";

#[derive(Subcommand)]
pub(crate) enum Command {
    Quickstart(QuickstartArgs),
    Train(TrainArgs),
    Sample(Box<SampleArgs>),
    Evaluate(EvaluateArgs),
    Compare(CompareArgs),
    Likelihood(LikelihoodArgs),
    Grid(GridArgs),
    Simulate(Box<SimulateArgs>),
    Lab(LabArgs),
    Import(ImportArgs),
    Export(ExportArgs),
    /// List the samplers with their order, cost and source
    Samplers,
    /// List the schedulers, paths, loss weights and laws of times that a recipe can name
    Schedulers,
    /// Print a completion script for a shell
    ///
    /// For bash: fokker completions bash > ~/.local/share/bash-completion/completions/fokker
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

/// Learn to draw garments from 2,000 embedded images, in two minutes
///
/// Trains a class-conditional flow-matching model (CondOT path, classifier-free guidance, a small
/// U-Net) on Fashion-MNIST images inside this binary, then samples from it. Leaves a run folder with
/// samples.png, loss.svg, trajectory.gif and report.html.
#[derive(Args)]
pub(crate) struct QuickstartArgs {
    /// The run folder to make [default: runs/quickstart, or the next free name]
    #[arg(long, short, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,

    /// Change the recipe: section.key=value, repeatable (see `fokker train --help`)
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) set: Vec<String>,

    #[command(flatten)]
    pub(crate) device: DeviceArg,
}

/// Train a model from a recipe
///
/// CONFIG is a TOML file (with --resume it may be left out); configs/ holds a commented one for each kind of data: toy distributions in
/// the plane, IDX files (MNIST and its kin), folders of images, NumPy arrays. Ctrl-C writes a
/// checkpoint and says how to go on; a resumed training ends with the same bits as one that was never
/// interrupted.
#[derive(Args)]
#[command(after_help = TRAIN_AFTER)]
pub(crate) struct TrainArgs {
    /// The recipe
    #[arg(required_unless_present = "resume", value_name = "CONFIG.toml")]
    pub(crate) config: Option<PathBuf>,

    /// Change the recipe: section.key=value, repeatable
    #[arg(long, value_name = "KEY=VALUE", conflicts_with = "resume")]
    pub(crate) set: Vec<String>,

    /// Folder or wheel of the text encoder, for a network that reads texts: short for --set text.encoder=PATH [default:
    /// $FOKKER_MINILM, ~/.cache/fokker/minilm]
    #[arg(long, value_name = "PATH", conflicts_with = "resume")]
    pub(crate) text_encoder: Option<PathBuf>,

    /// Go on with this run from its newest checkpoint
    #[arg(long, value_name = "RUN", conflicts_with = "out")]
    pub(crate) resume: Option<PathBuf>,

    /// The run folder to make [default: runs/NAME, or the next free name]
    #[arg(long, short, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,

    /// Read the data, print the resolved recipe and the sizes, and stop
    #[arg(long)]
    pub(crate) dry_run: bool,

    #[command(flatten)]
    pub(crate) kernels: KernelsArg,

    #[command(flatten)]
    pub(crate) device: DeviceArg,
}

const TRAIN_AFTER: &str = "\
Examples:
  fokker train configs/moons.toml
  fokker train configs/moons.toml --set train.steps=500 --set network.hidden=[64,64]
  fokker train --resume runs/moons";

/// Sample from a run
///
/// The file name decides the format: .png is a sheet of images (or a scatter plot of points), .npy an
/// array, .csv a table of points, and a name without extension a folder of single PNG files. Every PNG
/// carries the recipe that made it: `fokker sample --like image.png -o again.png` makes the same bits
/// again. Sample i of a seed is the same whatever --count is.
#[derive(Args)]
#[command(after_help = SAMPLE_AFTER)]
pub(crate) struct SampleArgs {
    /// The run folder (with --like: where the run is now, if it was moved)
    #[arg(required_unless_present = "like", value_name = "RUN")]
    pub(crate) run: Option<PathBuf>,

    /// Where to write: .png, .npy, .csv or a folder
    #[arg(long, short, value_name = "OUT", required_unless_present = "dry_run")]
    pub(crate) out: Option<PathBuf>,

    /// Classes by name or number, separated by commas, taken in turn; "none" for no class
    /// [default: all in turn]
    #[arg(long, value_name = "CLASS", value_delimiter = ',')]
    pub(crate) class: Vec<String>,

    #[command(flatten)]
    pub(crate) prompts: PromptArgs,

    /// Number of samples, made in blocks of --batch, of which the last costs as much as a full one [default: 16 images or 1000 points; with --grid 8 of each class]
    #[arg(long, short = 'n', value_name = "N", value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    pub(crate) count: Option<u64>,

    #[command(flatten)]
    pub(crate) how: HowArgs,

    /// Seed of the initial noise
    #[arg(long, value_name = "S", default_value_t = 0)]
    pub(crate) seed: u64,

    /// Lay the sheet out with a labelled row for each class
    #[arg(long)]
    pub(crate) grid: bool,

    /// Samples computed together: a number, or auto, which fits any memory: 1024 points or 16 images. The samples are the
    /// same
    #[arg(long, value_name = "N", default_value = "auto", value_parser = batch)]
    pub(crate) batch: Batch,

    #[command(flatten)]
    pub(crate) begin: BeginArgs,

    /// Make the samples of this PNG again, from the recipe inside it
    #[arg(long, value_name = "PNG", conflicts_with_all = ["class", "prompt", "count", "steps", "sampler", "grid_times", "tolerance", "sigma", "scheduler", "guidance", "guidance_interval", "guidance_rule", "negative", "autoguidance", "ema", "init", "interpolate", "seed", "grid"])]
    pub(crate) like: Option<PathBuf>,

    /// Print the recipe, the times of the steps and the network calls, and stop
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// Also write an animation from noise to samples
    #[arg(long, value_name = "GIF")]
    pub(crate) trajectory: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) kernels: KernelsArg,

    #[command(flatten)]
    pub(crate) device: DeviceArg,
}

/// Samples computed together; `None`: as many as is usual.
#[derive(Clone, Copy)]
pub(crate) struct Batch(pub(crate) Option<usize>);

fn batch(text: &str) -> Result<Batch, String> {
    match (text, text.parse()) {
        ("auto", _) => Ok(Batch(None)),
        (_, Ok(n @ 1..=65_536)) => Ok(Batch(Some(n))),
        _ => Err("expected auto or a number from 1 to 65536".into()),
    }
}

const SAMPLE_AFTER: &str = "\
Examples:
  fokker sample runs/quickstart --grid -o sheet.png
  fokker sample runs/quickstart --class sneaker,bag --count 32 --guidance 3 -o bags.png
  fokker sample runs/moons --count 10000 -o moons.csv
  fokker sample runs/quickstart --sampler dpm++2m --steps 10 --grid-times karras:7 -o fast.png
  fokker sample runs/quickstart --init bag.png --strength 0.5 --class sneaker -o shoe.png
  fokker sample runs/quickstart --init bag.png --mask hole.png --class bag -o mended.png
  fokker sample runs/quickstart --init bag.png --invert --from-class bag --class sneaker -n 1 -o edit.png
  fokker sample runs/quickstart --interpolate 3..7 --class coat -n 10 -o between.png
  fokker sample runs/emoji --prompt 'red heart, google style' --prompt 'a blue heart' --negative 'a face' -o hearts.png
  fokker sample runs/quickstart --sampler dopri5 --tolerance 1e-3 --dry-run
  fokker sample runs/quickstart --ema weights -o raw.png
  fokker sample --like sheet.png -o again.png";

/// Measure how good a run's samples are, and add it to its report
///
/// Points in the plane: the exact 2-Wasserstein distance to fresh data, beside the distance of data
/// to data, and the weight of every mode. Images: the agreement of a classifier (--judge) with the
/// requested classes, and the nearest training images of samples. A model of texts: sheets of 64 prompts
/// in prompts.html, and the rank of the right picture among 100 real ones.
#[derive(Args)]
pub(crate) struct EvaluateArgs {
    /// The run folder
    #[arg(value_name = "RUN")]
    pub(crate) run: PathBuf,

    /// A run of kind = "classifier" on the same classes (see configs/fashion-judge.toml)
    #[arg(long, value_name = "RUN")]
    pub(crate) judge: Option<PathBuf>,

    /// Number of samples to judge, for images
    #[arg(long, short = 'n', value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u64).range(16..=1_000_000))]
    pub(crate) count: u64,

    /// Captions that the run has not seen, a file beside their pictures, for a run that reads texts (scripts/emoji.sh leaves
    /// data/emoji/unseen.jsonl)
    #[arg(long, value_name = "JSONL", conflicts_with = "judge")]
    pub(crate) unseen: Option<PathBuf>,

    /// Folder or wheel of the text encoder, for --unseen [default: the recipe's text.encoder, $FOKKER_MINILM,
    /// ~/.cache/fokker/minilm]
    #[arg(long, value_name = "PATH", requires = "unseen")]
    pub(crate) text_encoder: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) how: HowArgs,

    /// Seed of the samples
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub(crate) seed: u64,

    #[command(flatten)]
    pub(crate) device: DeviceArg,
}

/// By which kernels to compute.
#[derive(Args)]
pub(crate) struct KernelsArg {
    /// Compute with plain tensor operations instead of the fused kernels: slower, for checking them
    #[arg(long)]
    pub(crate) reference: bool,
}

/// Where to compute.
#[derive(Args)]
pub(crate) struct DeviceArg {
    /// Where to compute: "cpu", or "vulkan" where the program was built with that feature
    #[arg(long = "device", value_name = "DEVICE", default_value = "cpu")]
    pub(crate) name: String,
}
