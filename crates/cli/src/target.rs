//! Where samples go: the format that a file name asks for, what can be refused early, and the writing.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use fokker::data::write_atomic;
use fokker::eval::{Pixels, write_png};
use fokker::{Draw, Shape};

use crate::captioned;
use crate::present;
use crate::recipe::{KEY, Recipe};
use crate::sample::Source;

/// What the file name asks for.
#[derive(Clone, Copy)]
pub(crate) enum Format {
    /// One PNG.
    Sheet,
    /// A NumPy array.
    Array,
    /// A CSV table.
    Table,
    /// A folder of PNGs.
    Folder,
}

/// The format for these samples, or why they cannot be written so.
pub(crate) fn format_of(out: &Path, shape: Shape) -> Result<Format> {
    let extension = out
        .extension()
        .and_then(|e| e.to_str())
        .map(str::to_lowercase);
    let format = match extension.as_deref() {
        Some("png") => Format::Sheet,
        Some("npy") => Format::Array,
        Some("csv") => Format::Table,
        None => Format::Folder,
        Some(other) => bail!(
            "--out {}: unknown format .{other}; use .png, .npy, .csv, or a name without extension for a folder of PNGs",
            out.display()
        ),
    };
    match (&format, shape) {
        (Format::Table, Shape::Image { .. }) => {
            bail!(
                "--out {}: .csv holds points; write images to .png or .npy",
                out.display()
            )
        }
        (Format::Folder, Shape::Vector(_)) => {
            bail!("--out {}: points go to .csv, .npy or .png", out.display())
        }
        (Format::Sheet, Shape::Vector(d)) if d != 2 => {
            bail!(
                "--out {}: only points in the plane can be drawn, these have {d} coordinates; use .csv or .npy",
                out.display()
            )
        }
        (Format::Sheet | Format::Folder, shape) if !present::drawable(shape) => {
            bail!(
                "--out {}: only images of 1, 3 or 4 channels can be drawn, these are {shape}; use .npy",
                out.display()
            )
        }
        _ => Ok(format),
    }
}

/// Refuses what would not fit in memory, or on a sheet.
pub(crate) fn check_size(draw: &Draw, dim: usize, format: Format) -> Result<()> {
    const LARGEST: usize = 1 << 30;
    const SHEET: usize = 10_000;
    let count = draw.count;
    if matches!(format, Format::Sheet) && dim > 2 && count > SHEET {
        bail!(
            "--count {count}: a sheet holds at most {SHEET} images; write .npy or a folder of PNGs"
        );
    }
    if count.saturating_mul(dim) > LARGEST {
        let most = LARGEST / dim;
        bail!(
            "--count {count}: these samples need more than 4 GiB; ask for at most {most} at a time, with another --seed each"
        );
    }
    Ok(())
}

/// Refuses a target that cannot be written, before the work and not after it.
pub(crate) fn check_place(flag: &str, out: &Path, format: Format) -> Result<()> {
    let shown = out.display();
    match out.parent() {
        Some(parent) if !parent.as_os_str().is_empty() && !parent.is_dir() => {
            bail!(
                "{flag} {shown}: the folder {} does not exist",
                parent.display()
            )
        }
        _ => (),
    }
    match format {
        Format::Folder if out.is_file() => {
            bail!(
                "{flag} {shown}: this is a file; a name without extension asks for a folder of PNGs"
            )
        }
        Format::Folder if fs::read_dir(out).is_ok_and(|mut entries| entries.next().is_some()) => {
            bail!("{flag} {shown}: this folder is not empty")
        }
        Format::Sheet | Format::Array | Format::Table if out.is_dir() => {
            bail!("{flag} {shown}: this is a folder; give a file name")
        }
        _ => Ok(()),
    }
}

/// Writes the samples of `recipe`.
pub(crate) fn write(
    source: &Source,
    draw: &Draw,
    recipe: &Recipe,
    values: &[f32],
    (out, format): (&Path, Format),
) -> Result<()> {
    match format {
        Format::Sheet => write_sheet(source, draw, recipe, values, out),
        Format::Array => {
            let mut shape = vec![draw.count];
            shape.extend(source.shape.axes());
            Ok(fokker::data::write_npy(out, values, &shape)?)
        }
        Format::Table => write_table(source, draw, values, out),
        Format::Folder => write_folder(source, draw, recipe, values, out),
    }
}

fn write_sheet(
    source: &Source,
    draw: &Draw,
    recipe: &Recipe,
    values: &[f32],
    out: &Path,
) -> Result<()> {
    let picture = match source.shape {
        Shape::Vector(_) => present::scatter_of(source, draw, values)?,
        shape if recipe.grid => {
            present::class_sheet(source, draw, &present::images(values, shape)?)?
        }
        shape if source.reads_texts() && draw.count > 1 => {
            captioned::sheet(source, draw, &present::images(values, shape)?)?
        }
        shape if draw.count == 1 => present::images(values, shape)?.remove(0),
        shape => present::plain_sheet(&present::images(values, shape)?)?,
    };
    Ok(write_png(out, &picture, &[(KEY, &recipe.to_json())])?)
}

fn write_table(source: &Source, draw: &Draw, values: &[f32], out: &Path) -> Result<()> {
    let dim = source.flow.dim;
    let classes = source.names();
    let mut text: Vec<String> = vec![
        (0..dim)
            .map(|i| format!("x{i}"))
            .collect::<Vec<_>>()
            .join(","),
    ];
    if !classes.is_empty() {
        text[0] += ",class";
    }
    for (row, index) in values.chunks_exact(dim).zip(draw.first..) {
        let mut line = row.iter().map(f32::to_string).collect::<Vec<_>>().join(",");
        if let Some(class) = source.flow.class_of(draw, index) {
            let name = classes.get(class as usize).map_or("none", String::as_str);
            line += &format!(",{}", quote(name));
        }
        text.push(line);
    }
    Ok(write_atomic(out, (text.join("\n") + "\n").as_bytes())?)
}

/// A CSV field, quoted where it must be (RFC 4180).
fn quote(field: &str) -> String {
    if field.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.to_owned()
    }
}

fn write_folder(
    source: &Source,
    draw: &Draw,
    recipe: &Recipe,
    values: &[f32],
    out: &Path,
) -> Result<()> {
    let made = !out.exists();
    fs::create_dir_all(out).with_context(|| format!("cannot create {}", out.display()))?;
    let images: Vec<Pixels> = present::images(values, source.shape)?;
    let write = || -> Result<()> {
        for (image, index) in images.iter().zip(draw.first..) {
            let one = Recipe {
                first: index,
                count: 1,
                grid: false,
                ..recipe.clone()
            };
            let path = out.join(format!("{index:06}.png"));
            write_png(path, image, &[(KEY, &one.to_json())])?;
        }
        Ok(())
    };
    write().inspect_err(|_| {
        if made {
            drop(fs::remove_dir_all(out));
        }
    })
}
