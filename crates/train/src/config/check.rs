//! Values that parse but make no sense.

use fokker_core::Sampler;
use fokker_math::diffusion::Diffusion;
use fokker_math::grid::Grid;
use fokker_math::scheduler::{SCHEDULERS, scheduler};

use super::{Config, CouplingKind, Training};

/// The largest batch that is paired by transport.
const LARGEST_TRANSPORT: usize = 8192;

/// A key, and what is wrong with its value.
pub(crate) type Refusal = (String, String);

pub(super) fn refuse<T>(key: &str, what: impl Into<String>) -> Result<T, Refusal> {
    Err((key.to_owned(), what.into()))
}

pub(super) fn within(key: &str, value: f64, low: f64, high: f64) -> Result<(), Refusal> {
    if (low..=high).contains(&value) {
        return Ok(());
    }
    let text = match (low, high) {
        (low, f64::MAX) => format!("expected a finite number of at least {low}, got {value:e}"),
        (low, high) if low > 0.0 && low < 1e-12 => {
            format!("expected a number above 0 and at most {high}, got {value:e}")
        }
        _ => format!("expected a number from {low} to {high}, got {value:e}"),
    };
    refuse(key, text)
}

fn at_least_one(key: &str, value: u64) -> Result<(), Refusal> {
    if value > 0 {
        return Ok(());
    }
    refuse(key, "expected a whole number of at least 1, got 0")
}

impl Config {
    /// Checks every value; an error is the key and what is wrong with its value.
    pub(super) fn check(&self) -> Result<(), Refusal> {
        let bad_name = |c: char| !(c.is_alphanumeric() || "-_. ".contains(c));
        if self.name.is_empty() || self.name.starts_with('.') || self.name.contains(bad_name) {
            let text = "expected letters, digits, '-', '_', '.' and spaces (it names a folder)";
            return refuse("name", text);
        }
        let path = self.path.build(self.source.is_some())?;
        self.objective.check(path.is_gaussian(), path.is_noisy())?;
        self.coupling.check()?;
        let batch = self.training.train.batch;
        if self.coupling.is_transport() && batch > LARGEST_TRANSPORT {
            let text = format!(
                "expected at most {LARGEST_TRANSPORT} with this coupling, whose cost grows as its square, got {batch}"
            );
            return refuse("train.batch", text);
        }
        if self.coupling.kind == CouplingKind::Rectified && self.source.is_some() {
            let text =
                "a rectified coupling starts where its run's model starts; leave [source] out";
            return refuse("coupling.kind", text);
        }
        match self.sample.sampler.parse::<Sampler>() {
            Err(e) => return refuse("sample.sampler", e.to_string()),
            Ok(sampler) => {
                let fits = sampler.suits(&self.probability_path(), self.has_score());
                fits.or_else(|e| refuse("sample.sampler", e.to_string()))?;
                if self.sample.sigma.is_some() && !sampler.takes_sigma() {
                    let text = format!("{sampler} takes no σ_t; euler-maruyama and sde-heun do");
                    return refuse("sample.sigma", text);
                }
            }
        }
        if let Some(Err(e)) = self.sample.times.as_deref().map(str::parse::<Grid>) {
            return refuse("sample.times", e.to_string());
        }
        if let Some(Err(e)) = self.sample.sigma.as_deref().map(str::parse::<Diffusion>) {
            return refuse("sample.sigma", e.to_string());
        }
        if let Some(name) = &self.sample.scheduler {
            if scheduler(name).is_none() {
                let names: Vec<&str> = SCHEDULERS.iter().map(|s| s.name).collect();
                return refuse(
                    "sample.scheduler",
                    format!("unknown; known are {}", names.join(", ")),
                );
            }
            if self.source.is_some() {
                return refuse(
                    "sample.scheduler",
                    "a path that starts at other data has none".to_owned(),
                );
            }
        }
        self.network.check()?;
        self.check_latent()?;
        let o = &self.objective;
        let Training {
            optimizer: opt,
            schedule,
            ema,
            train: t,
        } = &self.training;
        within("optimizer.lr", opt.lr, f64::MIN_POSITIVE, 1e3)?;
        within("optimizer.betas", opt.betas[0], 0.0, 0.999_999)?;
        within("optimizer.betas", opt.betas[1], 0.0, 0.999_999_99)?;
        within("optimizer.epsilon", opt.epsilon, 1e-12, 1.0)?;
        within("optimizer.weight_decay", opt.weight_decay, 0.0, 1e3)?;
        within("optimizer.clip", opt.clip, 0.0, f64::MAX)?;
        within("schedule.floor", schedule.floor, 0.0, 1.0)?;
        within("ema.decay", ema.decay, 0.0, 0.999_999_9)?;
        at_least_one("train.steps", t.steps)?;
        at_least_one("train.batch", t.batch as u64)?;
        at_least_one("train.log_every", t.log_every)?;
        at_least_one("train.checkpoint_every", t.checkpoint_every)?;
        at_least_one("train.keep", t.keep as u64)?;
        if t.batch > 1 << 20 {
            return refuse(
                "train.batch",
                format!("expected at most {}, got {}", 1 << 20, t.batch),
            );
        }
        if !(1..=100_000).contains(&self.sample.steps) {
            let text = format!("expected 1 to 100000, got {}", self.sample.steps);
            return refuse("sample.steps", text);
        }
        within("sample.guidance", self.sample.guidance, -100.0, 100.0)?;
        if self.sample.guidance != 1.0 && o.classes && o.label_drop == 0.0 {
            let text = "guidance needs objective.label_drop above 0: the class must sometimes be hidden in training";
            return refuse("sample.guidance", text);
        }
        Ok(())
    }
}
