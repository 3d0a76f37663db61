//! Rosenbrock methods: linearly implicit, for stiff problems.

use fokker_math::rosenbrock::Rosenbrock as Coefficients;

use super::adaptive::{Clock, Embedded};
use super::block::add;
use super::pair::polynomial;
use crate::lane::{Dual, Mask, Simd};
use crate::process::{Components, Process};

/// A Rosenbrock method; ∂f/∂x and ∂f/∂t are exact (dual numbers), and each trajectory's linear
/// systems are solved with partial pivoting in its own lane.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rosenbrock {
    method: &'static Coefficients,
}

impl Rosenbrock {
    /// The method with those coefficients.
    ///
    /// # Panics
    /// When it has no dense output.
    pub fn new(method: &'static Coefficients) -> Self {
        assert!(
            !method.dense.is_empty(),
            "{} has no dense output",
            method.title
        );
        Rosenbrock { method }
    }
}

/// Intermediate values of a step.
#[doc(hidden)]
pub struct Stages<S: Simd, P: Process> {
    u: Vec<P::State<S>>,
    slope: P::State<S>,
    y: P::State<S>,
    f: P::State<S>,
    d_t: P::State<S>,
    matrix: Vec<S>,
    swaps: Vec<S::Mask>,
}

impl Embedded for Rosenbrock {
    type Work<S: Simd, P: Process> = Stages<S, P>;

    fn title(&self) -> &'static str {
        self.method.title
    }

    fn error_order(&self) -> u32 {
        self.method.error_order
    }

    #[inline(always)]
    fn work<S: Simd, P: Process>(&self, process: &P, t: S, x: &P::State<S>) -> Self::Work<S, P> {
        let dim = process.dim();
        let state = || P::State::<S>::zeros(dim);
        let mut slope = state();
        process.drift(t, x, &mut slope);
        Stages {
            u: (0..self.method.stages()).map(|_| state()).collect(),
            slope,
            y: state(),
            f: state(),
            d_t: state(),
            matrix: vec![S::splat(0.0); dim * dim],
            swaps: vec![S::Mask::splat(false); dim * dim],
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
        let method = self.method;
        let inverse = S::splat(1.0) / clock.h;
        derivatives(process, clock.t, x, &mut work.matrix, &mut work.d_t);
        let diagonal = inverse * (1.0 / method.gamma);
        let dim = process.dim();
        for (e, value) in work.matrix.iter_mut().enumerate() {
            let d = if e / dim == e % dim {
                diagonal
            } else {
                S::splat(0.0)
            };
            *value = d - *value;
        }
        factorise(dim, &mut work.matrix, &mut work.swaps);
        for i in 0..method.stages() {
            work.y.as_mut().copy_from_slice(x.as_ref());
            let (before, from_here) = work.u.split_at_mut(i);
            for (a, u) in method.a[i].iter().zip(before.iter()) {
                add(work.y.as_mut(), S::splat(*a), u.as_ref());
            }
            process.drift(clock.at(method.alpha[i]), &work.y, &mut work.f);
            for (c, u) in method.c[i].iter().zip(before.iter()) {
                add(work.f.as_mut(), inverse * S::splat(*c), u.as_ref());
            }
            add(
                work.f.as_mut(),
                clock.h * method.gamma_i[i],
                work.d_t.as_ref(),
            );
            solve(dim, &work.matrix, &work.swaps, work.f.as_mut());
            from_here[0].as_mut().copy_from_slice(work.f.as_ref());
        }
        new.as_mut().copy_from_slice(x.as_ref());
        error.as_mut().fill(S::splat(0.0));
        for ((m, e), u) in method.m.iter().zip(method.e).zip(&work.u) {
            add(new.as_mut(), S::splat(*m), u.as_ref());
            add(error.as_mut(), S::splat(*e), u.as_ref());
        }
    }

    #[inline(always)]
    fn interpolate<S: Simd, P: Process>(
        &self,
        theta: S,
        _h: S,
        x: &P::State<S>,
        work: &Self::Work<S, P>,
        out: &mut P::State<S>,
    ) {
        out.as_mut().copy_from_slice(x.as_ref());
        for (d, u) in self.method.dense.iter().zip(&work.u) {
            add(out.as_mut(), polynomial(d, theta), u.as_ref());
        }
    }

    #[inline(always)]
    fn accept<S: Simd, P: Process>(&self, _accepted: S::Mask, _work: &mut Self::Work<S, P>) {}

    #[inline(always)]
    fn slope<'w, S: Simd, P: Process>(&self, work: &'w Self::Work<S, P>) -> &'w P::State<S> {
        &work.slope
    }
}

/// Writes the Jacobian ∂f/∂x, row after row, and ∂f/∂t.
#[inline(always)]
fn derivatives<S: Simd, P: Process>(
    process: &P,
    t: S,
    x: &P::State<S>,
    jacobian: &mut [S],
    d_t: &mut P::State<S>,
) {
    let dim = process.dim();
    let mut xd = P::State::<Dual<S>>::zeros(dim);
    let mut fd = P::State::<Dual<S>>::zeros(dim);
    for (xd, x) in xd.as_mut().iter_mut().zip(x.as_ref()) {
        *xd = Dual::constant(*x);
    }
    // Direction `dim` is time.
    for direction in 0..=dim {
        let in_time = S::splat(f64::from(u8::from(direction == dim)));
        if direction < dim {
            xd.as_mut()[direction].d = S::splat(1.0);
        }
        process.drift(Dual::new(t, in_time), &xd, &mut fd);
        for (row, fd) in fd.as_ref().iter().enumerate() {
            if direction < dim {
                jacobian[row * dim + direction] = fd.d;
            } else {
                d_t.as_mut()[row] = fd.d;
            }
        }
        if direction < dim {
            xd.as_mut()[direction].d = S::splat(0.0);
        }
    }
}

/// LU factorisation in place with partial pivoting in every lane: row r is exchanged with the
/// pivot's row where it is larger, which leaves the largest at the pivot.
#[inline(always)]
fn factorise<S: Simd>(n: usize, a: &mut [S], swaps: &mut [S::Mask]) {
    for c in 0..n {
        for r in c + 1..n {
            let larger = a[c * n + c].abs().lt(a[r * n + c].abs());
            swaps[r * n + c] = larger;
            for k in 0..n {
                let (p, q) = (a[c * n + k], a[r * n + k]);
                a[c * n + k] = S::select(larger, q, p);
                a[r * n + k] = S::select(larger, p, q);
            }
        }
        for r in c + 1..n {
            let factor = a[r * n + c] / a[c * n + c];
            a[r * n + c] = factor;
            for k in c + 1..n {
                a[r * n + k] = (-factor).mul_add(a[c * n + k], a[r * n + k]);
            }
        }
    }
}

/// Solves the factorised system in place.
#[inline(always)]
fn solve<S: Simd>(n: usize, a: &[S], swaps: &[S::Mask], b: &mut [S]) {
    for c in 0..n {
        for r in c + 1..n {
            let (p, q) = (b[c], b[r]);
            b[c] = S::select(swaps[r * n + c], q, p);
            b[r] = S::select(swaps[r * n + c], p, q);
        }
    }
    for c in 0..n {
        for r in c + 1..n {
            b[r] = (-a[r * n + c]).mul_add(b[c], b[r]);
        }
    }
    for c in (0..n).rev() {
        b[c] = b[c] / a[c * n + c];
        for r in 0..c {
            b[r] = (-a[r * n + c]).mul_add(b[c], b[r]);
        }
    }
}
