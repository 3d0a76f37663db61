//! What every section works with: seeds, simulation with progress, and the paths that result.

use std::ops::ControlFlow;

use fokker_eval::field::Line;
use fokker_sim::ensemble::{Ended, Keep, Plan, Progress, Start, simulate};
use fokker_sim::process::Process;
use fokker_sim::rng::{Cursor, Purpose, Stream};
use fokker_sim::solver::Solver;

use super::{LabError, LabOne, Step};

/// The workbench of a section.
pub(super) struct Bench<'a> {
    lab: LabOne,
    step: Step,
    progress: &'a mut dyn FnMut(Step) -> ControlFlow<()>,
    /// Simulations so far: each has a seed of its own.
    simulations: u64,
}

impl<'a> Bench<'a> {
    pub(super) fn new(
        lab: LabOne,
        sections: usize,
        progress: &'a mut dyn FnMut(Step) -> ControlFlow<()>,
    ) -> Self {
        let step = Step {
            section: 0,
            sections,
            title: "",
            trajectories: (0, 0),
        };
        Bench {
            lab,
            step,
            progress,
            simulations: 0,
        }
    }

    /// Begins a section.
    pub(super) fn enter(&mut self, section: usize, title: &'static str) -> Result<(), LabError> {
        (self.step.section, self.step.title) = (section, title);
        self.tell((0, 0))
    }

    /// Tells how far the section is, and stops where that is wished.
    pub(super) fn tell(&mut self, trajectories: (u64, u64)) -> Result<(), LabError> {
        self.step.trajectories = trajectories;
        match (self.progress)(self.step) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(self.stopped()),
        }
    }

    fn stopped(&self) -> LabError {
        LabError::Stopped {
            section: self.step.section,
            title: self.step.title,
        }
    }

    /// Whether to draw the animation.
    pub(super) fn animation(&self) -> bool {
        self.lab.animation
    }

    /// A seed that no other simulation of the lab has.
    pub(super) fn seed(&mut self) -> u64 {
        self.simulations += 1;
        // Odd, so a bijection: different seeds of the lab share no seed of a simulation nearby.
        self.lab.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ self.simulations
    }

    /// Random numbers that drive no solver.
    pub(super) fn cursor(&mut self) -> Cursor {
        let seed = self.seed();
        Stream::new(seed, Purpose::Data, 0, 0).cursor()
    }

    /// Simulates in double precision and keeps every saved state.
    pub(super) fn run(
        &mut self,
        process: &impl Process,
        solver: &impl Solver,
        plan: &Plan,
        start: &Start<'_>,
    ) -> Result<Paths, LabError> {
        self.tell((0, plan.count))?;
        let mut keep = Keep::<f64>::default();
        let (mut step, progress) = (self.step, &mut *self.progress);
        let mut watch = |done: Progress| {
            step.trajectories = (done.trajectories, plan.count);
            progress(step)
        };
        match simulate(process, solver, plan, start, &mut keep, &mut watch)? {
            Ended::Done => Ok(Paths {
                values: keep.values,
                times: plan.save.clone(),
                dim: process.dim(),
            }),
            Ended::Stopped(_) => Err(self.stopped()),
        }
    }
}

/// Saved states of an ensemble.
pub(super) struct Paths {
    /// `[trajectories, times, dim]`.
    values: Vec<f64>,
    pub(super) times: Vec<f64>,
    dim: usize,
}

impl Paths {
    /// The first component of every trajectory at save time `k`.
    pub(super) fn at(&self, k: usize) -> Vec<f64> {
        let row = self.times.len() * self.dim;
        self.values
            .chunks_exact(row)
            .map(|path| path[k * self.dim])
            .collect()
    }

    /// The first component at the last save time.
    pub(super) fn last(&self) -> Vec<f64> {
        self.at(self.times.len() - 1)
    }

    /// The first two components of every trajectory at save time `k`.
    pub(super) fn points(&self, k: usize) -> Line {
        let row = self.times.len() * self.dim;
        let states = self.values.chunks_exact(row);
        states
            .map(|path| (path[k * self.dim], path[k * self.dim + 1]))
            .collect()
    }

    /// Paths (time · `scale`, first component).
    pub(super) fn lines(&self, scale: f64) -> Vec<Line> {
        let row = self.times.len() * self.dim;
        let line = |path: &[f64]| {
            let values = path.iter().step_by(self.dim);
            let points = self.times.iter().zip(values);
            points.map(|(t, x)| (t * scale, *x)).collect()
        };
        self.values.chunks_exact(row).map(line).collect()
    }

    /// The largest difference of any saved number to another ensemble's.
    pub(super) fn distance(&self, other: &Paths) -> f64 {
        let pairs = self.values.iter().zip(&other.values);
        pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
    }

    /// The saved numbers, `[trajectories, times, dim]`.
    pub(super) fn values(&self) -> &[f64] {
        &self.values
    }
}
