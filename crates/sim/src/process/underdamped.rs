use std::marker::PhantomData;

use super::langevin::check_space;
use super::{Dynamic, NoiseKind, Process, ProcessError, Range, Space};
use crate::density::LaneDensity;
use crate::lane::Lane;

/// Underdamped Langevin dynamics: dX = V dt, dV = ((T/m)∇ln p(X) − γV) dt + √(2γT/m) dW.
///
/// A particle of mass m with friction γ at temperature T in the potential −T ln p (m dV = force −
/// mγV + noise). Additive noise, on the velocities only. The state is (X, V); the invariant law is
/// p(x)·N(v; 0, (T/m) I). With γ → ∞ and time measured in mγ/T it becomes overdamped; with γ = 0 it
/// is Hamilton's equation, which conserves ½m|V|² − T ln p(X) (Pavliotis, *Stochastic processes and
/// applications*, 2014, chapter 6).
///
/// In any dimension, in registers for `S` = [`Fixed`](super::Fixed), the space of positions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct UnderdampedLangevin<D, S = Dynamic> {
    density: D,
    gamma: f64,
    /// T/m.
    speed_squared: f64,
    /// √(2γT/m).
    noise: f64,
    space: PhantomData<S>,
}

impl<D: LaneDensity, S: Space> UnderdampedLangevin<D, S> {
    /// The dynamics with this density of the position, friction γ, temperature T and mass m.
    ///
    /// # Errors
    /// When γ is negative, T or m not positive, one is not finite, or the density is not of the
    /// space's dimension.
    pub fn new(density: D, gamma: f64, temperature: f64, mass: f64) -> Result<Self, ProcessError> {
        check_space::<S>(density.dim())?;
        let gamma = Range::NonNegative.check("gamma", gamma)?;
        let temperature = Range::Positive.check("temperature", temperature)?;
        let speed_squared = temperature / Range::Positive.check("mass", mass)?;
        Ok(UnderdampedLangevin {
            density,
            gamma,
            speed_squared,
            noise: (2.0 * gamma * speed_squared).sqrt(),
            space: PhantomData,
        })
    }

    /// The invariant density of the position.
    pub fn density(&self) -> &D {
        &self.density
    }

    /// T/m, the invariant variance of each velocity.
    pub fn velocity_variance(&self) -> f64 {
        self.speed_squared
    }
}

impl<D: LaneDensity, S: Space> Process for UnderdampedLangevin<D, S> {
    type State<L: Lane> = <S::Phase as Space>::Of<L>;
    type Noise<L: Lane> = S::Of<L>;

    fn dim(&self) -> usize {
        2 * self.density.dim()
    }

    fn noise_dim(&self) -> usize {
        self.density.dim()
    }

    #[inline(always)]
    fn drift<L: Lane>(&self, _: L, x: &Self::State<L>, f: &mut Self::State<L>) {
        let n = S::DIM.unwrap_or(self.density.dim());
        let (x, v) = x.as_ref().split_at(n);
        let (dx, dv) = f.as_mut().split_at_mut(n);
        dx.copy_from_slice(v);
        self.density.score(x, dv);
        let (force, friction) = (L::splat(self.speed_squared), L::splat(-self.gamma));
        for (dv, v) in dv.iter_mut().zip(v) {
            *dv = friction.mul_add(*v, *dv * force);
        }
    }

    #[inline(always)]
    fn diffusion<L: Lane>(
        &self,
        _: L,
        _: &Self::State<L>,
        dw: &S::Of<L>,
        out: &mut Self::State<L>,
    ) {
        let n = S::DIM.unwrap_or(self.density.dim());
        let (dx, dv) = out.as_mut().split_at_mut(n);
        dx.fill(L::splat(0.0));
        for (dv, dw) in dv.iter_mut().zip(dw.as_ref()) {
            *dv = *dw * self.noise;
        }
    }

    fn noise_kind(&self) -> NoiseKind {
        NoiseKind::Additive
    }

    fn names(&self) -> Vec<String> {
        let n = self.density.dim();
        ["x", "v"]
            .iter()
            .flat_map(|s| (0..n).map(move |i| format!("{s}{i}")))
            .collect()
    }
}
