//! Sheets of images, for light and for dark pages.

use fokker_data::{Dataset, Shape};
use fokker_eval::{Animation, GridStyle, Pixels, encode_gif, grid};

use super::LabError;

/// The pages' own backgrounds.
const PAGES: [[u8; 3]; 2] = [[255, 255, 255], [28, 28, 32]];

/// Rows of values as pictures.
pub(super) fn pictures(values: &[f32], shape: Shape) -> Result<Vec<Pixels>, LabError> {
    let [channels, height, width] = shape.image().expect("the lab's data are images");
    let rows = values.chunks_exact(shape.size());
    rows.map(|row| Ok(Pixels::from_unit(row, channels, height, width)?))
        .collect()
}

/// A sheet with words, for light and for dark pages.
pub(super) fn sheets(
    images: &[Pixels],
    columns: usize,
    scale: usize,
    rows: Option<Vec<String>>,
    heads: Option<Vec<String>>,
) -> Result<[Pixels; 2], LabError> {
    let sheet = |background| -> Result<Pixels, LabError> {
        let style = GridStyle {
            scale,
            background,
            margin: 12,
            gap: 4,
            row_labels: rows.clone(),
            column_labels: heads.clone(),
            ..GridStyle::default()
        };
        Ok(grid(images, columns, &style)?)
    };
    Ok([sheet(PAGES[0])?, sheet(PAGES[1])?])
}

/// Sheets as an animation.
pub(super) fn film(
    frames: &[Vec<f32>],
    shape: Shape,
    columns: usize,
) -> Result<Animation, LabError> {
    let frames: Vec<Pixels> = frames
        .iter()
        .map(|values| {
            Ok(grid(
                &pictures(values, shape)?,
                columns,
                &GridStyle::plain(2),
            )?)
        })
        .collect::<Result<_, LabError>>()?;
    let size = frames.first().map_or((0, 0), |f| (f.width, f.height));
    Ok(Animation {
        gif: encode_gif(&frames, 80, 2500)?,
        size,
    })
}

/// Images that came class by class in turn, sorted into a row for each class.
pub(super) fn by_class<T: Clone>(images: &[T], classes: usize) -> Vec<T> {
    let each = images.len() / classes;
    (0..classes)
        .flat_map(|c| (0..each).map(move |k| k * classes + c))
        .map(|i| images[i].clone())
        .collect()
}

/// The first `each` items of every class, a row for each.
pub(super) fn of_each_class(data: &dyn Dataset, each: usize) -> Vec<f32> {
    let (dim, classes) = (data.shape().size(), data.classes().len());
    let mut rows = vec![Vec::with_capacity(each * dim); classes];
    let mut row = vec![0.0; dim];
    for i in 0..data.len().unwrap_or(0) {
        if let Some(label) = data.item(i, &mut row) {
            let found = &mut rows[label as usize];
            if found.len() < each * dim {
                found.extend_from_slice(&row);
            }
        }
        if rows.iter().all(|r| r.len() == each * dim) {
            break;
        }
    }
    rows.concat()
}
