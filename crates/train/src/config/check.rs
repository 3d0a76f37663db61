//! Values that parse but make no sense.

use fokker_core::Sampler;
use fokker_math::diffusion::Diffusion;
use fokker_math::grid::Grid;
use fokker_math::scheduler::{SCHEDULERS, scheduler};

use super::{Average, Config, CouplingKind, DataConfig};

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

pub(super) fn at_least_one(key: &str, value: u64) -> Result<(), Refusal> {
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
        self.check_scalars()?;
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
        self.training.check()?;
        self.check_average()?;
        if !(1..=100_000).contains(&self.sample.steps) {
            let text = format!("expected 1 to 100000, got {}", self.sample.steps);
            return refuse("sample.steps", text);
        }
        within("sample.guidance", self.sample.guidance, -100.0, 100.0)?;
        if self.sample.guidance != 1.0 && o.classes && o.label_drop == 0.0 {
            let text = "guidance needs objective.label_drop above 0: the class must sometimes be hidden in training";
            return refuse("sample.guidance", text);
        }
        self.check_held_back()
    }

    /// Is the average that is sampled from kept?
    fn check_average(&self) -> Result<(), Refusal> {
        let ema = &self.training.ema;
        match self.sample.ema {
            Some(Average::Constant) if ema.decay == 0.0 => refuse(
                "sample.ema",
                "no constant average is kept (ema.decay = 0); give ema.decay, or a width of ema.power",
            ),
            Some(Average::Power(sigma)) if ema.power.is_empty() => refuse(
                "sample.ema",
                format!(
                    "{sigma} is made from the averages of ema.power, but none is listed there; try ema.power = [0.05, 0.1]"
                ),
            ),
            _ if (self.is_classifier() || self.is_autoencoder())
                && (self.sample.ema.is_some() || (ema.decay == 0.0 && !ema.power.is_empty())) =>
            {
                refuse(
                    "ema.power",
                    "classifiers and autoencoders are used with their constant average (ema.decay), or else as trained; leave out ema.power and sample.ema",
                )
            }
            _ => Ok(()),
        }
    }

    /// Are the scalars of captions such, and is there a network that reads them?
    fn check_scalars(&self) -> Result<(), Refusal> {
        if self.text.scalars.is_empty() {
            return Ok(());
        }
        let refuse = |what: &str| refuse("text.scalars", what.to_owned());
        let width = self.network.text_width();
        if width == 0 {
            return refuse(
                "this network reads no captions; adm-unet and mm-dit do, with network.text = 8 for each scalar",
            );
        }
        match self.scalar_encoder() {
            Err(error) => refuse(&error.to_string()),
            Ok(_) => Ok(()),
        }
    }

    /// Does what is asked of held-back and mirrored data make sense with the rest?
    fn check_held_back(&self) -> Result<(), Refusal> {
        let train = &self.training.train;
        let rectified = self.coupling.kind == CouplingKind::Rectified;
        if train.validate_every > 0 && rectified {
            let text =
                "a rectified coupling trains on its own pairs and holds no data back; leave it out";
            return refuse("train.validate_every", text);
        }
        if train.flip && rectified {
            let text = "a mirrored image is not the end of its pair; leave it out with a rectified coupling";
            return refuse("train.flip", text);
        }
        if train.flip && self.latent.is_some() {
            let text = "a mirrored latent is not the latent of the mirrored image; train the autoencoder with train.flip instead";
            return refuse("train.flip", text);
        }
        if train.validate_every > 0 && self.is_autoencoder() {
            let text =
                "an autoencoder is measured at its end, on vae.held_back of its data; leave it out";
            return refuse("train.validate_every", text);
        }
        if train.sample_every > 0 && (self.is_autoencoder() || self.is_classifier()) {
            let text = "classifiers and autoencoders draw no samples; leave it out";
            return refuse("train.sample_every", text);
        }
        if train.flip && matches!(self.data, DataConfig::Toy { .. }) {
            return refuse("train.flip", "points cannot be mirrored; only images can");
        }
        Ok(())
    }
}
