//! Preconditioning: what to give to a network and what to ask of it so that inputs and targets have
//! unit variance at every noise level.

use crate::scheduler::Coeffs;

/// The preconditioning of EDM (Karras et al., *Elucidating the design space of diffusion-based
/// generative models*, 2022), for any scheduler.
///
/// In their variables the state is x/α = z + σε with σ = β/α, and the denoiser is
/// D = c_skip·x/α + c_out·F(c_in·x/α, c_noise), with F the network. Multiplied through by α, with
/// N = √(α²σ_d² + β²):
///
/// | | EDM | here, on x |
/// |---|---|---|
/// | c_skip | σ_d²/(σ² + σ_d²) | ασ_d²/N² |
/// | c_out | σσ_d/√(σ² + σ_d²) | βσ_d/N |
/// | c_in | 1/√(σ² + σ_d²) | 1/N |
/// | c_noise | ¼ ln σ | ¼ ln(β/α) |
///
/// The target F = (z − c_skip·x)/c_out is ((β/σ_d)z − ασ_dε)/N: nothing divides by α or β. For
/// σ_d = 1 on α² + β² = 1 it is −v.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Precondition {
    sigma_data: f64,
}

/// The standard deviation of the data is not positive and finite.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error("preconditioning needs sigma_data to be positive and finite, got {sigma_data}")]
pub struct PreconditionError {
    /// The value given.
    pub sigma_data: f64,
}

/// σ_d = 0.5, as in the paper for pictures in \[−1, 1\].
impl Default for Precondition {
    fn default() -> Precondition {
        Precondition { sigma_data: 0.5 }
    }
}

impl Precondition {
    /// For data of standard deviation `sigma_data` per coordinate.
    ///
    /// # Errors
    /// [`PreconditionError`] unless it is positive and finite.
    pub fn new(sigma_data: f64) -> Result<Precondition, PreconditionError> {
        if !(sigma_data > 0.0 && sigma_data.is_finite()) {
            return Err(PreconditionError { sigma_data });
        }
        Ok(Precondition { sigma_data })
    }

    /// σ_d.
    pub fn sigma_data(&self) -> f64 {
        self.sigma_data
    }

    /// c_in = 1/N: the network sees c_in·x.
    pub fn c_in(&self, c: &Coeffs) -> f64 {
        1.0 / self.norm(c)
    }

    /// c_noise = ¼ ln σ with σ = β/α: what the network sees of the time. In \[−5, 5\]: σ is held
    /// between e^{−20} and e^{20}, so that the ends are finite.
    pub fn c_noise(&self, c: &Coeffs) -> f64 {
        0.25 * (-0.5 * c.log_snr()).clamp(-20.0, 20.0)
    }

    /// The network's target F as `row[0]` z + `row[1]` ε; of unit variance for data of mean 0 and
    /// standard deviation σ_d.
    pub fn row(&self, c: &Coeffs) -> [f64; 2] {
        let norm = self.norm(c);
        [
            c.beta / (self.sigma_data * norm),
            -c.alpha * self.sigma_data / norm,
        ]
    }

    /// The pair (c_skip, c_out) with D = c_skip·x + c_out·F, finite at both ends.
    pub fn data_from(&self, c: &Coeffs) -> (f64, f64) {
        let (norm, s) = (self.norm(c), self.sigma_data);
        (c.alpha * s / norm * (s / norm), c.beta * s / norm)
    }

    /// N = √(α²σ_d² + β²), the standard deviation of a coordinate of x.
    fn norm(&self, c: &Coeffs) -> f64 {
        (c.alpha * self.sigma_data).hypot(c.beta)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prediction::{Prediction, convert_rows};
    use crate::scheduler::{Cosine, SCHEDULERS, Scheduler};
    use crate::weight::LossWeight;

    const TIMES: [f64; 8] = [0.0, 0.03, 0.2, 0.41, 0.5, 0.77, 0.96, 1.0];

    fn everywhere(check: impl Fn(Precondition, Coeffs)) {
        for sigma_data in [0.1, 0.5, 1.0, 3.0] {
            let precondition = Precondition::new(sigma_data).unwrap();
            for scheduler in SCHEDULERS.iter().map(|s| (s.make)()) {
                TIMES
                    .iter()
                    .for_each(|&t| check(precondition, scheduler.at(t)));
            }
        }
    }

    fn close(a: f64, b: f64) {
        assert!((a - b).abs() <= 1e-12 * (1.0 + b.abs()), "{a} is not {b}");
    }

    #[test]
    fn inputs_and_targets_have_unit_variance() {
        everywhere(|p, c| {
            let s = p.sigma_data();
            let c_in = p.c_in(&c);
            close((c_in * c.alpha * s).powi(2) + (c_in * c.beta).powi(2), 1.0);
            let row = p.row(&c);
            close((row[0] * s).powi(2) + row[1].powi(2), 1.0);
            // Input and target are uncorrelated: the network has nothing linear to undo.
            close(row[0] * c.alpha * s * s + row[1] * c.beta, 0.0);
            assert!(p.c_noise(&c).abs() <= 5.0);
        });
    }

    #[test]
    fn the_data_come_back() {
        everywhere(|p, c| {
            let (z, eps) = (0.8, -1.7);
            let x = c.alpha * z + c.beta * eps;
            let row = p.row(&c);
            let (cx, cv) = p.data_from(&c);
            close(
                cx * x + cv * (row[0] * z + row[1] * eps),
                z * (cx * c.alpha + cv * row[0]),
            );
            // z as a combination of x and F, where they determine it, is this one.
            close(cx * c.beta + cv * row[1], 0.0);
            close(cx * c.alpha + cv * row[0], 1.0);
            if let Some((ex, ev)) = convert_rows(row, Prediction::Data.row(&c), &c) {
                close(cx, ex);
                close(cv, ev);
            }
        });
    }

    /// Table 1 of Karras et al., where α = 1 and σ = β; and their weight makes the loss of F uniform.
    #[test]
    fn the_table_of_the_paper() {
        everywhere(|p, c| {
            let d = p.sigma_data();
            let total = (c.beta * c.beta / (c.alpha * c.alpha) + d * d).sqrt();
            let (cx, cv) = p.data_from(&c);
            if c.alpha > 0.0 {
                let sigma = c.beta / c.alpha;
                close(c.alpha * cx, d * d / (total * total));
                close(cv, sigma * d / total);
                close(c.alpha * p.c_in(&c), 1.0 / total);
                if sigma > 0.0 && sigma.ln().abs() < 20.0 {
                    close(p.c_noise(&c), 0.25 * sigma.ln());
                }
            }
            let weight = LossWeight::Edm { sigma_data: d };
            close(weight.on(p.row(&c), &c), 1.0);
            if c.alpha > 0.0 && c.beta > 0.0 {
                close(weight.on_data(&c).unwrap() * cv * cv, 1.0);
            }
        });
    }

    #[test]
    fn unit_data_on_a_circle_is_minus_v() {
        let p = Precondition::new(1.0).unwrap();
        for c in TIMES.map(|t| Cosine.at(t)) {
            let (f, v) = (p.row(&c), Prediction::V.row(&c));
            close(f[0], -v[0]);
            close(f[1], -v[1]);
        }
    }

    #[test]
    fn bad_parameters_are_refused() {
        for value in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            let error = Precondition::new(value).unwrap_err();
            assert!(error.to_string().contains("sigma_data to be positive"));
        }
    }
}
