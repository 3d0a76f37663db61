//! Ensembles: many trajectories of one process, in lanes and threads.

use std::ops::ControlFlow;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

use rayon::prelude::*;

use crate::error::SimError;
use crate::lane::{Job, Pair, Real, Simd, align_stack};
use crate::process::Process;
use crate::solver::{Block, Fault, Grid, Places, Pulse, Solver, Task};

/// Trajectories worked on at a time by one thread. Sums over trajectories are formed per chunk and
/// joined in order, so this is part of their last bits.
pub const CHUNK: usize = 256;

/// Equal steps after which a block of trajectories looks whether it shall stop.
const STRIDE: usize = 1 << 16;
/// How often the watcher is told of work that is not finished.
const LOOK: Duration = Duration::from_millis(50);

/// What to simulate: how many trajectories, over which interval, saved when.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The number of the first trajectory: any part of an ensemble can be simulated by itself.
    pub first: u64,
    /// The number of trajectories.
    pub count: u64,
    /// The time of the start.
    pub from: f64,
    /// The time of the end.
    pub to: f64,
    /// When to save, from `from` to `to`, in order; with equal steps, at steps.
    pub save: Vec<f64>,
    /// The seed of all noise.
    pub seed: u64,
    /// Whether a trajectory that fails is only marked, by saved states that are NaN from there on,
    /// instead of ending the simulation.
    pub keep_going: bool,
}

impl Plan {
    /// `count` trajectories over an interval, of which only the end is saved.
    pub fn new(count: u64, from: f64, to: f64, seed: u64) -> Plan {
        Plan {
            first: 0,
            count,
            from,
            to,
            save: vec![to],
            seed,
            keep_going: false,
        }
    }

    /// Saves `n + 1` times, evenly from start to end.
    pub fn save_evenly(mut self, n: usize) -> Plan {
        let span = self.to - self.from;
        self.save = (0..=n)
            .map(|k| match k {
                k if k == n => self.to,
                k => self.from + span * (k as f64 / n as f64),
            })
            .collect();
        self
    }

    /// The save times as numbers of steps.
    fn check(&self, grid: Grid) -> Result<Vec<usize>, SimError> {
        let (from, to) = (self.from, self.to);
        if !(from.is_finite() && to.is_finite()) || from == to {
            return Err(SimError::Interval { from, to });
        }
        let end = self.first.saturating_add(self.count);
        if end >= 1 << 48 {
            return Err(SimError::Count(end));
        }
        let forward = |a: f64, b: f64| if from < to { a <= b } else { a >= b };
        for &time in &self.save {
            if !(forward(from, time) && forward(time, to)) {
                return Err(SimError::SaveOutside { time, from, to });
            }
        }
        for pair in self.save.windows(2) {
            if !forward(pair[0], pair[1]) || pair[0] == pair[1] {
                return Err(SimError::SaveOrder {
                    before: pair[0],
                    after: pair[1],
                });
            }
        }
        let steps = match grid {
            Grid::Any => return Ok(Vec::new()),
            Grid::Equal(steps) => steps,
            Grid::Dyadic(depth) => 1 << depth,
        };
        let h = (to - from) / steps as f64;
        self.save
            .iter()
            .map(|&time| {
                let n = (time - from) / h;
                // Times are usually typed or computed in doubles: a millionth of a step is noise.
                if (n - n.round()).abs() <= 1e-6 {
                    return Ok(n.round() as usize);
                }
                if let Grid::Dyadic(depth) = grid {
                    return Err(SimError::SaveDyadic {
                        time,
                        from,
                        to,
                        depth,
                    });
                }
                Err(SimError::SaveBetween {
                    time,
                    steps,
                    from,
                    to,
                    left: from + h * n.floor(),
                    right: from + h * n.ceil(),
                })
            })
            .collect()
    }
}

/// Where trajectories start.
pub enum Start<'a> {
    /// All at one point.
    Point(&'a [f64]),
    /// Each at its own: `f(trajectory, x)` writes the point.
    Each(&'a (dyn Fn(u64, &mut [f64]) + Sync)),
}

/// What a chunk of trajectories resulted in.
#[derive(Clone, Copy, Debug)]
pub struct Chunk<'a, R> {
    /// The number of the first trajectory.
    pub first: u64,
    /// How many there are.
    pub count: usize,
    /// The dimension of a state.
    pub dim: usize,
    /// The save times.
    pub times: &'a [f64],
    /// The states, `[count, times, dim]`.
    pub values: &'a [R],
    /// When an event stopped each trajectory; NaN where none did. Later save times hold the state
    /// at the event.
    pub stops: &'a [f64],
}

