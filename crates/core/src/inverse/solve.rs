use crate::State;

/// What solving (σ² + A V Aᵀ) u = b came to, row by row.
pub(super) struct Solved {
    /// u, `[rows, m]`.
    pub(super) u: State,
    /// V Aᵀ u, `[rows, d]`.
    pub(super) spread: State,
}

/// Conjugate gradients (Hestenes and Stiefel 1952), every row by itself, from u = 0 in a fixed number of
/// iterations, so that a row does not depend on its company. Exact after as many iterations as the
/// matrix has different eigenvalues.
///
/// `spread` of u is V Aᵀ u and `apply` is A; `None` where `spread` is. A row that has nowhere to go (no
/// residual, or a direction without positive curvature, which a learned V may have) stays.
pub(super) fn conjugate_gradients(
    spread: impl Fn(State) -> Option<State>,
    apply: impl Fn(State) -> State,
    variance: f64,
    b: State,
    iterations: usize,
) -> Option<Solved> {
    let mut solved: Option<Solved> = None;
    let (mut residual, mut direction) = (b.clone(), b.clone());
    let mut square = dot(&b, &b);
    for _ in 0..iterations {
        let spread = spread(direction.clone())?;
        let image = direction.clone().mul_scalar(variance) + apply(spread.clone());
        let step = ratio(&square, dot(&direction, &image));
        residual = residual - image * step.clone();
        let (du, ds) = (direction.clone() * step.clone(), spread * step);
        solved = Some(match solved {
            None => Solved { u: du, spread: ds },
            Some(before) => Solved {
                u: before.u + du,
                spread: before.spread + ds,
            },
        });
        let next = dot(&residual, &residual);
        direction = residual.clone() + direction * ratio(&next, square);
        square = next;
    }
    solved
}

/// aᵀb of every row, `[rows, 1]`.
fn dot(a: &State, b: &State) -> State {
    (a.clone() * b.clone()).sum_dim(1)
}

/// a/b, and 0 where b is not positive.
fn ratio(a: &State, b: State) -> State {
    let none = b.clone().lower_equal_elem(0.0);
    (a.clone() / b.mask_fill(none.clone(), 1.0)).mask_fill(none, 0.0)
}
