//! The times of a few steps, searched for a given model.

use std::ops::{ControlFlow, Range};

use burn::tensor::Device;
use fokker_math::diffusion::Diffusion;
use fokker_math::grid::{GRIDS, Grid};
use fokker_math::scheduler::Scheduler;
use fokker_sim::rng::Purpose;

use crate::{
    Denoiser, Draw, Flow, Network, Plan, RowNoise, SampleError, Sampler, State, chunk_rows, sample,
    sampler,
};

/// The σ = β/α between which times are moved, where the path goes that far.
const SIGMAS: [f64; 2] = [160.0, 5e-4];
/// The first move along a direction.
const FIRST_MOVE: f64 = 0.6;
/// A sweep that lowers the error by less than this share is the last.
const ENOUGH: f64 = 0.01;

/// Told the model's calls (one for all trials) that are done and those that are planned; may break off.
pub type GridWatch<'a> = dyn FnMut(usize, usize) -> ControlFlow<()> + 'a;

/// Walks from noise with their ends as the flow itself has them: what a sampler's few steps are judged by.
pub struct GridTrials<'a> {
    sampler: Sampler,
    trials: Vec<Trial<'a>>,
}

struct Trial<'a> {
    model: Box<dyn Denoiser + 'a>,
    start: State,
    end: State,
}

/// Why no grid is searched.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum GridSearchError {
    /// The sampler draws noise.
    #[error(
        "{0} draws noise on the way, so that where it ends does not depend on where it starts alone: there is no error \
         of a step to make small; search for a sampler that draws none, such as dpm++2m"
    )]
    Stochastic(Sampler),
    /// The sampler finds its times itself.
    #[error(
        "{0} chooses its own times by its tolerance: there is nothing to search; name a sampler that walks a grid, such as heun"
    )]
    Adaptive(Sampler),
    /// The sampler walks a part of its grid again.
    #[error(
        "{0} walks a part of its grid again with fresh noise, so that its end is not the flow's; search for a sampler that \
         walks its grid once, such as edm"
    )]
    Restart(Sampler),
    /// Too few steps.
    #[error("{0} steps: the first time is 0 and the last is 1, so a search needs at least 2 steps")]
    Steps(usize),
    /// Nothing to try on.
    #[error("a search needs at least one sample to try times on")]
    Empty,
    /// The flow itself has no end.
    #[error(
        "the fine solution ({steps} Heun steps) is not finite: the model, or its guidance, has no end to compare with"
    )]
    Diverges {
        /// Its steps.
        steps: usize,
    },
    /// No grid that has a name ends in finite numbers.
    #[error(
        "with no named grid do {steps} steps of {sampler} end in finite numbers; try more steps"
    )]
    Hopeless {
        /// The sampler.
        sampler: Sampler,
        /// Its steps.
        steps: usize,
    },
    /// The draw does not suit the model.
    #[error(transparent)]
    Draw(#[from] SampleError),
    /// The watch broke off before there was a grid to return.
    #[error("stopped")]
    Stopped,
}

