use burn::module::Module;
use burn::tensor::Tensor;
use fokker_kernels::Activation;

use super::{Init, Linear};

/// Two linear maps with an activation between them, for every token by itself.
#[derive(Module, Debug)]
pub struct FeedForward {
    /// `[input]` → `[hidden]`.
    pub fc1: Linear,
    /// `[hidden]` → `[output]`.
    pub fc2: Linear,
    #[module(skip)]
    activation: Activation,
}

impl FeedForward {
    /// Maps between `widths` = \[input, hidden, output\] numbers, made by `layer`.
    pub fn new(
        widths: [usize; 3],
        activation: Activation,
        layer: fn(usize, usize, &mut Init) -> Linear,
        init: &mut Init,
    ) -> Self {
        let [input, hidden, output] = widths;
        Self {
            fc1: layer(input, hidden, init),
            fc2: layer(hidden, output, init),
            activation,
        }
    }

    /// `[batch, tokens, input]` → `[batch, tokens, output]`.
    pub fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        self.fc2.forward(self.fc1.forward_act(x, self.activation))
    }
}
