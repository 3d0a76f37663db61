use burn::module::Module;
use burn::tensor::Tensor;
use fokker_kernels::{Activation, TokenNorm};

use super::{Conv2d, FeedForward, Init, Linear, PatchLayout, parts, plain_norm, unpatch};

/// Tokens to images as in DiT: norm(x)(1 + s) + b with (b, s) from the condition, then a linear map to the pixels of the
/// token's patch. Both maps are zero before training, so that the output is zero.
#[derive(Module, Debug)]
pub struct AdaLnHead {
    /// `[width]` → the two modulations, `[2·width]`.
    pub modulation: Linear,
    /// `[width]` → `[p·p·c]`, pixel by pixel.
    pub linear: Linear,
    patch: usize,
}

impl AdaLnHead {
    /// A head for patches of `patch` pixels a side and images of `channels`.
    pub fn new(width: usize, patch: usize, channels: usize, init: &mut Init) -> Self {
        Self {
            modulation: Linear::zero(width, 2 * width, init),
            linear: Linear::zero(width, patch * patch * channels, init),
            patch,
        }
    }

    /// Its number of parameters.
    pub fn count(width: usize, patch: usize, channels: usize) -> usize {
        let pixels = patch * patch * channels;
        2 * width * (width + 1) + pixels * (width + 1)
    }

    /// Tokens `[batch, tokens, width]` and conditions `[batch, width]` → `[batch, c, h, w]`.
    pub fn forward(&self, x: Tensor<3>, c: Tensor<2>, size: [usize; 2]) -> Tensor<4> {
        let [shift, scale] = parts(self.modulation.forward(c));
        let x = plain_norm(x, TokenNorm::Layer, Some((scale, shift)));
        let x = self.linear.forward(x);
        unpatch(x, self.patch, size, PatchLayout::ChannelsLast)
    }
}

/// Feature maps between the patches and the image.
const MAPS: usize = 10;

/// Tokens to images as in the course: RMS norm, a perceptron to ten feature maps on the token's patch, and a 3×3 convolution
/// over the whole image, which sees across the borders of patches.
#[derive(Module, Debug)]
pub struct FoldHead {
    /// `[width]` → `[4·width]` → `[10·p·p]`, map by map.
    pub mlp: FeedForward,
    /// 10 maps → c channels.
    pub conv: Conv2d,
    patch: usize,
}

impl FoldHead {
    /// A head for patches of `patch` pixels a side and images of `channels`.
    pub fn new(width: usize, patch: usize, channels: usize, init: &mut Init) -> Self {
        let widths = [width, 4 * width, MAPS * patch * patch];
        Self {
            mlp: FeedForward::new(widths, Activation::Silu, Linear::new, init),
            conv: Conv2d::new([MAPS, channels], 3, 1, init),
            patch,
        }
    }

    /// Its number of parameters.
    pub fn count(width: usize, patch: usize, channels: usize) -> usize {
        let pixels = MAPS * patch * patch;
        4 * width * (width + 1) + pixels * (4 * width + 1) + channels * (9 * MAPS + 1)
    }

    /// Tokens `[batch, tokens, width]` → `[batch, c, h, w]`.
    pub fn forward(&self, x: Tensor<3>, size: [usize; 2]) -> Tensor<4> {
        let x = self.mlp.forward(plain_norm(x, TokenNorm::Rms, None));
        let maps = unpatch(x, self.patch, size, PatchLayout::ChannelsFirst);
        self.conv.forward(maps)
    }
}
