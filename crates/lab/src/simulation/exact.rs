//! What was measured, beside what is known in closed form.

use fokker_math::stats::{ks_p_value, ks_statistic};
use fokker_sim::process::Process;
use fokker_sim::process::named::{Holds, Law, Marginal};

use super::resolve::Simulation;
use super::run::Outcome;

/// The least p-value that is ascribed to chance.
pub(super) const P_VALUE: f64 = 1e-4;

/// One component at the last save time, measured and exact.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// The component's name.
    pub component: String,
    /// The mean of the trajectories.
    pub mean: f64,
    /// The exact mean.
    pub exact_mean: f64,
    /// The standard error of the mean, 0 where all trajectories are the same.
    pub mean_error: f64,
    /// The variance of the trajectories; NaN for fewer than two.
    pub variance: f64,
    /// The exact variance, if known.
    pub exact_variance: Option<f64>,
    /// The standard error of the variance.
    pub variance_error: f64,
    /// The p-value of the Kolmogorov–Smirnov test against the exact law, where it has a density.
    pub p_value: Option<f64>,
}

/// All components at the last save time, measured and exact.
#[derive(Clone, Debug)]
pub struct Exact {
    /// The last save time.
    pub time: f64,
    /// In which sense the process has the law.
    pub holds: Holds,
    /// Component by component.
    pub components: Vec<Comparison>,
    /// The law itself.
    pub law: Law,
}

impl Simulation {
    /// The law of the state at time `t`, where it is known.
    pub fn law(&self, t: f64) -> Option<Law> {
        let named = self.named.as_ref()?;
        let plan = self.plan();
        // A diffusion's noise depends on the time, so that it cannot be shifted.
        let shifted = plan.from != 0.0 && named.spec().latest.is_some();
        if shifted || plan.to < plan.from || self.engine.general().has_event() {
            return None;
        }
        named.law(self.starts.law()?, t - plan.from)
    }

    /// What came out beside what is known of it, at the last save time.
    pub fn exact(&self, outcome: &Outcome) -> Option<Exact> {
        let time = *self.plan().save.last()?;
        let law = self.law(time)?;
        let moments = &outcome.summaries.summaries().last()?.moments;
        let (mean, variance) = (moments.mean(), moments.variance());
        let (n, dim) = (moments.count() as f64, self.dim());
        if law.marginals.len() != dim || moments.count() == 0 {
            return None;
        }
        let compare = |(j, marginal): (usize, &Marginal)| {
            let column = outcome.last.iter().skip(j).step_by(dim).copied();
            let mut column: Vec<f64> = column.filter(|x| x.is_finite()).collect();
            column.sort_unstable_by(f64::total_cmp);
            let fourth =
                column.iter().map(|x| (x - mean[j]).powi(4)).sum::<f64>() / column.len() as f64;
            let point = matches!(marginal, Marginal::Point(_));
            let tested = marginal.cdf(0.0).is_some() && !point && column.len() >= 20;
            let cdf = |x: f64| marginal.cdf(x).unwrap_or(f64::NAN);
            Comparison {
                component: self.names[j].clone(),
                mean: mean[j],
                exact_mean: clean(marginal.mean(), marginal.variance()),
                mean_error: if n > 1.0 {
                    (variance[j] / n).sqrt()
                } else {
                    0.0
                },
                variance: variance[j],
                exact_variance: marginal.variance(),
                variance_error: ((fourth - variance[j].powi(2)).max(0.0) / n).sqrt(),
                p_value: tested.then(|| ks_p_value(ks_statistic(&column, cdf), column.len())),
            }
        };
        Some(Exact {
            time,
            holds: law.holds,
            components: law.marginals.iter().enumerate().map(compare).collect(),
            law,
        })
    }
}

impl Exact {
    /// Which components do not follow the law, and why that may be, in words; nothing where chance
    /// explains what is measured.
    pub fn doubt(&self) -> Option<String> {
        let off = self.components.iter();
        let off = off.filter(|c| c.p_value.is_some_and(|p| p < P_VALUE));
        let names: Vec<&str> = off.map(|c| c.component.as_str()).collect();
        let (verb, names) = match names.len() {
            0 => return None,
            1 => ("does", names[0].to_owned()),
            n => (
                "do",
                format!("{} and {}", names[..n - 1].join(", "), names[n - 1]),
            ),
        };
        let cause = match self.holds {
            Holds::Exactly => "the step is too long",
            Holds::Nearly => {
                "the step is too long, or the noise at the start not all of the data's"
            }
            Holds::InTheLimit => "the step is too long, or the time too short to come near it",
        };
        let law = self.sense();
        Some(format!(
            "{names} {verb} not follow the {law} (Kolmogorov–Smirnov p < {P_VALUE:e}): {cause}"
        ))
    }

    /// In which sense the law holds, in words.
    pub fn sense(&self) -> &'static str {
        match self.holds {
            Holds::Exactly => "exact law",
            Holds::Nearly => "law of the data",
            Holds::InTheLimit => "invariant law",
        }
    }
}

/// Rounding errors of a mean that is 0 are 0.
fn clean(mean: f64, variance: Option<f64>) -> f64 {
    if mean.abs() < 1e-14 * variance.unwrap_or(0.0).sqrt() {
        0.0
    } else {
        mean
    }
}

/// The density of a marginal at `n` points of a range, by its distribution function; empty where
/// there is none.
pub(super) fn density(marginal: &Marginal, (low, high): (f64, f64), n: usize) -> Vec<(f64, f64)> {
    if matches!(marginal, Marginal::Point(_)) || marginal.cdf(low).is_none() {
        return Vec::new();
    }
    let h = (high - low) / (8 * n) as f64;
    let cdf = |x: f64| marginal.cdf(x).unwrap_or(0.0);
    fokker_eval::field::sampled((low, high), n, |x| (cdf(x + h) - cdf(x - h)) / (2.0 * h))
}
