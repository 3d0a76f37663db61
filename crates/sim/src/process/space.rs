//! Spaces whose dimension the type fixes, or the program when it runs.

use super::Components;
use crate::lane::Lane;

/// The space in which a process with a density lives.
pub trait Space: Copy + Send + Sync + 'static {
    /// A point of it.
    type Of<L: Lane>: Components<L>;
    /// The space of positions and velocities, of twice the dimension.
    type Phase: Space;
    /// The dimension, where the type fixes it.
    const DIM: Option<usize>;
}

/// ℝᴺ: points live in registers. Here for N = 1, 2, 3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fixed<const N: usize>;

/// ℝⁿ with n known at run time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dynamic;

impl Space for Dynamic {
    type Of<L: Lane> = Vec<L>;
    type Phase = Dynamic;
    const DIM: Option<usize> = None;
}

macro_rules! fixed {
    ($($n:literal in $phase:ty),*) => {
        $(impl Space for Fixed<$n> {
            type Of<L: Lane> = [L; $n];
            type Phase = $phase;
            const DIM: Option<usize> = Some($n);
        })*
    };
}
fixed!(1 in Fixed<2>, 2 in Fixed<4>, 3 in Fixed<6>, 4 in Dynamic, 6 in Dynamic);
