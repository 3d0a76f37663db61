//! From settings to something that runs: every check and every default, before any work.

use fokker_sim::ensemble::Plan;
use fokker_sim::expr::System;
use fokker_sim::process::{Calculus, Named, NoiseKind, Process, Start as Law};
use fokker_sim::solver::{
    AnySolver, Family, MAX_DEPTH, MAX_STEPS, SOLVERS, SolverSpec, Steps, Tolerance,
};
use fokker_sim::{SimError, shown};

use super::dense::Dense;
use super::engine::Engine;
use super::error::{SimulationError, did_you_mean, setting};
use super::general::General;
use super::settings::{Precision, ProcessChoice, Save, Settings, Stepping};
use super::start::Starts;
use super::system::{Equation, of_named};

/// The tolerance unless told otherwise.
const TOLERANCE: f64 = 1e-6;
/// The number of equal steps unless told otherwise.
const STEPS: usize = 1000;
/// The number of trajectories unless told otherwise, where they differ.
const COUNT: u64 = 1000;
/// Intervals between save times unless told otherwise, about.
const SAVES: usize = 100;
/// The end of a process written down unless told otherwise, after the start.
const SPAN: f64 = 10.0;
/// The most memory of saved states at one time.
const MEMORY: u64 = 8 << 30;

/// A checked ensemble, ready to run.
#[derive(Clone, Debug)]
pub struct Simulation {
    pub(super) engine: Engine,
    pub(super) named: Option<Named>,
    pub(super) names: Vec<String>,
    pub(super) starts: Starts,
    pub(super) plan: Plan,
    pub(super) precision: Precision,
    /// The calculus in which the equation was written, if it was converted.
    pub(super) converted_from: Option<Calculus>,
}

impl Simulation {
    /// Checks the settings and fills in what was left out. No trajectory is simulated.
    ///
    /// # Errors
    /// Everything that can be known to be wrong beforehand; see [`SimulationError`].
    pub fn new(settings: &Settings) -> Result<Simulation, SimulationError> {
        let (named, general) = process(&settings.process)?;
        let names = general.names();
        let default = match &named {
            Some(named) => named.default_start(),
            None if general.noise_kind() == NoiseKind::None => Law::Point(vec![1.0; names.len()]),
            None => Law::Point(vec![0.0; names.len()]),
        };
        let starts = Starts::new(&settings.start, default, &names)?;
        let (from, to) = interval(settings, named.as_ref())?;
        let spec = solver(settings, named.as_ref(), &general)?;
        let steps = steps(settings, spec, from, to)?;
        let solver = AnySolver::new(spec, steps)?;
        if matches!(spec.family, Family::Stochastic(_)) && general.noise_kind() == NoiseKind::None {
            return Err(SimError::NoNoise { solver: spec.title }.into());
        }
        if spec.family == Family::Implicit && matches!(general, General::Dense(_)) {
            let problem = format!(
                "{} needs derivatives of the drift, which are not compiled for processes with a density",
                spec.title
            );
            return Err(setting(
                "--solver",
                problem,
                "take tsit5 or another explicit solver",
            ));
        }
        let (general, converted_from) = convert(general, spec, settings.convert)?;
        let mut plan = Plan::new(0, from, to, settings.seed);
        let same = starts.is_point() && general.noise_kind() == NoiseKind::None;
        plan.count = settings.count.unwrap_or(if same { 1 } else { COUNT });
        if plan.count == 0 {
            return Err(setting("--count", "0 trajectories", "at least 1"));
        }
        plan.keep_going = settings.keep_going;
        plan.save = match &settings.save {
            None => even_times((from, to), steps, spec, SAVES),
            Some(Save::End) => vec![to],
            Some(Save::Times(times)) => times.clone(),
            Some(Save::Even(n)) => {
                check_even(*n, steps)?;
                Plan::new(0, from, to, 0).save_evenly(*n).save
            }
        };
        if plan.save.is_empty() {
            return Err(setting("--save", "no time", "give at least one"));
        }
        if let Some(time) = plan.save.iter().find(|time| !time.is_finite()) {
            let right = "every save time must be finite";
            return Err(setting("--save", shown(*time), right));
        }
        check_start(&general, &starts, from, &names)?;
        let unchanged = converted_from.is_none() && !general.has_event();
        let origin = named.as_ref().filter(|_| unchanged);
        let simulation = Simulation {
            engine: Engine::new(general, origin, solver),
            named,
            names,
            starts,
            plan,
            precision: settings.precision,
            converted_from,
        };
        // The solver's and the plan's own checks.
        let nothing = Plan {
            count: 0,
            ..simulation.plan.clone()
        };
        simulation.simulate(&nothing, &mut Default::default(), &mut |_| {
            std::ops::ControlFlow::Continue(())
        })?;
        let end = simulation.plan.count;
        if end >= 1 << 48 {
            return Err(SimError::Count(end).into());
        }
        simulation.check_memory()?;
        Ok(simulation)
    }

