//! The iteration behind entropic transport, balanced and unbalanced: potentials in the log domain.

use super::{Plan, TransportError, log_sum_exp};

/// Costs above this many ε leave no digits to the potentials.
const LARGEST_RATIO: f64 = 1e11;
/// On the way to a small ε, each stage halves it and is solved roughly.
const STAGE_FACTOR: f64 = 0.5;
const STAGE_TOLERANCE: f64 = 1e-2;
const STAGE_ITERATIONS: usize = 50;

/// What is solved: the marginals are exact for an infinite ρ.
pub(super) struct Settings {
    pub(super) epsilon: f64,
    pub(super) rho: f64,
    pub(super) max_iterations: usize,
    pub(super) tolerance: f64,
    pub(super) scaling: bool,
}

impl Settings {
    fn check(&self) -> Result<(), TransportError> {
        let parameter = |name, value: f64, range, fine| {
            if fine {
                Ok(())
            } else {
                Err(TransportError::Parameter { name, range, value })
            }
        };
        let positive = self.epsilon > 0.0 && self.epsilon.is_finite();
        parameter("epsilon", self.epsilon, "positive and finite", positive)?;
        parameter("rho", self.rho, "positive", self.rho > 0.0)?;
        let range = "at least 0 and finite";
        let fine = self.tolerance >= 0.0 && self.tolerance.is_finite();
        parameter("the tolerance", self.tolerance, range, fine)
    }
}

/// One side's weights and potential.
struct Side {
    weight: Vec<f64>,
    log_weight: Vec<f64>,
    potential: Vec<f64>,
}

impl Side {
    fn new(side: &'static str, n: usize, weight: Option<&[f64]>) -> Result<Side, TransportError> {
        let weight = match weight {
            None => vec![1.0 / n as f64; n],
            Some(weight) => weight.to_vec(),
        };
        if weight.len() != n {
            let got = weight.len();
            return Err(TransportError::WeightCount {
                side,
                expected: n,
                got,
            });
        }
        let bad = |w: &f64| !(*w >= 0.0 && w.is_finite());
        let bad = weight.iter().position(bad);
        if let Some(at) = bad.or_else(|| weight.iter().all(|&w| w == 0.0).then_some(0)) {
            return Err(TransportError::Weight {
                side,
                at,
                value: weight[at],
            });
        }
        Ok(Side {
            log_weight: weight.iter().map(|w| w.ln()).collect(),
            potential: vec![0.0; n],
            weight,
        })
    }

    /// ln wᵢ + potentialᵢ/ε.
    fn shift(&self, inv: f64, out: &mut Vec<f64>) {
        out.clear();
        out.extend(
            self.log_weight
                .iter()
                .zip(&self.potential)
                .map(|(w, p)| w + p * inv),
        );
    }

    /// Σᵢ wᵢ exp(−potentialᵢ/ρ), as a logarithm.
    fn log_mass(&self, rho: f64) -> f64 {
        let mut out = [0.0];
        log_sum_exp::of_rows(&self.potential, &self.log_weight, 1.0 / rho, &mut out);
        out[0]
    }
}

/// Solves for the potentials f, g of Pᵢⱼ = aᵢ bⱼ exp((fᵢ + gⱼ − Cᵢⱼ)/ε):
/// fᵢ = −τε lnΣⱼ bⱼ exp((gⱼ − Cᵢⱼ)/ε) and the same for g in turn, with τ = ρ/(ρ + ε).
pub(super) fn solve(
    settings: &Settings,
    cost: &[f64],
    (n, m): (usize, usize),
    a: Option<&[f64]>,
    b: Option<&[f64]>,
) -> Result<Plan, TransportError> {
    settings.check()?;
    if n == 0 || m == 0 {
        return Err(TransportError::Empty { n, m });
    }
    if Some(cost.len()) != n.checked_mul(m) {
        return Err(TransportError::Shape {
            n,
            m,
            got: cost.len(),
        });
    }
    let largest = largest(cost, m)?;
    if largest > LARGEST_RATIO * settings.epsilon {
        return Err(TransportError::Epsilon {
            epsilon: settings.epsilon,
            largest,
        });
    }
    let (rows, columns) = (
        Side::new("the rows", n, a)?,
        Side::new("the columns", m, b)?,
    );
    let balanced = settings.rho.is_infinite();
    if balanced {
        let [a, b] = [&rows, &columns].map(|side| side.weight.iter().sum::<f64>());
        if (a - b).abs() > 1e-9 * a.max(b) {
            return Err(TransportError::Totals { a, b });
        }
    }
    let mut state = State {
        cost,
        rho: settings.rho,
        rows,
        columns,
        shift: Vec::with_capacity(n.max(m)),
        most: vec![0.0; m],
        next: vec![0.0; n],
        iterations: 0,
    };
    let mut error = f64::INFINITY;
    for (epsilon, tolerance, limit) in stages(settings, largest) {
        let limit = settings
            .max_iterations
            .min(state.iterations.saturating_add(limit));
        error = state.descend(epsilon, tolerance, limit);
    }
    let mut plan = state.plan(settings.epsilon);
    plan.error = error;
    if error <= settings.tolerance {
        Ok(plan)
    } else {
        let plan = Box::new(plan);
        Err(TransportError::NotConverged {
            error,
            tolerance: settings.tolerance,
            plan,
        })
    }
}

