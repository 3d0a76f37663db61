//! Weights of the training loss over time, and what they are for any prediction.
//!
//! At given x, an error δz of the predicted data is an error δε = −(α/β)δz of the noise, so a
//! network that predicts P = p₀z + p₁ε errs by δP = ((p₀β − p₁α)/β)·δz. Every weighted loss is
//! therefore the same loss in any prediction, up to the factor that [`LossWeight::on`] computes.
//! With SNR = e^λ = α²/β² and nothing else:
//!
//! - the noise loss is the data loss weighted by SNR;
//! - the v loss is the data loss weighted by SNR + 1 where α² + β² = 1;
//! - the velocity loss is the data loss weighted by (λ̇/2)²α², which is 1/(1 − t)² for CondOT;
//! - the preconditioned loss of EDM is the data loss weighted by SNR + 1/σ_d².

use crate::scheduler::Coeffs;

/// A weight w of the squared error of the data as a function of the log signal-to-noise ratio λ, or
/// none at all.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum LossWeight {
    /// The squared error of what the network predicts, as it is.
    Uniform,
    /// w = e^λ: the loss of the noise (Ho et al., *Denoising diffusion probabilistic models*, 2020).
    Snr,
    /// w = min(e^λ, γ) (Hang et al., *Efficient diffusion training via min-SNR weighting strategy*,
    /// 2023).
    MinSnr {
        /// The largest weight, γ.
        gamma: f64,
    },
    /// w = e^λ + 1/σ_d², which is (σ² + σ_d²)/(σσ_d)² at σ = β/α (Karras et al., *Elucidating the
    /// design space of diffusion-based generative models*, 2022).
    Edm {
        /// The standard deviation of a coordinate of the data, σ_d.
        sigma_data: f64,
    },
    /// w = e^λ/(1 + e^{λ−b}): the loss of the noise weighted by sigmoid(b − λ), so that the weight of
    /// the data levels off at e^b where there is little noise (Kingma & Gao, *Understanding diffusion
    /// objectives as the ELBO with simple data augmentation*, 2023; Hoogeboom et al., *Simpler
    /// diffusion*, 2024). They integrate over λ: their −dλ/dt is the law of the training times here.
    Sigmoid {
        /// The log-SNR b at which the weight of the noise is half of its largest.
        bias: f64,
    },
}

/// An entry of [`LOSS_WEIGHTS`].
#[derive(Clone, Copy, Debug)]
pub struct LossWeightSpec {
    /// The name in menus and configurations.
    pub name: &'static str,
    /// The weight of the squared error of the data.
    pub formula: &'static str,
    /// Where it comes from.
    pub reference: &'static str,
    /// The weight with its usual parameters.
    pub usual: LossWeight,
}

/// All loss weights: menus, documentation and law tests iterate this slice.
pub const LOSS_WEIGHTS: &[LossWeightSpec] = &[
    LossWeightSpec {
        name: "uniform",
        formula: "1 on the network's own prediction",
        reference: "Lipman et al., Flow matching for generative modeling, ICLR 2023",
        usual: LossWeight::Uniform,
    },
    LossWeightSpec {
        name: "snr",
        formula: "exp(λ)",
        reference: "Ho et al., Denoising diffusion probabilistic models, NeurIPS 2020",
        usual: LossWeight::Snr,
    },
    LossWeightSpec {
        name: "min-snr",
        formula: "min(exp(λ), γ) (γ = 5)",
        reference: "Hang et al., Efficient diffusion training via min-SNR weighting strategy, ICCV 2023",
        usual: LossWeight::MinSnr { gamma: 5.0 },
    },
    LossWeightSpec {
        name: "edm",
        formula: "exp(λ) + 1/σ_d² (σ_d = 0.5)",
        reference: "Karras et al., Elucidating the design space of diffusion-based generative models, NeurIPS 2022",
        usual: LossWeight::Edm { sigma_data: 0.5 },
    },
    LossWeightSpec {
        name: "sigmoid",
        formula: "exp(λ)·sigmoid(b − λ) (b = 2)",
        reference: "Kingma & Gao, Understanding diffusion objectives as the ELBO, NeurIPS 2023",
        usual: LossWeight::Sigmoid { bias: 2.0 },
    },
];

/// A parameter of a [`LossWeight`] outside its range.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error("the loss weight {weight} needs {parameter} to be {range}, got {value}")]
pub struct LossWeightError {
    /// The weight's name.
    pub weight: &'static str,
    /// The parameter's name.
    pub parameter: &'static str,
    /// What would be right.
    pub range: &'static str,
    /// The value given.
    pub value: f64,
}

