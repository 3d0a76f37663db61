//! Closed forms of named processes, for "measured against exact".

use fokker_math::density::{Gaussian, Mixture};
use fokker_math::law;
use fokker_math::stats::normal_cdf;

use super::super::diffusion::Kernel;
use super::{Built, Named, Start};
use crate::density::DensityArg;
use crate::lane::One;

/// The law of a state, component by component.
#[derive(Clone, Debug)]
pub struct Law {
    /// The law of each component.
    pub marginals: Vec<Marginal>,
    /// In which sense the process has it.
    pub holds: Holds,
}

/// In which sense a process has a law.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// At the time asked for.
    Exactly,
    /// At the time asked for, but for the small difference between the noise that a reversal starts
    /// from and the law of fully diffused data.
    Nearly,
    /// As time tends to infinity.
    InTheLimit,
}

/// The law of one component.
#[derive(Clone, Debug)]
pub enum Marginal {
    /// One point.
    Point(f64),
    /// A normal distribution.
    Normal {
        /// Its mean.
        mean: f64,
        /// Its standard deviation, above 0.
        std: f64,
    },
    /// That of e^Y with Y normal.
    LogNormal {
        /// The mean of Y.
        mean: f64,
        /// The standard deviation of Y, above 0.
        std: f64,
    },
    /// A coordinate of a density.
    Density {
        /// The density.
        density: DensityArg,
        /// The coordinate.
        axis: usize,
    },
    /// Only moments are known.
    Moments {
        /// The mean.
        mean: f64,
        /// The variance, if known.
        variance: Option<f64>,
    },
}

impl Marginal {
    /// N(mean, variance), which is one point when the variance is 0.
    fn normal(mean: f64, variance: f64) -> Marginal {
        if variance > 0.0 {
            let std = variance.sqrt();
            Marginal::Normal { mean, std }
        } else {
            Marginal::Point(mean)
        }
    }

    /// The mean.
    pub fn mean(&self) -> f64 {
        match self {
            Marginal::Point(mean) | Marginal::Normal { mean, .. } => *mean,
            Marginal::LogNormal { mean, std } => (mean + 0.5 * std * std).exp(),
            Marginal::Density { density, axis } => density.mean()[*axis],
            Marginal::Moments { mean, .. } => *mean,
        }
    }

    /// The variance, if known.
    pub fn variance(&self) -> Option<f64> {
        match self {
            Marginal::Point(_) => Some(0.0),
            Marginal::Normal { std, .. } => Some(std * std),
            Marginal::LogNormal { std, .. } => Some(self.mean().powi(2) * (std * std).exp_m1()),
            Marginal::Density { density, axis } => {
                let n = density.mean().len();
                Some(density.covariance()[axis * n + axis])
            }
            Marginal::Moments { variance, .. } => *variance,
        }
    }

    /// P(X ≤ x), if known.
    pub fn cdf(&self, x: f64) -> Option<f64> {
        match self {
            Marginal::Point(point) => Some(f64::from(u8::from(*point <= x))),
            Marginal::Normal { mean, std } => Some(normal_cdf((x - mean) / std)),
            Marginal::LogNormal { .. } if x <= 0.0 => Some(0.0),
            Marginal::LogNormal { mean, std } => Some(normal_cdf((x.ln() - mean) / std)),
            Marginal::Density { density, axis } => Some(density.marginal_cdf(*axis, x)),
            Marginal::Moments { .. } => None,
        }
    }
}

fn exactly(marginals: Vec<Marginal>) -> Option<Law> {
    let holds = Holds::Exactly;
    Some(Law { marginals, holds })
}

fn in_the_limit(marginals: Vec<Marginal>) -> Option<Law> {
    let holds = Holds::InTheLimit;
    Some(Law { marginals, holds })
}

/// The coordinates of a density.
fn coordinates(density: &DensityArg) -> Vec<Marginal> {
    (0..density.mean().len())
        .map(|axis| Marginal::Density {
            density: density.clone(),
            axis,
        })
        .collect()
}

/// The law of aZ + c + bε with Z from the start and ε ~ N(0, I).
fn affine(start: &Start, a: f64, c: f64, b_squared: f64) -> Option<Vec<Marginal>> {
    let map = |gaussian: &Gaussian| {
        let mean: Vec<f64> = gaussian.mean().iter().map(|m| a * m + c).collect();
        let mut covariance: Vec<f64> = gaussian.covariance().iter().map(|v| a * a * v).collect();
        for v in covariance.iter_mut().step_by(mean.len() + 1) {
            *v += b_squared;
        }
        Gaussian::new(&mean, &covariance).ok()
    };
    match start {
        Start::Point(point) => {
            let normal = |z: &f64| Marginal::normal(a * z + c, b_squared);
            Some(point.iter().map(normal).collect())
        }
        Start::Density(DensityArg::Gaussian(gaussian)) => {
            Some(coordinates(&DensityArg::Gaussian(map(gaussian)?)))
        }
        Start::Density(DensityArg::Mixture(mixture)) => {
            let components = mixture
                .components()
                .iter()
                .map(map)
                .collect::<Option<_>>()?;
            let diffused = Mixture::new(mixture.weights(), components).ok()?;
            Some(coordinates(&DensityArg::Mixture(diffused)))
        }
        Start::Density(DensityArg::DoubleWell(_)) => None,
    }
}

fn point(start: &Start) -> Option<&[f64]> {
    match start {
        Start::Point(point) => Some(point),
        Start::Density(_) => None,
    }
}

pub(super) fn linear(named: &Named, start: &Start, t: f64) -> Option<Law> {
    let theta = named.values[0];
    exactly(affine(start, law::Linear { theta }.flow(1.0, t), 0.0, 0.0)?)
}

