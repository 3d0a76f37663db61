//! How good are samples? Measures on plain numbers, each with its floor where it has one.

mod confusion;
mod frechet;
mod manifold;
mod modes;
mod nearest;
mod retrieval;
mod transport;

pub use confusion::Confusion;
pub use frechet::{Moments, frechet};
pub use manifold::{Overlap, expected_coverage, overlap};
pub use modes::{ModeWeights, mode_weights};
pub use nearest::{Neighbours, memorised_fraction, nearest, nearest_two};
pub use retrieval::{look, rank};
pub use transport::{W2Report, mean_w2, normalised_path_energy, w2_floor, w2_report};
