use burn::module::Module;
use burn::tensor::Tensor;
use fokker_core::{Labels, Network, State};
use fokker_kernels::silu;
use serde::{Deserialize, Serialize};

use crate::layers::{
    AdaLnHead, ClassEmbedding, Init, JointBlock, Linear, Patches, Rotary, TextEmbedding, TextTable,
    TimestepEmbedder, told,
};

/// A multimodal diffusion transformer (MM-DiT): tokens of the image and of its text in joint attention, each kind with weights of
/// its own.
///
/// Time, and the pooled vector of the text or the class, go through adaLN-Zero. Queries and keys have RMS norms. Places are
/// rotary: rows and columns for the image; a text's tokens all stand at the first place, as in Flux, for the encoder has told them
/// their order already. In the last block the text is looked at only. Without texts it is a class-conditional transformer.
///
/// # Weights
/// Names beside those of the blocks of diffusers' `SD3Transformer2DModel` and `FluxTransformer2DModel`; linear weights are
/// transposed:
///
/// | here | there |
/// |---|---|
/// | `patches.proj` | `pos_embed.proj` (`[width, c, p, p]`, flattened) |
/// | `time.fc1`, `time.fc2` | `time_text_embed.timestep_embedder.linear_1`, `.linear_2` |
/// | `class.table` | none |
/// | `text.tokens`, `text.pooled` | `context_embedder`; `time_text_embed.text_embedder` has two maps |
/// | `text.null_token`, `text.null_pooled` | none |
/// | `blocks.N.image.modulation`, `.text.modulation` | `transformer_blocks.N.norm1.linear`, `.norm1_context.linear` (of the last block: scale before shift) |
/// | `blocks.N.image.q.map`, `.k.map`, `.v.map`, `.proj` | `.attn.to_q`, `.to_k`, `.to_v`, `.to_out.0` |
/// | `blocks.N.image.q.gamma`, `.k.gamma` | `.attn.norm_q.weight`, `.norm_k.weight` |
/// | `blocks.N.text.q.map`, `.k.map`, `.v.map`, `.proj` | `.attn.add_q_proj`, `.add_k_proj`, `.add_v_proj`, `.to_add_out` |
/// | `blocks.N.text.q.gamma`, `.k.gamma` | `.attn.norm_added_q.weight`, `.norm_added_k.weight` |
/// | `blocks.N.image.mlp.fc1`, `.fc2`, `.text.mlp.fc1`, `.fc2` | `.ff.net.0.proj`, `.ff.net.2`, `.ff_context.net.0.proj`, `.ff_context.net.2` |
/// | `head.modulation`, `head.linear` | `norm_out.linear` (scale before shift), `proj_out` |
///
/// Source: Esser et al., *Scaling rectified flow transformers for high-resolution image synthesis*, 2024.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MmDiTConfig {
    /// Pixels a side of the patch that becomes one token.
    pub patch: usize,
    /// Numbers of a token.
    pub width: usize,
    /// Blocks.
    pub depth: usize,
    /// Heads of the attention; they divide the width into multiples of four.
    pub heads: usize,
    /// Hidden numbers of a block's perceptrons, in widths.
    pub mlp_ratio: usize,
    /// What time is multiplied by before its sinusoidal features.
    pub time_scale: f64,
    /// Numbers of the vectors of the texts that labels stand for; 0: labels are classes.
    pub text: usize,
}

impl Default for MmDiTConfig {
    /// Patch 2, width 256, six blocks, without texts: a network for 32 pixels on few cores.
    fn default() -> Self {
        Self {
            patch: 2,
            width: 256,
            depth: 6,
            heads: 4,
            mlp_ratio: 4,
            time_scale: 1000.0,
            text: 0,
        }
    }
}

impl MmDiTConfig {
    fn block(&self) -> [usize; 3] {
        [self.width, self.heads, self.mlp_ratio]
    }

