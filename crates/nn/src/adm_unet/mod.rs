//! The modern U-Net: its configuration, its blocks, and the network made of them.

mod block;
mod config;

use burn::module::Module;
use burn::tensor::Tensor;
use fokker_core::{Labels, Network, State};
use fokker_kernels::silu;

use block::Change;
pub use block::{AdmBlock, Resample};
use config::LevelPlan;
pub use config::{AdmUNetConfig, Modulation, Resampling};

use crate::layers::{
    ClassEmbedding, Conv2d, Dropout, GroupNorm, ImageAttention, Init, Linear, Text, TextEmbedding,
    TextTable, TimestepEmbedder, is_training, told,
};

/// The network of [`AdmUNetConfig`].
#[derive(Module, Debug)]
pub struct AdmUNet {
    time: TimestepEmbedder,
    class: Option<ClassEmbedding>,
    text: Option<TextEmbedding>,
    conv_in: Conv2d,
    down: Vec<Level>,
    middle: Middle,
    up: Vec<Level>,
    norm_out: GroupNorm,
    conv_out: Conv2d,
    dropout: f64,
    image: [usize; 3],
}

/// The blocks of one resolution, the attentions after each of them, and what leaves the resolution.
#[derive(Module, Debug)]
struct Level {
    blocks: Vec<AdmBlock>,
    attns: Vec<ImageAttention>,
    cross: Vec<ImageAttention>,
    resample: Option<Resample>,
}

/// The coarsest resolution between down and up.
#[derive(Module, Debug)]
struct Middle {
    first: AdmBlock,
    attn: ImageAttention,
    cross: Option<ImageAttention>,
    second: AdmBlock,
}

/// What every block is told.
struct Told {
    // SiLU of the embedding, `[batch, embedding]`.
    e: Tensor<2>,
    text: Option<Text>,
    dropout: Option<Dropout>,
}

impl AdmUNetConfig {
    /// A network for images of `[channels, height, width]` and `classes` classes (0: none), putting out `outputs` images, one
    /// after the other. With texts, `classes` does not matter.
    ///
    /// # Panics
    /// If height or width is not a multiple of [`multiple`](Self::multiple), or heads do not fit in their channels.
    pub fn init(
        &self,
        image: [usize; 3],
        outputs: usize,
        classes: usize,
        init: &mut Init,
    ) -> AdmUNet {
        let multiple = self.multiple();
        assert!(
            image[1].is_multiple_of(multiple) && image[2].is_multiple_of(multiple),
            "expected height and width in multiples of {multiple}, got {}×{}",
            image[1],
            image[2]
        );
        let (first, e) = (self.channels[0], self.embedding());
        let maps = [Linear::new(first, e, init), Linear::new(e, e, init)];
        let time = TimestepEmbedder::of(self.features(), maps, init);
        let with_classes = classes > 0 && self.text == 0;
        let class = with_classes.then(|| ClassEmbedding::new(classes, e, init));
        let text = (self.text > 0).then(|| TextEmbedding::new(self.text, e, init));
        let conv_in = Conv2d::new([image[0], first], 3, 1, init);
        let [down, up] = self.plan();
        let mut place = 0;
        let mut levels = |plans: Vec<LevelPlan>, up: bool, init: &mut Init| {
            let level = |plan: LevelPlan| self.level(plan, up, &mut place, init);
            plans.into_iter().map(level).collect::<Vec<_>>()
        };
        let down = levels(down, false, init);
        let last = self.channels[self.channels.len() - 1];
        let middle = {
            let mut place = MIDDLE;
            let same = [last, last];
            let first = AdmBlock::new(self, same, Change::None, &mut place, init);
            let norm = self.middle_norm.then(|| self.norm(last, init));
            let attn = ImageAttention::new(last, None, self.heads(last), norm, init);
            let cross = (self.text > 0).then(|| self.cross(last, init));
            let second = AdmBlock::new(self, same, Change::None, &mut place, init);
            Middle {
                first,
                attn,
                cross,
                second,
            }
        };
        let up = levels(up, true, init);
        AdmUNet {
            time,
            class,
            text,
            conv_in,
            down,
            middle,
            up,
            norm_out: self.norm(first, init),
            conv_out: Conv2d::zero([first, image[0] * outputs], 3, init),
            dropout: self.dropout,
            image,
        }
    }

