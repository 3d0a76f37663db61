//! `fokker train`: from a recipe to a run folder.

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use fokker::burn::module::Module;
use fokker::train::Outcome;
use fokker::train::{
    Config, Judge, Pairs, RunFolder, RunInfo, Task, Trainer,
    config::{CouplingConfig, CouplingKind, NetworkConfig},
    flow_trainer_on, judge_trainer, rectified_pairs,
};
use fokker::{Dataset, Device, Shape};

use crate::args::TrainArgs;
use crate::evaluate::Evaluation;
use crate::progress::Progress;
use crate::sample::Source;
use crate::{End, output, present, stop};

pub(crate) fn run(args: TrainArgs) -> Result<End> {
    args.kernels.choose();
    let device = args.device.open()?;
    if let Some(path) = &args.resume {
        let run = RunFolder::open(path)?;
        if let Some(config) = &args.config {
            same_recipe(&read_config(config, &[])?, run.config(), config)?;
        }
        let data = run.data()?;
        let step = run.latest()?.step;
        if args.dry_run {
            return dry_run(run.config(), data, &device);
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
        return dry_run(&config, data, &device);
    }
    let out = args.out.unwrap_or_else(|| free_folder(&config.name));
    go(Start::New { config, out }, data, &device)
}

fn read_config(path: &Path, set: &[String]) -> Result<Config> {
    let text =
        fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let config = Config::parse(&text, &path.display().to_string(), set)?;
    Ok(config.pinned()?)
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
        data: &dyn Dataset,
        classes: bool,
    ) -> Result<(RunFolder, Trainer<N, T>)> {
        match self {
            Self::New { config, out } => {
                let parameters = trainer.parameters();
                let info = RunInfo::new(data, classes, parameters);
                Ok((RunFolder::create(&out, config, info)?, trainer))
            }
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
        let (run, mut trainer) = start.open(trainer, &*data, true)?;
        if let End::Stopped = train(&run, &mut trainer)? {
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
    let Some(pairs) = pairs(start.config(), &*data, device)? else {
        output::note("stopped while the pairs were made; nothing was written");
        return Ok(End::Stopped);
    };
    let trainer = flow_trainer_on(start.config(), data.clone(), pairs, device)?;
    let classes = trainer.task().classes() > 0;
    let (run, mut trainer) = start.open(trainer, &*data, classes)?;
    if let Some(captions) = trainer.task().captions() {
        run.keep_captions(captions)?;
    }
    if let End::Stopped = train(&run, &mut trainer)? {
        return Ok(End::Stopped);
    }
    drop(trainer);
    let source = Source::open(run.path(), device)?;
    let evaluation = Evaluation::read(run.path());
    let Some(files) = present::write(&source, &*data, evaluation.as_ref())? else {
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

/// The pairs of a rectified coupling, with a progress bar; `None` on Ctrl-C.
fn pairs(
    config: &Config,
    data: &dyn Dataset,
    device: &Device,
) -> Result<Option<Option<Arc<Pairs>>>> {
    let count = config.coupling.pairs();
    let mut bar = None;
    let made = rectified_pairs(config, data, device, &mut |done| {
        let bar = bar.get_or_insert_with(|| Progress::new("pairs", 0, count));
        bar.set(done, || format!("{count} pairs of the model's own paths"));
        if stop::asked() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    })?;
    match made {
        None => Ok(Some(None)),
        Some(None) => Ok(None),
        Some(made) => {
            if let Some(bar) = bar {
                bar.finish(&format!("{count} pairs"));
            }
            Ok(Some(made))
        }
    }
}

fn train<N: Module, T: Task<N>>(run: &RunFolder, trainer: &mut Trainer<N, T>) -> Result<End> {
    let settings = run.config().training.train.clone();
    if trainer.steps_done() >= settings.steps {
        output::note(&format!("all {} steps are done", settings.steps));
        return Ok(End::Done);
    }
    let mut bar = Progress::new("training", trainer.steps_done(), settings.steps);
    let (mut loss, mut rate) = (f64::NAN, f64::NAN);
    let outcome = run.train(trainer, &mut |report| {
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
    })?;
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

/// Prints the resolved recipe and what follows from it.
fn dry_run(config: &Config, data: Arc<dyn Dataset>, device: &Device) -> Result<End> {
    let train = &config.training.train;
    let parameters = match &config.network {
        NetworkConfig::Classifier(_) => judge_trainer(config, data.clone(), device)?.parameters(),
        // The size does not depend on the pairs, which would take time.
        _ => {
            let mut config = config.clone();
            if config.coupling.kind == CouplingKind::Rectified {
                config.coupling = CouplingConfig::default();
            }
            flow_trainer_on(&config, data.clone(), None, device)?.parameters()
        }
    };
    output::result(config.to_toml().trim_end());
    let seen = train.steps * train.batch as u64;
    let epochs = data
        .len()
        .map(|n| format!(" ({:.1} epochs)", seen as f64 / n as f64));
    output::note(&format!(
        "{}; {seen} items seen{}; network with {parameters} parameters; nothing was written",
        about(&*data),
        epochs.unwrap_or_default()
    ));
    Ok(End::Done)
}
