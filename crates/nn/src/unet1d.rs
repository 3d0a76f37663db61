use burn::module::Module;
use burn::tensor::Tensor;
use fokker_core::{Labels, Network, State};
use fokker_kernels::silu;
use serde::{Deserialize, Serialize};

use crate::layers::{
    ClassEmbedding, Conv1d, GroupNorm, Init, Linear, TimeFeatures, TimestepEmbedder, told,
};

/// A U-Net for sequences, such as the actions of a robot: images of height one, `[channels, 1, length]`.
///
/// Blocks are those of Diffusion Policy, convolution, group norm and activation twice, with a scale and a shift for each channel
/// from time and class (FiLM) between the two. They differ in two ways: the activation is SiLU, and the scale and shift come
/// before it, as in ADM, in one operation with the norm.
///
/// A level is two blocks, on the way down a strided convolution after them, on the way up a doubling and a convolution, and skips
/// are concatenated.
///
/// # Weights
/// | name | what |
/// |---|---|
/// | `time.fc1`, `time.fc2`, `class.table` | the embedding |
/// | `down.N.blocks.M`, `middle.M`, `up.N.blocks.M` | blocks: `conv1`, `norm1`, `film`, `conv2`, `norm2`, `shortcut` |
/// | `down.N.resample`, `up.N.resample` | convolutions |
/// | `conv_last`, `norm_last`, `conv_out` | the end |
///
/// Source: Chi et al., *Diffusion policy: visuomotor policy learning via action diffusion*, 2023.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct UNet1dConfig {
    /// Channels of each level, finest first; every further level halves the length.
    pub channels: Vec<usize>,
    /// Places that a convolution of a block sees, an odd number.
    pub kernel: usize,
    /// Groups of the norms, or the next smaller number that divides the channels.
    pub groups: usize,
    /// Width of the embedding of time and class, an even number.
    pub embedding: usize,
    /// What t is multiplied by before its sinusoidal features.
    pub time_scale: f64,
}

impl Default for UNet1dConfig {
    /// Three levels of 64, 128 and 256 channels.
    fn default() -> Self {
        Self {
            channels: vec![64, 128, 256],
            kernel: 5,
            groups: 8,
            embedding: 128,
            time_scale: 1000.0,
        }
    }
}

/// The kernel of the convolutions between levels.
const BETWEEN: usize = 3;

impl UNet1dConfig {
    /// The number that the length of a sequence must be a multiple of.
    pub fn multiple(&self) -> usize {
        1 << self.channels.len().saturating_sub(1)
    }

    fn block(&self, [input, output]: [usize; 2]) -> usize {
        let convs = [[input, output], [output, output]].map(|c| Conv1d::count(c, self.kernel));
        let shortcut = if input == output {
            0
        } else {
            (input + 1) * output
        };
        let film = (self.embedding + 1) * 2 * output;
        convs[0] + convs[1] + 4 * output + film + shortcut
    }

    /// The channels that the first block of each level sees on the way down.
    fn inputs(&self, channels: usize) -> impl Iterator<Item = [usize; 2]> {
        let before = std::iter::once(channels).chain(self.channels.iter().copied());
        before.zip(&self.channels).map(|(a, &b)| [a, b])
    }

    /// The channels of each level on the way up, coarsest first, before its skip is put beside them and after the level.
    fn returns(&self) -> impl Iterator<Item = [usize; 2]> {
        let pairs = self.channels.windows(2).rev();
        pairs.map(|pair| [pair[1], pair[0]])
    }

    /// The number of parameters of the network that [`init`](Self::init) makes of the same arguments, but for the length, which
    /// does not matter.
    pub fn num_params(&self, channels: usize, outputs: usize, classes: usize) -> usize {
        let (e, first) = (self.embedding, self.channels[0]);
        let last = self.channels[self.channels.len() - 1];
        let class = if classes > 0 { (classes + 1) * e } else { 0 };
        let same = |c: usize| Conv1d::count([c, c], BETWEEN);
        let mut count = 2 * (e + 1) * e + class + 2 * self.block([last, last]);
        for (i, [input, output]) in self.inputs(channels).enumerate() {
            count += self.block([input, output]) + self.block([output, output]);
            if i + 1 < self.channels.len() {
                count += same(output);
            }
        }
        for [coarse, fine] in self.returns() {
            count += same(coarse) + self.block([coarse + fine, fine]) + self.block([fine, fine]);
        }
        let end = Conv1d::count([first, first], self.kernel) + 2 * first;
        count + end + Conv1d::count([first, channels * outputs], 1)
    }