/// What a search found.
#[derive(Clone, Debug, PartialEq)]
pub struct FoundGrid {
    /// The times, strictly rising from exactly 0 to exactly 1.
    pub times: Vec<f64>,
    /// Their error on the trials.
    pub error: f64,
    /// The grids that have a name, with their errors on the trials (infinite where the walk ends in no finite
    /// numbers); the search starts from the best.
    pub named: Vec<(&'static str, f64)>,
    /// The finished sweeps.
    pub sweeps: usize,
    /// Did the watch break off? What is here is then the best so far.
    pub stopped: bool,
}

/// Whether the times of a sampler can be searched.
///
/// # Errors
/// Why not.
pub fn searchable(sampler: Sampler) -> Result<(), GridSearchError> {
    match sampler.spec.plan {
        Plan::Adaptive(_) => Err(GridSearchError::Adaptive(sampler)),
        Plan::Restart => Err(GridSearchError::Restart(sampler)),
        Plan::Grid if sampler.is_stochastic() => Err(GridSearchError::Stochastic(sampler)),
        Plan::Grid => Ok(()),
    }
}

impl<'a> GridTrials<'a> {
    /// Trials of `sampler` from these batches of states at t = 0, each with its model, all on one path. Their ends are
    /// found by `fine` Heun steps in t on the path's own grid.
    ///
    /// # Errors
    /// A sampler whose times cannot be searched; a model that ends in no finite numbers; a watch that broke off.
    pub fn new(
        sampler: Sampler,
        batches: Vec<(Box<dyn Denoiser + 'a>, State)>,
        fine: usize,
        watch: &mut GridWatch<'_>,
    ) -> Result<Self, GridSearchError> {
        searchable(sampler)?;
        if batches.is_empty() {
            return Err(GridSearchError::Empty);
        }
        let heun = self::sampler("heun").expect("Heun is in the table");
        let planned = heun.spec.calls * fine * batches.len();
        let mut done = 0;
        let mut trials = Vec::with_capacity(batches.len());
        for (model, start) in batches {
            let grid = Grid::Native.times(model.scheduler(), fine);
            let end = walk(heun, &*model, start.clone(), &grid, &mut |calls| {
                done += calls;
                watch(done, planned)
            })
            .ok_or(GridSearchError::Stopped)?;
            if !values(&end).iter().all(|x| x.is_finite()) {
                return Err(GridSearchError::Diverges { steps: fine });
            }
            trials.push(Trial { model, start, end });
        }
        Ok(Self { sampler, trials })
    }

    /// The root mean square difference, over all numbers of all trials, between where the sampler's steps along `times` and
    /// the flow end; infinite where it is no finite number.
    pub fn error(&self, times: &[f64]) -> f64 {
        self.error_watched(times, &mut |_| ControlFlow::Continue(()))
            .expect("this watch does not break off")
    }

    /// The same, telling `watch` the calls of every step; `None` when it breaks off.
    fn error_watched(
        &self,
        times: &[f64],
        watch: &mut dyn FnMut(usize) -> ControlFlow<()>,
    ) -> Option<f64> {
        let (mut squares, mut count) = (0.0, 0);
        for trial in &self.trials {
            let x = trial.start.clone();
            let end = walk(self.sampler, &*trial.model, x, times, watch)?;
            let difference = values(&(end - trial.end.clone()));
            squares += difference.iter().map(|d| d * d).sum::<f64>();
            count += difference.len();
        }
        let error = (squares / count as f64).sqrt();
        Some(if error.is_finite() {
            error
        } else {
            f64::INFINITY
        })
    }

    /// The errors of all grids of [`GRIDS`] with `steps` steps.
    pub fn named(&self, steps: usize) -> Vec<(&'static str, f64)> {
        let error = |grid: Vec<f64>| self.error(&grid);
        self.named_times(steps)
            .map(|(name, times)| (name, error(times)))
            .collect()
    }

    fn named_times(&self, steps: usize) -> impl Iterator<Item = (&'static str, Vec<f64>)> {
        GRIDS.iter().map(move |spec| {
            let grid = (spec.make)(None).expect("every grid has its usual number");
            (spec.name, grid.times(self.scheduler(), steps))
        })
    }

    fn scheduler(&self) -> &dyn Scheduler {
        self.trials[0].model.scheduler()
    }

    /// Searches the `steps` − 1 times inside (0, 1) that make the [`error`](Self::error) least.
    ///
    /// From the best grid of [`GRIDS`], sweeps over directions in ln σ, σ = β/α: all times warped towards the noise or
    /// the data, all drawn to or from their middle, and each time alone between its neighbours. Along each the error is
    /// found a step to either side and where a parabola has its least (or further out on the better side), and the
    /// best of these is kept; steps grow where they help and shrink where not. The search ends after `sweeps`, or
    /// with a sweep that lowers the error by less than 1 %. It draws nothing: the same trials give the same grid.
    ///
    /// The objective is that of few steps against many from the same noise, and no network is trained; Sabour et al., *Align Your
    /// Steps: optimizing sampling schedules in diffusion models* (2024), minimise a bound on the laws' divergence instead.
    ///
    /// # Errors
    /// Fewer than two steps; no grid to start from. A watch that breaks off after the first grid is no error: the result is
    /// the best so far.
    pub fn search(
        &self,
        steps: usize,
        sweeps: usize,
        watch: &mut GridWatch<'_>,
    ) -> Result<FoundGrid, GridSearchError> {
        if steps < 2 {
            return Err(GridSearchError::Steps(steps));
        }
        let directions = directions(steps);
        let evaluations = GRIDS.len() + sweeps * directions.len() * TRIED;
        let planned = evaluations * steps * self.sampler.spec.calls * self.trials.len();
        let mut done = 0;
        let mut error = |times: &[f64]| {
            self.error_watched(times, &mut |calls| {
                done += calls;
                watch(done, planned)
            })
        };
        let mut named = Vec::with_capacity(GRIDS.len());
        let mut best: Option<Best> = None;
        let mut stopped = false;
        for (name, times) in self.named_times(steps) {
            let Some(error) = error(&times) else {
                stopped = true;
                break;
            };
            named.push((name, error));
            if error < best.as_ref().map_or(f64::INFINITY, |b| b.error) {
                best = Some(Best { times, error });
            }
        }
        let sampler = self.sampler;
        let mut best = match best {
            Some(best) => best,
            None if stopped => return Err(GridSearchError::Stopped),
            None => return Err(GridSearchError::Hopeless { sampler, steps }),
        };
        let levels = Levels::of(self.scheduler());
        let mut lengths = vec![FIRST_MOVE; directions.len()];
        let mut finished = 0;
        while finished < sweeps && !stopped {
            let before = best.error;
            for (direction, length) in directions.iter().zip(&mut lengths) {
                if best
                    .along(*direction, length, &levels, &mut error)
                    .is_none()
                {
                    stopped = true;
                    break;
                }
            }
            finished += usize::from(!stopped);
            if best.error > before * (1.0 - ENOUGH) {
                break;
            }
        }
        Ok(FoundGrid {
            times: best.times,
            error: best.error,
            named,
            sweeps: finished,
            stopped,
        })
    }
}

impl<N: Network> Flow<N> {
    /// Trials of the draw's sampler from the noise of `samples`, with the draw's classes, guidance and scheduler; where it
    /// begins, its times and what is known of the samples do not matter.
    ///
    /// # Errors
    /// As [`GridTrials::new`], and a draw that this model cannot serve.
    pub fn grid_trials(
        &self,
        draw: &Draw,
        samples: Range<u64>,
        fine: usize,
        watch: &mut GridWatch<'_>,
    ) -> Result<GridTrials<'_>, GridSearchError> {
        searchable(draw.sampler)?;
        self.check(draw)?;
        let rows = chunk_rows(self.dim) as u64;
        let chunks = samples.clone().step_by(rows as usize);
        let batches = chunks.map(|first| {
            let chunk = first..(first + rows).min(samples.end);
            let start = self.state(self.start(draw, chunk.clone()));
            (self.denoiser(draw, chunk), start)
        });
        GridTrials::new(draw.sampler, batches.collect(), fine, watch)
    }
}

/// One walk; `watch` is told the calls of every step.
fn walk(
    sampler: Sampler,
    model: &dyn Denoiser,
    x: State,
    grid: &[f64],
    watch: &mut dyn FnMut(usize) -> ControlFlow<()>,
) -> Option<State> {
    let mut stepper = sampler.start(Diffusion::default());
    // These samplers draw nothing.
    let mut noise = RowNoise::new(0, Purpose::Solver, 0, &Device::flex());
    sample(model, &mut *stepper, x, grid, &mut noise, &mut |at| {
        watch(if at.step == 0 { 0 } else { sampler.spec.calls })
    })
}

fn values(x: &State) -> Vec<f64> {
    let values = x.clone().into_data().convert::<f64>();
    values.try_to_vec().expect("converted to f64")
}

/// A move of the times by a dimensionless amount: any amount keeps their order and their ends.
#[derive(Clone, Copy)]
enum Direction {
    /// v ← v^exp(d) for every time, v being its place between the ends in ln σ.
    Warp,
    /// logit v ← exp(d) logit v for every time.
    Stretch,
    /// logit w ← logit w + d for one time, w being its place between its neighbours.
    One(usize),
}

fn directions(steps: usize) -> Vec<Direction> {
    let one = (1..steps).map(Direction::One);
    match steps {
        // With a single time all directions are one.
        2 => one.collect(),
        _ => [Direction::Warp, Direction::Stretch]
            .into_iter()
            .chain(one)
            .collect(),
    }
}

/// The scale that times are moved on: ln σ, between the ends of the path or of [`SIGMAS`].
struct Levels<'a> {
    scheduler: &'a dyn Scheduler,
    noise: f64,
    data: f64,
}

