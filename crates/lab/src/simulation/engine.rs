//! The compiled solvers: few, because each takes long to compile.

use std::ops::ControlFlow;

use fokker_math::tableau::{self, TSIT5};
use fokker_sim::SimError;
use fokker_sim::ensemble::{Ended, Plan, Progress, Start, simulate};
use fokker_sim::process::{
    Brownian, GeometricBrownian, Lorenz, Named, OrnsteinUhlenbeck, Process, VanDerPol,
};
use fokker_sim::solver::{
    Adaptive, AnySolver, EmbeddedPair, EulerMaruyama, FixedSde, RungeKutta, Steps,
};

use super::general::General;
use super::outputs::{Number, Outputs};

/// Processes that are worth kernels of their own, with a few solvers.
#[derive(Clone, Debug)]
enum Fast {
    Lorenz(Lorenz),
    VanDerPol(VanDerPol),
    Brownian(Brownian),
    OrnsteinUhlenbeck(OrnsteinUhlenbeck),
    GeometricBrownian(GeometricBrownian),
}

/// A process with its solver.
#[derive(Clone, Debug)]
pub(super) struct Engine {
    general: General,
    fast: Option<Fast>,
    solver: AnySolver,
}

impl Engine {
    /// The process with this solver; `named` says where it comes from, if nothing was changed.
    pub(super) fn new(general: General, named: Option<&Named>, solver: AnySolver) -> Engine {
        let fast = named.and_then(|named| fast(named, &solver));
        Engine {
            general,
            fast,
            solver,
        }
    }

    /// The process.
    pub(super) fn general(&self) -> &General {
        &self.general
    }

    /// The solver.
    pub(super) fn solver(&self) -> &AnySolver {
        &self.solver
    }

    /// Without the kernels of single processes.
    #[cfg(test)]
    pub(super) fn general_only(mut self) -> Engine {
        self.fast = None;
        self
    }

    /// Whether a kernel of its own runs.
    pub(super) fn is_fast(&self) -> bool {
        self.fast.is_some()
    }

    /// As [`simulate`].
    ///
    /// # Errors
    /// As [`simulate`].
    pub(super) fn run<R: Number>(
        &self,
        plan: &Plan,
        start: &Start<'_>,
        outputs: &mut Outputs,
        watch: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<Ended, SimError> {
        let solver = &self.solver;
        match &self.fast {
            Some(Fast::Lorenz(p)) => ode::<_, R>(p, solver, plan, start, outputs, watch),
            Some(Fast::VanDerPol(p)) => ode::<_, R>(p, solver, plan, start, outputs, watch),
            Some(Fast::Brownian(p)) => sde::<_, R>(p, solver, plan, start, outputs, watch),
            Some(Fast::OrnsteinUhlenbeck(p)) => sde::<_, R>(p, solver, plan, start, outputs, watch),
            Some(Fast::GeometricBrownian(p)) => sde::<_, R>(p, solver, plan, start, outputs, watch),
            None => solver.simulate::<_, R, _>(&self.general, plan, start, outputs, watch),
        }
    }
}

/// The process as a type of its own, where it has kernels for this solver.
fn fast(named: &Named, solver: &AnySolver) -> Option<Fast> {
    let v: Vec<f64> = named.parameters().map(|(_, value)| value).collect();
    let equal = matches!(solver.steps(), Steps::Equal(_));
    let ode = match solver.spec().name {
        "tsit5" | "dopri5" => matches!(solver.steps(), Steps::Equal(_) | Steps::Adaptive(_)),
        "rk4" => equal,
        _ => false,
    };
    let sde = solver.spec().name == "euler-maruyama" && equal;
    match named.spec().name {
        "lorenz" if ode => Lorenz::new(v[0], v[1], v[2]).map(Fast::Lorenz).ok(),
        "van-der-pol" if ode => VanDerPol::new(v[0]).map(Fast::VanDerPol).ok(),
        "brownian" if sde => Brownian::new(v[0]).map(Fast::Brownian).ok(),
        "ornstein-uhlenbeck" if sde => {
            let process = OrnsteinUhlenbeck::new(v[0], v[1], v[2]);
            process.map(Fast::OrnsteinUhlenbeck).ok()
        }
        "geometric-brownian" if sde => {
            let process = GeometricBrownian::new(v[0], v[1]);
            process.map(Fast::GeometricBrownian).ok()
        }
        _ => None,
    }
}

fn ode<P: Process, R: Number>(
    process: &P,
    solver: &AnySolver,
    plan: &Plan,
    start: &Start<'_>,
    outputs: &mut Outputs,
    watch: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Result<Ended, SimError> {
    let tableau = tableau::tableau(solver.spec().name).unwrap_or(&TSIT5);
    match solver.steps() {
        Steps::Equal(n) if tableau.evaluations() == 4 => {
            let solver = RungeKutta::<4>::new(tableau, n);
            simulate::<_, _, R, _>(process, &solver, plan, start, outputs, watch)
        }
        Steps::Equal(n) => {
            let solver = RungeKutta::<6>::new(tableau, n);
            simulate::<_, _, R, _>(process, &solver, plan, start, outputs, watch)
        }
        Steps::Adaptive(tolerance) => {
            let solver = Adaptive::new(EmbeddedPair::<7>::new(tableau), tolerance);
            simulate::<_, _, R, _>(process, &solver, plan, start, outputs, watch)
        }
        Steps::Tree(_) => unreachable!("refused when the solver was made"),
    }
}

fn sde<P: Process, R: Number>(
    process: &P,
    solver: &AnySolver,
    plan: &Plan,
    start: &Start<'_>,
    outputs: &mut Outputs,
    watch: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Result<Ended, SimError> {
    let Steps::Equal(n) = solver.steps() else {
        unreachable!("chosen for equal steps only")
    };
    let solver = FixedSde::new(EulerMaruyama, n);
    simulate::<_, _, R, _>(process, &solver, plan, start, outputs, watch)
}