    /// A network for sequences of `[channels, length]` and `classes` classes (0: none), putting out `outputs` sequences, one
    /// after the other.
    ///
    /// # Panics
    /// If the length is not a multiple of [`multiple`](Self::multiple), or the kernel or the embedding has the wrong parity.
    pub fn init(
        &self,
        [channels, length]: [usize; 2],
        outputs: usize,
        classes: usize,
        init: &mut Init,
    ) -> UNet1d {
        let multiple = self.multiple();
        assert!(
            length.is_multiple_of(multiple),
            "expected a length in multiples of {multiple}, got {length}"
        );
        assert!(
            self.kernel % 2 == 1,
            "expected an odd kernel, got {}",
            self.kernel
        );
        let e = self.embedding;
        let features = TimeFeatures {
            count: e,
            scale: self.time_scale,
            offset: 0.0,
            shift: 0.0,
            sines_first: false,
        };
        let maps = [Linear::new(e, e, init), Linear::new(e, e, init)];
        let time = TimestepEmbedder::of(features, maps, init);
        let class = (classes > 0).then(|| ClassEmbedding::new(classes, e, init));
        let two = |[input, output]: [usize; 2], init: &mut Init| {
            [[input, output], [output, output]]
                .map(|ends| Block1d::new(self, ends, init))
                .to_vec()
        };
        let levels = self.channels.len();
        let down = self.inputs(channels).enumerate().map(|(i, ends)| Level1d {
            blocks: two(ends, init),
            resample: (i + 1 < levels).then(|| Conv1d::new([ends[1]; 2], BETWEEN, 2, init)),
        });
        let down = down.collect();
        let (first, last) = (self.channels[0], self.channels[levels - 1]);
        let middle = two([last, last], init);
        let up = self.returns().map(|[coarse, fine]| Level1d {
            resample: Some(Conv1d::new([coarse; 2], BETWEEN, 1, init)),
            blocks: two([coarse + fine, fine], init),
        });
        let up = up.collect();
        UNet1d {
            time,
            class,
            down,
            middle,
            up,
            conv_last: Conv1d::new([first, first], self.kernel, 1, init),
            norm_last: GroupNorm::at_most(first, self.groups, 1e-5, init),
            conv_out: Conv1d::zero([first, channels * outputs], 1, init),
            sequence: [channels, length],
        }
    }
}

/// The network of [`UNet1dConfig`].
#[derive(Module, Debug)]
pub struct UNet1d {
    time: TimestepEmbedder,
    class: Option<ClassEmbedding>,
    down: Vec<Level1d>,
    middle: Vec<Block1d>,
    up: Vec<Level1d>,
    conv_last: Conv1d,
    norm_last: GroupNorm,
    conv_out: Conv1d,
    sequence: [usize; 2],
}

/// The blocks of one length, and the convolution that leads away from it (down) or to it (up).
#[derive(Module, Debug)]
struct Level1d {
    blocks: Vec<Block1d>,
    resample: Option<Conv1d>,
}

/// shortcut(x) + SiLU(norm(conv(SiLU(norm(conv(x))·(1 + s) + b)))), with (s, b) from the embedding.
#[derive(Module, Debug)]
struct Block1d {
    conv1: Conv1d,
    norm1: GroupNorm,
    film: Linear,
    conv2: Conv1d,
    norm2: GroupNorm,
    shortcut: Option<Conv1d>,
}

impl Block1d {
    fn new(config: &UNet1dConfig, [input, output]: [usize; 2], init: &mut Init) -> Self {
        Self {
            conv1: Conv1d::new([input, output], config.kernel, 1, init),
            norm1: GroupNorm::at_most(output, config.groups, 1e-5, init),
            film: Linear::new(config.embedding, 2 * output, init),
            conv2: Conv1d::new([output, output], config.kernel, 1, init),
            norm2: GroupNorm::at_most(output, config.groups, 1e-5, init),
            shortcut: (input != output).then(|| Conv1d::new([input, output], 1, 1, init)),
        }
    }

    fn forward(&self, x: Tensor<4>, e: &Tensor<2>) -> Tensor<4> {
        let h = self.conv1.forward(x.clone());
        let channels = h.dims()[1];
        let m = self.film.forward(e.clone());
        let scale = m.clone().narrow(1, 0, channels);
        let shift = m.narrow(1, channels, channels);
        let h = self.norm1.forward(h, Some((scale, shift)), true);
        let h = self.norm2.forward(self.conv2.forward(h), None, true);
        match &self.shortcut {
            Some(shortcut) => shortcut.forward(x) + h,
            None => x + h,
        }
    }
}

impl Network for UNet1d {
    fn forward(&self, x: State, t: Tensor<1>, y: Option<Labels>) -> State {
        let rows = x.dims()[0];
        let (vector, _) = told(self.class.as_ref(), None, y);
        let mut e = self.time.forward(t);
        if let Some(vector) = vector {
            e = e + vector;
        }
        let e = silu(e);
        let run = |blocks: &[Block1d], h: Tensor<4>| {
            blocks.iter().fold(h, |h, block| block.forward(h, &e))
        };
        let [channels, length] = self.sequence;
        let mut h = x.reshape([rows, channels, 1, length]);
        let mut skips = Vec::new();
        for level in &self.down {
            h = run(&level.blocks, h);
            if let Some(down) = &level.resample {
                skips.push(h.clone());
                h = down.forward(h);
            }
        }
        h = run(&self.middle, h);
        for level in &self.up {
            let resample = level.resample.as_ref().expect("every level up has one");
            let skip = skips.pop().expect("a skip for every level up");
            h = Tensor::cat(vec![resample.forward(double(h)), skip], 1);
            h = run(&level.blocks, h);
        }
        let h = self
            .norm_last
            .forward(self.conv_last.forward(h), None, true);
        self.conv_out.forward(h).flatten(1, 3)
    }
}

/// Every place twice.
fn double(x: Tensor<4>) -> Tensor<4> {
    let [b, c, _, length] = x.dims();
    x.reshape([b, c, length, 1])
        .repeat_dim(3, 2)
        .reshape([b, c, 1, 2 * length])
}
