use burn::module::Module;
use burn::tensor::{Tensor, ops::PadMode};
use fokker_kernels::upsample2x;

use super::config::{AdmUNetConfig, Modulation, Resampling};
use crate::layers::{Conv2d, Dropout, GroupNorm, Init, Linear};

/// x + conv(drop(SiLU(norm(conv(SiLU(norm(x)))) told e))), with a 1×1 convolution of x where the channels change. With a change of
/// resolution both x and what the first convolution sees are resampled.
#[derive(Module, Debug)]
pub struct AdmBlock {
    norm1: GroupNorm,
    conv1: Conv2d,
    embed: Linear,
    norm2: GroupNorm,
    conv2: Conv2d,
    shortcut: Option<Conv2d>,
    scale_shift: bool,
    #[module(skip)]
    change: Change,
    // Its place among the network's blocks, for dropout.
    place: u32,
}

/// What happens to the resolution inside a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    None,
    Down,
    Up,
}

impl AdmBlock {
    pub(super) fn new(
        config: &AdmUNetConfig,
        [input, output]: [usize; 2],
        change: Change,
        place: &mut u32,
        init: &mut Init,
    ) -> Self {
        let scale_shift = config.modulation == Modulation::ScaleShift;
        let told = if scale_shift { 2 * output } else { output };
        let norm = |channels, init: &mut Init| config.norm(channels, init);
        *place += 1;
        Self {
            norm1: norm(input, init),
            conv1: Conv2d::new([input, output], 3, 1, init),
            embed: Linear::new(config.embedding(), told, init),
            norm2: norm(output, init),
            conv2: Conv2d::zero([output, output], 3, init),
            shortcut: (input != output).then(|| Conv2d::new([input, output], 1, 1, init)),
            scale_shift,
            change,
            place: *place,
        }
    }

    /// `[batch, in, h, w]` and SiLU of the embedding, `[batch, embedding]` → `[batch, out, h', w']`.
    pub(super) fn forward(
        &self,
        x: Tensor<4>,
        e: &Tensor<2>,
        dropout: Option<&Dropout>,
    ) -> Tensor<4> {
        let h = self.norm1.forward(x.clone(), None, true);
        let [x, h] = [x, h].map(|t| match self.change {
            Change::None => t,
            Change::Down => halve(t),
            Change::Up => upsample2x(t),
        });
        let h = self.conv1.forward(h);
        let told = self.embed.forward(e.clone());
        let [rows, channels, ..] = h.dims();
        let h = if self.scale_shift {
            let scale = told.clone().narrow(1, 0, channels);
            let shift = told.narrow(1, channels, channels);
            self.norm2.forward(h, Some((scale, shift)), true)
        } else {
            let h = h + told.reshape([rows, channels, 1, 1]);
            self.norm2.forward(h, None, true)
        };
        let h = match dropout {
            Some(dropout) => dropout.forward(h, self.place),
            None => h,
        };
        let x = match &self.shortcut {
            Some(shortcut) => shortcut.forward(x),
            None => x,
        };
        x + self.conv2.forward(h)
    }
}

/// What leads from one resolution to the next.
#[derive(Module, Debug)]
#[allow(clippy::large_enum_variant)] // a few in a network
pub enum Resample {
    /// A convolution of stride two.
    Down(Conv2d),
    /// The same on an image with zeros at the right and at the bottom only.
    DownRight(Conv2d),
    /// Nearest doubling and a convolution.
    Up(Conv2d),
    /// A residual block, up or down.
    Block(AdmBlock),
}

impl Resample {
    pub(super) fn new(
        config: &AdmUNetConfig,
        channels: usize,
        up: bool,
        place: &mut u32,
        init: &mut Init,
    ) -> Self {
        let same = [channels, channels];
        let change = if up { Change::Up } else { Change::Down };
        match (config.resample, up) {
            (Resampling::Block, _) => Self::Block(AdmBlock::new(config, same, change, place, init)),
            (_, true) => Self::Up(Conv2d::new(same, 3, 1, init)),
            (Resampling::Conv, false) => Self::Down(Conv2d::new(same, 3, 2, init)),
            (Resampling::ConvRight, false) => Self::DownRight(Conv2d::new(same, 3, 2, init)),
        }
    }

    pub(super) fn forward(
        &self,
        x: Tensor<4>,
        e: &Tensor<2>,
        dropout: Option<&Dropout>,
    ) -> Tensor<4> {
        match self {
            Self::Down(conv) => conv.forward(x),
            Self::DownRight(conv) => {
                let x = x.pad((0, 1, 0, 1), PadMode::Constant(0.0));
                let (weight, bias) = (conv.weight.val(), conv.bias.val());
                fokker_kernels::conv2d(x, weight, Some(bias), 2, 0)
            }
            Self::Up(conv) => conv.forward(upsample2x(x)),
            Self::Block(block) => block.forward(x, e, dropout),
        }
    }
}

/// The mean of every 2×2 pixels.
fn halve(x: Tensor<4>) -> Tensor<4> {
    let [b, c, h, w] = x.dims();
    let x = x.reshape([b * c * (h / 2), 2, w / 2, 2]);
    x.sum_dim(3)
        .sum_dim(1)
        .mul_scalar(0.25)
        .reshape([b, c, h / 2, w / 2])
}
