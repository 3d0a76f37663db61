use std::fmt;

/// A transport plan between `rows` points and `columns` points.
#[derive(Clone, PartialEq)]
pub struct Plan {
    /// P, row-major: how much of row i's weight goes to column j.
    pub values: Vec<f64>,
    /// n, the points of the first set.
    pub rows: usize,
    /// m, the points of the second set.
    pub columns: usize,
    /// The potential f of the rows, in the unit of the cost: Pᵢⱼ = aᵢ bⱼ exp((fᵢ + gⱼ − Cᵢⱼ)/ε).
    pub f: Vec<f64>,
    /// The potential g of the columns.
    pub g: Vec<f64>,
    /// Sweeps over rows and columns that were made.
    pub iterations: usize,
    /// Σᵢ|Σⱼ Pᵢⱼ − aᵢ| + Σⱼ|Σᵢ Pᵢⱼ − bⱼ|, measured on `values`. An unbalanced plan differs from its
    /// weights on purpose.
    pub marginal_error: f64,
    pub(super) cost: f64,
    /// The solver's criterion where it ended.
    pub(super) error: f64,
}

impl Plan {
    /// The transport cost ⟨P, C⟩, without the terms of ε and ρ.
    pub fn cost(&self) -> f64 {
        self.cost
    }

    /// The plan's first marginal, Σⱼ Pᵢⱼ.
    pub fn row_sums(&self) -> Vec<f64> {
        self.values
            .chunks_exact(self.columns)
            .map(|row| row.iter().sum())
            .collect()
    }

    /// The plan's second marginal, Σᵢ Pᵢⱼ.
    pub fn column_sums(&self) -> Vec<f64> {
        let mut sums = vec![0.0; self.columns];
        for row in self.values.chunks_exact(self.columns) {
            for (sum, p) in sums.iter_mut().zip(row) {
                *sum += p;
            }
        }
        sums
    }
}

/// Without the matrix, which may hold millions of numbers.
impl fmt::Debug for Plan {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Plan")
            .field("rows", &self.rows)
            .field("columns", &self.columns)
            .field("iterations", &self.iterations)
            .field("marginal_error", &self.marginal_error)
            .field("cost", &self.cost)
            .finish_non_exhaustive()
    }
}
