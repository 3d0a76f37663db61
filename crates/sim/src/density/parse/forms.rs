//! From checked syntax to densities.

use fokker_math::density::{Gaussian, Mixture};

use super::Fault;
use super::syntax::{Entry, Kind, Value};
use crate::density::{DensityArg, DoubleWell};
use crate::process::Range;
use crate::rng::{Purpose, Stream};

/// The parameters of a density: known names, each given once.
pub(super) struct Args<'a> {
    /// Where the density's name stands.
    pub(super) at: usize,
    pub(super) entries: Vec<Entry<'a>>,
}

/// The most dimensions, components, and entries of covariances.
const DIMS: u32 = 1000;
const COMPONENTS: u32 = 10_000;
const ENTRIES: usize = 10_000_000;

impl Args<'_> {
    fn value(&self, key: &str) -> Option<&Value> {
        let entry = self.entries.iter().find(|entry| entry.key == key)?;
        Some(&entry.value)
    }

    /// Where a parameter's value stands, or else the density's name.
    fn place(&self, key: &str) -> usize {
        self.value(key).map_or(self.at, |value| value.at)
    }

    fn number(&self, key: &'static str, default: f64, range: Range) -> Result<f64, Fault> {
        let Some(value) = self.value(key) else {
            return Ok(default);
        };
        let number = value.number(key)?;
        let checked = range.check(key, number);
        checked.map_err(|error| Fault::new(value.at, error.to_string()))
    }

    fn whole(&self, key: &'static str, default: u32, most: u32) -> Result<usize, Fault> {
        let number = self.number(key, f64::from(default), Range::Whole(1, most))?;
        Ok(number as usize)
    }

    /// Refuses two parameters that say the same.
    fn either(&self, one: &str, other: &str) -> Result<(), Fault> {
        match (self.value(one), self.value(other)) {
            (Some(_), Some(value)) => Err(Fault::new(
                value.at,
                format!("give either `{one}` or `{other}`, not both"),
            )),
            _ => Ok(()),
        }
    }

    /// Refuses covariances of more entries than memory is for.
    fn affordable(&self, k: usize, dim: usize) -> Result<(), Fault> {
        if k * dim * dim > ENTRIES {
            return Err(Fault::new(
                self.at,
                format!(
                    "{k} components in dimension {dim} have {} entries in their covariances, at \
                     most {ENTRIES} are possible",
                    k * dim * dim
                ),
            ));
        }
        Ok(())
    }
}

impl Value {
    fn number(&self, what: &str) -> Result<f64, Fault> {
        match self.kind {
            Kind::Number(number) => Ok(number),
            Kind::List(_) => Err(Fault::new(self.at, format!("`{what}` takes a number here"))),
        }
    }

    fn list(&self, what: &str) -> Result<&[Value], Fault> {
        match &self.kind {
            Kind::List(list) => Ok(list),
            Kind::Number(_) => Err(Fault::new(
                self.at,
                format!("`{what}` takes a list here, such as [1, 2]"),
            )),
        }
    }

    fn numbers(&self, what: &str) -> Result<Vec<f64>, Fault> {
        self.list(what)?.iter().map(|v| v.number(what)).collect()
    }

    /// A number, or a list of numbers: a point.
    fn point(&self, what: &str) -> Result<Vec<f64>, Fault> {
        let point = match self.kind {
            Kind::Number(number) => vec![number],
            Kind::List(_) => self.numbers(what)?,
        };
        if point.len() > DIMS as usize {
            let message = format!("at most {DIMS} dimensions, got {}", point.len());
            return Err(Fault::new(self.at, message));
        }
        Ok(point)
    }

    /// The rows of an n × n matrix, one after another; a number in one dimension.
    fn matrix(&self, what: &str, n: usize) -> Result<Vec<f64>, Fault> {
        if let (Kind::Number(number), 1) = (&self.kind, n) {
            return Ok(vec![*number]);
        }
        let rows = self.list(what)?;
        let mut matrix = Vec::with_capacity(n * n);
        for row in rows {
            let numbers = row.numbers(what)?;
            if numbers.len() != n {
                let message = format!("this row needs {n} numbers, got {}", numbers.len());
                return Err(Fault::new(row.at, message));
            }
            matrix.extend(numbers);
        }
        if rows.len() != n {
            let message = format!("`{what}` needs {n} rows, got {}", rows.len());
            return Err(Fault::new(self.at, message));
        }
        Ok(matrix)
    }
}

