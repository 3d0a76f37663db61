//! Which samplers take part, with how many steps each.

use anyhow::{Result, anyhow, bail};
use fokker::core::{Plan, SampleError, Sampler};
use fokker::train::AnyNetwork;
use fokker::{Draw, Flow, SAMPLERS, Shape};

use super::CompareArgs;
use crate::sample::Source;

/// Rows of the table of samplers that are another row under its other name, as they come.
const ALIASES: [(&str, &str); 3] = [
    ("dpm++1s", "ddim"),
    ("euler-ancestral", "ddpm"),
    ("dpm++1-sde", "ddpm"),
];

/// What a sampler that chooses its steps is run with, from the loosest.
const TOLERANCES: [f64; 4] = [1e-1, 1e-2, 1e-3, 1e-4];

/// One sampler with one number of steps.
#[derive(Clone)]
pub(super) struct Entry {
    pub(super) sampler: Sampler,
    pub(super) steps: usize,
    /// Calls that it will take, at most.
    pub(super) calls: usize,
    /// The column of the table: the least budget that is enough.
    pub(super) column: usize,
}

/// A sampler with all its budgets.
pub(super) struct Row {
    pub(super) name: String,
    pub(super) stochastic: bool,
    pub(super) entries: Vec<Entry>,
}

/// Who takes part.
pub(super) struct Lineup {
    pub(super) reference: Entry,
    pub(super) rows: Vec<Row>,
    /// What the reader should know of who does not.
    pub(super) notes: Vec<String>,
}

impl Lineup {
    pub(super) fn new(
        source: &Source,
        args: &CompareArgs,
        budgets: &[usize],
        draw: &Draw,
    ) -> Result<Self> {
        let flow = &source.flow;
        let reference = find("--reference", &args.reference, flow)?;
        if reference.is_stochastic() {
            bail!(
                "--reference {reference}: it draws noise of its own, so it has no solution to measure the others by; take one \
                 without, such as heun"
            );
        }
        let steps = args.reference_steps as usize;
        let reference = Entry {
            sampler: reference,
            steps,
            calls: planned(flow, draw, reference, steps)?.1,
            column: 0,
        };
        // Without a judge only the distance to the fine solution is left.
        let blind = matches!(source.shape, Shape::Image { .. }) && args.judge.is_none();
        let mut notes = Vec::new();
        let names = match args.samplers.is_empty() {
            true => everyone(flow, blind, &mut notes),
            false => args.samplers.clone(),
        };
        let mut rows: Vec<Row> = Vec::new();
        for text in &names {
            let sampler = find("--samplers", text, flow)?;
            let fixed = text.contains(':');
            if blind && sampler.is_stochastic() {
                bail!(
                    "--samplers {text}: it draws noise of its own, so without --judge there is nothing to compare it by; add \
                     --judge and a run of kind = \"classifier\""
                );
            }
            let name = match sampler.is_adaptive() && !fixed {
                true => sampler.spec.name.to_owned(),
                false => sampler.to_string(),
            };
            if rows.iter().any(|r| r.name == name) {
                bail!("--samplers: {name} is named twice");
            }
            let entries = match sampler.is_adaptive() {
                true => adaptive(flow, budgets, draw, sampler, fixed)?,
                false => by_budget(flow, budgets, draw, sampler)?,
            };
            if entries.is_empty() {
                let most = budgets[budgets.len() - 1];
                notes.push(format!("left out: {name} takes more than {most} calls"));
                continue;
            }
            rows.push(Row {
                name,
                stochastic: sampler.is_stochastic(),
                entries,
            });
        }
        if rows.is_empty() {
            bail!(
                "--calls {}: none of these samplers ends within so few calls; allow more",
                budgets[budgets.len() - 1]
            );
        }
        Ok(Self {
            reference,
            rows,
            notes,
        })
    }

    /// All calls of one chunk of samples, the reference's included, and all walks.
    pub(super) fn work(&self) -> (usize, usize) {
        let entries = || self.rows.iter().flat_map(|r| &r.entries);
        let calls: usize = entries().map(|e| e.calls).sum();
        (calls + self.reference.calls, entries().count() + 1)
    }
}

