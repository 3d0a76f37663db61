//! The run: states stream into a file and into statistics, a few are kept.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Instant;

use fokker_data::{Dtype, Format, TableSpec, TableWriter, check_room, estimated_bytes};
use fokker_sim::SimError;
use fokker_sim::ensemble::{CHUNK, Ended, Plan, Progress, Start};
use fokker_sim::process::Process;
use fokker_sim::solver::{Family, Steps};
use fokker_sim::stat::{HistogramSpec, Summaries, Summary, SummarySpec};

use super::error::SimulationError;
use super::outputs::{Outputs, PILOTS, centres};
use super::resolve::Simulation;
use super::settings::Precision;

/// The most trajectories that pictures follow.
const FOLLOWED: u64 = 2000;
/// The number of times at which they are followed, for many and for few trajectories.
const FRAMES: (usize, usize) = (400, 4000);
/// The most states of all of them.
const STATES: usize = 800_000;
/// A jump from one time to the next, as a part of the range, that is looked at more closely, in how
/// many parts, and how often.
const JUMP: f64 = 0.02;
const PARTS: usize = 8;
const ROUNDS: usize = 7;
/// The most last states that are kept for goodness of fit and histograms.
const LAST: u64 = 100_000;
/// From so many trajectories on there are histograms.
const ENOUGH: u64 = 1000;
/// Bars of a histogram.
const BARS: usize = 64;

/// What else to do with the trajectories than to sum them up.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// The file for all saved states, by its ending `.npy`, `.csv` or `.parquet`.
    pub paths: Option<PathBuf>,
    /// The most bytes that this file may take.
    pub max_bytes: Option<u64>,
    /// Follow some trajectories closely, for pictures.
    pub pictures: bool,
}

/// Some trajectories, followed closely.
#[derive(Clone, Debug, Default)]
pub struct Sample {
    /// The times.
    pub times: Vec<f64>,
    /// The number of components.
    pub dim: usize,
    /// `[trajectories, times, dim]`.
    pub values: Vec<f64>,
    /// When an event stopped each trajectory; NaN where none did.
    pub stops: Vec<f64>,
}

impl Sample {
    /// The number of trajectories.
    pub fn count(&self) -> usize {
        self.stops.len()
    }

    /// Component `j` of trajectory `i` at time `k`.
    pub fn at(&self, i: usize, k: usize, j: usize) -> f64 {
        self.values[(i * self.times.len() + k) * self.dim + j]
    }
}

/// What a simulation resulted in.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The trajectories simulated: all of them, unless it was stopped.
    pub trajectories: u64,
    /// Whether it was stopped early. Files are then not written.
    pub stopped: bool,
    /// How long it took, without the trajectories for pictures.
    pub seconds: f64,
    /// The statistics at every save time.
    pub summaries: Summaries,
    /// The times of events, where there are any.
    pub events: Option<Summary>,
    /// The states at the last save time of up to 100,000 trajectories, `[trajectories, dim]`.
    pub last: Vec<f64>,
    /// Some trajectories for pictures.
    pub sample: Sample,
    /// The file of saved states and its size.
    pub paths: Option<(PathBuf, u64)>,
}

impl Simulation {
    /// The file of saved states as a table.
    pub fn table(&self) -> TableSpec {
        TableSpec {
            trajectories: self.plan.count,
            times: self.plan.save.clone(),
            names: self.names.clone(),
            dtype: match self.precision {
                Precision::F32 => Dtype::F32,
                Precision::F64 => Dtype::F64,
            },
        }
    }

    /// About how many bytes all saved states take as a file.
    pub fn estimated_bytes(&self, format: Format) -> u64 {
        estimated_bytes(&self.table(), format)
    }

