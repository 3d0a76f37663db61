//! Stochastic methods: one step, and equal steps.

use super::block::{Block, Task, add};
use super::event::Watch;
use super::noise::Normals;
use super::{Grid, MAX_UNITS, Solver, check_steps};
use crate::error::SimError;
use crate::lane::Simd;
use crate::process::{
    Calculus, Components, NoiseKind, Process, column_derivatives, diffusion_derivative,
};

/// The increments that drive one step of length h: ΔW = W(t+h) − W(t) and, where the method uses
/// it, I₁₀ = ∫ₜ^{t+h} (W(s) − W(t)) ds.
pub struct Increments<'a, N> {
    pub(crate) dw: &'a N,
    pub(crate) i10: &'a N,
}

/// One step of a stochastic method.
pub trait SdeMethod: Sync + Copy {
    /// The name in prose.
    const TITLE: &'static str;
    /// The strong order of convergence for the noise that `check` admits, additive noise aside.
    const ORDER: f64;
    /// Whether the method uses I₁₀.
    const AREA: bool;
    /// What it converges to.
    const CALCULUS: Calculus;
    /// The most general noise it can treat, and that in words.
    const NOISE: (NoiseKind, &'static str);
    /// The most general noise for which it has strong order 1. Steps may be chosen with a look at
    /// the noise only then: below order 1 the terms that are left out, such as ΔW² − h, average to
    /// 0 over all paths but not over those that a choice selects, and the limit has another law
    /// (Gaines & Lyons, *Variable step size control in the numerical solution of stochastic
    /// differential equations*, SIAM J. Appl. Math. 57, 1997).
    const ADAPTIVE: NoiseKind;

    /// Carries `x` from `t` to `t + h`.
    #[doc(hidden)]
    fn step<S: Simd, P: Process>(
        process: &P,
        t: S,
        h: S,
        x: &mut P::State<S>,
        noise: &Increments<'_, P::Noise<S>>,
        work: &mut Work<S, P>,
    );
}

/// Room for the intermediate values of a step.
#[doc(hidden)]
pub struct Work<S: Simd, P: Process> {
    f: P::State<S>,
    g: P::State<S>,
    f2: P::State<S>,
    g2: P::State<S>,
    y: P::State<S>,
    w: P::Noise<S>,
}

impl<S: Simd, P: Process> Work<S, P> {
    #[inline(always)]
    pub(crate) fn new(process: &P) -> Self {
        let state = || P::State::<S>::zeros(process.dim());
        Work {
            f: state(),
            g: state(),
            f2: state(),
            g2: state(),
            y: state(),
            w: P::Noise::<S>::zeros(process.noise_dim()),
        }
    }
}

/// x ← x + y.
#[inline(always)]
fn plus<S: Simd>(x: &mut [S], y: &[S]) {
    for (x, y) in x.iter_mut().zip(y) {
        *x = *x + *y;
    }
}

/// Euler and Maruyama: X ← X + h f + g ΔW. Itô; strong order ½, 1 for additive noise.
///
/// Maruyama, *Continuous Markov processes and stochastic equations*, 1955.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EulerMaruyama;

impl SdeMethod for EulerMaruyama {
    const TITLE: &'static str = "Euler–Maruyama";
    const ORDER: f64 = 0.5;
    const AREA: bool = false;
    const CALCULUS: Calculus = Calculus::Ito;
    const NOISE: (NoiseKind, &'static str) = (NoiseKind::General, "any noise");
    const ADAPTIVE: NoiseKind = NoiseKind::Additive;

    #[inline(always)]
    fn step<S: Simd, P: Process>(
        process: &P,
        t: S,
        h: S,
        x: &mut P::State<S>,
        noise: &Increments<'_, P::Noise<S>>,
        work: &mut Work<S, P>,
    ) {
        process.drift(t, x, &mut work.f);
        process.diffusion(t, x, noise.dw, &mut work.g);
        add(x.as_mut(), h, work.f.as_ref());
        plus(x.as_mut(), work.g.as_ref());
    }
}

/// Milstein: Euler–Maruyama plus ½ Σⱼₖ (∂gₖ/∂x) gⱼ (ΔWⱼ ΔWₖ − δⱼₖ h), with exact derivatives. Itô;
/// strong order 1 for commutative noise.
///
/// Milstein, *Approximate integration of stochastic differential equations*, 1974.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Milstein;

impl SdeMethod for Milstein {
    const TITLE: &'static str = "Milstein";
    const ORDER: f64 = 1.0;
    const AREA: bool = false;
    const CALCULUS: Calculus = Calculus::Ito;
    const NOISE: (NoiseKind, &'static str) = (
        NoiseKind::Commutative,
        "commutative noise (diagonal with gᵢᵢ(xᵢ), a single noise, or additive)",
    );
    const ADAPTIVE: NoiseKind = NoiseKind::Commutative;

