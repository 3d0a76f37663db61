use burn::module::Module;
use burn::tensor::Tensor;
use burn::tensor::ops::PadMode;
use fokker_core::State;
use fokker_kernels::upsample2x;
use serde::{Deserialize, Serialize};

use crate::autoencoder::{Autoencoder, Posterior};
use crate::layers::{Attention, Conv2d, GroupNorm, Init, Linear};

/// The autoencoder of latent diffusion in its public layout (`AutoencoderKL` of diffusers), whose weights load.
///
/// - encoder: conv3 to the finest channels; for each level residual blocks, then conv3 of stride 2 to the next size; residual
///   block, attention, residual block; norm, SiLU, conv3 and conv1 to mean and log-variance;
/// - decoder: conv1, conv3 to the coarsest channels; residual block, attention, residual block; for each level, coarsest
///   first, one residual block more than the encoder has, then nearest doubling and conv3; norm, SiLU, conv3 to the pixels;
/// - residual block: s(x) + conv3(SiLU(norm(conv3(SiLU(norm(x)))))), s a conv1 where the channels change.
///
/// A convolution of stride 2 pads at the right and the bottom only. Log-variances are kept within −30 and 20.
///
/// | weights | configuration | latent of 3×256×256 | parameters |
/// |---|---|---|---|
/// | `stabilityai/sd-vae-ft-mse` and its kin | the default | 4×32×32 | 83,653,863 |
///
/// Source: Rombach et al., *High-resolution image synthesis with latent diffusion models*, 2022.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AutoencoderKlConfig {
    /// Channels of each level, finest first; every further level halves the resolution.
    pub channels: Vec<usize>,
    /// Residual blocks of a level of the encoder; the decoder's have one more.
    pub blocks: usize,
    /// Channels of the latent.
    pub latent_channels: usize,
    /// Groups of a norm; they divide all channels.
    pub groups: usize,
    /// Is there attention in the middle?
    pub attention: bool,
    /// Are there convolutions of kernel 1 on both sides of the latent?
    pub latent_maps: bool,
    /// The factor that brings latents to a variance of about one.
    pub scaling: f64,
    /// What is taken from them before.
    pub shift: f64,
}

impl Default for AutoencoderKlConfig {
    fn default() -> Self {
        Self {
            channels: vec![128, 256, 512, 512],
            blocks: 2,
            latent_channels: 4,
            groups: 32,
            attention: true,
            latent_maps: true,
            scaling: 0.18215,
            shift: 0.0,
        }
    }
}

impl AutoencoderKlConfig {
    /// The number that the height and the width of an image must be multiples of.
    pub fn multiple(&self) -> usize {
        1 << self.channels.len().saturating_sub(1)
    }

    /// The shape of the latent of images of `[channels, height, width]`.
    pub fn latent(&self, image: [usize; 3]) -> [usize; 3] {
        let m = self.multiple();
        [self.latent_channels, image[1] / m, image[2] / m]
    }

    /// The number of parameters of the autoencoder that [`init`](Self::init) makes of the same images.
    pub fn num_params(&self, image: [usize; 3]) -> usize {
        let conv = |i: usize, o: usize, k: usize| i * o * k * k + o;
        let (ch, z) = (&self.channels, self.latent_channels);
        let (first, last) = (ch[0], ch[ch.len() - 1]);
        let residual = |i: usize, o: usize| {
            let shortcut = if i == o { 0 } else { conv(i, o, 1) };
            2 * (i + o) + conv(i, o, 3) + conv(o, o, 3) + shortcut
        };
        let attention = if self.attention {
            2 * last + 4 * conv(last, last, 1)
        } else {
            0
        };
        let middle = 2 * residual(last, last) + attention;
        let ends = conv(image[0], first, 3) + 2 * last + conv(last, 2 * z, 3);
        let ends = ends + conv(z, last, 3) + 2 * first + conv(first, image[0], 3);
        let levels = ch.iter().enumerate().map(|(i, &c)| {
            let before = ch[i.saturating_sub(1)];
            let after = ch.get(i + 1).copied().unwrap_or(last);
            let down = residual(before, c) + (self.blocks - 1) * residual(c, c);
            let up = residual(after, c) + self.blocks * residual(c, c);
            let resampled = usize::from(i + 1 < ch.len()) + usize::from(i > 0);
            down + up + resampled * conv(c, c, 3)
        });
        let maps = if self.latent_maps {
            conv(2 * z, 2 * z, 1) + conv(z, z, 1)
        } else {
            0
        };
        ends + 2 * middle + levels.sum::<usize>() + maps
    }

