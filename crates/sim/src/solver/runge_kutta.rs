//! Explicit Runge–Kutta methods with equal steps.

use fokker_math::tableau::Tableau;

use super::block::{Block, Task, add};
use super::event::Watch;
use super::{Grid, MAX_UNITS, Solver, check_no_noise, check_steps};
use crate::error::SimError;
use crate::lane::{Real, Simd};
use crate::process::{Components, Process};

/// An explicit Runge–Kutta method of up to N ≤ 6 evaluations a step, in `steps` equal steps; it is
/// fastest with N evaluations.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RungeKutta<const N: usize> {
    tableau: &'static Tableau,
    steps: usize,
}

impl<const N: usize> RungeKutta<N> {
    /// The method of that tableau; a last stage that only starts the next step is left out.
    ///
    /// # Panics
    /// When the tableau evaluates more often than N times a step, or N is above 6.
    pub fn new(tableau: &'static Tableau, steps: usize) -> Self {
        assert!(
            tableau.evaluations() <= N && N <= 6,
            "{} evaluates {} times a step, not {N}",
            tableau.title,
            tableau.evaluations()
        );
        RungeKutta { tableau, steps }
    }
}

/// The coefficients times the step's length, in the lanes' precision.
pub(crate) struct Scaled<R, const N: usize> {
    pub(crate) a: [[R; N]; N],
    pub(crate) b: [R; N],
    /// The nodes times h, as times.
    pub(crate) ch: [f64; N],
    /// The stages in use.
    pub(crate) stages: usize,
}

impl<R: Real, const N: usize> Scaled<R, N> {
    #[inline(always)]
    pub(crate) fn new(tableau: &Tableau, h: f64) -> Self {
        let mut scaled = Scaled {
            a: [[R::default(); N]; N],
            b: [R::default(); N],
            ch: [0.0; N],
            stages: tableau.evaluations(),
        };
        for i in 0..tableau.evaluations() {
            for (to, a) in scaled.a[i].iter_mut().zip(tableau.a[i]) {
                *to = R::from_f64(h * a);
            }
            scaled.b[i] = R::from_f64(h * tableau.b[i]);
            scaled.ch[i] = h * tableau.c[i];
        }
        scaled
    }
}

/// Stage I of a step from time `t`, of every unit: the units take turns stage by stage, so that
/// one's arithmetic fills the other's waits.
#[inline(always)]
#[allow(clippy::needless_range_loop)] // constant bounds and indices are what unrolls
fn stage<S: Simd, P: Process, const N: usize, const I: usize>(
    process: &P,
    scaled: &Scaled<S::Real, N>,
    t: f64,
    x: &[P::State<S>],
    y: &mut P::State<S>,
    k: &mut [[P::State<S>; N]; MAX_UNITS],
) {
    // Interpreted processes share one kernel; compiled ones get one with a fixed number of stages.
    if const { I >= N } || (const { P::INTERPRETED } && I >= scaled.stages) {
        return;
    }
    let at = S::splat(t + scaled.ch[I]);
    for (x, k) in x.iter().zip(k.iter_mut()) {
        let (before, from_here) = k.split_at_mut(I);
        for d in 0..x.as_ref().len() {
            // Two sums, each half as long a chain of dependent operations; the newest slope, which
            // is late, comes last.
            let (mut late, mut early) = (x.as_ref()[d], S::splat(0.0));
            for j in 0..I {
                let (k, a) = (before[j].as_ref()[d], S::splat_real(scaled.a[I][j]));
                if (I - j) % 2 == 1 {
                    late = k.mul_add(a, late);
                } else {
                    early = if j < 2 { k * a } else { k.mul_add(a, early) };
                }
            }
            y.as_mut()[d] = if I > 1 { late + early } else { late };
        }
        process.drift(at, y, &mut from_here[0]);
    }
}

/// One step from time `t` of every unit. The stages are written out: a loop over them would keep
/// the compiler from unrolling the sums.
#[inline(always)]
#[allow(clippy::needless_range_loop)] // as above
fn step<S: Simd, P: Process, const N: usize>(
    process: &P,
    scaled: &Scaled<S::Real, N>,
    t: f64,
    x: &mut [P::State<S>],
    y: &mut P::State<S>,
    k: &mut [[P::State<S>; N]; MAX_UNITS],
) {
    stage::<S, P, N, 0>(process, scaled, t, x, y, k);
    stage::<S, P, N, 1>(process, scaled, t, x, y, k);
    stage::<S, P, N, 2>(process, scaled, t, x, y, k);
    stage::<S, P, N, 3>(process, scaled, t, x, y, k);
    stage::<S, P, N, 4>(process, scaled, t, x, y, k);
    stage::<S, P, N, 5>(process, scaled, t, x, y, k);
    for (x, k) in x.iter_mut().zip(k.iter()) {
        for j in 0..N {
            add(x.as_mut(), S::splat_real(scaled.b[j]), k[j].as_ref());
        }
    }
}

impl<const N: usize> Solver for RungeKutta<N> {
    const UNITS: usize = 4;

    fn title(&self) -> &'static str {
        self.tableau.title
    }

    fn grid(&self) -> Grid {
        Grid::Equal(self.steps)
    }

    fn check<P: Process>(&self, process: &P) -> Result<(), SimError> {
        check_steps(self.steps)?;
        check_no_noise(process, self.title())
    }

    #[inline(always)]
    fn block<S: Simd, P: Process>(&self, process: &P, task: &Task<'_>, block: &mut Block<'_, S>) {
        let zeros = || P::State::<S>::zeros(process.dim());
        let h = (task.to - task.from) / self.steps as f64;
        let units = if const { P::INTERPRETED } {
            1
        } else {
            Self::UNITS
        };
        let scaled = Scaled::<S::Real, N>::new(self.tableau, h);
        let mut x: [P::State<S>; MAX_UNITS] = std::array::from_fn(|_| zeros());
        let mut y = zeros();
        let mut k: [[P::State<S>; N]; MAX_UNITS] =
            std::array::from_fn(|_| std::array::from_fn(|_| zeros()));
        for (unit, x) in x.iter_mut().enumerate().take(units) {
            block.load(unit, x.as_mut());
        }
        debug_assert_eq!(units, block.units);
        let mut watch = Watch::<S, P>::new(process, task, &x[..units]);
        let mut done = 0;
        for (number, &until) in task.save_steps.iter().enumerate() {
            for n in done..until {
                let t = task.from + h * n as f64;
                if let Some(watch) = &mut watch {
                    watch.before(&x);
                }
                step(process, &scaled, t, &mut x[..units], &mut y, &mut k);
                if let Some(watch) = &mut watch {
                    watch.after(process, (t, h), &mut x, Some(&k), block.stops);
                }
            }
            done = until;
            let mut go_on = true;
            for (unit, x) in x.iter().enumerate().take(units) {
                let at = (number, task.save.len(), task.save[number]);
                go_on &= block.save(unit, at, x.as_ref());
            }
            if !go_on {
                return;
            }
        }
    }
}
