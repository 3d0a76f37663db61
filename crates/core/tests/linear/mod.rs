//! A linear-Gaussian world, where every posterior is known: correlated data N(m, C), its exact denoiser, what a
//! measurement leaves of it, and the exact law of what a sampler makes of it.

use std::sync::Arc;

use burn::tensor::{DType, Device, Tensor, TensorData};
use fokker_core::{Denoiser, Estimate, Noise, Span, State, Stepper, renoise};
use fokker_math::prediction::Prediction;
use fokker_math::scheduler::Scheduler;

/// A dense matrix, `[rows, columns]`.
#[derive(Clone, Debug)]
pub(crate) struct Matrix(pub(crate) usize, pub(crate) usize, pub(crate) Vec<f64>);

impl Matrix {
    pub(crate) fn from(rows: usize, columns: usize, f: impl Fn(usize, usize) -> f64) -> Self {
        let entries = (0..rows * columns).map(|e| f(e / columns, e % columns));
        Self(rows, columns, entries.collect())
    }

    pub(crate) fn identity(n: usize) -> Self {
        Self::from(n, n, |i, j| f64::from(u8::from(i == j)))
    }

    pub(crate) fn at(&self, i: usize, j: usize) -> f64 {
        self.2[i * self.1 + j]
    }

    pub(crate) fn t(&self) -> Self {
        Self::from(self.1, self.0, |i, j| self.at(j, i))
    }

    pub(crate) fn mul(&self, other: &Self) -> Self {
        let sum = |i, j| (0..self.1).map(|k| self.at(i, k) * other.at(k, j)).sum();
        Self::from(self.0, other.1, sum)
    }

    /// a self + b other
    pub(crate) fn mix(&self, a: f64, b: f64, other: &Self) -> Self {
        Self::from(self.0, self.1, |i, j| {
            a * self.at(i, j) + b * other.at(i, j)
        })
    }

    /// By Gauss and Jordan; positive definite matrices need no pivots.
    pub(crate) fn inverse(&self) -> Self {
        let n = self.0;
        let (mut a, mut b) = (self.clone(), Self::identity(n));
        for k in 0..n {
            let pivot = a.at(k, k);
            for j in 0..n {
                a.2[k * n + j] /= pivot;
                b.2[k * n + j] /= pivot;
            }
            for i in (0..n).filter(|&i| i != k) {
                let factor = a.at(i, k);
                for j in 0..n {
                    a.2[i * n + j] -= factor * a.at(k, j);
                    b.2[i * n + j] -= factor * b.at(k, j);
                }
            }
        }
        b
    }

    pub(crate) fn norm(&self) -> f64 {
        self.2.iter().map(|v| v * v).sum::<f64>().sqrt()
    }

    pub(crate) fn trace(&self) -> f64 {
        (0..self.0).map(|i| self.at(i, i)).sum()
    }

    /// As a batch of its rows.
    pub(crate) fn state(&self) -> State {
        let data = TensorData::new(self.2.clone(), [self.0, self.1]);
        Tensor::from_data(data, (&Device::flex(), DType::F64))
    }

    pub(crate) fn of(x: State) -> Self {
        let [rows, columns] = x.dims();
        let values = x.into_data().convert::<f64>().try_to_vec().unwrap();
        Self(rows, columns, values)
    }
}

/// N(mean, covariance), the mean as one row.
#[derive(Clone, Debug)]
pub(crate) struct Gaussian {
    pub(crate) mean: Matrix,
    pub(crate) covariance: Matrix,
}

impl Gaussian {
    /// Five correlated coordinates of different spreads.
    pub(crate) fn correlated() -> Self {
        let std = [1.0, 1.3, 0.8, 1.1, 0.9];
        let correlation = |i: usize, j: usize| 0.6_f64.powi(i.abs_diff(j) as i32);
        Self {
            mean: Matrix(1, 5, vec![0.5, -1.0, 0.3, 0.0, 1.0]),
            covariance: Matrix::from(5, 5, |i, j| correlation(i, j) * std[i] * std[j]),
        }
    }

    /// The law of z given y = A z + σ n, y as one row.
    pub(crate) fn given(&self, a: &Matrix, y: &Matrix, sigma: f64) -> Self {
        let ca = self.covariance.mul(&a.t());
        let s = a.mul(&ca).mix(1.0, sigma * sigma, &Matrix::identity(a.0));
        let gain = ca.mul(&s.inverse());
        let residual = y.mix(1.0, -1.0, &self.mean.mul(&a.t()));
        Self {
            mean: self.mean.mix(1.0, 1.0, &residual.mul(&gain.t())),
            covariance: self.covariance.mix(1.0, -1.0, &gain.mul(&ca.t())),
        }
    }

