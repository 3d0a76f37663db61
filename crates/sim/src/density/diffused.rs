//! Gaussian mixtures under a Gaussian kernel.

use std::f64::consts::TAU;

use fokker_math::density::{Gaussian as Exact, Mixture as ExactMixture};

use super::eigen::eigen;
use super::mixture::{Part, is_isotropic, log_density, score};
use crate::lane::Lane;

/// The law of aZ + bε with Z from a mixture of Gaussians and ε ~ N(0, I), for any a and b, in
/// closed form: Σ wₖ N(aμₖ, a²Σₖ + b²I).
///
/// Each Σₖ is diagonalised once, so that a and b may be numbers of lanes.
#[derive(Clone, Debug, PartialEq)]
pub struct Diffused {
    components: Vec<Component>,
}

#[derive(Clone, Debug, PartialEq)]
struct Component {
    /// ln w − (n/2) ln 2π.
    log_weight: f64,
    mean: Vec<f64>,
    shape: Shape,
}

#[derive(Clone, Debug, PartialEq)]
enum Shape {
    /// The variance in every direction.
    Isotropic(f64),
    /// The principal axes, one after another, and the variances along them.
    Full(Vec<f64>, Vec<f64>),
}

impl From<&ExactMixture> for Diffused {
    fn from(exact: &ExactMixture) -> Diffused {
        let parts = exact.weights().iter().zip(exact.components());
        Diffused {
            components: parts.map(|(w, g)| Component::new(g, *w)).collect(),
        }
    }
}

impl From<&Exact> for Diffused {
    fn from(exact: &Exact) -> Diffused {
        Diffused {
            components: vec![Component::new(exact, 1.0)],
        }
    }
}

impl Component {
    fn new(exact: &Exact, weight: f64) -> Component {
        let mean = exact.mean().to_vec();
        let shape = if is_isotropic(exact) {
            Shape::Isotropic(exact.covariance()[0])
        } else {
            let (variances, axes) = eigen(mean.len(), exact.covariance());
            Shape::Full(axes, variances)
        };
        Component {
            log_weight: weight.ln() - 0.5 * mean.len() as f64 * TAU.ln(),
            mean,
            shape,
        }
    }
}

impl Diffused {
    /// The dimension n.
    pub fn dim(&self) -> usize {
        self.components[0].mean.len()
    }

    /// ln p(x) of aZ + bε, given a and b².
    #[inline(always)]
    pub fn log_density<L: Lane>(&self, a: L, b_squared: L, x: &[L]) -> L {
        log_density(self.at(a, b_squared), x)
    }

    /// Writes ∇ln p(x) of aZ + bε, given a and b².
    #[inline(always)]
    pub fn score<L: Lane>(&self, a: L, b_squared: L, x: &[L], out: &mut [L]) {
        score(self.at(a, b_squared), x, out);
    }

    #[inline(always)]
    fn at<L: Lane>(&self, a: L, b_squared: L) -> Parts<'_, L> {
        Parts {
            rest: self.components.iter(),
            a,
            a_squared: a * a,
            b_squared,
            last: f64::NAN,
            ball: Ball {
                precision: L::splat(1.0),
                log_det: L::splat(0.0),
            },
        }
    }
}

/// All components at one time. Not a closure, which might not be compiled into its caller and then
/// lacks the caller's instruction set.
struct Parts<'a, L> {
    rest: std::slice::Iter<'a, Component>,
    a: L,
    a_squared: L,
    b_squared: L,
    /// The variance of the last ball, before the noise: components of the same width, as in a ring,
    /// share their logarithm and their division.
    last: f64,
    ball: Ball<L>,
}

impl<'a, L: Lane> Iterator for Parts<'a, L> {
    type Item = At<'a, L>;

    #[inline(always)]
    fn next(&mut self) -> Option<At<'a, L>> {
        let component = self.rest.next()?;
        if let Shape::Isotropic(lambda) = component.shape
            && lambda != self.last
        {
            self.last = lambda;
            let variance = self.a_squared.mul_add(L::splat(lambda), self.b_squared);
            self.ball = Ball {
                precision: L::splat(1.0) / variance,
                log_det: variance.ln() * component.mean.len() as f64,
            };
        }
        Some(At {
            component,
            a: self.a,
            a_squared: self.a_squared,
            b_squared: self.b_squared,
            ball: self.ball,
        })
    }
}

/// A component at one time.
struct At<'a, L> {
    component: &'a Component,
    a: L,
    a_squared: L,
    b_squared: L,
    /// Of this component, if it is isotropic.
    ball: Ball<L>,
}

/// The covariance vI.
#[derive(Clone, Copy)]
struct Ball<L> {
    /// 1/v.
    precision: L,
    /// ln det vI.
    log_det: L,
}

impl<L: Lane> At<'_, L> {
    /// a²λ + b².
    #[inline(always)]
    fn variance(&self, lambda: f64) -> L {
        self.a_squared.mul_add(L::splat(lambda), self.b_squared)
    }

    /// xᵢ − aμᵢ.
    #[inline(always)]
    fn off(&self, x: L, mean: f64) -> L {
        self.a.mul_add(L::splat(-mean), x)
    }

    /// The coordinate of x − aμ along an axis.
    #[inline(always)]
    fn along(&self, axis: &[f64], x: &[L]) -> L {
        let mut sum = L::splat(0.0);
        for ((x, mean), q) in x.iter().zip(&self.component.mean).zip(axis) {
            sum = self.off(*x, *mean).mul_add(L::splat(*q), sum);
        }
        sum
    }
}

impl<L: Lane> Part<L> for At<'_, L> {
    #[inline(always)]
    fn log(&self, x: &[L]) -> L {
        let n = x.len();
        let (square, log_det) = match &self.component.shape {
            Shape::Isotropic(_) => {
                let mut square = L::splat(0.0);
                for (x, mean) in x.iter().zip(&self.component.mean) {
                    let off = self.off(*x, *mean);
                    square = off.mul_add(off, square);
                }
                (square * self.ball.precision, self.ball.log_det)
            }
            Shape::Full(axes, variances) => {
                let (mut square, mut log_det) = (L::splat(0.0), L::splat(0.0));
                for (axis, lambda) in axes.chunks_exact(n).zip(variances) {
                    let variance = self.variance(*lambda);
                    let y = self.along(axis, x);
                    square = square + y * y / variance;
                    log_det = log_det + variance.ln();
                }
                (square, log_det)
            }
        };
        (square + log_det).mul_add(L::splat(-0.5), L::splat(self.component.log_weight))
    }

    #[inline(always)]
    fn add_pull(&self, share: L, x: &[L], out: &mut [L]) {
        match &self.component.shape {
            Shape::Isotropic(_) => {
                let share = share * self.ball.precision;
                for ((x, mean), out) in x.iter().zip(&self.component.mean).zip(out) {
                    *out = self.off(*x, *mean).mul_add(share, *out);
                }
            }
            Shape::Full(axes, variances) => {
                for (axis, lambda) in axes.chunks_exact(x.len()).zip(variances) {
                    let y = share * self.along(axis, x) / self.variance(*lambda);
                    for (out, q) in out.iter_mut().zip(axis) {
                        *out = y.mul_add(L::splat(*q), *out);
                    }
                }
            }
        }
    }
}
