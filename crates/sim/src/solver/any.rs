//! Solvers by name.

use std::ops::ControlFlow;

use fokker_math::rosenbrock::RODAS5P;
use fokker_math::tableau::{self, BOGACKI_SHAMPINE, DORMAND_PRINCE, TSIT5, Tableau};

use super::{
    Adaptive, EmbeddedPair, Equal, EulerMaruyama, FixedSde, Milstein, Rosenbrock, RungeKutta,
    SdeMethod, Sra1, StochasticHeun, Tolerance, TreeSde, TreeSteps,
};
use crate::ensemble::{Ended, Plan, Progress, Sink, Start, simulate};
use crate::error::SimError;
use crate::lane::{One, Real};
use crate::process::{Calculus, Components, Process};

/// What a solver is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    /// Ordinary differential equations, explicit.
    Explicit,
    /// Stiff ordinary differential equations, linearly implicit.
    Implicit,
    /// Stochastic differential equations in one calculus.
    Stochastic(Calculus),
}

/// A solver as menus and documentation show it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SolverSpec {
    /// The name on the command line.
    pub name: &'static str,
    /// The name in prose.
    pub title: &'static str,
    /// What it is for.
    pub family: Family,
    /// The order of convergence; strong order for stochastic solvers, on the noise they are made
    /// for.
    pub order: f64,
    /// The order for additive noise, where it is higher.
    pub additive_order: f64,
    /// Whether it can choose its steps; a stochastic solver for the noise of its
    /// [`SdeMethod::ADAPTIVE`].
    pub adaptive: bool,
    /// What else to know, in a few words.
    pub remark: &'static str,
}

const fn explicit(tableau: &Tableau, remark: &'static str) -> SolverSpec {
    SolverSpec {
        name: tableau.name,
        title: tableau.title,
        family: Family::Explicit,
        order: tableau.order as f64,
        additive_order: tableau.order as f64,
        adaptive: !tableau.b_err.is_empty(),
        remark,
    }
}

const fn stochastic<M: SdeMethod>(
    name: &'static str,
    additive_order: f64,
    remark: &'static str,
) -> SolverSpec {
    SolverSpec {
        name,
        title: M::TITLE,
        family: Family::Stochastic(M::CALCULUS),
        order: M::ORDER,
        additive_order,
        adaptive: true,
        remark,
    }
}

/// All solvers: menus, documentation and law tests iterate this slice.
pub const SOLVERS: &[SolverSpec] = &[
    explicit(&tableau::EULER, "one evaluation per step"),
    explicit(&tableau::MIDPOINT, "two evaluations per step"),
    explicit(&tableau::HEUN, "two evaluations per step"),
    explicit(&tableau::RALSTON, "two evaluations per step"),
    explicit(&tableau::RK3, "three evaluations per step"),
    explicit(&tableau::RK4, "four evaluations per step"),
    explicit(&BOGACKI_SHAMPINE, "for loose tolerances"),
    explicit(&DORMAND_PRINCE, "the classic pair"),
    explicit(&TSIT5, "the first choice where nothing is stiff"),
    SolverSpec {
        name: RODAS5P.name,
        title: RODAS5P.title,
        family: Family::Implicit,
        order: RODAS5P.order as f64,
        additive_order: RODAS5P.order as f64,
        adaptive: true,
        remark: "for stiff problems, with exact Jacobians",
    },
    stochastic::<EulerMaruyama>(
        "euler-maruyama",
        1.0,
        "any noise; tolerances for additive noise only",
    ),
    stochastic::<Milstein>("milstein", 1.0, "commutative noise, exact derivatives"),
    stochastic::<StochasticHeun>(
        "stochastic-heun",
        1.0,
        "order ½, and no tolerances, for noise that does not commute",
    ),
    stochastic::<Sra1>("sra1", 1.5, "additive noise only"),
];

/// The solver of that name.
pub fn solver(name: &str) -> Option<&'static SolverSpec> {
    SOLVERS.iter().find(|spec| spec.name == name)
}

/// How steps are chosen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Steps {
    /// This many equal steps.
    Equal(usize),
    /// By the error estimate.
    Adaptive(Tolerance),
    /// 2^depth equal steps on a Brownian tree: the same path of the noise for every depth.
    Tree(u32),
}

/// A solver chosen at run time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AnySolver {
    spec: &'static SolverSpec,
    steps: Steps,
}

