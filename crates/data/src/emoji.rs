//! A small set of captioned pictures that needs no file.

use std::io::Read;

use flate2::read::GzDecoder;

use crate::paeth::undo_paeth;
use crate::{Memory, Shape};

/// The two ways of drawing every emoji: Google's Noto and Twitter's Twemoji.
pub const EMOJI_STYLES: [&str; 2] = ["google", "twitter"];

/// Pixels on a side.
const SIDE: usize = 32;
const PLANE: usize = SIDE * SIDE;

/// The largest value of a pixel as it lies in the asset.
const WHITE: u8 = 63;

/// What the Paeth predictor leaves of the pictures, compressed by gzip; `examples/emoji.rs` makes it.
static ASSET: &[u8] = include_bytes!("../assets/emoji/emoji.gz");

/// A name to a line, in the order of the pictures.
static NAMES: &str = include_str!("../assets/emoji/names.txt");

/// 400 emoji, 3×32×32: 200 of all kinds, each in two styles, with captions such as "red heart, google style".
///
/// Items 2k and 2k + 1 are emoji k as Google and as Twitter draw it; every caption is a class with one item. Pictures lie on white and
/// have 64 levels of each colour. They lie in the binary: Noto Emoji, © Google, under the Apache Licence 2.0, and Twemoji,
/// © Twitter, Inc. and other contributors, under CC-BY 4.0 (`assets/emoji/README.md`); made smaller and of fewer colours by us.
pub fn emoji() -> Memory {
    let captions: Vec<String> = NAMES
        .lines()
        .flat_map(|name| EMOJI_STYLES.map(|style| format!("{name}, {style} style")))
        .collect();
    let mut bytes = Vec::with_capacity(captions.len() * 3 * PLANE);
    GzDecoder::new(ASSET)
        .read_to_end(&mut bytes)
        .expect("the asset is whole");
    for image in bytes.chunks_exact_mut(3 * PLANE) {
        image
            .chunks_exact_mut(PLANE)
            .for_each(|plane| undo_paeth(plane, SIDE));
        // Green lies first, then what red and blue are more than that.
        let green: [u8; PLANE] = image[..PLANE].try_into().expect("a plane");
        image.copy_within(PLANE..2 * PLANE, 0);
        image[PLANE..2 * PLANE].copy_from_slice(&green);
        let level = |more: u8, green: u8| more.wrapping_add(green);
        for (at, &green) in green.iter().enumerate() {
            image[at] = level(image[at], green);
            image[2 * PLANE + at] = level(image[2 * PLANE + at], green);
        }
        for value in image {
            *value = ((u32::from(*value) * 255 + 31) / u32::from(WHITE)) as u8;
        }
    }
    let shape = Shape::Image {
        channels: 3,
        height: SIDE,
        width: SIDE,
    };
    let labels = (0..captions.len() as u32).collect();
    Memory::from_bytes("emoji", shape, bytes, Some(labels), captions).expect("the asset is right")
}
