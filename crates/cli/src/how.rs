//! How to walk from noise to data: the flags, what a run says itself, and what a picture's recipe remembers.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, anyhow, bail};
use clap::Args;
use fokker::Draw;
use fokker::core::{Guidance, Rule, Sampler};
use fokker::math::diffusion::Diffusion;
use fokker::math::grid::Grid;
use fokker::math::scheduler::{SCHEDULERS, Scheduler, scheduler};
use fokker::train::SampleConfig;
use fokker::train::config::Average;
use serde::{Deserialize, Serialize};

use crate::sample::Source;

/// How to walk from noise to data.
#[derive(Args, Clone, Default)]
pub(crate) struct HowArgs {
    /// Steps from noise to data [default: the run's]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=100_000))]
    pub(crate) steps: Option<u64>,

    /// The sampler, with its parameter after a colon where it takes one (ddim:0.5, unipc:3), see `fokker samplers`
    /// [default: the run's]
    #[arg(long, value_name = "NAME")]
    pub(crate) sampler: Option<String>,

    /// Where the steps are: native, uniform, log-snr, karras:RHO, cosine, shifted:S, quadratic, or all times from 0 to
    /// 1 separated by commas [default: native, the scheduler's own]
    #[arg(long, value_name = "GRID", allow_hyphen_values = true)]
    pub(crate) grid_times: Option<String>,

    /// Let the sampler choose its steps by this relative and absolute tolerance (dopri5, tsit5) [default: 1e-4]
    #[arg(long, value_name = "T", allow_negative_numbers = true, conflicts_with_all = ["steps", "grid_times"])]
    pub(crate) tolerance: Option<f64>,

    /// σ_t of euler-maruyama and sde-heun: noise:S (S·β_t), constant:S, decreasing:S, alpha:S or memoryless; the law is
    /// the same for all [default: noise:1]
    #[arg(long, visible_alias = "sde", value_name = "SIGMA")]
    pub(crate) sigma: Option<String>,

    /// Sample along another scheduler than the run was trained on, see `fokker schedulers` [default: the run's]
    #[arg(long, value_name = "NAME")]
    pub(crate) scheduler: Option<String>,

    /// Guidance weight w, -100 to 100: 0 ignores the class, 1 is plain, more exaggerates it; several, separated by commas, are
    /// taken in turn [default: the run's]
    #[arg(
        long,
        short = 'w',
        value_name = "W",
        allow_negative_numbers = true,
        value_delimiter = ','
    )]
    pub(crate) guidance: Vec<f64>,

    /// Times FROM..TO, within 0..1, between which guidance applies [default: all]
    #[arg(long, value_name = "FROM..TO")]
    pub(crate) guidance_interval: Option<String>,

    /// How guidance combines its two predictions: linear, rescale:X, apg:X or cfg++, see `fokker samplers`
    /// [default: linear]
    #[arg(long, value_name = "RULE")]
    pub(crate) guidance_rule: Option<String>,

    /// A class to lead away from, in the place of "no class"; with a --guidance other than 1
    #[arg(long, value_name = "CLASS")]
    pub(crate) negative: Option<String>,

    /// Lead away from this run's model instead, a worse one on the same data and path: smaller, or trained for less; with a
    /// --guidance other than 1
    #[arg(long, value_name = "RUN", conflicts_with = "negative")]
    pub(crate) autoguidance: Option<PathBuf>,

    /// Which weights: weights (as trained), constant (the average by [ema] decay), or a relative width such as 0.08 of an average by a
    /// power function, which is put together from those that the training kept by [ema] power [default: the run's]
    #[arg(long, value_name = "WHICH")]
    pub(crate) ema: Option<Average>,
}

/// The same, checked as text and complete: what the recipe of a picture holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Way {
    pub(crate) sampler: String,
    pub(crate) steps: usize,
    /// The first guidance weight.
    pub(crate) guidance: f64,
    /// Where the steps are, if not where the scheduler has them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) times: Option<String>,
    /// All guidance weights where there are several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) guidances: Vec<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) interval: Option<[f64; 2]>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) rule: Option<String>,
    /// The number of the class to lead away from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) negative: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) autoguidance: Option<Weaker>,
    /// σ_t of a sampler that takes any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) sigma: Option<String>,
    /// Another scheduler than the run's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) scheduler: Option<String>,
}

/// The model that autoguidance leads away from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Weaker {
    pub(crate) run: PathBuf,
    /// A fingerprint of its weights.
    pub(crate) weights: String,
}

