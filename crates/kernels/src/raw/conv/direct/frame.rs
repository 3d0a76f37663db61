//! Copies of images inside a frame of zeros.

use super::Geometry;

/// Where the channels of an image lie inside a frame of zeros.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    channels: usize,
    /// Size of the image.
    h: usize,
    w: usize,
    /// Rows and columns of zeros before the image.
    top: usize,
    left: usize,
    /// Size of the framed channel.
    rows: usize,
    pub(super) cols: usize,
    /// Distance between channels.
    pub(super) stride: usize,
}

impl Frame {
    /// A channel of `h × w` at (`top`, `left`) of `rows × cols`; what does not fit is cut off.
    pub(super) fn new(
        channels: usize,
        [h, w]: [usize; 2],
        [top, left]: [usize; 2],
        [rows, cols]: [usize; 2],
    ) -> Self {
        // A pixel's channels must not all fall on the same few sets of the cache. A channel that is framed gets an
        // odd number of cache lines; one that is not may stay as it is unless its size is a multiple of four lines.
        let unframed = [top, left, rows, cols] == [0, 0, h, w] && !(rows * cols).is_multiple_of(64);
        let stride = if unframed {
            h * w
        } else {
            16 * ((rows * cols).div_ceil(16) | 1)
        };
        Self {
            channels,
            h,
            w,
            top,
            left,
            rows,
            cols,
            stride,
        }
    }

    /// The frame in which every tap of the convolution over x stays inside.
    pub(super) fn of_input(g: &Geometry) -> Self {
        let size = [(g.oh - 1) * g.s + g.kh, (g.ow - 1) * g.s + g.kw];
        Self::new(g.ci, [g.h, g.w], [g.p, g.p], size)
    }

    /// Values of one framed image.
    pub(super) fn len(&self) -> usize {
        self.channels * self.stride
    }

    /// Whether the image as it is already has this layout.
    pub(super) fn is_bare(&self) -> bool {
        (self.top, self.left, self.rows, self.cols) == (0, 0, self.h, self.w)
            && (self.stride == self.h * self.w || self.channels == 1)
    }

    /// Copies one image into its frame.
    pub(super) fn fill(&self, image: &[f32], out: &mut [f32]) {
        let rows = self.h.min(self.rows.saturating_sub(self.top));
        let cols = self.w.min(self.cols.saturating_sub(self.left));
        for c in 0..self.channels {
            let image = &image[c * self.h * self.w..][..self.h * self.w];
            let out = &mut out[c * self.stride..][..self.rows * self.cols];
            if rows == 0 || cols == 0 {
                out.fill(0.0);
                continue;
            }
            // Zeros run on from the right edge of one row to the left edge of the next.
            let mut at = 0;
            for r in 0..rows {
                let start = (self.top + r) * self.cols + self.left;
                out[at..start].fill(0.0);
                out[start..start + cols].copy_from_slice(&image[r * self.w..r * self.w + cols]);
                at = start + cols;
            }
            out[at..].fill(0.0);
        }
    }
}

/// Lends the framed image to `f`: the image itself where it needs no frame, else a copy in `space`.
pub(super) fn framed<'a>(frame: &Frame, image: &'a [f32], space: &'a mut [f32]) -> &'a [f32] {
    if frame.is_bare() {
        return image;
    }
    frame.fill(image, space);
    space
}

/// Offsets of (channel, tap) into a framed image, in the order of a weight `[ci][kh][kw]`.
pub(super) fn tap_offsets(g: &Geometry, frame: &Frame) -> Vec<u32> {
    (0..g.ci * g.taps())
        .map(|k| {
            let (c, t) = (k / g.taps(), k % g.taps());
            (c * frame.stride + t / g.kw * frame.cols + t % g.kw) as u32
        })
        .collect()
}

/// Offsets of the output positions into a framed image, row by row.
pub(super) fn position_offsets(g: &Geometry, frame: &Frame) -> Vec<u32> {
    (0..g.oh * g.ow)
        .map(|i| (i / g.ow * g.s * frame.cols + i % g.ow * g.s) as u32)
        .collect()
}
