//! The pictures and the report of a run.

use std::ops::Range;
use std::path::PathBuf;

use anyhow::Result;
use fokker::core::Progress;
use fokker::data::write_atomic;
use fokker::eval::figure::{Figure, Panel, Scatter, number};
use fokker::eval::metrics::{memorised_fraction, nearest_two};
use fokker::eval::{GridStyle, Pixels, Report, Section, Svg, encode_gif, grid, write_png};
use fokker::train::Metric;
use fokker::{Dataset, Draw, Shape};

use crate::captioned;
use crate::curves;
use crate::evaluate::Evaluation;
use crate::how::HowArgs;
use crate::preview;
use crate::progress::clock;
use crate::recipe::KEY;
use crate::sample::Source;

/// Milliseconds of an animation's frames, and of its last.
pub(crate) const FRAME_MS: u32 = 80;
/// The last frame stays for a look.
pub(crate) const LAST_FRAME_MS: u32 = 2500;
/// Samples that an animation follows: images on a sheet, or points.
pub(crate) const FOLLOW: usize = 1000;
/// Images that an animation shows.
pub(crate) const FILM: usize = 20;
/// Samples of each class in `samples.png`.
const EACH: usize = 8;

/// The states of the first samples at every step.
pub(crate) struct Trajectory {
    wanted: Range<u64>,
    dim: usize,
    /// `frames[step]` is `[samples, dim]`.
    frames: Vec<Vec<f32>>,
}

impl Trajectory {
    pub(crate) fn new(first: u64, count: usize, dim: usize) -> Self {
        let count = if dim > 64 { count.min(FILM) } else { count };
        Self {
            wanted: first..first + count as u64,
            dim,
            frames: Vec::new(),
        }
    }

    pub(crate) fn see(&mut self, samples: &Range<u64>, at: &Progress) {
        let end = samples.end.min(self.wanted.end);
        if samples.start >= end {
            return;
        }
        let count = (end - samples.start) as usize;
        let values = at.state.to_data().try_to_vec::<f32>().unwrap_or_default();
        self.frames
            .resize(self.frames.len().max(at.steps + 1), Vec::new());
        self.frames[at.step].extend_from_slice(&values[..count * self.dim]);
    }
}

/// The frames of an animation: sheets of images, or scatter plots of points in the plane.
pub(crate) fn trajectory_frames(
    source: &Source,
    draw: &Draw,
    trajectory: &Trajectory,
) -> Result<Vec<Pixels>> {
    let steps = trajectory.frames.len().saturating_sub(1);
    let range = extent(trajectory.frames.last().map_or(&[], Vec::as_slice));
    let class = |i| source.flow.class_of(draw, draw.first + i);
    let frame = |(step, values): (usize, &Vec<f32>)| -> Result<Pixels> {
        if source.shape.image().is_some() {
            let style = GridStyle {
                gap: 3,
                margin: 6,
                ..GridStyle::plain(zoom(source.shape))
            };
            let values = source.decoded(values.clone());
            return Ok(grid(&images(&values, source.shape)?, 5, &style)?);
        }
        let t = step as f64 / steps as f64;
        let panel = by_class(source, values, class, &format!("t = {t:.2}"));
        let figure = Scatter::new("From noise to data")
            .panel(panel)
            .range((-range, range), (-range, range));
        Ok(figure
            .draw(440.0, &fokker::eval::Theme::light())
            .to_png(1.0)?)
    };
    trajectory.frames.iter().enumerate().map(frame).collect()
}

/// Can samples of this shape be drawn?
pub(crate) fn drawable(shape: Shape) -> bool {
    match shape {
        Shape::Image { channels, .. } => matches!(channels, 1 | 3 | 4),
        Shape::Vector(dim) => dim == 2,
    }
}

fn extent(values: &[f32]) -> f64 {
    let largest = values.iter().fold(0.0_f32, |m, v| m.max(v.abs()));
    f64::from(largest.max(3.0)) * 1.1
}

/// Rows of values as pictures.
pub(crate) fn images(values: &[f32], shape: Shape) -> Result<Vec<Pixels>> {
    let Some([channels, height, width]) = shape.image() else {
        return Ok(Vec::new());
    };
    values
        .chunks_exact(shape.size())
        .map(|row| Ok(Pixels::from_unit(row, channels, height, width)?))
        .collect()
}

/// Whole-number zoom that brings small images to a size that can be looked at.
pub(crate) fn zoom(shape: Shape) -> usize {
    let side = shape
        .image()
        .map_or(84, |[_, height, width]| height.max(width).max(1));
    (84 / side).max(1)
}

