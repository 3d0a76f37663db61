//! `fokker lab`: the course's labs, each in one page.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Result, bail};
use clap::{Args, Subcommand};
use fokker_lab::one::{LabError, LabOne};

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
    One(OneArgs),
}

/// Lab one: simulating ODEs and SDEs
///
/// Flows, Brownian motion, Ornstein–Uhlenbeck processes and their rescaling, densities, Langevin
/// dynamics: simulated anew, drawn, and checked against closed forms. Prints every check and writes
/// one page that opens in a browser. Fails when a check fails.
#[derive(Args)]
struct OneArgs {
    /// Seed of all randomness
    #[arg(long, value_name = "S", default_value_t = LabOne::default().seed)]
    seed: u64,

    /// The folder to make [default: runs/lab-one, or the next free name]
    #[arg(long, short, value_name = "DIR")]
    out: Option<PathBuf>,
}

pub(crate) fn run(args: LabArgs) -> Result<End> {
    let Lab::One(args) = args.lab;
    let mut folder = Folder::new(args.out, "lab-one")?;
    stop::listen()?;
    // Before minutes of work show whether it can be made.
    folder.make()?;
    let ended = work(args.seed, &folder);
    if !folder.path.join(PAGE).exists() {
        folder.clear(&[]);
    }
    ended
}

/// The file that results.
const PAGE: &str = "report.html";

fn work(seed: u64, folder: &Folder) -> Result<End> {
    let started = Instant::now();
    let lab = LabOne {
        seed,
        ..LabOne::default()
    };
    let mut bar: Option<Progress> = None;
    let report = lab.run(&mut |step| {
        if stop::asked() {
            return ControlFlow::Break(());
        }
        let (done, of) = step.trajectories;
        let part = done as f64 / of.max(1) as f64;
        let before = step.section.saturating_sub(1) as f64;
        let bar = bar.get_or_insert_with(|| Progress::shares("lab one"));
        let share = (before + part) / step.sections as f64;
        bar.set_share(share, || step.title.to_owned());
        ControlFlow::Continue(())
    });
    let report = match report {
        Err(LabError::Stopped { .. }) => return Ok(End::Stopped),
        report => report?,
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
