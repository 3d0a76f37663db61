//! `fokker simulate`: from an equation to numbers and pictures.

pub(crate) mod args;
mod list;

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use fokker::data::write_atomic;
use fokker::eval::{Theme, write_png};
use fokker_lab::simulation::{
    Exact, HEADINGS, Outcome, Precision, ProcessChoice, Settings, Simulation, StartChoice,
    Stepping, Wanted, animate, chance, digits, grouped, pictures,
};
use fokker_sim::process::Calculus;

use self::args::SimulateArgs;
use crate::progress::Progress;
use crate::train::free_folder;
use crate::{End, output, stop};

/// The width of pictures in pixels, before they are doubled.
const WIDTH: f64 = 860.0;

pub(crate) fn run(args: SimulateArgs) -> Result<End> {
    if args.list {
        list::list();
        return Ok(End::Done);
    }
    let simulation = Simulation::new(&settings(&args)?)?;
    let limit = args.max_bytes.as_deref().map(size).transpose()?;
    if let Some(path) = &args.paths {
        check_file(path)?;
    }
    let folder = Folder::new(&args, &simulation)?;
    for (what, value) in simulation.describe() {
        let value = value.replace('\n', &format!("\n{:14}", ""));
        output::note(&format!("{what:>12}  {value}"));
    }
    stop::listen()?;
    folder.make()?;
    let ended = work(&args, &simulation, limit, &folder);
    if !matches!(ended, Ok(End::Done)) {
        folder.clear();
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
    let mut bar = Progress::new("simulate", 0, simulation.plan().count);
    let outcome = simulation.run(&wanted, &mut |done| {
        bar.set(done, || "trajectories".into());
        match stop::asked() {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    })?;
    if outcome.stopped {
        let n = grouped(outcome.trajectories);
        bar.finish(&format!(
            "stopped after {n} trajectories; nothing was written"
        ));
        return Ok(End::Stopped);
    }
    let speed = outcome.trajectories as f64 / outcome.seconds.max(1e-9);
    bar.finish(&format!(
        "{} trajectories in {:.3} s, {} a second",
        grouped(outcome.trajectories),
        outcome.seconds,
        grouped(speed as u64)
    ));
    let exact = simulation.exact(&outcome);
    print(simulation, &outcome, exact.as_ref());
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

/// Statistics at the end, what is known exactly, and what went on beside.
fn print(simulation: &Simulation, outcome: &Outcome, exact: Option<&Exact>) {
    let last = simulation.plan().save.len() - 1;
    output::result(&format!("at t = {}", digits(simulation.plan().save[last])));
    let mut rows = vec![HEADINGS.map(String::from).to_vec()];
    rows.extend(simulation.rows(outcome, last));
    if outcome.trajectories == 1 {
        // Its state; there is nothing to sum up.
        rows.iter_mut().for_each(|row| row.truncate(2));
        rows[0][1].clear();
    }
    table(&rows);
    if let Some(exact) = exact {
        let head = ["", "mean", exact.sense(), "variance", exact.sense(), "KS p"];
        let mut rows = vec![head.map(String::from).to_vec()];
        for c in &exact.components {
            let known = |x: Option<f64>| x.map_or("–".into(), digits);
            let variance = if c.variance.is_nan() {
                "–".into()
            } else {
                digits(c.variance)
            };
            rows.push(vec![
                c.component.clone(),
                digits(c.mean),
                digits(c.exact_mean),
                variance,
                known(c.exact_variance),
                c.p_value.map_or("–".into(), chance),
            ]);
        }
        output::result("");
        table(&rows);
    }
    if let Some(events) = &outcome.events {
        output::result(&simulation.events(outcome, events));
    }
    let failed = outcome.summaries.summaries()[last].moments.non_finite();
    if failed > 0 {
        let of = grouped(outcome.trajectories);
        output::note(&format!(
            "warning: {} of {of} trajectories failed and were left out",
            grouped(failed)
        ));
    }
}

/// Columns aligned: the first to the left, numbers to the right.
fn table(rows: &[Vec<String>]) {
    let columns = rows[0].len();
    let width = |j: usize| {
        rows.iter()
            .map(|row| row[j].chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    for row in rows {
        let cells = row
            .iter()
            .zip(&widths)
            .enumerate()
            .map(|(j, (cell, &w))| match j {
                0 => format!("{cell:<w$}"),
                _ => format!("{cell:>w$}"),
            });
        output::result(&format!("  {}", cells.collect::<Vec<_>>().join("  ")));
    }
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
    let command = command();
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

/// The command line that is running, as a shell takes it.
fn command() -> String {
    let plain = |c: char| c.is_alphanumeric() || "/._-=:,+".contains(c);
    let quoted = |part: String| match part.chars().all(plain) && !part.is_empty() {
        true => part,
        false => format!("'{}'", part.replace('\'', "'\\''")),
    };
    let parts = std::env::args().skip(1).map(quoted);
    format!("fokker {}", parts.collect::<Vec<_>>().join(" "))
}

fn settings(args: &SimulateArgs) -> Result<Settings> {
    let params = args
        .param
        .iter()
        .map(|text| parameter(text))
        .collect::<Result<Vec<_>>>()?;
    let process = match (&args.process, &args.drift) {
        (Some(name), _) => ProcessChoice::Named {
            name: full_name(name).to_owned(),
            params,
            density: args
                .density
                .as_deref()
                .map(str::parse)
                .transpose()
                .context("--density")?,
            event: args.event.clone(),
        },
        (None, Some(drift)) => ProcessChoice::Written {
            drift: drift.clone(),
            diffusion: args.diffusion.clone(),
            names: args
                .names
                .iter()
                .map(|name| name.trim().to_owned())
                .collect(),
            params,
            event: args.event.clone(),
            calculus: match args.calculus.as_str() {
                "stratonovich" => Calculus::Stratonovich,
                _ => Calculus::Ito,
            },
        },
        (None, None) => bail!("give a process (see --list) or --drift"),
    };
    let stepping = match (args.steps, args.step, args.tol, args.tree) {
        (Some(n), ..) => Some(Stepping::Steps(n)),
        (_, Some(h), ..) => Some(Stepping::Size(h)),
        (_, _, Some(t), _) => Some(Stepping::Tolerance(t)),
        (.., Some(depth)) => Some(Stepping::Tree(depth)),
        _ => None,
    };
    Ok(Settings {
        solver: args.solver.clone(),
        stepping,
        from: args.from,
        to: args.to,
        count: args.count,
        save: args.save.as_deref().map(str::parse).transpose()?,
        start: match &args.start {
            Some(text) => text.parse()?,
            None => StartChoice::Default,
        },
        seed: args.seed,
        precision: match args.precision.as_str() {
            "f32" => Precision::F32,
            _ => Precision::F64,
        },
        convert: args.convert,
        keep_going: args.keep_going,
        ..Settings::new(process)
    })
}

/// The name behind a usual abbreviation.
fn full_name(name: &str) -> &str {
    let short = list::SHORT.iter().find(|(short, _)| *short == name);
    short.map_or(name, |(_, full)| full)
}

/// NAME=VALUE.
fn parameter(text: &str) -> Result<(String, f64)> {
    let right = "expected NAME=VALUE, for example --param theta=0.25";
    let Some((name, value)) = text.split_once('=') else {
        bail!("--param {text}: {right}");
    };
    let (name, value) = (name.trim(), value.trim());
    let Ok(number) = value.parse::<f64>() else {
        bail!("--param {text}: `{value}` is no number; {right}");
    };
    if !number.is_finite() {
        bail!("--param {text}: a parameter must be a finite number");
    }
    Ok((name.to_owned(), number))
}

/// 500MB, 2GB, 1.5e9.
fn size(text: &str) -> Result<u64> {
    let text = text.trim();
    let digits = text
        .find(|c: char| c.is_alphabetic() && c != 'e')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let factor = match unit.trim().to_uppercase().as_str() {
        "" | "B" => 1.0,
        "K" | "KB" => 1e3,
        "M" | "MB" => 1e6,
        "G" | "GB" => 1e9,
        "T" | "TB" => 1e12,
        _ => bail!("--max-bytes {text}: unknown unit; use B, KB, MB, GB or TB"),
    };
    match number.trim().parse::<f64>() {
        Ok(n) if n.is_finite() && n > 0.0 => Ok((n * factor) as u64),
        _ => bail!("--max-bytes {text}: expected a size such as 500MB"),
    }
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
        _ if path.is_dir() => bail!("--paths {shown}: this is a folder; give a file name"),
        _ => Ok(()),
    }
}

/// The folder of results.
struct Folder {
    path: PathBuf,
}

impl Folder {
    /// The folder asked for, which must be free, or the next free name.
    fn new(args: &SimulateArgs, simulation: &Simulation) -> Result<Self> {
        let path = match &args.out {
            None => free_folder(simulation.name()),
            Some(out) if out.is_file() => {
                bail!("--out {}: this is a file; give a folder", out.display())
            }
            Some(out) if fs::read_dir(out).is_ok_and(|mut entries| entries.next().is_some()) => {
                bail!(
                    "--out {}: this folder is not empty; give another name",
                    out.display()
                )
            }
            Some(out) => out.clone(),
        };
        Ok(Self { path })
    }

    fn make(&self) -> Result<()> {
        let shown = self.path.display();
        fs::create_dir_all(&self.path).with_context(|| format!("cannot create {shown}"))
    }

    /// Removes what an ensemble that failed or was stopped left in it: nothing of it is whole.
    fn clear(&self) {
        for name in ["statistics.json", "report.html", "animation.gif"] {
            drop(fs::remove_file(self.path.join(name)));
        }
        for name in ["paths", "plane", "projections", "snapshots", "terminal"] {
            for ending in ["svg", "png"] {
                drop(fs::remove_file(self.path.join(format!("{name}.{ending}"))));
            }
        }
        drop(fs::remove_dir(&self.path));
    }
}
