//! Samples of a training on its way.

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use fokker::core::SampleError;
use fokker::data::read_picture;
use fokker::eval::{Pixels, Section, encode_gif, write_png};
use fokker::train::{AnyNetwork, FlowTask, Trainer};
use fokker::{Flow, Shape};

use crate::captioned;
use crate::how::HowArgs;
use crate::present::{class_sheet, drawable, images, plain_sheet, scatter_of};
use crate::sample::Source;
use crate::{End, stop};

/// The folder of the sheets in a run's.
const FOLDER: &str = "samples";
/// Images on a sheet, and of each class.
const IMAGES: usize = 36;
const EACH: usize = 4;
const POINTS: usize = 2000;
/// A report's animation shows no more sheets than these.
const FRAMES: usize = 48;
/// How long each is shown, and the last.
const FRAME_MS: u32 = 400;
const LAST_MS: u32 = 3000;

/// Draws samples of the model as it is now, always from the same noise, to `samples/step-….png`.
pub(crate) fn write(run: &Path, trainer: &Trainer<AnyNetwork, FlowTask>) -> Result<End> {
    let source = Source::of_training(run, trainer)?;
    if !drawable(source.shape) {
        return Ok(End::Done);
    }
    let (_, mut draw) = source.draw(&HowArgs::default(), 0)?;
    draw.count = match (source.shape, source.flow.classes) {
        (Shape::Vector(_), _) => POINTS,
        (_, 0) => IMAGES,
        (_, classes) if captioned::is_many(&source) => {
            draw.classes = captioned::some_of(classes, IMAGES);
            draw.classes.len()
        }
        (_, classes) => classes * EACH.min(IMAGES.div_ceil(classes)),
    };
    let flow: &Flow<AnyNetwork> = &source.flow;
    let sampled = flow.sample_watched(&draw, &mut |_, _| match stop::asked() {
        true => ControlFlow::Break(()),
        false => ControlFlow::Continue(()),
    });
    let values = match sampled {
        Err(SampleError::Stopped) => return Ok(End::Stopped),
        sampled => sampled?,
    };
    // Early in a training a model may lead anywhere.
    let values: Vec<f32> = source
        .decoded(values)
        .into_iter()
        .map(|v| if v.is_finite() { v } else { 0.0 })
        .collect();
    let sheet = match source.shape {
        Shape::Vector(_) => scatter_of(&source, &draw, &values)?,
        shape if captioned::is_many(&source) => {
            captioned::sheet(&source, &draw, &images(&values, shape)?)?
        }
        shape if source.flow.classes > 0 => class_sheet(&source, &draw, &images(&values, shape)?)?,
        shape => plain_sheet(&images(&values, shape)?)?,
    };
    let folder = run.join(FOLDER);
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let name = format!("step-{:08}.png", trainer.steps_done());
    write_png(folder.join(name), &sheet, &[])?;
    Ok(End::Done)
}

/// The sheets up to the newest checkpoint, oldest first.
fn sheets(source: &Source) -> Vec<PathBuf> {
    let last = format!("step-{:08}.png", source.checkpoint.step);
    let entries = fs::read_dir(source.run.path().join(FOLDER));
    let mut found: Vec<PathBuf> = entries
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| {
            let name = path.file_name().and_then(|n| n.to_str());
            name.is_some_and(|n| n.starts_with("step-") && n.ends_with(".png") && *n <= *last)
        })
        .collect();
    found.sort();
    found
}

/// A section with these sheets as an animation; `None` where there are none.
pub(crate) fn section(source: &Source) -> Result<Option<Section>> {
    let all = sheets(source);
    let (Some(newest), true) = (all.last(), all.len() > 1) else {
        return Ok(None);
    };
    let size = png_size(newest)?;
    // The newest of every so many.
    let stride = all.len().div_ceil(FRAMES);
    let mut frames = Vec::new();
    for path in all.iter().rev().step_by(stride) {
        frames.push(read(path, size)?);
    }
    frames.reverse();
    let gif = encode_gif(&frames, FRAME_MS, LAST_MS)?;
    let caption = format!(
        "The same noise at {} steps of the training; each sheet lies in {FOLDER}/.",
        frames.len()
    );
    let section = Section::new("On the way");
    Ok(Some(section.animation(gif, size, caption)))
}

/// Width and height from a PNG's header.
fn png_size(path: &Path) -> Result<(usize, usize)> {
    let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let number = |at: usize| {
        let bytes: Option<[u8; 4]> = bytes.get(at..at + 4).and_then(|b| b.try_into().ok());
        bytes.map(|b| u32::from_be_bytes(b) as usize)
    };
    number(16)
        .zip(number(20))
        .with_context(|| format!("{}: not a PNG", path.display()))
}

fn read(path: &Path, (width, height): (usize, usize)) -> Result<Pixels> {
    let shape = Shape::Image {
        channels: 3,
        height,
        width,
    };
    Ok(Pixels::from_unit(
        &read_picture(path, shape)?,
        3,
        height,
        width,
    )?)
}
