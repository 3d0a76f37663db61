//! `fokker sample`: from a run to pictures, arrays and tables.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use fokker::core::{SampleError, chunk_rows};
use fokker::eval::write_gif;
use fokker::train::config::Average;
use fokker::train::{AnyNetwork, Checkpoint, FlowTask, LatentSpace, Trainer};
use fokker::{Device, Draw, Flow, RunFolder, Shape};

use crate::args::SampleArgs;
use crate::how::{HowArgs, Way, Weaker, fingerprint_of};
use crate::present::{self, FILM, Trajectory};
use crate::progress::Progress;
use crate::prompt::Told;
use crate::recipe::Recipe;
use crate::target::{self, Format, check_place, check_size, format_of};
use crate::{End, output, plan, stop};

/// A run, opened for sampling.
pub(crate) struct Source {
    pub(crate) run: RunFolder,
    pub(crate) flow: Flow<AnyNetwork>,
    pub(crate) checkpoint: Checkpoint,
    /// A fingerprint of the weights, and which average was asked for.
    pub(crate) weights: String,
    pub(crate) ema: Option<Average>,
    /// Of what it makes; the network may work in latents instead.
    pub(crate) shape: Shape,
    /// The latents that the network works in, where it does.
    pub(crate) latent: Option<LatentSpace>,
    /// What guidance leads away from, where that is another run.
    pub(crate) weaker: Option<Weaker>,
    /// The prompts in the place of the captions, where there are any.
    pub(crate) told: Option<Told>,
}

impl Source {
    pub(crate) fn open(path: &Path, device: &Device) -> Result<Self> {
        Self::open_as(path, None, device)
    }

    /// With the weights `ema`, if not the run's own choice.
    pub(crate) fn open_as(path: &Path, ema: Option<Average>, device: &Device) -> Result<Self> {
        let run = RunFolder::open(path)?;
        let (flow, weights) = run.flow_of(ema, device)?;
        if let Some((count, error)) = weights.combined {
            output::note(&format!(
                "weights: an average of width {}, put together from {count} stored ones (its profile is {:.2} % off)",
                weights.average,
                100.0 * error
            ));
        }
        let shape = run.info().shape()?;
        let latent = run.latent_space(device)?;
        Ok(Self {
            run,
            flow,
            weights: fingerprint_of(&weights.bytes),
            checkpoint: weights.checkpoint,
            ema,
            shape,
            latent,
            weaker: None,
            told: None,
        })
    }

    /// The model of a training as it is now, for a look.
    pub(crate) fn of_training(
        path: &Path,
        trainer: &Trainer<AnyNetwork, FlowTask>,
    ) -> Result<Self> {
        let run = RunFolder::open(path)?;
        let shape = run.info().shape()?;
        let flow = trainer.flow();
        let latent = run.latent_space(&flow.device)?;
        Ok(Self {
            run,
            flow,
            checkpoint: Checkpoint {
                path: path.to_owned(),
                step: trainer.steps_done(),
            },
            weights: String::new(),
            ema: None,
            shape,
            latent,
            told: None,
            weaker: None,
        })
    }

    /// States of the walk as what they stand for: decoded where the network works in latents.
    pub(crate) fn decoded(&self, states: Vec<f32>) -> Vec<f32> {
        match &self.latent {
            Some(latent) => latent.decode(&states),
            None => states,
        }
    }