impl<'a> Levels<'a> {
    fn of(scheduler: &'a dyn Scheduler) -> Self {
        let [noise, data] = SIGMAS.map(f64::ln);
        let level = |t| -0.5 * scheduler.at(t).log_snr();
        Self {
            scheduler,
            noise: noise.min(level(0.0)),
            data: data.max(level(1.0)),
        }
    }

    /// The place of a time, 0 at the noise and 1 at the data.
    fn place(&self, t: f64) -> f64 {
        let level = -0.5 * self.scheduler.at(t).log_snr();
        ((level - self.noise) / (self.data - self.noise)).clamp(0.0, 1.0)
    }

    fn time(&self, place: f64) -> f64 {
        let level = self.noise + place * (self.data - self.noise);
        self.scheduler.time_of_log_snr(-2.0 * level)
    }

    /// The times after a move, or `None` where rounding or the ends of the path have brought two together.
    fn moved(&self, times: &[f64], direction: Direction, d: f64) -> Option<Vec<f64>> {
        let inside = 1..times.len() - 1;
        let mut moved = times.to_vec();
        match direction {
            Direction::Warp => {
                for i in inside {
                    moved[i] = self.time(self.place(times[i]).powf(d.exp()));
                }
            }
            Direction::Stretch => {
                for i in inside {
                    moved[i] = self.time(logistic(d.exp() * logit(self.place(times[i]))));
                }
            }
            Direction::One(i) => {
                let [before, at, after] = [i - 1, i, i + 1].map(|i| self.place(times[i]));
                let w = logistic(d + logit((at - before) / (after - before)));
                moved[i] = self.time(before + w * (after - before));
            }
        }
        Grid::given(&moved).is_ok().then_some(moved)
    }
}

