//! Images on a larger canvas.

use std::sync::Arc;

use crate::dataset::Fingerprint;
use crate::{DataError, Dataset, Shape};

/// Images in the middle of a black canvas: every value around them is −1. What is odd goes to the right and to the bottom.
///
/// The course's networks take digits and garments of 28×28 so, as 32×32.
pub struct Padded {
    inner: Arc<dyn Dataset>,
    shape: Shape,
    /// Rows above and columns left of the image.
    corner: [usize; 2],
}

impl Padded {
    /// The images of `inner` on a canvas of `side` × `side`.
    ///
    /// # Errors
    /// Data that are not images, and images that do not fit.
    pub fn new(inner: Arc<dyn Dataset>, side: usize) -> Result<Padded, DataError> {
        let refuse = |what: String| {
            let right = "give a side at least as long as those of the images";
            Err(DataError::option("pad_to", what, right))
        };
        let Some([channels, height, width]) = inner.shape().image() else {
            return refuse(format!("the items are vectors of {}", inner.shape()));
        };
        if side < height.max(width) || side > crate::MAX_SIDE {
            return refuse(format!("images of {} on {side}×{side}", inner.shape()));
        }
        Ok(Padded {
            inner,
            shape: Shape::Image {
                channels,
                height: side,
                width: side,
            },
            corner: [(side - height) / 2, (side - width) / 2],
        })
    }
}

impl Dataset for Padded {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn shape(&self) -> Shape {
        self.shape
    }

    fn len(&self) -> Option<u64> {
        self.inner.len()
    }

    fn classes(&self) -> &[String] {
        self.inner.classes()
    }

    fn item(&self, index: u64, out: &mut [f32]) -> Option<u32> {
        let [channels, height, width] = self.inner.shape().image().expect("checked when made");
        let [_, side, _] = self.shape.image().expect("made as an image");
        let mut image = vec![0.0; channels * height * width];
        let label = self.inner.item(index, &mut image);
        out.fill(-1.0);
        let [top, left] = self.corner;
        for (row, values) in image.chunks_exact(width).enumerate() {
            let (channel, y) = (row / height, row % height);
            let at = (channel * side + top + y) * side + left;
            out[at..at + width].copy_from_slice(values);
        }
        label
    }

    fn fingerprint(&self) -> String {
        let mut hash = Fingerprint::new("padded", self.shape);
        hash.text(&self.inner.fingerprint());
        hash.finish()
    }
}