    #[inline(always)]
    fn step<S: Simd, P: Process>(
        process: &P,
        t: S,
        h: S,
        x: &mut P::State<S>,
        noise: &Increments<'_, P::Noise<S>>,
        work: &mut Work<S, P>,
    ) {
        process.drift(t, x, &mut work.f);
        process.diffusion(t, x, noise.dw, &mut work.g);
        if process.noise_kind() == NoiseKind::Commutative {
            diffusion_derivative(process, t, x, &work.g, noise.dw, &mut work.g2);
            column_derivatives(process, t, x, &mut work.f2);
            for (g2, f2) in work.g2.as_mut().iter_mut().zip(work.f2.as_ref()) {
                *g2 = (*g2 - *f2 * h) * 0.5;
            }
            plus(work.g.as_mut(), work.g2.as_ref());
        }
        add(x.as_mut(), h, work.f.as_ref());
        plus(x.as_mut(), work.g.as_ref());
    }
}

/// Stochastic Heun: X̃ = X + h f(X) + g(X) ΔW, X ← X + ½ h (f(X) + f(X̃)) + ½ (g(X) + g(X̃)) ΔW.
/// Stratonovich; strong order 1 for commutative noise, ½ otherwise.
///
/// Rümelin, *Numerical treatment of stochastic differential equations*, 1982.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StochasticHeun;

impl SdeMethod for StochasticHeun {
    const TITLE: &'static str = "stochastic Heun";
    const ORDER: f64 = 1.0;
    const AREA: bool = false;
    const CALCULUS: Calculus = Calculus::Stratonovich;
    const NOISE: (NoiseKind, &'static str) = (NoiseKind::General, "any noise");
    const ADAPTIVE: NoiseKind = NoiseKind::Commutative;

    #[inline(always)]
    fn step<S: Simd, P: Process>(
        process: &P,
        t: S,
        h: S,
        x: &mut P::State<S>,
        noise: &Increments<'_, P::Noise<S>>,
        work: &mut Work<S, P>,
    ) {
        process.drift(t, x, &mut work.f);
        process.diffusion(t, x, noise.dw, &mut work.g);
        work.y.as_mut().copy_from_slice(x.as_ref());
        add(work.y.as_mut(), h, work.f.as_ref());
        plus(work.y.as_mut(), work.g.as_ref());
        process.drift(t + h, &work.y, &mut work.f2);
        process.diffusion(t + h, &work.y, noise.dw, &mut work.g2);
        plus(work.f.as_mut(), work.f2.as_ref());
        plus(work.g.as_mut(), work.g2.as_ref());
        add(x.as_mut(), h * 0.5, work.f.as_ref());
        add(x.as_mut(), S::splat(0.5), work.g.as_ref());
    }
}

/// Rößler's SRA1 for additive noise:
/// Y = X + ¾ h f(t, X) + 3/2 g(t+h) I₁₀/h,
/// X ← X + h (⅓ f(t, X) + ⅔ f(t + ¾h, Y)) + g(t+h) (ΔW − I₁₀/h) + g(t) I₁₀/h.
/// Strong order 1.5; Itô and Stratonovich agree for additive noise.
///
/// Rößler, *Runge–Kutta methods for the strong approximation of solutions of stochastic
/// differential equations*, SIAM J. Numer. Anal. 48, 2010.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sra1;

impl SdeMethod for Sra1 {
    const TITLE: &'static str = "SRA1";
    const ORDER: f64 = 1.5;
    const AREA: bool = true;
    const CALCULUS: Calculus = Calculus::Ito;
    const NOISE: (NoiseKind, &'static str) =
        (NoiseKind::Additive, "additive noise (g without the state)");
    const ADAPTIVE: NoiseKind = NoiseKind::Additive;

    #[inline(always)]
    fn step<S: Simd, P: Process>(
        process: &P,
        t: S,
        h: S,
        x: &mut P::State<S>,
        noise: &Increments<'_, P::Noise<S>>,
        work: &mut Work<S, P>,
    ) {
        for (w, i10) in work.w.as_mut().iter_mut().zip(noise.i10.as_ref()) {
            *w = *i10 / h;
        }
        process.drift(t, x, &mut work.f);
        process.diffusion(t, x, &work.w, &mut work.g);
        process.diffusion(t + h, x, &work.w, &mut work.g2);
        work.y.as_mut().copy_from_slice(x.as_ref());
        add(work.y.as_mut(), h * 0.75, work.f.as_ref());
        add(work.y.as_mut(), S::splat(1.5), work.g2.as_ref());
        process.drift(t + h * 0.75, &work.y, &mut work.f2);
        for (w, dw) in work.w.as_mut().iter_mut().zip(noise.dw.as_ref()) {
            *w = *dw - *w;
        }
        process.diffusion(t + h, x, &work.w, &mut work.g2);
        add(x.as_mut(), h * (1.0 / 3.0), work.f.as_ref());
        add(x.as_mut(), h * (2.0 / 3.0), work.f2.as_ref());
        plus(x.as_mut(), work.g.as_ref());
        plus(x.as_mut(), work.g2.as_ref());
    }
}

/// Whether method `M` can treat the process.
pub(crate) fn check_method<M: SdeMethod, P: Process>(process: &P) -> Result<(), SimError> {
    let has = process.noise_kind();
    if has == NoiseKind::None {
        return Err(SimError::NoNoise { solver: M::TITLE });
    }
    let (most, needs) = M::NOISE;
    if has > most {
        return Err(SimError::Noise {
            solver: M::TITLE,
            needs,
            has,
        });
    }
    if has > NoiseKind::Additive && process.calculus() != M::CALCULUS {
        return Err(SimError::Calculus {
            solver: M::TITLE,
            solves: M::CALCULUS,
            written: process.calculus(),
        });
    }
    Ok(())
}

/// Whether method `M` may choose its steps for this process.
pub(crate) fn check_adaptive<M: SdeMethod, P: Process>(process: &P) -> Result<(), SimError> {
    let has = process.noise_kind();
    if has <= M::ADAPTIVE {
        return Ok(());
    }
    Err(SimError::Adaptive {
        solver: M::TITLE,
        has,
        instead: match has {
            NoiseKind::General => "take equal steps",
            _ => {
                "take milstein (Itô) or stochastic-heun (Stratonovich), which have it, or equal \
                 steps"
            }
        },
    })
}

/// A stochastic method in equal steps.
///
/// Step n of trajectory i uses the normal numbers nM..(n+1)M of the address (seed, solver, i, 0),
/// twice as many for a method with I₁₀.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FixedSde<M> {
    method: M,
    steps: usize,
}

impl<M: SdeMethod> FixedSde<M> {
    /// `method` in `steps` equal steps.
    pub fn new(method: M, steps: usize) -> Self {
        FixedSde { method, steps }
    }
}

impl<M: SdeMethod> Solver for FixedSde<M> {
    const UNITS: usize = 4;