/// Of a rotation, too, which has no decay.
pub(super) fn spiral(named: &Named, start: &Start, t: f64) -> Option<Law> {
    let x0 = point(start)?;
    let rate = named.values.get(1).copied().unwrap_or(0.0);
    let x = law::Planar::spiral(rate, named.values[0]).flow([x0[0], x0[1]], t);
    exactly(x.map(Marginal::Point).to_vec())
}

pub(super) fn brownian(named: &Named, start: &Start, t: f64) -> Option<Law> {
    let sigma = named.values[0];
    exactly(affine(
        start,
        1.0,
        0.0,
        law::Brownian { sigma }.variance(t),
    )?)
}

pub(super) fn ornstein_uhlenbeck(named: &Named, start: &Start, t: f64) -> Option<Law> {
    let [theta, mean, sigma] = named.values[..] else {
        return None;
    };
    returning(start, (theta, mean, sigma), t)
}

/// Of an Ornstein–Uhlenbeck process with rate θ, mean and σ.
fn returning(start: &Start, (theta, mean, sigma): (f64, f64, f64), t: f64) -> Option<Law> {
    let ou = law::Ou { theta, sigma };
    let a = ou.mean(1.0, t);
    exactly(affine(start, a, mean * (1.0 - a), ou.variance(t))?)
}

pub(super) fn geometric_brownian(named: &Named, start: &Start, t: f64) -> Option<Law> {
    let &[x0] = point(start)? else {
        return None;
    };
    let &[mu, sigma] = &named.values[..] else {
        return None;
    };
    let std = sigma * t.sqrt();
    let mean = x0.ln() + (mu - 0.5 * sigma * sigma) * t;
    exactly(vec![if x0 == 0.0 || std == 0.0 {
        Marginal::Point(law::Gbm { mu, sigma }.mean(x0, t))
    } else if x0 > 0.0 {
        Marginal::LogNormal { mean, std }
    } else {
        return None;
    }])
}

pub(super) fn double_well(named: &Named, _: &Start, _: f64) -> Option<Law> {
    let Built::DoubleWell(process) = &named.built else {
        return None;
    };
    in_the_limit(coordinates(&DensityArg::DoubleWell(process.invariant()?)))
}

pub(super) fn langevin(named: &Named, start: &Start, t: f64) -> Option<Law> {
    let (sigma, density) = (named.values[0], named.density.as_ref()?);
    match density {
        // θ = σ²/2v.
        DensityArg::Gaussian(gaussian) if gaussian.mean().len() == 1 => {
            let theta = 0.5 * sigma * sigma / gaussian.covariance()[0];
            returning(start, (theta, gaussian.mean()[0], sigma), t)
        }
        _ if sigma > 0.0 => in_the_limit(coordinates(density)),
        _ => None,
    }
}

pub(super) fn underdamped(named: &Named, start: &Start, t: f64) -> Option<Law> {
    let &[gamma, temperature, m] = &named.values[..] else {
        return None;
    };
    if gamma == 0.0 {
        return None;
    }
    let density = named.density.as_ref()?;
    if let (DensityArg::Gaussian(gaussian), Start::Point(point)) = (density, start)
        && let ([mean], [x0, v0], [variance]) = (gaussian.mean(), &point[..], gaussian.covariance())
    {
        let k = temperature / variance;
        let spring = law::Harmonic {
            k,
            m,
            gamma,
            temperature,
        };
        let [x, v] = spring.mean([x0 - mean, *v0], t);
        let covariance = spring.covariance(t);
        return exactly(vec![
            Marginal::normal(mean + x, covariance[0][0]),
            Marginal::normal(v, covariance[1][1]),
        ]);
    }
    let mut marginals = coordinates(density);
    let velocity = Marginal::normal(0.0, temperature / m);
    marginals.extend(vec![velocity; marginals.len()]);
    in_the_limit(marginals)
}

pub(super) fn forward(named: &Named, start: &Start, s: f64) -> Option<Law> {
    let Built::Forward(process) = &named.built else {
        return None;
    };
    let (a, b_squared) = process.kernel().marginal(One(s));
    exactly(affine(start, a.0, 0.0, b_squared.0)?)
}

/// Of a probability flow, too. From the default noise only.
pub(super) fn reverse(named: &Named, start: &Start, t: f64) -> Option<Law> {
    let kernel = match &named.built {
        Built::Reverse(process) => process.kernel(),
        Built::Flow(process) => process.kernel(),
        _ => return None,
    };
    let (Start::Density(DensityArg::Gaussian(start)), Start::Density(DensityArg::Gaussian(noise))) =
        (start, named.default_start())
    else {
        return None;
    };
    if *start != noise || t > 1.0 {
        return None;
    }
    let data = Start::Density(named.density.clone()?);
    let (a, b_squared) = kernel.marginal(One(1.0 - t));
    Some(Law {
        marginals: affine(&data, a.0, 0.0, b_squared.0)?,
        holds: Holds::Nearly,
    })
}

pub(super) fn heston(named: &Named, start: &Start, t: f64) -> Option<Law> {
    let &[s0, v0] = point(start)? else {
        return None;
    };
    let &[mu, kappa, theta, xi, rho] = &named.values[..] else {
        return None;
    };
    if v0 < 0.0 {
        return None;
    }
    let cir = law::Cir { kappa, theta, xi };
    let price = law::Heston {
        mu,
        variance: cir,
        rho,
    };
    exactly(vec![
        Marginal::Moments {
            mean: price.mean(s0, t),
            variance: None,
        },
        Marginal::Moments {
            mean: cir.mean(v0, t),
            variance: Some(cir.variance(v0, t)),
        },
    ])
}