/// The largest |cost|, all of which must be finite.
fn largest(cost: &[f64], m: usize) -> Result<f64, TransportError> {
    if let Some(at) = cost.iter().position(|c| !c.is_finite()) {
        let (row, column, value) = (at / m, at % m, cost[at]);
        return Err(TransportError::Cost { row, column, value });
    }
    Ok(cost.iter().fold(0.0, |most, c| c.abs().max(most)))
}

/// (ε, tolerance, iterations) of each stage; the last one is the problem asked for.
fn stages(settings: &Settings, largest: f64) -> Vec<(f64, f64, usize)> {
    let mut stages = Vec::new();
    let mut epsilon = STAGE_FACTOR * largest;
    while settings.scaling && epsilon * STAGE_FACTOR > settings.epsilon {
        let tolerance = STAGE_TOLERANCE.max(settings.tolerance);
        stages.push((epsilon, tolerance, STAGE_ITERATIONS));
        epsilon *= STAGE_FACTOR;
    }
    stages.push((settings.epsilon, settings.tolerance, usize::MAX));
    stages
}

struct State<'a> {
    cost: &'a [f64],
    rho: f64,
    rows: Side,
    columns: Side,
    shift: Vec<f64>,
    most: Vec<f64>,
    next: Vec<f64>,
    iterations: usize,
}

impl State<'_> {
    /// Sweeps until the error is at most `tolerance` or `limit` sweeps were made in all; the error.
    fn descend(&mut self, epsilon: f64, tolerance: f64, limit: usize) -> f64 {
        let inv = 1.0 / epsilon;
        // τε, which is ε for exact marginals.
        let step = epsilon / (1.0 + epsilon / self.rho);
        self.update_columns(inv, step);
        loop {
            self.columns.shift(inv, &mut self.shift);
            log_sum_exp::of_rows(self.cost, &self.shift, inv, &mut self.next);
            self.next.iter_mut().for_each(|f| *f *= -step);
            let error = self.error(inv);
            if error <= tolerance || self.iterations >= limit {
                return error;
            }
            std::mem::swap(&mut self.rows.potential, &mut self.next);
            self.update_columns(inv, step);
            self.iterations += 1;
        }
    }

    fn update_columns(&mut self, inv: f64, step: f64) {
        self.rows.shift(inv, &mut self.shift);
        let g = &mut self.columns.potential;
        log_sum_exp::of_columns(self.cost, &self.shift, inv, &mut self.most, g);
        g.iter_mut().for_each(|g| *g *= -step);
        if self.rho.is_finite() {
            // f + λ, g − λ leave the plan as it is but change what the marginals cost; the best λ in
            // closed form, without which total mass settles at the slow rate τ² (Séjourné, Vialard &
            // Peyré, Faster unbalanced optimal transport, AISTATS 2022).
            let excess = self.rows.log_mass(self.rho) - self.columns.log_mass(self.rho);
            let shift = 0.5 * self.rho * excess;
            self.rows.potential.iter_mut().for_each(|f| *f += shift);
            self.columns.potential.iter_mut().for_each(|g| *g -= shift);
        }
    }

    /// How far the rows are from their next potential. Balanced: Σ|Pᵢ· − a|/Σa, as the columns are exact
    /// and exp((f − next)/ε) is the ratio of row sum and weight. Otherwise: the largest change of f/ε.
    fn error(&self, inv: f64) -> f64 {
        let change = self
            .rows
            .potential
            .iter()
            .zip(&self.next)
            .map(|(f, next)| (f - next) * inv);
        if self.rho.is_finite() {
            return change.fold(0.0, |most, c| c.abs().max(most));
        }
        let missing = change.zip(&self.rows.weight).filter(|(_, w)| **w > 0.0);
        let missing: f64 = missing.map(|(c, w)| w * c.exp_m1().abs()).sum();
        missing / self.rows.weight.iter().sum::<f64>()
    }

    fn plan(mut self, epsilon: f64) -> Plan {
        let (n, m) = (self.rows.weight.len(), self.columns.weight.len());
        let inv = 1.0 / epsilon;
        self.rows.shift(inv, &mut self.shift);
        let mut columns = Vec::with_capacity(m);
        self.columns.shift(inv, &mut columns);
        let mut values = vec![0.0; n * m];
        log_sum_exp::plan(self.cost, &self.shift, &columns, inv, &mut values);
        let mut plan = Plan {
            cost: values.iter().zip(self.cost).map(|(p, c)| p * c).sum(),
            values,
            rows: n,
            columns: m,
            f: self.rows.potential,
            g: self.columns.potential,
            iterations: self.iterations,
            marginal_error: 0.0,
            error: 0.0,
        };
        let missing = |sums: Vec<f64>, weight: &[f64]| -> f64 {
            sums.iter().zip(weight).map(|(s, w)| (s - w).abs()).sum()
        };
        plan.marginal_error = missing(plan.row_sums(), &self.rows.weight)
            + missing(plan.column_sums(), &self.columns.weight);
        plan
    }
}
