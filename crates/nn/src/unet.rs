use burn::module::Module;
use burn::tensor::Tensor;
use fokker_core::{Labels, Network, State};
use fokker_kernels::{silu, upsample2x};
use serde::{Deserialize, Serialize};

use crate::layers::{ClassEmbedding, Conv2d, GroupNorm, Init, Linear, time_features};

/// A U-Net for images in the shape of the course's: residual blocks with time and class, strided
/// convolutions down, up-sampling and added skips on the way up.
///
/// It differs from the course's network in the ways that make it train faster on few cores: group
/// instead of batch normalisation (a sample's bits then do not depend on its batch), scale-shift
/// modulation, output convolutions that start at zero, and an optional patch stem (p × p pixels
/// become channels) that moves the work to where a CPU is efficient.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct UNetConfig {
    /// Pixels a side that the stem folds into channels; 1 for none.
    pub patch: usize,
    /// Channels of each level, finest first; every further level halves the resolution.
    pub channels: Vec<usize>,
    /// Residual blocks of each level, on the way down and again on the way up.
    pub blocks: usize,
    /// Width of the time and class embedding.
    pub embedding: usize,
}

impl Default for UNetConfig {
    fn default() -> Self {
        Self {
            patch: 1,
            channels: vec![32, 64, 128],
            blocks: 2,
            embedding: 128,
        }
    }
}

impl UNetConfig {
    /// The number that the height and the width of an image must be multiples of.
    pub fn multiple(&self) -> usize {
        self.patch << self.channels.len().saturating_sub(1)
    }

    /// A network for images of `[channels, height, width]` and `classes` classes (0: none), putting out
    /// `outputs` images, one after the other.
    ///
    /// # Panics
    /// If height or width is not a multiple of [`multiple`](Self::multiple).
    pub fn init(&self, image: [usize; 3], outputs: usize, classes: usize, init: &mut Init) -> UNet {
        let multiple = self.multiple();
        assert!(
            image[1].is_multiple_of(multiple) && image[2].is_multiple_of(multiple),
            "expected height and width in multiples of {multiple}, got {}×{}",
            image[1],
            image[2]
        );
        let e = self.embedding;
        let ch = &self.channels;
        let pixels = image[0] * self.patch * self.patch;
        let block = |input, output, init: &mut Init| ResBlock::new([input, output], e, init);
        let time = [Linear::new(e, e, init), Linear::new(e, e, init)];
        let class = (classes > 0).then(|| ClassEmbedding::new(classes, e, init));
        let stem = Conv2d::new([pixels, ch[0]], 3, 1, init);
        let mut down = Vec::new();
        let mut up = Vec::new();
        for (i, &c) in ch.iter().enumerate() {
            let blocks = (0..self.blocks).map(|_| block(c, c, init)).collect();
            let resample = ch
                .get(i + 1)
                .map(|&next| Conv2d::new([c, next], 3, 2, init));
            down.push(Level { blocks, resample });
        }
        let last = ch[ch.len() - 1];
        let middle = block(last, last, init);
        for (i, &c) in ch.iter().enumerate().rev() {
            let blocks = (0..self.blocks).map(|_| block(c, c, init)).collect();
            let finer = i.checked_sub(1).map(|j| ch[j]);
            let resample = finer.map(|next| Conv2d::new([c, next], 3, 1, init));
            up.push(Level { blocks, resample });
        }
        UNet {
            time_in: time[0].clone(),
            time_out: time[1].clone(),
            class,
            stem,
            down,
            middle,
            up,
            norm: GroupNorm::new(ch[0], GROUPS, init),
            head: Conv2d::zero([ch[0], pixels * outputs], 3, init),
            patch: self.patch,
            image,
        }
    }
}

const GROUPS: usize = 8;

