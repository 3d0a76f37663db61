//! The pairs of one class by each method.

use super::coupling::Class;
use super::{Batch, Method, Plan, Sinkhorn, TransportError, Unbalanced, assign, squared_distances};

/// Sweeps and tolerance of a plan that is only drawn from: the noise of a draw is far larger.
const MAX_ITERATIONS: usize = 1000;
const TOLERANCE: f64 = 1e-3;

/// As many pairs (place in `rows0`, place in `rows1`) as `rows1` has rows, and the plan's error.
pub(super) fn within(
    method: Method,
    batch: &Batch<'_>,
    class: &Class,
    uniforms: &[f64],
) -> Result<(Vec<(usize, usize)>, f64), TransportError> {
    let (n, m) = (class.rows0.len(), class.rows1.len());
    // Rows of the matrix are data and its columns noise: the draws then read along rows.
    let cost = || cost(batch, class);
    match method {
        Method::Independent => Ok(((0..m).map(|j| (j, j)).collect(), 0.0)),
        Method::Optimal => {
            let columns = assign(&cost()?, m);
            Ok((
                columns
                    .into_iter()
                    .enumerate()
                    .map(|(j, i)| (i, j))
                    .collect(),
                0.0,
            ))
        }
        Method::Entropic { epsilon } => {
            let cost = cost()?;
            let sinkhorn = Sinkhorn {
                max_iterations: MAX_ITERATIONS,
                tolerance: TOLERANCE,
                ..Sinkhorn::new(epsilon.of(mean(&cost)))
            };
            // The noise is the side that is exact only in the limit; each data row is normalised.
            let plan = accept(sinkhorn.solve(&cost, m, n, None, None))?;
            let rows = plan.values.chunks_exact(n).zip(uniforms);
            let drawn = rows.map(|(row, &u)| draw(row, u * row.iter().sum::<f64>()));
            Ok((drawn.enumerate().map(|(j, i)| (i, j)).collect(), plan.error))
        }
        Method::Unbalanced { epsilon, rho } => {
            let cost = cost()?;
            let mean = mean(&cost);
            let rho = rho.of(mean);
            let unbalanced = Unbalanced {
                max_iterations: MAX_ITERATIONS,
                tolerance: TOLERANCE,
                ..Unbalanced::new(epsilon.of(mean), rho)
            };
            let plan = accept(unbalanced.solve(&cost, m, n, None, None))?;
            let sums = plan.row_sums();
            let total: f64 = sums.iter().sum();
            if total <= 0.0 {
                return Err(TransportError::NoMass { rho });
            }
            let pair = |u: &f64| {
                let mut rest = u * total;
                let j = draw(&sums, rest);
                rest -= sums[..j].iter().sum::<f64>();
                (draw(&plan.values[j * n..(j + 1) * n], rest), j)
            };
            Ok((uniforms.iter().map(pair).collect(), plan.error))
        }
    }
}

/// The plan, converged or not.
fn accept(solved: Result<Plan, TransportError>) -> Result<Plan, TransportError> {
    match solved {
        Err(TransportError::NotConverged { plan, .. }) => Ok(*plan),
        other => other,
    }
}

/// The index at which the running sum of `weights` passes `target`; never one of weight 0.
fn draw(weights: &[f64], target: f64) -> usize {
    let mut sum = 0.0;
    let mut last = 0;
    for (i, &w) in weights.iter().enumerate() {
        if w > 0.0 {
            sum += w;
            last = i;
            if sum > target {
                break;
            }
        }
    }
    last
}

/// |x₁ⱼ − x₀ᵢ|², data by rows and noise by columns.
fn cost(batch: &Batch<'_>, class: &Class) -> Result<Vec<f64>, TransportError> {
    let gather = |x: &[f32], rows: &[usize]| -> Vec<f64> {
        let point = |&row: &usize| &x[row * batch.dim..(row + 1) * batch.dim];
        rows.iter().flat_map(point).map(|&x| f64::from(x)).collect()
    };
    let (x0, x1) = (
        gather(batch.x0, &class.rows0),
        gather(batch.x1, &class.rows1),
    );
    let cost = squared_distances(&x1, &x0, batch.dim);
    let n = class.rows0.len();
    match cost.iter().position(|c| !c.is_finite()) {
        None => Ok(cost),
        Some(at) => Err(TransportError::Cost {
            row: class.rows1[at / n],
            column: class.rows0[at % n],
            value: cost[at],
        }),
    }
}

fn mean(cost: &[f64]) -> f64 {
    cost.iter().sum::<f64>() / cost.len() as f64
}
