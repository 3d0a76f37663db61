use burn::module::Module;
use burn::tensor::Tensor;
use fokker_kernels::{TokenNorm, gated_add, token_norm};

use super::{Attention, FeedForward, Init, Linear};

/// Added to the variance or the mean square of a token.
const EPSILON: f64 = 1e-6;

/// Normalisation of tokens without weights of its own.
pub(crate) fn plain_norm(
    x: Tensor<3>,
    kind: TokenNorm,
    modulation: Option<(Tensor<2>, Tensor<2>)>,
) -> Tensor<3> {
    token_norm(x, kind, None, None, EPSILON, modulation)
}

/// A transformer block that is told its condition by adaptive normalisation with gates that start at zero (adaLN-Zero):
///
/// x ← x + g₁·attention(norm(x)(1 + s₁) + b₁),  x ← x + g₂·mlp(norm(x)(1 + s₂) + b₂)
///
/// with (b₁, s₁, g₁, b₂, s₂, g₂), in this order, a linear map of the condition that is zero before training: at first the block
/// is the identity. Source: Peebles and Xie, *Scalable diffusion models with transformers*, 2023.
#[derive(Module, Debug)]
pub struct AdaLnBlock {
    /// The attention.
    pub attn: Attention,
    /// The perceptron.
    pub mlp: FeedForward,
    /// `[width]` → the six modulations, `[6·width]`.
    pub modulation: Linear,
    #[module(skip)]
    norm: TokenNorm,
    // ε of the norm before the perceptron.
    epsilon: f64,
}

impl AdaLnBlock {
    /// A block of these parts.
    pub fn new(attn: Attention, mlp: FeedForward, norm: TokenNorm, init: &mut Init) -> Self {
        let width = attn.proj.weight.dims()[0];
        Self {
            attn,
            mlp,
            modulation: Linear::zero(width, 6 * width, init),
            norm,
            epsilon: EPSILON,
        }
    }

    /// The same with another ε in the norm before the perceptron than the usual 10⁻⁶.
    pub fn with_epsilon(self, epsilon: f64) -> Self {
        Self { epsilon, ..self }
    }

    /// Tokens `[batch, tokens, width]` and conditions `[batch, width]` → tokens.
    pub fn forward(&self, x: Tensor<3>, c: Tensor<2>) -> Tensor<3> {
        let [b1, s1, g1, b2, s2, g2] = parts(self.modulation.forward(c));
        let h = plain_norm(x.clone(), self.norm, Some((s1, b1)));
        let x = gated_add(x, self.attn.forward(h), g1);
        let h = token_norm(
            x.clone(),
            self.norm,
            None,
            None,
            self.epsilon,
            Some((s2, b2)),
        );
        gated_add(x, self.mlp.forward(h), g2)
    }
}

/// `N` equal parts of the last axis.
pub(crate) fn parts<const N: usize>(m: Tensor<2>) -> [Tensor<2>; N] {
    let width = m.dims()[1] / N;
    std::array::from_fn(|i| m.clone().narrow(1, i * width, width))
}