/// Who takes the results: chunks are digested on the worker threads and handed over in order.
pub trait Sink<R>: Sync {
    /// What is left of a chunk.
    type Part: Send;
    /// Digests a chunk, on any thread.
    fn digest(&self, chunk: &Chunk<'_, R>) -> Self::Part;
    /// Takes the parts in the order of trajectories. A break ends the simulation.
    fn take(&mut self, part: Self::Part) -> ControlFlow<()>;
}

/// Keeps every saved state.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Keep<R> {
    /// `[trajectories, times, dim]`.
    pub values: Vec<R>,
    /// When an event stopped each trajectory; NaN where none did.
    pub stops: Vec<f64>,
}

impl<R: Real> Sink<R> for Keep<R> {
    type Part = (Vec<R>, Vec<f64>);
    fn digest(&self, chunk: &Chunk<'_, R>) -> Self::Part {
        (chunk.values.to_vec(), chunk.stops.to_vec())
    }
    fn take(&mut self, (values, stops): Self::Part) -> ControlFlow<()> {
        self.values.extend(values);
        self.stops.extend(stops);
        ControlFlow::Continue(())
    }
}

/// Two sinks fed with the same chunks.
impl<R, A: Sink<R>, B: Sink<R>> Sink<R> for (A, B) {
    type Part = (A::Part, B::Part);
    fn digest(&self, chunk: &Chunk<'_, R>) -> Self::Part {
        (self.0.digest(chunk), self.1.digest(chunk))
    }
    fn take(&mut self, (a, b): Self::Part) -> ControlFlow<()> {
        match (self.0.take(a), self.1.take(b)) {
            (ControlFlow::Continue(()), ControlFlow::Continue(())) => ControlFlow::Continue(()),
            _ => ControlFlow::Break(()),
        }
    }
}

/// How far a simulation is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Progress {
    /// The trajectories that are finished.
    pub trajectories: u64,
    /// The part of the work that is done, from 0 to 1; it also grows while trajectories of very
    /// many steps are under way.
    pub share: f64,
}

/// How a simulation ended that did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// All trajectories were simulated.
    Done,
    /// The sink or the watcher stopped it after this many.
    Stopped(u64),
}

