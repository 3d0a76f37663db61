//! Optimal transport between two sets of points, and the pairs it gives to train on.
//!
//! | item | problem |
//! |---|---|
//! | [`assign`] | min over permutations: exact, equal weights |
//! | [`Sinkhorn`] | min over plans of ⟨P, C⟩ + ε KL(P \| a⊗b) with marginals a, b |
//! | [`Unbalanced`] | the same, marginals only attracted to a and b by ρ KL |
//! | [`Coupling`] | pairs (x₀, x₁) drawn from such a plan between two mini-batches |

mod assignment;
mod cost;
mod coupling;
mod error;
mod log_sum_exp;
mod pairs;
mod plan;
mod scaling;
mod sinkhorn;
mod unbalanced;

pub use assignment::{assign, wasserstein2};
pub use cost::squared_distances;
pub use coupling::{Batch, Coupling, Method, Pairs, Strength};
pub use error::TransportError;
pub use plan::Plan;
pub use sinkhorn::Sinkhorn;
pub use unbalanced::Unbalanced;
