//! All samplers from the same noise.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use anyhow::{Result, anyhow, bail};
use fokker::core::{SampleError, chunk_rows};
use fokker::{Draw, Flow};

use super::counted::Counted;
use super::lineup::{Entry, Lineup};
use super::quality::Quality;
use crate::progress::Progress;
use crate::sample::Source;
use crate::stop;

/// How near a sampler must come to the reference to be called as good.
pub(super) const NEAR: f64 = 0.05;

/// What is to be compared.
pub(super) struct Contest<'a> {
    pub(super) source: &'a Source,
    /// The source's flow, and where its calls are counted.
    pub(super) flow: &'a Flow<Counted>,
    pub(super) calls: &'a AtomicUsize,
    pub(super) draw: Draw,
    pub(super) quality: Quality,
    pub(super) lineup: Lineup,
    pub(super) budgets: Vec<usize>,
}

/// What one sampler made of one budget.
pub(super) struct Cell {
    /// The sampler with its parameter.
    pub(super) sampler: String,
    pub(super) steps: usize,
    /// The calls that it really took for a sample.
    pub(super) calls: usize,
    pub(super) column: usize,
    /// To the data; not there without a judge, or where the samples are no finite numbers.
    pub(super) distance: Option<f64>,
    /// Root mean square difference from the fine solution; not there with noise on the way.
    pub(super) off: Option<f64>,
}

/// One sampler's cells.
pub(super) struct Row {
    pub(super) name: String,
    pub(super) stochastic: bool,
    pub(super) cells: Vec<Cell>,
}

impl Row {
    /// The cell with the fewest calls that is as good as `enough`, by what `measure` reads of it, as are all with more:
    /// one lucky draw is not enough.
    pub(super) fn first(&self, measure: Measure, enough: f64) -> Option<&Cell> {
        let good = |c: &&Cell| measure(c).is_some_and(|v| v <= enough);
        let last_bad = self.cells.iter().rposition(|c| !good(&c));
        self.cells.get(last_bad.map_or(0, |k| k + 1))
    }
}

/// Reads the quality of a cell.
pub(super) type Measure = fn(&Cell) -> Option<f64>;

/// What was found.
pub(super) struct Results {
    /// What the samples are, in words.
    pub(super) what: String,
    /// The run's name.
    pub(super) name: String,
    pub(super) budgets: Vec<usize>,
    pub(super) reference: Cell,
    /// Root mean square of the reference's samples.
    pub(super) size: f64,
    /// Best first.
    pub(super) rows: Vec<Row>,
    pub(super) quality: &'static str,
    pub(super) floor: Option<String>,
    pub(super) notes: Vec<String>,
}

impl Results {
    /// What samplers are ranked by, and what is as good as the reference.
    pub(super) fn criterion(&self) -> (Measure, f64) {
        match self.reference.distance {
            Some(distance) => (|c| c.distance, (1.0 + NEAR) * distance),
            None => (|c| c.off, NEAR * self.size),
        }
    }

    /// That in words.
    pub(super) fn near(&self) -> String {
        let (percent, r) = (100.0 * NEAR, &self.reference);
        match r.distance {
            Some(d) => format!(
                "within {percent} % of {} in {} steps ({} calls: {d:.4})",
                r.sampler, r.steps, r.calls
            ),
            None => format!(
                "within {percent} % of the samples' root mean square ({:.4}) from {} in {} steps",
                self.size, r.sampler, r.steps
            ),
        }
    }

    /// Best first: by the calls to come near the reference, then by the quality there; then those that never do.
    fn rank(&mut self) {
        let (measure, enough) = self.criterion();
        let key = |row: &Row| match row.first(measure, enough) {
            Some(cell) => (cell.calls, measure(cell).unwrap_or(f64::INFINITY)),
            None => {
                let best = row
                    .cells
                    .iter()
                    .filter_map(measure)
                    .fold(f64::INFINITY, f64::min);
                (usize::MAX, best)
            }
        };
        self.rows.sort_by(|a, b| {
            let (a, b) = (key(a), key(b));
            a.0.cmp(&b.0).then(a.1.total_cmp(&b.1))
        });
    }
}

