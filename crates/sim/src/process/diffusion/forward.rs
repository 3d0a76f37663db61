use std::marker::PhantomData;

use super::Kernel;
use crate::lane::Lane;
use crate::process::langevin::{axes, check_space};
use crate::process::{Dynamic, NoiseKind, Process, ProcessError, Range, Space};

/// A noising diffusion dX = f(s)X ds + g(s) dW, from data at s = 0 to noise at s = 1.
///
/// Additive noise, each coordinate with its own. From X₀ = z, X_s ~ N(a(s)z, b(s)² I).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Forward<K, S = Dynamic> {
    kernel: K,
    dim: usize,
    space: PhantomData<S>,
}

impl<K: Kernel, S: Space> Forward<K, S> {
    /// The diffusion in dimension `dim`.
    ///
    /// # Errors
    /// When `dim` is 0, or not that of the space.
    pub fn new(kernel: K, dim: usize) -> Result<Self, ProcessError> {
        Range::Whole(1, u32::MAX).check("dim", dim as f64)?;
        check_space::<S>(dim)?;
        Ok(Forward {
            kernel,
            dim,
            space: PhantomData,
        })
    }

    /// The coefficients.
    pub fn kernel(&self) -> &K {
        &self.kernel
    }
}

impl<K: Kernel, S: Space> Process for Forward<K, S> {
    type State<L: Lane> = S::Of<L>;
    type Noise<L: Lane> = S::Of<L>;

    fn dim(&self) -> usize {
        self.dim
    }

    fn noise_dim(&self) -> usize {
        self.dim
    }

    #[inline(always)]
    fn drift<L: Lane>(&self, s: L, x: &S::Of<L>, f: &mut S::Of<L>) {
        let rate = self.kernel.rate(s);
        for (f, x) in f.as_mut().iter_mut().zip(x.as_ref()) {
            *f = rate * *x;
        }
    }

    #[inline(always)]
    fn diffusion<L: Lane>(&self, s: L, _: &S::Of<L>, dw: &S::Of<L>, out: &mut S::Of<L>) {
        let g = self.kernel.noise_squared(s).sqrt();
        for (out, dw) in out.as_mut().iter_mut().zip(dw.as_ref()) {
            *out = g * *dw;
        }
    }

    fn noise_kind(&self) -> NoiseKind {
        NoiseKind::Additive
    }

    fn names(&self) -> Vec<String> {
        axes(self.dim)
    }
}
