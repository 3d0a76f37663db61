//! Is a picture what was asked for? The rank of the right one among others.

/// Cells on a side that directions and colours are gathered in.
const CELLS: usize = 4;
/// Directions of gradients.
const DIRECTIONS: usize = 8;

/// What a picture looks like, apart from its exact pixels: for each of 4×4 cells the histogram of the directions of its luminance
/// gradients, weighted by their lengths, and its mean colour.
///
/// Histograms of the whole picture have length 1 together (after Dalal and Triggs, *Histograms of oriented gradients for human
/// detection*, 2005), and so has a picture whose colours are all ±1. Pictures are `[channels, height, width]` with values in
/// [-1, 1]; the result has 16·(8 + channels) numbers.
///
/// # Panics
/// If `values` is not one picture of this shape, with at least 4 rows and columns.
pub fn look(values: &[f32], [channels, height, width]: [usize; 3]) -> Vec<f32> {
    let plane = height * width;
    assert!(
        values.len() == channels * plane && channels > 0 && height >= CELLS && width >= CELLS,
        "look: expected a picture of {channels}×{height}×{width} with sides of at least {CELLS}, got {} values",
        values.len()
    );
    // Rec. 709 for colours, the mean for anything else.
    let weights = match channels {
        3 => vec![0.2126, 0.7152, 0.0722],
        n => vec![1.0 / n as f32; n],
    };
    let light: Vec<f32> = (0..plane)
        .map(|at| {
            (0..channels)
                .map(|c| weights[c] * values[c * plane + at])
                .sum()
        })
        .collect();
    let cell = |row: usize, column: usize| (row * CELLS / height) * CELLS + column * CELLS / width;
    let mut directions = vec![0.0; CELLS * CELLS * DIRECTIONS];
    let mut colours = vec![0.0; CELLS * CELLS * channels];
    let mut members = [0_u32; CELLS * CELLS];
    for row in 0..height {
        for column in 0..width {
            let at = |r: usize, c: usize| light[r.min(height - 1) * width + c.min(width - 1)];
            let dy = at(row + 1, column) - at(row.saturating_sub(1), column);
            let dx = at(row, column + 1) - at(row, column.saturating_sub(1));
            let here = cell(row, column);
            members[here] += 1;
            for c in 0..channels {
                colours[here * channels + c] += values[c * plane + row * width + column];
            }
            let length = dx.hypot(dy);
            if length > 0.0 {
                // A direction between two bins counts for both.
                let turn =
                    (dy.atan2(dx) / std::f32::consts::TAU).rem_euclid(1.0) * DIRECTIONS as f32;
                let (bin, part) = (turn as usize, turn.fract());
                directions[here * DIRECTIONS + bin % DIRECTIONS] += length * (1.0 - part);
                directions[here * DIRECTIONS + (bin + 1) % DIRECTIONS] += length * part;
            }
        }
    }
    let norm = directions
        .iter()
        .map(|v| v * v)
        .sum::<f32>()
        .sqrt()
        .max(1e-6);
    directions.iter_mut().for_each(|v| *v /= norm);
    let whole = ((CELLS * CELLS * channels) as f32).sqrt();
    for (k, colour) in colours.iter_mut().enumerate() {
        *colour /= members[k / channels] as f32 * whole;
    }
    directions.extend(colours);
    directions
}

/// The place of `right` among itself and `others` by their distance to `query`, nearest first, from 1 on. Those as far as
/// `right` count half.
///
/// # Panics
/// If their lengths differ.
pub fn rank<'a>(query: &[f32], right: &[f32], others: impl IntoIterator<Item = &'a [f32]>) -> f64 {
    let far = |to: &[f32]| -> f64 {
        assert!(
            to.len() == query.len(),
            "rank: expected {} numbers as in the query, got {}",
            query.len(),
            to.len()
        );
        query
            .iter()
            .zip(to)
            .map(|(a, b)| f64::from(a - b).powi(2))
            .sum()
    };
    let own = far(right);
    let before = others.into_iter().map(|other| match far(other) {
        d if d < own => 1.0,
        d if d == own => 0.5,
        _ => 0.0,
    });
    1.0 + before.sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: [usize; 3] = [3, 8, 8];

    fn picture(f: impl Fn(usize, usize, usize) -> f32) -> Vec<f32> {
        let at = |i: usize| f(i / 64, i / 8 % 8, i % 8);
        (0..3 * 64).map(at).collect()
    }

    #[test]
    fn a_picture_of_one_colour_has_no_directions() {
        let look = look(&picture(|c, _, _| if c == 0 { 1.0 } else { -1.0 }), SHAPE);
        let (directions, colours) = look.split_at(16 * 8);
        assert_eq!(look.len(), 16 * 11);
        assert!(directions.iter().all(|v| *v == 0.0));
        let norm: f32 = colours.iter().map(|v| v * v).sum();
        assert!((norm - 1.0).abs() < 1e-6);
        assert!(colours.chunks(3).all(|c| c[0] > 0.0 && c[1] < 0.0));
    }

    #[test]
    fn a_ramp_has_one_direction_whatever_its_steepness() {
        let of = |slope: f32| look(&picture(|_, _, x| slope * (x as f32 - 3.5)), SHAPE);
        for look in [of(0.02), of(0.2)] {
            let (directions, _) = look.split_at(16 * 8);
            let first: f32 = directions.chunks(8).map(|cell| cell[0] * cell[0]).sum();
            assert!((first - 1.0).abs() < 1e-5, "{first}");
        }
        let down = look(&picture(|_, y, _| 0.1 * y as f32), SHAPE);
        assert!(
            down[..128]
                .chunks(8)
                .all(|cell| cell[2] > 0.0 && cell[0] == 0.0)
        );
    }

    #[test]
    fn ranks_count_who_is_nearer() {
        let others: [&[f32]; 4] = [&[0.5], &[-3.0], &[1.0], &[9.0]];
        assert_eq!(rank(&[0.0], &[0.0], others), 1.0);
        assert_eq!(rank(&[0.0], &[1.0], others), 2.5);
        assert_eq!(rank(&[0.0], &[100.0], others), 5.0);
    }
}
