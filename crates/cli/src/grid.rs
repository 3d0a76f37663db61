//! `fokker grid`: the times of a few steps, searched for a run's model.

use std::ops::ControlFlow;
use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::Args;
use fokker::Draw;
use fokker::core::{FoundGrid, GridSearchError, GridTrials, searchable};
use fokker::data::write_atomic;
use fokker::math::grid::Grid;

use crate::args::DeviceArg;
use crate::how::{HowArgs, find_sampler};
use crate::progress::Progress;
use crate::sample::Source;
use crate::target::{Format, check_place};
use crate::{End, output, stop};

/// The Heun steps in t that stand for the flow itself.
const FINE: usize = 200;

/// Search the times at which a sampler's few steps serve a run's model best
///
/// From the same noise, a sampler's few steps and 200 Heun steps end in different places; the times are moved until the root
/// mean square of the difference is least, starting from the best grid that has a name. Noise that the search has not seen
/// then judges all grids. The last line printed is the list of times, for `fokker sample --grid-times`. Ctrl-C ends the
/// search with the best times so far.
#[derive(Args)]
#[command(after_help = AFTER)]
pub(crate) struct GridArgs {
    /// The run folder
    #[arg(value_name = "RUN")]
    run: PathBuf,

    /// The sampler, one that draws no noise and walks a grid, see `fokker samplers` [default: the run's]
    #[arg(long, value_name = "NAME")]
    sampler: Option<String>,

    /// Steps from noise to data
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u64).range(1..=1000))]
    steps: u64,

    /// Samples to try times on, and as many others to judge them
    #[arg(long, short = 'n', value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    count: u64,

    /// At most this many sweeps over all times
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=1000))]
    sweeps: u64,

    /// Search along another scheduler than the run was trained on, see `fokker schedulers` [default: the run's]
    #[arg(long, value_name = "NAME")]
    scheduler: Option<String>,

    /// Guidance weight w, as for `fokker sample` [default: the run's]
    #[arg(long, short = 'w', value_name = "W", allow_negative_numbers = true)]
    guidance: Option<f64>,

    /// Seed of the noise
    #[arg(long, value_name = "S", default_value_t = 0)]
    seed: u64,

    /// Also write the list of times to a file
    #[arg(long, short, value_name = "TXT")]
    out: Option<PathBuf>,

    #[command(flatten)]
    device: DeviceArg,
}

const AFTER: &str = "\
Examples:
  fokker grid runs/fashion --sampler dpm++2m --steps 8 -o times.txt
  fokker sample runs/fashion --sampler dpm++2m --grid-times $(cat times.txt) -o sheet.png
  fokker grid runs/8-gaussians --sampler ddim --steps 5 --count 1000";

pub(crate) fn run(args: GridArgs) -> Result<End> {
    stop::listen()?;
    let device = args.device.open()?;
    if let Some(out) = &args.out {
        check_place("--out", out, Format::Table)?;
    }
    let source = Source::open(&args.run, &device)?;
    let own = &source.run.config().sample.sampler;
    let name = find_sampler(args.sampler.as_deref().unwrap_or(own))?;
    searchable(name).map_err(|error| anyhow::anyhow!("--sampler {name}: {error}"))?;
    let how = HowArgs {
        sampler: args.sampler.clone(),
        steps: Some(args.steps),
        scheduler: args.scheduler.clone(),
        guidance: args.guidance.into_iter().collect(),
        ..HowArgs::default()
    };
    let (_, draw) = source.draw(&how, args.seed)?;
    if draw.steps < 2 {
        bail!("--steps: {}", GridSearchError::Steps(draw.steps));
    }
    let stopped = || {
        output::note("stopped before there was a grid");
        Ok(End::Stopped)
    };
    let Some(trials) = trials(&source, &draw, "fine", 0..args.count)? else {
        return stopped();
    };
    let Some(found) = search(&trials, &draw, args.sweeps as usize)? else {
        return stopped();
    };
    let unseen = match found.stopped {
        true => None,
        false => trials_unseen(&source, &draw, args.count)?,
    };
    let interrupted = unseen.is_none();
    print(&draw, &found, unseen.as_ref());
    if interrupted {
        output::note("stopped: these are the best times so far, not judged on other noise");
    }
    let list = Grid::given(&found.times)?.to_string();
    if let Some(out) = &args.out {
        write_atomic(out, format!("{list}\n").as_bytes())?;
        output::note(&format!("wrote {}", out.display()));
    }
    output::result(&list);
    Ok(if interrupted { End::Stopped } else { End::Done })
}