impl Way {
    /// The run's own way, changed where asked.
    pub(crate) fn of(source: &Source, how: &HowArgs) -> Result<Self> {
        let own = source.run.config().sample.clone();
        check_guidance(source, how)?;
        let sampler = sampler_of(how, &own)?;
        let takes_sigma = find_sampler(&sampler)?.takes_sigma();
        let guided = source.flow.classes > 0 || source.weaker.is_some();
        let weights = match &how.guidance[..] {
            _ if !guided => vec![1.0],
            [] => vec![own.guidance],
            given => given.to_vec(),
        };
        let listed = |text: &str| text.parse::<Grid>().ok().and_then(|g| g.steps());
        if let (Some(steps), Some(n)) = (how.steps, how.grid_times.as_deref().and_then(listed))
            && steps != n as u64
        {
            bail!("--steps {steps}: the list of --grid-times has {n} steps; leave --steps out");
        }
        let idle = weights.iter().all(|w| *w == 1.0);
        let other = [
            ("--negative", how.negative.is_some()),
            ("--autoguidance", how.autoguidance.is_some()),
            ("--guidance-interval", how.guidance_interval.is_some()),
            (
                "--guidance-rule",
                how.guidance_rule.as_deref().is_some_and(|r| r != "cfg++"),
            ),
        ];
        if let Some((flag, _)) = other.iter().find(|(_, given)| *given && idle) {
            bail!(
                "{flag} does nothing at the guidance weight 1; add another, such as --guidance 2"
            );
        }
        let negative = how.negative.as_ref().map(|class| {
            let class = source.classes("--negative", std::slice::from_ref(class));
            class.map(|c| c[0])
        });
        Ok(Self {
            sampler,
            steps: how.steps.map_or(own.steps, |s| s as usize),
            guidance: weights[0],
            times: how.grid_times.clone().or(own.times),
            interval: how.guidance_interval.as_deref().map(interval).transpose()?,
            rule: how.guidance_rule.clone(),
            negative: negative.transpose()?,
            autoguidance: source.weaker.clone(),
            sigma: how.sigma.clone().or(own.sigma.filter(|_| takes_sigma)),
            scheduler: how.scheduler.clone().or(own.scheduler),
            guidances: if weights.len() > 1 {
                weights
            } else {
                Vec::new()
            },
        })
    }

    /// As a draw, all else as usual.
    pub(crate) fn draw(&self, source: &Source) -> Result<Draw> {
        let sampler = find_sampler(&self.sampler)?;
        if self.sigma.is_some() && !sampler.takes_sigma() {
            bail!(
                "--sigma: {sampler} takes no σ_t of its own; euler-maruyama and sde-heun do (see `fokker samplers`)"
            );
        }
        let text = self.times.as_deref().unwrap_or("native");
        let times: Grid = text
            .parse()
            .map_err(|e| anyhow!("--grid-times {text}: {e}"))?;
        let text = self.rule.as_deref().unwrap_or("linear");
        let rule: Rule = text
            .parse()
            .map_err(|e| anyhow!("--guidance-rule {text}: {e}"))?;
        let weights = match self.guidances.is_empty() {
            true => vec![self.guidance],
            false => self.guidances.clone(),
        };
        if rule == Rule::PlusPlus && weights.iter().any(|w| !(0.0..=1.0).contains(w)) {
            bail!(
                "--guidance-rule cfg++ takes weights from 0 to 1, such as --guidance 0.6, and --sampler ddim; got {}",
                self.guidance
            );
        }
        if rule == Rule::PlusPlus
            && !matches!(sampler.spec.name, "ddim" | "ddpm" | "euler-ancestral")
        {
            bail!(
                "--guidance-rule cfg++: {sampler} does not renoise with the noise that this rule is about; use --sampler ddim"
            );
        }
        let draw = Draw {
            sampler,
            steps: times.steps().unwrap_or(self.steps),
            times,
            diffusion: find_sigma(self.sigma.as_deref())?,
            scheduler: self.scheduler.as_deref().map(find_scheduler).transpose()?,
            guidance: Guidance {
                weights,
                interval: self.interval.map(|[from, to]| (from, to)),
                rule,
                negative: self.negative,
            },
            ..Draw::default()
        };
        if !source.flow.path.is_gaussian() {
            if draw.scheduler.is_some() {
                bail!(
                    "--scheduler: this run starts at other data, not at noise: its path has no scheduler"
                );
            }
            if draw.diffusion == Diffusion::Memoryless && draw.sampler.takes_sigma() {
                bail!("--sigma memoryless: only a path that starts at noise has it");
            }
        }
        source.flow.check(&draw)?;
        Ok(draw)
    }
}

