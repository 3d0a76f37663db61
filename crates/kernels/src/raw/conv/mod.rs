//! Two-dimensional cross-correlation, NCHW, and its three gradients.
//!
//! y[b,o,u,v] = bias[o] + Σ_{c,i,j} w[o,c,i,j] · x[b,c, s·u + i − p, s·v + j − p], with x zero outside its frame.
//!
//! All three directions are the same gathered product ([`super::gemm`]) over a zero-framed copy of one image: output
//! channels (or input channels, for the gradient of x) lie in the lanes. A pixel's bits therefore depend on its own
//! image only. The zero frame takes part in the sums as it does in an im2col, so `0 · inf` there is NaN.

mod bias;
mod forward;
mod frame;
mod grad_input;
mod grad_weight;

#[cfg(test)]
mod tests;

pub(crate) use bias::grad_bias;
pub(crate) use forward::forward;
pub(crate) use grad_input::grad_input;
pub(crate) use grad_weight::grad_weight;

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

/// Into how many parts the panels of one image are split, so that small batches fill the threads too.
fn parts_per_image(batch: usize, panels: usize) -> usize {
    let want = 2 * rayon::current_num_threads();
    want.div_ceil(batch.max(1)).min(panels)
}

/// The `i`-th of `n` nearly equal parts of `0 .. len`.
fn part(len: usize, i: usize, n: usize) -> std::ops::Range<usize> {
    len * i / n..len * (i + 1) / n
}