/// A near-square sheet without words.
pub(crate) fn plain_sheet(images: &[Pixels]) -> Result<Pixels> {
    let columns = (images.len() as f64).sqrt().ceil() as usize;
    let side = images[0].width.max(images[0].height).max(1);
    Ok(grid(
        images,
        columns,
        &GridStyle::plain((84 / side).max(1)),
    )?)
}

/// A sheet with a labelled row for each class of the draw.
pub(crate) fn class_sheet(source: &Source, draw: &Draw, images: &[Pixels]) -> Result<Pixels> {
    let names = source.names();
    let turn = match draw.classes.len() {
        0 => names.len(),
        n => n,
    };
    let first = draw.first as usize;
    let mut sorted = Vec::with_capacity(images.len());
    let mut labels = Vec::new();
    let columns = images.len().div_ceil(turn);
    let blank = Pixels {
        data: vec![255; images[0].data.len()],
        ..images[0].clone()
    };
    for row in 0..turn.min(images.len()) {
        let members: Vec<&Pixels> = (0..images.len())
            .filter(|i| (first + i) % turn == (first + row) % turn)
            .map(|i| &images[i])
            .collect();
        let class = source.flow.class_of(draw, draw.first + row as u64);
        let name = class.and_then(|c| names.get(c as usize));
        labels.push(name.map_or("no class", String::as_str).to_owned());
        sorted.extend(members.iter().map(|p| (*p).clone()));
        sorted.extend(std::iter::repeat_n(blank.clone(), columns - members.len()));
    }
    let style = GridStyle {
        scale: zoom(source.shape),
        row_labels: Some(labels),
        caption: Some(format!(
            "fokker · {} · guidance {} · seed {}",
            draw.name(),
            draw.guidance,
            draw.seed
        )),
        ..GridStyle::default()
    };
    Ok(grid(&sorted, columns, &style)?)
}

fn plane(values: &[f32]) -> Vec<(f64, f64)> {
    values
        .chunks_exact(2)
        .map(|p| (p[0].into(), p[1].into()))
        .collect()
}

fn by_class(
    source: &Source,
    values: &[f32],
    class: impl Fn(u64) -> Option<u32>,
    title: &str,
) -> Panel {
    let names = source.names();
    let mut groups = vec![Vec::new(); names.len() + 1];
    for (point, i) in plane(values).into_iter().zip(0..) {
        let k = class(i).map_or(names.len(), |k| k as usize);
        groups[k.min(names.len())].push(point);
    }
    let labels = names.iter().map(String::as_str).chain([""]);
    labels
        .zip(groups)
        .filter(|(_, points)| !points.is_empty())
        .fold(Panel::new(title), |panel, (label, points)| {
            panel.points(label, points)
        })
}

/// Samples in the plane as a picture.
pub(crate) fn scatter_of(source: &Source, draw: &Draw, values: &[f32]) -> Result<Pixels> {
    let class = |i| source.flow.class_of(draw, draw.first + i);
    let panel = by_class(source, values, class, &format!("{} samples", draw.count));
    let figure = Scatter::new(source.run.config().name.clone()).panel(panel);
    Ok(figure
        .draw(560.0, &fokker::eval::Theme::light())
        .to_png(2.0)?)
}

/// Data beside samples, in the plane.
fn plane_figure(source: &Source, data: &dyn Dataset, draw: &Draw, values: &[f32]) -> Scatter {
    let count = values.len() / 2;
    let mut points = vec![0.0; 2 * count];
    let start = fresh(data);
    let labels: Vec<Option<u32>> = points
        .chunks_exact_mut(2)
        .zip(0..)
        .map(|(row, i)| data.item((start + i) % data.len().unwrap_or(u64::MAX), row))
        .collect();
    let conditional = source.flow.classes > 0;
    let label = |i: u64| labels[i as usize].filter(|_| conditional);
    Scatter::new("Data and samples")
        .panel(by_class(source, &points, label, "data"))
        .panel(by_class(
            source,
            values,
            |i| source.flow.class_of(draw, draw.first + i),
            "samples",
        ))
}

/// The first index of data that the training has not seen, for data without end.
pub(crate) fn fresh(data: &dyn Dataset) -> u64 {
    match data.len() {
        Some(_) => 0,
        None => 1 << 40,
    }
}

