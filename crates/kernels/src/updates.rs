//! Steps of an optimizer and of a moving average, each in one pass, and in place where nobody else holds the tensor.

use crate::extension::Updates;
use crate::raw::adamw::Step;
use crate::reference;
use crate::switch::{is_fast, is_tracked};
use burn::backend::Dispatch;
use burn::tensor::Tensor;

/// The settings of one step of AdamW.
#[derive(Clone, Copy, Debug)]
pub struct AdamwStep {
    /// Learning rate.
    pub lr: f64,
    /// β₁ and β₂.
    pub betas: [f32; 2],
    /// ε, added to √v̂.
    pub epsilon: f32,
    /// Decoupled weight decay.
    pub weight_decay: f32,
    /// The number of this step, counted from 1.
    pub time: usize,
}

impl AdamwStep {
    /// As the kernels use them; single precision where burn's own AdamW has it.
    pub(crate) fn numbers(&self) -> Step {
        let time = self.time as i32;
        Step {
            beta: self.betas,
            rest: self.betas.map(|b| 1.0 - b),
            bias: self.betas.map(|b| 1.0 - b.powi(time)),
            epsilon: self.epsilon,
            lr: self.lr as f32,
            keep: (1.0 - self.lr * f64::from(self.weight_decay)) as f32,
        }
    }
}

/// One step of AdamW (Loshchilov and Hutter 2019, arXiv:1711.05101) for one parameter; returns it and its moments:
///
/// m ⟵ β₁ m + (1 − β₁) g, v ⟵ β₂ v + (1 − β₂) g², p ⟵ (1 − lr λ) p − lr m̂ / (√v̂ + ε)
///
/// with m̂ = m / (1 − β₁ᵏ), v̂ = v / (1 − β₂ᵏ). Bit for bit the step of burn's own AdamW. `moments` is `None` before
/// the first step. No gradient flows through it: its tensors must not be tracked.
///
/// # Shapes
/// All alike.
///
/// # Panics
/// Where they are not.
pub fn adamw<const D: usize>(
    parameter: Tensor<D>,
    gradient: Tensor<D>,
    moments: Option<[Tensor<D>; 2]>,
    step: &AdamwStep,
) -> (Tensor<D>, [Tensor<D>; 2]) {
    let shape = parameter.dims();
    let alike = |t: &Tensor<D>| t.dims() == shape;
    assert!(
        alike(&gradient) && moments.iter().flatten().all(alike),
        "adamw: the gradient {:?} and the moments must have the parameter's shape {shape:?}",
        gradient.dims()
    );
    let takes = |t: &Tensor<D>| is_fast(t) && !is_tracked(t);
    if ![&parameter, &gradient]
        .into_iter()
        .chain(moments.iter().flatten())
        .all(takes)
    {
        return reference::adamw(parameter, gradient, moments, step);
    }
    let [first, second] = moments.unwrap_or_else(|| {
        let zeros = gradient.zeros_like();
        [zeros.clone(), zeros]
    });
    let (parameter, first, second) = Dispatch::fused_adamw(
        parameter.into_dispatch(),
        gradient.into_dispatch(),
        first.into_dispatch(),
        second.into_dispatch(),
        step.numbers(),
    );
    let [parameter, first, second] = [parameter, first, second].map(Tensor::from_dispatch);
    (parameter, [first, second])
}

/// Σ x², of which a gradient's norm is made. No gradient flows through it.
pub fn sum_of_squares<const D: usize>(x: Tensor<D>) -> f64 {
    if !is_fast(&x) || is_tracked(&x) {
        return reference::sum_of_squares(x);
    }
    Tensor::<1>::from_dispatch(Dispatch::fused_squares(x.into_dispatch())).into_scalar::<f64>()
}

/// d · old + (1 − d) · new, a step of an exponential moving average. No gradient flows through it.
///
/// # Panics
/// Where the shapes differ.
pub fn blend<const D: usize>(old: Tensor<D>, new: Tensor<D>, d: f64) -> Tensor<D> {
    assert!(
        old.dims() == new.dims(),
        "blend: shapes {:?} and {:?} differ",
        old.dims(),
        new.dims()
    );
    let takes = |t: &Tensor<D>| is_fast(t) && !is_tracked(t);
    if !(takes(&old) && takes(&new)) {
        return reference::blend(old, new, d);
    }
    Tensor::from_dispatch(Dispatch::fused_blend(
        old.into_dispatch(),
        new.into_dispatch(),
        d as f32,
        (1.0 - d) as f32,
    ))
}
