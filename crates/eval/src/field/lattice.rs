use super::sound;
use crate::EvalError;

/// A function's values on a regular grid of nodes that includes the borders of its rectangle.
///
/// Node (i, j) lies at x₀ + i (x₁ − x₀)/(nx − 1), y₀ + j (y₁ − y₀)/(ny − 1).
#[derive(Debug, Clone, PartialEq)]
pub struct Lattice {
    pub(super) x: (f64, f64),
    pub(super) y: (f64, f64),
    pub(super) nx: usize,
    pub(super) ny: usize,
    pub(super) values: Vec<f64>,
}

/// More nodes along a side say nothing on a screen and would only cost memory.
pub(super) const MAX_SIDE: usize = 2048;

impl Lattice {
    /// Known values, `values[j * nx + i]` at node (i, j). Values that are not finite are holes.
    ///
    /// # Errors
    /// [`EvalError::Shape`] unless nx and ny are 2 to 2048, there are nx · ny values, and both ranges increase.
    pub fn new(
        x: (f64, f64),
        y: (f64, f64),
        nx: usize,
        ny: usize,
        values: Vec<f64>,
    ) -> Result<Self, EvalError> {
        let fits = |n: usize| (2..=MAX_SIDE).contains(&n);
        if !fits(nx) || !fits(ny) {
            let got = format!("{nx} × {ny}");
            return Err(EvalError::shape(
                "nodes of a lattice",
                "2 to 2048 a side",
                got,
            ));
        }
        if values.len() != nx * ny {
            return Err(EvalError::shape(
                "values of a lattice",
                nx * ny,
                values.len(),
            ));
        }
        for range in [x, y] {
            if sound(range) != range {
                return Err(EvalError::shape(
                    "range of a lattice",
                    "finite and increasing",
                    format!("{} to {}", range.0, range.1),
                ));
            }
        }
        Ok(Self {
            x,
            y,
            nx,
            ny,
            values,
        })
    }

    /// `f(x, y)` at `n` × `n` nodes (2 to 2048) of a rectangle. A range that cannot be drawn becomes 0 to 1.
    pub fn sample(x: (f64, f64), y: (f64, f64), n: usize, f: impl Fn(f64, f64) -> f64) -> Self {
        let (x, y, n) = (sound(x), sound(y), n.clamp(2, MAX_SIDE));
        let mut out = Self {
            x,
            y,
            nx: n,
            ny: n,
            values: Vec::with_capacity(n * n),
        };
        for j in 0..n {
            for i in 0..n {
                let (a, b) = out.node(i, j);
                out.values.push(f(a, b));
            }
        }
        out
    }

    /// The values, row after row from the lowest y.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// Where node (i, j) lies.
    pub fn node(&self, i: usize, j: usize) -> (f64, f64) {
        let along =
            |(lo, hi): (f64, f64), k: usize, n: usize| lo + (hi - lo) * (k as f64 / (n - 1) as f64);
        (along(self.x, i, self.nx), along(self.y, j, self.ny))
    }

    /// The value of node (i, j).
    pub fn at(&self, i: usize, j: usize) -> f64 {
        self.values[j * self.nx + i]
    }

    /// The largest finite value, if there is one.
    pub fn max(&self) -> Option<f64> {
        let finite = self.values.iter().copied().filter(|v| v.is_finite());
        finite.max_by(f64::total_cmp)
    }

    /// The integral over the rectangle by the trapezoidal rule; holes count as 0.
    pub fn integral(&self) -> f64 {
        let end = |k: usize, n: usize| if k == 0 || k + 1 == n { 0.5 } else { 1.0 };
        let cell = (self.x.1 - self.x.0) / (self.nx - 1) as f64 * (self.y.1 - self.y.0)
            / (self.ny - 1) as f64;
        let mut sum = 0.0;
        for j in 0..self.ny {
            for i in 0..self.nx {
                let v = self.at(i, j);
                if v.is_finite() {
                    sum += v * end(i, self.nx) * end(j, self.ny);
                }
            }
        }
        sum * cell
    }

    /// The levels whose superlevel sets hold the given shares of the mass of a density, for example 0.5 and 0.9.
    pub fn levels_of_mass(&self, shares: &[f64]) -> Vec<f64> {
        let mut values: Vec<f64> = self
            .values
            .iter()
            .copied()
            .filter(|v| v.is_finite() && *v > 0.0)
            .collect();
        values.sort_by(|a, b| b.total_cmp(a));
        let total: f64 = values.iter().sum();
        shares
            .iter()
            .filter_map(|share| {
                let mut held = 0.0;
                values.iter().copied().find(|v| {
                    held += v;
                    held >= share * total
                })
            })
            .collect()
    }
}
