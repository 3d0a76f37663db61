use burn::module::Module;
use burn::tensor::Tensor;
use fokker_core::{Labels, Network, State};
use fokker_kernels::{Activation, TokenNorm, silu};
use serde::{Deserialize, Serialize};

use crate::layers::{
    AdaLnBlock, AdaLnHead, Attention, ClassEmbedding, FeedForward, FoldHead, FourierTime, Init,
    Linear, Patches, Positions, TimestepEmbedder, plain_norm,
};

/// A diffusion transformer (DiT): patches of the image as tokens, and blocks that are told time and class by adaptive
/// normalisation with gates that start at zero.
///
/// Two arrangements of the same blocks ([`DiTForm`]) cover the published networks and the course's:
///
/// | network | configuration | parameters |
/// |---|---|---|
/// | DiT-S/2, B/2, L/2, XL/2 (learned σ: two outputs) on 4×32×32, 1,000 classes | [`small`](Self::small)`(2)` … | 32,865,056 · 130,315,808 · 457,840,672 · 674,834,720 |
/// | the course's DiT on 1×32×32, 10 classes | [`course`](Self::course)`(4)` | 9,918,843 |
/// | the course's latent DiT on 128×4×4 | [`course`](Self::course)`(1)` | 9,793,034 |
///
/// Published figures of the first row are 98,304 · 196,608 · 262,144 · 294,912 larger: they count the fixed positions.
///
/// # Weights
/// Names follow the public checkpoints of DiT and SiT; linear weights are transposed:
///
/// | here | there |
/// |---|---|
/// | `patches.proj` | `x_embedder.proj` (`[width, c, p, p]`, flattened) |
/// | `time.fc1`, `time.fc2` | `t_embedder.mlp.0`, `t_embedder.mlp.2` |
/// | `class.table` | `y_embedder.embedding_table.weight` |
/// | `blocks.N.attn.qkv`, `.proj` | `blocks.N.attn.qkv`, `.proj` |
/// | `blocks.N.mlp.fc1`, `.fc2` | `blocks.N.mlp.fc1`, `.fc2` |
/// | `blocks.N.modulation` | `blocks.N.adaLN_modulation.1` |
/// | `head.modulation`, `head.linear` | `final_layer.adaLN_modulation.1`, `final_layer.linear` |
/// | none (fixed positions) | `pos_embed` |
///
/// Source: Peebles and Xie, *Scalable diffusion models with transformers*, 2023; Ma et al., *SiT*, 2024.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DiTConfig {
    /// Which arrangement.
    pub form: DiTForm,
    /// Pixels a side of the patch that becomes one token.
    pub patch: usize,
    /// Numbers of a token.
    pub width: usize,
    /// Blocks.
    pub depth: usize,
    /// Heads of the attention; they divide the width.
    pub heads: usize,
    /// Hidden numbers of a block's perceptron, in widths.
    pub mlp_ratio: usize,
    /// What time is multiplied by before its sinusoidal features (original form): 1,000 as in DiT, 1 as in SiT.
    pub time_scale: f64,
}

/// The arrangement of a [`DiTConfig`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DiTForm {
    /// As published: sinusoidal time through a perceptron, fixed positions, layer norm, GELU, condition through SiLU, and
    /// a head of adaptive norm and one linear map ([`AdaLnHead`]).
    Original,
    /// The original as diffusers has it (`DiTTransformer2DModel`): ω_k = 10,000^(−k/127) instead of 10,000^(−k/128) in the
    /// features of time, and ε = 10⁻⁵ instead of 10⁻⁶ in the norm before a perceptron.
    Diffusers,
    /// As in the course: learned Fourier features of time added to the class, learned positions, RMS norm (of the
    /// condition too), SiLU, and a head of a perceptron and a convolution ([`FoldHead`]). All maps have biases.
    Course,
}

impl Default for DiTConfig {
    /// The original form, patch 2, width 384, depth 6: a network for 32 pixels on few cores.
    fn default() -> Self {
        Self {
            depth: 6,
            ..Self::small(2)
        }
    }
}

impl DiTConfig {
    fn published(patch: usize, [width, depth, heads]: [usize; 3]) -> Self {
        Self {
            form: DiTForm::Original,
            patch,
            width,
            depth,
            heads,
            mlp_ratio: 4,
            time_scale: 1000.0,
        }
    }

    /// DiT-S: width 384, 12 blocks, 6 heads. Published with patches of 2, 4 and 8.
    pub fn small(patch: usize) -> Self {
        Self::published(patch, [384, 12, 6])
    }

    /// DiT-B: width 768, 12 blocks, 12 heads.
    pub fn base(patch: usize) -> Self {
        Self::published(patch, [768, 12, 12])
    }

    /// DiT-L: width 1,024, 24 blocks, 16 heads.
    pub fn large(patch: usize) -> Self {
        Self::published(patch, [1024, 24, 16])
    }

    /// DiT-XL: width 1,152, 28 blocks, 16 heads.
    pub fn xlarge(patch: usize) -> Self {
        Self::published(patch, [1152, 28, 16])
    }

    /// The course's: width 256, 8 blocks, 8 heads. Patch 4 for pixels, 1 for latents.
    pub fn course(patch: usize) -> Self {
        Self {
            form: DiTForm::Course,
            ..Self::published(patch, [256, 8, 8])
        }
    }

