//! Rosenbrock methods as data: linearly implicit, for stiff problems.

mod rodas5p;
#[cfg(test)]
mod tests;

pub use rodas5p::RODAS5P;

use crate::linalg::Lu;
use crate::tableau::{Field, add, polynomial};

/// A Rosenbrock method of s stages in the form without products of matrices and vectors (Hairer &
/// Wanner, Solving Ordinary Differential Equations II, IV.7). With J = ∂f/∂x at (t, x), the stages
/// uᵢ solve linear systems that share one matrix,
///
/// (I/(hγ) − J) uᵢ = f(t + αᵢh, x + Σ_{j<i} aᵢⱼuⱼ) + Σ_{j<i} (cᵢⱼ/h) uⱼ + γᵢh ∂f/∂t(t, x),
///
/// and x ← x + Σ mᵢuᵢ. The uᵢ are increments: they carry the factor h.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rosenbrock {
    /// The name in menus and configurations.
    pub name: &'static str,
    /// The name in prose.
    pub title: &'static str,
    /// The order p: the error at a fixed time is O(hᵖ) for smooth f.
    pub order: u32,
    /// The order q of the embedded solution; a step size controller's exponent is 1/(q + 1).
    pub error_order: u32,
    /// γ, the diagonal of the implicit coefficients.
    pub gamma: f64,
    /// Row i holds the i coefficients aᵢⱼ.
    pub a: &'static [&'static [f64]],
    /// Row i holds the i coefficients cᵢⱼ.
    pub c: &'static [&'static [f64]],
    /// The nodes αᵢ.
    pub alpha: &'static [f64],
    /// The factors γᵢ of h ∂f/∂t.
    pub gamma_i: &'static [f64],
    /// The weights mᵢ of the new state.
    pub m: &'static [f64],
    /// The weights eᵢ of the error estimate Σ eᵢuᵢ, the difference to the embedded solution.
    pub e: &'static [f64],
    /// Row i holds the coefficients of the continuous weight mᵢ(θ) = Σⱼ dᵢⱼ θʲ, j from 1:
    /// x(t + θh) ≈ x + Σ mᵢ(θ) uᵢ for θ in \[0, 1\]. Empty when there is none.
    pub dense: &'static [&'static [f64]],
    /// The order of the dense output, as of [`crate::tableau::Tableau::dense_order`].
    pub dense_order: u32,
    /// Where the method comes from.
    pub reference: &'static str,
}

/// All Rosenbrock methods: menus, documentation and law tests iterate this slice.
pub const ROSENBROCKS: &[&Rosenbrock] = &[&RODAS5P];

/// The Rosenbrock method of that name.
pub fn rosenbrock(name: &str) -> Option<&'static Rosenbrock> {
    ROSENBROCKS
        .iter()
        .copied()
        .find(|method| method.name == name)
}

/// The matrix I/(hγ) − J of a step is singular or not finite.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error(
    "at t = {t} the matrix I/(hγ) − J of a step of length h = {h} has no pivot in column {column}: \
     the Jacobian is not finite, or h meets one of its eigenvalues; another h will do"
)]
pub struct Singular {
    /// The time of the step's start.
    pub t: f64,
    /// The step's length.
    pub h: f64,
    /// The column without a pivot, counted from 0.
    pub column: usize,
}

/// A system dx/dt = f(t, x) with its derivatives.
pub struct System<'a> {
    /// Writes f(t, x).
    pub f: &'a mut Field<'a>,
    /// Writes the Jacobian ∂f/∂x, row after row: n² numbers.
    pub jacobian: &'a mut Field<'a>,
    /// Writes ∂f/∂t; zeros for an autonomous system.
    pub d_t: &'a mut Field<'a>,
}

impl Rosenbrock {
    /// The number of stages s.
    pub const fn stages(&self) -> usize {
        self.m.len()
    }

    /// The continuous weights mᵢ(θ), one per stage; empty without dense output.
    pub fn weights_at(&self, theta: f64) -> Vec<f64> {
        self.dense.iter().map(|d| polynomial(d, theta)).collect()
    }

    /// The stages u₁, …, uₛ of a step of length `h` (of either sign) from `x` at time `t`.
    ///
    /// # Errors
    /// When the step's matrix is singular.
    pub fn increments(
        &self,
        system: &mut System<'_>,
        t: f64,
        h: f64,
        x: &[f64],
    ) -> Result<Vec<Vec<f64>>, Singular> {
        let n = x.len();
        let mut matrix = vec![0.0; n * n];
        (system.jacobian)(t, x, &mut matrix);
        for (e, value) in matrix.iter_mut().enumerate() {
            let diagonal = if e / n == e % n {
                1.0 / (h * self.gamma)
            } else {
                0.0
            };
            *value = diagonal - *value;
        }
        let lu = Lu::new(n, matrix).map_err(|column| Singular { t, h, column })?;
        let mut d_t = vec![0.0; n];
        (system.d_t)(t, x, &mut d_t);

        let mut u: Vec<Vec<f64>> = Vec::with_capacity(self.stages());
        for i in 0..self.stages() {
            let mut at = x.to_vec();
            for (a, u) in self.a[i].iter().zip(&u) {
                add(*a, u, &mut at);
            }
            let mut right = vec![0.0; n];
            (system.f)(t + self.alpha[i] * h, &at, &mut right);
            for (c, u) in self.c[i].iter().zip(&u) {
                add(c / h, u, &mut right);
            }
            add(self.gamma_i[i] * h, &d_t, &mut right);
            u.push(lu.solve(&right));
        }
        Ok(u)
    }

    /// One step of length `h` from time `t`: `x` becomes the state at t + h. Returns the error
    /// estimate Σ eᵢuᵢ.
    ///
    /// # Errors
    /// When the step's matrix is singular; `x` is left as it was.
    pub fn step(
        &self,
        system: &mut System<'_>,
        t: f64,
        h: f64,
        x: &mut [f64],
    ) -> Result<Vec<f64>, Singular> {
        let u = self.increments(system, t, h, x)?;
        let mut error = vec![0.0; x.len()];
        for ((m, e), u) in self.m.iter().zip(self.e).zip(&u) {
            add(*m, u, x);
            add(*e, u, &mut error);
        }
        Ok(error)
    }
}
