//! What a drawing begins with besides noise: a picture, a mask, the noise of two samples.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Result, anyhow, bail};
use clap::{Args, ValueEnum};
use fokker::core::{Begin, Inpainting, Known, Ode};
use fokker::data::{read_npy, read_picture};
use fokker::{Dataset, Draw, Shape};
use serde::{Deserialize, Serialize};

use crate::how::fingerprint;
use crate::sample::Source;
use crate::table::read_table;

/// What to begin with besides noise.
#[derive(Args, Default)]
pub(crate) struct BeginArgs {
    /// Begin from this picture (or .npy, or .csv for points), with noise according to --strength
    #[arg(long, value_name = "FILE")]
    pub(crate) init: Option<PathBuf>,

    /// How much of --init gives way to noise: near 0 it stays as it is, 1 is all noise [default: 0.6]
    #[arg(long, value_name = "S", requires = "init")]
    pub(crate) strength: Option<f64>,

    /// Follow the model's equation from --init back to its noise and on from there: with --class, --guidance or
    /// --negative an edit that keeps what they do not concern
    #[arg(long, requires = "init", conflicts_with_all = ["strength", "mask"])]
    pub(crate) invert: bool,

    /// The class that --init is of, for --invert [default: none where the run knows it, else that of the sample]
    #[arg(long, value_name = "CLASS", requires = "invert")]
    pub(crate) from_class: Option<String>,

    /// A picture of the size of --init: what is lighter than middle grey is made anew, what is darker is kept
    #[arg(long, value_name = "PNG", requires = "init")]
    pub(crate) mask: Option<PathBuf>,

    /// How what is kept and the rest come to agree
    #[arg(long, value_enum, value_name = "HOW", default_value_t = How::Repaint, requires = "mask")]
    pub(crate) inpaint: How,

    /// Samples on the way from the noise of sample A to that of sample B
    #[arg(long, value_name = "A..B", conflicts_with = "init")]
    pub(crate) interpolate: Option<String>,
}

/// The methods of inpainting.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum How {
    /// Put back after every step, every stretch of ten steps walked five times (RePaint)
    #[default]
    Repaint,
    /// Condition every step on it through the model's own uncertainty (MMPS); needs derivatives of the network
    Mmps,
}

/// The same, in the recipe of a picture.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum BeginRecipe {
    /// Between the noise of two samples.
    Between([u64; 2]),
    /// From a file's data with noise.
    From { file: File, strength: f64 },
    /// From the noise that a file's data are made of.
    Inverted { file: File, class: Option<u32> },
    /// Part of a file's data is kept.
    Inpainted {
        file: File,
        mask: File,
        method: How,
        strength: Option<f64>,
    },
}

/// A file that must still be the same.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct File {
    path: PathBuf,
    fingerprint: String,
}

impl File {
    fn of(path: &Path) -> Result<Self> {
        Ok(Self {
            path: std::path::absolute(path)?,
            fingerprint: fingerprint(path)?,
        })
    }

    fn check(&self) -> Result<&Path> {
        if fingerprint(&self.path)? == self.fingerprint {
            return Ok(&self.path);
        }
        bail!(
            "{}: this file has changed since the picture was made",
            self.path.display()
        )
    }
}

impl BeginArgs {
    pub(crate) fn recipe(&self, source: &Source) -> Result<Option<BeginRecipe>> {
        if let Some(text) = &self.interpolate {
            let ends = text
                .split_once("..")
                .and_then(|(a, b)| Some([a.trim().parse().ok()?, b.trim().parse().ok()?]));
            let Some(ends) = ends.filter(|e: &[u64; 2]| e.iter().all(|i| *i < 1 << 40)) else {
                bail!("--interpolate {text}: expected two sample numbers, such as 3..7");
            };
            return Ok(Some(BeginRecipe::Between(ends)));
        }
        let Some(init) = &self.init else {
            return Ok(None);
        };
        if let Some(s) = self.strength.filter(|s| !(*s > 0.0 && *s <= 1.0)) {
            bail!(
                "--strength {s}: expected a number above 0 (the picture as it is) and at most 1 (all noise)"
            );
        }
        let file = File::of(init)?;
        if let Some(mask) = &self.mask {
            if source.latent.is_some() {
                bail!(
                    "--mask keeps pixels, and this run works in latents, of which each stands for many pixels; leave it out, \
                     or take a run on pixels"
                );
            }
            return Ok(Some(BeginRecipe::Inpainted {
                file,
                mask: File::of(mask)?,
                method: self.inpaint,
                strength: self.strength,
            }));
        }
        if !self.invert {
            let strength = self.strength.unwrap_or(0.6);
            return Ok(Some(BeginRecipe::From { file, strength }));
        }
        let class = match &self.from_class {
            Some(class) => Some(source.classes("--from-class", std::slice::from_ref(class))?[0]),
            None if source.run.config().objective.label_drop > 0.0 => {
                Some(source.flow.classes as u32)
            }
            None => None,
        };
        Ok(Some(BeginRecipe::Inverted { file, class }))
    }
}

