//! Exact linear assignment, and the Wasserstein distance it gives.

use super::squared_distances;

/// The permutation π that minimises Σᵢ cost[i·n + π(i)], for a dense `n` × `n` cost matrix in row
/// order: the exact discrete optimal transport plan between two sets of `n` equal weights.
///
/// Shortest augmenting paths with dual prices, in O(n³) (Jonker & Volgenant, *A shortest augmenting
/// path algorithm for dense and sparse linear assignment problems*, 1987). Good prices make the
/// paths short: they come from a few rounds of an auction with falling increments (Bertsekas, *The
/// auction algorithm*, 1988). Then row reduction assigns most rows exactly, and Dijkstra's algorithm
/// on reduced costs the rest.
///
/// # Panics
/// When `cost` does not hold n² numbers, or one of them is not finite.
pub fn assign(cost: &[f64], n: usize) -> Vec<usize> {
    assert_eq!(
        Some(cost.len()),
        n.checked_mul(n),
        "an assignment of {n} rows needs {n} × {n} costs, got {} numbers",
        cost.len()
    );
    if let Some(at) = cost.iter().position(|c| !c.is_finite()) {
        panic!(
            "an assignment needs finite costs, got {} in row {}, column {}",
            cost[at],
            at / n,
            at % n
        );
    }
    let mut solver = Solver {
        cost,
        n,
        price: vec![0.0; n],
        row_of: vec![FREE; n],
        column_of: vec![FREE; n],
    };
    solver.auction();
    solver.reduce_rows();
    solver.augment();
    solver.column_of
}

/// The 2-Wasserstein distance of two sets of equally many points with `dim` numbers each:
/// W₂ = √(min_π (1/n) Σᵢ |aᵢ − b_π(i)|²). Two empty sets have distance 0.
///
/// # Panics
/// When `dim` is 0, the sets differ in length or are no whole number of points, or a squared
/// distance is not finite.
pub fn wasserstein2(a: &[f64], b: &[f64], dim: usize) -> f64 {
    assert!(
        dim > 0 && a.len() == b.len() && a.len().is_multiple_of(dim),
        "W2 needs two sets of equally many points of dimension {dim}, got {} and {} numbers",
        a.len(),
        b.len()
    );
    let n = a.len() / dim;
    if n == 0 {
        return 0.0;
    }
    let cost = squared_distances(a, b, dim);
    let total: f64 = assign(&cost, n)
        .iter()
        .enumerate()
        .map(|(row, column)| cost[row * n + column])
        .sum();
    (total / n as f64).sqrt()
}

const FREE: usize = usize::MAX;

// The auction's schedule, chosen by measurement on point clouds; it affects the time only.
const FIRST_INCREMENT: f64 = 8.0;
const LAST_INCREMENT: f64 = 16.0;
const INCREMENT_FACTOR: f64 = 5.0;
const BIDS_PER_ROW: usize = 40;

/// Invariant: for every assigned pair (i, j), j minimises cost[i, ·] − price[·].
struct Solver<'a> {
    cost: &'a [f64],
    n: usize,
    price: Vec<f64>,
    row_of: Vec<usize>,
    column_of: Vec<usize>,
}