/// The network of [`UNetConfig`].
#[derive(Module, Debug)]
pub struct UNet {
    time_in: Linear,
    time_out: Linear,
    class: Option<ClassEmbedding>,
    stem: Conv2d,
    down: Vec<Level>,
    middle: ResBlock,
    up: Vec<Level>,
    norm: GroupNorm,
    head: Conv2d,
    patch: usize,
    image: [usize; 3],
}

/// The blocks of one resolution and the convolution that leaves it.
#[derive(Module, Debug)]
struct Level {
    blocks: Vec<ResBlock>,
    resample: Option<Conv2d>,
}

/// x + conv(SiLU(norm(conv(SiLU(norm(x))))·(1 + s) + b)), with (s, b) from the embedding.
#[derive(Module, Debug)]
struct ResBlock {
    norm_in: GroupNorm,
    conv_in: Conv2d,
    modulation: Linear,
    norm_out: GroupNorm,
    conv_out: Conv2d,
}

impl ResBlock {
    fn new([input, output]: [usize; 2], embedding: usize, init: &mut Init) -> Self {
        Self {
            norm_in: GroupNorm::new(input, GROUPS, init),
            conv_in: Conv2d::new([input, output], 3, 1, init),
            modulation: Linear::new(embedding, 2 * output, init),
            norm_out: GroupNorm::new(output, GROUPS, init),
            conv_out: Conv2d::zero([output, output], 3, init),
        }
    }

    fn forward(&self, x: Tensor<4>, e: &Tensor<2>) -> Tensor<4> {
        let h = self
            .conv_in
            .forward(self.norm_in.forward(x.clone(), None, true));
        let channels = h.dims()[1];
        let m = self.modulation.forward(e.clone());
        let scale = m.clone().narrow(1, 0, channels);
        let shift = m.narrow(1, channels, channels);
        let h = self.norm_out.forward(h, Some((scale, shift)), true);
        x + self.conv_out.forward(h)
    }
}

impl Network for UNet {
    fn forward(&self, x: State, t: Tensor<1>, y: Option<Labels>) -> State {
        let rows = x.dims()[0];
        let e = time_features(t, self.time_in.weight.dims()[0]);
        let mut e = self.time_out.forward(silu(self.time_in.forward(e)));
        if let Some(class) = &self.class {
            let y = y.expect("this network was made with classes: give it labels");
            e = e + class.forward(y);
        }
        let e = silu(e);

        let [c, height, width] = self.image;
        let mut h = self
            .stem
            .forward(fold(x.reshape([rows, c, height, width]), self.patch));
        let mut skips = Vec::new();
        for level in &self.down {
            for block in &level.blocks {
                h = block.forward(h, &e);
            }
            skips.push(h.clone());
            if let Some(down) = &level.resample {
                h = down.forward(h);
            }
        }
        h = self.middle.forward(h, &e);
        for level in &self.up {
            h = h + skips.pop().expect("as many levels up as down");
            for block in &level.blocks {
                h = block.forward(h, &e);
            }
            if let Some(up) = &level.resample {
                h = up.forward(upsample2x(h));
            }
        }
        let h = self.head.forward(self.norm.forward(h, None, true));
        unfold(h, self.patch).flatten(1, 3)
    }
}

/// `[b, c, h, w]` → `[b, c·p², h/p, w/p]`.
fn fold(x: Tensor<4>, p: usize) -> Tensor<4> {
    if p == 1 {
        return x;
    }
    let [b, c, h, w] = x.dims();
    x.reshape([b, c, h / p, p, w / p, p])
        .permute([0, 1, 3, 5, 2, 4])
        .reshape([b, c * p * p, h / p, w / p])
}

/// The inverse of [`fold`].
fn unfold(x: Tensor<4>, p: usize) -> Tensor<4> {
    if p == 1 {
        return x;
    }
    let [b, cpp, h, w] = x.dims();
    let c = cpp / (p * p);
    x.reshape([b, c, p, p, h, w])
        .permute([0, 1, 4, 2, 5, 3])
        .reshape([b, c, h * p, w * p])
}
