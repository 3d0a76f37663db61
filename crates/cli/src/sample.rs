//! `fokker sample`: from a run to pictures, arrays and tables.

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use fokker::core::chunk_rows;
use fokker::data::write_atomic;
use fokker::eval::{Pixels, write_gif, write_png};
use fokker::train::{AnyNetwork, Checkpoint};
use fokker::{Device, Draw, Flow, RunFolder, Shape};

use crate::args::{HowArgs, SampleArgs};
use crate::present::{self, Trajectory};
use crate::progress::Progress;
use crate::recipe::{KEY, Recipe, find_sampler};
use crate::{End, output, stop};

/// A run, opened for sampling.
pub(crate) struct Source {
    pub(crate) run: RunFolder,
    pub(crate) flow: Flow<AnyNetwork>,
    pub(crate) checkpoint: Checkpoint,
    pub(crate) shape: Shape,
}

impl Source {
    pub(crate) fn open(path: &Path, device: &Device) -> Result<Self> {
        let run = RunFolder::open(path)?;
        let (flow, checkpoint) = run.flow(device)?;
        let shape = run.info().shape()?;
        Ok(Self {
            run,
            flow,
            checkpoint,
            shape,
        })
    }

    /// The run's own way of sampling, changed where asked.
    pub(crate) fn draw(&self, how: &HowArgs, seed: u64) -> Result<Draw> {
        let own = &self.run.config().sample;
        if let Some(w) = how.guidance {
            if !w.is_finite() {
                bail!("--guidance {w}: expected a finite number");
            }
            if self.flow.classes == 0 && w != 1.0 {
                bail!(
                    "--guidance needs classes to guide towards, but this run was trained without"
                );
            }
            if w != 1.0 && self.run.config().objective.label_drop == 0.0 {
                bail!(
                    "--guidance {w}: this run never hid the class (objective.label_drop = 0), so it knows no \"no class\" to guide away from"
                );
            }
        }
        Ok(Draw {
            sampler: find_sampler(how.sampler.as_deref().unwrap_or(&own.sampler))?,
            steps: how.steps.map_or(own.steps, |s| s as usize),
            guidance: how.guidance.unwrap_or(own.guidance),
            seed,
            ..Draw::default()
        })
    }

    fn weights(&self) -> Result<String> {
        let path = self.checkpoint.weights();
        let bytes = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        Ok(blake3::hash(&bytes).to_hex()[..16].to_owned())
    }

    /// The recipe of a draw from this run.
    pub(crate) fn recipe(&self, draw: &Draw, grid: bool) -> Result<Recipe> {
        let path = self.run.path();
        Ok(Recipe {
            fokker: env!("CARGO_PKG_VERSION").into(),
            run: std::path::absolute(path).unwrap_or_else(|_| path.to_owned()),
            step: self.checkpoint.step,
            weights: self.weights()?,
            sampler: draw.sampler.name.into(),
            steps: draw.steps,
            guidance: draw.guidance,
            seed: draw.seed,
            first: draw.first,
            count: draw.count,
            classes: draw.classes.clone(),
            grid,
        })
    }

    /// Samples with a progress bar, following the first `follow` samples through time; `None` on Ctrl-C.
    pub(crate) fn sample(&self, draw: &Draw, follow: usize) -> Option<(Vec<f32>, Trajectory)> {
        let rows = chunk_rows(self.flow.dim) as u64;
        let chunks = (draw.count as u64).div_ceil(rows);
        let mut bar = Progress::new("sampling", 0, chunks * draw.steps as u64);
        let mut trajectory = Trajectory::new(draw.first, follow, self.flow.dim);
        let values = self.flow.sample_watched(draw, &mut |samples, at| {
            if stop::asked() {
                return ControlFlow::Break(());
            }
            trajectory.see(&samples, &at);
            let chunk = (samples.start - draw.first) / rows;
            bar.set(chunk * draw.steps as u64 + at.step as u64, || {
                format!("{} samples", draw.count)
            });
            ControlFlow::Continue(())
        })?;
        bar.finish(&format!(
            "{} samples, {} steps of {}",
            draw.count, draw.steps, draw.sampler.name
        ));
        Some((values, trajectory))
    }

