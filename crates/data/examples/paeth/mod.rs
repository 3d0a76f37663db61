//! PNG's Paeth predictor, for the tools that make assets.

/// What the predictor leaves of a plane of this width: each value minus the one of its neighbours left, above and above left that
/// is nearest to left + above − above left (ISO/IEC 15948, 9.4).
pub(crate) fn residual(plane: &[u8], width: usize) -> Vec<u8> {
    (0..plane.len())
        .map(|at| {
            let (row, column) = (at / width, at % width);
            let left = if column > 0 { plane[at - 1] } else { 0 };
            let above = if row > 0 { plane[at - width] } else { 0 };
            let corner = if row > 0 && column > 0 {
                plane[at - width - 1]
            } else {
                0
            };
            let estimate = i32::from(left) + i32::from(above) - i32::from(corner);
            let distance = |value: u8| (estimate - i32::from(value)).abs();
            let guess = [left, above, corner]
                .into_iter()
                .min_by_key(|&value| distance(value));
            plane[at].wrapping_sub(guess.unwrap_or(0))
        })
        .collect()
}