    /// Simulates. `progress` is told now and then how far the work is, and may stop it.
    ///
    /// # Errors
    /// When a trajectory fails, or a file cannot be written; no file is then left behind.
    pub fn run(
        &self,
        wanted: &Wanted,
        progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<Outcome, SimulationError> {
        let table = match &wanted.paths {
            None => None,
            Some(path) => {
                let format = Format::from_path(path)?;
                check_room(path, self.estimated_bytes(format), wanted.max_bytes)?;
                Some(TableWriter::create(path, format, &self.table())?)
            }
        };
        let mut sample = Sample::default();
        let histograms = self.plan.count >= ENOUGH;
        let follows = wanted.pictures || histograms;
        let followed = self.plan.count.min(if follows { FOLLOWED } else { 0 });
        let pilots = match self.plan.count > CHUNK as u64 {
            true => PILOTS as u64,
            false => 0,
        };
        // What goes before the ensemble itself is a part of the work, too.
        let mut stages = Stages {
            progress,
            before: 0,
            now: 0,
            all: pilots + followed + self.plan.count,
        };
        let stopped = |spec: &SummarySpec| {
            Ok(Outcome {
                trajectories: 0,
                stopped: true,
                seconds: 0.0,
                summaries: Summaries::new(&self.plan.save, spec)?,
                events: None,
                last: Vec::new(),
                sample: Sample::default(),
                paths: None,
            })
        };
        if follows {
            let count = followed;
            let frames = (STATES / count as usize).clamp(FRAMES.0, FRAMES.1);
            let plan = Plan {
                count,
                save: self.times(frames),
                ..self.plan.clone()
            };
            let mut outputs = Outputs {
                keep: FOLLOWED,
                ..Outputs::default()
            };
            let ended = self.simulate(&plan, &mut outputs, &mut stages.next(count, false))?;
            if ended != Ended::Done {
                return stopped(&SummarySpec::new(self.dim()));
            }
            sample = Sample {
                times: plan.save.clone(),
                dim: self.dim(),
                values: outputs.kept,
                stops: outputs.kept_stops,
            };
            if wanted.pictures && count == 1 {
                sample = self.refined(plan, sample)?;
            }
        }
        let mut spec = SummarySpec::new(self.dim());
        if histograms {
            spec.histograms = ranges(&sample);
        }
        let mut found = None;
        if pilots > 0 {
            let plan = Plan {
                count: pilots,
                ..self.plan.clone()
            };
            let mut outputs = Outputs {
                keep: pilots,
                ..Outputs::default()
            };
            let ended = self.simulate(&plan, &mut outputs, &mut stages.next(pilots, false))?;
            if ended != Ended::Done {
                return stopped(&spec);
            }
            found = Some(centres(&outputs.kept, plan.save.len() * self.dim()));
        }
        let events = self.engine.general().has_event();
        let mut outputs = Outputs {
            keep_last: LAST,
            spec: Some(spec.clone()),
            centres: found,
            events,
            stops: events
                .then(|| Summary::new(&SummarySpec::new(1)))
                .transpose()?
                .map(|summary| summary.around(&[self.plan.from])),
            table: table.map(Mutex::new),
            ..Outputs::default()
        };
        let started = Instant::now();
        let watch = &mut stages.next(self.plan.count, true);
        let ended = self.simulate(&self.plan, &mut outputs, watch)?;
        if let Some(failure) = outputs.failure.take() {
            return Err(failure.into());
        }
        let seconds = started.elapsed().as_secs_f64();
        let trajectories = match ended {
            Ended::Done => self.plan.count,
            Ended::Stopped(done) => done,
        };
        let paths = match (outputs.table, &wanted.paths, ended) {
            (Some(table), Some(path), Ended::Done) => {
                let table = table.into_inner().unwrap_or_else(|p| p.into_inner());
                Some((path.clone(), table.finish()?))
            }
            _ => None,
        };
        let summaries = match outputs.summaries {
            Some(summaries) => summaries,
            None => Summaries::new(&self.plan.save, &spec)?,
        };
        Ok(Outcome {
            trajectories,
            stopped: ended != Ended::Done,
            seconds,
            summaries,
            events: outputs.stops,
            last: outputs.last,
            sample,
            paths,
        })
    }

    /// The only trajectory of a plan, saved more closely where it jumps, as far as the solver can
    /// save at any time.
    fn refined(&self, mut plan: Plan, mut sample: Sample) -> Result<Sample, SimulationError> {
        if self.is_stochastic() || !matches!(self.solver().steps(), Steps::Adaptive(_)) {
            return Ok(sample);
        }
        for _ in 0..ROUNDS {
            let range = |j: usize| {
                let column = sample.values.iter().skip(j).step_by(sample.dim);
                let (low, high) = column.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), &x| {
                    (l.min(x), h.max(x))
                });
                high - low
            };
            let spans: Vec<f64> = (0..sample.dim).map(range).collect();
            let jumps = |k: usize| {
                (0..sample.dim)
                    .any(|j| (sample.at(0, k + 1, j) - sample.at(0, k, j)).abs() > JUMP * spans[j])
            };
            let mut save = Vec::new();
            for (k, pair) in sample.times.windows(2).enumerate() {
                save.push(pair[0]);
                let (from, h) = (pair[0], (pair[1] - pair[0]) / PARTS as f64);
                // A jump in one moment, as far as numbers tell.
                let apart = h.abs() > 1e-12 * from.abs().max(pair[1].abs());
                if apart && jumps(k) {
                    save.extend((1..PARTS).map(|p| from + h * p as f64));
                }
            }
            save.extend(sample.times.last());
            if save.len() == sample.times.len() || save.len() > STATES / 10 {
                break;
            }
            plan.save = save;
            let mut outputs = Outputs {
                keep: 1,
                ..Outputs::default()
            };
            let quiet = &mut |_| ControlFlow::Continue(());
            self.simulate(&plan, &mut outputs, quiet)?;
            sample.times.clone_from(&plan.save);
            sample.values = outputs.kept;
        }
        Ok(sample)
    }

    /// Simulates a plan in the precision asked for.
    pub(super) fn simulate(
        &self,
        plan: &Plan,
        outputs: &mut Outputs,
        watch: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<Ended, SimulationError> {
        let seed = plan.seed;
        let each = |trajectory: u64, x: &mut [f64]| self.starts.sample(seed, trajectory, x);
        let start = Start::Each(&each);
        let ended = match self.precision {
            Precision::F32 => self.engine.run::<f32>(plan, &start, outputs, watch),
            Precision::F64 => self.engine.run::<f64>(plan, &start, outputs, watch),
        };
        ended.map_err(|error| match error {
            SimError::BlowUp { trajectory, time } => self.locate(plan, trajectory, time),
            SimError::TooManySteps {
                trajectory,
                time,
                max,
            } => SimulationError::TooManySteps {
                trajectory,
                time,
                max,
                advice: match self.solver().spec().family {
                    Family::Explicit => {
                        "the problem is stiff (take --solver rodas5p), or the tolerance is very \
                         small (loosen --tol) or the time very long (shorten --to)"
                    }
                    Family::Implicit => "loosen --tol, or shorten --to",
                    Family::Stochastic(_) => "loosen --tol, shorten --to, or take equal --steps",
                },
            },
            error => error.into(),
        })
    }

    /// Finds the step in which a trajectory left the finite numbers, seen at save time `time`: the
    /// trajectory is simulated again by itself, saved more and more closely.
    fn locate(&self, plan: &Plan, trajectory: u64, time: f64) -> SimulationError {
        let steps = match self.solver().steps() {
            Steps::Equal(steps) => steps,
            Steps::Tree(depth) => 1 << depth,
            Steps::Adaptive(_) => return SimError::BlowUp { trajectory, time }.into(),
        };
        let (from, span) = (plan.from, plan.to - plan.from);
        let at = |step: usize| match step {
            step if step == steps => plan.to,
            step => from + span * (step as f64 / steps as f64),
        };
        let mut bad = (((time - from) / span) * steps as f64).round() as usize;
        let mut good = 0;
        while bad > good + 1 {
            let parts = (bad - good).min(64);
            let inside =
                |k: usize| good + ((bad - good) as u128 * k as u128 / parts as u128) as usize;
            let tried: Vec<usize> = (1..=parts).map(inside).collect();
            let again = Plan {
                first: trajectory,
                count: 1,
                save: tried.iter().map(|&step| at(step)).collect(),
                keep_going: true,
                ..plan.clone()
            };
            let mut outputs = Outputs {
                keep: trajectory + 1,
                ..Outputs::default()
            };
            let quiet = &mut |_| ControlFlow::Continue(());
            if self.simulate(&again, &mut outputs, quiet).is_err() {
                break;
            }
            let mut states = outputs.kept.chunks_exact(self.dim());
            match states.position(|x| x.iter().any(|x| !x.is_finite())) {
                Some(k) => {
                    bad = tried[k];
                    good = if k > 0 { tried[k - 1] } else { good };
                }
                None => break,
            }
        }
        SimulationError::BlowUp {
            trajectory,
            step: bad,
            steps,
            after: at(bad.saturating_sub(1)),
            time: at(bad),
        }
    }
}