    /// The class numbers of names and numbers from the command line.
    fn classes(&self, asked: &[String]) -> Result<Vec<u32>> {
        let known = &self.run.info().classes;
        if known.is_empty() && !asked.is_empty() {
            bail!("--class: this run was trained without classes");
        }
        let find = |name: &String| {
            let wanted = name.trim().to_lowercase();
            if wanted == "none" && self.run.config().objective.label_drop == 0.0 {
                bail!("--class none: this run never hid the class (objective.label_drop = 0)");
            }
            if wanted == "none" {
                return Ok(known.len() as u32);
            }
            let by_name = known.iter().position(|k| k.to_lowercase() == wanted);
            let by_number = || wanted.parse().ok().filter(|n: &usize| *n < known.len());
            by_name
                .or_else(by_number)
                .map(|k| k as u32)
                .with_context(|| {
                    let list: Vec<String> = known
                        .iter()
                        .enumerate()
                        .map(|(i, k)| format!("{i} {k}"))
                        .collect();
                    format!(
                        "--class {name}: unknown class; this run knows {}",
                        list.join(", ")
                    )
                })
        };
        asked.iter().map(find).collect()
    }
}

/// What the file name asks for.
enum Format {
    Sheet,
    Array,
    Table,
    Folder,
}

fn format_of(out: &Path, shape: Shape) -> Result<Format> {
    let extension = out
        .extension()
        .and_then(|e| e.to_str())
        .map(str::to_lowercase);
    let format = match extension.as_deref() {
        Some("png") => Format::Sheet,
        Some("npy") => Format::Array,
        Some("csv") => Format::Table,
        None => Format::Folder,
        Some(other) => bail!(
            "--out {}: unknown format .{other}; use .png, .npy, .csv, or a name without extension for a folder of PNGs",
            out.display()
        ),
    };
    match (&format, shape) {
        (Format::Table, Shape::Image { .. }) => {
            bail!(
                "--out {}: .csv holds points; write images to .png or .npy",
                out.display()
            )
        }
        (Format::Folder, Shape::Vector(_)) => {
            bail!("--out {}: points go to .csv, .npy or .png", out.display())
        }
        (Format::Sheet, Shape::Vector(d)) if d != 2 => {
            bail!(
                "--out {}: only points in the plane can be drawn, these have {d} coordinates; use .csv or .npy",
                out.display()
            )
        }
        _ => Ok(format),
    }
}

pub(crate) fn run(args: SampleArgs) -> Result<End> {
    stop::listen()?;
    let device = args.device.open()?;
    let like = args.like.as_deref().map(Recipe::read).transpose()?;
    let path: PathBuf = match (&args.run, &like) {
        (Some(run), _) => run.clone(),
        (None, Some(recipe)) => recipe.run.clone(),
        (None, None) => bail!("give a run folder, or --like and a picture"),
    };
    let source = Source::open(&path, &device)?;
    let format = format_of(&args.out, source.shape)?;
    let (draw, grid) = match &like {
        Some(recipe) => {
            check_weights(&source, recipe)?;
            (recipe.draw()?, recipe.grid)
        }
        None => {
            let mut draw = source.draw(&args.how, args.seed)?;
            draw.classes = source.classes(&args.class)?;
            draw.count = args
                .count
                .map_or_else(|| default_count(&source, &draw, args.grid), |n| n as usize);
            (draw, args.grid)
        }
    };
    let limit = source.flow.classes as u32;
    if let Some(class) = draw.classes.iter().find(|c| **c > limit) {
        bail!("the recipe asks for class {class}, but this run has {limit}");
    }
    if grid && source.flow.classes == 0 {
        bail!("--grid lays out a row for each class, but this run was trained without classes");
    }
    if let Some(path) = &args.trajectory
        && path.extension().and_then(|e| e.to_str()) != Some("gif")
    {
        bail!(
            "--trajectory {}: expected a name ending in .gif",
            path.display()
        );
    }
    check_folder(&args.out)?;
    let follow = if args.trajectory.is_some() {
        present::FOLLOW
    } else {
        0
    };
    let Some((values, trajectory)) = source.sample(&draw, follow) else {
        output::note("stopped; nothing was written");
        return Ok(End::Stopped);
    };
    match format {
        Format::Sheet => write_sheet(&source, &draw, grid, &values, &args.out)?,
        Format::Array => {
            let mut shape = vec![draw.count];
            shape.extend(source.shape.axes());
            fokker::data::write_npy(&args.out, &values, &shape)?;
        }
        Format::Table => write_table(&source, &draw, &values, &args.out)?,
        Format::Folder => write_folder(&source, &draw, &values, &args.out)?,
    }
    output::result(&args.out.display().to_string());
    if let Some(path) = &args.trajectory {
        let frames = present::trajectory_frames(&trajectory, source.shape)?;
        write_gif(path, &frames, present::FRAME_MS, present::LAST_FRAME_MS)?;
        output::result(&path.display().to_string());
    }
    Ok(End::Done)
}

