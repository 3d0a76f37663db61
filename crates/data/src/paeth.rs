//! PNG's Paeth predictor, undone: the embedded pictures are compressed with it.

/// Adds to each value of a plane of this width the one of its neighbours left (a), above (b) and above left (c) that is
/// nearest to a + b − c, as PNG's filter 4 does (ISO/IEC 15948, 9.4).
pub(crate) fn undo_paeth(plane: &mut [u8], width: usize) {
    for at in 0..plane.len() {
        let (row, column) = (at / width, at % width);
        let left = if column > 0 { plane[at - 1] } else { 0 };
        let above = if row > 0 { plane[at - width] } else { 0 };
        let corner = if row > 0 && column > 0 {
            plane[at - width - 1]
        } else {
            0
        };
        plane[at] = plane[at].wrapping_add(paeth(left, above, corner));
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