/// ln(w/(1 − w)), finite at the ends.
fn logit(w: f64) -> f64 {
    let w = w.clamp(1e-3, 1.0 - 1e-3);
    (w / (1.0 - w)).ln()
}

fn logistic(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// How many times [`Best::along`] tries.
const TRIED: usize = 3;

/// The best times so far.
struct Best {
    times: Vec<f64>,
    error: f64,
}

impl Best {
    /// Tries along one direction from the best times, keeps what is better, and adapts the length of the move; `None`
    /// when `error` breaks off.
    fn along(
        &mut self,
        direction: Direction,
        length: &mut f64,
        levels: &Levels<'_>,
        error: &mut dyn FnMut(&[f64]) -> Option<f64>,
    ) -> Option<()> {
        let (from, here) = (self.times.clone(), self.error);
        let mut best_move = 0.0;
        let mut found = |d: f64| -> Option<f64> {
            let Some(times) = levels.moved(&from, direction, d) else {
                return Some(f64::INFINITY);
            };
            let error = error(&times)?;
            if error < self.error {
                *self = Best { times, error };
                best_move = d;
            }
            Some(error)
        };
        let h = *length;
        let [left, right] = [found(-h)?, found(h)?];
        let further = match vertex([left, here, right]) {
            Some(x) => x * h,
            None if left < right => -2.0 * h,
            None => 2.0 * h,
        };
        found(further)?;
        *length = match best_move.abs() {
            0.0 => h / 3.0,
            moved => moved.clamp(0.5 * h, 2.0 * h),
        };
        Some(())
    }
}

/// Where the parabola through values at −1, 0 and 1 is least, held to ±2; `None` where it has no least value.
fn vertex([left, here, right]: [f64; 3]) -> Option<f64> {
    let curvature = left - 2.0 * here + right;
    let convex = curvature > 0.0 && curvature.is_finite();
    convex.then(|| (0.5 * (left - right) / curvature).clamp(-2.0, 2.0))
}