fn default_count(source: &Source, draw: &Draw, grid: bool) -> usize {
    match (grid, source.shape) {
        (true, _) if draw.classes.is_empty() => 8 * source.flow.classes,
        (true, _) => 8 * draw.classes.len(),
        (false, Shape::Image { .. }) => 16,
        (false, Shape::Vector(_)) => 1000,
    }
}

fn check_weights(source: &Source, recipe: &Recipe) -> Result<()> {
    if source.weights()? == recipe.weights {
        return Ok(());
    }
    bail!(
        "{}: the newest weights (step {}) are not those that made the picture (step {}, fingerprint {})",
        source.run.path().display(),
        source.checkpoint.step,
        recipe.step,
        recipe.weights
    )
}

/// Refuses a target in a folder that does not exist, before the work and not after it.
fn check_folder(out: &Path) -> Result<()> {
    match out.parent() {
        Some(parent) if !parent.as_os_str().is_empty() && !parent.is_dir() => {
            bail!(
                "--out {}: the folder {} does not exist",
                out.display(),
                parent.display()
            )
        }
        _ => Ok(()),
    }
}

fn write_sheet(source: &Source, draw: &Draw, grid: bool, values: &[f32], out: &Path) -> Result<()> {
    let recipe = source.recipe(draw, grid)?.to_json();
    let picture = match source.shape {
        Shape::Vector(_) => present::scatter_of(source, draw, values)?,
        shape if grid => present::class_sheet(source, draw, &present::images(values, shape)?)?,
        shape if draw.count == 1 => present::images(values, shape)?.remove(0),
        shape => present::plain_sheet(&present::images(values, shape)?)?,
    };
    Ok(write_png(out, &picture, &[(KEY, &recipe)])?)
}

fn write_table(source: &Source, draw: &Draw, values: &[f32], out: &Path) -> Result<()> {
    let dim = source.flow.dim;
    let classes = &source.run.info().classes;
    let mut text: Vec<String> = vec![
        (0..dim)
            .map(|i| format!("x{i}"))
            .collect::<Vec<_>>()
            .join(","),
    ];
    if !classes.is_empty() {
        text[0] += ",class";
    }
    for (row, index) in values.chunks_exact(dim).zip(draw.first..) {
        let mut line = row.iter().map(f32::to_string).collect::<Vec<_>>().join(",");
        if let Some(class) = source.flow.class_of(draw, index) {
            let name = classes.get(class as usize).map_or("none", String::as_str);
            line += &format!(",{}", quote(name));
        }
        text.push(line);
    }
    Ok(write_atomic(out, (text.join("\n") + "\n").as_bytes())?)
}

/// A CSV field, quoted where it must be (RFC 4180).
fn quote(field: &str) -> String {
    if field.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.to_owned()
    }
}

fn write_folder(source: &Source, draw: &Draw, values: &[f32], out: &Path) -> Result<()> {
    if fs::read_dir(out).is_ok_and(|mut entries| entries.next().is_some()) {
        bail!("--out {}: this folder is not empty", out.display());
    }
    let made = !out.exists();
    fs::create_dir_all(out).with_context(|| format!("cannot create {}", out.display()))?;
    let images: Vec<Pixels> = present::images(values, source.shape)?;
    let recipe = source.recipe(draw, false)?;
    let write = || -> Result<()> {
        for (image, index) in images.iter().zip(draw.first..) {
            let one = Recipe {
                first: index,
                count: 1,
                ..recipe.clone()
            };
            let path = out.join(format!("{index:06}.png"));
            write_png(path, image, &[(KEY, &one.to_json())])?;
        }
        Ok(())
    };
    write().inspect_err(|_| {
        if made {
            drop(fs::remove_dir_all(out));
        }
    })
}
