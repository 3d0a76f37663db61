//! `fokker sample`: from a run to pictures, arrays and tables.

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use fokker::core::{Guidance, SampleError, Sampler, chunk_rows};
use fokker::eval::write_gif;
use fokker::math::diffusion::Diffusion;
use fokker::train::{AnyNetwork, Checkpoint};
use fokker::{Device, Draw, Flow, RunFolder, Shape};

use crate::args::{HowArgs, SampleArgs};
use crate::present::{self, Trajectory};
use crate::progress::Progress;
use crate::recipe::{Recipe, find_sampler, find_scheduler, find_sigma};
use crate::target::{self, Format, check_place, check_size, format_of};
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
            if w.is_nan() || w.abs() > 100.0 {
                bail!("--guidance {w}: expected a number from -100 to 100");
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
        let sampler = find_sampler(how.sampler.as_deref().unwrap_or(&own.sampler))?;
        let diffusion = find_sigma(how.sigma.as_deref())?;
        if how.sigma.is_some() && !sampler.takes_sigma() {
            bail!(
                "--sigma: {sampler} takes no σ_t of its own; euler-maruyama and sde-heun do (see `fokker samplers`)"
            );
        }
        let scheduler = how.scheduler.as_deref().map(find_scheduler).transpose()?;
        self.check_way(sampler, diffusion, scheduler.is_some())?;
        Ok(Draw {
            sampler,
            diffusion,
            scheduler,
            steps: how.steps.map_or(own.steps, |s| s as usize),
            // Without classes there is nothing to guide towards.
            guidance: if self.flow.classes == 0 {
                Guidance::default()
            } else {
                how.guidance.unwrap_or(own.guidance).into()
            },
            seed,
            ..Draw::default()
        })
    }

    /// Whether this run can be sampled so: a stochastic sampler needs the score, a scheduler a start at noise.
    fn check_way(&self, sampler: Sampler, sigma: Diffusion, rescheduled: bool) -> Result<()> {
        if !self.flow.path.is_gaussian() {
            if rescheduled {
                bail!(
                    "--scheduler: this run starts at other data, not at noise: its path has no scheduler"
                );
            }
            if sampler.takes_sigma() && sigma == Diffusion::Memoryless {
                bail!("--sigma memoryless: only a path that starts at noise has it");
            }
        }
        Ok(sampler.suits(&self.flow.path, self.flow.has_score)?)
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
            sampler: draw.sampler.to_string(),
            steps: draw.steps,
            guidance: draw.guidance.weight(0),
            sigma: draw
                .sampler
                .takes_sigma()
                .then(|| draw.diffusion.to_string()),
            scheduler: draw.scheduler.as_ref().map(|s| s.name().into()),
            seed: draw.seed,
            first: draw.first,
            count: draw.count,
            classes: draw.classes.clone(),
            grid,
        })
    }

    /// Samples with a progress bar, following the first `follow` samples through time; `None` on Ctrl-C.
    pub(crate) fn sample(
        &self,
        draw: &Draw,
        follow: usize,
    ) -> Result<Option<(Vec<f32>, Trajectory)>> {
        let rows = chunk_rows(self.flow.dim) as u64;
        let chunks = (draw.count as u64).div_ceil(rows);
        let mut bar = None;
        let mut taken = 0;
        let mut trajectory = Trajectory::new(draw.first, follow, self.flow.dim);
        let sampled = self.flow.sample_watched(draw, &mut |samples, at| {
            if stop::asked() {
                return ControlFlow::Break(());
            }
            trajectory.see(&samples, &at);
            let chunk = (samples.start - draw.first) / rows;
            // The steps of an adaptive sampler are known once it walks.
            taken = at.steps as u64;
            bar.get_or_insert_with(|| Progress::new("sampling", 0, chunks * taken))
                .set(chunk * taken + at.step as u64, || {
                    format!("{} samples", draw.count)
                });
            ControlFlow::Continue(())
        });
        let values = match sampled {
            Err(SampleError::Stopped) => return Ok(None),
            sampled => sampled?,
        };
        if values.iter().any(|v| !v.is_finite()) {
            bail!(
                "the samples are no finite numbers (guidance {}, {taken} steps of {}); try a smaller guidance or more steps",
                draw.guidance,
                draw.sampler
            );
        }
        if let Some(bar) = bar {
            bar.finish(&format!(
                "{} samples, {taken} steps of {}",
                draw.count, draw.sampler
            ));
        }
        Ok(Some((values, trajectory)))
    }

    /// The class numbers of names and numbers from the command line.
    pub(crate) fn classes(&self, asked: &[String]) -> Result<Vec<u32>> {
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
    let (draw, recipe) = match like {
        Some(recipe) => {
            check_weights(&source, &recipe)?;
            let draw = recipe.draw()?;
            source.check_way(draw.sampler, draw.diffusion, draw.scheduler.is_some())?;
            (draw, recipe)
        }
        None => {
            let mut draw = source.draw(&args.how, args.seed)?;
            draw.classes = source.classes(&args.class)?;
            draw.count = args
                .count
                .map_or_else(|| default_count(&source, &draw, args.grid), |n| n as usize);
            let recipe = source.recipe(&draw, args.grid)?;
            (draw, recipe)
        }
    };
    let limit = source.flow.classes as u32;
    if let Some(class) = draw.classes.iter().find(|c| **c > limit) {
        bail!("the recipe asks for class {class}, but this run has {limit}");
    }
    if recipe.grid && source.shape.image().is_none() {
        bail!("--grid lays out images, but this run makes points");
    }
    if recipe.grid && source.flow.classes == 0 {
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
    check_size(&draw, source.flow.dim, format)?;
    check_place("--out", &args.out, format)?;
    if let Some(path) = &args.trajectory {
        check_place("--trajectory", path, Format::Array)?;
    }
    let follow = if args.trajectory.is_some() {
        present::FOLLOW
    } else {
        0
    };
    let Some((values, trajectory)) = source.sample(&draw, follow)? else {
        output::note("stopped; nothing was written");
        return Ok(End::Stopped);
    };
    target::write(&source, &draw, &recipe, &values, (&args.out, format))?;
    output::result(&args.out.display().to_string());
    if let Some(path) = &args.trajectory {
        let frames = present::trajectory_frames(&source, &draw, &trajectory)?;
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
