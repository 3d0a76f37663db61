//! What is known of a process beside its equation in code.

use super::super::error::similar;
use super::super::{ProcessError, Range};
use super::{Built, Law, Named, Start};
use crate::density::DensityArg;

/// A process as help texts and command lines see it.
#[derive(Debug)]
pub struct ProcessSpec {
    /// The name on command lines.
    pub name: &'static str,
    /// The name in sentences.
    pub title: &'static str,
    /// The equations, one per line.
    pub equations: &'static [&'static str],
    /// The parameters.
    pub parameters: &'static [ParameterSpec],
    /// The default of its density, where it has one, as
    /// [`DensityArg`] reads it.
    pub density: Option<&'static str>,
    /// Where trajectories start unless told otherwise.
    pub start: StartSpec,
    /// The end of the simulation unless told otherwise; it begins at 0.
    pub end: f64,
    /// The latest possible end, where the equation is meant only up to a time.
    pub latest: Option<f64>,
    /// The name of the solver unless told otherwise.
    pub solver: &'static str,
    /// Whether there is noise: a stochastic, not an ordinary differential equation.
    pub noise: bool,
    pub(super) build: fn(&[f64], Option<&DensityArg>) -> Result<Built, ProcessError>,
    pub(super) law: fn(&Named, &Start, f64) -> Option<Law>,
}

/// A parameter of a process.
#[derive(Debug)]
pub struct ParameterSpec {
    /// The name.
    pub name: &'static str,
    /// The value unless told otherwise.
    pub default: f64,
    /// What it is.
    pub meaning: &'static str,
    /// What it may be.
    pub range: Range,
}

/// Where trajectories start unless told otherwise; [`Named::default_start`] makes it concrete.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum StartSpec {
    /// At a point.
    Point(&'static [f64]),
    /// At samples of the process's density.
    Data,
    /// At samples of N(0, s² I); s is the parameter of this index, or 1.
    Noise(Option<usize>),
}

impl ProcessSpec {
    /// All parameters, from those given and the defaults.
    pub(super) fn values(&self, given: &[(String, f64)]) -> Result<Vec<f64>, ProcessError> {
        let names = || self.parameters.iter().map(|parameter| parameter.name);
        let mut values: Vec<Option<f64>> = vec![None; self.parameters.len()];
        for (name, value) in given {
            let Some(at) = names().position(|known| known == name) else {
                return Err(ProcessError::Unknown {
                    process: self.name,
                    name: name.clone(),
                    suggestion: similar(name, names()),
                    known: if self.parameters.is_empty() {
                        "it has none".into()
                    } else {
                        format!("it has {}", names().collect::<Vec<_>>().join(", "))
                    },
                });
            };
            let parameter = &self.parameters[at];
            let value = parameter.range.check(parameter.name, *value)?;
            if values[at].replace(value).is_some() {
                return Err(ProcessError::Twice(parameter.name));
            }
        }
        let filled = values.iter().zip(self.parameters);
        Ok(filled.map(|(v, p)| v.unwrap_or(p.default)).collect())
    }
}
