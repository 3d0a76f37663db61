//! `fokker train`: from a recipe to a run folder.

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use fokker::burn::module::Module;
use fokker::train::{
    Config, Judge, Prepared, Preparing, RunFolder, RunInfo, Task, Trainer, config::NetworkConfig,
    flow_parameters, flow_trainer_on, judge_trainer, prepare, vae_trainer,
};
use fokker::train::{Outcome, StepReport};
use fokker::{Dataset, Device, Shape};

use crate::args::TrainArgs;
use crate::evaluate::Evaluation;
use crate::progress::Progress;
use crate::sample::Source;
use crate::{End, output, present, preview, reconstructions, stop};

pub(crate) fn run(args: TrainArgs) -> Result<End> {
    args.kernels.choose();
    let device = args.device.open()?;
    if let Some(path) = &args.resume {
        let run = RunFolder::open(path)?;
        if let Some(config) = &args.config {
            let mut given = parse_config(config, &[])?;
            // The autoencoder's run may have gone on since, or be gone: this one has a copy.
            if let (Some(given), Some(then)) = (&mut given.latent, &run.config().latent) {
                given.step = given.step.or(then.step);
            }
            same_recipe(&given.pinned()?, run.config(), config)?;
        }
        let data = run.data()?;
        let step = run.latest()?.step;
        if args.dry_run {
            return dry_run(run.config(), &*data, run.info().parameters);
        }
        output::note(&format!("resuming {} at step {step}", path.display()));
        return go(Start::Resume(run), data, &device);
    }
    let path = args
        .config
        .as_deref()
        .context("give a recipe, or --resume and a run")?;
    let mut set = args.set;
    if let Some(encoder) = &args.text_encoder {
        let encoder = std::path::absolute(encoder)?;
        set.push(format!("text.encoder={}", encoder.display()));
    }
    let config = read_config(path, &set)?;
    let data = config.data.load(config.seed)?;
    if args.dry_run {
        let parameters = parameters(&config, &data, &device)?;
        return dry_run(&config, &*data, parameters);
    }
    let out = args.out.unwrap_or_else(|| free_folder(&config.name));
    go(Start::New { config, out }, data, &device)
}

fn read_config(path: &Path, set: &[String]) -> Result<Config> {
    Ok(parse_config(path, set)?.pinned()?)
}

fn parse_config(path: &Path, set: &[String]) -> Result<Config> {
    let text =
        fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(Config::parse(&text, &path.display().to_string(), set)?)
}

/// Refuses to resume a run under another recipe, naming the first line that differs.
fn same_recipe(given: &Config, run: &Config, path: &Path) -> Result<()> {
    let (given, run) = (given.to_toml(), run.to_toml());
    let mut section = "";
    for (a, b) in given.lines().zip(run.lines()) {
        if a.starts_with('[') {
            section = a;
        }
        if a != b {
            bail!(
                "{}: this is not the recipe of the run: it has `{a}`{}, the run `{b}`; leave the recipe out to go on",
                path.display(),
                match section {
                    "" => String::new(),
                    section => format!(" in {section}"),
                }
            );
        }
    }
    Ok(())
}

/// `runs/NAME`, or the first of `runs/NAME-2`, `-3` … that does not exist.
pub(crate) fn free_folder(name: &str) -> PathBuf {
    let base = Path::new("runs");
    let numbered = (2..).map(|k| base.join(format!("{name}-{k}")));
    std::iter::once(base.join(name))
        .chain(numbered)
        .find(|path| !path.exists())
        .expect("some number is free")
}

/// A training to begin or to go on with.
#[allow(clippy::large_enum_variant)] // there is one in a process
pub(crate) enum Start {
    New { config: Config, out: PathBuf },
    Resume(RunFolder),
}

impl Start {
    fn config(&self) -> &Config {
        match self {
            Self::New { config, .. } => config,
            Self::Resume(run) => run.config(),
        }
    }

