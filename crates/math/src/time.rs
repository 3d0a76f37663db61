//! Laws of the training times.
//!
//! A law is its quantile function: t = F⁻¹(u) of a uniform u. So the random numbers stay an argument,
//! and stratified times are one line for every law: with [`stratum`], item i of a batch of n takes
//! its u from \[i/n, (i + 1)/n).
//!
//! t = 0 is noise and t = 1 is data, as everywhere in this crate. Papers whose time runs the other
//! way are turned.

#[cfg(test)]
mod tests;

use std::f64::consts::{FRAC_PI_2, PI, TAU};

use crate::bisect::bisect;
use crate::scheduler::Scheduler;
use crate::stats::{beta_cdf, beta_quantile, ln_beta, normal_cdf, normal_quantile};

/// A law of the training time t in \[0, 1\].
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum TimeLaw {
    /// t ~ U\[0, 1\].
    Uniform,
    /// ln(t/(1 − t)) ~ N(mean, std²) (Esser et al., *Scaling rectified flow transformers for
    /// high-resolution image synthesis*, 2024). Their mean is the negative of this one.
    LogitNormal {
        /// The mean of the logit; positive for more data, negative for more noise.
        mean: f64,
        /// The standard deviation of the logit.
        std: f64,
    },
    /// ln σ ~ N(P_mean, P_std²) with σ = β/α, at the time where the scheduler has this σ (Karras et
    /// al., *Elucidating the design space of diffusion-based generative models*, 2022). Where the
    /// scheduler's noise ends at σ_0 < ∞, all larger σ become t = 0.
    LogNormal {
        /// The mean of ln σ.
        p_mean: f64,
        /// The standard deviation of ln σ.
        p_std: f64,
    },
    /// t = u + s(cos²(πu/2) − 1 + u) with u uniform (Esser et al. 2024, section 3.1; their t is
    /// 1 − t). More of the middle for s > 0, more of both ends for s < 0; s = 0 is uniform.
    Mode {
        /// s in \[−1, 2/(π − 2)\].
        scale: f64,
    },
    /// t = s(1 − b) with b ~ Beta(a, b): for a > 1 ≥ b more of the noise, and nothing beyond s (Black
    /// et al., *π₀: a vision-language-action flow model for general robot control*, 2024, where a is
    /// 1.5, b is 1 and s is 0.999, and time runs as here).
    Beta {
        /// The first shape, a.
        a: f64,
        /// The second shape, b.
        b: f64,
        /// The largest time, s in (0, 1\].
        s: f64,
    },
}

/// An entry of [`TIME_LAWS`].
#[derive(Clone, Copy, Debug)]
pub struct TimeLawSpec {
    /// The name in menus and configurations.
    pub name: &'static str,
    /// The law as a formula.
    pub formula: &'static str,
    /// Where it comes from.
    pub reference: &'static str,
    /// The law with its usual parameters.
    pub usual: TimeLaw,
}

/// All laws of times: menus, documentation and law tests iterate this slice.
pub const TIME_LAWS: &[TimeLawSpec] = &[
    TimeLawSpec {
        name: "uniform",
        formula: "t ~ U[0, 1]",
        reference: "Lipman et al., Flow matching for generative modeling, ICLR 2023",
        usual: TimeLaw::Uniform,
    },
    TimeLawSpec {
        name: "logit-normal",
        formula: "logit t ~ N(m, s²) (m = 0, s = 1)",
        reference: "Esser et al., Scaling rectified flow transformers, ICML 2024",
        usual: TimeLaw::LogitNormal {
            mean: 0.0,
            std: 1.0,
        },
    },
    TimeLawSpec {
        name: "log-normal",
        formula: "ln(β/α) ~ N(P_mean, P_std²) (P_mean = −1.2, P_std = 1.2)",
        reference: "Karras et al., Elucidating the design space of diffusion-based generative models, NeurIPS 2022",
        usual: TimeLaw::LogNormal {
            p_mean: -1.2,
            p_std: 1.2,
        },
    },
    TimeLawSpec {
        name: "mode",
        formula: "t = u + s(cos²(πu/2) − 1 + u), u ~ U[0, 1] (s = 1.29)",
        reference: "Esser et al., Scaling rectified flow transformers, ICML 2024",
        usual: TimeLaw::Mode { scale: 1.29 },
    },
    TimeLawSpec {
        name: "beta",
        formula: "t = s(1 − b), b ~ Beta(a, b) (a = 1.5, b = 1, s = 0.999)",
        reference: "Black et al., π₀: a vision-language-action flow model for general robot control, 2024",
        usual: TimeLaw::Beta {
            a: 1.5,
            b: 1.0,
            s: 0.999,
        },
    },
];

/// A parameter of a [`TimeLaw`] outside its range.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error("the law of times {law} needs {parameter} to be {range}, got {value}")]
pub struct TimeLawError {
    /// The law's name.
    pub law: &'static str,
    /// The parameter's name.
    pub parameter: &'static str,
    /// What would be right.
    pub range: &'static str,
    /// The value given.
    pub value: f64,
}

/// (i + u)/n: for `u` uniform in \[0, 1) a number uniform in the `i`-th of `n` equal parts of
/// \[0, 1). Over all i the sample covers the law evenly, and each t still follows it on average.
pub fn stratum(i: usize, n: usize, u: f64) -> f64 {
    (i as f64 + u) / n as f64
}

