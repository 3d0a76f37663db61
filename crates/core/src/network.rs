use burn::module::Module;
use burn::tensor::{Device, Int, Tensor, TensorData};

use crate::State;

/// Class labels of a batch, `[batch]`; the index one past the last class is ∅, "no class".
pub type Labels = Tensor<1, Int>;

/// A trainable function of state, time and class: what a flow or diffusion model learns.
///
/// What the output means (velocity, data, noise …) is decided by the training recipe, not here.
pub trait Network: Module {
    /// Evaluates the network.
    ///
    /// # Shapes
    /// - `x`: `[batch, dim]`
    /// - `t`: `[batch]`, times in \[0, 1\]
    /// - `y`: `[batch]`, class labels, or `None` for a network without classes
    /// - output: `[batch, dim]`
    fn forward(&self, x: State, t: Tensor<1>, y: Option<Labels>) -> State;
}

/// Uploads class labels.
pub fn labels(values: &[u32], device: &Device) -> Labels {
    let values: Vec<i32> = values.iter().map(|&v| v as i32).collect();
    let count = values.len();
    Tensor::from_data(TensorData::new(values, [count]), device)
}
