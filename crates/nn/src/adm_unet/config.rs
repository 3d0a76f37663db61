use serde::{Deserialize, Serialize};

use crate::layers::{GroupNorm, ImageAttention, Init, TextEmbedding, TimeFeatures};

/// The modern U-Net of images: residual blocks of group norms that are told time, class and text, skips that are concatenated,
/// attention at chosen levels, dropout.
///
/// One configuration covers the usual forms:
///
/// | network | configuration | parameters |
/// |---|---|---|
/// | DDPM on CIFAR-10, `google/ddpm-cifar10-32` | [`ddpm_cifar10`](Self::ddpm_cifar10) | 35,746,307 |
/// | ADM's, with scale and shift and blocks that resample | [`Modulation::ScaleShift`], [`Resampling::Block`] | |
/// | diffusers' `UNet2DModel` of `DownBlock2D`, `AttnDownBlock2D` and their counterparts up | the keys below, without text | |
/// | the same of `ResnetDownsampleBlock2D`, and `downsample_type = "resnet"` | [`Resampling::Block`] | |
///
/// With `text`, labels stand for texts and not for classes: the pooled vector is added to the embedding of time, and where
/// pixels attend to each other they attend to the text's tokens next.
///
/// # Weights
/// Names beside those of diffusers' `UNet2DModel`; linear weights are transposed, and the class table has a row more, for ∅:
///
/// | here | there |
/// |---|---|
/// | `time.fc1`, `time.fc2` | `time_embedding.linear_1`, `time_embedding.linear_2` |
/// | `class.table` | `class_embedding.weight` |
/// | `conv_in`, `conv_out` | `conv_in`, `conv_out` |
/// | `down.N.blocks.M`, `up.N.blocks.M` | `down_blocks.N.resnets.M`, `up_blocks.N.resnets.M` |
/// | `down.N.attns.M`, `up.N.attns.M` | `down_blocks.N.attentions.M`, `up_blocks.N.attentions.M` |
/// | `down.N.resample`, `up.N.resample` | `down_blocks.N.downsamplers.0.conv`, `up_blocks.N.upsamplers.0.conv` |
/// | the same with [`Resampling::Block`] | `down_blocks.N.downsamplers.0`, `up_blocks.N.upsamplers.0` |
/// | `middle.first`, `middle.attn`, `middle.second` | `mid_block.resnets.0`, `mid_block.attentions.0`, `mid_block.resnets.1` |
/// | `norm_out` | `conv_norm_out` |
/// | in a norm: `gamma`, `beta` | `weight`, `bias` |
/// | in a block: `norm1`, `conv1`, `embed`, `norm2`, `conv2`, `shortcut` | `norm1`, `conv1`, `time_emb_proj`, `norm2`, `conv2`, `conv_shortcut` |
/// | in an attention: `norm`, `q`, `k`, `v`, `proj` | `group_norm`, `to_q`, `to_k`, `to_v`, `to_out.0` |
/// | `text.tokens`, `.pooled`, `.null_token`, `.null_pooled`; `*.cross.M`, `middle.cross` | none |
///
/// Sources: Ho et al., *Denoising diffusion probabilistic models*, 2020; Dhariwal and Nichol, *Diffusion models beat GANs on
/// image synthesis*, 2021; Karras et al., *Elucidating the design space of diffusion-based generative models*, 2022.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AdmUNetConfig {
    /// Channels of each level, finest first; every further level halves the resolution.
    pub channels: Vec<usize>,
    /// Residual blocks of each level on the way down; one more on the way up.
    pub blocks: usize,
    /// Levels whose blocks are followed by attention, 0 the finest. The middle always has it.
    pub attention: Vec<usize>,
    /// Channels of a head of the attention; 0: one head.
    pub head_width: usize,
    /// Groups of the norms, or the next smaller number that divides the channels.
    pub groups: usize,
    /// ε in the norms' √(variance + ε).
    pub norm_epsilon: f64,
    /// How blocks are told the embedding.
    pub modulation: Modulation,
    /// How resolutions are halved and doubled.
    pub resample: Resampling,
    /// Does the middle's attention have a norm? It has none in `UNet2DModel`s with scale and shift.
    pub middle_norm: bool,
    /// Share of the values dropped before a block's second convolution in training; see [`Dropout`](crate::layers::Dropout).
    pub dropout: f64,
    /// What t is multiplied by before its sinusoidal features. Networks that count 1,000 steps of noise down to 0 at the data
    /// have −999 with a `time_offset` of 999.
    pub time_scale: f64,
    /// What is added then.
    pub time_offset: f64,
    /// 1 where the slowest feature of time has a frequency of exactly 1/10,000 (as in DDPM), else 0.
    pub time_shift: f64,
    /// Do the sines of time come before the cosines?
    pub sines_first: bool,
    /// Numbers of the vectors of the texts that labels stand for; 0: labels are classes.
    pub text: usize,
}

