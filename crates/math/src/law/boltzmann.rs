//! The stationary law of overdamped Langevin dynamics in one dimension.

/// The law p(x) ∝ e^{−V(x)/D} on an interval \[low, high\], which
/// dX = −V′(X) dt + √(2D) dW leaves invariant (D = σ²/2), for any potential V: a double well, for
/// instance. Integrals by Gauss's rule of three points in 2048 panels: to rounding for a smooth V,
/// if the interval holds all of the mass that matters.
#[derive(Clone, Debug)]
pub struct Boltzmann<V> {
    potential: V,
    d: f64,
    low: f64,
    /// A panel's width.
    width: f64,
    /// min V over the nodes: densities are relative to it, so that nothing overflows.
    floor: f64,
    /// ∫ e^{−(V − floor)/D} from low to each panel's start, and to the end.
    below: Vec<f64>,
}

/// Why a potential has no law.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum BoltzmannError {
    /// The interval is empty or not finite.
    #[error("the interval must be finite with low < high, got [{low}, {high}]")]
    Interval {
        /// Its lower end.
        low: f64,
        /// Its upper end.
        high: f64,
    },
    /// D is not positive and finite.
    #[error("D of the law exp(−V/D) must be positive and finite, got {d}")]
    Temperature {
        /// The value given.
        d: f64,
    },
    /// The potential is not a finite number somewhere (+∞, a wall, is allowed).
    #[error("the potential must be a number or +∞ on the interval, V({x}) = {value}")]
    Potential {
        /// The place.
        x: f64,
        /// The value there.
        value: f64,
    },
}

const PANELS: usize = 2048;

impl<V: Fn(f64) -> f64> Boltzmann<V> {
    /// The law of `potential` at D = `d` on the interval from `low` to `high`.
    ///
    /// # Errors
    /// When the interval is empty or not finite, D not positive and finite, or the potential NaN or
    /// −∞ somewhere, or +∞ everywhere.
    pub fn new(potential: V, d: f64, low: f64, high: f64) -> Result<Boltzmann<V>, BoltzmannError> {
        if !(low < high && (high - low).is_finite()) {
            return Err(BoltzmannError::Interval { low, high });
        }
        if !(d > 0.0 && d.is_finite()) {
            return Err(BoltzmannError::Temperature { d });
        }
        let width = (high - low) / PANELS as f64;
        let mut floor = f64::INFINITY;
        for panel in 0..PANELS {
            for (x, _) in nodes(low + panel as f64 * width, width) {
                let value = potential(x);
                if value.is_nan() || value == f64::NEG_INFINITY {
                    return Err(BoltzmannError::Potential { x, value });
                }
                floor = floor.min(value);
            }
        }
        if floor == f64::INFINITY {
            return Err(BoltzmannError::Potential {
                x: low,
                value: floor,
            });
        }
        let mut law = Boltzmann {
            potential,
            d,
            low,
            width,
            floor,
            below: vec![0.0],
        };
        let mut sum = 0.0;
        for panel in 0..PANELS {
            sum += law.integral(low + panel as f64 * width, width, |_| 1.0);
            law.below.push(sum);
        }
        Ok(law)
    }

    /// ln ∫ e^{−V/D} over the interval.
    pub fn log_normaliser(&self) -> f64 {
        self.total().ln() - self.floor / self.d
    }

    /// p(x); 0 outside of the interval.
    pub fn density(&self, x: f64) -> f64 {
        if x < self.low || x > self.low + self.width * PANELS as f64 {
            return 0.0;
        }
        self.relative(x) / self.total()
    }

    /// P(X ≤ x).
    pub fn cdf(&self, x: f64) -> f64 {
        let at = (x - self.low) / self.width;
        if at <= 0.0 {
            return 0.0;
        }
        if at >= PANELS as f64 {
            return 1.0;
        }
        let panel = at as usize;
        let start = self.low + panel as f64 * self.width;
        let part = self.integral(start, x - start, |_| 1.0);
        ((self.below[panel] + part) / self.total()).min(1.0)
    }