impl AnySolver {
    /// The solver `spec` with those steps.
    ///
    /// # Errors
    /// When the solver cannot choose steps that way.
    pub fn new(spec: &'static SolverSpec, steps: Steps) -> Result<AnySolver, SimError> {
        let tree = matches!(spec.family, Family::Stochastic(_));
        let fits = match steps {
            Steps::Equal(_) => true,
            Steps::Adaptive(_) => spec.adaptive,
            Steps::Tree(_) => tree,
        };
        if fits {
            Ok(AnySolver { spec, steps })
        } else {
            Err(SimError::Stepping {
                solver: spec.title,
                wants: match steps {
                    Steps::Adaptive(_) => "has no error estimate: give it a number of steps",
                    _ => "uses no noise: a Brownian tree is for stochastic solvers",
                },
            })
        }
    }

    /// What it is.
    pub fn spec(&self) -> &'static SolverSpec {
        self.spec
    }

    /// How it steps.
    pub fn steps(&self) -> Steps {
        self.steps
    }

    /// As [`simulate`].
    ///
    /// # Errors
    /// As [`simulate`].
    pub fn simulate<P: Process, R: Real, K: Sink<R>>(
        &self,
        process: &P,
        plan: &Plan,
        start: &Start<'_>,
        sink: &mut K,
        watch: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<Ended, SimError> {
        // A process whose type fixes its noise needs only one kind of solver compiled for it.
        if matches!(self.spec.family, Family::Stochastic(_)) {
            if const { matches!(<P::Noise<One<f64>> as Components<One<f64>>>::FIXED, Some(0)) } {
                // Without noise a stochastic solver has nothing to do that another does not better.
                return Err(SimError::NoNoise {
                    solver: self.spec.title,
                });
            }
            self.stochastic(process, plan, start, sink, watch)
        } else {
            if const {
                matches!(
                    <P::Noise<One<f64>> as Components<One<f64>>>::FIXED,
                    Some(1..)
                )
            } {
                return Err(SimError::Noise {
                    solver: self.spec.title,
                    needs: "a process without noise",
                    has: process.noise_kind(),
                });
            }
            self.deterministic(process, plan, start, sink, watch)
        }
    }

    fn stochastic<P: Process, R: Real, K: Sink<R>>(
        &self,
        process: &P,
        plan: &Plan,
        start: &Start<'_>,
        sink: &mut K,
        watch: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<Ended, SimError> {
        macro_rules! run {
            ($method:expr) => {
                match self.steps {
                    Steps::Equal(n) => {
                        let solver = FixedSde::new($method, n);
                        simulate(process, &solver, plan, start, sink, watch)
                    }
                    Steps::Adaptive(tolerance) => {
                        let solver = TreeSde::new($method, TreeSteps::Tolerance(tolerance));
                        simulate(process, &solver, plan, start, sink, watch)
                    }
                    Steps::Tree(depth) => {
                        let solver = TreeSde::new($method, TreeSteps::Depth(depth));
                        simulate(process, &solver, plan, start, sink, watch)
                    }
                }
            };
        }
        match self.spec.name {
            "euler-maruyama" => run!(EulerMaruyama),
            "milstein" => run!(Milstein),
            "stochastic-heun" => run!(StochasticHeun),
            "sra1" => run!(Sra1),
            other => unreachable!("{other} is no stochastic solver"),
        }
    }

    fn deterministic<P: Process, R: Real, K: Sink<R>>(
        &self,
        process: &P,
        plan: &Plan,
        start: &Start<'_>,
        sink: &mut K,
        watch: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<Ended, SimError> {
        macro_rules! run {
            ($solver:expr) => {
                simulate(process, &$solver, plan, start, sink, watch)
            };
        }
        if self.spec.family == Family::Implicit {
            let method = Rosenbrock::new(&RODAS5P);
            return match self.steps {
                Steps::Adaptive(tolerance) => run!(Adaptive::new(method, tolerance)),
                Steps::Equal(n) => run!(Equal::new(method, n)),
                Steps::Tree(_) => unreachable!("refused when the solver was made"),
            };
        }
        let tableau = tableau::tableau(self.spec.name).expect("every other solver is a tableau");
        match self.steps {
            Steps::Adaptive(tolerance) => match tableau.stages() {
                4 => run!(Adaptive::new(EmbeddedPair::<4>::new(tableau), tolerance)),
                _ => run!(Adaptive::new(EmbeddedPair::<7>::new(tableau), tolerance)),
            },
            Steps::Equal(n) => match tableau.evaluations() {
                1 => run!(RungeKutta::<1>::new(tableau, n)),
                2 => run!(RungeKutta::<2>::new(tableau, n)),
                3 => run!(RungeKutta::<3>::new(tableau, n)),
                4 => run!(RungeKutta::<4>::new(tableau, n)),
                _ => run!(RungeKutta::<6>::new(tableau, n)),
            },
            Steps::Tree(_) => unreachable!("refused when the solver was made"),
        }
    }
}