/// Simulates an ensemble. `watch` is told now and then how far it is, and may stop the work. (Called
/// from a thread of the pool, it is told only between rounds of some thousand trajectories.)
///
/// A trajectory's bits depend on the process, the solver, the plan's interval and seed and its own
/// number alone: not on the count, the threads or the SIMD width.
///
/// # Errors
/// When plan, start and solver do not fit the process, or a trajectory fails; see [`SimError`].
pub fn simulate<P: Process, V: Solver, R: Real, K: Sink<R>>(
    process: &P,
    solver: &V,
    plan: &Plan,
    start: &Start<'_>,
    sink: &mut K,
    watch: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Result<Ended, SimError> {
    solver.check(process)?;
    let save_steps = plan.check(solver.grid())?;
    if let Start::Point(point) = start
        && point.len() != process.dim()
    {
        return Err(SimError::Start {
            got: point.len(),
            dim: process.dim(),
        });
    }
    let looks = match solver.grid() {
        Grid::Equal(_) => Looks::new(plan, &save_steps),
        _ => None,
    };
    let task = match &looks {
        None => Task {
            from: plan.from,
            to: plan.to,
            save: &plan.save,
            save_steps: &save_steps,
            seed: plan.seed,
        },
        Some(looks) => Task {
            from: plan.from,
            to: plan.to,
            save: &looks.save,
            save_steps: &looks.save_steps,
            seed: plan.seed,
        },
    };
    let places = Places {
        of: looks.as_ref().map_or(&[], |looks| &looks.places),
        saves: plan.save.len(),
        looks: looks
            .as_ref()
            .map_or(0, |looks| looks.save.len() - plan.save.len()),
    };
    let pulse = Pulse::default();
    // Enough chunks a round to keep the threads busy, few enough to bound the memory.
    let round = 8 * rayon::current_num_threads() as u64;
    let chunks = plan.count.div_ceil(CHUNK as u64);
    let mut next = 0;
    while next < chunks {
        let until = (next + round).min(chunks);
        let finished = |next: u64| (next * CHUNK as u64).min(plan.count);
        pulse.restart();
        let digester = &*sink;
        let work = || -> Vec<Part<K::Part>> {
            let chunks = (next..until).into_par_iter().map(|chunk| {
                let before = chunk * CHUNK as u64;
                R::dispatch(ChunkJob {
                    process,
                    solver,
                    task,
                    places,
                    pulse: &pulse,
                    times: &plan.save,
                    start,
                    first: plan.first + before,
                    count: (plan.count - before).min(CHUNK as u64) as usize,
                    keep_going: plan.keep_going,
                    sink: digester,
                })
            });
            chunks.collect()
        };
        let parts = watched(work, || {
            let trajectories = finished(next);
            let share = (trajectories as f64 + pulse.done()) / plan.count as f64;
            let share = share.min(1.0);
            if watch(Progress {
                trajectories,
                share,
            })
            .is_break()
            {
                pulse.stop();
            }
        });
        for part in parts {
            let Some(part) = part? else {
                return Ok(Ended::Stopped(finished(next)));
            };
            if sink.take(part).is_break() {
                return Ok(Ended::Stopped(finished(until)));
            }
        }
        next = until;
        let trajectories = finished(next);
        let share = trajectories as f64 / plan.count as f64;
        if pulse.stopped()
            || watch(Progress {
                trajectories,
                share,
            })
            .is_break()
        {
            return Ok(Ended::Stopped(trajectories));
        }
    }
    Ok(Ended::Done)
}

/// What becomes of a chunk: nothing where the work was stopped.
type Part<T> = Result<Option<T>, SimError>;

/// Does the work on the pool and looks up from it now and then.
fn watched<T: Send>(work: impl Fn() -> Vec<T> + Sync, mut look: impl FnMut()) -> Vec<T> {
    // A thread of the pool has to work itself.
    if rayon::current_thread_index().is_some() {
        return work();
    }
    let (send, receive) = sync_channel(1);
    let work = &work;
    rayon::in_place_scope(|scope| {
        scope.spawn(move |_| drop(send.send(work())));
        loop {
            match receive.recv_timeout(LOOK) {
                Ok(parts) => return parts,
                Err(RecvTimeoutError::Timeout) => look(),
                // It panicked, which goes on at the end of the scope.
                Err(RecvTimeoutError::Disconnected) => return Vec::new(),
            }
        }
    })
}

/// Save times with steps between them at which the workers look up, where very many steps lie
/// between two of them.
struct Looks {
    save: Vec<f64>,
    save_steps: Vec<usize>,
    places: Vec<usize>,
}

impl Looks {
    fn new(plan: &Plan, save_steps: &[usize]) -> Option<Looks> {
        let last = *save_steps.last()?;
        if last <= STRIDE {
            return None;
        }
        let mut looks = Looks {
            save: Vec::new(),
            save_steps: Vec::new(),
            places: Vec::new(),
        };
        let mut push = |time: f64, step: usize, place: usize| {
            looks.save.push(time);
            looks.save_steps.push(step);
            looks.places.push(place);
        };
        let mut at = 0;
        for (k, (&time, &step)) in plan.save.iter().zip(save_steps).enumerate() {
            while step - at > STRIDE {
                at += STRIDE;
                push(time, at, Places::LOOK);
            }
            push(time, step, k);
            at = step;
        }
        Some(looks)
    }
}

/// The trajectories of one chunk, on the lanes of the machine.
struct ChunkJob<'a, P, V, K> {
    process: &'a P,
    solver: &'a V,
    task: Task<'a>,
    places: Places<'a>,
    pulse: &'a Pulse,
    /// The save times.
    times: &'a [f64],
    start: &'a Start<'a>,
    first: u64,
    count: usize,
    keep_going: bool,
    sink: &'a K,
}

