//! Pictures of an ensemble.

mod movie;
mod plane;
mod time;

use fokker_eval::figure::Figure;

use super::exact::Exact;
use super::resolve::Simulation;
use super::run::{Outcome, Sample};
use super::words::trajectories;

pub use movie::animate;

/// A picture with the name of its file and what is to be said about it.
pub struct Picture {
    /// The file's name without ending.
    pub name: &'static str,
    /// A sentence.
    pub caption: String,
    /// The picture.
    pub figure: Box<dyn Figure>,
}

/// Everything that is drawn of one ensemble.
#[derive(Clone, Copy)]
pub(super) struct Scene<'a> {
    simulation: &'a Simulation,
    outcome: &'a Outcome,
    exact: Option<&'a Exact>,
}

/// Components that get a panel of their own.
const PANELS: usize = 6;

/// The pictures that suit the dimension: paths over time and the terminal law always, a phase
/// portrait or snapshots in the plane, projections in space.
pub fn pictures(simulation: &Simulation, outcome: &Outcome, exact: Option<&Exact>) -> Vec<Picture> {
    let scene = Scene {
        simulation,
        outcome,
        exact,
    };
    if outcome.sample.count() == 0 {
        return Vec::new();
    }
    let mut pictures = Vec::new();
    let plane = match simulation.dim() {
        1 => None,
        // Noise about a density covers the plane; snapshots tell more.
        2 if simulation.is_stochastic() && scene.is_dense() => None,
        2 => Some(plane::portrait(&scene)),
        _ => Some(plane::projections(&scene)),
    };
    let snapshots =
        scene.scattered() && (simulation.dim() == 2 || scene.is_dense() && simulation.dim() > 1);
    // What tells most comes first.
    if simulation.is_stochastic() {
        pictures.push(time::paths(&scene));
        pictures.extend(plane);
    } else {
        pictures.extend(plane);
        pictures.push(time::paths(&scene));
    }
    if snapshots {
        pictures.push(plane::snapshots(&scene));
    }
    if scene.scattered() {
        pictures.push(time::terminal(&scene));
    }
    pictures
}

impl Scene<'_> {
    fn sample(&self) -> &Sample {
        &self.outcome.sample
    }

    /// Whether trajectories differ.
    fn scattered(&self) -> bool {
        let distinct = self.simulation.is_stochastic() || !self.simulation.starts.is_point();
        distinct && self.sample().count() > 1
    }

    /// Whether it follows a density.
    fn is_dense(&self) -> bool {
        self.simulation
            .named
            .as_ref()
            .is_some_and(|named| named.density().is_some())
    }

    /// The title with its equations, where they are short.
    fn title(&self) -> String {
        self.simulation.title()
    }

    /// Solver and steps, in a few words.
    fn subtitle(&self) -> String {
        let wanted = ["solver", "steps", "trajectories"];
        let lines = self.simulation.describe();
        let find = |what: &str| {
            lines
                .iter()
                .find(|line| line.0 == what)
                .map(|line| line.1.clone())
        };
        let parts: Vec<String> = wanted
            .iter()
            .filter_map(|what| {
                let value = find(what)?;
                Some(match *what {
                    "solver" => self.simulation.solver().spec().title.to_owned(),
                    "steps" if value.starts_with("chosen") => value.replace("chosen for a ", ""),
                    "steps" => format!("steps of {}", value.rsplit(" of length ").next()?),
                    _ => trajectories(self.outcome.trajectories),
                })
            })
            .collect();
        parts.join(" · ")
    }

    /// The last time of trajectory `i`: the end, or an event.
    fn last_time(&self, i: usize) -> f64 {
        let stop = self.sample().stops[i];
        if stop.is_nan() {
            self.simulation.plan().to
        } else {
            stop
        }
    }

    /// The saved times of trajectory `i` until it stopped.
    fn steps(&self, i: usize) -> impl Iterator<Item = (usize, f64)> + '_ {
        let stop = self.last_time(i);
        let forward = self.simulation.plan().from < self.simulation.plan().to;
        let times = self.sample().times.iter().enumerate();
        let mut over = false;
        times.map_while(move |(k, &t)| {
            if over {
                return None;
            }
            let beyond = if forward { t >= stop } else { t <= stop };
            over = beyond;
            // The state at an event is saved at every later time.
            Some((k, if beyond { stop } else { t }))
        })
    }

    /// The path of two components of trajectory `i`.
    fn path(&self, i: usize, (a, b): (usize, usize)) -> Vec<(f64, f64)> {
        let sample = self.sample();
        let points = self
            .steps(i)
            .map(|(k, _)| (sample.at(i, k, a), sample.at(i, k, b)));
        points
            .filter(|p| p.0.is_finite() && p.1.is_finite())
            .collect()
    }

    /// All values of a component, without the outermost ones, with a margin.
    fn range(&self, j: usize) -> (f64, f64) {
        let sample = self.sample();
        let column = sample.values.iter().skip(j).step_by(sample.dim);
        let mut column: Vec<f64> = column.copied().filter(|x| x.is_finite()).collect();
        column.sort_unstable_by(f64::total_cmp);
        if column.is_empty() {
            return (0.0, 1.0);
        }
        let share = if self.scattered() { 0.001 } else { 0.0 };
        let at = |q: f64| column[(q * (column.len() - 1) as f64) as usize];
        let (low, high) = (at(share), at(1.0 - share));
        let margin = match high - low {
            0.0 => low.abs().max(1.0) * 0.5,
            span => 0.08 * span,
        };
        (low - margin, high + margin)
    }
}