    fn title(&self) -> &'static str {
        M::TITLE
    }

    fn grid(&self) -> Grid {
        Grid::Equal(self.steps)
    }

    fn check<P: Process>(&self, process: &P) -> Result<(), SimError> {
        check_steps(self.steps)?;
        check_method::<M, P>(process)
    }

    #[inline(always)]
    fn block<S: Simd, P: Process>(&self, process: &P, task: &Task<'_>, block: &mut Block<'_, S>) {
        let h = (task.to - task.from) / self.steps as f64;
        let (h_lanes, root) = (S::splat(h), S::splat(h.abs().sqrt()));
        let m = process.noise_dim();
        let per_step = m * (1 + usize::from(M::AREA));
        let last = task.save_steps.last().copied().unwrap_or(0);
        let mut normals = Normals::<S>::new(task.seed, block.first, block.units, per_step, last);
        let mut x: [P::State<S>; MAX_UNITS] =
            std::array::from_fn(|_| P::State::<S>::zeros(process.dim()));
        let mut dw = P::Noise::<S>::zeros(m);
        let mut i10 = P::Noise::<S>::zeros(m);
        let mut work = Work::new(process);
        for (unit, x) in x.iter_mut().enumerate().take(block.units) {
            block.load(unit, x.as_mut());
        }
        let mut watch = Watch::<S, P>::new(process, task, &x[..block.units]);
        let mut done = 0;
        for (number, &until) in task.save_steps.iter().enumerate() {
            for n in done..until {
                let t = task.from + h * n as f64;
                if let Some(watch) = &mut watch {
                    watch.before(&x);
                }
                normals.advance();
                for (unit, x) in x.iter_mut().enumerate().take(block.units) {
                    for (j, dw) in dw.as_mut().iter_mut().enumerate() {
                        *dw = normals.get(j, unit) * root;
                    }
                    if M::AREA {
                        // I₁₀ = h (½ ΔW + H) with H ~ N(0, h/12) independent of ΔW.
                        for (j, (i10, dw)) in i10.as_mut().iter_mut().zip(dw.as_ref()).enumerate() {
                            let area = normals.get(m + j, unit) * root * (1.0 / 12.0_f64.sqrt());
                            *i10 = (*dw * 0.5 + area) * h_lanes;
                        }
                    }
                    let noise = Increments { dw: &dw, i10: &i10 };
                    M::step(process, S::splat(t), h_lanes, x, &noise, &mut work);
                }
                if let Some(watch) = &mut watch {
                    watch.after::<1>(process, (t, h), &mut x, None, block.stops);
                }
            }
            done = until;
            let mut go_on = true;
            for (unit, x) in x.iter().enumerate().take(block.units) {
                let at = (number, task.save.len(), task.save[number]);
                go_on &= block.save(unit, at, x.as_ref());
            }
            if !go_on {
                return;
            }
        }
    }
}
