//! Paths between two arbitrary laws: x_t = a(t) x₀ + b(t) x₁ + γ(t) ε.
//!
//! x₀ ~ p_init and x₁ ~ p_data are paired by any coupling, ε ~ N(0, I) is independent of both
//! (Albergo, Boffi & Vanden-Eijnden, *Stochastic interpolants: a unifying framework for flows and
//! diffusions*, 2023). The target of training is ẋ_t = ȧ x₀ + ḃ x₁ + γ̇ ε; its average given x_t = x
//! is the velocity u_t(x) whose flow has the law of x_t at every t. Where γ > 0 the score of that law
//! is s_t(x) = −E\[ε|x\]/γ, and with both
//!
//! dX = (u_t + ½σ_t² s_t) dt + σ_t dW (forward in time; u_t − ½σ_t² s_t backward)
//!
//! has the law of x_t for every σ_t ≥ 0, chosen after training.

mod bridge;
mod condot_floor;
mod encoding_decoding;
mod gaussian;
mod linear;
mod linear_noise;
mod linear_sine;
mod trigonometric;

use std::fmt::Debug;

pub use bridge::Bridge;
pub use condot_floor::CondOtFloor;
pub use encoding_decoding::EncodingDecoding;
pub use gaussian::GaussianInterpolant;
pub use linear::Linear;
pub use linear_noise::LinearNoise;
pub use linear_sine::LinearSine;
pub use trigonometric::Trigonometric;

/// The coefficients of x = a x₀ + b x₁ + γ ε at one time, and their derivatives.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct InterpolantCoeffs {
    /// a_t, the weight of x₀.
    pub a: f64,
    /// b_t, the weight of x₁.
    pub b: f64,
    /// γ_t ≥ 0, the weight of the noise ε.
    pub gamma: f64,
    /// ȧ = da/dt.
    pub d_a: f64,
    /// ḃ = db/dt.
    pub d_b: f64,
    /// γ̇ = dγ/dt; infinite where γ ends like a square root.
    pub d_gamma: f64,
}

impl InterpolantCoeffs {
    /// x = a x₀ + b x₁ + γ ε, of one coordinate.
    pub fn state(&self, x0: f64, x1: f64, eps: f64) -> f64 {
        self.a * x0 + self.b * x1 + self.gamma * eps
    }

    /// The conditional velocity ȧ x₀ + ḃ x₁ + γ̇ ε, of one coordinate: what a field is trained on.
    pub fn velocity(&self, x0: f64, x1: f64, eps: f64) -> f64 {
        self.d_a * x0 + self.d_b * x1 + self.d_gamma * eps
    }

    /// The score −ε/γ of p_t(x|x₀, x₁) = N(a x₀ + b x₁, γ² I), of one coordinate; linear in ε, and
    /// therefore the marginal score where E\[ε|x\] is given. Not finite where γ = 0.
    pub fn score(&self, eps: f64) -> f64 {
        -eps / self.gamma
    }

    /// Whether all six numbers are finite.
    pub fn is_finite(&self) -> bool {
        [self.a, self.b, self.gamma, self.d_a, self.d_b, self.d_gamma]
            .iter()
            .all(|c| c.is_finite())
    }
}

/// Smooth functions a, b, γ on \[0, 1\], with a falling to 0 and b rising from 0 to 1.
pub trait Interpolant: Send + Sync + Debug {
    /// The name in menus and configurations.
    fn name(&self) -> &'static str;

    /// The coefficients at time `t` in \[0, 1\].
    fn at(&self, t: f64) -> InterpolantCoeffs;

    /// The times a trainer may draw from: \[0, 1\], less `margin` at an end where a derivative is
    /// infinite. E‖ẋ_t‖² is not integrable there (γ̇² ~ 1/t), so the loss grows like ln(1/`margin`).
    fn times(&self, margin: f64) -> [f64; 2] {
        let open = |t: f64| !self.at(t).is_finite();
        [
            if open(0.0) { margin } else { 0.0 },
            if open(1.0) { 1.0 - margin } else { 1.0 },
        ]
    }
}

/// The drift of dX = (u + ½σ² s) dt + σ dW, forward in time, from velocity and score; of one
/// coordinate. With σ = 0 it is the velocity.
pub fn forward_drift(velocity: f64, score: f64, sigma: f64) -> f64 {
    velocity + 0.5 * sigma * sigma * score
}

/// The drift u − ½σ² s of the same process run backward: dX = (u − ½σ² s) dt + σ dW̄ from t = 1 to
/// t = 0, so that a step of length h > 0 is X ← X − h (u − ½σ² s) + σ √h ε.
pub fn backward_drift(velocity: f64, score: f64, sigma: f64) -> f64 {
    velocity - 0.5 * sigma * sigma * score
}

