//! Draws what the crate can show without any file: garments, and 10,000 points of every toy.
//!
//! ```text
//! cargo run -p fokker-data --example contact_sheet -- folder
//! ```
//!
//! writes `garments.png` (40 of each class, one class in each row) and `toys.png` (each toy on [-5, 5]²) there.

use std::error::Error;
use std::path::Path;

use fokker_data::{Dataset, TOYS, ToyConfig, garments, toy};
use image::{GrayImage, Luma, Rgb, RgbImage};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args()
        .nth(1)
        .ok_or("give the folder to write to")?;
    sheet(40).save(Path::new(&folder).join("garments.png"))?;
    toys(320)?.save(Path::new(&folder).join("toys.png"))?;
    Ok(())
}

/// Class k in row k.
fn sheet(columns: u32) -> GrayImage {
    let set = garments();
    let mut sheet = GrayImage::new(28 * columns, 280);
    let mut values = [0.0; 784];
    for index in 0..10 * columns {
        let row = set.item(u64::from(index), &mut values).unwrap_or_default();
        for (at, &value) in (0..).zip(&values) {
            let grey = (127.5 * value + 127.5).round() as u8;
            sheet.put_pixel(
                28 * (index / 10) + at % 28,
                28 * row + at / 28,
                Luma([grey]),
            );
        }
    }
    sheet
}

fn toys(side: u32) -> Result<RgbImage, Box<dyn Error>> {
    const COLOURS: [[u8; 3]; 8] = [
        [31, 119, 180],
        [255, 127, 14],
        [44, 160, 44],
        [214, 39, 40],
        [148, 103, 189],
        [140, 86, 75],
        [227, 119, 194],
        [23, 190, 207],
    ];
    let white = Rgb([255; 3]);
    let mut sheet = RgbImage::from_pixel(4 * side, 2 * side, white);
    for (panel, spec) in (0..).zip(TOYS) {
        let toy = toy(&ToyConfig::new(spec.name))?;
        let (left, top) = (panel % 4 * side, panel / 4 * side);
        for index in 0..10_000 {
            let mut point = [0.0; 2];
            let label = toy.item(index, &mut point).unwrap_or(0);
            let [x, y] = point.map(|v| ((v + 5.0) / 10.0 * side as f32) as u32);
            if x < side && y < side {
                let colour = COLOURS[label as usize % COLOURS.len()];
                sheet.put_pixel(left + x, top + side - 1 - y, Rgb(colour));
            }
        }
        for at in 0..side {
            sheet.put_pixel(left + at, top, Rgb([200; 3]));
            sheet.put_pixel(left, top + at, Rgb([200; 3]));
        }
    }
    Ok(sheet)
}
