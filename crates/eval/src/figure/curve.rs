//! Curves made lighter and smoother before they are drawn.

use super::ticks::drawable;

/// At most four points per pixel column: the first, the lowest, the highest and the last look the same as all of them.
pub(super) fn thin(run: &[(f64, f64)]) -> Vec<(f64, f64)> {
    if run.len() < 1000 {
        return run.to_vec();
    }
    let mut out = Vec::new();
    for column in run.chunk_by(|a, b| a.0.floor() == b.0.floor()) {
        let by_y = |a: &usize, b: &usize| column[*a].1.total_cmp(&column[*b].1);
        let lowest = (0..column.len()).min_by(by_y).unwrap_or(0);
        let highest = (0..column.len()).max_by(by_y).unwrap_or(0);
        let mut keep = [0, lowest, highest, column.len() - 1];
        keep.sort_unstable();
        let mut before = usize::MAX;
        for i in keep {
            if i != before {
                out.push(column[i]);
            }
            before = i;
        }
    }
    out
}

/// The centred moving average of y over `window` drawable points, twice. Gaps stay gaps.
pub(super) fn smoothed(points: &[(f64, f64)], window: usize, log: bool) -> Vec<(f64, f64)> {
    let once = |points: &[(f64, f64)]| {
        let good: Vec<usize> = (0..points.len())
            .filter(|&i| drawable(points[i].1, log))
            .collect();
        // The mean is taken about the first value, so that a large common offset costs no digits.
        let base = good.first().map_or(0.0, |&i| points[i].1);
        let mut sums = vec![0.0];
        for &i in &good {
            sums.push(sums[sums.len() - 1] + (points[i].1 - base));
        }
        let mut out = points.to_vec();
        for (k, &i) in good.iter().enumerate() {
            // A loss falls steeply at first: there the reach to the right shrinks with the one to the left. At the
            // end it is flat and noisy: there the full reach to the left is kept.
            let reach = (window / 2).min(k);
            let (a, b) = (k - reach, (k + reach + 1).min(good.len()));
            out[i].1 = base + (sums[b] - sums[a]) / (b - a) as f64;
        }
        out
    };
    once(&once(points))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn smoothing_keeps_straight_lines_and_gaps() {
        let mut line: Vec<(f64, f64)> = (0..50)
            .map(|i| (f64::from(i), 3.0 - 0.5 * f64::from(i)))
            .collect();
        for (a, b) in smoothed(&line, 9, false).iter().zip(&line).take(40) {
            assert!((a.1 - b.1).abs() < 1e-12);
        }
        line[20].1 = f64::NAN;
        let s = smoothed(&line, 9, false);
        assert!(s[20].1.is_nan() && s.iter().filter(|p| p.1.is_nan()).count() == 1);
    }

    #[test]
    fn smoothing_averages_noise_away() {
        let noisy: Vec<(f64, f64)> = (0..200)
            .map(|i| (f64::from(i), if i % 2 == 0 { 1.0 } else { -1.0 }))
            .collect();
        assert!(
            smoothed(&noisy, 20, false)[50..150]
                .iter()
                .all(|p| p.1.abs() < 0.01)
        );
    }

    #[test]
    fn thinning_keeps_the_extremes() {
        let mut run: Vec<(f64, f64)> = (0..50_000)
            .map(|i| (f64::from(i) * 0.01, f64::from(i % 7)))
            .collect();
        run[31_234].1 = -100.0;
        let kept = thin(&run);
        assert!(kept.len() <= 4 * 501 && kept.iter().any(|p| p.1 == -100.0));
        assert_eq!((kept[0], kept[kept.len() - 1]), (run[0], run[49_999]));
    }
}
