use std::cell::OnceCell;
use std::ops::Range;

use burn::tensor::{DType, Device, Tensor, TensorData};

use super::Guidance;
use crate::State;

/// The weights w of a batch's rows.
pub(super) enum Weights {
    /// One for all.
    Same(f64),
    /// One each, as `[rows, 1]` tensors (w, 1 − w) from the first use on: only then are device and type known.
    Rows(Vec<f64>, Box<OnceCell<[State; 2]>>),
}

impl Weights {
    /// Those of `samples`. All the guidance's weights decide whether they are equal, not only this batch's:
    /// a sample must not depend on its company.
    pub(super) fn new(guidance: &Guidance, samples: Range<u64>) -> Self {
        let first = guidance.weight(0);
        match guidance.weights.iter().all(|&w| w == first) {
            true => Self::Same(first),
            false => Self::Rows(
                samples.map(|i| guidance.weight(i)).collect(),
                Box::default(),
            ),
        }
    }

    /// Are all of them `w`?
    pub(super) fn are(&self, w: f64) -> bool {
        matches!(self, Self::Same(same) if *same == w)
    }

    /// w x
    pub(super) fn given(&self, x: State) -> State {
        match self {
            Self::Same(w) => x.mul_scalar(*w),
            Self::Rows(w, on) => x.clone() * rows(w, on, &x)[0].clone(),
        }
    }

    /// (1 − w) x
    pub(super) fn rest(&self, x: State) -> State {
        match self {
            Self::Same(w) => x.mul_scalar(1.0 - w),
            Self::Rows(w, on) => x.clone() * rows(w, on, &x)[1].clone(),
        }
    }

    /// (1 − w) null + w given
    pub(super) fn mix(&self, given: State, null: State) -> State {
        self.rest(null) + self.given(given)
    }
}

/// Puts w and 1 − w where `x` is, once.
fn rows<'a>(w: &[f64], on: &'a OnceCell<[State; 2]>, x: &State) -> &'a [State; 2] {
    on.get_or_init(|| {
        assert_eq!(
            w.len(),
            x.dims()[0],
            "guidance weights for a batch of another size"
        );
        let place: (Device, DType) = (x.device(), x.dtype());
        let column = |f: fn(f64) -> f64| {
            let values: Vec<f64> = w.iter().map(|w| f(*w)).collect();
            Tensor::from_data(TensorData::new(values, [w.len(), 1]), (&place.0, place.1))
        };
        [column(|w| w), column(|w| 1.0 - w)]
    })
}