    /// Of block `i`: does it have texts, and is it the last?
    fn text_of(&self, i: usize) -> Option<bool> {
        (self.text > 0).then_some(i + 1 == self.depth)
    }

    /// The number of parameters of the network that [`init`](Self::init) makes of the same arguments.
    pub fn num_params(&self, image: [usize; 3], outputs: usize, classes: usize) -> usize {
        let (c, d, p) = (image[0], self.width, self.patch);
        let labels = match (self.text, classes) {
            (0, 0) => 0,
            (0, classes) => (classes + 1) * d,
            (text, _) => TextEmbedding::count(text, d),
        };
        let blocks = (0..self.depth).map(|i| JointBlock::count(self.block(), self.text_of(i)));
        (c * p * p + 1) * d
            + TimestepEmbedder::count(d)
            + labels
            + blocks.sum::<usize>()
            + AdaLnHead::count(d, p, c * outputs)
    }

    /// A network for images of `[channels, height, width]` and `classes` classes (0: none), putting out `outputs` images, one
    /// after the other. With texts, `classes` does not matter.
    ///
    /// # Panics
    /// If height or width is not a multiple of the patch, or the heads do not divide the width into multiples of four.
    pub fn init(
        &self,
        image: [usize; 3],
        outputs: usize,
        classes: usize,
        init: &mut Init,
    ) -> MmDiT {
        let ([c, h, w], d, p) = (image, self.width, self.patch);
        assert!(
            p > 0 && h.is_multiple_of(p) && w.is_multiple_of(p),
            "expected height and width in multiples of the patch {p}, got {h}×{w}"
        );
        let patches = Patches::new(p, Linear::xavier(c * p * p, d, init));
        let time = TimestepEmbedder::new(d, self.time_scale, init);
        let with_classes = classes > 0 && self.text == 0;
        let class = with_classes.then(|| ClassEmbedding::scaled(classes, d, 0.02, init));
        let text = (self.text > 0).then(|| TextEmbedding::new(self.text, d, init));
        let blocks = (0..self.depth).map(|i| JointBlock::new(self.block(), self.text_of(i), init));
        let blocks = blocks.collect();
        MmDiT {
            patches,
            time,
            class,
            text,
            blocks,
            head: AdaLnHead::new(d, p, c * outputs, init),
            places: Rotary::new(d / self.heads, [h / p, w / p], init.device()),
            image,
        }
    }
}

/// The network of [`MmDiTConfig`].
#[derive(Module, Debug)]
pub struct MmDiT {
    patches: Patches,
    time: TimestepEmbedder,
    class: Option<ClassEmbedding>,
    text: Option<TextEmbedding>,
    blocks: Vec<JointBlock>,
    head: AdaLnHead,
    places: Rotary,
    image: [usize; 3],
}

impl MmDiT {
    /// Does it have texts rather than classes?
    pub fn wants_text(&self) -> bool {
        self.text.is_some()
    }

    /// Puts other texts in the place of those known so far.
    ///
    /// # Panics
    /// If the network was made without texts, or for texts of another width.
    pub fn set_texts(&mut self, table: TextTable) {
        let text = self.text.as_mut();
        text.expect("this network was made without texts")
            .set(table);
    }
}

impl Network for MmDiT {
    fn forward(&self, x: State, t: Tensor<1>, y: Option<Labels>) -> State {
        let rows = x.dims()[0];
        let [channels, height, width] = self.image;
        let (vector, text) = told(self.class.as_ref(), self.text.as_ref(), y);
        let mut c = self.time.forward(t);
        if let Some(vector) = vector {
            c = c + vector;
        }
        let c = silu(c);
        let mut text = text.map(|text| (text.tokens, text.lengths));
        let x = x.reshape([rows, channels, height, width]);
        let mut x = self.patches.forward(x);
        for block in &self.blocks {
            (x, text) = block.forward(x, text, &c, &self.places);
        }
        self.head.forward(x, c, [height, width]).flatten(1, 3)
    }
}