    /// An autoencoder of images of `[channels, height, width]`.
    ///
    /// # Panics
    /// If height or width is not a multiple of [`multiple`](Self::multiple), or the groups do not divide the channels.
    pub fn init(&self, image: [usize; 3], init: &mut Init) -> AutoencoderKl {
        let (multiple, ch) = (self.multiple(), &self.channels);
        assert!(
            image[1].is_multiple_of(multiple) && image[2].is_multiple_of(multiple),
            "expected height and width in multiples of {multiple}, got {}×{}",
            image[1],
            image[2]
        );
        let (first, last, z) = (ch[0], ch[ch.len() - 1], self.latent_channels);
        let level = |[i, o]: [usize; 2], count: usize, stride: Option<usize>, init: &mut Init| {
            let blocks = (0..count)
                .map(|k| Residual::new([if k == 0 { i } else { o }, o], self.groups, init))
                .collect();
            let resample = stride.map(|stride| Conv2d::new([o, o], 3, stride, init));
            Level { blocks, resample }
        };
        let stem = Conv2d::new([image[0], first], 3, 1, init);
        let mut levels = Vec::new();
        for (i, &c) in ch.iter().enumerate() {
            let before = ch[i.saturating_sub(1)];
            let stride = (i + 1 < ch.len()).then_some(2);
            levels.push(level([before, c], self.blocks, stride, init));
        }
        let encoder = Half {
            stem,
            levels,
            middle: Middle::new(last, self, init),
            norm: GroupNorm::at_most(last, self.groups, EPSILON, init),
            head: Conv2d::new([last, 2 * z], 3, 1, init),
        };
        let moments = self
            .latent_maps
            .then(|| Conv2d::new([2 * z; 2], 1, 1, init));
        let latent = self.latent_maps.then(|| Conv2d::new([z; 2], 1, 1, init));
        let stem = Conv2d::new([z, last], 3, 1, init);
        let middle = Middle::new(last, self, init);
        let mut levels = Vec::new();
        for (i, &c) in ch.iter().enumerate().rev() {
            let after = ch.get(i + 1).copied().unwrap_or(last);
            let stride = (i > 0).then_some(1);
            levels.push(level([after, c], self.blocks + 1, stride, init));
        }
        let decoder = Half {
            stem,
            levels,
            middle,
            norm: GroupNorm::at_most(first, self.groups, EPSILON, init),
            head: Conv2d::new([first, image[0]], 3, 1, init),
        };
        AutoencoderKl {
            encoder,
            moments,
            latent,
            decoder,
            image,
            code: self.latent(image),
            scaling: self.scaling,
            shift: self.shift,
        }
    }
}

/// Added to a group's variance.
const EPSILON: f64 = 1e-6;
/// The bounds of log σ².
const LOG_VARIANCE: [f64; 2] = [-30.0, 20.0];

/// The network of [`AutoencoderKlConfig`].
#[derive(Module, Debug)]
pub struct AutoencoderKl {
    encoder: Half,
    moments: Option<Conv2d>,
    latent: Option<Conv2d>,
    decoder: Half,
    image: [usize; 3],
    code: [usize; 3],
    scaling: f64,
    shift: f64,
}

impl Autoencoder for AutoencoderKl {
    fn image(&self) -> [usize; 3] {
        self.image
    }

    fn latent(&self) -> [usize; 3] {
        self.code
    }

    fn encode(&self, x: State) -> Posterior {
        let [c, height, width] = self.image;
        let rows = x.dims()[0];
        let mut h = self
            .encoder
            .stem
            .forward(x.reshape([rows, c, height, width]));
        for level in &self.encoder.levels {
            h = level.stage(h);
            if let Some(down) = &level.resample {
                h = halve(h, down);
            }
        }
        h = self.encoder.finish(self.encoder.middle.forward(h));
        if let Some(moments) = &self.moments {
            h = moments.forward(h);
        }
        let (h, latent) = (h.flatten::<2>(1, 3), self.latent_size());
        let [low, high] = LOG_VARIANCE;
        Posterior {
            mean: h.clone().narrow(1, 0, latent),
            log_variance: h.narrow(1, latent, latent).clamp(low, high),
        }
    }

