use burn::module::Module;
use burn::tensor::Tensor;
use fokker_core::{Labels, Network, State};
use fokker_kernels::{Activation, TokenNorm, silu};
use serde::{Deserialize, Serialize};

use crate::layers::{
    AdaLnBlock, Attention, ClassEmbedding, FeedForward, Init, Linear, Positions, TimestepEmbedder,
    parts, plain_norm, told,
};

/// A diffusion transformer for sequences, images of height one `[channels, 1, length]`: the blocks of [`DiT`](crate::DiT), a run of
/// `patch` places as a token, and fixed sines and cosines of the place.
///
/// # Weights
/// `proj`, `time.fc1`, `time.fc2`, `class.table`, `blocks.N.attn.qkv`, `.attn.proj`, `.mlp.fc1`, `.mlp.fc2`, `.modulation`,
/// `modulation` and `linear` (the head), as in [`DiTConfig`](crate::DiTConfig)'s table. The numbers of a token are `[channels, patch]`.
///
/// Sources: Peebles and Xie, *Scalable diffusion models with transformers*, 2023; Vaswani et al., 2017, for the positions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Transformer1dConfig {
    /// Places of the run that becomes one token.
    pub patch: usize,
    /// Numbers of a token, an even number.
    pub width: usize,
    /// Blocks.
    pub depth: usize,
    /// Heads of the attention; they divide the width.
    pub heads: usize,
    /// Hidden numbers of a block's perceptron, in widths.
    pub mlp_ratio: usize,
    /// What time is multiplied by before its sinusoidal features.
    pub time_scale: f64,
}

impl Default for Transformer1dConfig {
    /// Width 256, six blocks, every place a token.
    fn default() -> Self {
        Self {
            patch: 1,
            width: 256,
            depth: 6,
            heads: 4,
            mlp_ratio: 4,
            time_scale: 1000.0,
        }
    }
}

impl Transformer1dConfig {
    /// The number of parameters of the network that [`init`](Self::init) makes of the same arguments, but for the length, which
    /// does not matter.
    pub fn num_params(&self, channels: usize, outputs: usize, classes: usize) -> usize {
        let d = self.width;
        let maps = |input: usize, output: usize| (input + 1) * output;
        let hidden = self.mlp_ratio * d;
        let block =
            maps(d, 3 * d) + maps(d, d) + maps(d, hidden) + maps(hidden, d) + maps(d, 6 * d);
        let class = if classes > 0 { (classes + 1) * d } else { 0 };
        let numbers = channels * self.patch;
        let head = maps(d, 2 * d) + maps(d, numbers * outputs);
        maps(numbers, d) + TimestepEmbedder::count(d) + class + self.depth * block + head
    }

    /// A network for sequences of `[channels, length]` and `classes` classes (0: none), putting out `outputs` sequences, one
    /// after the other.
    ///
    /// # Panics
    /// If the length is not a multiple of the patch, the heads do not divide the width, or the width is odd.
    pub fn init(
        &self,
        [channels, length]: [usize; 2],
        outputs: usize,
        classes: usize,
        init: &mut Init,
    ) -> Transformer1d {
        let (d, p) = (self.width, self.patch);
        assert!(
            p > 0 && length.is_multiple_of(p),
            "expected a length in multiples of the patch {p}, got {length}"
        );
        let proj = Linear::xavier(channels * p, d, init);
        let time = TimestepEmbedder::new(d, self.time_scale, init);
        let class = (classes > 0).then(|| ClassEmbedding::scaled(classes, d, 0.02, init));
        let positions = Positions::line(d, length / p, init.device());
        let blocks = (0..self.depth).map(|_| {
            let attn = Attention::new(d, self.heads, Linear::xavier, init);
            let widths = [d, self.mlp_ratio * d, d];
            let mlp = FeedForward::new(widths, Activation::Gelu, Linear::xavier, init);
            AdaLnBlock::new(attn, mlp, TokenNorm::Layer, init)
        });
        Transformer1d {
            proj,
            time,
            class,
            positions,
            blocks: blocks.collect(),
            modulation: Linear::zero(d, 2 * d, init),
            linear: Linear::zero(d, channels * p * outputs, init),
            sequence: [channels, length],
            patch: p,
        }
    }
}

/// The network of [`Transformer1dConfig`].
#[derive(Module, Debug)]
pub struct Transformer1d {
    proj: Linear,
    time: TimestepEmbedder,
    class: Option<ClassEmbedding>,
    positions: Positions,
    blocks: Vec<AdaLnBlock>,
    modulation: Linear,
    linear: Linear,
    sequence: [usize; 2],
    patch: usize,
}

impl Network for Transformer1d {
    fn forward(&self, x: State, t: Tensor<1>, y: Option<Labels>) -> State {
        let rows = x.dims()[0];
        let ([channels, length], p) = (self.sequence, self.patch);
        let tokens = length / p;
        let (vector, _) = told(self.class.as_ref(), None, y);
        let mut c = self.time.forward(t);
        if let Some(vector) = vector {
            c = c + vector;
        }
        let c = silu(c);
        let x = x
            .reshape([rows, channels, tokens, p])
            .swap_dims(1, 2)
            .reshape([rows, tokens, channels * p]);
        let mut x = self.positions.add(self.proj.forward(x));
        for block in &self.blocks {
            x = block.forward(x, c.clone());
        }
        let [shift, scale] = parts(self.modulation.forward(c));
        let x = self
            .linear
            .forward(plain_norm(x, TokenNorm::Layer, Some((scale, shift))));
        let outputs = x.dims()[2] / p;
        x.reshape([rows, tokens, outputs, p])
            .swap_dims(1, 2)
            .reshape([rows, outputs * length])
    }
}