    /// The run folder, and the trainer at the step where it starts. The folder of a new run is made
    /// only now, when everything else has been checked.
    fn open<N: Module, T: Task<N>>(
        self,
        trainer: Trainer<N, T>,
        info: RunInfo,
    ) -> Result<(RunFolder, Trainer<N, T>)> {
        match self {
            Self::New { config, out } => Ok((RunFolder::create(&out, config, info)?, trainer)),
            Self::Resume(mut run) => {
                let device = trainer.device().clone();
                let trainer = run.resume(trainer, &device)?;
                Ok((run, trainer))
            }
        }
    }
}

/// Trains to the end (or Ctrl-C), then draws the pictures and the report.
pub(crate) fn go(start: Start, data: Arc<dyn Dataset>, device: &Device) -> Result<End> {
    stop::listen()?;
    output::note(&about(&*data));
    if start.config().is_classifier() {
        let trainer = judge_trainer(start.config(), data.clone(), device)?;
        let info = RunInfo::new(&*data, true, trainer.parameters());
        let (run, mut trainer) = start.open(trainer, info)?;
        let nothing = &mut |_: &Trainer<_, _>| ControlFlow::Continue(());
        if let End::Stopped = train(&run, &mut trainer, nothing)? {
            return Ok(End::Stopped);
        }
        let judge = Judge::new(trainer.model(), data.classes().to_vec(), device);
        if let Some(test) = run.config().data.load_test()? {
            let n = test.len().unwrap_or(0);
            let accuracy = 100.0 * judge.accuracy(&*test);
            output::result(&format!("accuracy {accuracy:.2} % on {n} held-back images"));
        }
        output::result(&run.path().display().to_string());
        return Ok(End::Done);
    }
    if start.config().is_autoencoder() {
        let trainer = vae_trainer(start.config(), data.clone(), device)?;
        let info = RunInfo::new(&*data, false, trainer.parameters());
        let (run, mut trainer) = start.open(trainer, info)?;
        let nothing = &mut |_: &Trainer<_, _>| ControlFlow::Continue(());
        if let End::Stopped = train(&run, &mut trainer, nothing)? {
            return Ok(End::Stopped);
        }
        drop(trainer);
        let files = reconstructions::write(&run, &*data, device)?;
        return look_at(files, &run);
    }
    let Some(prepared) = prepared(&start, &data, device)? else {
        output::note("stopped before the training began; nothing was written");
        return Ok(End::Stopped);
    };
    let trainer = flow_trainer_on(start.config(), data.clone(), prepared, device)?;
    let info = RunInfo::of_flow(&trainer, &*data);
    let (run, mut trainer) = start.open(trainer, info)?;
    if let Some(captions) = trainer.task().captions() {
        run.keep_captions(captions)?;
    }
    let mut failed = None;
    let ended = train(&run, &mut trainer, &mut |trainer| {
        match preview::write(run.path(), trainer) {
            Ok(End::Done) => return ControlFlow::Continue(()),
            Ok(End::Stopped) => {}
            Err(error) => failed = Some(error),
        }
        ControlFlow::Break(())
    })?;
    if let Some(error) = failed {
        return Err(error.context("the training is saved, but its samples could not be drawn"));
    }
    if let End::Stopped = ended {
        return Ok(End::Stopped);
    }
    drop(trainer);
    let source = Source::open(run.path(), device)?;
    let evaluation = Evaluation::read(run.path());
    let files = present::write(&source, &*data, evaluation.as_ref())?;
    look_at(files, &run)
}

/// Names the files of a finished run; `None` where Ctrl-C came before they were made.
fn look_at(files: Option<Vec<PathBuf>>, run: &RunFolder) -> Result<End> {
    let Some(files) = files else {
        let folder = run.path().display();
        output::note(&format!(
            "stopped before the pictures; make them with: fokker train --resume {folder}"
        ));
        return Ok(End::Stopped);
    };
    output::note("look at:");
    for file in files {
        output::result(&file.display().to_string());
    }
    Ok(End::Done)
}

