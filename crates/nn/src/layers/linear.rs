use burn::module::{Module, Param};
use burn::tensor::Tensor;
use fokker_kernels::Activation;

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

    /// A layer with W ~ U(−k, k), k = √(6/(in + out)) (Glorot and Bengio, 2010), and b = 0.
    pub fn xavier(input: usize, output: usize, init: &mut Init) -> Self {
        let k = (6.0 / (input + output) as f64).sqrt();
        Self {
            weight: init.uniform([input, output], k),
            bias: init.constant([output], 0.0),
        }
    }

    /// A layer with W ~ N(0, std²) and b = 0.
    pub fn normal(input: usize, output: usize, std: f64, init: &mut Init) -> Self {
        Self {
            weight: init.normal([input, output], std),
            bias: init.constant([output], 0.0),
        }
    }

    /// `[.., in]` → `[.., out]`.
    pub fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        fokker_kernels::linear(x, self.weight.val(), Some(self.bias.val()))
    }

    /// The same and an activation after it.
    pub fn forward_act<const D: usize>(&self, x: Tensor<D>, activation: Activation) -> Tensor<D> {
        fokker_kernels::linear_act(x, self.weight.val(), Some(self.bias.val()), activation)
    }
}