    fn decode(&self, z: State) -> State {
        let [c, height, width] = self.code;
        let rows = z.dims()[0];
        let mut h = z.reshape([rows, c, height, width]);
        if let Some(latent) = &self.latent {
            h = latent.forward(h);
        }
        h = self.decoder.middle.forward(self.decoder.stem.forward(h));
        for level in &self.decoder.levels {
            h = level.stage(h);
            if let Some(up) = &level.resample {
                h = up.forward(upsample2x(h));
            }
        }
        self.decoder.finish(h).flatten(1, 3)
    }

    fn scaling(&self) -> f64 {
        self.scaling
    }

    fn shift(&self) -> f64 {
        self.shift
    }
}

/// A convolution of stride 2 over images padded by one at the right and the bottom.
fn halve(x: Tensor<4>, conv: &Conv2d) -> Tensor<4> {
    let x = x.pad((0, 1, 0, 1), PadMode::Constant(0.0));
    fokker_kernels::conv2d(x, conv.weight.val(), Some(conv.bias.val()), 2, 0)
}

/// The encoder or the decoder: the same parts, in another order.
#[derive(Module, Debug)]
struct Half {
    stem: Conv2d,
    levels: Vec<Level>,
    middle: Middle,
    norm: GroupNorm,
    head: Conv2d,
}

impl Half {
    fn finish(&self, x: Tensor<4>) -> Tensor<4> {
        self.head.forward(self.norm.forward(x, None, true))
    }
}

/// The residual blocks of one resolution and the convolution that leaves it.
#[derive(Module, Debug)]
struct Level {
    blocks: Vec<Residual>,
    resample: Option<Conv2d>,
}

impl Level {
    fn stage(&self, x: Tensor<4>) -> Tensor<4> {
        self.blocks.iter().fold(x, |x, block| block.forward(x))
    }
}

/// A residual block, attention over all pixels, another residual block.
#[derive(Module, Debug)]
struct Middle {
    before: Residual,
    norm: Option<GroupNorm>,
    attention: Option<Attention>,
    after: Residual,
}

impl Middle {
    fn new(channels: usize, config: &AutoencoderKlConfig, init: &mut Init) -> Self {
        let before = Residual::new([channels; 2], config.groups, init);
        let norm = config
            .attention
            .then(|| GroupNorm::at_most(channels, config.groups, EPSILON, init));
        let attention = config
            .attention
            .then(|| Attention::new(channels, 1, Linear::new, init));
        let after = Residual::new([channels; 2], config.groups, init);
        Self {
            before,
            norm,
            attention,
            after,
        }
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let mut x = self.before.forward(x);
        if let (Some(norm), Some(attention)) = (&self.norm, &self.attention) {
            let [b, c, h, w] = x.dims();
            let tokens = norm.forward(x.clone(), None, false);
            let told = attention.forward(tokens.reshape([b, c, h * w]).swap_dims(1, 2));
            x = x + told.swap_dims(1, 2).reshape([b, c, h, w]);
        }
        self.after.forward(x)
    }
}

/// s(x) + conv(SiLU(norm(conv(SiLU(norm(x)))))).
#[derive(Module, Debug)]
struct Residual {
    norm_in: GroupNorm,
    conv_in: Conv2d,
    norm_out: GroupNorm,
    conv_out: Conv2d,
    shortcut: Option<Conv2d>,
}

impl Residual {
    fn new([input, output]: [usize; 2], groups: usize, init: &mut Init) -> Self {
        Self {
            norm_in: GroupNorm::at_most(input, groups, EPSILON, init),
            conv_in: Conv2d::new([input, output], 3, 1, init),
            norm_out: GroupNorm::at_most(output, groups, EPSILON, init),
            conv_out: Conv2d::new([output, output], 3, 1, init),
            shortcut: (input != output).then(|| Conv2d::new([input, output], 1, 1, init)),
        }
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let h = self.norm_in.forward(x.clone(), None, true);
        let h = self.norm_out.forward(self.conv_in.forward(h), None, true);
        let h = self.conv_out.forward(h);
        match &self.shortcut {
            Some(shortcut) => shortcut.forward(x) + h,
            None => x + h,
        }
    }
}
