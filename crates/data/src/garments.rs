//! A small set of real pictures that needs no file.

use std::io::Read;

use flate2::read::GzDecoder;

use crate::paeth::undo_paeth;
use crate::{Memory, Shape};

/// The ten classes of Fashion-MNIST, in the order of their labels.
pub const FASHION_CLASSES: [&str; 10] = [
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
];

/// Items in the set and pixels on a side.
const COUNT: usize = 2000;
const SIDE: usize = 28;

/// What the Paeth predictor leaves of the pictures, compressed by gzip; `examples/make_garments.rs` makes it.
static ASSET: &[u8] = include_bytes!("../assets/fashion-mnist/garments.gz");

/// 2,000 garments, 1×28×28, ten classes: the first 200 training images of each class of Fashion-MNIST.
///
/// Item i is of class i mod 10, so that any 10k first items hold k of each class. The pictures lie in the binary. They
/// are © 2017 Zalando SE under the MIT licence (`assets/fashion-mnist/LICENSE`). Source: H. Xiao, K. Rasul, R. Vollgraf,
/// "Fashion-MNIST: a novel image dataset for benchmarking machine learning algorithms", arXiv:1708.07747.
pub fn garments() -> Memory {
    let mut bytes = Vec::with_capacity(COUNT * SIDE * SIDE);
    GzDecoder::new(ASSET)
        .read_to_end(&mut bytes)
        .expect("the asset is whole");
    bytes
        .chunks_exact_mut(SIDE * SIDE)
        .for_each(|image| undo_paeth(image, SIDE));
    let labels = (0..COUNT as u32).map(|index| index % 10).collect();
    let classes = FASHION_CLASSES.map(String::from).to_vec();
    let shape = Shape::Image {
        channels: 1,
        height: SIDE,
        width: SIDE,
    };
    Memory::from_bytes("garments", shape, bytes, Some(labels), classes).expect("the asset is right")
}