impl LossWeight {
    /// The name in menus and configurations.
    pub const fn name(self) -> &'static str {
        match self {
            LossWeight::Uniform => "uniform",
            LossWeight::Snr => "snr",
            LossWeight::MinSnr { .. } => "min-snr",
            LossWeight::Edm { .. } => "edm",
            LossWeight::Sigmoid { .. } => "sigmoid",
        }
    }

    /// Itself, when its parameters are in range.
    ///
    /// # Errors
    /// [`LossWeightError`] when γ or σ_d is not positive and finite, or b not finite.
    pub fn checked(self) -> Result<LossWeight, LossWeightError> {
        let positive = |v: f64| v > 0.0 && v.is_finite();
        let (parameter, range, value, fits) = match self {
            LossWeight::Uniform | LossWeight::Snr => return Ok(self),
            LossWeight::MinSnr { gamma: v } => ("gamma", "positive and finite", v, positive(v)),
            LossWeight::Edm { sigma_data: v } => {
                ("sigma_data", "positive and finite", v, positive(v))
            }
            LossWeight::Sigmoid { bias: v } => ("bias", "finite", v, v.is_finite()),
        };
        if fits {
            return Ok(self);
        }
        Err(LossWeightError {
            weight: self.name(),
            parameter,
            range,
            value,
        })
    }

    /// The weight w of the squared error of the data at these coefficients; ∞ at β = 0 where the
    /// weight grows like the SNR. None for [`LossWeight::Uniform`], which is of the network's own
    /// prediction.
    pub fn on_data(self, c: &Coeffs) -> Option<f64> {
        let snr = c.log_snr().exp();
        match self {
            LossWeight::Uniform => None,
            LossWeight::Snr => Some(snr),
            LossWeight::MinSnr { gamma } => Some(snr.min(gamma)),
            LossWeight::Edm { sigma_data } => Some(snr + 1.0 / (sigma_data * sigma_data)),
            // e^λ/(1 + e^{λ−b}) = 1/(e^{−λ} + e^{−b}).
            LossWeight::Sigmoid { bias } => Some(1.0 / (1.0 / snr + (-bias).exp())),
        }
    }

    /// The factor of the squared error of a network whose target is `row[0]` z + `row[1]` ε, for the
    /// product to be the weighted squared error of the data: w·β²/(p₀β − p₁α)². 1 for
    /// [`LossWeight::Uniform`].
    ///
    /// The factor is computed without 0/0 at α = 0 and β = 0; it is infinite where the loss is: for
    /// example for the data under SNR at β = 0, or for the noise under "edm" at α = 0.
    pub fn on(self, row: [f64; 2], c: &Coeffs) -> f64 {
        let Some(weight) = self.on_data(c) else {
            return 1.0;
        };
        let [p0, p1] = row;
        if p1 == 0.0 {
            weight / (p0 * p0)
        } else if p0 == 0.0 {
            self.on_noise(c) / (p1 * p1)
        } else {
            let slope = p0 * c.beta - p1 * c.alpha;
            self.times_beta_squared(c) / (slope * slope)
        }
    }

    /// w·e^{−λ}, the weight of the squared error of the noise.
    fn on_noise(self, c: &Coeffs) -> f64 {
        let inverse_snr = (-c.log_snr()).exp();
        match self {
            LossWeight::Uniform | LossWeight::Snr => 1.0,
            LossWeight::MinSnr { gamma } => (gamma * inverse_snr).min(1.0),
            LossWeight::Edm { sigma_data } => 1.0 + inverse_snr / (sigma_data * sigma_data),
            LossWeight::Sigmoid { bias } => 1.0 / (1.0 + (c.log_snr() - bias).exp()),
        }
    }

    /// wβ², finite everywhere.
    fn times_beta_squared(self, c: &Coeffs) -> f64 {
        let (a, b) = (c.alpha * c.alpha, c.beta * c.beta);
        match self {
            LossWeight::Uniform | LossWeight::Snr => a,
            LossWeight::MinSnr { gamma } => a.min(gamma * b),
            LossWeight::Edm { sigma_data } => a + b / (sigma_data * sigma_data),
            LossWeight::Sigmoid { bias } => a * (b / (b + a * (-bias).exp())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prediction::{PREDICTIONS, Prediction};
    use crate::scheduler::{CondOt, Cosine, SCHEDULERS, Scheduler};

    const TIMES: [f64; 6] = [0.03, 0.2, 0.41, 0.5, 0.77, 0.96];

    fn close(a: f64, b: f64) {
        assert!((a - b).abs() <= 1e-12 * b.abs(), "{a} is not {b}");
    }

    #[test]
    fn names() {
        for spec in LOSS_WEIGHTS {
            assert_eq!(spec.usual.name(), spec.name);
            assert_eq!(spec.usual.checked(), Ok(spec.usual));
        }
    }

    /// Two guesses of z at the same x: the factor times the squared error of any prediction is the
    /// weighted squared error of the data.
    #[test]
    fn one_loss_in_any_prediction() {
        for spec in LOSS_WEIGHTS {
            for scheduler in SCHEDULERS.iter().map(|s| (s.make)()) {
                for c in TIMES.map(|t| scheduler.at(t)) {
                    let Some(weight) = spec.usual.on_data(&c) else {
                        continue;
                    };
                    for row in PREDICTIONS.iter().map(|p| p.row(&c)).chain([[0.3, -2.0]]) {
                        let (dz, de) = (0.7, -0.7 * c.alpha / c.beta);
                        let error = row[0] * dz + row[1] * de;
                        let found = spec.usual.on(row, &c) * error * error;
                        let expected = weight * dz * dz;
                        let lost = row[0].abs() * dz / error.abs(); // cancellation in `error`
                        assert!(
                            (found / expected - 1.0).abs() < 1e-12 * (1.0 + lost),
                            "{} {scheduler:?} {c:?} {row:?}: {found}, {expected}",
                            spec.name
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn published_equivalences() {
        for t in TIMES {
            for scheduler in SCHEDULERS.iter().map(|s| (s.make)()) {
                let c = scheduler.at(t);
                // The noise loss is the data loss weighted by SNR.
                close(LossWeight::Snr.on(Prediction::Noise.row(&c), &c), 1.0);
                // The score loss is the noise loss over β².
                let score = LossWeight::Snr.on(Prediction::Score.row(&c), &c);
                close(score, c.beta * c.beta);
                // Karras et al., table 1: λ(σ) = (σ² + σ_d²)/(σσ_d)².
                let (sigma, sigma_data) = (c.beta / c.alpha, 0.7);
                let karras = (sigma * sigma + sigma_data * sigma_data)
                    / (sigma * sigma_data * sigma * sigma_data);
                close(
                    LossWeight::Edm { sigma_data }.on(Prediction::Data.row(&c), &c),
                    karras,
                );
            }
            // The v loss is the data loss weighted by SNR + 1 (Salimans & Ho 2022), on α² + β² = 1.
            let c = Cosine.at(t);
            let snr_plus_one = LossWeight::Edm { sigma_data: 1.0 };
            close(snr_plus_one.on(Prediction::V.row(&c), &c), 1.0);
            // Min-SNR on noise is min(SNR, γ)/SNR, on v min(SNR, γ)/(SNR + 1) (Hang et al. 2023).
            let (gamma, snr) = (5.0, c.log_snr().exp());
            let min_snr = LossWeight::MinSnr { gamma };
            close(
                min_snr.on(Prediction::Noise.row(&c), &c),
                snr.min(gamma) / snr,
            );
            close(
                min_snr.on(Prediction::V.row(&c), &c),
                snr.min(gamma) / (snr + 1.0),
            );
            // The velocity of CondOT errs by δz/(1 − t).
            let c = CondOt.at(t);
            let velocity = Prediction::Velocity.row(&c);
            let weight = LossWeight::Snr.on(velocity, &c);
            close(weight, t * t);
        }
    }

    /// The sigmoid weight of the noise falls from 1 to 0 and is one half at λ = b.
    #[test]
    fn sigmoid_direction() {
        let bias = 1.5;
        let on = |l: f64| {
            let c = CondOt.at(CondOt.time_of_log_snr(l));
            LossWeight::Sigmoid { bias }.on(Prediction::Noise.row(&c), &c)
        };
        assert!((on(bias) - 0.5).abs() < 1e-12);
        assert!(on(-20.0) > 0.999 && on(20.0) < 1e-7);
    }

    #[test]
    fn the_ends_are_the_limits() {
        for spec in LOSS_WEIGHTS {
            for scheduler in SCHEDULERS.iter().map(|s| (s.make)()) {
                for (end, near) in [(0.0, 1e-12), (1.0, 1.0 - 1e-12)] {
                    let (end, near) = (scheduler.at(end), scheduler.at(near));
                    for p in PREDICTIONS {
                        let (row, beside) = (p.row(&end), p.row(&near));
                        if row == [0.0, 0.0] {
                            continue; // the velocity of tⁿ at 0 says nothing
                        }
                        let found = spec.usual.on(row, &end);
                        let limit = spec.usual.on(beside, &near);
                        assert!(!found.is_nan(), "{} {scheduler:?} {p:?}", spec.name);
                        assert!(
                            (found.is_infinite() && limit > 1e6)
                                || (found - limit).abs() < 1e-4 * (1.0 + found),
                            "{} {scheduler:?} {p:?}: {found}, {limit}",
                            spec.name
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn bad_parameters_are_refused() {
        for value in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            let error = LossWeight::MinSnr { gamma: value }.checked().unwrap_err();
            assert!(
                error
                    .to_string()
                    .contains("min-snr needs gamma to be positive")
            );
            let error = LossWeight::Edm { sigma_data: value }.checked();
            assert!(error.unwrap_err().to_string().contains("sigma_data"));
        }
        let error = LossWeight::Sigmoid { bias: f64::NAN }.checked();
        assert!(error.unwrap_err().to_string().contains("bias to be finite"));
    }
}
