//! Processes that follow a density.

use fokker_math::density::Density;
use fokker_sim::density::{AnyDensity, DensityArg};
use fokker_sim::lane::Lane;
use fokker_sim::process::diffusion::{AnyKernel, Forward, ProbabilityFlow, Reverse, SubVp, Ve, Vp};
use fokker_sim::process::{Langevin, Named, NoiseKind, Process, ProcessError, UnderdampedLangevin};

/// The processes that follow a density, in any dimension.
#[derive(Clone, Debug)]
pub(super) enum Dense {
    /// Overdamped.
    Langevin(Langevin<AnyDensity>),
    /// With inertia.
    Underdamped(UnderdampedLangevin<AnyDensity>),
    /// From data to noise.
    Forward(Forward<AnyKernel>),
    /// From noise to data.
    Reverse(Reverse<AnyKernel>),
    /// From noise to data without noise.
    Flow(ProbabilityFlow<AnyKernel>),
}

/// Calls a method of the process that it is.
macro_rules! each {
    ($self:ident, $process:ident => $call:expr) => {
        match $self {
            Dense::Langevin($process) => $call,
            Dense::Underdamped($process) => $call,
            Dense::Forward($process) => $call,
            Dense::Reverse($process) => $call,
            Dense::Flow($process) => $call,
        }
    };
}

impl Dense {
    /// The process, where it is one that follows a density.
    ///
    /// # Errors
    /// As the process's own constructor.
    pub(super) fn of_named(named: &Named) -> Result<Option<Dense>, ProcessError> {
        let (name, v): (_, Vec<f64>) = (
            named.spec().name,
            named.parameters().map(|(_, value)| value).collect(),
        );
        let density = named.density().cloned().unwrap_or_default();
        let (family, way) = match name.rsplit_once('-') {
            Some((family, way @ ("reverse" | "flow"))) => (family, way),
            _ => (name, ""),
        };
        let kernel = match family {
            "langevin" => {
                return Langevin::new(density.lanes(), v[0]).map(|p| Some(Dense::Langevin(p)));
            }
            "underdamped-langevin" => {
                let process = UnderdampedLangevin::new(density.lanes(), v[0], v[1], v[2]);
                return process.map(|p| Some(Dense::Underdamped(p)));
            }
            "vp" => AnyKernel::Vp(Vp::new(v[0], v[1])?),
            "sub-vp" => AnyKernel::SubVp(SubVp::new(v[0], v[1])?),
            "ve" => AnyKernel::Ve(Ve::new(v[0], v[1])?),
            _ => return Ok(None),
        };
        if way.is_empty() {
            return Forward::new(kernel, density.dim()).map(|p| Some(Dense::Forward(p)));
        }
        let Some(data) = DensityArg::diffused(&density) else {
            let process = named.spec().name;
            return Err(ProcessError::NotDiffusable { process });
        };
        if way == "flow" {
            ProbabilityFlow::new(kernel, data).map(|p| Some(Dense::Flow(p)))
        } else {
            Reverse::new(kernel, data).map(|p| Some(Dense::Reverse(p)))
        }
    }
}

impl Process for Dense {
    type State<L: Lane> = Vec<L>;
    type Noise<L: Lane> = Vec<L>;

    fn dim(&self) -> usize {
        each!(self, process => process.dim())
    }

    fn noise_dim(&self) -> usize {
        each!(self, process => process.noise_dim())
    }

    #[inline(always)]
    fn drift<L: Lane>(&self, t: L, x: &Vec<L>, f: &mut Vec<L>) {
        each!(self, process => process.drift(t, x, f))
    }

    #[inline(always)]
    fn diffusion<L: Lane>(&self, t: L, x: &Vec<L>, dw: &Vec<L>, out: &mut Vec<L>) {
        match self {
            Dense::Langevin(process) => process.diffusion(t, x, dw, out),
            Dense::Underdamped(process) => process.diffusion(t, x, dw, out),
            Dense::Forward(process) => process.diffusion(t, x, dw, out),
            Dense::Reverse(process) => process.diffusion(t, x, dw, out),
            Dense::Flow(_) => out.fill(L::splat(0.0)),
        }
    }

    fn noise_kind(&self) -> NoiseKind {
        each!(self, process => process.noise_kind())
    }

    fn names(&self) -> Vec<String> {
        each!(self, process => process.names())
    }
}
