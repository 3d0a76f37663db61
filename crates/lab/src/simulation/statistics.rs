//! Statistics as a table and as JSON.

use serde_json::{Value, json};

use super::exact::Exact;
use super::resolve::Simulation;
use super::run::Outcome;
use super::words::digits;

/// The quantiles that are reported.
const QUANTILES: [f64; 7] = [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99];

/// The headings of [`Simulation::rows`].
pub const HEADINGS: [&str; 8] = ["", "mean", "std", "min", "5 %", "median", "95 %", "max"];

impl Simulation {
    /// Mean, deviation, extremes and quantiles of each component at save time `k`, as text.
    pub fn rows(&self, outcome: &Outcome, k: usize) -> Vec<Vec<String>> {
        let summary = &outcome.summaries.summaries()[k];
        let moments = &summary.moments;
        let (mean, variance) = (moments.mean(), moments.variance());
        let row = |(j, name): (usize, &String)| {
            let quantile = |q: f64| {
                let sketch = summary.quantiles.get(j);
                sketch
                    .and_then(|s| s.quantile(q))
                    .map_or("–".into(), digits)
            };
            let known = |x: f64| {
                if x.is_finite() {
                    digits(x)
                } else {
                    "–".into()
                }
            };
            vec![
                name.clone(),
                known(mean[j]),
                known(variance[j].sqrt()),
                known(moments.min()[j]),
                quantile(0.05),
                quantile(0.5),
                quantile(0.95),
                known(moments.max()[j]),
            ]
        };
        self.names().iter().enumerate().map(row).collect()
    }

    /// The settings and all statistics, for programs.
    pub fn json(&self, outcome: &Outcome, exact: Option<&Exact>) -> String {
        let settings: serde_json::Map<String, Value> = self
            .describe()
            .into_iter()
            .filter(|(what, _)| *what != "arithmetic")
            .map(|(what, value)| (what.to_owned(), value.into()))
            .collect();
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
                json!({
                    "time": time,
                    "count": m.count(),
                    "failed": m.non_finite(),
                    "mean": m.mean(),
                    "covariance": covariance,
                    "min": m.min(),
                    "max": m.max(),
                    "quantiles": quantiles,
                    "histograms": histograms,
                })
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
                        "exact_mean": c.exact_mean,
                        "variance": c.variance,
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
                "mean_time": stops.moments.mean()[0],
                "quantiles": QUANTILES.map(|q| stops.quantiles[0].quantile(q)),
            })
        });
        let all = json!({
            "settings": settings,
            "components": self.names(),
            "quantile_levels": QUANTILES,
            "statistics": times,
            "exact": exact,
            "events": events,
        });
        serde_json::to_string_pretty(&all).unwrap_or_default() + "\n"
    }
}
