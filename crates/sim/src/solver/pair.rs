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
            (N == 4 || N == 7)
                && tableau.stages() == N
                && tableau.fsal
                && tableau.b_err.len() == N
                && tableau.dense.len() == N,
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
    /// The tableau in the lanes' precision and in arrays, so that the sums unroll.
    a: [[S::Real; N]; N],
    b_err: [S::Real; N],
    c: [f64; N],
}

/// Stage I of a step: y ← x + h Σⱼ a_Ij k_j and its slope.
#[inline(always)]
#[allow(clippy::needless_range_loop)] // constant bounds and indices are what unrolls
fn stage<S: Simd, P: Process, const N: usize, const I: usize>(
    process: &P,
    (t, h): (S, S),
    x: &P::State<S>,
    work: &mut Slopes<P, S, N>,
    y: &mut P::State<S>,
) {
    if const { I >= N } {
        return;
    }
    let (before, from_here) = work.k.split_at_mut(I);
    for d in 0..x.as_ref().len() {
        let mut sum = before[0].as_ref()[d] * S::splat_real(work.a[I][0]);
        for j in 1..I {
            sum = before[j].as_ref()[d].mul_add(S::splat_real(work.a[I][j]), sum);
        }
        y.as_mut()[d] = sum.mul_add(h, x.as_ref()[d]);
    }
    process.drift(t, y, &mut from_here[0]);
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
        let lane = |x: Option<&f64>| S::Real::from_f64(x.copied().unwrap_or(0.0));
        Slopes {
            k,
            a: std::array::from_fn(|i| std::array::from_fn(|j| lane(self.tableau.a[i].get(j)))),
            b_err: std::array::from_fn(|j| lane(self.tableau.b_err.get(j))),
            c: std::array::from_fn(|j| self.tableau.c[j]),
        }
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
        let (h, c) = (clock.h, work.c);
        // Written out: a loop would keep the compiler from unrolling the sums. The last stage's
        // argument is the new state.
        stage::<S, P, N, 1>(process, (clock.at(c[1]), h), x, work, new);
        stage::<S, P, N, 2>(process, (clock.at(c[2]), h), x, work, new);
        stage::<S, P, N, 3>(process, (clock.at(c[3]), h), x, work, new);
        if const { N > 4 } {
            stage::<S, P, N, 4>(process, (clock.at(c[4]), h), x, work, new);
            stage::<S, P, N, 5>(process, (clock.at(c[5]), h), x, work, new);
            stage::<S, P, N, 6>(process, (clock.at(c[6]), h), x, work, new);
        }
        for (d, error) in error.as_mut().iter_mut().enumerate() {
            let mut sum = work.k[0].as_ref()[d] * S::splat_real(work.b_err[0]);
            for j in 1..N {
                let e = S::splat_real(work.b_err[j]);
                sum = work.k[j].as_ref()[d].mul_add(e, sum);
            }
            *error = sum * h;
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
        // Indices known to the compiler: the slopes can stay in registers elsewhere.
        for j in 0..N {
            let weight = h * polynomial(self.tableau.dense[j], theta);
            add(out.as_mut(), weight, work.k[j].as_ref());
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
