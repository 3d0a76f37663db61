//! Processes by name, as a command line asks for them.

mod law;
mod spec;
mod table;

pub use law::{Holds, Law, Marginal};
pub use spec::{ParameterSpec, ProcessSpec, StartSpec};
pub use table::PROCESSES;

use fokker_math::density::Density;

use super::diffusion::{AnyKernel, Forward, ProbabilityFlow, Reverse};
use super::error::similar;
use super::{
    Brownian, DoubleWell, Dynamic, Fixed, GeometricBrownian, Heston, Langevin, Linear, Lorenz,
    OrnsteinUhlenbeck, Process, ProcessError, Spiral, UnderdampedLangevin, VanDerPol,
};
use crate::density::{AnyDensity, DensityArg};

/// A process chosen by name.
#[derive(Clone, Debug)]
pub struct Named {
    spec: &'static ProcessSpec,
    /// As in the specification.
    values: Vec<f64>,
    density: Option<DensityArg>,
    built: Built,
}

/// What is done with a process whose type is known only when the program runs.
pub trait Visit {
    /// The result.
    type Out;
    /// Does it.
    fn visit<P: Process>(self, process: &P) -> Self::Out;
}

/// Where trajectories start.
#[derive(Clone, Debug)]
pub enum Start {
    /// All at one point.
    Point(Vec<f64>),
    /// Each at a sample of a density.
    Density(DensityArg),
}

macro_rules! built {
    ($($variant:ident: $type:ty,)*) => {
        #[derive(Clone, Debug)]
        enum Built {
            $($variant($type),)*
        }

        impl Built {
            fn visit<V: Visit>(&self, visit: V) -> V::Out {
                match self {
                    $(Built::$variant(process) => visit.visit(process),)*
                }
            }
        }
    };
}

built! {
    Linear: Linear,
    Spiral: Spiral,
    Lorenz: Lorenz,
    VanDerPol: VanDerPol,
    Brownian: Brownian,
    OrnsteinUhlenbeck: OrnsteinUhlenbeck,
    GeometricBrownian: GeometricBrownian,
    DoubleWell: DoubleWell,
    Heston: Heston,
    Langevin1: Langevin<AnyDensity, Fixed<1>>,
    Langevin2: Langevin<AnyDensity, Fixed<2>>,
    Langevin: Langevin<AnyDensity, Dynamic>,
    Underdamped: UnderdampedLangevin<AnyDensity, Dynamic>,
    Forward: Forward<AnyKernel, Dynamic>,
    Reverse: Reverse<AnyKernel, Dynamic>,
    Flow: ProbabilityFlow<AnyKernel, Dynamic>,
}

/// What is usually said for short, and the name that is meant.
pub const SHORT_NAMES: [(&str, &str); 5] = [
    ("bm", "brownian"),
    ("wiener", "brownian"),
    ("ou", "ornstein-uhlenbeck"),
    ("gbm", "geometric-brownian"),
    ("vdp", "van-der-pol"),
];

fn full_name(name: &str) -> &str {
    let short = SHORT_NAMES.iter().find(|(short, _)| *short == name);
    short.map_or(name, |(_, full)| full)
}

/// The name that was probably meant.
fn suggestion(name: &str) -> Option<&'static str> {
    let lower = name.to_lowercase();
    let short = SHORT_NAMES.iter().find(|(short, _)| *short == lower);
    let names = PROCESSES.iter().map(|spec| spec.name);
    short.map_or_else(|| similar(name, names), |(short, _)| Some(short))
}

impl Named {
    /// The process `name` of [`PROCESSES`] with these parameters, the others at their defaults, and
    /// with this density, if it has one, or else its default.
    ///
    /// # Errors
    /// When there is no such process or parameter (the message says what is similar and what there
    /// is), a parameter is given twice or out of range, or the density is not fit for the process.
    pub fn new(
        name: &str,
        parameters: &[(String, f64)],
        density: Option<DensityArg>,
    ) -> Result<Named, ProcessError> {
        let names = || PROCESSES.iter().map(|spec| spec.name);
        let spec = PROCESSES
            .iter()
            .find(|spec| spec.name == full_name(name))
            .ok_or_else(|| ProcessError::Process {
                name: name.to_string(),
                suggestion: suggestion(name),
                known: names().collect::<Vec<_>>().join(", "),
            })?;
        let values = spec.values(parameters)?;
        let density = match (spec.density, density) {
            (None, None) => None,
            (None, Some(_)) => return Err(ProcessError::DensityUnused(spec.name)),
            (Some(_), Some(density)) => Some(density),
            (Some(default), None) => Some(default.parse().expect("a default density parses")),
        };
        let built = (spec.build)(&values, density.as_ref())?;
        Ok(Named {
            spec,
            values,
            density,
            built,
        })
    }

    /// Calls `visit` with the process itself.
    pub fn visit<V: Visit>(&self, visit: V) -> V::Out {
        self.built.visit(visit)
    }

    /// What is known of the process beside its parameters.
    pub fn spec(&self) -> &'static ProcessSpec {
        self.spec
    }

    /// The parameters, in the specification's order, defaults included.
    pub fn parameters(&self) -> impl Iterator<Item = (&'static str, f64)> {
        let names = self.spec.parameters.iter().map(|parameter| parameter.name);
        names.zip(self.values.iter().copied())
    }

    /// The density: the invariant one of a Langevin process, the data of a diffusion.
    pub fn density(&self) -> Option<&DensityArg> {
        self.density.as_ref()
    }

    /// The names of the state's components.
    pub fn names(&self) -> Vec<String> {
        struct Names;
        impl Visit for Names {
            type Out = Vec<String>;
            fn visit<P: Process>(self, process: &P) -> Vec<String> {
                process.names()
            }
        }
        self.visit(Names)
    }

    /// The dimension of the state.
    pub fn dim(&self) -> usize {
        struct Dim;
        impl Visit for Dim {
            type Out = usize;
            fn visit<P: Process>(self, process: &P) -> usize {
                process.dim()
            }
        }
        self.visit(Dim)
    }

    /// Where trajectories start, unless told otherwise.
    pub fn default_start(&self) -> Start {
        match (self.spec.start, &self.density) {
            (StartSpec::Point(point), _) => Start::Point(point.to_vec()),
            (StartSpec::Data, Some(density)) => Start::Density(density.clone()),
            (StartSpec::Noise(parameter), _) => {
                let std = parameter.map_or(1.0, |i| self.values[i]);
                Start::Density(DensityArg::isotropic(self.dim(), std))
            }
            (StartSpec::Data, None) => Start::Point(vec![0.0; self.dim()]),
        }
    }

    /// The law of the state at time `t` from `start`, component by component, where it is known in
    /// closed form; or the invariant law, which it tends to. [`Law::holds`] says which.
    ///
    /// None, too, when the start is not of the process's dimension or time is negative or NaN.
    pub fn law(&self, start: &Start, t: f64) -> Option<Law> {
        let dim = match start {
            Start::Point(point) => point.len(),
            Start::Density(density) => density.dim(),
        };
        if dim != self.dim() || !(t >= 0.0 && t.is_finite()) {
            return None;
        }
        (self.spec.law)(self, start, t)
    }
}