    /// Refuses what the states of the trajectories at work would not fit into.
    fn check_memory(&self) -> Result<(), SimulationError> {
        let at_work = (16 * rayon::current_num_threads() as u64 + 1) * 256;
        let states = self
            .plan
            .count
            .min(at_work)
            .saturating_mul(self.plan.save.len() as u64);
        let bytes = states.saturating_mul(self.dim() as u64 * self.value_bytes());
        if bytes <= MEMORY {
            return Ok(());
        }
        let gigabytes = bytes as f64 / 1e9;
        let problem = format!(
            "{} save times need {gigabytes:.0} GB of memory for the trajectories at work",
            self.plan.save.len()
        );
        Err(setting(
            "--save",
            problem,
            "save fewer times, or use fewer --threads",
        ))
    }

    pub(super) fn value_bytes(&self) -> u64 {
        match self.precision {
            Precision::F32 => 4,
            Precision::F64 => 8,
        }
    }

    /// The dimension of the state.
    pub fn dim(&self) -> usize {
        self.names.len()
    }

    /// The names of the components.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// What is simulated when and how often.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The solver.
    pub fn solver(&self) -> &AnySolver {
        self.engine.solver()
    }

    /// The name of the process, for folders: that of [`Named`], or `written`.
    pub fn name(&self) -> &'static str {
        self.named
            .as_ref()
            .map_or("written", |named| named.spec().name)
    }

    /// The name of the process in prose.
    pub fn title(&self) -> String {
        match &self.named {
            Some(named) => capital(named.spec().title),
            None if self.engine.general().noise_kind() == NoiseKind::None => {
                "A differential equation".into()
            }
            None => "A stochastic differential equation".into(),
        }
    }

    /// Whether there is noise.
    pub fn is_stochastic(&self) -> bool {
        self.engine.general().noise_kind() != NoiseKind::None
    }

    /// About evenly spaced times that can be saved, `most` intervals or fewer.
    pub(super) fn times(&self, most: usize) -> Vec<f64> {
        even_times(
            (self.plan.from, self.plan.to),
            self.solver().steps(),
            self.solver().spec(),
            most,
        )
    }
}

pub(super) fn capital(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_uppercase().to_string());
    first.unwrap_or_default() + chars.as_str()
}

fn process(choice: &ProcessChoice) -> Result<(Option<Named>, General), SimulationError> {
    match choice {
        ProcessChoice::Named {
            name,
            params,
            density,
            event,
        } => {
            let named = Named::new(name, params, density.clone())?;
            if let Some(system) = of_named(&named, event.as_deref())? {
                let equation = General::Equation(Box::new(Equation::new(system, false)));
                return Ok((Some(named), equation));
            }
            if event.is_some() {
                let problem = format!("{} has no events", named.spec().name);
                let right = "write the process as expressions (--drift) to stop it at an event";
                return Err(setting("--event", problem, right));
            }
            let Some(dense) = Dense::of_named(&named)? else {
                unreachable!("{name} has neither a text nor a density");
            };
            Ok((Some(named), General::Dense(dense)))
        }
        ProcessChoice::Written {
            drift,
            diffusion,
            names,
            params,
            event,
            calculus,
        } => {
            let mut builder = System::builder().drift(drift).calculus(*calculus);
            if !names.is_empty() {
                builder = builder.names(names);
            }
            if let Some(diffusion) = diffusion {
                builder = builder.diffusion(diffusion);
            }
            for (name, value) in params {
                builder = builder.param(name, *value);
            }
            if let Some(event) = event {
                builder = builder.event(event);
            }
            let system = builder.build()?;
            if let Some(name) = system.unused_params().first() {
                let problem = format!("`{name}` occurs in no expression");
                return Err(setting("--param", problem, "leave it out, or use it"));
            }
            Ok((
                None,
                General::Equation(Box::new(Equation::new(system, false))),
            ))
        }
    }
}