/// The parts of a run, one after the other.
struct Stages<'a> {
    progress: &'a mut dyn FnMut(Progress) -> ControlFlow<()>,
    /// Trajectories of the parts that are over, of the present one, and of all.
    before: u64,
    now: u64,
    all: u64,
}

impl Stages<'_> {
    /// The watcher of the next part, of `count` trajectories; they count as finished ones in the
    /// `last` part only.
    fn next(&mut self, count: u64, last: bool) -> impl FnMut(Progress) -> ControlFlow<()> + '_ {
        self.before += self.now;
        self.now = count;
        move |progress| {
            let done = self.before as f64 + progress.share * self.now as f64;
            (self.progress)(Progress {
                trajectories: if last { progress.trajectories } else { 0 },
                share: done / self.all as f64,
            })
        }
    }
}

/// Where histograms lie: around what the sample saw.
fn ranges(sample: &Sample) -> Vec<HistogramSpec> {
    let range = |component: usize| {
        let column = sample
            .values
            .iter()
            .skip(component)
            .step_by(sample.dim.max(1));
        let finite = column.copied().filter(|x| x.is_finite());
        let (lo, hi) = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(lo, hi), x| {
            (lo.min(x), hi.max(x))
        });
        let size = lo.abs().max(hi.abs());
        let margin = match hi - lo {
            // Apart as far as numbers tell.
            span if span > 1e-12 * size => 0.25 * span,
            _ => 1e-3 * size.max(1.0),
        };
        (hi - lo + 2.0 * margin)
            .is_finite()
            .then_some(HistogramSpec {
                component,
                lo: lo - margin,
                hi: hi + margin,
                bins: BARS,
            })
    };
    (0..sample.dim).filter_map(range).collect()
}
