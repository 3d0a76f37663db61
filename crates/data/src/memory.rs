//! A data set held in memory.

use std::collections::{BTreeMap, BTreeSet};

use crate::dataset::Fingerprint;
use crate::{DataError, Dataset, Shape};

/// The most classes a labelled set may have; a larger label is taken for a fault of the file.
pub const MAX_CLASSES: usize = 65_536;

/// A data set held in memory, checked when it is made.
///
/// Images that came as bytes stay bytes: 60,000 images of 28×28 take 47 MB. Byte b is the value b/127.5 − 1.
#[derive(Debug, Clone)]
pub struct Memory {
    name: String,
    shape: Shape,
    values: Values,
    labels: Option<Vec<u32>>,
    classes: Vec<String>,
    skipped: usize,
}

#[derive(Debug, Clone)]
enum Values {
    Bytes(Vec<u8>),
    Floats(Vec<f32>),
}

impl Memory {
    /// A data set of N items from N × `shape.size()` values, item after item.
    ///
    /// `classes` names the labels: label k means `classes[k]`. A set without labels has no classes. Values of images
    /// should lie in [-1, 1]; this is left to the caller, as latents of an autoencoder are images in shape alone.
    ///
    /// # Errors
    /// No items, a number of values that is no multiple of the shape, a value that is not finite (names item and
    /// position), a number of labels other than N, a label without a class, classes without labels.
    pub fn new(
        name: impl Into<String>,
        shape: Shape,
        values: Vec<f32>,
        labels: Option<Vec<u32>>,
        classes: Vec<String>,
    ) -> Result<Self, DataError> {
        let set = Self::check(name.into(), shape, Values::Floats(values), labels, classes)?;
        let Values::Floats(values) = &set.values else {
            unreachable!("made of floats")
        };
        match values.iter().position(|v| !v.is_finite()) {
            None => Ok(set),
            Some(at) => {
                let size = shape.size();
                let what = format!("value {} (counted from 0) is {}", at % size, values[at]);
                Err(DataError::item(
                    set.name,
                    at / size,
                    what,
                    "every value must be finite",
                ))
            }
        }
    }

    /// A data set of N items from N × `shape.size()` bytes, item after item; byte b is the value b/127.5 − 1.
    ///
    /// # Errors
    /// As [`Memory::new`].
    pub fn from_bytes(
        name: impl Into<String>,
        shape: Shape,
        bytes: Vec<u8>,
        labels: Option<Vec<u32>>,
        classes: Vec<String>,
    ) -> Result<Self, DataError> {
        Self::check(name.into(), shape, Values::Bytes(bytes), labels, classes)
    }

    fn check(
        name: String,
        shape: Shape,
        values: Values,
        labels: Option<Vec<u32>>,
        classes: Vec<String>,
    ) -> Result<Self, DataError> {
        let size = match shape.checked_size() {
            Some(size) if size > 0 => size,
            _ => {
                let what = format!("items of shape {shape}");
                return Err(DataError::contents(
                    name,
                    what,
                    "every axis must be at least 1",
                ));
            }
        };
        let length = values.len();
        if length == 0 {
            return Err(DataError::contents(
                name,
                "no items",
                "a data set needs at least one",
            ));
        }
        if !length.is_multiple_of(size) {
            let what = format!("{length} values do not fill items of shape {shape}");
            return Err(DataError::contents(
                name,
                what,
                format!("give a multiple of {size} values"),
            ));
        }
        check_labels(&name, length / size, labels.as_deref(), &classes)?;
        Ok(Self {
            name,
            shape,
            values,
            labels,
            classes,
            skipped: 0,
        })
    }

    /// The number of items, at least 1.
    pub fn count(&self) -> usize {
        self.values.len() / self.shape.size()
    }

    /// The label of every item, where the set is labelled.
    pub fn labels(&self) -> Option<&[u32]> {
        self.labels.as_deref()
    }

    /// The bytes of all items, where the set is held as bytes.
    pub fn bytes(&self) -> Option<&[u8]> {
        match &self.values {
            Values::Bytes(bytes) => Some(bytes),
            Values::Floats(_) => None,
        }
    }

