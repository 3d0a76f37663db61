use burn::module::Module;
use burn::tensor::Tensor;

use super::{Init, Linear};

/// Patches of p × p pixels as tokens, by one linear map: a convolution of kernel and stride p.
///
/// Its weight `[c·p², width]` is the convolution's `[width, c, p, p]`, flattened and transposed.
#[derive(Module, Debug)]
pub struct Patches {
    /// `[c·p²]` → `[width]`.
    pub proj: Linear,
    patch: usize,
}

impl Patches {
    /// Patches of `patch` pixels a side whose linear map is `proj`.
    pub fn new(patch: usize, proj: Linear) -> Self {
        Self { proj, patch }
    }

    /// Patches of images of `channels` with the usual initial weights of a convolution.
    pub fn of(channels: usize, patch: usize, width: usize, init: &mut Init) -> Self {
        Self::new(patch, Linear::new(channels * patch * patch, width, init))
    }

    /// `[batch, c, h, w]` → `[batch, h/p · w/p, width]`, the patches row by row.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<3> {
        let ([b, c, h, w], p) = (x.dims(), self.patch);
        let x = x
            .reshape([b, c, h / p, p, w / p, p])
            .permute([0, 2, 4, 1, 3, 5])
            .reshape([b, (h / p) * (w / p), c * p * p]);
        self.proj.forward(x)
    }
}

/// How the numbers of a token are laid out over its patch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PatchLayout {
    /// `[p, p, c]`: pixel by pixel, as in DiT.
    ChannelsLast,
    /// `[c, p, p]`: channel by channel.
    ChannelsFirst,
}

/// Tokens `[batch, h/p · w/p, c·p²]` → images `[batch, c, h, w]`.
pub(crate) fn unpatch(
    x: Tensor<3>,
    p: usize,
    [h, w]: [usize; 2],
    layout: PatchLayout,
) -> Tensor<4> {
    let [b, _, width] = x.dims();
    let (c, rows, columns) = (width / (p * p), h / p, w / p);
    let x = match layout {
        PatchLayout::ChannelsLast => x
            .reshape([b, rows, columns, p, p, c])
            .permute([0, 5, 1, 3, 2, 4]),
        PatchLayout::ChannelsFirst => x
            .reshape([b, rows, columns, c, p, p])
            .permute([0, 3, 1, 4, 2, 5]),
    };
    x.reshape([b, c, h, w])
}
