use burn::module::Module;
use burn::tensor::Tensor;
use fokker_core::State;
use fokker_kernels::{silu, upsample2x};
use serde::{Deserialize, Serialize};

use crate::autoencoder::{Autoencoder, Posterior};
use crate::layers::{Attention, Conv2d, GroupNorm, Init, Linear};

/// The course's variational autoencoder: convolutions down to a small image of many channels, and up again.
///
/// - encoder: conv3 to the finest channels; for each level a stage, and conv3 of stride 2 to the next; conv1 to mean and
///   log-variance, side by side;
/// - decoder: conv3; for each level, coarsest first, a stage, and nearest doubling with conv3 to the next; conv3 to the pixels;
/// - stage: residual blocks, then attention over all pixels;
/// - residual block: x + conv1(SiLU(conv3(norm(x)))), attention: x + proj(attention(norm(x))) with one head; both norms take all
///   channels as one group, and the last map of each is zero before training, so that a stage is the identity then.
///
/// With the defaults, for 1×32×32, the latent is 128×4×4 and the network has 1,425,985 parameters. The course's own is told to
/// have 1,438,531; what is told of it leaves open the maps around the latent and inside the attention.
///
/// Source: Kingma and Welling, *Auto-encoding variational Bayes*, 2014; attention in it as in Rombach et al., 2022.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct VaeConfig {
    /// Channels of each level, finest first; every further level halves the resolution. The last is the latent's.
    pub channels: Vec<usize>,
    /// Residual blocks of a stage.
    pub blocks: usize,
}

impl Default for VaeConfig {
    fn default() -> Self {
        Self {
            channels: vec![16, 32, 64, 128],
            blocks: 2,
        }
    }
}

impl VaeConfig {
    /// The number that the height and the width of an image must be multiples of.
    pub fn multiple(&self) -> usize {
        1 << self.channels.len().saturating_sub(1)
    }

    /// The shape of the latent of images of `[channels, height, width]`.
    pub fn latent(&self, image: [usize; 3]) -> [usize; 3] {
        let (m, last) = (self.multiple(), self.channels.len() - 1);
        [self.channels[last], image[1] / m, image[2] / m]
    }

    /// An autoencoder of images of `[channels, height, width]`.
    ///
    /// # Panics
    /// If height or width is not a multiple of [`multiple`](Self::multiple).
    pub fn init(&self, image: [usize; 3], init: &mut Init) -> Vae {
        let (multiple, ch) = (self.multiple(), &self.channels);
        assert!(
            image[1].is_multiple_of(multiple) && image[2].is_multiple_of(multiple),
            "expected height and width in multiples of {multiple}, got {}×{}",
            image[1],
            image[2]
        );
        let last = ch[ch.len() - 1];
        let stem = Conv2d::new([image[0], ch[0]], 3, 1, init);
        let level = |c: usize, next: Option<usize>, stride: usize, init: &mut Init| Level {
            blocks: (0..self.blocks).map(|_| Residual::new(c, init)).collect(),
            attention: ImageAttention::new(c, init),
            resample: next.map(|next| Conv2d::new([c, next], 3, stride, init)),
        };
        let coarser = |i: usize| ch.get(i + 1).copied();
        let finer = |i: usize| i.checked_sub(1).map(|j| ch[j]);
        let levels = ch.iter().enumerate();
        let down = levels.clone().map(|(i, &c)| level(c, coarser(i), 2, init));
        let down = down.collect();
        let moments = Conv2d::new([last, 2 * last], 1, 1, init);
        let latent = Conv2d::new([last, last], 3, 1, init);
        let up = levels.rev().map(|(i, &c)| level(c, finer(i), 1, init));
        let up = up.collect();
        Vae {
            stem,
            down,
            moments,
            latent,
            up,
            head: Conv2d::new([ch[0], image[0]], 3, 1, init),
            image,
            code: self.latent(image),
        }
    }
}

/// The network of [`VaeConfig`].
#[derive(Module, Debug)]
pub struct Vae {
    stem: Conv2d,
    down: Vec<Level>,
    moments: Conv2d,
    latent: Conv2d,
    up: Vec<Level>,
    head: Conv2d,
    image: [usize; 3],
    code: [usize; 3],
}

impl Autoencoder for Vae {
    fn image(&self) -> [usize; 3] {
        self.image
    }

    fn latent(&self) -> [usize; 3] {
        self.code
    }

    fn encode(&self, x: State) -> Posterior {
        let [c, height, width] = self.image;
        let rows = x.dims()[0];
        let mut h = self.stem.forward(x.reshape([rows, c, height, width]));
        for level in &self.down {
            h = level.stage(h);
            if let Some(down) = &level.resample {
                h = down.forward(h);
            }
        }
        let moments = self.moments.forward(h).flatten::<2>(1, 3);
        let latent = self.latent_size();
        Posterior {
            mean: moments.clone().narrow(1, 0, latent),
            log_variance: moments.narrow(1, latent, latent),
        }
    }

    fn decode(&self, z: State) -> State {
        let [c, height, width] = self.code;
        let rows = z.dims()[0];
        let mut h = self.latent.forward(z.reshape([rows, c, height, width]));
        for level in &self.up {
            h = level.stage(h);
            if let Some(up) = &level.resample {
                h = up.forward(upsample2x(h));
            }
        }
        self.head.forward(h).flatten(1, 3)
    }
}

/// The stage of one resolution and the convolution that leaves it.
#[derive(Module, Debug)]
struct Level {
    blocks: Vec<Residual>,
    attention: ImageAttention,
    resample: Option<Conv2d>,
}

impl Level {
    fn stage(&self, x: Tensor<4>) -> Tensor<4> {
        let x = self.blocks.iter().fold(x, |x, block| block.forward(x));
        self.attention.forward(x)
    }
}

/// x + conv1(SiLU(conv3(norm(x)))).
#[derive(Module, Debug)]
struct Residual {
    norm: GroupNorm,
    conv_in: Conv2d,
    conv_out: Conv2d,
}

impl Residual {
    fn new(channels: usize, init: &mut Init) -> Self {
        Self {
            norm: GroupNorm::new(channels, 1, init),
            conv_in: Conv2d::new([channels; 2], 3, 1, init),
            conv_out: Conv2d::zero([channels; 2], 1, init),
        }
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let h = self
            .conv_in
            .forward(self.norm.forward(x.clone(), None, false));
        x + self.conv_out.forward(silu(h))
    }
}

/// x + proj(attention(norm(x))) of all pixels to each other.
#[derive(Module, Debug)]
struct ImageAttention {
    norm: GroupNorm,
    attention: Attention,
}

impl ImageAttention {
    fn new(channels: usize, init: &mut Init) -> Self {
        let norm = GroupNorm::new(channels, 1, init);
        let mut attention = Attention::new(channels, 1, Linear::new, init);
        attention.proj = Linear::zero(channels, channels, init);
        Self { norm, attention }
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let [b, c, h, w] = x.dims();
        let tokens = self.norm.forward(x.clone(), None, false);
        let tokens = tokens.reshape([b, c, h * w]).swap_dims(1, 2);
        let told = self.attention.forward(tokens);
        x + told.swap_dims(1, 2).reshape([b, c, h, w])
    }
}