impl<'a> Solver<'a> {
    fn row(&self, i: usize) -> &'a [f64] {
        &self.cost[i * self.n..(i + 1) * self.n]
    }

    fn link(&mut self, i: usize, j: usize) {
        self.column_of[i] = j;
        self.row_of[j] = i;
    }

    /// Prices at which few rows compete for a column; no assignment is kept. Any prices are a valid
    /// start of the exact phases, so the number of bids can be bounded.
    fn auction(&mut self) {
        let (low, high) = self
            .cost
            .iter()
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &c| {
                (low.min(c), high.max(c))
            });
        let range = high - low;
        if !(range > 0.0 && range.is_finite()) {
            return;
        }
        let mut free = Vec::with_capacity(self.n);
        let mut increment = range / FIRST_INCREMENT;
        let last = range / (LAST_INCREMENT * self.n as f64);
        while increment > last {
            self.row_of.fill(FREE);
            free.extend((0..self.n).rev());
            for _ in 0..BIDS_PER_ROW * self.n {
                let Some(i) = free.pop() else { break };
                let [(least, j), (next, _)] = self.two_least(i);
                self.price[j] -= next - least + increment;
                let former = std::mem::replace(&mut self.row_of[j], i);
                if former != FREE {
                    free.push(former);
                }
            }
            free.clear();
            increment /= INCREMENT_FACTOR;
        }
        self.row_of.fill(FREE);
    }

    /// An auction step for each free row: it takes its cheapest column, lowers that price until the
    /// second cheapest is as good, and sets the former owner free.
    fn reduce_rows(&mut self) {
        let mut free: Vec<usize> = (0..self.n).filter(|&i| self.column_of[i] == FREE).collect();
        // Equal or nearly equal costs can make two rows undercut each other in tiny steps; what is
        // left after so many bids is done by augmentation.
        let mut bids = 4 * free.len();
        while let Some(i) = free.pop() {
            if bids == 0 {
                return;
            }
            bids -= 1;
            let [(least, mut j), (next, other)] = self.two_least(i);
            if next > least {
                self.price[j] -= next - least;
            } else if self.row_of[j] != FREE {
                if self.row_of[other] != FREE {
                    continue; // a tie of two owned columns is left to augmentation
                }
                j = other;
            }
            let former = self.row_of[j];
            if former != FREE {
                self.column_of[former] = FREE;
                free.push(former);
            }
            self.link(i, j);
        }
    }

    /// The least and second least reduced cost of row `i`, with their columns. For n = 1 there is
    /// no second one, and its cost is infinite.
    fn two_least(&self, i: usize) -> [(f64, usize); 2] {
        let mut first = (f64::INFINITY, FREE);
        let mut second = (f64::INFINITY, FREE);
        for (j, (c, p)) in self.row(i).iter().zip(&self.price).enumerate() {
            let reduced = c - p;
            if reduced < second.0 {
                second = (reduced, j);
                if reduced < first.0 {
                    (first, second) = (second, first);
                }
            }
        }
        [first, second]
    }

    /// For each free row, the shortest alternating path to a free column in reduced costs.
    fn augment(&mut self) {
        let n = self.n;
        let mut distance = vec![0.0; n];
        let mut from = vec![0; n];
        // Columns that are not settled yet, and the settled ones in order.
        let mut open: Vec<usize> = Vec::with_capacity(n);
        let mut settled: Vec<usize> = Vec::with_capacity(n);

        for start in 0..n {
            if self.column_of[start] != FREE {
                continue;
            }
            open.clear();
            open.extend(0..n);
            settled.clear();
            distance.fill(f64::INFINITY);
            let (mut i, mut base) = (start, 0.0);
            let (end, length) = loop {
                // Relax the columns by row i, and find the nearest one.
                let row = self.row(i);
                let (mut nearest, mut at) = (f64::INFINITY, 0);
                for (position, &k) in open.iter().enumerate() {
                    let through = row[k] - self.price[k] - base;
                    if through < distance[k] {
                        distance[k] = through;
                        from[k] = i;
                    }
                    if distance[k] < nearest {
                        (nearest, at) = (distance[k], position);
                    }
                }
                let j = open.swap_remove(at);
                if self.row_of[j] == FREE {
                    break (j, nearest);
                }
                settled.push(j);
                i = self.row_of[j];
                base = self.row(i)[j] - self.price[j] - nearest;
            };
            for &j in &settled {
                self.price[j] += distance[j] - length;
            }
            let mut j = end;
            loop {
                let i = from[j];
                let before = self.column_of[i];
                self.link(i, j);
                if i == start {
                    break;
                }
                j = before;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::stats::distance_squared;

    fn total(cost: &[f64], n: usize, columns: &[usize]) -> f64 {
        let mut seen = vec![false; n];
        columns
            .iter()
            .enumerate()
            .map(|(i, &j)| {
                assert!(!std::mem::replace(&mut seen[j], true), "{columns:?}");
                cost[i * n + j]
            })
            .sum()
    }

    /// The least total over all permutations, by recursion over the rows.
    fn brute_force(cost: &[f64], n: usize, row: usize, used: u32) -> f64 {
        if row == n {
            return 0.0;
        }
        (0..n)
            .filter(|j| used >> j & 1 == 0)
            .map(|j| cost[row * n + j] + brute_force(cost, n, row + 1, used | 1 << j))
            .fold(f64::INFINITY, f64::min)
    }

    /// A fixed low-discrepancy-like set of numbers in [0, 1); the tests need no randomness.
    fn numbers(n: usize, offset: f64) -> Vec<f64> {
        (0..n)
            .map(|i| ((i as f64 + offset) * 78.233).sin() * 43_758.545)
            .map(|x| x - x.floor())
            .collect()
    }

    fn square(values: impl Strategy<Value = f64>) -> impl Strategy<Value = (usize, Vec<f64>)> {
        let values = proptest::collection::vec(values, 49);
        (1..=7usize, values).prop_map(|(n, v)| (n, v[..n * n].to_vec()))
    }

    proptest! {
        #[test]
        fn least_over_all_permutations((n, cost) in square(-5.0..5.0f64)) {
            let found = total(&cost, n, &assign(&cost, n));
            prop_assert!((found - brute_force(&cost, n, 0, 0)).abs() < 1e-12);
        }

        /// Small integers: many ties.
        #[test]
        fn least_with_ties((n, cost) in square((0..4i32).prop_map(f64::from))) {
            prop_assert_eq!(total(&cost, n, &assign(&cost, n)), brute_force(&cost, n, 0, 0));
        }

        #[test]
        fn symmetric(points in proptest::collection::vec(-3.0..3.0f64, 40)) {
            let (a, b) = points.split_at(20);
            prop_assert!((wasserstein2(a, b, 2) - wasserstein2(b, a, 2)).abs() < 1e-12);
        }
    }

    #[test]
    fn on_the_line_the_sorted_pairing_is_optimal() {
        let (mut a, mut b) = (numbers(300, 0.1), numbers(300, 1000.7));
        let found = wasserstein2(&a, &b, 1);
        a.sort_by(f64::total_cmp);
        b.sort_by(f64::total_cmp);
        let sorted = (distance_squared(&a, &b) / 300.0).sqrt();
        assert!((found - sorted).abs() < 1e-13, "{found} {sorted}");
    }

    #[test]
    fn a_translation_costs_its_length() {
        let a = numbers(3 * 100, 0.0);
        let c = [0.4, -1.2, 0.3];
        let b: Vec<f64> = a.iter().enumerate().map(|(i, x)| x + c[i % 3]).collect();
        let length = distance_squared(&c, &[0.0; 3]).sqrt();
        assert!((wasserstein2(&a, &b, 3) - length).abs() < 1e-12);
        assert_eq!(wasserstein2(&a, &a, 3), 0.0);
    }

    /// A larger matrix against the dual bound: Σ uᵢ + Σ vⱼ of any feasible prices is at most the
    /// optimum, and equal for the prices of an optimal solution.
    #[test]
    fn optimal_by_duality() {
        let n = 200;
        let cost = numbers(n * n, 3.0);
        let columns = assign(&cost, n);
        // Bellman–Ford on the exchange graph: no cycle of exchanges may lower the total.
        let mut potential = vec![0.0; n];
        for round in 0..=n {
            let mut changed = false;
            for i in 0..n {
                for k in 0..n {
                    let gain = cost[i * n + columns[k]] - cost[k * n + columns[k]];
                    if potential[i] + gain < potential[k] - 1e-12 {
                        potential[k] = potential[i] + gain;
                        changed = true;
                    }
                }
            }
            if !changed {
                return;
            }
            assert!(round < n, "a cycle of exchanges lowers the cost");
        }
    }

    #[test]
    fn degenerate_sizes() {
        assert!(assign(&[], 0).is_empty());
        assert_eq!(assign(&[7.0], 1), [0]);
        assert_eq!(wasserstein2(&[], &[], 2), 0.0);
        let mut columns = assign(&[1.0; 400], 20);
        columns.sort_unstable();
        assert!(columns.into_iter().eq(0..20));
    }

    #[test]
    #[should_panic(expected = "finite costs, got NaN in row 1, column 0")]
    fn nan_is_refused() {
        assign(&[1.0, 2.0, f64::NAN, 0.0], 2);
    }
}
