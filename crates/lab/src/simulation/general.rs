//! One type for every process, so that each solver is compiled for it once.

use fokker_sim::lane::{Lane, One};
use fokker_sim::process::{Calculus, NoiseKind, Process};

use super::dense::Dense;
use super::system::Equation;

/// Any process.
#[derive(Clone, Debug)]
pub(super) enum General {
    /// Computed from expressions.
    Equation(Box<Equation>),
    /// Following a density.
    Dense(Dense),
}

/// Calls a method of the process that it is.
macro_rules! each {
    ($self:expr, $process:ident => $call:expr) => {
        match $self {
            General::Equation(equation) => {
                let $process = equation.system();
                $call
            }
            General::Dense($process) => $call,
        }
    };
}

/// Defines a function of time, state and noise in a version for each instruction set, and one that
/// calls the right one. They are compiled once for each lane type instead of into every loop of
/// every solver; such a function must be told which registers it may use, and they are as wide as
/// the lane type is aligned.
macro_rules! outlined {
    ($name:ident, $avx512:ident, $avx2:ident, $portable:ident, $body:ident) => {
        #[inline(always)]
        fn $name<L: Lane>(p: &General, t: L, x: &Vec<L>, dw: &Vec<L>, out: &mut Vec<L>) {
            // A version for fewer registers than these would be huge, and never run.
            #[cfg(target_arch = "x86_64")]
            {
                if const { align_of::<L>() == 64 } {
                    assert!(
                        is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512dq")
                    );
                    // SAFETY: the machine has the registers.
                    return unsafe { $avx512(p, &t, x, dw, out) };
                }
                if const { align_of::<L>() == 32 } {
                    assert!(is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"));
                    // SAFETY: as above.
                    return unsafe { $avx2(p, &t, x, dw, out) };
                }
            }
            $portable(p, &t, x, dw, out)
        }

        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx2,fma,avx512f,avx512dq")]
        fn $avx512<L: Lane>(p: &General, t: &L, x: &Vec<L>, dw: &Vec<L>, out: &mut Vec<L>) {
            $body(p, *t, x, dw, out)
        }

        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx2,fma")]
        fn $avx2<L: Lane>(p: &General, t: &L, x: &Vec<L>, dw: &Vec<L>, out: &mut Vec<L>) {
            $body(p, *t, x, dw, out)
        }

        #[inline(never)]
        fn $portable<L: Lane>(p: &General, t: &L, x: &Vec<L>, dw: &Vec<L>, out: &mut Vec<L>) {
            $body(p, *t, x, dw, out)
        }
    };
}

outlined!(drift, drift_avx512, drift_avx2, drift_portable, drift_body);
outlined!(
    diffusion,
    diffusion_avx512,
    diffusion_avx2,
    diffusion_portable,
    diffusion_body
);

/// Whether these are lanes of dual numbers, by their size: of four registers side by side or of one
/// number.
const fn is_dual<L>() -> bool {
    let registers = size_of::<L>() / align_of::<L>();
    registers == 2 || registers >= 8
}

/// Derivatives of a drift are for implicit solvers, which [`Simulation::new`](super::Simulation::new)
/// admits for equations without noise only: nothing else is compiled on dual numbers.
#[inline(always)]
fn drift_body<L: Lane>(p: &General, t: L, x: &Vec<L>, _: &Vec<L>, out: &mut Vec<L>) {
    if const { is_dual::<L>() } {
        unreachable!("the derivative of this drift is never asked for");
    }
    match p {
        General::Equation(equation) => match equation.converted() {
            None => equation.system().drift(t, x, out),
            Some(converted) => converted.drift(t, x, out),
        },
        General::Dense(dense) => dense.drift(t, x, out),
    }
}

#[inline(always)]
fn diffusion_body<L: Lane>(p: &General, t: L, x: &Vec<L>, dw: &Vec<L>, out: &mut Vec<L>) {
    if const { is_dual::<L>() } {
        unreachable!("the derivative of additive noise is never asked for");
    }
    match p {
        General::Equation(equation) => equation.system().diffusion(t, x, dw, out),
        General::Dense(dense) => dense.diffusion(t, x, dw, out),
    }
}

impl Process for General {
    type State<L: Lane> = Vec<L>;
    type Noise<L: Lane> = Vec<L>;

    const EVENTS: bool = true;
    const INTERPRETED: bool = true;

    fn dim(&self) -> usize {
        each!(self, process => process.dim())
    }

    fn noise_dim(&self) -> usize {
        each!(self, process => process.noise_dim())
    }

    #[inline(always)]
    fn drift<L: Lane>(&self, t: L, x: &Vec<L>, f: &mut Vec<L>) {
        // The interpreter is a function of its own already.
        if let General::Equation(equation) = self
            && equation.converted().is_none()
        {
            return equation.system().drift(t, x, f);
        }
        drift(self, t, x, &Vec::new(), f);
    }

    #[inline(always)]
    fn diffusion<L: Lane>(&self, t: L, x: &Vec<L>, dw: &Vec<L>, out: &mut Vec<L>) {
        if let General::Equation(equation) = self {
            return equation.system().diffusion(t, x, dw, out);
        }
        diffusion(self, t, x, dw, out);
    }

    fn noise_kind(&self) -> NoiseKind {
        each!(self, process => process.noise_kind())
    }

    fn calculus(&self) -> Calculus {
        match self {
            General::Equation(equation) => match equation.converted() {
                Some(converted) => converted.calculus(),
                None => equation.system().calculus(),
            },
            General::Dense(dense) => dense.calculus(),
        }
    }

    fn names(&self) -> Vec<String> {
        each!(self, process => process.names())
    }

    fn has_event(&self) -> bool {
        match self {
            General::Equation(equation) => equation.system().has_event(),
            General::Dense(_) => false,
        }
    }

    #[inline(always)]
    fn event<L: Lane>(&self, t: L, x: &Vec<L>) -> L {
        match self {
            General::Equation(equation) => equation.system().event(t, x),
            General::Dense(_) => L::splat(1.0),
        }
    }
}

impl General {
    /// The drift at one point.
    pub(super) fn drift_at(&self, t: f64, x: &[f64]) -> Vec<f64> {
        let x: Vec<One<f64>> = x.iter().map(|&x| One(x)).collect();
        let mut f = vec![One(0.0); x.len()];
        self.drift(One(t), &x, &mut f);
        f.into_iter().map(|f| f.0).collect()
    }

    /// The sum of the diffusion's columns at one point.
    pub(super) fn noise_at(&self, t: f64, x: &[f64]) -> Vec<f64> {
        let x: Vec<One<f64>> = x.iter().map(|&x| One(x)).collect();
        let mut g = vec![One(0.0); x.len()];
        self.diffusion(One(t), &x, &vec![One(1.0); self.noise_dim()], &mut g);
        g.into_iter().map(|g| g.0).collect()
    }
}