    /// Leads away from the model of `run` from now on (autoguidance).
    pub(crate) fn lead_away_from(&mut self, run: &Path) -> Result<()> {
        let folder = RunFolder::open(run)?;
        let (weaker, weights) = folder.flow_of(None, &self.flow.device)?;
        let shape = folder.info().shape()?;
        if shape != self.shape || folder.info().classes != self.run.info().classes {
            bail!(
                "--autoguidance {}: it makes {shape} of {} classes, this run {} of {}",
                run.display(),
                weaker.classes,
                self.shape,
                self.flow.classes
            );
        }
        if folder.info().latent != self.run.info().latent {
            bail!(
                "--autoguidance {}: it does not work in the latents of this run",
                run.display()
            );
        }
        let texts = |run: &RunFolder| {
            let config = run.config();
            (config.network.text_width(), config.text.scalars.clone())
        };
        if texts(&folder) != texts(&self.run) && weaker.network.wants_text() && self.reads_texts() {
            bail!(
                "--autoguidance {}: it reads captions in another way than this run (network.text, text.scalars)",
                run.display()
            );
        }
        if weaker.network.wants_text() != self.flow.network.wants_text() {
            bail!(
                "--autoguidance {}: one of the two runs reads texts, the other knows classes by number",
                run.display()
            );
        }
        let (ours, theirs) = (&self.run.config().path, &folder.config().path);
        if ours != theirs {
            bail!(
                "--autoguidance {}: it was trained on another path",
                run.display()
            );
        }
        self.weaker = Some(Weaker {
            run: std::path::absolute(run)?,
            weights: fingerprint_of(&weights.bytes),
        });
        self.flow.weaker = Some(Arc::new(weaker));
        self.tell_weaker();
        Ok(())
    }

    /// The run's own way of sampling, changed where asked.
    pub(crate) fn draw(&self, how: &HowArgs, seed: u64) -> Result<(Way, Draw)> {
        let way = Way::of(self, how)?;
        let draw = way.draw(self)?;
        Ok((way, Draw { seed, ..draw }))
    }

    /// The recipe of a draw from this run.
    pub(crate) fn recipe(&self, way: &Way, draw: &Draw, grid: bool) -> Result<Recipe> {
        let path = self.run.path();
        Ok(Recipe {
            fokker: env!("CARGO_PKG_VERSION").into(),
            run: std::path::absolute(path).unwrap_or_else(|_| path.to_owned()),
            step: self.checkpoint.step,
            weights: self.weights.clone(),
            ema: self.ema,
            way: way.clone(),
            begin: None,
            seed: draw.seed,
            first: draw.first,
            count: draw.count,
            classes: draw.classes.clone(),
            texts: self.told.as_ref().map_or(Vec::new(), |t| t.names.clone()),
            grid,
        })
    }

    /// Samples with a progress bar, following the first `follow` samples through time; `None` on Ctrl-C.
    pub(crate) fn sample(
        &self,
        draw: &Draw,
        follow: usize,
    ) -> Result<Option<(Vec<f32>, Trajectory)>> {
        let rows = draw.batch.unwrap_or(chunk_rows(self.flow.dim)) as u64;
        let chunks = (draw.count as u64).div_ceil(rows);
        let mut bar = None;
        let mut taken = 0;
        let follow = match self.latent {
            Some(_) => follow.min(FILM),
            None => follow,
        };
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
        Ok(Some((self.decoded(values), trajectory)))
    }

    /// The class numbers of names and numbers from the command line.
    pub(crate) fn classes(&self, flag: &str, asked: &[String]) -> Result<Vec<u32>> {
        let known = self.names();
        if known.is_empty() && !asked.is_empty() {
            bail!("{flag}: this run was trained without classes");
        }
        let find = |name: &String| {
            let wanted = name.trim().to_lowercase();
            if wanted == "none" && self.run.config().objective.label_drop == 0.0 {
                bail!("{flag} none: this run never hid the class (objective.label_drop = 0)");
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
                        .take(LISTED)
                        .map(|(i, k)| format!("{i} {k}"))
                        .collect();
                    format!(
                        "{flag} {name}: unknown class; this run knows {}",
                        list.join(", ")
                    )
                })
        };
        asked.iter().map(find).collect()
    }
}

/// Classes that a refusal lists.
const LISTED: usize = 40;

