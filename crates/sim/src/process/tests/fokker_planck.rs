//! ∂p/∂t = −Σ ∂ᵢ(fᵢp) + ½ ΣΣ ∂ᵢ∂ⱼ((ggᵀ)ᵢⱼp) by exact derivatives, for every density that is known;
//! without noise this is the continuity equation.

use std::f64::consts::TAU;

use super::{column, drift};
use crate::density::{AnyDensity, DensityArg, Diffused, LaneDensity};
use crate::lane::{Dual, Lane, One};
use crate::process::diffusion::{AnyKernel, Forward, Kernel, ProbabilityFlow, Reverse};
use crate::process::diffusion::{SubVp, Ve, Vp};
use crate::process::*;

/// Two directions of derivation.
type Second = Dual<Dual<One<f64>>>;

/// The logarithm of a density that depends on time.
trait LogDensity {
    fn at<L: Lane>(&self, t: L, x: &[L]) -> L;
}

/// The residual of the equation at a point, relative to the largest of its terms.
fn residual<P: Process>(process: &P, p: &impl LogDensity, t: f64, at: &[f64]) -> f64 {
    let n = process.dim();
    let time = |dt: f64| Dual::new(Dual::new(One(t), One(dt)), Dual::splat(0.0));
    // Derivatives along axis i outside, and j inside.
    let point = |i: Option<usize>, j: Option<usize>| -> Vec<Second> {
        let unit = |a: Option<usize>, k: usize| f64::from(u8::from(a == Some(k)));
        let coordinate = |(k, x): (usize, &f64)| {
            let inner = Dual::new(One(*x), One(unit(j, k)));
            Dual::new(inner, Dual::splat(unit(i, k)))
        };
        at.iter().enumerate().map(coordinate).collect()
    };
    let density = |t: Second, x: &[Second]| p.at(t, x).exp();

    let change = density(time(1.0), &point(None, None)).v.d.0;
    let (mut terms, mut size) = (change, change.abs());
    let mut add = |term: f64| {
        terms += term;
        size += term.abs();
    };
    for i in 0..n {
        let x = point(Some(i), None);
        add((drift(process, time(0.0), &x)[i] * density(time(0.0), &x))
            .d
            .v
            .0);
        for j in 0..n {
            let x = point(Some(i), Some(j));
            let p = density(time(0.0), &x);
            for k in 0..process.noise_dim() {
                let g = column(process, time(0.0), &x, k);
                add(-0.5 * (g[i] * g[j] * p).d.d.0);
            }
        }
    }
    let scale = size
        + p.at(One(t), &at.iter().map(|x| One(*x)).collect::<Vec<_>>())
            .0
            .exp();
    terms.abs() / scale
}

#[track_caller]
fn solves<P: Process>(process: &P, p: &impl LogDensity, times: &[f64], points: &[&[f64]]) {
    for t in times {
        for x in points {
            let r = residual(process, p, *t, x);
            assert!(r < 1e-11, "residual {r:e} at t = {t}, x = {x:?}");
        }
    }
}

/// An invariant density.
struct Still<D>(D);

impl<D: LaneDensity> LogDensity for Still<D> {
    fn at<L: Lane>(&self, _: L, x: &[L]) -> L {
        self.0.log_density(x)
    }
}

/// Data under a kernel, at s or at s = 1 − t.
struct Noised<K> {
    kernel: K,
    data: Diffused,
    reverse: bool,
}

impl<K: Kernel> LogDensity for Noised<K> {
    fn at<L: Lane>(&self, t: L, x: &[L]) -> L {
        let s = if self.reverse { L::splat(1.0) - t } else { t };
        let (a, b_squared) = self.kernel.marginal(s);
        self.data.log_density(a, b_squared, x)
    }
}

const LINE: &[&[f64]] = &[&[-2.0], &[-0.4], &[0.0], &[0.6], &[1.9]];
const PLANE: &[&[f64]] = &[&[0.0, 0.0], &[1.0, -0.5], &[-2.0, 2.5], &[3.0, 0.2]];
const TIMES: &[f64] = &[0.1, 0.3, 0.5, 0.8, 0.95];

fn density(text: &str) -> DensityArg {
    text.parse().unwrap()
}

fn lanes(text: &str) -> AnyDensity {
    density(text).lanes()
}

#[test]
fn langevin_dynamics_leaves_its_density() {
    for text in [
        "mixture:means=[-1.5,1.5],stds=[.5,1]",
        "gaussian:mean=.3,std=.7",
        "double-well",
    ] {
        let langevin = Langevin::<_, Fixed<1>>::new(lanes(text), 0.8).unwrap();
        solves(&langevin, &Still(lanes(text)), &[0.0], LINE);
    }
    let text = "mixture:means=[[1,0],[-1,2]],covs=[[[1,.5],[.5,2]],[[1,0],[0,.3]]]";
    let langevin = Langevin::<_>::new(lanes(text), 0.8).unwrap();
    solves(&langevin, &Still(lanes(text)), &[0.0], PLANE);
    let well = DoubleWell::new(1.5, 0.8, 0.9).unwrap();
    solves(&well, &Still(well.invariant().unwrap()), &[0.0], LINE);
    // The test sees a factor that is wrong.
    let wrong = DoubleWell::new(1.6, 0.8, 0.9).unwrap();
    assert!(residual(&wrong, &Still(well.invariant().unwrap()), 0.0, &[0.3]) > 1e-3);
}

