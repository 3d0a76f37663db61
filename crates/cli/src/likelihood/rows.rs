//! The rows whose density is asked for.

use std::path::Path;

use anyhow::{Context, Result, bail};
use fokker::data::read_npy;
use fokker::math::mixture::GaussianMixture;
use fokker::sim::rng::{Purpose, uniform_rows};
use fokker::{Dataset, Shape};

use super::LikelihoodArgs;
use crate::present;
use crate::sample::Source;
use crate::table::read_table;

/// Rows of the run's shape, their classes, and their exact density where it is known.
pub(super) struct Rows {
    /// What they are, for people.
    pub(super) name: String,
    /// `[count, dim]`, dequantised where they are images.
    pub(super) values: Vec<f32>,
    /// The class given to each, where the model knows some.
    pub(super) classes: Option<Vec<u32>>,
    /// The exact log-density of each under the law of the run's data, given its class.
    pub(super) exact: Option<Vec<f64>>,
    dim: usize,
}

/// Levels of a pixel in a unit of the network's values: v/127.5 − 1.
pub(super) const LEVELS: f64 = 127.5;

impl Rows {
    pub(super) fn count(&self) -> usize {
        self.values.len() / self.dim
    }

    pub(super) fn read(source: &Source, args: &LikelihoodArgs) -> Result<Self> {
        let shape = source.shape;
        let (name, mut values, own) = match args.data.as_str() {
            "data" => {
                let data = source.run.data()?;
                let first = present::fresh(&*data);
                take(source, &*data, first, args.count)?
            }
            "test" => {
                let test = source.run.config().data.load_test()?;
                let test = test.context(
                    "DATA test: this run's data has no part held back for tests; use \"data\" or a file",
                )?;
                take(source, &*test, 0, args.count)?
            }
            path => file(source, Path::new(path), args.count)?,
        };
        let classes = classes(source, args, own)?;
        if matches!(shape, Shape::Image { .. }) {
            let mut u = vec![0.0; values.len()];
            let rows = 0..(values.len() / shape.size()) as u64;
            uniform_rows(args.seed, Purpose::Augment, rows, 0, shape.size(), &mut u);
            for (v, u) in values.iter_mut().zip(u) {
                *v += (u - 0.5) / LEVELS as f32;
            }
        }
        let exact = exact(source, &values, classes.as_deref())?;
        Ok(Self {
            name,
            values,
            classes,
            exact,
            dim: shape.size(),
        })
    }
}

/// Name, values and labels.
type Read = (String, Vec<f32>, Vec<Option<u32>>);

/// The first rows of a data set, from item `first` on.
fn take(source: &Source, data: &dyn Dataset, first: u64, asked: Option<u64>) -> Result<Read> {
    let (shape, ours) = (data.shape(), source.shape);
    if shape != ours {
        bail!(
            "{}: holds items of {shape}, but this run makes {ours}",
            data.name()
        );
    }
    let count = count(source.shape, data.len(), asked)?;
    let dim = shape.size();
    let mut values = vec![0.0; count as usize * dim];
    let rows = values.chunks_exact_mut(dim).zip(first..);
    let labels = rows.map(|(row, i)| data.item(i, row)).collect();
    Ok((data.name().to_owned(), values, labels))
}

/// How many rows, of `there`.
fn count(shape: Shape, there: Option<u64>, asked: Option<u64>) -> Result<u64> {
    let usual = match shape {
        Shape::Vector(_) => 1000,
        Shape::Image { .. } => 64,
    };
    match (asked, there) {
        (Some(n), Some(there)) if n > there => {
            bail!("--count {n}: there are only {there} rows")
        }
        (Some(n), _) => Ok(n),
        (None, there) => Ok(there.map_or(usual, |there| usual.min(there))),
    }
}

/// The rows of a file.
fn file(source: &Source, path: &Path, asked: Option<u64>) -> Result<Read> {
    let shown = path.display();
    match path.extension().and_then(|e| e.to_str()) {
        Some("npy") => take(source, &read_npy(path, None)?, 0, asked),
        Some("csv") => {
            let Shape::Vector(dim) = source.shape else {
                bail!("{shown}: .csv holds points, but this run makes images; give a .npy file");
            };
            let (mut values, mut labels) = read_table(path, dim, &source.run.info().classes)?;
            let count = count(source.shape, Some(labels.len() as u64), asked)? as usize;
            values.truncate(count * dim);
            labels.truncate(count);
            Ok((shown.to_string(), values, labels))
        }
        _ => bail!("{shown}: expected \"data\", \"test\", or a file ending in .npy or .csv"),
    }
}

/// What the model is told of each row.
fn classes(
    source: &Source,
    args: &LikelihoodArgs,
    own: Vec<Option<u32>>,
) -> Result<Option<Vec<u32>>> {
    let known = source.flow.classes as u32;
    if let Some(class) = &args.class {
        let class = source.classes("--class", std::slice::from_ref(class))?[0];
        return Ok(Some(vec![class; own.len()]));
    }
    if known == 0 {
        return Ok(None);
    }
    let never = source.run.config().objective.label_drop == 0.0;
    if never && let Some(row) = own.iter().position(Option::is_none) {
        bail!(
            "row {row} has no class, and this run never hid it (objective.label_drop = 0); give one by --class"
        );
    }
    if let Some(label) = own.iter().flatten().find(|l| **l >= known) {
        bail!("label {label}: this run knows {known} classes");
    }
    Ok(Some(own.into_iter().map(|l| l.unwrap_or(known)).collect()))
}

/// ln p of each row under the law of the run's data, where it is a mixture of Gaussians: of the row's own mode where it
/// is given one.
fn exact(source: &Source, values: &[f32], classes: Option<&[u32]>) -> Result<Option<Vec<f64>>> {
    let Some(modes) = source.run.config().data.modes()? else {
        return Ok(None);
    };
    let means: Vec<f64> = modes.means.iter().flatten().copied().collect();
    let whole = GaussianMixture::new(2, &modes.weights, &means, &modes.stds)?;
    let mut each = Vec::new();
    for (mean, std) in modes.means.iter().zip(&modes.stds) {
        each.push(GaussianMixture::new(2, &[1.0], mean, &[*std])?);
    }
    let rows = values.chunks_exact(2).enumerate();
    let density = rows.map(|(i, x)| {
        let x = [x[0], x[1]].map(f64::from);
        let class = classes.map(|c| c[i] as usize);
        let law = class.and_then(|k| each.get(k)).unwrap_or(&whole);
        law.log_density(&x)
    });
    Ok(Some(density.collect()))
}
