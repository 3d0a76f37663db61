//! Two-dimensional cross-correlation, NCHW, and its three gradients.
//!
//! y[b,o,u,v] = bias[o] + Σ_{c,i,j} w[o,c,i,j] · x[b,c, s·u + i − p, s·v + j − p], with x zero outside its frame.
//!
//! Two ways to the same sums: the direct one for every shape ([`direct`]), and Winograd's for most 3×3 kernels of
//! stride one ([`winograd`]). Which one is taken depends on the sizes of an image, never on the batch, so that a pixel's
//! bits depend on its own image only.

mod bias;
pub(crate) mod direct;
pub(crate) mod winograd;

#[cfg(test)]
mod tests;

pub(crate) use bias::grad_bias;

use super::Level;

/// The sizes of one convolution.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Geometry {
    /// Images.
    pub(crate) batch: usize,
    /// Input channels.
    pub(crate) ci: usize,
    /// Output channels.
    pub(crate) co: usize,
    /// Input height and width.
    pub(crate) h: usize,
    pub(crate) w: usize,
    /// Kernel height and width.
    pub(crate) kh: usize,
    pub(crate) kw: usize,
    /// Stride and zero-padding, the same on both axes.
    pub(crate) s: usize,
    pub(crate) p: usize,
    /// Output height and width.
    pub(crate) oh: usize,
    pub(crate) ow: usize,
}

impl Geometry {
    /// Sizes from `x: [batch, ci, h, w]` and `weight: [co, ci, kh, kw]`, or `None` where the kernel does not fit.
    pub(crate) fn new(x: [usize; 4], weight: [usize; 4], s: usize, p: usize) -> Option<Self> {
        let ([batch, ci, h, w], [co, _, kh, kw]) = (x, weight);
        let oh = (h + 2 * p).checked_sub(kh)? / s + 1;
        let ow = (w + 2 * p).checked_sub(kw)? / s + 1;
        Some(Self {
            batch,
            ci,
            co,
            h,
            w,
            kh,
            kw,
            s,
            p,
            oh,
            ow,
        })
    }

    fn taps(&self) -> usize {
        self.kh * self.kw
    }

    fn x_len(&self) -> usize {
        self.ci * self.h * self.w
    }

    fn y_len(&self) -> usize {
        self.co * self.oh * self.ow
    }
}

/// `x: [batch, ci, h, w]`, `w: [co, ci, kh, kw]`, `bias: [co]` to `[batch, co, oh, ow]`.
pub(crate) fn forward(
    level: Level,
    x: &[f32],
    w: &[f32],
    bias: Option<&[f32]>,
    g: &Geometry,
) -> Vec<f32> {
    if winograd::suits(g) {
        winograd::forward(level, x, w, bias, g)
    } else {
        direct::forward(level, x, w, bias, g)
    }
}

/// `w: [co, ci, kh, kw]`, `dy: [batch, co, oh, ow]` to dx `[batch, ci, h, w]`:
/// dx[b,c,y,x] = Σ_{o,i,j} w[o,c,i,j] · dy[b,o,u,v] over s·u + i − p = y and s·v + j − p = x.
pub(crate) fn grad_input(level: Level, w: &[f32], dy: &[f32], g: &Geometry) -> Vec<f32> {
    if winograd::suits(g) {
        winograd::grad_input(level, w, dy, g)
    } else {
        direct::grad_input(level, w, dy, g)
    }
}

/// `x: [batch, ci, h, w]`, `dy: [batch, co, oh, ow]` to dw `[co, ci, kh, kw]`:
/// dw[o,c,i,j] = Σ_{b,u,v} dy[b,o,u,v] · x[b,c, s·u + i − p, s·v + j − p].
pub(crate) fn grad_weight(level: Level, x: &[f32], dy: &[f32], g: &Geometry) -> Vec<f32> {
    if winograd::suits(g) {
        winograd::grad_weight(level, x, dy, g)
    } else {
        direct::grad_weight(level, x, dy, g)
    }
}
