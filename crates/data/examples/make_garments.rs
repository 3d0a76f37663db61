//! Makes the asset behind `fokker_data::garments` from the files of the Debian package `dataset-fashion-mnist`:
//!
//! ```text
//! cargo run --release -p fokker-data --example make_garments -- \
//!     /usr/share/datasets/fashion-mnist crates/data/assets/fashion-mnist/garments.gz
//! ```
//!
//! The first 200 training images of each class, in file order, interleaved: item i is of class i mod 10. Each picture is
//! reduced to what PNG's Paeth predictor leaves of it, and all of them are compressed by gzip.

mod paeth;

use std::error::Error;
use std::io::Write;
use std::path::Path;

use flate2::{Compression, GzBuilder};
use fokker_data::{Split, idx_dir};
use paeth::residual;

const SIDE: usize = 28;
const PIXELS: usize = SIDE * SIDE;
const PER_CLASS: usize = 200;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, out] = arguments.as_slice() else {
        return Err("give the folder of the IDX files and the file to write".into());
    };
    let set = idx_dir(Path::new(folder), Split::Train)?;
    let bytes = set.bytes().ok_or("IDX sets are bytes")?;
    let labels = set.labels().ok_or("no labels")?;
    let of_class = |class: u32| {
        let items = labels
            .iter()
            .enumerate()
            .filter(move |&(_, &label)| label == class);
        items.map(|(index, _)| index).take(PER_CLASS).collect()
    };
    let classes: Vec<Vec<usize>> = (0..10).map(of_class).collect();

    // No time stamp and no name, so that the same images make the same file.
    let mut zip = GzBuilder::new().write(Vec::new(), Compression::best());
    for k in 0..PER_CLASS {
        for class in &classes {
            let start = *class.get(k).ok_or("a class has too few images")? * PIXELS;
            zip.write_all(&residual(&bytes[start..start + PIXELS], SIDE))?;
        }
    }
    std::fs::write(out, zip.finish()?)?;
    Ok(())
}
