//! What a data set is: items of one shape, addressed by number.

use std::fmt;

/// The shape of one item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Shape {
    /// A point of ℝᴰ.
    Vector(usize),
    /// An image: its values lie channel by channel, row by row (CHW).
    Image {
        /// Channels: 1 is grey, 3 is red, green, blue.
        channels: usize,
        /// Rows.
        height: usize,
        /// Columns.
        width: usize,
    },
}

impl Shape {
    /// How many values one item has.
    ///
    /// # Panics
    /// If the product does not fit `usize`.
    pub fn size(&self) -> usize {
        self.checked_size().expect("a shape's size fits usize")
    }

    /// [`Shape::size`], or `None` where the product does not fit `usize`.
    pub(crate) fn checked_size(&self) -> Option<usize> {
        match *self {
            Self::Vector(dim) => Some(dim),
            Self::Image {
                channels,
                height,
                width,
            } => channels.checked_mul(height)?.checked_mul(width),
        }
    }

    /// `[channels, height, width]`, or `None` for a vector.
    pub fn image(&self) -> Option<[usize; 3]> {
        match *self {
            Self::Vector(_) => None,
            Self::Image {
                channels,
                height,
                width,
            } => Some([channels, height, width]),
        }
    }

    /// The lengths of the axes of one item: `[dim]` or `[channels, height, width]`.
    pub fn axes(&self) -> Vec<usize> {
        match *self {
            Self::Vector(dim) => vec![dim],
            Self::Image {
                channels,
                height,
                width,
            } => vec![channels, height, width],
        }
    }
}

/// `2` or `1×28×28`.
impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Vector(dim) => write!(f, "{dim}"),
            Self::Image {
                channels,
                height,
                width,
            } => write!(f, "{channels}×{height}×{width}"),
        }
    }
}

/// Items of one shape, each with a label where the set is labelled.
///
/// An item depends on its index alone: asking twice, or from two threads, gives the same values. Image sets made by this
/// crate give values in [-1, 1].
///
/// A data set of one's own needs three methods, and two more where it is finite or labelled:
///
/// ```
/// use fokker_data::{Dataset, Shape};
///
/// /// The points (cos k, sin k), k = 0, 1, 2, …
/// struct Circle;
///
/// impl Dataset for Circle {
///     fn name(&self) -> &str {
///         "circle"
///     }
///     fn shape(&self) -> Shape {
///         Shape::Vector(2)
///     }
///     fn item(&self, index: u64, out: &mut [f32]) -> Option<u32> {
///         let angle = index as f64;
///         out.copy_from_slice(&[angle.cos() as f32, angle.sin() as f32]);
///         None
///     }
/// }
///
/// let mut point = [0.0; 2];
/// assert_eq!(Circle.item(0, &mut point), None);
/// assert_eq!(point, [1.0, 0.0]);
/// assert_eq!(Circle.fingerprint().len(), 16);
/// ```
#[allow(clippy::len_without_is_empty)] // a data set without items is refused where it is made
pub trait Dataset: Send + Sync {
    /// A short name for people: `moons`, `fashion-mnist train`.
    fn name(&self) -> &str;

    /// The shape of every item.
    fn shape(&self) -> Shape;

    /// How many items there are; `None` for a distribution from which any number can be drawn.
    fn len(&self) -> Option<u64> {
        None
    }

    /// The names of the classes: label k means `classes()[k]`. Empty where the set is unlabelled.
    fn classes(&self) -> &[String] {
        &[]
    }

    /// Writes the values of item `index` to `out` (`shape().size()` of them; images as CHW) and returns its label.
    ///
    /// # Panics
    /// May panic if `index` is not below [`Dataset::len`] or `out` has another length than `shape().size()`.
    fn item(&self, index: u64, out: &mut [f32]) -> Option<u32>;

    /// Item `index` as draw `draw` of a training sees it: a function of both.
    ///
    /// It is the item itself, unless the set has a law for each item, as the latents of an autoencoder have.
    fn drawn(&self, index: u64, draw: u64, out: &mut [f32]) -> Option<u32> {
        let _ = draw;
        self.item(index, out)
    }

    /// 16 hexadecimal digits that differ (but for chance) between sets that differ, and that the name does not enter.
    ///
    /// This default hashes shape, length, class names and items: all of them where [`Dataset::len`] is known, else the
    /// first 256.
    fn fingerprint(&self) -> String {
        let mut hash = Fingerprint::new("items", self.shape());
        hash.number(self.len().unwrap_or(u64::MAX));
        hash.texts(self.classes());
        let mut values = vec![0.0; self.shape().size()];
        for index in 0..self.len().unwrap_or(256) {
            let label = self.item(index, &mut values);
            hash.number(label.map_or(u64::MAX, u64::from));
            hash.floats(&values);
        }
        hash.finish()
    }
}

/// Gathers what identifies a data set into 16 hexadecimal digits of BLAKE3.
pub(crate) struct Fingerprint(blake3::Hasher);

impl Fingerprint {
    pub(crate) fn new(kind: &str, shape: Shape) -> Self {
        let mut hash = Self(blake3::Hasher::new());
        hash.text(kind);
        hash.text(&shape.to_string());
        hash
    }

    pub(crate) fn number(&mut self, value: u64) {
        self.0.update(&value.to_le_bytes());
    }

    /// The length goes first, so that no two lists of texts are the same bytes.
    pub(crate) fn text(&mut self, text: &str) {
        self.number(text.len() as u64);
        self.0.update(text.as_bytes());
    }

    pub(crate) fn texts(&mut self, texts: &[String]) {
        self.number(texts.len() as u64);
        for text in texts {
            self.text(text);
        }
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    pub(crate) fn floats(&mut self, values: &[f32]) {
        let mut buffer = [0; 4096];
        for chunk in values.chunks(buffer.len() / 4) {
            for (to, value) in buffer.chunks_exact_mut(4).zip(chunk) {
                to.copy_from_slice(&value.to_le_bytes());
            }
            self.0.update(&buffer[..chunk.len() * 4]);
        }
    }

    pub(crate) fn finish(self) -> String {
        self.0.finalize().to_hex()[..16].to_owned()
    }
}
