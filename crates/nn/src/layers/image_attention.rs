use burn::module::Module;
use burn::tensor::Tensor;
use fokker_kernels::{attention, attention_within};

use super::{GroupNorm, Init, Linear, Text};

/// Attention of the pixels of an image, to each other or to the tokens of a text:
///
/// x + W_o softmax(q kᵀ/√d) v with q = W_q norm(x), and k and v of norm(x) or of the text. W_o is zero before training.
///
/// Source: Ho et al., 2020, and Dhariwal and Nichol, *Diffusion models beat GANs on image synthesis*, 2021; to a text as in
/// Rombach et al., *High-resolution image synthesis with latent diffusion models*, 2022.
#[derive(Module, Debug)]
pub struct ImageAttention {
    /// Over the groups of channels of the pixels, where there is one.
    pub norm: Option<GroupNorm>,
    /// `[channels]` → `[channels]`.
    pub q: Linear,
    /// `[channels]`, or a token's width, → `[channels]`.
    pub k: Linear,
    /// As `k`.
    pub v: Linear,
    /// `[channels]` → `[channels]`.
    pub proj: Linear,
    heads: usize,
}

impl ImageAttention {
    /// Attention of `heads` heads on `channels` channels; `text` is the width of the tokens that are attended to, if any.
    ///
    /// # Panics
    /// If the heads do not divide the channels.
    pub fn new(
        channels: usize,
        text: Option<usize>,
        heads: usize,
        norm: Option<GroupNorm>,
        init: &mut Init,
    ) -> Self {
        assert!(
            heads > 0 && channels.is_multiple_of(heads),
            "expected a number of heads that divides the {channels} channels, got {heads}"
        );
        let source = text.unwrap_or(channels);
        Self {
            norm,
            q: Linear::new(channels, channels, init),
            k: Linear::new(source, channels, init),
            v: Linear::new(source, channels, init),
            proj: Linear::zero(channels, channels, init),
            heads,
        }
    }

    /// Its number of parameters, those of its norm if it has one included.
    pub fn count(channels: usize, text: Option<usize>, norm: bool) -> usize {
        let source = text.unwrap_or(channels);
        let maps = 2 * (channels + 1) * channels + 2 * (source + 1) * channels;
        maps + if norm { 2 * channels } else { 0 }
    }

    /// `[batch, channels, height, width]` → the same.
    pub fn forward(&self, x: Tensor<4>, text: Option<&Text>) -> Tensor<4> {
        let [b, c, height, width] = x.dims();
        let h = match &self.norm {
            Some(norm) => norm.forward(x.clone(), None, false),
            None => x.clone(),
        };
        // One copy for all three maps.
        let h = h.reshape([b, c, height * width]).swap_dims(1, 2);
        let split = |t: Tensor<3>| {
            let [b, n, _] = t.dims();
            t.reshape([b, n, self.heads, c / self.heads])
        };
        let q = split(self.q.forward(h.clone()));
        let source = text.map_or(h, |text| text.tokens.clone());
        let k = split(self.k.forward(source.clone()));
        let v = split(self.v.forward(source));
        let h = match text {
            Some(text) => attention_within(q, k, v, text.lengths.clone()),
            None => attention(q, k, v),
        };
        let h = self.proj.forward(h.reshape([b, height * width, c]));
        x + h.swap_dims(1, 2).reshape([b, c, height, width])
    }
}
