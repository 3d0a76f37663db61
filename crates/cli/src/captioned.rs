//! Sheets of pictures with what was asked for below each.

use anyhow::Result;
use fokker::Draw;
use fokker::eval::{GridStyle, Pixels, grid};

use crate::sample::Source;

/// With more classes than these a sheet shows some, not a row for each.
const MANY: usize = 40;

/// How many it shows then.
pub(crate) const SHOWN: usize = 64;

/// Columns of a sheet, and the least width of a picture with words below it.
const COLUMNS: usize = 8;
const LEAST: usize = 112;

/// Are there too many classes for a row each?
pub(crate) fn is_many(source: &Source) -> bool {
    source.names().len() > MANY
}

/// At most `count` of `len` numbers, evenly.
pub(crate) fn some_of(len: usize, count: usize) -> Vec<u32> {
    let count = count.min(len);
    (0..count)
        .map(|i| ((2 * i + 1) * len / (2 * count)) as u32)
        .collect()
}

/// A sheet of the draw's pictures with their captions.
pub(crate) fn sheet(source: &Source, draw: &Draw, images: &[Pixels]) -> Result<Pixels> {
    let names = source.names();
    let label = |i: usize| {
        let class = source.flow.class_of(draw, draw.first + i as u64);
        class
            .and_then(|c| names.get(c as usize))
            .cloned()
            .unwrap_or_default()
    };
    let labels: Vec<String> = (0..images.len()).map(label).collect();
    let caption = format!(
        "fokker · {} · guidance {} · seed {}",
        draw.name(),
        draw.guidance,
        draw.seed
    );
    labelled(images, labels, Some(caption))
}

/// A sheet of pictures with a text below each.
pub(crate) fn labelled(
    images: &[Pixels],
    labels: Vec<String>,
    caption: Option<String>,
) -> Result<Pixels> {
    let columns = ((images.len() as f64).sqrt().ceil() as usize).min(COLUMNS);
    let style = GridStyle {
        scale: LEAST.div_ceil(images[0].width.max(1)),
        labels: Some(labels),
        caption,
        ..GridStyle::default()
    };
    Ok(grid(images, columns, &style)?)
}
