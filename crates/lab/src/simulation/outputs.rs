//! Where saved states go: to a file, into statistics, and a few into memory.

use std::ops::ControlFlow;
use std::sync::Mutex;

use fokker_data::{DataError, TableWriter, Values};
use fokker_sim::ensemble::{Chunk, Sink};
use fokker_sim::lane::Real;
use fokker_sim::stat::{Summaries, SummarySpec};

/// A precision that can be written and summed up.
pub(super) trait Number: Real + Into<f64> {
    /// The values as a table takes them.
    fn values(values: &[Self]) -> Values<'_>;
}

impl Number for f32 {
    fn values(values: &[f32]) -> Values<'_> {
        values.into()
    }
}

impl Number for f64 {
    fn values(values: &[f64]) -> Values<'_> {
        values.into()
    }
}

/// Everything that may become of an ensemble, in one type: the solvers are compiled for it once.
#[derive(Default)]
pub(super) struct Outputs {
    /// Keep all states of the first so many trajectories.
    pub(super) keep: u64,
    /// `[trajectories, times, dim]`.
    pub(super) kept: Vec<f64>,
    /// When an event stopped each of them; NaN where none did.
    pub(super) kept_stops: Vec<f64>,
    /// Keep the last states of the first so many trajectories.
    pub(super) keep_last: u64,
    /// `[trajectories, dim]`.
    pub(super) last: Vec<f64>,
    /// What to sum up at every time.
    pub(super) spec: Option<SummarySpec>,
    /// The centres of the quantiles, `[times, dim]`; where there are none, there is one chunk alone
    /// and it finds its own.
    pub(super) centres: Option<Vec<f64>>,
    /// The sums.
    pub(super) summaries: Option<Summaries>,
    /// Whether to sum up the times at which events stopped trajectories.
    pub(super) events: bool,
    /// The times of events, as statistics of one component.
    pub(super) stops: Option<fokker_sim::stat::Summary>,
    /// The file; behind a lock because it is not for several threads.
    pub(super) table: Option<Mutex<TableWriter>>,
    /// Why writing failed.
    pub(super) failure: Option<DataError>,
}

/// The trajectories that the centres of quantiles are taken from.
pub(super) const PILOTS: usize = 16;

/// The centres of the quantiles of each of `states` numbers of a trajectory: the median of the first
/// few trajectories where they lie far from 0 for their range, and 0 elsewhere. Errors relative to
/// the distance from there are small for the spread of the values in both cases.
pub(super) fn centres<R: Number>(values: &[R], states: usize) -> Vec<f64> {
    let centre = |state: usize| {
        let column = values.iter().skip(state).step_by(states).take(PILOTS);
        let mut column: Vec<f64> = column.map(|&x| x.into()).collect();
        column.retain(|x| x.is_finite());
        column.sort_unstable_by(f64::total_cmp);
        let (Some(low), Some(high)) = (column.first(), column.last()) else {
            return 0.0;
        };
        let middle = column[column.len() / 2];
        if middle.abs() > 0.5 * (high - low) {
            middle
        } else {
            0.0
        }
    };
    (0..states).map(centre).collect()
}

/// What is left of a chunk of trajectories.
pub(super) struct Part<R> {
    first: u64,
    values: Vec<R>,
    kept: Vec<f64>,
    stops: Vec<f64>,
    last: Vec<f64>,
    summaries: Option<Summaries>,
}

impl<R: Number> Sink<R> for Outputs {
    type Part = Part<R>;

    fn digest(&self, chunk: &Chunk<'_, R>) -> Part<R> {
        let (times, dim) = (chunk.times.len(), chunk.dim);
        let share = |most: u64| most.saturating_sub(chunk.first).min(chunk.count as u64) as usize;
        let kept = &chunk.values[..share(self.keep) * times * dim];
        let mut last = Vec::new();
        if times > 0 {
            let rows = chunk
                .values
                .chunks_exact(times * dim)
                .take(share(self.keep_last));
            for row in rows {
                last.extend(row[(times - 1) * dim..].iter().map(|&x| x.into()));
            }
        }
        let summaries = self.spec.as_ref().and_then(|spec| {
            let own = || centres(chunk.values, times * dim);
            let summaries = Summaries::new(chunk.times, spec).ok()?;
            let mut summaries = match &self.centres {
                Some(centres) => summaries.around(centres),
                None => summaries.around(&own()),
            };
            let mut columns = vec![R::default(); chunk.count * dim];
            for k in 0..times {
                for (i, row) in chunk.values.chunks_exact(times * dim).enumerate() {
                    for (j, &x) in row[k * dim..][..dim].iter().enumerate() {
                        columns[j * chunk.count + i] = x;
                    }
                }
                summaries.push_lanes(k, &columns, chunk.count);
            }
            Some(summaries)
        });
        Part {
            first: chunk.first,
            values: match self.table {
                Some(_) => chunk.values.to_vec(),
                None => Vec::new(),
            },
            kept: kept.iter().map(|&x| x.into()).collect(),
            stops: match self.events || self.keep > chunk.first {
                true => chunk.stops.to_vec(),
                false => Vec::new(),
            },
            last,
            summaries,
        }
    }

    fn take(&mut self, part: Part<R>) -> ControlFlow<()> {
        if let Some(table) = &mut self.table {
            let table = table
                .get_mut()
                .unwrap_or_else(|poisoned| poisoned.into_inner());
            if let Err(error) = table.write_block(part.first, R::values(&part.values)) {
                self.failure = Some(error);
                return ControlFlow::Break(());
            }
        }
        let stops = self
            .keep
            .saturating_sub(part.first)
            .min(part.stops.len() as u64);
        self.kept_stops.extend(&part.stops[..stops as usize]);
        self.kept.extend(part.kept);
        self.last.extend(part.last);
        if self.events
            && let Some(stops) = &mut self.stops
        {
            let times: Vec<f64> = part.stops.into_iter().filter(|t| !t.is_nan()).collect();
            stops.push_lanes(&times, times.len());
        }
        match (&mut self.summaries, part.summaries) {
            (Some(all), Some(more)) => all.merge(&more),
            (all, more) => *all = more,
        }
        ControlFlow::Continue(())
    }
}