fn interval(settings: &Settings, named: Option<&Named>) -> Result<(f64, f64), SimulationError> {
    let from = settings.from.unwrap_or(0.0);
    let to = match (settings.to, named) {
        (Some(to), _) => to,
        (None, Some(named)) => named.spec().end,
        (None, None) => from + SPAN,
    };
    if !(from.is_finite() && to.is_finite()) || from == to {
        return Err(SimError::Interval { from, to }.into());
    }
    if let Some(latest) = named.and_then(|named| named.spec().latest) {
        for (what, time) in [("--from", from), ("--to", to)] {
            if !(0.0..=latest).contains(&time) {
                let problem = format!("this process has no time {}", shown(time));
                return Err(setting(
                    what,
                    problem,
                    format!("it runs from 0 to {latest}"),
                ));
            }
        }
    }
    if to < from && named.is_some_and(|named| named.spec().noise) {
        let problem = format!("{} comes before the start {}", shown(to), shown(from));
        return Err(setting(
            "--to",
            problem,
            "a process with noise runs forward in time",
        ));
    }
    Ok((from, to))
}

fn solver(
    settings: &Settings,
    named: Option<&Named>,
    general: &General,
) -> Result<&'static SolverSpec, SimulationError> {
    let stratonovich =
        general.noise_kind() > NoiseKind::Additive && general.calculus() == Calculus::Stratonovich;
    let default = match named {
        // Such as with sigma=0.
        Some(named) if named.spec().noise && general.noise_kind() == NoiseKind::None => "tsit5",
        Some(named) => named.spec().solver,
        None if general.noise_kind() == NoiseKind::None => "tsit5",
        None if stratonovich => "stochastic-heun",
        None => "euler-maruyama",
    };
    let name = settings.solver.as_deref().unwrap_or(default);
    fokker_sim::solver::solver(name).ok_or_else(|| SimulationError::Solver {
        name: name.to_owned(),
        hint: did_you_mean(name, SOLVERS.iter().map(|spec| spec.name)),
        known: SOLVERS
            .iter()
            .map(|spec| spec.name)
            .collect::<Vec<_>>()
            .join(", "),
    })
}

fn steps(
    settings: &Settings,
    spec: &SolverSpec,
    from: f64,
    to: f64,
) -> Result<Steps, SimulationError> {
    let stochastic = matches!(spec.family, Family::Stochastic(_));
    Ok(match settings.stepping {
        None if spec.adaptive && !stochastic => Steps::Adaptive(Tolerance::new(TOLERANCE)),
        None => Steps::Equal(STEPS),
        Some(Stepping::Steps(n)) => Steps::Equal(n),
        Some(Stepping::Tolerance(tolerance)) => Steps::Adaptive(Tolerance::new(tolerance)),
        Some(Stepping::Tree(depth)) if depth > MAX_DEPTH => {
            let problem = format!("a depth of {depth}");
            return Err(setting("--tree", problem, format!("at most {MAX_DEPTH}")));
        }
        Some(Stepping::Tree(depth)) => Steps::Tree(depth),
        Some(Stepping::Size(h)) => {
            let span = (to - from).abs();
            let n = span / h;
            if !(h > 0.0 && h.is_finite()) {
                return Err(setting("--step", shown(h), "a step is positive and finite"));
            }
            let largest = from.abs().max(to.abs());
            if h < largest * f64::EPSILON || n > MAX_STEPS as f64 {
                let (h, from, to) = (shown(h), shown(from), shown(to));
                let problem = format!("{h} is too small for the interval from {from} to {to}");
                let right = format!(
                    "at most {MAX_STEPS} steps can be taken, and each must change the time"
                );
                return Err(setting("--step", problem, right));
            }
            if (n - n.round()).abs() > 1e-6 || n.round() < 1.0 {
                let (few, many) = (n.floor().max(1.0), n.ceil());
                let (a, b) = (shown(span / few), shown(span / many));
                let (h, from, to) = (shown(h), shown(from), shown(to));
                let problem = format!("{h} does not divide the interval from {from} to {to}");
                let near = match few == many {
                    true => format!("{a} makes {few} step"),
                    false => format!("{a} makes {few} steps, {b} makes {many}"),
                };
                return Err(setting("--step", problem, near));
            }
            Steps::Equal(n.round() as usize)
        }
    })
}