    fn level(&self, plan: LevelPlan, up: bool, place: &mut u32, init: &mut Init) -> Level {
        let channels = plan.steps[plan.steps.len() - 1].output;
        let count = |attention: bool| if attention { plan.steps.len() } else { 0 };
        let attention = plan.steps[0].attention;
        let blocks = plan.steps.iter().map(|step| {
            let ends = [step.input, step.output];
            AdmBlock::new(self, ends, Change::None, place, init)
        });
        let blocks = blocks.collect();
        let attns = (0..count(attention)).map(|_| {
            let norm = Some(self.norm(channels, init));
            ImageAttention::new(channels, None, self.heads(channels), norm, init)
        });
        let attns = attns.collect();
        let cross = (0..count(attention && self.text > 0)).map(|_| self.cross(channels, init));
        let cross = cross.collect();
        let resample = plan
            .resampled
            .then(|| Resample::new(self, channels, up, place, init));
        Level {
            blocks,
            attns,
            cross,
            resample,
        }
    }

    /// Attention to a text's tokens.
    fn cross(&self, channels: usize, init: &mut Init) -> ImageAttention {
        let norm = Some(self.norm(channels, init));
        let (width, heads) = (Some(self.embedding()), self.heads(channels));
        ImageAttention::new(channels, width, heads, norm, init)
    }
}

/// Places of the middle's blocks start after this one; those of the levels are counted from 0.
const MIDDLE: u32 = 1 << 16;

impl Level {
    /// Block `i` and its attentions.
    fn step(&self, i: usize, x: Tensor<4>, told: &Told) -> Tensor<4> {
        let x = self.blocks[i].forward(x, &told.e, told.dropout.as_ref());
        let x = match self.attns.get(i) {
            Some(attn) => attn.forward(x, None),
            None => x,
        };
        match self.cross.get(i) {
            Some(cross) => cross.forward(x, told.text.as_ref()),
            None => x,
        }
    }
}

impl AdmUNet {
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

impl Network for AdmUNet {
    fn forward(&self, x: State, t: Tensor<1>, y: Option<Labels>) -> State {
        let rows = x.dims()[0];
        let dropping = self.dropout > 0.0 && is_training(&self.conv_in.weight);
        let dropout = dropping.then(|| Dropout::new(self.dropout, &x, &t));
        let (vector, text) = told(self.class.as_ref(), self.text.as_ref(), y);
        let mut e = self.time.forward(t);
        if let Some(vector) = vector {
            e = e + vector;
        }
        let told = Told {
            e: silu(e),
            text,
            dropout,
        };
        let resample = |level: &Level, h: Tensor<4>| {
            let resample = level.resample.as_ref()?;
            Some(resample.forward(h, &told.e, told.dropout.as_ref()))
        };

        let [c, height, width] = self.image;
        let mut h = self.conv_in.forward(x.reshape([rows, c, height, width]));
        let mut skips = vec![h.clone()];
        for level in &self.down {
            for i in 0..level.blocks.len() {
                h = level.step(i, h, &told);
                skips.push(h.clone());
            }
            if let Some(halved) = resample(level, h.clone()) {
                h = halved;
                skips.push(h.clone());
            }
        }
        let Middle {
            first,
            attn,
            cross,
            second,
        } = &self.middle;
        h = first.forward(h, &told.e, told.dropout.as_ref());
        h = attn.forward(h, None);
        if let Some(cross) = cross {
            h = cross.forward(h, told.text.as_ref());
        }
        h = second.forward(h, &told.e, told.dropout.as_ref());
        for level in &self.up {
            for i in 0..level.blocks.len() {
                let skip = skips.pop().expect("a skip for every block up");
                h = level.step(i, Tensor::cat(vec![h, skip], 1), &told);
            }
            if let Some(doubled) = resample(level, h.clone()) {
                h = doubled;
            }
        }
        let h = self.norm_out.forward(h, None, true);
        self.conv_out.forward(h).flatten(1, 3)
    }
}