/// How blocks of an [`AdmUNetConfig`] are told the embedding, a linear map of which is for each channel:
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Modulation {
    /// added before the second norm.
    Shift,
    /// a scale and a shift after the second norm (adaptive group norm).
    ScaleShift,
}

/// How an [`AdmUNetConfig`] halves and doubles resolutions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Resampling {
    /// A 3×3 convolution of stride two; nearest doubling and a 3×3 convolution.
    Conv,
    /// The same, whose convolution down sees a line of zeros at the right and at the bottom only, as DDPM's does.
    ConvRight,
    /// A residual block whose inside and skip are averaged over 2×2 pixels or doubled (ADM).
    Block,
}

impl Default for AdmUNetConfig {
    /// Three levels of 64, 128 and 128 channels with attention at the second, scale and shift: a network for 32 pixels on few
    /// cores.
    fn default() -> Self {
        Self {
            channels: vec![64, 128, 128],
            blocks: 2,
            attention: vec![1],
            head_width: 64,
            groups: 32,
            norm_epsilon: 1e-5,
            modulation: Modulation::ScaleShift,
            resample: Resampling::Conv,
            middle_norm: true,
            dropout: 0.0,
            time_scale: 1000.0,
            time_offset: 0.0,
            time_shift: 0.0,
            sines_first: false,
            text: 0,
        }
    }
}

/// A residual block of the plan: its channels in and out, and whether attention follows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) input: usize,
    pub(super) output: usize,
    pub(super) attention: bool,
}

/// The blocks of one level and whether it ends in another resolution.
#[derive(Clone, Debug)]
pub(super) struct LevelPlan {
    pub(super) steps: Vec<Step>,
    pub(super) resampled: bool,
}

impl AdmUNetConfig {
    /// DDPM's network on 32×32 colour images, as `google/ddpm-cifar10-32` has it.
    pub fn ddpm_cifar10() -> Self {
        Self {
            channels: vec![128, 256, 256, 256],
            attention: vec![1],
            head_width: 0,
            norm_epsilon: 1e-6,
            modulation: Modulation::Shift,
            resample: Resampling::ConvRight,
            dropout: 0.1,
            time_scale: -999.0,
            time_offset: 999.0,
            time_shift: 1.0,
            sines_first: true,
            ..Self::default()
        }
    }

    /// The number that the height and the width of an image must be multiples of.
    pub fn multiple(&self) -> usize {
        1 << self.channels.len().saturating_sub(1)
    }

    /// Numbers of the embedding of time, class and text.
    pub fn embedding(&self) -> usize {
        4 * self.channels[0]
    }

    pub(super) fn features(&self) -> TimeFeatures {
        TimeFeatures {
            count: self.channels[0],
            scale: self.time_scale,
            offset: self.time_offset,
            shift: self.time_shift,
            sines_first: self.sines_first,
        }
    }

