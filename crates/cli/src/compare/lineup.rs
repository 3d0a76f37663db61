//! Which samplers take part, with how many steps each.

use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Result, anyhow, bail};
use fokker::core::{Plan, SampleError, Sampler};
use fokker::{Draw, Flow, SAMPLERS, Shape};

use super::CompareArgs;
use super::counted::Counted;

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
        shape: Shape,
        (flow, calls): (&Flow<Counted>, &AtomicUsize),
        args: &CompareArgs,
        budgets: &[usize],
        draw: &Draw,
    ) -> Result<Self> {
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
        let blind = matches!(shape, Shape::Image { .. }) && args.judge.is_none();
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
                false => {
                    let saved = saved(flow, calls, draw, sampler)?;
                    by_budget(flow, budgets, draw, sampler, saved)?
                }
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
fn find(flag: &str, text: &str, flow: &Flow<Counted>) -> Result<Sampler> {
    let sampler: Sampler = text.parse().map_err(|e| anyhow!("{flag} {text}: {e}"))?;
    sampler
        .suits(&flow.path, flow.has_score)
        .map_err(|e| anyhow!("{flag} {text}: {e}"))?;
    Ok(sampler)
}

/// Every sampler that suits, each method once.
fn everyone(flow: &Flow<Counted>, blind: bool, notes: &mut Vec<String>) -> Vec<String> {
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

/// Steps of a probe: a first, a last and one between.
const PROBE: usize = 3;

/// Calls that a sampler saves at the two ends: a step from σ = ∞ or to σ = 0 can be simpler than the others.
fn saved(
    flow: &Flow<Counted>,
    calls: &AtomicUsize,
    draw: &Draw,
    sampler: Sampler,
) -> Result<usize> {
    if sampler.spec.calls == 1 || sampler.is_adaptive() {
        return Ok(0);
    }
    let probe = Draw {
        sampler,
        steps: PROBE,
        count: 1,
        ..draw.clone()
    };
    let forward = planned(flow, &probe, sampler, PROBE)?.1;
    let before = calls.load(Ordering::Relaxed);
    flow.sample(&probe).map_err(|e| anyhow!("{sampler}: {e}"))?;
    Ok(forward.saturating_sub(calls.load(Ordering::Relaxed) - before))
}

/// The steps that a sampler takes and their calls, at most.
fn planned(
    flow: &Flow<Counted>,
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

/// The most steps that each budget pays for, of a sampler that saves `saved` calls at the ends.
fn by_budget(
    flow: &Flow<Counted>,
    budgets: &[usize],
    draw: &Draw,
    sampler: Sampler,
    saved: usize,
) -> Result<Vec<Entry>> {
    let mut entries: Vec<Entry> = Vec::new();
    for (column, &budget) in budgets.iter().enumerate() {
        // A grid that walks a part again takes more than its steps.
        let calls = |steps: usize| match sampler.spec.plan {
            Plan::Grid => Ok(steps * sampler.spec.calls),
            _ => planned(flow, draw, sampler, steps).map(|p| p.1),
        };
        let mut steps = (budget + saved) / sampler.spec.calls;
        let mut taken = calls(steps)?;
        while steps > 0 && taken > budget + saved {
            steps -= 1;
            taken = calls(steps)?;
        }
        if steps == 0 || entries.last().is_some_and(|e| e.steps == steps) {
            continue;
        }
        entries.push(Entry {
            sampler,
            steps,
            calls: taken.saturating_sub(saved).max(1),
            column,
        });
    }
    Ok(entries)
}

/// The tolerances that end within the largest budget.
fn adaptive(
    flow: &Flow<Counted>,
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
        let (steps, calls) = match planned(flow, draw, sampler, 1) {
            // A tolerance that was asked for is the user's to change.
            Err(e) if fixed => return Err(e),
            Err(_) => break,
            Ok(found) => found,
        };
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
