//! Counter-based random numbers, made in SIMD, the same bits everywhere.
//!
//! See [`rng`] for how a number is addressed and which laws hold.

pub mod rng;