/// Samples from the finished run, and writes every picture and the report into its folder. Returns
/// the files written, or `None` on Ctrl-C.
pub(crate) fn write(
    source: &Source,
    data: &dyn Dataset,
    evaluation: Option<&Evaluation>,
) -> Result<Option<Vec<PathBuf>>> {
    let folder = source.run.path();
    let metrics = source.run.metrics()?;
    let mut files = Vec::new();
    let mut keep = |name: &str| {
        files.push(folder.join(name));
        folder.join(name)
    };
    let (way, mut draw) = source.draw(&HowArgs::default(), 0)?;
    draw.count = match (source.shape, source.flow.classes) {
        (Shape::Vector(_), _) => 2000,
        (_, 0) => 64,
        (_, classes) if captioned::is_many(source) => {
            draw.classes = captioned::some_of(classes, captioned::SHOWN);
            draw.classes.len()
        }
        (_, classes) => EACH * classes,
    };
    let Some((values, trajectory)) = source.sample(&draw, FOLLOW)? else {
        return Ok(None);
    };

    let chart = curves::loss(&metrics);
    write_svg(&keep("loss.svg"), &chart.svg())?;
    let mut report = head(source, &metrics, evaluation);
    let mut samples = Section::new("Samples");
    match source.shape {
        shape if !drawable(shape) => {
            let text = "Samples of this shape cannot be drawn; write them to a .npy file.";
            samples = samples.text(text);
        }
        Shape::Image { .. } => {
            let pictures = images(&values, source.shape)?;
            let conditional = source.flow.classes > 0;
            let many = captioned::is_many(source);
            let (sheet, caption) = if many {
                let caption = "Every image is new, made from noise for the caption below it.";
                (captioned::sheet(source, &draw, &pictures)?, caption)
            } else if conditional {
                let caption = "Every image is new: a row for each class, made from noise.";
                (class_sheet(source, &draw, &pictures)?, caption)
            } else {
                (
                    plain_sheet(&pictures)?,
                    "Every image is new, made from noise.",
                )
            };
            let rows = conditional && !many;
            let recipe = source.recipe(&way, &draw, rows)?.to_json();
            write_png(keep("samples.png"), &sheet, &[(KEY, &recipe)])?;
            samples = samples.picture(&sheet, caption)?;
        }
        Shape::Vector(_) => {
            let figure = plane_figure(source, data, &draw, &values);
            write_svg(&keep("samples.svg"), &figure.svg())?;
            let picture = figure
                .draw(820.0, &fokker::eval::Theme::light())
                .to_png(2.0)?;
            // Data and samples side by side: more than a recipe of samples could make again.
            write_png(keep("samples.png"), &picture, &[])?;
            samples = samples.figure(&figure, "Data beside samples of the trained flow.");
        }
    }
    report = report.section(samples);
    if drawable(source.shape) {
        let frames = trajectory_frames(source, &draw, &trajectory)?;
        let gif = encode_gif(&frames, FRAME_MS, LAST_FRAME_MS)?;
        write_atomic(keep("trajectory.gif"), &gif)?;
        let size = (frames[0].width, frames[0].height);
        let seen = match &source.latent {
            Some(_) => " It runs in the latents of an autoencoder; every step is decoded.",
            None => "",
        };
        let text = format!(
            "The flow dx/dt = u_t(x) carries noise (t = 0) to data (t = 1), here in {} steps of {}.{seen}",
            draw.steps, draw.sampler
        );
        let section = Section::new("From noise to data");
        report = report.section(section.animation(gif, size, text));
    }
    if let Some(evaluation) = evaluation {
        report = evaluation.sections(report)?;
    }
    if let (Shape::Image { .. }, true, Some(n)) = (source.shape, drawable(source.shape), data.len())
    {
        report = report.section(neighbours(source.shape, data, n, &values)?);
    }
    report = curves::sections(report, &chart, &metrics);
    if let Some(section) = preview::section(source)? {
        report = report.section(section);
    }
    let path = keep("report.html");
    tail(report, source).write(&path)?;
    Ok(Some(files))
}

pub(crate) fn write_svg(path: &std::path::Path, svg: &Svg) -> Result<()> {
    Ok(svg.write(path)?)
}