pub(crate) fn run(args: SampleArgs) -> Result<End> {
    stop::listen()?;
    args.kernels.choose();
    let device = args.device.open()?;
    let like = args.like.as_deref().map(Recipe::read).transpose()?;
    let path: PathBuf = match (&args.run, &like) {
        (Some(run), _) => run.clone(),
        (None, Some(recipe)) => recipe.run.clone(),
        (None, None) => bail!("give a run folder, or --like and a picture"),
    };
    let ema = like.as_ref().map_or(args.how.ema, |recipe| recipe.ema);
    let mut source = Source::open_as(&path, ema, &device)?;
    // A dry run may do without a target.
    let out = args
        .out
        .as_deref()
        .map(|out| Ok::<_, anyhow::Error>((out, format_of(out, source.shape)?)));
    let out = out.transpose()?;
    let recipe = match like {
        Some(recipe) => {
            check_weights(&source, &recipe)?;
            if !recipe.texts.is_empty() {
                if !source.reads_texts() {
                    bail!("the picture was made of prompts, but this run reads no texts");
                }
                source.tell(recipe.texts.clone(), &args.prompts)?;
            }
            recipe
        }
        None => {
            if let Some(run) = &args.how.autoguidance {
                source.lead_away_from(run)?;
            }
            let prompts = source.ask(&args.prompts, &args.how)?;
            let (way, mut draw) = source.draw(&args.how, args.seed)?;
            draw.classes = match prompts.is_empty() {
                true => source.classes("--class", &args.class)?,
                false => prompts,
            };
            draw.count = args
                .count
                .map_or_else(|| default_count(&source, &draw, args.grid), |n| n as usize);
            Recipe {
                begin: args.begin.recipe(&source)?,
                ..source.recipe(&way, &draw, args.grid)?
            }
        }
    };
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
    if let Some((out, format)) = out {
        check_place("--out", out, format)?;
    }
    if let Some(path) = &args.trajectory {
        check_place("--trajectory", path, Format::Array)?;
    }
    let Some(mut draw) = stopped_or(recipe.draw(&mut source))? else {
        return Ok(nothing());
    };
    draw.batch = args.batch.0;
    if let Some((_, format)) = out {
        check_size(&draw, source.shape.size(), format)?;
    }
    if args.dry_run {
        plan::print(&source, &recipe, &draw)?;
        return Ok(End::Done);
    }
    let Some((out, format)) = out else {
        bail!("give a target by --out");
    };
    let follow = if args.trajectory.is_some() {
        present::FOLLOW
    } else {
        0
    };
    let Some((values, trajectory)) = source.sample(&draw, follow)? else {
        return Ok(nothing());
    };
    target::write(&source, &draw, &recipe, &values, (out, format))?;
    output::result(&out.display().to_string());
    if let Some(path) = &args.trajectory {
        let frames = present::trajectory_frames(&source, &draw, &trajectory)?;
        write_gif(path, &frames, present::FRAME_MS, present::LAST_FRAME_MS)?;
        output::result(&path.display().to_string());
    }
    Ok(End::Done)
}

fn nothing() -> End {
    output::note("stopped; nothing was written");
    End::Stopped
}

/// `None` where the work was broken off by Ctrl-C.
fn stopped_or(draw: Result<Draw>) -> Result<Option<Draw>> {
    match draw {
        Err(_) if stop::asked() => Ok(None),
        draw => draw.map(Some),
    }
}

fn default_count(source: &Source, draw: &Draw, grid: bool) -> usize {
    match (grid, source.shape) {
        (true, _) if draw.classes.is_empty() => 8 * source.flow.classes,
        (true, _) => 8 * draw.classes.len(),
        (false, Shape::Image { .. }) => draw.classes.len().max(16),
        (false, Shape::Vector(_)) => 1000,
    }
}

fn check_weights(source: &Source, recipe: &Recipe) -> Result<()> {
    if source.weights == recipe.weights {
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