    /// The number of parameters of the network that [`init`](Self::init) makes of the same arguments.
    pub fn num_params(&self, image: [usize; 3], outputs: usize, classes: usize) -> usize {
        let ([c, h, w], d, p) = (image, self.width, self.patch);
        let maps = |input: usize, output: usize| (input + 1) * output;
        let hidden = self.mlp_ratio * d;
        let block =
            maps(d, 3 * d) + maps(d, d) + maps(d, hidden) + maps(hidden, d) + maps(d, 6 * d);
        let class = if classes > 0 { (classes + 1) * d } else { 0 };
        let ends = match self.form {
            DiTForm::Original | DiTForm::Diffusers => {
                TimestepEmbedder::count(d) + AdaLnHead::count(d, p, c * outputs)
            }
            DiTForm::Course => d / 2 + (h / p) * (w / p) * d + FoldHead::count(d, p, c * outputs),
        };
        maps(c * p * p, d) + class + self.depth * block + ends
    }

    /// A network for images of `[channels, height, width]` and `classes` classes (0: none), putting out `outputs` images,
    /// one after the other.
    ///
    /// # Panics
    /// If height or width is not a multiple of the patch, the heads do not divide the width, or the width is no multiple of
    /// four (two in the course's form).
    pub fn init(&self, image: [usize; 3], outputs: usize, classes: usize, init: &mut Init) -> DiT {
        let ([c, h, w], d, p) = (image, self.width, self.patch);
        assert!(
            p > 0 && h.is_multiple_of(p) && w.is_multiple_of(p),
            "expected height and width in multiples of the patch {p}, got {h}×{w}"
        );
        let grid = [h / p, w / p];
        let course = self.form == DiTForm::Course;
        type Layer = fn(usize, usize, &mut Init) -> Linear;
        let (layer, norm, activation) = match self.form {
            DiTForm::Original | DiTForm::Diffusers => {
                (Linear::xavier as Layer, TokenNorm::Layer, Activation::Gelu)
            }
            DiTForm::Course => (Linear::new as Layer, TokenNorm::Rms, Activation::Silu),
        };
        let patches = Patches::new(p, layer(c * p * p, d, init));
        let time = match self.form {
            DiTForm::Original => Time::Sinusoidal(TimestepEmbedder::new(d, self.time_scale, init)),
            DiTForm::Diffusers => {
                Time::Sinusoidal(TimestepEmbedder::shifted(d, self.time_scale, 1.0, init))
            }
            DiTForm::Course => Time::Fourier(FourierTime::new(d, init)),
        };
        let spread = if course { 1.0 } else { 0.02 };
        let class = (classes > 0).then(|| ClassEmbedding::scaled(classes, d, spread, init));
        let positions = match self.form {
            DiTForm::Original | DiTForm::Diffusers => Positions::fixed(d, grid, init.device()),
            DiTForm::Course => Positions::learned(d, grid[0] * grid[1], init),
        };
        let blocks = (0..self.depth).map(|_| {
            let attn = Attention::new(d, self.heads, layer, init);
            let mlp = FeedForward::new([d, self.mlp_ratio * d, d], activation, layer, init);
            let block = AdaLnBlock::new(attn, mlp, norm, init);
            match self.form {
                DiTForm::Diffusers => block.with_epsilon(1e-5),
                _ => block,
            }
        });
        let blocks = blocks.collect();
        let head = match self.form {
            DiTForm::Original | DiTForm::Diffusers => {
                Head::AdaLn(AdaLnHead::new(d, p, c * outputs, init))
            }
            DiTForm::Course => Head::Fold(FoldHead::new(d, p, c * outputs, init)),
        };
        DiT {
            patches,
            time,
            class,
            positions,
            blocks,
            head,
            image,
        }
    }
}

/// The network of [`DiTConfig`].
#[derive(Module, Debug)]
pub struct DiT {
    patches: Patches,
    time: Time,
    class: Option<ClassEmbedding>,
    positions: Positions,
    blocks: Vec<AdaLnBlock>,
    head: Head,
    image: [usize; 3],
}

/// Time, and what is done to the condition before the blocks' maps read it.
#[derive(Module, Debug)]
#[allow(clippy::large_enum_variant)] // one in a network
enum Time {
    /// The condition goes through SiLU.
    Sinusoidal(TimestepEmbedder),
    /// The condition goes through RMS norm.
    Fourier(FourierTime),
}

#[derive(Module, Debug)]
enum Head {
    AdaLn(AdaLnHead),
    Fold(FoldHead),
}

impl DiT {
    /// What the blocks are told of time and class, `[batch, width]`.
    fn condition(&self, t: Tensor<1>, y: Option<Labels>) -> Tensor<2> {
        let mut c = match &self.time {
            Time::Sinusoidal(time) => time.forward(t),
            Time::Fourier(time) => time.forward(t),
        };
        if let Some(class) = &self.class {
            let y = y.expect("this network was made with classes: give it labels");
            c = c + class.forward(y);
        }
        match &self.time {
            Time::Sinusoidal(_) => silu(c),
            Time::Fourier(_) => {
                let [rows, width] = c.dims();
                let c = c.reshape([rows, 1, width]);
                plain_norm(c, TokenNorm::Rms, None).reshape([rows, width])
            }
        }
    }
}

impl Network for DiT {
    fn forward(&self, x: State, t: Tensor<1>, y: Option<Labels>) -> State {
        let rows = x.dims()[0];
        let [channels, height, width] = self.image;
        let c = self.condition(t, y);
        let x = x.reshape([rows, channels, height, width]);
        let mut x = self.positions.add(self.patches.forward(x));
        for block in &self.blocks {
            x = block.forward(x, c.clone());
        }
        let size = [height, width];
        let out = match &self.head {
            Head::AdaLn(head) => head.forward(x, c, size),
            Head::Fold(head) => head.forward(x, size),
        };
        out.flatten(1, 3)
    }
}