/// p(x)·N(v; 0, T/m).
#[test]
fn underdamped_langevin_dynamics_leaves_its_law() {
    struct Phase<D>(D, f64);
    impl<D: LaneDensity> LogDensity for Phase<D> {
        fn at<L: Lane>(&self, _: L, x: &[L]) -> L {
            let (x, v) = x.split_at(x.len() / 2);
            let mut sum = self.0.log_density(x);
            for v in v {
                sum = sum - *v * *v / (2.0 * self.1);
            }
            sum
        }
    }
    let (gamma, temperature, mass) = (0.7, 1.8, 0.6);
    let text = "mixture:means=[-1.5,1.5],stds=[.5,1]";
    let line =
        UnderdampedLangevin::<_, Fixed<1>>::new(lanes(text), gamma, temperature, mass).unwrap();
    assert_eq!(line.velocity_variance(), 3.0);
    solves(&line, &Phase(lanes(text), 3.0), &[0.0], PLANE);
    let text = "mixture:means=[[1,0],[-1,2]],covs=[[[1,.5],[.5,2]],[[1,0],[0,.3]]]";
    let plane = UnderdampedLangevin::<_>::new(lanes(text), gamma, temperature, mass).unwrap();
    let points: &[&[f64]] = &[&[0.1, 0.2, 0.3, -0.4], &[-1.0, 2.0, 1.5, 0.5]];
    solves(&plane, &Phase(lanes(text), 3.0), &[0.0], points);
}

/// The transition densities of the processes in closed form.
#[test]
fn transition_densities() {
    /// N(mean, variance) of x, or of ln x.
    struct Normal<M, V> {
        mean: M,
        variance: V,
        log: bool,
    }
    /// a + b e^{−ct} + dt.
    struct Curve([f64; 4]);
    impl Curve {
        fn at<L: Lane>(&self, t: L) -> L {
            let Curve([a, b, c, d]) = self;
            (t * -*c).exp() * *b + t * *d + *a
        }
    }
    impl LogDensity for Normal<Curve, Curve> {
        fn at<L: Lane>(&self, t: L, x: &[L]) -> L {
            let y = if self.log { x[0].ln() } else { x[0] };
            let variance = self.variance.at(t);
            let off = y - self.mean.at(t);
            let mut log = (off * off / variance + (variance * TAU).ln()) * -0.5;
            if self.log {
                log = log - y;
            }
            log
        }
    }
    let (theta, mean, sigma, x0) = (0.6, 0.3, 0.8, 1.4);
    let d = sigma * sigma / (2.0 * theta);
    let ou = OrnsteinUhlenbeck::new(theta, mean, sigma).unwrap();
    let law = Normal {
        mean: Curve([mean, x0 - mean, theta, 0.0]),
        variance: Curve([d, -d, 2.0 * theta, 0.0]),
        log: false,
    };
    solves(&ou, &law, TIMES, LINE);
    let law = Normal {
        mean: Curve([x0, 0.0, 0.0, 0.0]),
        variance: Curve([0.0, 0.0, 0.0, sigma * sigma]),
        log: false,
    };
    solves(&Brownian::new(sigma).unwrap(), &law, TIMES, LINE);
    let mu = 0.4;
    let law = Normal {
        mean: Curve([f64::ln(x0), 0.0, 0.0, mu - 0.5 * sigma * sigma]),
        variance: Curve([0.0, 0.0, 0.0, sigma * sigma]),
        log: true,
    };
    let gbm = GeometricBrownian::new(mu, sigma).unwrap();
    solves(&gbm, &law, TIMES, &[&[0.5], &[1.0], &[3.0]]);
}

/// Forward, reverse and probability flow have the same marginals, those of the closed form.
#[test]
fn diffusions_and_their_reversals() {
    let kernels = [
        AnyKernel::Vp(Vp::new(0.1, 20.0).unwrap()),
        AnyKernel::SubVp(SubVp::new(0.1, 20.0).unwrap()),
        AnyKernel::Ve(Ve::new(0.1, 5.0).unwrap()),
    ];
    let line = "mixture:means=[-1.5,1.5],stds=[.5,1],weights=[1,2]";
    let plane = "mixture:means=[[1,0],[-1,2]],covs=[[[1,.5],[.5,2]],[[1,0],[0,.3]]]";
    for kernel in kernels {
        for (text, points) in [(line, LINE), (plane, PLANE)] {
            let data = density(text).diffused().unwrap();
            let noised = |reverse| Noised {
                kernel,
                data: data.clone(),
                reverse,
            };
            let forward = Forward::<_>::new(kernel, data.dim()).unwrap();
            solves(&forward, &noised(false), TIMES, points);
            let reverse = Reverse::<_>::new(kernel, data.clone()).unwrap();
            solves(&reverse, &noised(true), TIMES, points);
            let flow = ProbabilityFlow::<_>::new(kernel, data.clone()).unwrap();
            solves(&flow, &noised(true), TIMES, points);
        }
    }
}
