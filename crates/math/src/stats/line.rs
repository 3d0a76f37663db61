//! A line through points, for orders of convergence.

/// The line y = slope·x + intercept of least squares.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Line {
    /// The slope.
    pub slope: f64,
    /// The value at x = 0.
    pub intercept: f64,
    /// The standard error of the slope, √(Σ residual²/(n − 2) / Σ(x − x̄)²); NaN for two points.
    pub standard_error: f64,
}

/// The line of least squares through the points (x, y). On the logarithms of step sizes and errors
/// its slope is the order of convergence. NaN for fewer than two different x.
///
/// # Panics
/// When the slices differ in length.
pub fn slope(xs: &[f64], ys: &[f64]) -> Line {
    assert_eq!(xs.len(), ys.len(), "a line needs one y for each x");
    let n = xs.len() as f64;
    let mean = |v: &[f64]| v.iter().sum::<f64>() / n;
    let (mx, my) = (mean(xs), mean(ys));
    let points = || xs.iter().zip(ys).map(|(x, y)| (x - mx, y - my));
    let sxx: f64 = points().map(|(x, _)| x * x).sum();
    let slope = points().map(|(x, y)| x * y).sum::<f64>() / sxx;
    let residual: f64 = points().map(|(x, y)| (y - slope * x).powi(2)).sum();
    Line {
        slope,
        intercept: my - slope * mx,
        standard_error: (residual / (n - 2.0) / sxx).sqrt(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exact_line() {
        let line = slope(&[0.0, 1.0, 2.0, 5.0], &[1.0, 3.0, 5.0, 11.0]);
        assert_eq!(
            [line.slope, line.intercept, line.standard_error],
            [2.0, 1.0, 0.0]
        );
        assert!(slope(&[1.0], &[1.0]).slope.is_nan());
    }

    /// The first of Anscombe's quartets (1973): y = 3.00 + 0.500x, standard error 0.118.
    #[test]
    fn anscombe() {
        let x = [10.0, 8.0, 13.0, 9.0, 11.0, 14.0, 6.0, 4.0, 12.0, 7.0, 5.0];
        let y = [
            8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68,
        ];
        let line = slope(&x, &y);
        assert!((line.slope - 0.500).abs() < 5e-4 && (line.intercept - 3.0).abs() < 5e-3);
        assert!((line.standard_error - 0.118).abs() < 5e-4);
    }
}
