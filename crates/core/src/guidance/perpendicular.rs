use std::cell::RefCell;

use crate::State;

/// The running sum Δ + m Δ_before of guidance differences along one walk.
#[derive(Default)]
pub(super) struct Momentum(RefCell<Option<(f64, State)>>);

impl Momentum {
    /// Adds the difference at time `t`. A time before the last one's is the start of another walk, or of a
    /// jump back in this one: what was gathered is forgotten.
    fn add(&self, m: f64, t: f64, difference: State) -> State {
        if m == 0.0 {
            return difference;
        }
        let mut memory = self.0.borrow_mut();
        let sum = match memory.take() {
            Some((before, sum)) if before <= t && sum.dims() == difference.dims() => {
                difference + sum.mul_scalar(m)
            }
            _ => difference,
        };
        *memory = Some((t, sum.clone()));
        sum
    }

    /// Δ⊥ + η Δ∥ with Δ = given − null, after momentum and the limit on its norm; ∥ is along `given`.
    pub(super) fn update(
        &self,
        [eta, norm, m]: [f64; 3],
        t: f64,
        given: &State,
        null: State,
    ) -> State {
        let mut difference = self.add(m, t, given.clone() - null);
        if norm.is_finite() {
            let size = square(&difference).sqrt();
            difference = difference * size.recip().mul_scalar(norm).clamp_max(1.0);
        }
        if eta == 1.0 {
            return difference;
        }
        let along = (difference.clone() * given.clone()).sum_dim(1);
        // A row of zeros has no direction, and nothing is along it.
        let length = square(given);
        let none = length.clone().equal_elem(0.0);
        let parallel = given.clone() * (along / length.mask_fill(none, 1.0));
        difference - parallel.mul_scalar(1.0 - eta)
    }
}

/// |x|² of every row, `[rows, 1]`.
fn square(x: &State) -> State {
    x.clone().powi_scalar(2).sum_dim(1)
}