    /// The matrix αC(α²C + β²I)⁻¹ = ∂D/∂x.
    pub(crate) fn gain(&self, alpha: f64, beta: f64) -> Matrix {
        let one = Matrix::identity(self.covariance.0);
        let s = self.covariance.mix(alpha * alpha, beta * beta, &one);
        self.covariance.mul(&s.inverse()).mix(alpha, 0.0, &one)
    }

    /// How far `law` is from this: the error of the mean relative to the standard deviation √tr C, and of the
    /// covariance relative to C, by Frobenius norms.
    pub(crate) fn errors(&self, law: &Gaussian) -> [f64; 2] {
        let mean = law.mean.mix(1.0, -1.0, &self.mean).norm() / self.covariance.trace().sqrt();
        let covariance = law.covariance.mix(1.0, -1.0, &self.covariance).norm();
        [mean, covariance / self.covariance.norm()]
    }
}

/// The exact model of Gaussian data, asked as any prediction.
pub(crate) struct Exact {
    pub(crate) data: Gaussian,
    pub(crate) scheduler: Arc<dyn Scheduler>,
    pub(crate) kind: Prediction,
}

impl Denoiser for Exact {
    fn scheduler(&self) -> &dyn Scheduler {
        &*self.scheduler
    }

    fn predict(&self, x: State, t: f64) -> Estimate {
        let c = self.scheduler.at(t);
        let mean = self.data.mean.state();
        let value =
            (x - mean.clone() * c.alpha).matmul(self.slope(t)) + mean * self.kind.row(&c)[0];
        Estimate::of(value, self.kind)
    }

    fn vjp(&self, x: State, t: f64, v: State) -> Option<(Estimate, State)> {
        Some((self.predict(x, t), v.matmul(self.slope(t))))
    }
}

impl Exact {
    /// ∂(p₀D + p₁ε̂)/∂x, with E[ε|x] = β(α²C + β²I)⁻¹(x − αm); symmetric.
    fn slope(&self, t: f64) -> State {
        let c = self.scheduler.at(t);
        let [p0, p1] = self.kind.row(&c);
        let one = Matrix::identity(self.data.mean.1);
        let s = self
            .data
            .covariance
            .mix(c.alpha * c.alpha, c.beta * c.beta, &one);
        let gain = self.data.gain(c.alpha, c.beta);
        gain.mix(p0, p1 * c.beta, &s.inverse()).state()
    }
}

/// Rows of zeros, then one of e_i for every coordinate of the noise.
struct Unit {
    zeros: usize,
    drawn: bool,
}

impl Noise for Unit {
    fn normal(&mut self, rows: usize, dim: usize) -> State {
        assert!(!self.drawn, "one draw in a step");
        self.drawn = true;
        let one = |i: usize, j: usize| f64::from(u8::from(i == self.zeros + j));
        Matrix::from(rows, dim, one).state()
    }
}

/// The exact law of the samples of a sampler all of whose steps are affine in the state and the noise: every
/// step is tried on unit vectors, and mean and covariance are carried along.
pub(crate) fn law(
    model: &dyn Denoiser,
    stepper: &mut dyn Stepper,
    grid: &[f64],
    dim: usize,
) -> Gaussian {
    let one = Matrix::identity(dim);
    let start = model.scheduler().at(grid[0]).beta;
    let mut law = Gaussian {
        mean: Matrix::from(1, dim, |_, _| 0.0),
        covariance: one.mix(start * start, 0.0, &one),
    };
    for span in grid.windows(2) {
        let tried = Matrix::from(1 + 2 * dim, dim, |i, j| f64::from(u8::from(i == 1 + j)));
        let mut noise = Unit {
            zeros: 1 + dim,
            drawn: false,
        };
        let [from, to] = [span[0], span[1]];
        // As the sampling loop does.
        let out = Matrix::of(if to < from {
            renoise(model.scheduler(), tried.state(), from, to, &mut noise)
        } else {
            let span = Span {
                from,
                to,
                steps: grid.len() - 1,
                to_data: None,
            };
            stepper.step(model, tried.state(), span, &mut noise)
        });
        let offset = Matrix::from(1, dim, |_, j| out.at(0, j));
        let response =
            |first: usize| Matrix::from(dim, dim, |i, j| out.at(first + i, j) - out.at(0, j));
        let (state, fresh) = (response(1), response(1 + dim));
        law = Gaussian {
            mean: offset.mix(1.0, 1.0, &law.mean.mul(&state)),
            covariance: state.t().mul(&law.covariance).mul(&state).mix(
                1.0,
                1.0,
                &fresh.t().mul(&fresh),
            ),
        };
    }
    law
}