/// The sampler's text: a tolerance is the parameter of the adaptive ones.
fn sampler_of(how: &HowArgs, own: &SampleConfig) -> Result<String> {
    let Some(tolerance) = how.tolerance else {
        let name = how.sampler.as_deref().unwrap_or(&own.sampler);
        let sampler = find_sampler(name)?;
        if sampler.is_adaptive() && (how.steps.is_some() || how.grid_times.is_some()) {
            bail!(
                "{sampler} chooses its own steps, to a --tolerance; --steps and --grid-times are for the others"
            );
        }
        return Ok(sampler.to_string());
    };
    let own_adaptive = find_sampler(&own.sampler).is_ok_and(|s| s.is_adaptive());
    let usual = if own_adaptive { &own.sampler } else { "dopri5" };
    let sampler = find_sampler(how.sampler.as_deref().unwrap_or(usual))?;
    if !sampler.is_adaptive() {
        bail!(
            "--tolerance: {sampler} takes the steps that it is given; dopri5 and tsit5 choose theirs"
        );
    }
    Ok(find_sampler(&format!("{}:{tolerance}", sampler.spec.name))
        .map_err(|_| anyhow!("--tolerance {tolerance}: expected a number from 1e-12 to 1"))?
        .to_string())
}

fn check_guidance(source: &Source, how: &HowArgs) -> Result<()> {
    for w in &how.guidance {
        if w.is_nan() || w.abs() > 100.0 {
            bail!("--guidance {w}: expected a number from -100 to 100");
        }
    }
    if source.weaker.is_some() {
        return Ok(());
    }
    let plain = how.guidance.iter().all(|w| *w == 1.0);
    let other = [
        ("--guidance-interval", how.guidance_interval.is_some()),
        ("--guidance-rule", how.guidance_rule.is_some()),
        ("--negative", how.negative.is_some()),
        ("--guidance", !plain),
    ];
    let Some((flag, _)) = other.iter().find(|(_, given)| *given) else {
        return Ok(());
    };
    if source.flow.classes == 0 {
        bail!(
            "{flag} needs classes to guide towards, but this run was trained without (--autoguidance does with another run instead)"
        );
    }
    if source.run.config().objective.label_drop == 0.0 && how.negative.is_none() {
        bail!(
            "{flag}: this run never hid the class (objective.label_drop = 0), so it knows no \"no class\" to guide away from"
        );
    }
    Ok(())
}

/// Reads FROM..TO.
fn interval(text: &str) -> Result<[f64; 2]> {
    let ends = text.split_once("..").and_then(|(from, to)| {
        let end = |t: &str| t.trim().parse::<f64>().ok();
        Some([end(from)?, end(to)?])
    });
    match ends {
        Some([from, to]) if 0.0 <= from && from <= to && to <= 1.0 => Ok([from, to]),
        _ => bail!(
            "--guidance-interval {text}: expected two rising times within 0 and 1, such as 0.2..0.8"
        ),
    }
}

/// The sampler of that name, or an answer that lists them.
pub(crate) fn find_sampler(text: &str) -> Result<Sampler> {
    text.parse().map_err(|e| anyhow!("--sampler {text}: {e}"))
}

/// The diffusion coefficient of that name, σ_t = β_t without one.
fn find_sigma(text: Option<&str>) -> Result<Diffusion> {
    let parsed = text.map(str::parse::<Diffusion>).transpose();
    parsed
        .map(Option::unwrap_or_default)
        .map_err(|e| anyhow!("--sigma {}: {e}", text.unwrap_or_default()))
}

/// The scheduler of that name, or an answer that lists them.
fn find_scheduler(name: &str) -> Result<Arc<dyn Scheduler>> {
    let found = scheduler(name).with_context(|| {
        let names: Vec<&str> = SCHEDULERS.iter().map(|s| s.name).collect();
        format!(
            "unknown scheduler \"{name}\"; known are {}",
            names.join(", ")
        )
    })?;
    Ok(found.into())
}

/// The first part of the fingerprint of a file.
pub(crate) fn fingerprint(path: &Path) -> Result<String> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(fingerprint_of(&bytes))
}

/// The first part of the fingerprint of a file with these bytes.
pub(crate) fn fingerprint_of(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex()[..16].to_owned()
}