/// An entry of [`INTERPOLANTS`].
#[derive(Clone, Copy, Debug)]
pub struct InterpolantSpec {
    /// The name, equal to that of the interpolant made.
    pub name: &'static str,
    /// a, b and γ as a formula.
    pub formula: &'static str,
    /// Where it comes from.
    pub reference: &'static str,
    /// Whether x_t = x₀ at t = 0 and x_t = x₁ at t = 1 exactly.
    pub exact_ends: bool,
    /// Makes the interpolant with its usual parameters.
    pub make: fn() -> Box<dyn Interpolant>,
}

/// All interpolants between two laws: menus, documentation and law tests iterate this slice. Those
/// between noise and data are [`crate::scheduler::SCHEDULERS`], by [`GaussianInterpolant`].
pub const INTERPOLANTS: &[InterpolantSpec] = &[
    InterpolantSpec {
        name: "linear",
        formula: "a = 1 − t, b = t, γ = 0",
        reference: "Liu, Gong & Liu, Flow straight and fast: rectified flow, ICLR 2023",
        exact_ends: true,
        make: || Box::new(Linear),
    },
    InterpolantSpec {
        name: "linear-noise",
        formula: "a = 1 − t, b = t, γ = σ (σ = 0.1)",
        reference: "Tong et al., Improving and generalizing flow-based generative models with minibatch optimal transport, TMLR 2024",
        exact_ends: false,
        make: || Box::new(LinearNoise::default()),
    },
    InterpolantSpec {
        name: "linear-sine",
        formula: "a = 1 − t, b = t, γ = sin²(πt)",
        reference: "Albergo, Boffi & Vanden-Eijnden, Stochastic interpolants, 2023",
        exact_ends: true,
        make: || Box::new(LinearSine),
    },
    InterpolantSpec {
        name: "bridge",
        formula: "a = 1 − t, b = t, γ = σ√(t(1 − t)) (σ = 1)",
        reference: "Tong et al., TMLR 2024 (Schrödinger bridge); Albergo et al., 2023 (σ = √2)",
        exact_ends: true,
        make: || Box::new(Bridge::default()),
    },
    InterpolantSpec {
        name: "trigonometric",
        formula: "a = cos(πt/2), b = sin(πt/2), γ = σ (σ = 0)",
        reference: "Albergo & Vanden-Eijnden, Building normalizing flows with stochastic interpolants, ICLR 2023",
        exact_ends: true,
        make: || Box::new(Trigonometric::default()),
    },
    InterpolantSpec {
        name: "encoding-decoding",
        formula: "a = cos²(πt) for t < ½ else 0, b = cos²(πt) for t > ½ else 0, γ = sin²(πt)",
        reference: "Albergo, Boffi & Vanden-Eijnden, Stochastic interpolants, 2023",
        exact_ends: true,
        make: || Box::new(EncodingDecoding),
    },
    InterpolantSpec {
        name: "condot-floor",
        formula: "a = 1 − (1 − σ_min)t, b = t, γ = 0 (σ_min = 1e-4)",
        reference: "Lipman et al., Flow matching for generative modeling, ICLR 2023",
        exact_ends: false,
        make: || Box::new(CondOtFloor::default()),
    },
];

/// The interpolant of that name, with its usual parameters.
pub fn interpolant(name: &str) -> Option<Box<dyn Interpolant>> {
    INTERPOLANTS
        .iter()
        .find(|spec| spec.name == name)
        .map(|spec| (spec.make)())
}

/// An interpolant's parameter outside its range.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum InterpolantError {
    /// A standard deviation that must be positive is not, or is not finite.
    #[error("the {name} interpolant's sigma must be positive and finite, got {value}")]
    NotPositive {
        /// The interpolant.
        name: &'static str,
        /// The value given.
        value: f64,
    },
    /// A standard deviation is negative or not finite.
    #[error("the {name} interpolant's sigma must be at least 0 and finite, got {value}")]
    Negative {
        /// The interpolant.
        name: &'static str,
        /// The value given.
        value: f64,
    },
    /// σ_min of [`CondOtFloor`] is not in \[0, 1).
    #[error("the condot-floor interpolant's sigma_min must lie in [0, 1), got {value}")]
    Floor {
        /// The value given.
        value: f64,
    },
}

fn positive(name: &'static str, value: f64) -> Result<f64, InterpolantError> {
    if value > 0.0 && value.is_finite() {
        Ok(value)
    } else {
        Err(InterpolantError::NotPositive { name, value })
    }
}

fn non_negative(name: &'static str, value: f64) -> Result<f64, InterpolantError> {
    if value >= 0.0 && value.is_finite() {
        Ok(value)
    } else {
        Err(InterpolantError::Negative { name, value })
    }
}

/// a = 1 − t, b = t, with this γ and γ̇.
fn linear(t: f64, gamma: f64, d_gamma: f64) -> InterpolantCoeffs {
    InterpolantCoeffs {
        a: 1.0 - t,
        b: t,
        gamma,
        d_a: -1.0,
        d_b: 1.0,
        d_gamma,
    }
}

#[cfg(test)]
mod tests;
