//! `fokker lab`: the course's labs, each in one page.

mod three;

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Result, bail};
use clap::{Args, Subcommand};
use fokker_course::two::{self, LabTwo};
use fokker_lab::one::{self, LabOne};
use fokker_lab::report::LabReport;

use crate::progress::{Progress, clock};
use crate::simulate::folder::Folder;
use crate::{End, output, stop};

/// The course's labs: every figure beside its closed form, in one page
#[derive(Args)]
pub(crate) struct LabArgs {
    #[command(subcommand)]
    lab: Lab,
}

#[derive(Subcommand)]
enum Lab {
    /// Lab one: simulating ODEs and SDEs
    ///
    /// Flows, Brownian motion, Ornstein–Uhlenbeck processes and their rescaling, densities, Langevin
    /// dynamics: simulated anew, drawn, and checked against closed forms. Prints every check and writes
    /// one page that opens in a browser. Fails when a check fails.
    One(Options),
    /// Lab two: flow matching and score matching
    ///
    /// Conditional and marginal paths, a field and a score trained anew on a mixture whose exact field is
    /// known, sampling by ordinary and stochastic equations, optimal couplings, checkerboards: drawn, and
    /// held against exact values. Takes some minutes. Prints every check and writes one page that opens in a
    /// browser. Fails when a check fails.
    Two(Options),
    /// Lab three: a conditional image generator
    ///
    /// The first edition trains the course's U-Net on garments (or digits) of 32×32 and shows grids at guidance 1, 3 and 5. --edition
    /// 2026 trains a diffusion transformer on pixels, an autoencoder, and a transformer in its latents. About half an hour on two
    /// cores at the usual --scale. Prints every check and writes one page that opens in a browser; every training is a run folder
    /// inside the lab's. Ctrl-C keeps what was trained, and --resume goes on. Fails when a check fails.
    Three(three::Options),
}

#[derive(Args)]
struct Options {
    /// Seed of all randomness
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,

    /// The folder to make [default: runs/lab-one or runs/lab-two, or the next free name]
    #[arg(long, short, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Tells how far a lab is (the share done and the section's title), and whether to go on.
type Watch<'a> = dyn FnMut(f64, &'static str) -> ControlFlow<()> + 'a;

/// A lab's report, `None` when it was stopped.
type Ran = Result<Option<LabReport>>;

pub(crate) fn run(args: LabArgs) -> Result<End> {
    match args.lab {
        Lab::One(options) => in_folder(options, "lab one", one),
        Lab::Two(options) => in_folder(options, "lab two", two),
        Lab::Three(options) => three::run(options),
    }
}

fn one(seed: u64, watch: &mut Watch<'_>) -> Ran {
    let lab = LabOne {
        seed,
        ..LabOne::default()
    };
    let report = lab.run(&mut |step| {
        let (done, of) = step.trajectories;
        let part = done as f64 / of.max(1) as f64;
        let before = step.section.saturating_sub(1) as f64;
        watch((before + part) / step.sections as f64, step.title)
    });
    match report {
        Err(one::LabError::Stopped { .. }) => Ok(None),
        report => Ok(Some(report?)),
    }
}

fn two(seed: u64, watch: &mut Watch<'_>) -> Ran {
    match (LabTwo { seed }).run(&mut |step| watch(step.whole, step.title)) {
        Err(two::LabError::Stopped { .. }) => Ok(None),
        report => Ok(Some(report?)),
    }
}

/// The file that results.
const PAGE: &str = "report.html";

fn in_folder(
    options: Options,
    name: &'static str,
    lab: fn(u64, &mut Watch<'_>) -> Ran,
) -> Result<End> {
    let mut folder = Folder::new(options.out, &name.replace(' ', "-"))?;
    stop::listen()?;
    // Before minutes of work show whether it can be made.
    folder.make()?;
    let ended = work(name, |watch| lab(options.seed, watch), &folder);
    if !folder.path.join(PAGE).exists() {
        folder.clear(&[]);
    }
    ended
}

fn work(
    name: &'static str,
    lab: impl FnOnce(&mut Watch<'_>) -> Ran,
    folder: &Folder,
) -> Result<End> {
    let started = Instant::now();
    let mut bar: Option<Progress> = None;
    let report = lab(&mut |share, title| {
        if stop::asked() {
            return ControlFlow::Break(());
        }
        let bar = bar.get_or_insert_with(|| Progress::shares(name));
        bar.set_share(share, || title.to_owned());
        ControlFlow::Continue(())
    });
    let Some(report) = report? else {
        return Ok(End::Stopped);
    };
    let seconds = started.elapsed().as_secs_f64();
    if let Some(bar) = bar {
        bar.finish(&format!("all sections in {}", clock(seconds)));
    }
    let (mut all, mut failed) = (0, 0);
    for check in report.checks() {
        output::result(&check.to_string());
        all += 1;
        failed += usize::from(!check.passed);
    }
    let page = folder.path.join(PAGE);
    report.report().write(&page)?;
    output::result(&format!("{} of {all} checks passed", all - failed));
    output::result(&page.display().to_string());
    if failed > 0 {
        bail!(
            "{failed} of {all} checks failed; the page {} shows which",
            page.display()
        );
    }
    Ok(End::Done)
}
