//! Processes in closed form: what simulations are held against.
//!
//! Parameters are plain numbers and are not checked; where one is out of its stated range the
//! results are NaN or meaningless, never a panic. Stochastic differential equations are meant in
//! Itô's sense. Times are elapsed times t ≥ 0 from a given start, unless stated otherwise.

mod boltzmann;
mod brownian;
mod diffusion;
mod gbm;
mod harmonic;
mod heston;
mod linear;
mod ou;
#[cfg(test)]
mod tests;

pub use boltzmann::{Boltzmann, BoltzmannError};
pub use brownian::Brownian;
pub use diffusion::{Noising, SubVp, Ve, Vp};
pub use gbm::Gbm;
pub use harmonic::Harmonic;
pub use heston::{Cir, Heston};
pub use linear::{Linear, Planar};
pub use ou::Ou;

/// (1 − e^{−z})/z, which is 1 at z = 0, without cancellation: ∫₀ᵗ e^{−κs} ds = t · φ(κt).
fn phi(z: f64) -> f64 {
    if z == 0.0 { 1.0 } else { -(-z).exp_m1() / z }
}
