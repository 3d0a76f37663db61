//! From arrays to a data set.

use std::io::Read;

use super::array::{Array, Kind};
use crate::memory::numbered_classes;
use crate::{DataError, MAX_CLASSES, Memory, Shape};

/// How far floats of images may leave [-1, 1]: the rounding of other programs.
const TOLERANCE: f64 = 1e-3;

/// The values of a data set that waits for its labels.
pub(crate) struct Items {
    shape: Shape,
    values: Values,
    pub(crate) count: usize,
}

enum Values {
    Bytes(Vec<u8>),
    Floats(Vec<f32>),
}

/// Reads the items out of an array; `place` is what errors name.
pub(crate) fn values<R: Read>(place: &str, array: &mut Array<R>) -> Result<Items, DataError> {
    let (shape, channels_last) = item_shape(place, &array.shape)?;
    let size = shape.size();
    let count = array.count / size;
    if matches!(shape, Shape::Vector(_)) {
        let values = floats(place, array, size, |_| None)?;
        return Ok(Items {
            shape,
            values: Values::Floats(values),
            count,
        });
    }
    let values = if array.is_bytes() {
        let bytes = array.bytes(place)?;
        Values::Bytes(if channels_last {
            channels_first(&bytes, shape)
        } else {
            bytes
        })
    } else if array.kind == Kind::Float {
        let outside = |value: f64| (value.abs() > 1.0 + TOLERANCE).then_some(IMAGE_RANGE);
        let values = floats(place, array, size, outside)?;
        Values::Floats(if channels_last {
            channels_first(&values, shape)
        } else {
            values
        })
    } else {
        let what = format!("holds images as integers of type {}", array.descr);
        let right = "save bytes of 0 to 255 by astype(numpy.uint8), or floats in [-1, 1]";
        return Err(DataError::contents(place, what, right));
    };
    Ok(Items {
        shape,
        values,
        count,
    })
}

const IMAGE_RANGE: &str = "floats of images must lie in [-1, 1]: save x/127.5 - 1 where x is in [0, 255], 2*x - 1 where \
                           it is in [0, 1]";

/// All values as f32. `fault` says what would be right where a value is wrong.
fn floats<R: Read>(
    place: &str,
    array: &mut Array<R>,
    size: usize,
    fault: impl Fn(f64) -> Option<&'static str>,
) -> Result<Vec<f32>, DataError> {
    let mut values = Vec::new();
    array.each_float(place, |index, value| {
        let narrow = value as f32;
        let right = match fault(value) {
            _ if value.is_finite() && narrow.is_infinite() => "every value must fit float32",
            _ if !value.is_finite() => "every value must be finite",
            Some(right) => right,
            None => {
                values.push(narrow);
                return Ok(());
            }
        };
        let what = format!("value {} (counted from 0) is {value}", index % size);
        Err(DataError::item(place, index / size, what, right))
    })?;
    values.shrink_to_fit();
    Ok(values)
}

/// Reads the labels of `count` items out of an array.
pub(crate) fn labels<R: Read>(
    place: &str,
    array: &mut Array<R>,
    count: usize,
) -> Result<Vec<u32>, DataError> {
    if array.kind == Kind::Float {
        let what = format!("holds labels of type {}", array.descr);
        return Err(DataError::contents(
            place,
            what,
            "labels are integers: save y.astype(numpy.int64)",
        ));
    }
    if array.shape.len() != 1 {
        let what = format!("holds labels of shape {:?}", array.shape);
        let right =
            format!("labels have one axis, here of length {count}: save y.argmax(-1) or y.ravel()");
        return Err(DataError::contents(place, what, right));
    }
    if array.count != count {
        let what = format!("holds {} labels for {count} items", array.count);
        return Err(DataError::contents(
            place,
            what,
            "give one label for each item",
        ));
    }
    let mut labels = Vec::new();
    array.each_integer(place, |index, value| match u32::try_from(value) {
        Ok(label) if (label as usize) < MAX_CLASSES => {
            labels.push(label);
            Ok(())
        }
        _ => {
            let right = format!("labels count classes from 0 and must lie below {MAX_CLASSES}");
            Err(DataError::item(
                place,
                index,
                format!("label {value}"),
                right,
            ))
        }
    })?;
    Ok(labels)
}

impl Items {
    /// The data set, with numbered classes where there are labels.
    pub(crate) fn with_labels(
        self,
        name: String,
        mut labels: Option<Vec<u32>>,
    ) -> Result<Memory, DataError> {
        let classes = numbered_classes(&name, labels.as_deref_mut().unwrap_or_default())?;
        match self.values {
            Values::Bytes(bytes) => Memory::from_bytes(name, self.shape, bytes, labels, classes),
            Values::Floats(values) => Memory::new(name, self.shape, values, labels, classes),
        }
    }
}

/// The shape of an item and whether its channels lie on the last axis.
fn item_shape(place: &str, shape: &[u64]) -> Result<(Shape, bool), DataError> {
    if shape.contains(&0) {
        let what = format!("has shape {shape:?}, which holds no values");
        return Err(DataError::contents(
            place,
            what,
            "a data set needs at least one item",
        ));
    }
    // The values lie in the file, so that every axis fits usize.
    let axes: Vec<usize> = shape.iter().map(|&axis| axis as usize).collect();
    let image = |channels, height, width| Shape::Image {
        channels,
        height,
        width,
    };
    match axes[..] {
        [_] => Ok((Shape::Vector(1), false)),
        [_, dim] => Ok((Shape::Vector(dim), false)),
        [_, height, width] => Ok((image(1, height, width), false)),
        [_, height, width, c @ (1 | 3)] if height != 1 && height != 3 => {
            Ok((image(c, height, width), true))
        }
        [_, channels, height, width] => Ok((image(channels, height, width), false)),
        _ => {
            let what = format!("has shape {shape:?}");
            let right = "give [N, D], [N, H, W], [N, C, H, W] or [N, H, W, C]";
            Err(DataError::contents(place, what, right))
        }
    }
}

/// HWC to CHW, item by item.
fn channels_first<T: Copy>(values: &[T], shape: Shape) -> Vec<T> {
    let Shape::Image {
        channels,
        height,
        width,
    } = shape
    else {
        return values.to_vec();
    };
    let mut out = Vec::with_capacity(values.len());
    for item in values.chunks_exact(channels * height * width) {
        for channel in 0..channels {
            out.extend(item[channel..].iter().step_by(channels));
        }
    }
    out
}
