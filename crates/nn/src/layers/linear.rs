use burn::module::{Module, Param};
use burn::tensor::Tensor;

use super::Init;

/// y = x W + b with W of shape `[in, out]`, initially U(−k, k) with k = 1/√in (as in PyTorch).
#[derive(Module, Debug)]
pub struct Linear {
    /// W, `[in, out]`.
    pub weight: Param<Tensor<2>>,
    /// b, `[out]`.
    pub bias: Param<Tensor<1>>,
}

impl Linear {
    /// A layer from `input` to `output` numbers.
    pub fn new(input: usize, output: usize, init: &mut Init) -> Self {
        let k = (input as f64).sqrt().recip();
        Self {
            weight: init.uniform([input, output], k),
            bias: init.uniform([output], k),
        }
    }

    /// A layer whose output is zero until it is trained.
    pub fn zero(input: usize, output: usize, init: &mut Init) -> Self {
        Self {
            weight: init.constant([input, output], 0.0),
            bias: init.constant([output], 0.0),
        }
    }

    /// `[batch, in]` → `[batch, out]`.
    pub fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        fokker_kernels::linear(x, self.weight.val(), Some(self.bias.val()))
    }
}
