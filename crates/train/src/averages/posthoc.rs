//! The weights of a run by name: as trained, averaged, or put together afterwards from snapshots.

use std::path::{Path, PathBuf};

use safetensors::SafeTensors;

use super::profile::{Profile, combine, exponent};
use crate::checkpoint::{Checkpoint, read, serialize};
use crate::config::Average;
use crate::params::HostTensor;
use crate::{RunFolder, TrainError};

/// Weights to sample from, as the bytes of a safetensors file.
pub struct Weights {
    /// The checkpoint that they belong to.
    pub checkpoint: Checkpoint,
    /// Which they are.
    pub average: Average,
    /// Their file, or the folder of the snapshots that they were put together from.
    pub path: PathBuf,
    /// The file's bytes.
    pub bytes: Vec<u8>,
    /// Where they were put together: how many snapshots that took, and how far their profile is from the one asked for, relative
    /// to it.
    pub combined: Option<(usize, f64)>,
}

/// The folder of the snapshots inside a run's.
pub(crate) const SNAPSHOTS: &str = "averages";

/// The relative error of a profile beyond which it is another average than was asked for.
const FARTHEST: f64 = 0.1;

/// The snapshots' file of an average at a step.
pub(crate) fn snapshot(run: &Path, which: Average, step: u64) -> PathBuf {
    let name = format!("step-{step:08}-{which}.safetensors");
    run.join(SNAPSHOTS).join(name)
}

/// Every stored average of a power function up to `last`: the snapshots', then the checkpoint's own.
fn stored(run: &RunFolder, checkpoint: &Checkpoint) -> Vec<(Profile, PathBuf)> {
    let profile = |sigma, step: u64| Profile {
        gamma: exponent(sigma),
        step: step as f64,
    };
    let mut found = Vec::new();
    let settings = &run.config().training;
    for sigma in &settings.ema.power {
        let which = Average::Power(*sigma);
        let every = settings.ema.snapshot_every as usize;
        for step in (settings.ema.snapshot_every..checkpoint.step).step_by(every) {
            let path = snapshot(run.path(), which, step);
            if path.is_file() {
                found.push((profile(*sigma, step), path));
            }
        }
        let path = checkpoint.file(which);
        found.push((profile(*sigma, checkpoint.step), path));
    }
    found
}

impl RunFolder {
    /// The weights `which` of the newest checkpoint; `None`: those that the recipe samples from.
    ///
    /// A width σ_rel that the training did not keep is put together from the snapshots of those that it kept, by least squares
    /// on their profiles (Karras et al. 2024, section 3.2).
    ///
    /// # Errors
    /// An average that is not kept and cannot be made; files that cannot be read.
    pub fn weights(&self, which: Option<Average>) -> Result<Weights, TrainError> {
        let config = self.config();
        let ema = &config.training.ema;
        let checkpoint = self.latest()?;
        let average = which.or(config.sample.ema).unwrap_or(ema.usual());
        let refuse = |what: String| Err(TrainError::run(self.path(), what));
        match average {
            Average::Constant if ema.decay == 0.0 => {
                return refuse("this run kept no constant average (ema.decay = 0)".into());
            }
            Average::Power(sigma) if ema.power.is_empty() => {
                return refuse(format!(
                    "an average of width {sigma} is made from those of ema.power, but this run kept none; train with ema.power = [0.05, 0.1]"
                ));
            }
            Average::Power(sigma) if !ema.power.contains(&sigma) => {
                return self.combined(checkpoint, sigma);
            }
            _ => {}
        }
        let path = checkpoint.file(average);
        Ok(Weights {
            bytes: read(&path)?,
            path,
            average,
            checkpoint,
            combined: None,
        })
    }

    fn combined(&self, checkpoint: Checkpoint, sigma: f64) -> Result<Weights, TrainError> {
        let target = Profile {
            gamma: exponent(sigma),
            step: checkpoint.step as f64,
        };
        let stored = stored(self, &checkpoint);
        let profiles: Vec<Profile> = stored.iter().map(|(profile, _)| *profile).collect();
        let found = combine(&target, &profiles).filter(|found| found.error <= FARTHEST);
        let Some(found) = found else {
            let what = format!(
                "an average of width {sigma} cannot be put together from the {} stored ones (of widths {:?}, a snapshot every {} steps); \
                 take a width near these, or train with a smaller ema.snapshot_every",
                stored.len(),
                self.config().training.ema.power,
                self.config().training.ema.snapshot_every
            );
            return Err(TrainError::run(self.path(), what));
        };
        let parts = stored.iter().map(|(_, path)| path.as_path());
        let bytes = blend(parts.zip(found.factors))?;
        Ok(Weights {
            bytes,
            path: self.path().join(SNAPSHOTS),
            average: Average::Power(sigma),
            checkpoint,
            combined: Some((stored.len(), found.error)),
        })
    }
}

/// The sum of weight files with factors, in double precision, one file in memory at a time.
fn blend<'a>(parts: impl Iterator<Item = (&'a Path, f64)>) -> Result<Vec<u8>, TrainError> {
    let mut sums: Vec<(String, Vec<usize>, Vec<f64>)> = Vec::new();
    for (path, factor) in parts {
        let bytes = read(path)?;
        let wrong = |what: String| TrainError::run(path, what);
        let file = SafeTensors::deserialize(&bytes)
            .map_err(|e| wrong(format!("not a readable safetensors file ({e})")))?;
        if sums.is_empty() {
            let mut names = file.names();
            names.sort_unstable();
            for name in names {
                let shape = file.tensor(name).map(|t| t.shape().to_vec());
                let shape = shape.map_err(|e| wrong(e.to_string()))?;
                let size = shape.iter().product();
                sums.push((name.to_owned(), shape, vec![0.0; size]));
            }
        }
        for (name, shape, sum) in &mut sums {
            let tensor = file.tensor(name).ok().filter(|t| t.shape() == &shape[..]);
            let Some(tensor) = tensor else {
                return Err(wrong(format!(
                    "a snapshot of another network: {name} is not {shape:?}"
                )));
            };
            for (sum, bytes) in sum.iter_mut().zip(tensor.data().chunks_exact(4)) {
                let value = f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
                *sum += factor * f64::from(value);
            }
        }
    }
    let tensors: Vec<HostTensor> = sums
        .into_iter()
        .map(|(name, shape, sum)| HostTensor {
            name,
            shape,
            values: sum.into_iter().map(|v| v as f32).collect(),
        })
        .collect();
    Ok(serialize(&tensors))
}
