use burn::module::Module;
use burn::tensor::Tensor;
use fokker_core::{Labels, Network, State};
use fokker_kernels::{Activation, SiluAt, bilinear2x};
use serde::{Deserialize, Serialize};

use crate::layers::{BatchNorm, ClassEmbedding, Conv2d, FourierTime, Init, Linear};

/// The course's U-Net: batch normalisation, learned Fourier features of time, skips that are added.
///
/// - stem: conv3 → batch norm → SiLU;
/// - for each level but the coarsest: residual blocks, then conv3 of stride 2, whose output is kept as the skip;
/// - residual blocks in the middle;
/// - on the way up, for each level: the skip is added, the image doubled bilinearly, conv3, residual blocks;
/// - conv3 to the pixels.
///
/// A residual block is x + f(x): SiLU → batch norm → conv3, + a perceptron of time, + a perceptron of class, SiLU → batch
/// norm → conv3. The perceptrons are \[e, e, channels\] with SiLU.
///
/// With the defaults, for 1×32×32 and 10 classes (and ∅), it has 1,233,325 parameters, and 2,624 running statistics beside them.
/// A sample depends on its batch in training, and not in inference.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CourseUNetConfig {
    /// Channels of each level, finest first; every further level halves the resolution.
    pub channels: Vec<usize>,
    /// Residual blocks of each level, on the way down, in the middle and on the way up.
    pub blocks: usize,
    /// Numbers e of the embeddings of time and of class (even).
    pub embedding: usize,
}

impl Default for CourseUNetConfig {
    fn default() -> Self {
        Self {
            channels: vec![32, 64, 128],
            blocks: 2,
            embedding: 40,
        }
    }
}

impl CourseUNetConfig {
    /// The number that the height and the width of an image must be multiples of.
    pub fn multiple(&self) -> usize {
        1 << self.channels.len().saturating_sub(1)
    }

    /// A network for images of `[channels, height, width]` and `classes` classes (0: none), putting out `outputs` images, one
    /// after the other.
    ///
    /// # Panics
    /// If height or width is not a multiple of [`multiple`](Self::multiple), or the embedding is odd.
    pub fn init(
        &self,
        image: [usize; 3],
        outputs: usize,
        classes: usize,
        init: &mut Init,
    ) -> CourseUNet {
        let (multiple, e, ch) = (self.multiple(), self.embedding, &self.channels);
        assert!(
            image[1].is_multiple_of(multiple) && image[2].is_multiple_of(multiple),
            "expected height and width in multiples of {multiple}, got {}×{}",
            image[1],
            image[2]
        );
        let blocks = |c: usize, init: &mut Init| -> Vec<Residual> {
            (0..self.blocks)
                .map(|_| Residual::new(c, e, classes > 0, init))
                .collect()
        };
        let stem = Conv2d::new([image[0], ch[0]], 3, 1, init);
        let stem_norm = BatchNorm::new(ch[0], init);
        let time = FourierTime::new(e, init);
        let class = (classes > 0).then(|| ClassEmbedding::new(classes, e, init));
        let pairs = ch.windows(2).map(|w| (w[0], w[1]));
        let down = pairs.clone().map(|(fine, coarse)| Stage {
            blocks: blocks(fine, init),
            resample: Conv2d::new([fine, coarse], 3, 2, init),
        });
        let down = down.collect();
        let middle = blocks(ch[ch.len() - 1], init);
        let up = pairs.rev().map(|(fine, coarse)| Stage {
            resample: Conv2d::new([coarse, fine], 3, 1, init),
            blocks: blocks(fine, init),
        });
        let up = up.collect();
        CourseUNet {
            stem,
            stem_norm,
            time,
            class,
            down,
            middle,
            up,
            head: Conv2d::new([ch[0], image[0] * outputs], 3, 1, init),
            image,
        }
    }
}

/// The network of [`CourseUNetConfig`].
#[derive(Module, Debug)]
pub struct CourseUNet {
    stem: Conv2d,
    stem_norm: BatchNorm,
    time: FourierTime,
    class: Option<ClassEmbedding>,
    down: Vec<Stage>,
    middle: Vec<Residual>,
    up: Vec<Stage>,
    head: Conv2d,
    image: [usize; 3],
}

/// The residual blocks of one resolution and the convolution to or from the next.
#[derive(Module, Debug)]
struct Stage {
    blocks: Vec<Residual>,
    resample: Conv2d,
}

/// x + conv(norm(SiLU(conv(norm(SiLU(x))) + time + class))).
#[derive(Module, Debug)]
struct Residual {
    norm_in: BatchNorm,
    conv_in: Conv2d,
    time: Adapter,
    class: Option<Adapter>,
    norm_out: BatchNorm,
    conv_out: Conv2d,
}

impl Residual {
    fn new(channels: usize, embedding: usize, classes: bool, init: &mut Init) -> Self {
        Self {
            norm_in: BatchNorm::new(channels, init),
            conv_in: Conv2d::new([channels; 2], 3, 1, init),
            time: Adapter::new(embedding, channels, init),
            class: classes.then(|| Adapter::new(embedding, channels, init)),
            norm_out: BatchNorm::new(channels, init),
            conv_out: Conv2d::new([channels; 2], 3, 1, init),
        }
    }

    fn forward(&self, x: Tensor<4>, told: &Told) -> Tensor<4> {
        let h = self.norm_in.forward(x.clone(), None, SiluAt::Before);
        let h = self.conv_in.forward(h);
        let mut shift = self.time.forward(told.time.clone());
        if let (Some(adapter), Some(class)) = (&self.class, &told.class) {
            shift = shift + adapter.forward(class.clone());
        }
        let h = self.norm_out.forward(h, Some(shift), SiluAt::Before);
        x + self.conv_out.forward(h)
    }
}

/// The embeddings of time and class, `[batch, e]` each.
struct Told {
    time: Tensor<2>,
    class: Option<Tensor<2>>,
}

/// The perceptron \[e, e, channels\] that brings an embedding to the channels of a block.
#[derive(Module, Debug)]
struct Adapter {
    fc1: Linear,
    fc2: Linear,
}

impl Adapter {
    fn new(embedding: usize, channels: usize, init: &mut Init) -> Self {
        Self {
            fc1: Linear::new(embedding, embedding, init),
            fc2: Linear::new(embedding, channels, init),
        }
    }

    fn forward(&self, e: Tensor<2>) -> Tensor<2> {
        self.fc2.forward(self.fc1.forward_act(e, Activation::Silu))
    }
}

impl Network for CourseUNet {
    fn forward(&self, x: State, t: Tensor<1>, y: Option<Labels>) -> State {
        let rows = x.dims()[0];
        let told = Told {
            time: self.time.forward(t),
            class: self.class.as_ref().map(|class| {
                class.forward(y.expect("this network was made with classes: give it labels"))
            }),
        };
        let [c, height, width] = self.image;
        let h = self.stem.forward(x.reshape([rows, c, height, width]));
        let mut h = self.stem_norm.forward(h, None, SiluAt::After);
        let mut skips = Vec::new();
        for stage in &self.down {
            for block in &stage.blocks {
                h = block.forward(h, &told);
            }
            h = stage.resample.forward(h);
            skips.push(h.clone());
        }
        for block in &self.middle {
            h = block.forward(h, &told);
        }
        for stage in &self.up {
            h = h + skips.pop().expect("as many stages up as down");
            h = stage.resample.forward(bilinear2x(h));
            for block in &stage.blocks {
                h = block.forward(h, &told);
            }
        }
        self.head.forward(h).flatten(1, 3)
    }
}