pub(super) fn gaussian(args: &mut Args) -> Result<DensityArg, Fault> {
    args.either("std", "cov")?;
    let mut mean = match args.value("mean") {
        None => vec![0.0],
        Some(value) => value.point("mean")?,
    };
    if let Some(value) = args.value("dim") {
        let dim = args.whole("dim", 1, DIMS)?;
        if mean.len() == 1 {
            mean = vec![mean[0]; dim];
        } else if mean.len() != dim {
            let message = format!("the mean has {} coordinates, not {dim}", mean.len());
            return Err(Fault::new(value.at, message));
        }
    }
    let (key, made) = match args.value("cov") {
        Some(cov) => ("cov", Gaussian::new(&mean, &cov.matrix("cov", mean.len())?)),
        None => {
            let std = args.number("std", 1.0, Range::Positive)?;
            ("std", Gaussian::isotropic(&mean, std))
        }
    };
    made.map(DensityArg::Gaussian)
        .map_err(|error| Fault::new(args.place(key), error.to_string()))
}

pub(super) fn mixture(args: &mut Args) -> Result<DensityArg, Fault> {
    args.either("stds", "covs")?;
    let Some(means) = args.value("means") else {
        return Err(Fault::new(
            args.at,
            "a mixture needs its means, such as `mixture:means=[-2,2]`",
        ));
    };
    let points = means
        .list("means")?
        .iter()
        .map(|mean| mean.point("means"))
        .collect::<Result<Vec<_>, _>>()?;
    let (k, dim) = (points.len(), points[0].len());
    args.affordable(k, dim)?;
    // A list with one entry for each mean.
    let each = |value: &Value, got: usize| match got == k {
        true => Ok(()),
        false => Err(Fault::new(
            value.at,
            format!("there are {k} means, but {got} entries here"),
        )),
    };
    let mut components = Vec::with_capacity(k);
    if let Some(value) = args.value("covs") {
        let covs = value.list("covs")?;
        each(value, covs.len())?;
        for (mean, cov) in points.iter().zip(covs) {
            let made = Gaussian::new(mean, &cov.matrix("covs", mean.len())?);
            components.push(made.map_err(|error| Fault::new(cov.at, error.to_string()))?);
        }
    } else {
        let stds = match args.value("stds") {
            Some(value) if matches!(value.kind, Kind::List(_)) => {
                let stds = value.numbers("stds")?;
                each(value, stds.len())?;
                stds
            }
            _ => vec![args.number("stds", 1.0, Range::Positive)?; k],
        };
        for (mean, std) in points.iter().zip(stds) {
            let made = Gaussian::isotropic(mean, std);
            let at = args.place("stds");
            components.push(made.map_err(|error| Fault::new(at, error.to_string()))?);
        }
    }
    let weights = match args.value("weights") {
        None => vec![1.0; k],
        Some(value) => {
            let weights = value.numbers("weights")?;
            each(value, weights.len())?;
            weights
        }
    };
    let key = if points.iter().any(|point| point.len() != dim) {
        "means"
    } else {
        "weights"
    };
    Mixture::new(&weights, components)
        .map(DensityArg::Mixture)
        .map_err(|error| Fault::new(args.place(key), error.to_string()))
}

pub(super) fn ring(args: &mut Args) -> Result<DensityArg, Fault> {
    let k = args.whole("k", 5, COMPONENTS)?;
    let radius = args.number("radius", 10.0, Range::NonNegative)?;
    let std = args.number("std", 1.0, Range::Positive)?;
    Mixture::ring(k, radius, std)
        .map(DensityArg::Mixture)
        .map_err(|error| Fault::new(args.at, error.to_string()))
}

pub(super) fn random(args: &mut Args) -> Result<DensityArg, Fault> {
    let k = args.whole("k", 5, COMPONENTS)?;
    let std = args.number("std", 1.0, Range::Positive)?;
    let scale = args.number("scale", 20.0, Range::NonNegative)?;
    let offset = args.number("offset", 0.0, Range::Any)?;
    let seed = args.number("seed", 0.0, Range::Whole(0, u32::MAX))? as u64;
    let dim = args.whole("dim", 2, DIMS)?;
    args.affordable(k, dim)?;
    // Draw 1, as elsewhere for places of components.
    let mut draw = Stream::new(seed, Purpose::Data, 0, 1).cursor();
    Mixture::random_in(dim, k, std, scale, offset, &mut || draw.uniform_f64())
        .map(DensityArg::Mixture)
        .map_err(|error| Fault::new(args.at, error.to_string()))
}

pub(super) fn double_well(args: &mut Args) -> Result<DensityArg, Fault> {
    let height = args.number("height", 2.0, Range::Between(1e-3, 1e3))?;
    let width = args.number("width", 1.0, Range::Positive)?;
    DoubleWell::new(height, width)
        .map(DensityArg::DoubleWell)
        .map_err(|error| Fault::new(args.at, error.to_string()))
}
