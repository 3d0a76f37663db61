//! Between Itô's and Stratonovich's calculus.

use super::{Calculus, Components, NoiseKind, Process};
use crate::lane::{Dual, Lane};

/// The same process in the other calculus: f_Itô = f_Stratonovich + ½ Σⱼ (∂gⱼ/∂x) gⱼ, with gⱼ the
/// columns of g. The derivative is exact (dual numbers).
#[derive(Clone, Copy, Debug)]
pub struct Converted<P>(pub P);

impl<P: Process> Process for Converted<P> {
    type State<L: Lane> = P::State<L>;
    type Noise<L: Lane> = P::Noise<L>;

    const EVENTS: bool = P::EVENTS;
    const INTERPRETED: bool = P::INTERPRETED;

    fn dim(&self) -> usize {
        self.0.dim()
    }

    fn noise_dim(&self) -> usize {
        self.0.noise_dim()
    }

    #[inline]
    fn drift<L: Lane>(&self, t: L, x: &Self::State<L>, f: &mut Self::State<L>) {
        self.0.drift(t, x, f);
        let half = match self.0.calculus() {
            Calculus::Ito => -0.5,
            Calculus::Stratonovich => 0.5,
        };
        let mut correction = P::State::<L>::zeros(self.dim());
        column_derivatives(&self.0, t, x, &mut correction);
        for (f, c) in f.as_mut().iter_mut().zip(correction.as_ref()) {
            *f = *f + *c * half;
        }
    }

    #[inline]
    fn diffusion<L: Lane>(
        &self,
        t: L,
        x: &Self::State<L>,
        dw: &Self::Noise<L>,
        out: &mut Self::State<L>,
    ) {
        self.0.diffusion(t, x, dw, out);
    }

    fn noise_kind(&self) -> NoiseKind {
        self.0.noise_kind()
    }

    fn calculus(&self) -> Calculus {
        match self.0.calculus() {
            Calculus::Ito => Calculus::Stratonovich,
            Calculus::Stratonovich => Calculus::Ito,
        }
    }

    fn names(&self) -> Vec<String> {
        self.0.names()
    }

    fn has_event(&self) -> bool {
        self.0.has_event()
    }

    #[inline]
    fn event<L: Lane>(&self, t: L, x: &Self::State<L>) -> L {
        self.0.event(t, x)
    }
}

/// Writes the derivative of g(t, x)·dw in x along `direction`.
#[inline(always)]
pub(crate) fn diffusion_derivative<P: Process, L: Lane>(
    process: &P,
    t: L,
    x: &P::State<L>,
    direction: &P::State<L>,
    dw: &P::Noise<L>,
    out: &mut P::State<L>,
) {
    let mut xd = P::State::<Dual<L>>::zeros(process.dim());
    for ((xd, x), d) in xd
        .as_mut()
        .iter_mut()
        .zip(x.as_ref())
        .zip(direction.as_ref())
    {
        *xd = Dual::new(*x, *d);
    }
    let mut wd = P::Noise::<Dual<L>>::zeros(process.noise_dim());
    for (wd, w) in wd.as_mut().iter_mut().zip(dw.as_ref()) {
        *wd = Dual::constant(*w);
    }
    let mut gd = P::State::<Dual<L>>::zeros(process.dim());
    process.diffusion(Dual::constant(t), &xd, &wd, &mut gd);
    for (out, g) in out.as_mut().iter_mut().zip(gd.as_ref()) {
        *out = g.d;
    }
}

/// Writes Σⱼ (∂gⱼ/∂x) gⱼ.
#[inline(always)]
pub(crate) fn column_derivatives<P: Process, L: Lane>(
    process: &P,
    t: L,
    x: &P::State<L>,
    out: &mut P::State<L>,
) {
    out.as_mut().fill(L::splat(0.0));
    let mut unit = P::Noise::<L>::zeros(process.noise_dim());
    let mut column = P::State::<L>::zeros(process.dim());
    let mut derivative = P::State::<L>::zeros(process.dim());
    for j in 0..process.noise_dim() {
        unit.as_mut()[j] = L::splat(1.0);
        process.diffusion(t, x, &unit, &mut column);
        diffusion_derivative(process, t, x, &column, &unit, &mut derivative);
        for (out, d) in out.as_mut().iter_mut().zip(derivative.as_ref()) {
            *out = *out + *d;
        }
        unit.as_mut()[j] = L::splat(0.0);
    }
}
