use fokker_data::Shape;
use fokker_sim::rng::{Purpose, Stream};

/// Mirrors half of the images that a training sees, left to right: which half is a function of the seed and of the number of
/// the item shown.
#[derive(Clone, Copy, Debug)]
pub struct Mirror {
    /// The seed and the width of a row; `None`: no image is mirrored.
    of: Option<(u64, usize)>,
}

impl Mirror {
    /// Every image stays as it is.
    pub fn never() -> Self {
        Self { of: None }
    }

    /// Half of the images of `shape`.
    ///
    /// # Panics
    /// Where items of this shape are no images.
    pub fn half(seed: u64, shape: Shape) -> Self {
        let Some([_, _, width]) = shape.image() else {
            panic!("Mirror::half: items of shape {shape} are no images");
        };
        Self {
            of: Some((seed, width)),
        }
    }

    /// Mirrors the values of item `draw`, or leaves them.
    pub fn apply(&self, draw: u64, values: &mut [f32]) {
        if let Some((seed, width)) = self.of {
            let mut cursor = Stream::new(seed, Purpose::Augment, draw, 0).cursor();
            if cursor.uniform_f64() < 0.5 {
                values.chunks_exact_mut(width).for_each(<[f32]>::reverse);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_are_mirrored_always_the_same_and_twice_is_never() {
        let shape = Shape::Image {
            channels: 2,
            height: 1,
            width: 3,
        };
        let image = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        let mirrored = [3.0, 2.0, 1.0, 6.0, 5.0, 4.0];
        let mirror = Mirror::half(5, shape);
        let mut count = 0;
        for draw in 0..2000 {
            let mut values = image;
            mirror.apply(draw, &mut values);
            assert!(values == image || values == mirrored);
            count += i32::from(values == mirrored);
            mirror.apply(draw, &mut values);
            assert_eq!(values, image);
            Mirror::never().apply(draw, &mut values);
            assert_eq!(values, image);
        }
        assert!((900..1100).contains(&count), "{count} of 2000");
    }
}