fn head(source: &Source, metrics: &[Metric], evaluation: Option<&Evaluation>) -> Report {
    let info = source.run.info();
    let config = source.run.config();
    let train = &config.training.train;
    let seconds: f64 = metrics.iter().map(|m| m.seconds).sum();
    let items = source.checkpoint.step as f64 * train.batch as f64;
    let tail = &metrics[metrics.len() - (metrics.len() / 10).max(1).min(metrics.len())..];
    let loss = tail.iter().map(|m| m.loss).sum::<f64>() / tail.len() as f64;
    let size = info.items.map_or("unlimited".into(), |n| number(n as f64));
    let kind = match source.shape {
        Shape::Image { .. } => format!("images of {}", source.shape),
        Shape::Vector(2) => "points in the plane".into(),
        Shape::Vector(d) => format!("points with {d} coordinates"),
    };
    let subtitle = format!("A flow trained on {}: {size} {kind}", info.data);
    let report = Report::new(config.name.clone()).subtitle(subtitle);
    let report = evaluation.map_or(report.clone(), |e| e.tiles(report));
    let epochs = match info.items {
        Some(n) => format!("{:.1} epochs", items / n as f64),
        None => format!("{} points seen", number(items)),
    };
    report
        .tile(
            "Steps",
            number(source.checkpoint.step as f64),
            format!("batches of {}, {epochs}", train.batch),
        )
        .tile(
            "Training time",
            clock(seconds),
            format!("{} items a second", number((items / seconds).round())),
        )
        .tile("Loss", format!("{loss:.4}"), "mean of the last tenth")
        .tile(
            "Parameters",
            number(info.parameters as f64),
            "trainable numbers",
        )
}

fn tail(report: Report, source: &Source) -> Report {
    let config = source.run.config();
    let info = source.run.info();
    let run = quoted(&source.run.path().display().to_string());
    let again = format!("fokker train {run}/config.toml --out again");
    let more = match source.shape {
        Shape::Image { .. } if source.reads_texts() => {
            let caption = quoted(&source.names()[0]);
            format!("fokker sample {run} --prompt {caption} -o sheet.png")
        }
        Shape::Image { .. } if source.flow.classes > 0 => {
            format!("fokker sample {run} --grid -o sheet.png")
        }
        Shape::Image { .. } => format!("fokker sample {run} --count 64 -o sheet.png"),
        Shape::Vector(_) => format!("fokker sample {run} --count 10000 -o points.csv"),
    };
    report
        .section(
            Section::new("Make it again")
                .commands("The same seed gives the same bits.", &[&again, &more]),
        )
        .section(Section::new("Recipe").code("config.toml", config.to_toml()))
        .footer(format!(
            "fokker {} · seed {} · data {} · checkpoint {}",
            info.fokker, config.seed, info.fingerprint, source.checkpoint.step
        ))
}

/// A path as a shell takes it.
pub(crate) fn quoted(path: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "/._-".contains(c);
    if path.chars().all(plain) {
        return path.to_owned();
    }
    format!("'{}'", path.replace('\'', "'\\''"))
}

/// The nearest training images of sixteen samples, and how close they come.
fn neighbours(shape: Shape, data: &dyn Dataset, n: u64, values: &[f32]) -> Result<Section> {
    const SHOWN: usize = 16;
    let dim = shape.size();
    // Classes are taken in turn, so the first samples show them all.
    let chosen = &values[..values.len().min(SHOWN * dim)];
    let fill = |i: u64, row: &mut [f32]| _ = data.item(i, row);
    let found = nearest_two(chosen, &fill, n, dim)?;
    let mut near = vec![0.0; found.len() * dim];
    for (row, f) in near.chunks_exact_mut(dim).zip(&found) {
        data.item(f.index, row);
    }
    // Half of the samples, their neighbours below, and the same again.
    let (tops, bottoms) = (images(chosen, shape)?, images(&near, shape)?);
    let columns = tops.len().div_ceil(2);
    let rows = tops.chunks(columns).zip(bottoms.chunks(columns));
    let sheet: Vec<Pixels> = rows.flat_map(|(t, b)| [t, b].concat()).collect();
    let style = GridStyle {
        scale: zoom(shape),
        row_labels: Some(
            ["sample", "nearest"]
                .repeat(2)
                .into_iter()
                .map(String::from)
                .collect(),
        ),
        ..GridStyle::default()
    };
    let copies = match n {
        1 => String::new(),
        _ => format!(
            " Copies, by the ⅓ rule of Yoon et al. 2023: {:.0} %.",
            100.0 * memorised_fraction(&found, 1.0 / 3.0)
        ),
    };
    let caption =
        format!("Samples, each above the training image nearest to it (Euclidean).{copies}");
    Ok(
        Section::new("Nearest training images")
            .picture(&grid(&sheet, columns, &style)?, caption)?,
    )
}
