use crate::simd::multiversion;

/// Columns of a tile, and the rows that share it: what fits the registers.
const COLUMNS: usize = 16;
const ROWS: usize = 4;

/// C[i·m + j] = |aᵢ − bⱼ|² of `n` points `a` and `m` points `b` with `dim` numbers each, row-major.
///
/// Differences are squared as they are, not expanded to |a|² + |b|² − 2a·b, which loses all digits
/// between close points far from the origin. Each entry is summed in the order of the coordinates.
///
/// # Panics
/// When `dim` is 0, or a slice is no whole number of points.
pub fn squared_distances(a: &[f64], b: &[f64], dim: usize) -> Vec<f64> {
    assert!(
        dim > 0 && a.len().is_multiple_of(dim) && b.len().is_multiple_of(dim),
        "squared distances need whole points of dimension {dim}, got {} and {} numbers",
        a.len(),
        b.len()
    );
    let (n, m) = (a.len() / dim, b.len() / dim);
    let mut cost = vec![0.0; n * m];
    let mut tile = vec![[0.0; COLUMNS]; dim];
    for start in (0..m).step_by(COLUMNS) {
        let width = COLUMNS.min(m - start);
        for (column, point) in b[start * dim..].chunks_exact(dim).take(width).enumerate() {
            for (entry, &x) in tile.iter_mut().zip(point) {
                entry[column] = x;
            }
        }
        fill(a, &tile, start, width, &mut cost);
    }
    cost
}

multiversion! {
    /// Fills `width` columns of the cost matrix from `start` on.
    fn fill(a: &[f64], tile: &[[f64; COLUMNS]], start: usize, width: usize, cost: &mut [f64]) {
        let dim = tile.len();
        let n = a.len() / dim;
        let m = cost.len() / n.max(1);
        for (block, points) in a.chunks(ROWS * dim).enumerate() {
            let mut sums = [[0.0; COLUMNS]; ROWS];
            if points.len() == ROWS * dim {
                let (x, rest) = points.split_at(dim);
                let (y, rest) = rest.split_at(dim);
                let (z, w) = rest.split_at(dim);
                for ((((b, x), y), z), w) in tile.iter().zip(x).zip(y).zip(z).zip(w) {
                    for (sum, x) in sums.iter_mut().zip([x, y, z, w]) {
                        add(sum, *x, b);
                    }
                }
            } else {
                for (sum, point) in sums.iter_mut().zip(points.chunks_exact(dim)) {
                    for (b, x) in tile.iter().zip(point) {
                        add(sum, *x, b);
                    }
                }
            }
            let rows = points.len() / dim;
            for (row, sum) in (block * ROWS..).zip(&sums[..rows]) {
                let at = row * m + start;
                cost[at..at + width].copy_from_slice(&sum[..width]);
            }
        }
    }
}

#[inline(always)]
fn add(sum: &mut [f64; COLUMNS], x: f64, b: &[f64; COLUMNS]) {
    for (s, b) in sum.iter_mut().zip(b) {
        *s += (x - b) * (x - b);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::distance_squared;

    #[test]
    fn every_entry_is_the_distance_of_its_points() {
        let numbers = |n: usize, k: f64| (0..n).map(|i| (i as f64 * k).sin()).collect::<Vec<_>>();
        for (n, m, dim) in [
            (1, 1, 1),
            (3, 40, 2),
            (4, 16, 3),
            (9, 17, 5),
            (33, 31, 50),
            (0, 3, 2),
        ] {
            let (a, b) = (numbers(n * dim, 1.7), numbers(m * dim, 0.3));
            let cost = squared_distances(&a, &b, dim);
            assert_eq!(cost.len(), n * m);
            for (i, x) in a.chunks(dim).enumerate() {
                for (j, y) in b.chunks(dim).enumerate() {
                    assert_eq!(
                        cost[i * m + j],
                        distance_squared(x, y),
                        "{n} {m} {dim}: {i} {j}"
                    );
                }
            }
        }
    }

    #[test]
    fn close_points_far_away_keep_their_digits() {
        assert_eq!(squared_distances(&[1e9, 1e9], &[1e9 + 0.5, 1e9], 2), [0.25]);
    }

    #[test]
    #[should_panic(expected = "dimension 2, got 3 and 4 numbers")]
    fn half_a_point_is_refused() {
        squared_distances(&[0.0; 3], &[0.0; 4], 2);
    }
}