/// The sampler of that name, if it suits the run.
fn find(flag: &str, text: &str, flow: &Flow<AnyNetwork>) -> Result<Sampler> {
    let sampler: Sampler = text.parse().map_err(|e| anyhow!("{flag} {text}: {e}"))?;
    sampler
        .suits(&flow.path, flow.has_score)
        .map_err(|e| anyhow!("{flag} {text}: {e}"))?;
    Ok(sampler)
}

/// Every sampler that suits, each method once.
fn everyone(flow: &Flow<AnyNetwork>, blind: bool, notes: &mut Vec<String>) -> Vec<String> {
    let is = |name: &str| ALIASES.iter().find(|a| a.0 == name);
    let once: Vec<Sampler> = SAMPLERS
        .iter()
        .filter(|s| is(s.name).is_none())
        .map(Sampler::from)
        .collect();
    let aliases: Vec<String> = ALIASES.iter().map(|(a, b)| format!("{a} = {b}")).collect();
    notes.push(format!(
        "left out as the same under another name: {}",
        aliases.join(", ")
    ));
    let suits = |s: &&Sampler| s.suits(&flow.path, flow.has_score).is_ok();
    let (good, bad): (Vec<&Sampler>, Vec<&Sampler>) = once.iter().partition(suits);
    if !bad.is_empty() {
        let bad: Vec<String> = bad.iter().map(ToString::to_string).collect();
        notes.push(format!(
            "left out, as this model gives them no score or no path between two ends: {}",
            bad.join(", ")
        ));
    }
    let good = good.iter().filter(|s| !(blind && s.is_stochastic()));
    good.map(|s| s.spec.name.to_owned()).collect()
}

/// The steps that a sampler takes and its calls, at most.
fn planned(
    flow: &Flow<AnyNetwork>,
    draw: &Draw,
    sampler: Sampler,
    steps: usize,
) -> Result<(usize, usize)> {
    let draw = Draw {
        sampler,
        steps,
        ..draw.clone()
    };
    let times = flow.times(&draw).map_err(|e| match e {
        SampleError::Adaptive(e) => anyhow!("{sampler}: {e}"),
        e => e.into(),
    })?;
    // Steps back in time only add noise.
    let steps = times.windows(2).filter(|w| w[1] > w[0]).count();
    Ok((steps, steps * sampler.spec.calls))
}

/// The first budget that is enough.
fn column(budgets: &[usize], calls: usize) -> Option<usize> {
    budgets.iter().position(|b| *b >= calls)
}

/// The most steps that each budget pays for.
fn by_budget(
    flow: &Flow<AnyNetwork>,
    budgets: &[usize],
    draw: &Draw,
    sampler: Sampler,
) -> Result<Vec<Entry>> {
    let mut entries: Vec<Entry> = Vec::new();
    for (column, &budget) in budgets.iter().enumerate() {
        let mut steps = budget / sampler.spec.calls;
        // A grid that walks a part again takes more than its steps.
        if matches!(sampler.spec.plan, Plan::Restart) {
            while steps > 0 && planned(flow, draw, sampler, steps)?.1 > budget {
                steps -= 1;
            }
        }
        if steps == 0 || entries.last().is_some_and(|e| e.steps == steps) {
            continue;
        }
        entries.push(Entry {
            sampler,
            steps,
            calls: planned(flow, draw, sampler, steps)?.1,
            column,
        });
    }
    Ok(entries)
}

/// The tolerances that end within the largest budget.
fn adaptive(
    flow: &Flow<AnyNetwork>,
    budgets: &[usize],
    draw: &Draw,
    sampler: Sampler,
    fixed: bool,
) -> Result<Vec<Entry>> {
    let given = [sampler.parameter];
    let tolerances = if fixed { &given[..] } else { &TOLERANCES };
    let mut entries = Vec::new();
    for &parameter in tolerances {
        let sampler = Sampler {
            parameter,
            ..sampler
        };
        let (steps, calls) = planned(flow, draw, sampler, 1)?;
        let Some(column) = column(budgets, calls) else {
            break;
        };
        entries.push(Entry {
            sampler,
            steps,
            calls,
            column,
        });
    }
    Ok(entries)
}
