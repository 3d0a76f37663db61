use std::marker::PhantomData;

use super::Kernel;
use crate::density::Diffused;
use crate::lane::Lane;
use crate::process::langevin::{axes, check_space};
use crate::process::{Dynamic, NoiseKind, Process, ProcessError, Space};

/// The reverse-time equation of a noising diffusion, running from noise at t = 0 to data at t = 1:
/// dX = [−f(s)X + g(s)²∇ln p_s(X)] dt + g(s) dW with s = 1 − t.
///
/// p_s is the exact law of the diffused data, a mixture of Gaussians, so from X ~ p_1 (nearly
/// N(0, I), or N(0, σ_max² I) for variance exploding) X_t has the law p_{1−t} and ends in the data
/// (Anderson, *Reverse-time diffusion equation models*, 1982). Additive noise. t must stay in
/// \[0, 1\].
#[derive(Clone, Debug, PartialEq)]
pub struct Reverse<K, S = Dynamic>(Reversal<K, S>);

/// The probability flow of a noising diffusion, an ordinary differential equation from noise at
/// t = 0 to data at t = 1: dx/dt = −f(s)x + ½g(s)²∇ln p_s(x) with s = 1 − t.
///
/// It has the same marginals p_{1−t} as [`Reverse`], without noise.
#[derive(Clone, Debug, PartialEq)]
pub struct ProbabilityFlow<K, S = Dynamic>(Reversal<K, S>);

#[derive(Clone, Debug, PartialEq)]
struct Reversal<K, S> {
    kernel: K,
    data: Diffused,
    space: PhantomData<S>,
}

/// s = 1 − t, not below 0 where the last time is rounded up.
#[inline(always)]
fn data_time<L: Lane>(t: L) -> L {
    let (zero, s) = (L::splat(0.0), L::splat(1.0) - t);
    L::select(s.lt(zero), zero, s)
}

impl<K: Kernel, S: Space> Reversal<K, S> {
    fn new(kernel: K, data: Diffused) -> Result<Self, ProcessError> {
        check_space::<S>(data.dim())?;
        Ok(Reversal {
            kernel,
            data,
            space: PhantomData,
        })
    }

    /// −f(s)x + share·g(s)²∇ln p_s(x).
    #[inline(always)]
    fn drift<L: Lane>(&self, t: L, x: &S::Of<L>, f: &mut S::Of<L>, share: f64) {
        let s = data_time(t);
        let (a, b_squared) = self.kernel.marginal(s);
        self.data.score(a, b_squared, x.as_ref(), f.as_mut());
        let (rate, pull) = (-self.kernel.rate(s), self.kernel.noise_squared(s) * share);
        for (f, x) in f.as_mut().iter_mut().zip(x.as_ref()) {
            *f = pull.mul_add(*f, rate * *x);
        }
    }
}

impl<K: Kernel, S: Space> Reverse<K, S> {
    /// The reversal of `kernel` for this data.
    ///
    /// # Errors
    /// When the data are not of the space's dimension.
    pub fn new(kernel: K, data: Diffused) -> Result<Self, ProcessError> {
        Reversal::new(kernel, data).map(Reverse)
    }

    /// The coefficients of the noising diffusion.
    pub fn kernel(&self) -> &K {
        &self.0.kernel
    }
}

impl<K: Kernel, S: Space> ProbabilityFlow<K, S> {
    /// The flow of `kernel` for this data.
    ///
    /// # Errors
    /// When the data are not of the space's dimension.
    pub fn new(kernel: K, data: Diffused) -> Result<Self, ProcessError> {
        Reversal::new(kernel, data).map(ProbabilityFlow)
    }

    /// The coefficients of the noising diffusion.
    pub fn kernel(&self) -> &K {
        &self.0.kernel
    }
}

impl<K: Kernel, S: Space> Process for Reverse<K, S> {
    type State<L: Lane> = S::Of<L>;
    type Noise<L: Lane> = S::Of<L>;

    fn dim(&self) -> usize {
        self.0.data.dim()
    }

    fn noise_dim(&self) -> usize {
        self.dim()
    }

    #[inline(always)]
    fn drift<L: Lane>(&self, t: L, x: &S::Of<L>, f: &mut S::Of<L>) {
        self.0.drift(t, x, f, 1.0);
    }

    #[inline(always)]
    fn diffusion<L: Lane>(&self, t: L, _: &S::Of<L>, dw: &S::Of<L>, out: &mut S::Of<L>) {
        let g = self.0.kernel.noise_squared(data_time(t)).sqrt();
        for (out, dw) in out.as_mut().iter_mut().zip(dw.as_ref()) {
            *out = g * *dw;
        }
    }

    fn noise_kind(&self) -> NoiseKind {
        NoiseKind::Additive
    }

    fn names(&self) -> Vec<String> {
        axes(self.dim())
    }
}

impl<K: Kernel, S: Space> Process for ProbabilityFlow<K, S> {
    type State<L: Lane> = S::Of<L>;
    type Noise<L: Lane> = [L; 0];

    fn dim(&self) -> usize {
        self.0.data.dim()
    }

    #[inline(always)]
    fn drift<L: Lane>(&self, t: L, x: &S::Of<L>, f: &mut S::Of<L>) {
        self.0.drift(t, x, f, 0.5);
    }

    fn names(&self) -> Vec<String> {
        axes(self.dim())
    }
}