impl Contest<'_> {
    /// Everything, with progress; `None` on Ctrl-C.
    pub(super) fn run(self) -> Result<Option<Results>> {
        let mut work = Work::new(
            &self.lineup,
            self.draw.count.div_ceil(chunk_rows(self.flow.dim)),
        );
        let mut notes = Vec::new();
        let Some((values, took)) = self.walk(&self.lineup.reference, &mut work)? else {
            return Ok(None);
        };
        let fine = values;
        if fine.iter().any(|v| !v.is_finite()) {
            bail!(
                "the samples of the reference, {}, are no finite numbers (guidance {}); try a smaller guidance",
                self.lineup.reference.sampler,
                self.draw.guidance
            );
        }
        let reference = self.measure(&self.lineup.reference, &fine, took, &fine, &mut work)?;
        let mut rows = Vec::new();
        for row in &self.lineup.rows {
            let mut cells = Vec::new();
            for entry in &row.entries {
                let Some((values, took)) = self.walk(entry, &mut work)? else {
                    return Ok(None);
                };
                let cell = self.measure(entry, &values, took, &fine, &mut work)?;
                if values.iter().any(|v| !v.is_finite()) {
                    notes.push(format!(
                        "{} in {} steps made samples that are no finite numbers",
                        cell.sampler, cell.steps
                    ));
                }
                cells.push(cell);
            }
            rows.push(Row {
                name: row.name.clone(),
                stochastic: row.stochastic,
                cells,
            });
        }
        work.bar.finish(&format!(
            "{} samplers in {} walks",
            rows.len(),
            work.walks.0
        ));
        let mut results = Results {
            what: self.what(),
            name: self.source.run.config().name.clone(),
            size: rms(fine.iter().map(|v| f64::from(*v))),
            budgets: self.budgets,
            reference,
            rows,
            quality: self.quality.name(),
            floor: self.quality.floor(),
            notes: self.lineup.notes.into_iter().chain(notes).collect(),
        };
        results.rank();
        Ok(Some(results))
    }

    /// The samples of all walks, in words.
    fn what(&self) -> String {
        let source = self.source;
        let kind = match source.shape {
            fokker::Shape::Image { .. } => "images",
            fokker::Shape::Vector(_) => "points",
        };
        let guidance = match source.flow.classes {
            0 => String::new(),
            _ => format!(", guidance {}", self.draw.guidance),
        };
        format!(
            "{} {kind} from the same noise (seed {}), steps on the {} grid{guidance}",
            self.draw.count, self.draw.seed, self.draw.times
        )
    }

    /// One walk of all samples and the calls that it took for one; `None` on Ctrl-C.
    fn walk(&self, entry: &Entry, work: &mut Work) -> Result<Option<(Vec<f32>, usize)>> {
        let draw = Draw {
            sampler: entry.sampler,
            steps: entry.steps,
            ..self.draw.clone()
        };
        let started = Instant::now();
        let name = entry.sampler.to_string();
        let mut chunk = 0;
        let mut before = 0;
        let sampled = self.flow.sample_watched(&draw, &mut |_, at| {
            if stop::asked() {
                return ControlFlow::Break(());
            }
            if at.step == 0 {
                // What came before was the search for steps, or another chunk.
                before = self.calls.load(Ordering::Relaxed);
            }
            let part = at.step as f64 / at.steps.max(1) as f64;
            work.see((chunk as f64 + part) * entry.calls as f64, started, || {
                format!("{name}, {} calls", entry.calls)
            });
            chunk += usize::from(at.step == at.steps);
            ControlFlow::Continue(())
        });
        let values = match sampled {
            Err(SampleError::Stopped) => return Ok(None),
            Err(e) => return Err(anyhow!("{name}: {e}")),
            Ok(values) => values,
        };
        work.walked(entry.calls * chunk, started);
        let took = self.calls.load(Ordering::Relaxed) - before;
        Ok(Some((self.source.decoded(values), took)))
    }

    /// How good these samples are.
    fn measure(
        &self,
        entry: &Entry,
        values: &[f32],
        calls: usize,
        fine: &[f32],
        work: &mut Work,
    ) -> Result<Cell> {
        let started = Instant::now();
        let finite = values.iter().all(|v| v.is_finite());
        let distance = match finite {
            true => self.quality.distance(values, self.source.shape.size())?,
            false => None,
        };
        let off = (finite && !entry.sampler.is_stochastic()).then(|| {
            let pairs = values.iter().zip(fine);
            rms(pairs.map(|(a, b)| f64::from(a - b)))
        });
        work.measured(started);
        Ok(Cell {
            sampler: entry.sampler.to_string(),
            steps: entry.steps,
            calls,
            column: entry.column,
            distance,
            off,
        })
    }
}

/// Root mean square.
fn rms(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let n = values.len().max(1) as f64;
    (values.map(|v| v * v).sum::<f64>() / n).sqrt()
}

/// How far the work is: network calls and measurements, each at the pace seen so far.
struct Work {
    bar: Progress,
    /// Done and in all.
    calls: (usize, usize),
    walks: (usize, usize),
    sampling: f64,
    measuring: f64,
}

impl Work {
    fn new(lineup: &Lineup, chunks: usize) -> Self {
        let (calls, walks) = lineup.work();
        Self {
            bar: Progress::shares("compare"),
            calls: (0, calls * chunks),
            walks: (0, walks),
            sampling: 0.0,
            measuring: 0.0,
        }
    }

    /// Within a walk that has taken so many calls since `started`.
    fn see(&mut self, calls: f64, started: Instant, detail: impl FnOnce() -> String) {
        let calls = self.calls.0 as f64 + calls;
        let spent = self.sampling + started.elapsed().as_secs_f64();
        if calls == 0.0 {
            return;
        }
        let sampling = spent / calls * (self.calls.1 as f64 - calls);
        let walks = self.walks.0.max(1) as f64;
        let measuring = self.measuring / walks * (self.walks.1 as f64 - walks);
        let done = spent + self.measuring;
        let share = done / (done + sampling + measuring.max(0.0));
        self.bar.set_share(share.min(1.0), detail);
    }

    fn walked(&mut self, calls: usize, started: Instant) {
        self.calls.0 += calls;
        self.sampling += started.elapsed().as_secs_f64();
    }

    fn measured(&mut self, started: Instant) {
        self.walks.0 += 1;
        self.measuring += started.elapsed().as_secs_f64();
    }
}
