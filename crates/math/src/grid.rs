//! Time grids from noise (0) to data (1).

/// The `n` + 1 times i/n: `n` steps of equal length from 0 to exactly 1. For n = 0, only 0.
///
/// ```
/// assert_eq!(fokker_math::grid::uniform(4), [0.0, 0.25, 0.5, 0.75, 1.0]);
/// ```
pub fn uniform(n: usize) -> Vec<f64> {
    // i/n is correctly rounded, which sums of 1/n are not.
    (0..=n).map(|i| i as f64 / n.max(1) as f64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_exact_and_steps_equal() {
        for n in 1..200 {
            let grid = uniform(n);
            assert_eq!((grid.len(), grid[0], grid[n]), (n + 1, 0.0, 1.0));
            for pair in grid.windows(2) {
                assert!((pair[1] - pair[0] - 1.0 / n as f64).abs() < 1e-15);
            }
        }
        assert_eq!(uniform(0), [0.0]);
    }
}
