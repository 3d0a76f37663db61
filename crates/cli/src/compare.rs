//! `fokker compare`: sample quality against network calls, for all samplers at once.

mod charts;
mod contest;
mod counted;
mod lineup;
mod quality;
mod table;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use anyhow::{Result, bail};
use clap::Args;
use fokker::data::write_atomic;
use fokker::math::grid::Grid;
use fokker::train::Judge;
use fokker::{RunFolder, Shape};

use crate::args::DeviceArg;
use crate::distance::POINTS;
use crate::evaluate::check_judge;
use crate::how::HowArgs;
use crate::sample::Source;
use crate::target::{Format, check_place};
use crate::{End, output, stop};
use contest::{Contest, Results};
use counted::counted;
use lineup::Lineup;
use quality::Quality;

/// Compare the samplers on a run: quality against network calls, as a table and a plot
///
/// Every sampler walks from the same noise with each budget of network calls. Points: the exact 2-Wasserstein distance
/// to fresh data over that of data to data. Images with --judge: the Fréchet distance to the training images in the
/// features of that classifier. Samplers without noise of their own are also held against the fine solution of
/// --reference, from the same noise: the only measure of images without a judge. Writes compare.csv, compare.svg and
/// compare.html.
#[derive(Args)]
#[command(after_help = AFTER)]
pub(crate) struct CompareArgs {
    /// The run folder
    #[arg(value_name = "RUN")]
    run: PathBuf,

    /// Budgets of network calls for a sample, rising; a guided call counts once
    #[arg(long, value_name = "N,…", value_delimiter = ',', default_values_t = [5, 10, 20, 50, 100], value_parser = clap::value_parser!(u64).range(1..=100_000))]
    calls: Vec<u64>,

    /// The samplers, such as heun,ddim:0.5,dopri5:1e-3 [default: all that suit the run; those that choose their steps
    /// with four tolerances]
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    samplers: Vec<String>,

    /// Where the steps are, for all: native, uniform, log-snr, karras:RHO, cosine, shifted:S or quadratic
    #[arg(long, value_name = "GRID", default_value = "native")]
    grid_times: String,

    /// Guidance weight w, -100 to 100 [default: the run's]
    #[arg(long, short = 'w', value_name = "W", allow_negative_numbers = true)]
    guidance: Option<f64>,

    /// Number of samples of each [default: 5000 points or 1000 images]
    #[arg(long, short = 'n', value_name = "N", value_parser = clap::value_parser!(u64).range(10..=1_000_000))]
    count: Option<u64>,

    /// The sampler without noise that the others are measured by
    #[arg(long, value_name = "NAME", default_value = "heun")]
    reference: String,

    /// Its steps
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    reference_steps: u64,

    /// For images: a run of kind = "classifier", in whose features they are compared (see configs/fashion-judge.toml)
    #[arg(long, value_name = "RUN")]
    judge: Option<PathBuf>,

    /// Seed of the samples
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,

    /// A folder, or the beginning of the files' names [default: RUN/compare]
    #[arg(long, short, value_name = "OUT")]
    out: Option<PathBuf>,

    #[command(flatten)]
    device: DeviceArg,
}

const AFTER: &str = "\
Examples:
  fokker compare runs/8-gaussians
  fokker compare runs/8-gaussians --samplers heun,dpm++2m,unipc,dopri5 --calls 6,8,10,12,16,20
  fokker compare runs/fashion --judge runs/fashion-judge --count 500 --calls 5,10,20,50";

pub(crate) fn run(args: CompareArgs) -> Result<End> {
    stop::listen()?;
    let device = args.device.open()?;
    let budgets = budgets(&args.calls)?;
    let grid = grid(&args.grid_times)?;
    let source = Source::open(&args.run, &device)?;
    let stem = stem(&args, source.run.path())?;
    let image = matches!(source.shape, Shape::Image { .. });
    let judge = match &args.judge {
        Some(_) if !image => bail!("--judge judges images; this run makes points"),
        Some(path) => {
            let run = RunFolder::open(path)?;
            let judge = Judge::open(&run, &device)?;
            check_judge(&source, &run, &judge)?;
            Some(judge)
        }
        None => None,
    };
    let how = HowArgs {
        guidance: args.guidance.into_iter().collect(),
        ..HowArgs::default()
    };
    let (_, mut draw) = source.draw(&how, args.seed)?;
    draw.times = grid;
    draw.count = args
        .count
        .map_or(if image { 1000 } else { 5 * POINTS }, |n| n as usize);
    let calls = Arc::new(AtomicUsize::new(0));
    let flow = counted(&source.flow, &calls);
    let lineup = Lineup::new(source.shape, (&flow, &calls), &args, &budgets, &draw)?;
    if image && judge.is_none() {
        output::note(
            "without --judge (a run of kind = \"classifier\") images are only held against the fine solution, and samplers \
             with noise of their own are left out",
        );
    }
    lineup.notes.iter().for_each(|note| output::note(note));
    let Some(quality) = Quality::of(&source, judge, &mut draw)? else {
        return stopped();
    };
    let contest = Contest {
        source: &source,
        flow: &flow,
        calls: &calls,
        draw,
        quality,
        lineup,
        budgets,
    };
    let Some(results) = contest.run()? else {
        return stopped();
    };
    table::lines(&results)
        .iter()
        .for_each(|l| output::result(l));
    write(&results, &stem)
}

fn stopped() -> Result<End> {
    output::note("stopped; nothing was written");
    Ok(End::Stopped)
}

/// The three files, all made before the first is written.
fn write(results: &Results, stem: &Path) -> Result<End> {
    let (csv, svg) = (table::csv(results), charts::main(results));
    let html = charts::report(results).to_html();
    let texts = [("csv", csv), ("svg", svg), ("html", html)];
    for (ending, text) in texts {
        let path = with_ending(stem, ending);
        write_atomic(&path, text.as_bytes())?;
        output::result(&path.display().to_string());
    }
    Ok(End::Done)
}

/// `stem` with a dot and this ending; a dot of its own stays.
fn with_ending(stem: &Path, ending: &str) -> PathBuf {
    let mut name = stem.as_os_str().to_owned();
    name.push(format!(".{ending}"));
    name.into()
}

fn budgets(calls: &[u64]) -> Result<Vec<usize>> {
    if calls.is_sorted_by(|a, b| a < b) {
        return Ok(calls.iter().map(|c| *c as usize).collect());
    }
    let given: Vec<String> = calls.iter().map(u64::to_string).collect();
    let mut sorted = calls.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    let sorted: Vec<String> = sorted.iter().map(u64::to_string).collect();
    bail!(
        "--calls {}: expected rising numbers, each once: {}",
        given.join(","),
        sorted.join(",")
    )
}

fn grid(text: &str) -> Result<Grid> {
    let grid: Grid = text
        .parse()
        .map_err(|e| anyhow::anyhow!("--grid-times {text}: {e}"))?;
    if let Some(steps) = grid.steps() {
        bail!(
            "--grid-times {text}: this list has {steps} steps, but a comparison takes as many as each budget allows; give a \
             grid by name, such as shifted:3"
        );
    }
    Ok(grid)
}

/// Where the files go, without their endings.
fn stem(args: &CompareArgs, run: &Path) -> Result<PathBuf> {
    let stem = match &args.out {
        None => run.join("compare"),
        Some(out) if out.is_dir() => out.join("compare"),
        Some(out) => out.clone(),
    };
    for ending in ["csv", "svg", "html"] {
        check_place("--out", &with_ending(&stem, ending), Format::Table)?;
    }
    Ok(stem)
}