/// Rewrites the equation for the solver, if it must be and may be.
fn convert(
    general: General,
    spec: &SolverSpec,
    allowed: bool,
) -> Result<(General, Option<Calculus>), SimulationError> {
    let Family::Stochastic(solves) = spec.family else {
        return Ok((general, None));
    };
    let written = general.calculus();
    if general.noise_kind() <= NoiseKind::Additive || written == solves {
        return Ok((general, None));
    }
    match general {
        General::Equation(equation) if allowed => {
            let converted = Equation::new(equation.system().clone(), true);
            Ok((General::Equation(Box::new(converted)), Some(written)))
        }
        _ => Err(SimulationError::Calculus {
            solver: spec.title,
            solves,
            written,
        }),
    }
}

/// Refuses a point at which the equation is not a number.
fn check_start(
    general: &General,
    starts: &Starts,
    from: f64,
    names: &[String],
) -> Result<(), SimulationError> {
    let Some(Law::Point(point)) = starts.law() else {
        return Ok(());
    };
    let drift = general
        .drift_at(from, point)
        .into_iter()
        .map(|f| (f, "drift"));
    let noise = general
        .noise_at(from, point)
        .into_iter()
        .map(|g| (g, "noise"));
    for (k, (value, what)) in drift.chain(noise).enumerate() {
        if value.is_finite() {
            continue;
        }
        let of = match names.len() {
            1 => String::new(),
            dim => format!(" of {}", names[k % dim]),
        };
        let state = names.iter().zip(point);
        let state = state.map(|(name, &x)| format!(", {name} = {}", shown(x)));
        return Err(SimulationError::Undefined {
            what: format!("the {what}{of}"),
            value,
            place: format!("t = {}{}", shown(from), state.collect::<String>()),
        });
    }
    Ok(())
}

/// Refuses an even grid that lies between steps, with those that do not.
fn check_even(n: usize, steps: Steps) -> Result<(), SimulationError> {
    let total = match steps {
        Steps::Equal(steps) => steps,
        Steps::Tree(depth) => 1 << depth,
        Steps::Adaptive(_) => return Ok(()),
    };
    if n == 0 || total == 0 || total.is_multiple_of(n) {
        return Ok(());
    }
    let below = (1..=n.min(total)).rev().find(|k| total.is_multiple_of(*k));
    let above = (n + 1..=total.min(n.saturating_mul(20))).find(|k| total.is_multiple_of(*k));
    let near = below.into_iter().chain(above);
    let mut near: Vec<String> = near.map(|k| format!("--save {k}")).collect();
    if matches!(steps, Steps::Equal(_)) {
        let times = ((total + n / 2) / n).max(1);
        near.extend(n.checked_mul(times).map(|total| format!("--steps {total}")));
    }
    let last = near.pop().unwrap_or_default();
    let others = near.join(", ");
    let or = if near.is_empty() { "" } else { " or " };
    let problem = format!("{n} even intervals would end between two of the {total} steps");
    Err(setting(
        "--save",
        problem,
        format!("try {others}{or}{last}"),
    ))
}

/// About evenly spaced times at which the solver can save, `most` intervals or fewer.
fn even_times((from, to): (f64, f64), steps: Steps, spec: &SolverSpec, most: usize) -> Vec<f64> {
    let (n, total) = match steps {
        Steps::Equal(steps) => (steps.min(most), steps),
        Steps::Tree(depth) => {
            let n = 1 << depth.min(most.ilog2());
            (n, n)
        }
        // Steps on a tree halve the interval again and again.
        Steps::Adaptive(_) if matches!(spec.family, Family::Stochastic(_)) => {
            let n = 1 << most.ilog2();
            (n, n)
        }
        Steps::Adaptive(_) => (most, most),
    };
    let at = |k: usize| {
        let step = (k as u128 * total as u128 / n.max(1) as u128) as f64;
        match k {
            k if k == n => to,
            _ => from + (to - from) * (step / total as f64),
        }
    };
    (0..=n).map(at).collect()
}
