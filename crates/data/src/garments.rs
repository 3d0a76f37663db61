//! A small set of real pictures that needs no file.

use std::io::Read;

use flate2::read::GzDecoder;

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
    bytes.chunks_exact_mut(SIDE * SIDE).for_each(undo_paeth);
    let labels = (0..COUNT as u32).map(|index| index % 10).collect();
    let classes = FASHION_CLASSES.map(String::from).to_vec();
    let shape = Shape::Image {
        channels: 1,
        height: SIDE,
        width: SIDE,
    };
    Memory::from_bytes("garments", shape, bytes, Some(labels), classes).expect("the asset is right")
}

/// Adds to each pixel the one of its neighbours left (a), above (b) and above left (c) that is nearest to a + b − c, as
/// PNG's filter 4 does (ISO/IEC 15948, 9.4).
fn undo_paeth(image: &mut [u8]) {
    for at in 0..image.len() {
        let (row, column) = (at / SIDE, at % SIDE);
        let left = if column > 0 { image[at - 1] } else { 0 };
        let above = if row > 0 { image[at - SIDE] } else { 0 };
        let corner = if row > 0 && column > 0 {
            image[at - SIDE - 1]
        } else {
            0
        };
        image[at] = image[at].wrapping_add(paeth(left, above, corner));
    }
}

fn paeth(left: u8, above: u8, corner: u8) -> u8 {
    let estimate = i32::from(left) + i32::from(above) - i32::from(corner);
    let distance = |value: u8| (estimate - i32::from(value)).abs();
    // The first of equals wins: left, above, corner.
    [left, above, corner]
        .into_iter()
        .min_by_key(|&value| distance(value))
        .unwrap_or(0)
}