/// What the training needs first, with a progress bar; `None` on Ctrl-C.
fn prepared(start: &Start, data: &Arc<dyn Dataset>, device: &Device) -> Result<Option<Prepared>> {
    let run = match start {
        Start::New { .. } => None,
        Start::Resume(run) => Some(run),
    };
    let mut bar: Option<(&str, u64, Progress)> = None;
    let mut watch = |at: Preparing| {
        if bar.as_ref().is_none_or(|(what, ..)| *what != at.what) {
            let new = Progress::new(at.what, 0, at.total);
            if let Some((what, total, bar)) = bar.replace((at.what, at.total, new)) {
                bar.finish(&format!("{total} {what}"));
            }
        }
        if let Some((.., bar)) = &mut bar {
            bar.set(at.done, || match at.what {
                "pairs" => format!("{} pairs of the model's own paths", at.total),
                _ => format!("{} items, encoded once", at.total),
            });
        }
        if stop::asked() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    };
    let made = prepare(start.config(), run, data.clone(), device, &mut watch)?;
    if let (Some((what, total, bar)), true) = (bar, made.is_some()) {
        bar.finish(&format!("{total} {what}"));
    }
    Ok(made)
}

fn train<N: Module, T: Task<N>>(
    run: &RunFolder,
    trainer: &mut Trainer<N, T>,
    show: &mut dyn FnMut(&Trainer<N, T>) -> ControlFlow<()>,
) -> Result<End> {
    let settings = run.config().training.train.clone();
    if trainer.steps_done() >= settings.steps {
        output::note(&format!("all {} steps are done", settings.steps));
        return Ok(End::Done);
    }
    let mut bar = Progress::new("training", trainer.steps_done(), settings.steps);
    let (mut loss, mut rate) = (f64::NAN, f64::NAN);
    let mut watch = |report: &StepReport| {
        let blend = |old: f64, new: f64| {
            if old.is_nan() {
                new
            } else {
                0.95 * old + 0.05 * new
            }
        };
        loss = blend(loss, report.loss);
        rate = blend(rate, settings.batch as f64 / report.seconds);
        bar.set(report.step, || {
            format!("loss {loss:.4} · {rate:.0} items/s")
        });
        if stop::asked() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    };
    let outcome = run.train_shown(trainer, &mut watch, show)?;
    let step = trainer.steps_done();
    match outcome {
        Outcome::Finished => {
            bar.finish(&format!("{step} steps, loss {loss:.4}, {rate:.0} items/s"));
            Ok(End::Done)
        }
        Outcome::Stopped => {
            bar.finish(&format!("stopped at step {step}; a checkpoint is saved"));
            let folder = run.path().display();
            output::note(&format!("go on with: fokker train --resume {folder}"));
            Ok(End::Stopped)
        }
    }
}

/// A line on what is learned from.
fn about(data: &dyn Dataset) -> String {
    let count = data.len().map_or("unlimited".into(), |n| n.to_string());
    let kind = match data.shape() {
        Shape::Image { .. } => format!("images of {}", data.shape()),
        Shape::Vector(d) => format!("points with {d} coordinates"),
    };
    let classes = match data.classes().len() {
        0 => "no classes".to_owned(),
        n => format!("{n} classes"),
    };
    format!("data {}: {count} {kind}, {classes}", data.name())
}

/// What the recipe's training would begin to train, in numbers.
fn parameters(config: &Config, data: &Arc<dyn Dataset>, device: &Device) -> Result<usize> {
    Ok(match &config.network {
        NetworkConfig::Classifier(_) => judge_trainer(config, data.clone(), device)?.parameters(),
        NetworkConfig::Vae(_) | NetworkConfig::AutoencoderKl(_) => {
            vae_trainer(config, data.clone(), device)?.parameters()
        }
        // The size depends on neither pairs nor latents, which would take time.
        _ => flow_parameters(config, data.clone(), device)?,
    })
}

/// Prints the resolved recipe and what follows from it.
fn dry_run(config: &Config, data: &dyn Dataset, parameters: usize) -> Result<End> {
    let train = &config.training.train;
    output::result(config.to_toml().trim_end());
    let seen = train.steps * train.batch as u64;
    let epochs = data
        .len()
        .map(|n| format!(" ({:.1} epochs)", seen as f64 / n as f64));
    output::note(&format!(
        "{}; {seen} items seen{}; network with {parameters} parameters; nothing was written",
        about(data),
        epochs.unwrap_or_default()
    ));
    Ok(End::Done)
}
