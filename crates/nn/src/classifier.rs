use burn::module::Module;
use burn::tensor::Tensor;
use fokker_core::State;
use serde::{Deserialize, Serialize};

use crate::layers::{Conv2d, GroupNorm, Init, Linear};

/// A small convolutional classifier of images: the judge of class-conditional samples.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ClassifierConfig {
    /// Channels of each stage; every stage after the first halves the resolution.
    pub channels: Vec<usize>,
}

impl Default for ClassifierConfig {
    fn default() -> Self {
        Self {
            channels: vec![32, 64, 128],
        }
    }
}

/// The network of [`ClassifierConfig`].
#[derive(Module, Debug)]
pub struct Classifier {
    convs: Vec<Conv2d>,
    norms: Vec<GroupNorm>,
    head: Linear,
    image: [usize; 3],
}

impl ClassifierConfig {
    /// A classifier of images of `[channels, height, width]` into `classes` classes.
    pub fn init(&self, image: [usize; 3], classes: usize, init: &mut Init) -> Classifier {
        let mut convs = Vec::new();
        let mut norms = Vec::new();
        let mut input = image[0];
        for (i, &c) in self.channels.iter().enumerate() {
            for (stride, from) in [(if i == 0 { 1 } else { 2 }, input), (1, c)] {
                convs.push(Conv2d::new([from, c], 3, stride, init));
                norms.push(GroupNorm::new(c, 8, init));
            }
            input = c;
        }
        Classifier {
            convs,
            norms,
            head: Linear::new(input, classes, init),
            image,
        }
    }
}

impl Classifier {
    /// `[batch, dim]` → logits `[batch, classes]`.
    pub fn logits(&self, x: State) -> Tensor<2> {
        self.head.forward(self.features(x))
    }

    /// The averaged activations before the last layer, `[batch, dim]` → `[batch, channels]`.
    pub fn features(&self, x: State) -> Tensor<2> {
        let rows = x.dims()[0];
        let [c, height, width] = self.image;
        let mut h = x.reshape([rows, c, height, width]);
        for (conv, norm) in self.convs.iter().zip(&self.norms) {
            h = norm.forward(conv.forward(h), None, true);
        }
        let [rows, channels, height, width] = h.dims();
        h.reshape([rows, channels, height * width])
            .mean_dim(2)
            .reshape([rows, channels])
    }
}
