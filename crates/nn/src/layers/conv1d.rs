use burn::module::{Module, Param};
use burn::tensor::{Tensor, ops::PadMode};

use super::Init;

/// A convolution along the width of images of height one, sequences, with "same" padding (kernel/2), initially U(−k, k) with
/// k = 1/√(in·kernel) (as in PyTorch).
#[derive(Module, Debug)]
pub struct Conv1d {
    /// `[out, in, 1, kernel]`.
    pub weight: Param<Tensor<4>>,
    /// `[out]`.
    pub bias: Param<Tensor<1>>,
    stride: usize,
}

impl Conv1d {
    /// A convolution from `input` to `output` channels.
    pub fn new([input, output]: [usize; 2], kernel: usize, stride: usize, init: &mut Init) -> Self {
        let k = ((input * kernel) as f64).sqrt().recip();
        Self {
            weight: init.uniform([output, input, 1, kernel], k),
            bias: init.uniform([output], k),
            stride,
        }
    }

    /// A stride-1 convolution whose output is zero until it is trained.
    pub fn zero([input, output]: [usize; 2], kernel: usize, init: &mut Init) -> Self {
        Self {
            weight: init.constant([output, input, 1, kernel], 0.0),
            bias: init.constant([output], 0.0),
            stride: 1,
        }
    }

    /// Its number of parameters.
    pub fn count([input, output]: [usize; 2], kernel: usize) -> usize {
        (input * kernel + 1) * output
    }

    /// `[batch, in, 1, length]` → `[batch, out, 1, ⌈length/stride⌉]`.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let weight = self.weight.val();
        // The operation pads both axes alike; here only one has neighbours.
        let pad = weight.dims()[3] / 2;
        let x = match pad {
            0 => x,
            pad => x.pad((pad, pad, 0, 0), PadMode::Constant(0.0)),
        };
        fokker_kernels::conv2d(x, weight, Some(self.bias.val()), self.stride, 0)
    }
}