    /// E g(X), for smooth g; the probability of an interval is better had from [`Boltzmann::cdf`].
    pub fn expectation(&self, g: impl Fn(f64) -> f64) -> f64 {
        let panel = |i: usize| self.integral(self.low + i as f64 * self.width, self.width, &g);
        (0..PANELS).map(panel).sum::<f64>() / self.total()
    }

    fn total(&self) -> f64 {
        self.below[PANELS]
    }

    fn relative(&self, x: f64) -> f64 {
        (-((self.potential)(x) - self.floor) / self.d).exp()
    }

    /// ∫ g e^{−(V − floor)/D} from `start` on.
    fn integral(&self, start: f64, width: f64, g: impl Fn(f64) -> f64) -> f64 {
        nodes(start, width)
            .map(|(x, weight)| weight * g(x) * self.relative(x))
            .iter()
            .sum()
    }
}

/// Gauss's three nodes and weights in a panel.
fn nodes(start: f64, width: f64) -> [(f64, f64); 3] {
    let (middle, reach) = (start + 0.5 * width, 0.5 * 0.6f64.sqrt() * width);
    [
        (middle - reach, width * 5.0 / 18.0),
        (middle, width * 8.0 / 18.0),
        (middle + reach, width * 5.0 / 18.0),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::{ln_gamma, normal_cdf};

    fn close(a: f64, b: f64) {
        assert!(
            (a - b).abs() < 1e-12 * (1.0 + b.abs()),
            "{a:e} is not {b:e}"
        );
    }

    /// V = θx²/2 with D = σ²/2 is the Ornstein–Uhlenbeck process: N(0, σ²/2θ).
    #[test]
    fn a_parabola_is_normal() {
        let law = Boltzmann::new(|x| 0.125 * x * x + 7.0, 0.5, -30.0, 30.0).unwrap();
        let std = 2f64.sqrt();
        close(law.expectation(|x| x * x), 2.0);
        close(law.expectation(|x| x), 0.0);
        let exact = (std::f64::consts::TAU.sqrt() * std).ln() - 7.0 / 0.5;
        close(law.log_normaliser(), exact);
        for x in [-31.0, -4.0, -0.3, 0.0, 1.234, 5.0, 31.0] {
            close(law.cdf(x), normal_cdf(x / std));
        }
        close(law.density(0.0), 1.0 / (std::f64::consts::TAU.sqrt() * std));
        assert_eq!(law.density(31.0), 0.0);
    }

    /// ∫ e^{−x⁴/D} dx = 2Γ(5/4)D^{1/4}, E x⁴ = D/4; and for V = x⁴ − x², a double well, integration
    /// by parts gives E[X V′(X)] = D.
    #[test]
    fn quartic_potentials() {
        let law = Boltzmann::new(|x| x.powi(4), 0.3, -5.0, 5.0).unwrap();
        close(
            law.log_normaliser(),
            2f64.ln() + ln_gamma(1.25) + 0.25 * 0.3f64.ln(),
        );
        close(law.expectation(|x| x.powi(4)), 0.3 / 4.0);
        let well = Boltzmann::new(|x| x.powi(4) - x * x, 0.1, -4.0, 4.0).unwrap();
        close(well.expectation(|x| x * (4.0 * x.powi(3) - 2.0 * x)), 0.1);
        close(well.cdf(0.0), 0.5);
        assert!(well.density(0.5f64.sqrt()) > 5.0 * well.density(0.0));
    }

    #[test]
    fn bad_parameters_are_refused() {
        let error = |v: fn(f64) -> f64, d, low, high| {
            Boltzmann::new(v, d, low, high)
                .err()
                .map(|e| e.to_string())
                .unwrap_or_default()
        };
        assert!(error(|x| x, 1.0, 2.0, 1.0).contains("[2, 1]"));
        assert!(error(|x| x, 0.0, 0.0, 1.0).contains("got 0"));
        assert!(error(f64::ln, 1.0, -1.0, 1.0).contains("NaN"));
        assert!(error(|_| f64::INFINITY, 1.0, 0.0, 1.0).contains("inf"));
    }
}