/// Steps of the equation from data to noise: fixed, so that the result does not depend on other rows.
const INVERSION_STEPS: usize = 50;

impl BeginRecipe {
    /// Reads the files and sets the draw up; inverting solves the model's equation.
    pub(crate) fn apply(&self, source: &Source, draw: &mut Draw) -> Result<()> {
        match self {
            Self::Between([from, to]) => {
                draw.begin = Begin::Between {
                    from: *from,
                    to: *to,
                };
            }
            Self::From { file, strength } => {
                let values = read(source, file.check()?)?.into();
                draw.begin = Begin::Data {
                    values,
                    strength: *strength,
                };
            }
            Self::Inverted { file, class } => {
                if !source.flow.path.is_gaussian() {
                    bail!("--invert: this run starts at other data, not at noise to go back to");
                }
                if draw.sampler.is_stochastic() {
                    bail!(
                        "--invert: {} adds noise of its own, which would undo the inversion; use a sampler of the ordinary \
                         equation, such as heun",
                        draw.sampler
                    );
                }
                if draw.scheduler.is_some() {
                    bail!(
                        "--invert follows the path of the run's own scheduler; leave --scheduler out"
                    );
                }
                let values = read(source, file.check()?)?;
                let rows = values.len() / source.flow.dim;
                let classes = (source.flow.classes > 0).then(|| {
                    let own = |i| source.flow.class_of(draw, draw.first + i).unwrap_or(0);
                    (0..rows as u64)
                        .map(|i| class.unwrap_or_else(|| own(i)))
                        .collect::<Vec<u32>>()
                });
                let ode = Ode {
                    tableau: &fokker::math::tableau::RK4,
                    steps: Some(INVERSION_STEPS),
                    ..Ode::default()
                };
                let watch = &mut |_| match crate::stop::asked() {
                    true => std::ops::ControlFlow::Break(()),
                    false => std::ops::ControlFlow::Continue(()),
                };
                let (states, _) = source
                    .flow
                    .encode(&ode, &values, classes.as_deref(), watch)?;
                draw.begin = Begin::States(states.into());
            }
            Self::Inpainted {
                file,
                mask,
                method,
                strength,
            } => {
                let values: Arc<[f32]> = read(source, file.check()?)?.into();
                let mask = read_mask(source.shape, mask.check()?)?;
                if let Some(strength) = *strength {
                    draw.begin = Begin::Data {
                        values: values.clone(),
                        strength,
                    };
                }
                let method = match method {
                    How::Repaint => Inpainting::RePaint { jump: 10, times: 5 },
                    How::Mmps => Inpainting::Mmps {
                        sigma: 0.05,
                        iterations: 1,
                    },
                };
                draw.known = Some(Known {
                    values,
                    mask,
                    method,
                });
            }
        }
        Ok(source.flow.check(draw)?)
    }
}

/// The data of a file, of the run's shape; as latents where the run works in those.
fn read(source: &Source, path: &Path) -> Result<Vec<f32>> {
    let shown = path.display();
    let shape = source.shape;
    let values = match (path.extension().and_then(|e| e.to_str()), shape) {
        (Some("npy"), _) => {
            let data = read_npy(path, None).map_err(|e| {
                anyhow!("--init {e} (samples in a .npy may go beyond; begin from a .png of them)")
            })?;
            if data.shape() != shape {
                bail!(
                    "--init {shown}: holds items of {}, but this run makes {shape}",
                    data.shape()
                );
            }
            let rows = data.len().unwrap_or(0);
            let mut values = vec![0.0; rows as usize * shape.size()];
            for (row, i) in values.chunks_exact_mut(shape.size()).zip(0..) {
                data.item(i, row);
            }
            Ok(values)
        }
        (Some("csv"), Shape::Vector(dim)) => {
            let (values, _) = read_table(path, dim, &source.run.info().classes)?;
            Ok(values)
        }
        (_, Shape::Vector(_)) => {
            bail!("--init {shown}: this run makes points; give a .csv or .npy file")
        }
        _ => read_picture(path, shape).map_err(|e| anyhow!("--init {e}")),
    }?;
    Ok(match &source.latent {
        Some(latent) => latent.encode(&values),
        None => values,
    })
}

/// Which numbers are kept: those under a dark pixel of the mask.
fn read_mask(shape: Shape, path: &Path) -> Result<Arc<[bool]>> {
    let Shape::Image {
        channels,
        height,
        width,
    } = shape
    else {
        bail!("--mask: this run makes points, and a mask is a picture");
    };
    let grey = Shape::Image {
        channels: 1,
        height,
        width,
    };
    let values = read_picture(path, grey).map_err(|e| anyhow!("--mask {e}"))?;
    let kept: Vec<bool> = values.iter().map(|v| *v < 0.0).collect();
    if kept.iter().all(|k| !k) {
        bail!(
            "--mask {}: it is lighter than middle grey all over (transparent counts as white): nothing would be kept",
            path.display()
        );
    }
    if kept.iter().all(|k| *k) {
        bail!(
            "--mask {}: it is darker than middle grey all over: nothing would be made anew",
            path.display()
        );
    }
    Ok(kept.repeat(channels).into())
}
