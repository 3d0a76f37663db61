use burn::module::{Module, Param};
use burn::tensor::Tensor;

use super::Init;

/// A 2-D convolution with a square kernel and "same" padding (kernel/2), initially U(−k, k) with
/// k = 1/√(in·kernel²) (as in PyTorch).
#[derive(Module, Debug)]
pub struct Conv2d {
    /// `[out, in, kernel, kernel]`.
    pub weight: Param<Tensor<4>>,
    /// `[out]`.
    pub bias: Param<Tensor<1>>,
    stride: usize,
}

impl Conv2d {
    /// A convolution from `input` to `output` channels.
    pub fn new([input, output]: [usize; 2], kernel: usize, stride: usize, init: &mut Init) -> Self {
        let k = ((input * kernel * kernel) as f64).sqrt().recip();
        Self {
            weight: init.uniform([output, input, kernel, kernel], k),
            bias: init.uniform([output], k),
            stride,
        }
    }

    /// A stride-1 convolution whose output is zero until it is trained.
    pub fn zero([input, output]: [usize; 2], kernel: usize, init: &mut Init) -> Self {
        Self {
            weight: init.constant([output, input, kernel, kernel], 0.0),
            bias: init.constant([output], 0.0),
            stride: 1,
        }
    }

    /// `[batch, in, height, width]` → `[batch, out, ⌈height/stride⌉, ⌈width/stride⌉]`.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let weight = self.weight.val();
        let padding = weight.dims()[2] / 2;
        fokker_kernels::conv2d(x, weight, Some(self.bias.val()), self.stride, padding)
    }
}
