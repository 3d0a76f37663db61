use std::marker::PhantomData;

use super::{Dynamic, NoiseKind, Process, ProcessError, Range, Space};
use crate::density::LaneDensity;
use crate::lane::Lane;

/// Overdamped Langevin dynamics dX = ½σ²∇ln p(X) dt + σ dW, which leaves the density p invariant.
///
/// Additive noise; in any dimension, in registers for `S` = [`Fixed`](super::Fixed). With
/// p = N(0, σ²/2θ) it is the Ornstein–Uhlenbeck process. Converges to p under mild conditions
/// (Roberts & Tweedie, *Exponential convergence of Langevin distributions*, Bernoulli, 1996); with
/// modes far apart it takes long.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Langevin<D, S = Dynamic> {
    density: D,
    sigma: f64,
    half_sigma_squared: f64,
    space: PhantomData<S>,
}

impl<D: LaneDensity, S: Space> Langevin<D, S> {
    /// The dynamics with this density and diffusion coefficient.
    ///
    /// # Errors
    /// When σ is negative or not finite, or the density is not of the space's dimension.
    pub fn new(density: D, sigma: f64) -> Result<Self, ProcessError> {
        check_space::<S>(density.dim())?;
        Ok(Langevin {
            density,
            sigma: Range::NonNegative.check("sigma", sigma)?,
            half_sigma_squared: 0.5 * sigma * sigma,
            space: PhantomData,
        })
    }

    /// The invariant density.
    pub fn density(&self) -> &D {
        &self.density
    }
}

/// Refuses a density that is not of the space's dimension.
pub(super) fn check_space<S: Space>(dim: usize) -> Result<(), ProcessError> {
    match S::DIM {
        Some(fixed) if fixed != dim => Err(ProcessError::Dimension { fixed, dim }),
        _ => Ok(()),
    }
}

/// x, y, z up to three dimensions, x0, x1, … above; `prefix` before each number.
pub(super) fn axes(dim: usize) -> Vec<String> {
    match dim {
        1..=3 => ["x", "y", "z"][..dim]
            .iter()
            .map(|s| s.to_string())
            .collect(),
        _ => (0..dim).map(|i| format!("x{i}")).collect(),
    }
}

impl<D: LaneDensity, S: Space> Process for Langevin<D, S> {
    type State<L: Lane> = S::Of<L>;
    type Noise<L: Lane> = S::Of<L>;

    fn dim(&self) -> usize {
        self.density.dim()
    }

    fn noise_dim(&self) -> usize {
        self.density.dim()
    }

    #[inline(always)]
    fn drift<L: Lane>(&self, _: L, x: &S::Of<L>, f: &mut S::Of<L>) {
        self.density.score(x.as_ref(), f.as_mut());
        for f in f.as_mut() {
            *f = *f * self.half_sigma_squared;
        }
    }

    #[inline(always)]
    fn diffusion<L: Lane>(&self, _: L, _: &S::Of<L>, dw: &S::Of<L>, out: &mut S::Of<L>) {
        for (out, dw) in out.as_mut().iter_mut().zip(dw.as_ref()) {
            *out = *dw * self.sigma;
        }
    }

    fn noise_kind(&self) -> NoiseKind {
        NoiseKind::Additive
    }

    fn names(&self) -> Vec<String> {
        axes(self.dim())
    }
}
