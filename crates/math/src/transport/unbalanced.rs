use super::scaling::{self, Settings};
use super::{Plan, TransportError};

/// Unbalanced entropic optimal transport: min over P ≥ 0 of
/// ⟨P, C⟩ + ε KL(P | a⊗b) + ρ KL(P1 | a) + ρ KL(Pᵀ1 | b), with KL(P | Q) = Σ P ln(P/Q) − P + Q
/// (Chizat et al., *Scaling algorithms for unbalanced optimal transport problems*, 2018). What would
/// travel much further than √ρ is rather not carried.
///
/// Here the reference a⊗b of the entropy matters: this is POT's `sinkhorn_unbalanced` with
/// `reg_type="kl"`; `reg_type="entropy"` measures against 1 and carries another mass.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Unbalanced {
    /// ε > 0, in the unit of the cost.
    pub epsilon: f64,
    /// ρ > 0, in the unit of the cost; ∞ is [`super::Sinkhorn`].
    pub rho: f64,
    /// The most sweeps over rows and columns.
    pub max_iterations: usize,
    /// The plan is accepted when a sweep changes no potential by more than this, in units of ε (with
    /// ρ = ∞ the criterion is that of [`super::Sinkhorn`]).
    pub tolerance: f64,
    /// Whether to come down to ε from a large one in halving steps: the same answer.
    pub scaling: bool,
}

impl Unbalanced {
    /// The problem of this ε and ρ with at most 1,000 sweeps to a tolerance of 1e-9, by scaling.
    pub fn new(epsilon: f64, rho: f64) -> Unbalanced {
        Unbalanced {
            epsilon,
            rho,
            max_iterations: 1000,
            tolerance: 1e-9,
            scaling: true,
        }
    }

    /// The plan for the row-major `n` × `m` matrix `cost` and weights `a` of the rows, `b` of the
    /// columns, of any totals; no weights are equal ones with sum 1.
    ///
    /// # Errors
    /// As [`super::Sinkhorn::solve`].
    pub fn solve(
        &self,
        cost: &[f64],
        n: usize,
        m: usize,
        a: Option<&[f64]>,
        b: Option<&[f64]>,
    ) -> Result<Plan, TransportError> {
        let settings = Settings {
            epsilon: self.epsilon,
            rho: self.rho,
            max_iterations: self.max_iterations,
            tolerance: self.tolerance,
            scaling: self.scaling,
        };
        scaling::solve(&settings, cost, (n, m), a, b)
    }
}

#[cfg(test)]
mod tests;
