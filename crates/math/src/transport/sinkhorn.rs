use super::scaling::{self, Settings};
use super::{Plan, TransportError};

/// Entropic optimal transport: min over P with marginals a and b of ⟨P, C⟩ + ε KL(P | a⊗b), with
/// KL(P | Q) = Σ P ln(P/Q) − P + Q (Cuturi, *Sinkhorn distances*, NeurIPS 2013). Measuring the entropy
/// against a⊗b or not at all gives the same plan.
///
/// ε → 0 is exact transport, ε → ∞ the independent plan a⊗b. The iteration works on potentials, so that
/// no ε overflows or underflows; it takes of the order of (largest cost)/ε sweeps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sinkhorn {
    /// ε > 0, in the unit of the cost.
    pub epsilon: f64,
    /// The most sweeps over rows and columns.
    pub max_iterations: usize,
    /// The plan is accepted when its row sums miss the weights by at most this share of their total,
    /// Σᵢ|Σⱼ Pᵢⱼ − aᵢ|/Σa; its column sums are exact.
    pub tolerance: f64,
    /// Whether to come down to ε from a large one in halving steps: the same answer, in fewer
    /// sweeps where ε is small.
    pub scaling: bool,
}

impl Sinkhorn {
    /// The problem of this ε with at most 1,000 sweeps to a tolerance of 1e-9, by scaling.
    pub fn new(epsilon: f64) -> Sinkhorn {
        Sinkhorn {
            epsilon,
            max_iterations: 1000,
            tolerance: 1e-9,
            scaling: true,
        }
    }

    /// The plan for the row-major `n` × `m` matrix `cost`, from weights `a` of the rows to weights
    /// `b` of the columns; no weights are equal ones with sum 1.
    ///
    /// # Errors
    /// [`TransportError::NotConverged`], with the plan reached, when the tolerance is not met within
    /// the sweeps allowed. Others for sizes, costs, weights and parameters that make no problem, of
    /// which [`TransportError::Totals`] when Σa ≠ Σb.
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
            rho: f64::INFINITY,
            max_iterations: self.max_iterations,
            tolerance: self.tolerance,
            scaling: self.scaling,
        };
        scaling::solve(&settings, cost, (n, m), a, b)
    }
}

#[cfg(test)]
mod tests;
