//! `[objective]`: the regression that trains the network.

use fokker_core::{Parametrization, Told};
use fokker_math::precondition::Precondition;
use fokker_math::prediction::Prediction;
use fokker_math::time::TimeLaw;
use fokker_math::weight::LossWeight;
use serde::{Deserialize, Serialize};

use super::check::{Refusal, refuse, within};

/// What the network is asked to predict, when, and how errors are weighed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ObjectiveConfig {
    /// What the network predicts.
    pub prediction: PredictionConfig,
    /// The weight of an error over time.
    pub weight: WeightConfig,
    /// The parameter of the weight: γ of min-snr, σ_data of edm, the bias of sigmoid; none of the others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight_parameter: Option<f64>,
    /// `prediction = "edm"`: the standard deviation of the data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sigma_data: Option<f64>,
    /// The network is told n = steps·(1 − t) − 1 instead of t: the number of a step of a discrete diffusion, as many networks
    /// trained elsewhere want it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steps: Option<u32>,
    /// The network puts out a variance beside its prediction, which samplers leave alone. Only imported networks do.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub variance: bool,
    /// The law of training times.
    pub time: TimeConfig,
    /// Its parameters, the usual ones where left out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub time_parameters: Vec<f64>,
    /// One time in each of `batch` equal slices of the law: the same mean, less variance.
    pub stratified: bool,
    /// Times stay below 1 − t_eps; on a bridge, which is singular at both ends, in \[t_eps, 1 − t_eps\] with a
    /// t_eps of at least 0.001.
    pub t_eps: f64,
    /// Is the network told the class, where the data has classes?
    pub classes: bool,
    /// The probability η of hiding the class, which classifier-free guidance needs.
    pub label_drop: f64,
}

impl Default for ObjectiveConfig {
    fn default() -> Self {
        Self {
            prediction: PredictionConfig::Velocity,
            weight: WeightConfig::Uniform,
            weight_parameter: None,
            sigma_data: None,
            steps: None,
            variance: false,
            time: TimeConfig::Uniform,
            time_parameters: Vec::new(),
            stratified: true,
            t_eps: 0.0,
            classes: true,
            label_drop: 0.1,
        }
    }
}

/// What a network may be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PredictionConfig {
    /// The velocity α̇z + β̇ε: flow matching.
    Velocity,
    /// The data z.
    Data,
    /// The noise ε.
    Noise,
    /// v = αε − βz.
    V,
    /// The score −ε/β: denoising score matching.
    Score,
    /// The preconditioned denoiser of EDM.
    Edm,
    /// Velocity and noise side by side: field and score in one network.
    VelocityAndNoise,
}

/// The weights of the loss, over time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WeightConfig {
    /// 1 on the prediction's own error.
    Uniform,
    /// The signal-to-noise ratio on the data's error: 1 on the noise's.
    Snr,
    /// The signal-to-noise ratio, at most γ.
    MinSnr,
    /// SNR + 1/σ_data².
    Edm,
    /// SNR · sigmoid(bias − ln SNR).
    Sigmoid,
}

/// The laws of training times.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TimeConfig {
    /// t ~ U\[0, 1\].
    Uniform,
    /// logit t ~ N(m, s²): more weight on the middle. Parameters m, s.
    LogitNormal,
    /// ln(β/α) ~ N(m, s²), of EDM. Parameters m, s.
    LogNormal,
    /// More weight on the middle, by a cosine. Parameter: scale.
    Mode,
    /// t = s·(1 − b), b ~ Beta(a, b), of robot policies. Parameters a, b, s.
    Beta,
}

const SIGMA_DATA: f64 = 0.5;

impl ObjectiveConfig {
    /// What goes into the network and what its output means.
    pub fn parametrization(&self) -> Parametrization {
        let plain = |prediction| match (self.steps, self.variance) {
            (None, false) => Parametrization::Plain(prediction),
            (steps, variance) => Parametrization::Told(Told {
                prediction,
                steps,
                variance,
            }),
        };
        match self.prediction {
            PredictionConfig::Velocity => plain(Prediction::Velocity),
            PredictionConfig::Data => plain(Prediction::Data),
            PredictionConfig::Noise => plain(Prediction::Noise),
            PredictionConfig::V => plain(Prediction::V),
            PredictionConfig::Score => plain(Prediction::Score),
            PredictionConfig::Edm => {
                let sigma_data = self.sigma_data.unwrap_or(SIGMA_DATA);
                let made = Precondition::new(sigma_data);
                Parametrization::Edm(made.expect("checked when the recipe was read"))
            }
            PredictionConfig::VelocityAndNoise => Parametrization::VelocityAndNoise,
        }
    }