/// Walks of these samples with their fine ends; `None` on Ctrl-C.
fn trials<'a>(
    source: &'a Source,
    draw: &Draw,
    what: &'static str,
    samples: std::ops::Range<u64>,
) -> Result<Option<GridTrials<'a>>> {
    let count = samples.end - samples.start;
    let mut bar = Progress::shares(what);
    let trials = source
        .flow
        .grid_trials(draw, samples, FINE, &mut |done, planned| {
            watch(&mut bar, done, planned, || format!("{count} samples"))
        });
    match trials {
        Err(GridSearchError::Stopped) => Ok(None),
        Err(error) => Err(error.into()),
        Ok(trials) => {
            bar.finish(&format!("{count} samples, {FINE} Heun steps"));
            Ok(Some(trials))
        }
    }
}

fn trials_unseen<'a>(
    source: &'a Source,
    draw: &Draw,
    count: u64,
) -> Result<Option<GridTrials<'a>>> {
    trials(source, draw, "judging", count..2 * count)
}

/// The search with progress; `None` on Ctrl-C before there is anything.
fn search(trials: &GridTrials<'_>, draw: &Draw, sweeps: usize) -> Result<Option<FoundGrid>> {
    let mut bar = Progress::shares("search");
    let found = trials.search(draw.steps, sweeps, &mut |done, planned| {
        watch(&mut bar, done, planned, || {
            format!("{} steps of {}", draw.steps, draw.sampler)
        })
    });
    match found {
        Err(GridSearchError::Stopped) => Ok(None),
        Err(error) => Err(error.into()),
        Ok(found) => {
            bar.finish(&format!(
                "{} sweeps, error {:.3e}",
                found.sweeps, found.error
            ));
            Ok(Some(found))
        }
    }
}

fn watch(
    bar: &mut Progress,
    done: usize,
    planned: usize,
    detail: impl FnOnce() -> String,
) -> ControlFlow<()> {
    if stop::asked() {
        return ControlFlow::Break(());
    }
    bar.set_share(done as f64 / planned as f64, detail);
    ControlFlow::Continue(())
}

/// The errors of all grids, on the noise of the search and on other noise.
fn print(draw: &Draw, found: &FoundGrid, unseen: Option<&GridTrials<'_>>) {
    let judged = |times: &[f64]| unseen.map(|u| u.error(times));
    let other = unseen.map(|u| u.named(draw.steps));
    let row = |name: &str, error: f64, other: Option<f64>| {
        let other = other.map_or_else(String::new, |e| format!("{e:>12.4e}"));
        output::result(format!("{name:<10} {error:>12.4e} {other}").trim_end());
    };
    let judges = if unseen.is_some() {
        "  other noise"
    } else {
        ""
    };
    output::result(&format!(
        "root mean square error of {} steps of {} at t = 1, beside {FINE} Heun steps",
        draw.steps, draw.sampler
    ));
    output::result(&format!("{:<10} {:>12}{judges}", "grid", "searched on"));
    for (i, (name, error)) in found.named.iter().enumerate() {
        row(name, *error, other.as_ref().map(|o| o[i].1));
    }
    let error = judged(&found.times);
    row("found", found.error, error);
    if let (Some(error), Some(named)) = (error, &other) {
        output::result(&verdict(error, named));
    }
}

/// What the noise that the search has not seen says of its grid.
fn verdict(error: f64, named: &[(&'static str, f64)]) -> String {
    let best = named
        .iter()
        .copied()
        .reduce(|a, b| if b.1 < a.1 { b } else { a });
    let (name, best) = best.expect("there are grids");
    if error < best {
        let less = 100.0 * (1.0 - error / best);
        format!(
            "on other noise the error is {less:.0} % less than that of {name}, the best grid with a name"
        )
    } else {
        format!(
            "the search did not help: on other noise {name} is at least as good; search on more samples (--count)"
        )
    }
}