    /// How many files were passed over because they are no images; 0 for a set that was not read from a folder.
    pub fn skipped(&self) -> usize {
        self.skipped
    }

    /// The same set under another name.
    pub fn with_name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    pub(crate) fn with_skipped(mut self, skipped: usize) -> Self {
        self.skipped = skipped;
        self
    }
}

impl Values {
    fn len(&self) -> usize {
        match self {
            Self::Bytes(values) => values.len(),
            Self::Floats(values) => values.len(),
        }
    }
}

impl Dataset for Memory {
    fn name(&self) -> &str {
        &self.name
    }

    fn shape(&self) -> Shape {
        self.shape
    }

    fn len(&self) -> Option<u64> {
        Some(self.count() as u64)
    }

    fn classes(&self) -> &[String] {
        &self.classes
    }

    fn item(&self, index: u64, out: &mut [f32]) -> Option<u32> {
        let size = self.shape.size();
        let count = self.count();
        assert!(
            index < count as u64,
            "item {index} of a data set of {count} items"
        );
        assert_eq!(
            out.len(),
            size,
            "an item of shape {} has {size} values",
            self.shape
        );
        let index = index as usize;
        let range = index * size..(index + 1) * size;
        match &self.values {
            Values::Floats(values) => out.copy_from_slice(&values[range]),
            Values::Bytes(bytes) => {
                for (to, &byte) in out.iter_mut().zip(&bytes[range]) {
                    *to = f32::from(byte) / 127.5 - 1.0;
                }
            }
        }
        self.labels.as_ref().map(|labels| labels[index])
    }

    fn fingerprint(&self) -> String {
        let kind = match &self.values {
            Values::Bytes(_) => "bytes",
            Values::Floats(_) => "floats",
        };
        let mut hash = Fingerprint::new(kind, self.shape);
        hash.number(self.count() as u64);
        hash.texts(&self.classes);
        for &label in self.labels.iter().flatten() {
            hash.number(u64::from(label));
        }
        match &self.values {
            Values::Bytes(bytes) => hash.bytes(bytes),
            Values::Floats(values) => hash.floats(values),
        }
        hash.finish()
    }
}

fn check_labels(
    name: &str,
    count: usize,
    labels: Option<&[u32]>,
    classes: &[String],
) -> Result<(), DataError> {
    let Some(labels) = labels else {
        return if classes.is_empty() {
            Ok(())
        } else {
            let what = format!("{} class names but no labels", classes.len());
            Err(DataError::contents(
                name,
                what,
                "give one label for each item, or no class names",
            ))
        };
    };
    if labels.len() != count {
        let what = format!("{} labels for {count} items", labels.len());
        return Err(DataError::contents(
            name,
            what,
            "give one label for each item",
        ));
    }
    if classes.len() > MAX_CLASSES {
        let what = format!("{} classes", classes.len());
        return Err(DataError::contents(
            name,
            what,
            format!("at most {MAX_CLASSES} are possible"),
        ));
    }
    match labels
        .iter()
        .position(|&label| label as usize >= classes.len())
    {
        None => Ok(()),
        Some(index) => {
            let what = format!("label {} but only {} classes", labels[index], classes.len());
            let right = "labels count from 0 and every label needs a class name";
            Err(DataError::item(name, index, what, right))
        }
    }
}

/// Class names for labels that have none: the labels that occur, in order, written as numbers; the labels
/// are replaced by the places of their names.
///
/// # Errors
/// A label of [`MAX_CLASSES`] or more.
pub(crate) fn numbered_classes(name: &str, labels: &mut [u32]) -> Result<Vec<String>, DataError> {
    if let Some(index) = labels
        .iter()
        .position(|&label| label as usize >= MAX_CLASSES)
    {
        let what = format!("label {}", labels[index]);
        let right = format!("labels count classes from 0 and must lie below {MAX_CLASSES}");
        return Err(DataError::item(name, index, what, right));
    }
    let occurring: BTreeSet<u32> = labels.iter().copied().collect();
    let place: BTreeMap<u32, u32> = occurring.iter().copied().zip(0..).collect();
    for label in labels {
        *label = place[label];
    }
    Ok(occurring.iter().map(u32::to_string).collect())
}