    /// The weight of an error.
    pub fn loss_weight(&self) -> LossWeight {
        let or = |usual: f64| self.weight_parameter.unwrap_or(usual);
        match self.weight {
            WeightConfig::Uniform => LossWeight::Uniform,
            WeightConfig::Snr => LossWeight::Snr,
            WeightConfig::MinSnr => LossWeight::MinSnr { gamma: or(5.0) },
            WeightConfig::Edm => LossWeight::Edm {
                sigma_data: or(self.sigma_data.unwrap_or(SIGMA_DATA)),
            },
            WeightConfig::Sigmoid => LossWeight::Sigmoid { bias: or(2.0) },
        }
    }

    /// The law of training times.
    pub fn time_law(&self) -> TimeLaw {
        let or = |i: usize, usual: f64| self.time_parameters.get(i).copied().unwrap_or(usual);
        match self.time {
            TimeConfig::Uniform => TimeLaw::Uniform,
            TimeConfig::LogitNormal => TimeLaw::LogitNormal {
                mean: or(0, 0.0),
                std: or(1, 1.0),
            },
            TimeConfig::LogNormal => TimeLaw::LogNormal {
                p_mean: or(0, -1.2),
                p_std: or(1, 1.2),
            },
            TimeConfig::Mode => TimeLaw::Mode { scale: or(0, 1.29) },
            TimeConfig::Beta => TimeLaw::Beta {
                a: or(0, 1.5),
                b: or(1, 1.0),
                s: or(2, 0.999),
            },
        }
    }

    /// `noisy`: does the path carry noise of its own; `gaussian`: does it start at noise?
    pub(super) fn check(&self, gaussian: bool, noisy: bool) -> Result<(), Refusal> {
        let o = self;
        within("objective.t_eps", o.t_eps, 0.0, 0.5)?;
        within("objective.label_drop", o.label_drop, 0.0, 0.99)?;
        let most = match o.time {
            TimeConfig::Uniform => 0,
            TimeConfig::Mode => 1,
            TimeConfig::LogitNormal | TimeConfig::LogNormal => 2,
            TimeConfig::Beta => 3,
        };
        if !o.time_parameters.is_empty() && o.time_parameters.len() != most {
            let what = format!(
                "this law has {most} parameters, got {}",
                o.time_parameters.len()
            );
            return refuse("objective.time_parameters", what);
        }
        let law = o.time_law().checked();
        law.map_err(|e| ("objective.time_parameters".to_owned(), e.to_string()))?;
        if o.weight_parameter.is_some()
            && matches!(o.weight, WeightConfig::Uniform | WeightConfig::Snr)
        {
            return refuse("objective.weight_parameter", "this weight has no parameter");
        }
        let weight = o.loss_weight().checked();
        weight.map_err(|e| ("objective.weight_parameter".to_owned(), e.to_string()))?;
        if o.sigma_data.is_some() && o.prediction != PredictionConfig::Edm {
            return refuse(
                "objective.sigma_data",
                "only prediction = \"edm\" takes this",
            );
        }
        within(
            "objective.sigma_data",
            o.sigma_data.unwrap_or(SIGMA_DATA),
            1e-6,
            1e6,
        )?;
        use PredictionConfig::{Data, Edm, Noise, Score, V, Velocity, VelocityAndNoise};
        for (key, given) in [
            ("objective.steps", o.steps.is_some()),
            ("objective.variance", o.variance),
        ] {
            if given && matches!(o.prediction, Edm | VelocityAndNoise) {
                return refuse(key, "only a single plain prediction takes this");
            }
        }
        if o.steps.is_some_and(|steps| steps < 2) {
            return refuse("objective.steps", "expected at least 2 steps");
        }
        let key = "objective.prediction";
        match o.prediction {
            VelocityAndNoise if !gaussian && !noisy => {
                let what = "this path carries no noise to learn; use \"velocity\", or interpolant = \"bridge\"";
                return refuse(key, what);
            }
            Velocity | VelocityAndNoise => (),
            _ if noisy => {
                let what = "a path with noise of its own is learned by \"velocity\" or \"velocity-and-noise\"";
                return refuse(key, what);
            }
            Data | Noise | V if !gaussian => (),
            _ if !gaussian => {
                let what = "this needs a path that starts at noise; use \"velocity\"";
                return refuse(key, what);
            }
            Score if o.t_eps == 0.0 => {
                let what = "the target −ε/β of the score is unbounded at t = 1: set objective.t_eps above 0, such as 0.01";
                return refuse(key, what);
            }
            _ => (),
        }
        if o.prediction == VelocityAndNoise && o.weight != WeightConfig::Uniform {
            return refuse(
                "objective.weight",
                "velocity-and-noise takes \"uniform\" only",
            );
        }
        if !gaussian && o.weight != WeightConfig::Uniform {
            let what = "a path between data sets has no signal-to-noise ratio; use \"uniform\"";
            return refuse("objective.weight", what);
        }
        if !gaussian && o.time == TimeConfig::LogNormal {
            let what = "log-normal is a law of the noise level β/α, which a path between data sets does not have";
            return refuse("objective.time", what);
        }
        Ok(())
    }
}
