//! What a training needs besides its recipe and its data, and what takes time to make.

use std::ops::ControlFlow;
use std::sync::Arc;

use burn::tensor::Device;
use fokker_core::{Draw, SampleError, Sampler, sampler};
use fokker_data::Dataset;

use crate::config::CouplingKind;
use crate::{Config, Latents, Pairs, RunFolder, TrainError};

/// What a training needs besides its recipe and its data.
#[derive(Clone, Default)]
pub struct Prepared {
    /// The pairs of a rectified coupling.
    pub pairs: Option<Arc<Pairs>>,
    /// The data as latents.
    pub latents: Option<Arc<Latents>>,
}

/// How far a preparation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Preparing {
    /// What is being made: "pairs", "latents".
    pub what: &'static str,
    /// How many of them are.
    pub done: u64,
    /// How many there will be.
    pub total: u64,
}

/// Makes what `config` needs: the pairs of a rectified coupling, by the model of its run, and the latents of its
/// autoencoder. `run` is the run that goes on, if one does. `watch` is told the progress and may break off, which gives `None`.
///
/// # Errors
/// A run that cannot be read, was trained further since, or does not fit the data.
pub fn prepare(
    config: &Config,
    run: Option<&RunFolder>,
    data: Arc<dyn Dataset>,
    device: &Device,
    watch: &mut dyn FnMut(Preparing) -> ControlFlow<()>,
) -> Result<Option<Prepared>, TrainError> {
    let mut tell = |what, done, total| watch(Preparing { what, done, total });
    let count = config.coupling.pairs();
    let pairs = rectified_pairs(config, &*data, device, &mut |done| {
        tell("pairs", done, count)
    })?;
    if let Some(None) = pairs {
        return Ok(None);
    }
    let items = data.len().unwrap_or(0);
    let latents = latents(config, run, data, device, &mut |done| {
        tell("latents", done, items)
    })?;
    if let Some(None) = latents {
        return Ok(None);
    }
    Ok(Some(Prepared {
        pairs: pairs.flatten(),
        latents: latents.flatten(),
    }))
}

/// The data as latents, or `None` for a training on the data itself; `Some(None)` where `watch` breaks.
fn latents(
    config: &Config,
    run: Option<&RunFolder>,
    data: Arc<dyn Dataset>,
    device: &Device,
    watch: &mut dyn FnMut(u64) -> ControlFlow<()>,
) -> Result<Option<Option<Arc<Latents>>>, TrainError> {
    let Some(latent) = &config.latent else {
        return Ok(None);
    };
    let made = match run {
        Some(run) => Latents::again(run, data, device, watch)?,
        None => Latents::of(&latent.open()?, data, config.seed, device, watch)?,
    };
    Ok(Some(made.map(Arc::new)))
}

/// Tells the seed of pairs from that of samples.
const PAIRS: u64 = 0x5041_4952_5321_u64 << 8;

/// The pairs of a rectified coupling, made by the model of its run, or `None` for another coupling;
/// `watch` is told the pairs done and may break off, which gives `Some(None)`.
///
/// # Errors
/// A run that cannot be read, was trained further since, or makes other items than the data.
fn rectified_pairs(
    config: &Config,
    data: &dyn Dataset,
    device: &Device,
    watch: &mut dyn FnMut(u64) -> ControlFlow<()>,
) -> Result<Option<Option<Arc<Pairs>>>, TrainError> {
    let coupling = &config.coupling;
    let (CouplingKind::Rectified, Some(path)) = (coupling.kind, &coupling.run) else {
        return Ok(None);
    };
    let run = RunFolder::open(path)?;
    let (flow, checkpoint) = run.flow(&device.clone().without_autodiff())?;
    let refuse = |what: String| Err(TrainError::run(path, what));
    if let Some(step) = coupling.step
        && step != checkpoint.step
    {
        return refuse(format!(
            "the pairs were made at step {step}, but this run is now at step {}",
            checkpoint.step
        ));
    }
    if run.info().latent.is_some() {
        return refuse(
            "makes latents; the pairs of a rectified coupling are items of the data".into(),
        );
    }
    let shape = run.info().shape()?;
    if shape != data.shape() {
        let ours = data.shape();
        return refuse(format!(
            "makes items of {shape}, but those of [data] are {ours}"
        ));
    }
    if flow.start.is_some() {
        return refuse("starts at other data; a rectified coupling starts at noise".into());
    }
    let given = if config.objective.classes {
        data.classes()
    } else {
        &[]
    };
    if given != &run.info().classes[..] {
        return refuse(format!(
            "knows the classes [{}], but this training's are [{}]; set objective.classes = false, or take another run",
            run.info().classes.join(", "),
            given.join(", ")
        ));
    }
    let own = &run.config().sample;
    // Pairs are the ends of a flow, so of an ordinary equation.
    let own_sampler = own.sampler.parse::<Sampler>().ok();
    let heun = || sampler("heun").expect("Heun is in the table");
    let sampler = own_sampler
        .filter(|s| !s.is_stochastic())
        .unwrap_or_else(heun);
    let draw = Draw {
        sampler,
        steps: own.steps,
        // Not the starts of anybody's samples.
        seed: config.seed ^ PAIRS,
        count: coupling.pairs() as usize,
        ..Draw::default()
    };
    match Pairs::new(&flow, &draw, shape, &run.info().classes, watch) {
        Ok(pairs) => Ok(Some(Some(Arc::new(pairs)))),
        Err(SampleError::Stopped) => Ok(Some(None)),
        Err(why) => refuse(why.to_string()),
    }
}