    pub(super) fn norm(&self, channels: usize, init: &mut Init) -> GroupNorm {
        GroupNorm::at_most(channels, self.groups, self.norm_epsilon, init)
    }

    /// Heads of an attention on `channels` channels.
    pub(super) fn heads(&self, channels: usize) -> usize {
        match self.head_width {
            0 => 1,
            width => {
                assert!(
                    channels.is_multiple_of(width),
                    "expected heads whose width divides the {channels} channels, got {width}"
                );
                channels / width
            }
        }
    }

    /// The levels on the way down, finest first, and on the way up, coarsest first.
    pub(super) fn plan(&self) -> [Vec<LevelPlan>; 2] {
        let mut channels = self.channels[0];
        let mut skips = vec![channels];
        let levels = self.channels.len();
        let mut down = Vec::new();
        for (i, &output) in self.channels.iter().enumerate() {
            let attention = self.attention.contains(&i);
            let steps = (0..self.blocks).map(|_| {
                let input = std::mem::replace(&mut channels, output);
                skips.push(output);
                Step {
                    input,
                    output,
                    attention,
                }
            });
            let steps = steps.collect();
            let resampled = i + 1 < levels;
            if resampled {
                skips.push(output);
            }
            down.push(LevelPlan { steps, resampled });
        }
        let mut up = Vec::new();
        for (i, &output) in self.channels.iter().enumerate().rev() {
            let attention = self.attention.contains(&i);
            let steps = (0..=self.blocks).map(|_| {
                let skip = skips.pop().expect("a skip for every block up");
                let input = std::mem::replace(&mut channels, output) + skip;
                Step {
                    input,
                    output,
                    attention,
                }
            });
            let steps = steps.collect();
            let resampled = i > 0;
            up.push(LevelPlan { steps, resampled });
        }
        [down, up]
    }

    /// The parameters of a residual block.
    fn block(&self, input: usize, output: usize) -> usize {
        let told = match self.modulation {
            Modulation::Shift => output,
            Modulation::ScaleShift => 2 * output,
        };
        let shortcut = if input == output {
            0
        } else {
            (input + 1) * output
        };
        let convs = (9 * input + 1) * output + (9 * output + 1) * output;
        2 * (input + output) + convs + (self.embedding() + 1) * told + shortcut
    }

    /// The parameters of the attention on `channels` channels, to a text's tokens too where there are texts.
    fn attentions(&self, channels: usize, norm: bool) -> usize {
        let to_text = ImageAttention::count(channels, Some(self.embedding()), true);
        ImageAttention::count(channels, None, norm) + if self.text > 0 { to_text } else { 0 }
    }

    /// The number of parameters of the network that [`init`](Self::init) makes of the same arguments.
    pub fn num_params(&self, image: [usize; 3], outputs: usize, classes: usize) -> usize {
        let (first, e) = (self.channels[0], self.embedding());
        let last = self.channels[self.channels.len() - 1];
        let mut count = (first + 1) * e + (e + 1) * e;
        count += match (self.text, classes) {
            (0, 0) => 0,
            (0, classes) => (classes + 1) * e,
            (text, _) => TextEmbedding::count(text, e),
        };
        count += (9 * image[0] + 1) * first + 2 * first + (9 * first + 1) * image[0] * outputs;
        count += 2 * self.block(last, last) + self.attentions(last, self.middle_norm);
        let [down, up] = self.plan();
        for (level, up) in down
            .iter()
            .map(|l| (l, false))
            .chain(up.iter().map(|l| (l, true)))
        {
            for step in &level.steps {
                count += self.block(step.input, step.output);
                if step.attention {
                    count += self.attentions(step.output, true);
                }
            }
            let channels = level.steps[level.steps.len() - 1].output;
            count += match (level.resampled, self.resample, up) {
                (false, ..) => 0,
                (true, Resampling::Block, _) => self.block(channels, channels),
                (true, ..) => (9 * channels + 1) * channels,
            };
        }
        count
    }
}
