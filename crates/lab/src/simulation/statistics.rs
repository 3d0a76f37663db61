//! Statistics as a table and as JSON.

use fokker_sim::solver::Steps;
use fokker_sim::stat::Summary;
use serde_json::{Value, json};

use super::exact::Exact;
use super::resolve::Simulation;
use super::run::Outcome;
use super::system::parameters;
use super::words::{digits, resolved};

/// The quantiles that are reported.
const QUANTILES: [f64; 7] = [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99];

/// The headings of [`Simulation::rows`].
pub const HEADINGS: [&str; 8] = ["", "mean", "std", "min", "5 %", "median", "95 %", "max"];

/// One component of a summary as text.
pub(super) fn row(summary: &Summary, j: usize, name: &str) -> Vec<String> {
    let moments = &summary.moments;
    let (mean, std) = (moments.mean()[j], moments.variance()[j].sqrt());
    let known = |x: f64| match x.is_finite() {
        true => resolved(x, std),
        false => "–".into(),
    };
    let quantile = |q: f64| {
        let sketch = summary.quantiles.get(j);
        known(sketch.and_then(|s| s.quantile(q)).unwrap_or(f64::NAN))
    };
    vec![
        name.to_owned(),
        known(mean),
        match std.is_finite() {
            true => digits(std),
            false => "–".into(),
        },
        known(moments.min()[j]),
        quantile(0.05),
        quantile(0.5),
        quantile(0.95),
        known(moments.max()[j]),
    ]
}

impl Simulation {
    /// The times at which the event stopped trajectories, as [`rows`](Self::rows) has components.
    pub fn event_row(&self, outcome: &Outcome) -> Option<Vec<String>> {
        let stops = outcome.events.as_ref()?;
        (stops.moments.count() > 1).then(|| row(stops, 0, "event time"))
    }

    /// Mean, deviation, extremes and quantiles of each component at save time `k`, as text.
    pub fn rows(&self, outcome: &Outcome, k: usize) -> Vec<Vec<String>> {
        let summary = &outcome.summaries.summaries()[k];
        let names = self.names().iter().enumerate();
        names.map(|(j, name)| row(summary, j, name)).collect()
    }

    /// The settings and all statistics, for programs.
    pub fn json(&self, outcome: &Outcome, exact: Option<&Exact>) -> String {
        let settings: serde_json::Map<String, Value> = self
            .describe()
            .into_iter()
            .filter(|(what, _)| *what != "arithmetic")
            .map(|(what, value)| (what.to_owned(), value.into()))
            .collect();
        let plan = self.plan();
        let (steps, tolerance, depth) = match self.solver().steps() {
            Steps::Equal(steps) => (Some(steps), None, None),
            Steps::Adaptive(t) => (None, Some(t.rtol), None),
            Steps::Tree(depth) => (None, None, Some(depth)),
        };
        let parameters: serde_json::Map<String, Value> = parameters(self)
            .into_iter()
            .map(|(name, value)| (name, value.into()))
            .collect();
        let values = json!({
            "process": self.name(),
            "parameters": parameters,
            "solver": self.solver().spec().name,
            "steps": steps,
            "tolerance": tolerance,
            "tree_depth": depth,
            "from": plan.from,
            "to": plan.to,
            "trajectories": plan.count,
            "seed": plan.seed,
            "bits": 8 * self.value_bytes(),
        });
        let times = self.plan().save.iter().zip(outcome.summaries.summaries());
        let times: Vec<Value> = times
            .map(|(time, summary)| {
                let m = &summary.moments;
                let dim = self.dim();
                let covariance: Vec<Vec<f64>> =
                    m.covariance().chunks(dim).map(<[f64]>::to_vec).collect();
                let quantiles: Vec<Vec<Option<f64>>> = summary
                    .quantiles
                    .iter()
                    .map(|sketch| QUANTILES.iter().map(|&q| sketch.quantile(q)).collect())
                    .collect();
                let histograms: Vec<Value> = summary
                    .histograms
                    .iter()
                    .map(|histogram| match histogram {
                        Some(h) => json!({
                            "low": h.edges()[0],
                            "high": h.edges()[h.edges().len() - 1],
                            "below": h.below(),
                            "counts": h.counts(),
                            "above": h.above(),
                        }),
                        None => Value::Null,
                    })
                    .collect();
                let mut all = json!({
                    "time": time,
                    "count": m.count(),
                    "failed": m.non_finite(),
                    "mean": m.mean(),
                    "covariance": covariance,
                    "min": m.min(),
                    "max": m.max(),
                    "quantiles": quantiles,
                });
                // Few trajectories have none.
                if summary.histograms.iter().any(Option::is_some) {
                    all["histograms"] = histograms.into();
                }
                all
            })
            .collect();
        let exact = exact.map(|exact| {
            let components: Vec<Value> = exact
                .components
                .iter()
                .map(|c| {
                    json!({
                        "component": c.component,
                        "mean": c.mean,
                        "mean_error": c.mean_error,
                        "exact_mean": c.exact_mean,
                        "variance": c.variance,
                        "variance_error": c.variance_error,
                        "exact_variance": c.exact_variance,
                        "ks_p_value": c.p_value,
                    })
                })
                .collect();
            json!({ "time": exact.time, "law": exact.sense(), "components": components })
        });
        let events = outcome.events.as_ref().map(|stops| {
            json!({
                "count": stops.moments.count(),
                "share": stops.moments.count() as f64 / outcome.trajectories.max(1) as f64,
                "mean_time": stops.moments.mean()[0],
                "std_time": stops.moments.variance()[0].sqrt(),
                "first_time": stops.moments.min()[0],
                "last_time": stops.moments.max()[0],
                "quantiles": QUANTILES.map(|q| stops.quantiles[0].quantile(q)),
            })
        });
        let all = json!({
            "settings": settings,
            "values": values,
            "components": self.names(),
            "quantile_levels": QUANTILES,
            "statistics": times,
            "exact": exact,
            "events": events,
        });
        serde_json::to_string_pretty(&all).unwrap_or_default() + "\n"
    }
}
