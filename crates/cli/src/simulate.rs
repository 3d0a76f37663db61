//! `fokker simulate`: from an equation to numbers and pictures.

pub(crate) mod args;
mod command;
pub(crate) mod folder;
mod list;
mod settings;
mod show;

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

use anyhow::{Result, bail};
use fokker::data::write_atomic;
use fokker::eval::{Theme, write_png};
use fokker_lab::simulation::{
    Exact, Outcome, Simulation, Wanted, animate, grouped, pictures, trajectories,
};

use self::args::SimulateArgs;
use self::folder::Folder;
use crate::progress::Progress;
use crate::{End, output, stop};

/// The width of pictures in pixels, before they are doubled.
const WIDTH: f64 = 860.0;

pub(crate) fn run(args: SimulateArgs) -> Result<End> {
    if args.list {
        list::list();
        return Ok(End::Done);
    }
    let simulation = Simulation::new(&settings::settings(&args)?)?;
    let limit = args.max_bytes.as_deref().map(settings::size).transpose()?;
    if let Some(path) = &args.paths {
        check_file(path)?;
    }
    let mut folder = Folder::new(args.out.clone(), simulation.name())?;
    for (what, value) in simulation.describe() {
        let value = value.replace('\n', &format!("\n{:14}", ""));
        output::note(&format!("{what:>12}  {value}"));
    }
    stop::listen()?;
    folder.make()?;
    let ended = work(&args, &simulation, limit, &folder);
    if !matches!(ended, Ok(End::Done)) {
        folder.clear(&files());
        // It was not there before.
        if let Some(path) = &args.paths {
            drop(fs::remove_file(path));
        }
    }
    ended
}

fn work(
    args: &SimulateArgs,
    simulation: &Simulation,
    max_bytes: Option<u64>,
    folder: &Folder,
) -> Result<End> {
    let wanted = Wanted {
        paths: args.paths.clone(),
        max_bytes,
        pictures: !args.no_pictures,
    };
    let mut bar = Progress::shares("simulate");
    let all = trajectories(simulation.plan().count);
    let outcome = simulation.run(&wanted, &mut |done| {
        bar.set_share(done.share, || {
            format!("{} of {all}", grouped(done.trajectories))
        });
        match stop::asked() {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    })?;
    if outcome.stopped {
        let n = trajectories(outcome.trajectories);
        bar.finish(&format!("stopped after {n}; nothing was written"));
        return Ok(End::Stopped);
    }
    let speed = outcome.trajectories as f64 / outcome.seconds.max(1e-9);
    bar.finish(&format!(
        "{} in {:.3} s, {} a second",
        trajectories(outcome.trajectories),
        outcome.seconds,
        grouped(speed as u64)
    ));
    let ends = outcome.summaries.summaries().last();
    if ends.is_some_and(|last| last.moments.count() == 0) {
        let all = trajectories(outcome.trajectories);
        bail!("none of {all} is left at the end: all failed; shorten the steps or --to");
    }
    let exact = simulation.exact(&outcome);
    show::print(simulation, &outcome, exact.as_ref());
    write(args, simulation, &outcome, exact.as_ref(), &folder.path)?;
    if stop::asked() {
        return Ok(End::Stopped);
    }
    if let Some((path, bytes)) = &outcome.paths {
        output::result(&format!("{} ({} bytes)", path.display(), grouped(*bytes)));
    }
    output::result(&folder.path.display().to_string());
    Ok(End::Done)
}

fn write(
    args: &SimulateArgs,
    simulation: &Simulation,
    outcome: &Outcome,
    exact: Option<&Exact>,
    folder: &Path,
) -> Result<()> {
    let json = simulation.json(outcome, exact);
    write_atomic(folder.join("statistics.json"), json.as_bytes())?;
    let command = command::command();
    let mut figures = Vec::new();
    let mut movies = None;
    if !args.no_pictures {
        figures = pictures(simulation, outcome, exact);
        for picture in &figures {
            picture
                .figure
                .svg()
                .write(folder.join(format!("{}.svg", picture.name)))?;
            let pixels = picture.figure.draw(WIDTH, &Theme::light()).to_png(2.0)?;
            let text = [("fokker", command.as_str())];
            write_png(folder.join(format!("{}.png", picture.name)), &pixels, &text)?;
        }
        if args.animate {
            let movie = |theme: &Theme| animate(simulation, outcome, exact, theme);
            let (light, dark) = (movie(&Theme::light())?, movie(&Theme::dark())?);
            light.write(folder.join("animation.gif"))?;
            movies = Some((light, dark));
        }
    }
    let report = simulation.report(outcome, exact, &figures, movies, Some(&command))?;
    Ok(report.write(folder.join("report.html"))?)
}

fn check_file(path: &Path) -> Result<()> {
    let shown = path.display();
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() && !parent.is_dir() => {
            bail!(
                "--paths {shown}: the folder {} does not exist",
                parent.display()
            )
        }
        _ if path.is_file() => {
            bail!("--paths {shown}: this file is there already; give another name or remove it")
        }
        _ if path.is_dir() => bail!("--paths {shown}: this is a folder; give a file name"),
        _ => Ok(()),
    }
}

/// Everything that is written to the folder.
fn files() -> Vec<String> {
    let single = ["statistics.json", "report.html", "animation.gif"];
    let pictures = ["paths", "plane", "projections", "snapshots", "terminal"];
    let pictures = pictures
        .iter()
        .flat_map(|name| ["svg", "png"].map(|ending| format!("{name}.{ending}")));
    single
        .map(String::from)
        .into_iter()
        .chain(pictures)
        .collect()
}