impl TimeLaw {
    /// The name in menus and configurations.
    pub const fn name(self) -> &'static str {
        match self {
            TimeLaw::Uniform => "uniform",
            TimeLaw::LogitNormal { .. } => "logit-normal",
            TimeLaw::LogNormal { .. } => "log-normal",
            TimeLaw::Mode { .. } => "mode",
            TimeLaw::Beta { .. } => "beta",
        }
    }

    /// Itself, when its parameters are in range. The methods below expect that.
    ///
    /// # Errors
    /// [`TimeLawError`] names the first parameter that is not.
    pub fn checked(self) -> Result<TimeLaw, TimeLawError> {
        let law = self.name();
        let check = |parameter, range, value: f64, fits: bool| {
            if fits {
                return Ok(());
            }
            Err(TimeLawError {
                law,
                parameter,
                range,
                value,
            })
        };
        let finite = |parameter, v: f64| check(parameter, "finite", v, v.is_finite());
        let positive = |parameter, v: f64| {
            let fits = v > 0.0 && v.is_finite();
            check(parameter, "positive and finite", v, fits)
        };
        match self {
            TimeLaw::Uniform => {}
            TimeLaw::LogitNormal { mean, std } => {
                finite("mean", mean)?;
                positive("std", std)?;
            }
            TimeLaw::LogNormal { p_mean, p_std } => {
                finite("p_mean", p_mean)?;
                positive("p_std", p_std)?;
            }
            TimeLaw::Mode { scale } => {
                let fits = (-1.0..=2.0 / (PI - 2.0)).contains(&scale);
                check("scale", "from -1 to 2/(pi - 2) = 1.7519", scale, fits)?;
            }
            TimeLaw::Beta { a, b, s } => {
                positive("a", a)?;
                positive("b", b)?;
                check("s", "above 0 and at most 1", s, s > 0.0 && s <= 1.0)?;
            }
        }
        Ok(self)
    }

    /// The time t with P(T ≤ t) = `u`, for `u` in (0, 1): of a uniform u, a time of this law. Only
    /// [`TimeLaw::LogNormal`] asks the scheduler.
    pub fn quantile(&self, u: f64, scheduler: &dyn Scheduler) -> f64 {
        match *self {
            TimeLaw::Uniform => u,
            TimeLaw::LogitNormal { mean, std } => {
                1.0 / (1.0 + (-(mean + std * normal_quantile(u))).exp())
            }
            // Late times are those of small noise: ln σ falls as u rises. ln SNR = −2 ln σ.
            TimeLaw::LogNormal { p_mean, p_std } => {
                scheduler.time_of_log_snr(2.0 * (p_std * normal_quantile(u) - p_mean))
            }
            TimeLaw::Mode { scale } => mode(scale, u),
            // 1 − b ~ Beta(b, a).
            TimeLaw::Beta { a, b, s } => s * beta_quantile(b, a, u),
        }
    }

    /// As [`quantile`](TimeLaw::quantile), of the law given T ≤ `end`: for losses whose targets
    /// diverge at t = 1, with `end` = 1 − ε.
    pub fn quantile_until(&self, end: f64, u: f64, scheduler: &dyn Scheduler) -> f64 {
        self.quantile(u * self.cdf(end, scheduler), scheduler)
            .min(end)
    }

    /// P(T ≤ t).
    pub fn cdf(&self, t: f64, scheduler: &dyn Scheduler) -> f64 {
        match *self {
            _ if t < 0.0 => 0.0,
            _ if t >= 1.0 => 1.0,
            TimeLaw::Uniform => t,
            TimeLaw::LogitNormal { mean, std } => normal_cdf((logit(t) - mean) / std),
            TimeLaw::LogNormal { p_mean, p_std } => {
                normal_cdf((0.5 * scheduler.at(t).log_snr() + p_mean) / p_std)
            }
            TimeLaw::Mode { scale } => bisect(|u| mode(scale, u), t),
            TimeLaw::Beta { a, b, s } => beta_cdf(b, a, t / s),
        }
    }

    /// The density of t at `t` in (0, 1), without the mass at t = 0 that [`TimeLaw::LogNormal`] may
    /// have. Dividing the loss by it makes any law uniform in expectation.
    pub fn density(&self, t: f64, scheduler: &dyn Scheduler) -> f64 {
        let normal = |y: f64, slope: f64| {
            let density = (-0.5 * y * y).exp() / TAU.sqrt();
            // At the ends 0·∞ stands for 0: the normal density falls faster.
            if density == 0.0 { 0.0 } else { density * slope }
        };
        match *self {
            _ if !(0.0..=1.0).contains(&t) => 0.0,
            TimeLaw::Uniform => 1.0,
            TimeLaw::LogitNormal { mean, std } => {
                normal((logit(t) - mean) / std, 1.0 / (std * t * (1.0 - t)))
            }
            TimeLaw::LogNormal { p_mean, p_std } => {
                let c = scheduler.at(t);
                let y = (0.5 * c.log_snr() + p_mean) / p_std;
                normal(y, 0.5 * c.d_log_snr() / p_std)
            }
            TimeLaw::Mode { scale } => {
                let u = bisect(|u| mode(scale, u), t);
                1.0 / (1.0 + scale * (1.0 - FRAC_PI_2 * (PI * u).sin()))
            }
            TimeLaw::Beta { a, b, s } => {
                let y = t / s;
                if y > 1.0 {
                    return 0.0;
                }
                y.powf(b - 1.0) * (1.0 - y).powf(a - 1.0) * (-ln_beta(a, b)).exp() / s
            }
        }
    }
}

/// u + s(cos²(πu/2) − 1 + u) = u + s(u − sin²(πu/2)), which keeps its precision at small u.
fn mode(s: f64, u: f64) -> f64 {
    u + s * (u - (FRAC_PI_2 * u).sin().powi(2))
}

/// ln(t/(1 − t)).
fn logit(t: f64) -> f64 {
    t.ln() - (-t).ln_1p()
}
