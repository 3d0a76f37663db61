use burn::module::Module;
use burn::tensor::Tensor;
use fokker_kernels::self_attention;

use super::{Init, Linear};

/// Multi-head self-attention: softmax(q kᵀ/√d) v with q, k, v from one linear map and another map after it.
///
/// Source: Vaswani et al., *Attention is all you need*, 2017.
#[derive(Module, Debug)]
pub struct Attention {
    /// `[width]` → q, k and v side by side, `[3·width]`.
    pub qkv: Linear,
    /// `[width]` → `[width]`.
    pub proj: Linear,
    heads: usize,
}

impl Attention {
    /// Attention of `heads` heads whose linear maps `layer` makes.
    pub fn new(
        width: usize,
        heads: usize,
        layer: fn(usize, usize, &mut Init) -> Linear,
        init: &mut Init,
    ) -> Self {
        assert!(
            heads > 0 && width.is_multiple_of(heads),
            "expected a number of heads that divides the width {width}, got {heads}"
        );
        Self {
            qkv: layer(width, 3 * width, init),
            proj: layer(width, width, init),
            heads,
        }
    }

    /// `[batch, tokens, width]` → the same.
    pub fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        self.proj
            .forward(self_attention(self.qkv.forward(x), self.heads))
    }
}