impl<R: Real, P: Process, V: Solver, K: Sink<R>> Job<R> for ChunkJob<'_, P, V, K> {
    type Out = Part<K::Part>;

    #[inline(always)]
    fn run<S: Simd<Real = R>>(self) -> Self::Out {
        if const { V::ALONE } {
            self.blocks::<R, R::Portable>(1)
        } else if const { P::INTERPRETED } {
            self.blocks::<R, Pair<Pair<S>>>(1)
        } else {
            self.blocks::<R, S>(V::UNITS)
        }
    }
}

impl<P: Process, V: Solver, K> ChunkJob<'_, P, V, K> {
    #[inline(always)]
    fn blocks<R: Real, S: Simd<Real = R>>(self, units: usize) -> Part<K::Part>
    where
        K: Sink<R>,
    {
        align_stack();
        let lanes = units * S::LANES;
        let (dim, saves) = (self.process.dim(), self.times.len());
        let padded = self.count.next_multiple_of(lanes);
        let starts = self.starts::<R>(dim, padded)?;
        let mut values = vec![R::default(); padded * saves * dim];
        let mut stops = vec![f64::NAN; padded];
        let mut faults = vec![None; padded];
        let mut noted = 0;
        for b in 0..padded / lanes {
            let from = b * lanes;
            let mut block = Block::<S> {
                first: self.first + from as u64,
                units,
                start: &starts[from * dim..(from + lanes) * dim],
                out: &mut values[from * saves * dim..(from + lanes) * saves * dim],
                dim,
                faults: &mut faults[from..from + lanes],
                stops: &mut stops[from..from + lanes],
                places: self.places,
                pulse: self.pulse,
                real: lanes.min(self.count.saturating_sub(from)),
                noted: 0,
            };
            self.solver.block(self.process, &self.task, &mut block);
            noted += block.noted;
            if self.pulse.stopped() {
                return Ok(None);
            }
        }
        self.pulse.finish(self.count as u64, noted);
        for (i, fault) in faults[..self.count].iter().enumerate() {
            let Some(fault) = fault else { continue };
            if !self.keep_going {
                return Err(report::<R>(*fault, self.first + i as u64));
            }
            let (Fault::BlowUp(failed)
            | Fault::StepUnderflow(failed)
            | Fault::TooManySteps(failed, _)) = *fault;
            let forward = self.task.from < self.task.to;
            let row = &mut values[i * saves * dim..][..saves * dim];
            for (&time, x) in self.times.iter().zip(row.chunks_exact_mut(dim)) {
                if (time < failed) != forward || time == failed {
                    x.fill(R::from_f64(f64::NAN));
                }
            }
        }
        Ok(Some(self.sink.digest(&Chunk {
            first: self.first,
            count: self.count,
            dim,
            times: self.times,
            values: &values[..self.count * saves * dim],
            stops: &stops[..self.count],
        })))
    }
}

impl<P, V, K> ChunkJob<'_, P, V, K> {
    /// The starting points, `[padded, dim]`; lanes beyond the last trajectory repeat it.
    fn starts<R: Real>(&self, dim: usize, padded: usize) -> Result<Vec<R>, SimError> {
        let mut starts = Vec::with_capacity(padded * dim);
        let mut point = vec![0.0; dim];
        for i in 0..self.count {
            let trajectory = self.first + i as u64;
            match self.start {
                Start::Point(x) => point.copy_from_slice(x),
                Start::Each(f) => f(trajectory, &mut point),
            }
            if let Some(component) = point.iter().position(|x| !x.is_finite()) {
                return Err(SimError::StartValue {
                    trajectory,
                    component,
                    value: point[component],
                });
            }
            starts.extend(point.iter().map(|x| R::from_f64(*x)));
        }
        for _ in self.count..padded {
            starts.extend_from_within(starts.len() - dim..);
        }
        Ok(starts)
    }
}

fn report<R: Real>(fault: Fault, trajectory: u64) -> SimError {
    match fault {
        Fault::BlowUp(time) => SimError::BlowUp { trajectory, time },
        Fault::StepUnderflow(time) => SimError::StepUnderflow {
            trajectory,
            time,
            bits: if R::SINGLE { 32 } else { 64 },
        },
        Fault::TooManySteps(time, max) => SimError::TooManySteps {
            trajectory,
            time,
            max,
        },
    }
}
