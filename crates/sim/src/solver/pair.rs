//! Embedded Runge–Kutta pairs.

use fokker_math::tableau::Tableau;

use super::adaptive::{Clock, Embedded};
use super::block::add;
use crate::lane::{Real, Simd};
use crate::process::{Components, Process};

/// An embedded explicit pair of N stages whose last stage is the first of the next step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EmbeddedPair<const N: usize> {
    tableau: &'static Tableau,
}

impl<const N: usize> EmbeddedPair<N> {
    /// The pair of that tableau.
    ///
    /// # Panics
    /// When the tableau has not N stages, no error estimate, no dense output or another last stage.
    pub fn new(tableau: &'static Tableau) -> Self {
        assert!(
            tableau.stages() == N
                && tableau.fsal
                && tableau.b_err.len() == N
                && !tableau.dense.is_empty(),
            "{} is no embedded pair of {N} stages with dense output",
            tableau.title
        );
        EmbeddedPair { tableau }
    }
}

/// The slopes k₁, …, k_N of the step last tried; k₁ is f at the current state.
#[doc(hidden)]
pub struct Slopes<P: Process, S: Simd, const N: usize> {
    k: [P::State<S>; N],
}

impl<const N: usize> Embedded for EmbeddedPair<N> {
    type Work<S: Simd, P: Process> = Slopes<P, S, N>;

    fn title(&self) -> &'static str {
        self.tableau.title
    }

    fn error_order(&self) -> u32 {
        self.tableau.error_order
    }

    #[inline(always)]
    fn work<S: Simd, P: Process>(&self, process: &P, t: S, x: &P::State<S>) -> Self::Work<S, P> {
        let mut k: [P::State<S>; N] = std::array::from_fn(|_| P::State::<S>::zeros(process.dim()));
        process.drift(t, x, &mut k[0]);
        Slopes { k }
    }

    #[inline(always)]
    fn attempt<S: Simd, P: Process>(
        &self,
        process: &P,
        clock: Clock<S>,
        x: &P::State<S>,
        work: &mut Self::Work<S, P>,
        new: &mut P::State<S>,
        error: &mut P::State<S>,
    ) {
        for i in 1..N {
            // The last stage's argument is the new state.
            new.as_mut().copy_from_slice(x.as_ref());
            let (before, from_here) = work.k.split_at_mut(i);
            for (a, k) in self.tableau.a[i].iter().zip(before.iter()) {
                add(new.as_mut(), clock.h * S::splat(*a), k.as_ref());
            }
            process.drift(clock.at(self.tableau.c[i]), new, &mut from_here[0]);
        }
        error.as_mut().fill(S::splat(0.0));
        for (e, k) in self.tableau.b_err.iter().zip(work.k.iter()) {
            add(error.as_mut(), clock.h * S::splat(*e), k.as_ref());
        }
    }

    #[inline(always)]
    fn interpolate<S: Simd, P: Process>(
        &self,
        theta: S,
        h: S,
        x: &P::State<S>,
        work: &Self::Work<S, P>,
        out: &mut P::State<S>,
    ) {
        out.as_mut().copy_from_slice(x.as_ref());
        for (d, k) in self.tableau.dense.iter().zip(work.k.iter()) {
            add(out.as_mut(), h * polynomial(d, theta), k.as_ref());
        }
    }

    #[inline(always)]
    fn accept<S: Simd, P: Process>(&self, accepted: S::Mask, work: &mut Self::Work<S, P>) {
        let (first, rest) = work.k.split_at_mut(1);
        let last = &rest[N - 2];
        for (first, last) in first[0].as_mut().iter_mut().zip(last.as_ref()) {
            *first = S::select(accepted, *last, *first);
        }
    }

    #[inline(always)]
    fn slope<'w, S: Simd, P: Process>(&self, work: &'w Self::Work<S, P>) -> &'w P::State<S> {
        &work.k[0]
    }
}

/// Σⱼ dⱼ θʲ with j from 1.
#[inline(always)]
pub(crate) fn polynomial<S: Simd>(d: &[f64], theta: S) -> S {
    let mut sum = S::splat(0.0);
    for d in d.iter().rev() {
        sum = (sum + S::splat_real(S::Real::from_f64(*d))) * theta;
    }
    sum
}
