use crate::EvalError;

/// A histogram as a density: bar k covers edges k to k + 1, and bar heights times widths add up to the share of the
/// values that lie inside.
#[derive(Debug, Clone, PartialEq)]
pub struct Bins {
    edges: Vec<f64>,
    heights: Vec<f64>,
}

impl Bins {
    /// Evenly spaced bars over the range of `values`, of width 2 IQR n^(−1/3) (Freedman & Diaconis 1981), between 8 and
    /// 80 of them. Values that are not finite are left out; without any other there are no bars.
    pub fn of(values: &[f64]) -> Self {
        let mut good: Vec<f64> = values.iter().copied().filter(usable).collect();
        good.sort_by(f64::total_cmp);
        let (Some(&lo), Some(&hi)) = (good.first(), good.last()) else {
            return Self {
                edges: Vec::new(),
                heights: Vec::new(),
            };
        };
        let quartile = |q: f64| good[((good.len() - 1) as f64 * q).round() as usize];
        let width = 2.0 * (quartile(0.75) - quartile(0.25)) / (good.len() as f64).cbrt();
        let bars = ((hi - lo) / width).ceil();
        let bars = if bars.is_finite() {
            bars.clamp(8.0, 80.0)
        } else {
            8.0
        } as usize;
        Self::within(&good, (lo, hi), bars)
    }

    /// `bars` evenly spaced bars over `range`; values outside count in the total but are not shown.
    pub fn within(values: &[f64], range: (f64, f64), bars: usize) -> Self {
        let (lo, hi) = (range.0.min(range.1), range.0.max(range.1));
        let (lo, hi) = if !(usable(&lo) && usable(&hi)) {
            (0.0, 1.0)
        } else if hi - lo <= 1e-9 * lo.abs().max(hi.abs()) {
            // One single value still is a bar.
            let half = (lo.abs() * 0.05).max(if lo == 0.0 { 0.5 } else { 1e-280 });
            (lo - half, hi + half)
        } else {
            (lo, hi)
        };
        let bars = bars.clamp(1, 10_000);
        let width = (hi - lo) / bars as f64;
        let mut counts = vec![0u64; bars];
        let mut total = 0;
        for v in values.iter().filter(|v| usable(v)) {
            total += 1;
            if *v >= lo && *v <= hi {
                counts[(((v - lo) / width) as usize).min(bars - 1)] += 1;
            }
        }
        let edges: Vec<f64> = (0..=bars).map(|k| lo + width * k as f64).collect();
        let heights = counts
            .iter()
            .map(|&c| c as f64 / (total.max(1) as f64 * width))
            .collect();
        Self { edges, heights }
    }

    /// From counts made elsewhere: `counts[k]` of `total` values lie between `edges[k]` and `edges[k + 1]`. The total
    /// may exceed the sum of the counts by what lies outside.
    ///
    /// # Errors
    /// [`EvalError::Shape`] unless there is one edge more than counts, the edges increase and are finite, and the total
    /// is at least the sum.
    pub fn from_counts(edges: &[f64], counts: &[u64], total: u64) -> Result<Self, EvalError> {
        if edges.len() != counts.len() + 1 {
            return Err(EvalError::shape(
                "edges of a histogram",
                counts.len() + 1,
                edges.len(),
            ));
        }
        if let Some(k) = (1..edges.len())
            .find(|&k| !(usable(&edges[k - 1]) && usable(&edges[k]) && edges[k] > edges[k - 1]))
        {
            return Err(EvalError::shape(
                "edges of a histogram",
                "finite and increasing",
                format!("edges {} and {k}: {} and {}", k - 1, edges[k - 1], edges[k]),
            ));
        }
        let sum = counts.iter().fold(0u64, |a, c| a.saturating_add(*c));
        if total < sum {
            return Err(EvalError::shape(
                "total of a histogram",
                format!("at least the sum of its counts, {sum}"),
                total,
            ));
        }
        let heights = edges
            .windows(2)
            .zip(counts)
            .map(|(e, &c)| c as f64 / (total.max(1) as f64 * (e[1] - e[0])))
            .collect();
        Ok(Self {
            edges: edges.to_vec(),
            heights,
        })
    }

    /// Bars as (from, to, height).
    pub fn bars(&self) -> impl Iterator<Item = (f64, f64, f64)> + '_ {
        let sides = self.edges.windows(2).map(|e| (e[0], e[1]));
        sides.zip(&self.heights).map(|((a, b), h)| (a, b, *h))
    }

    /// The first and the last edge, if there are bars.
    pub fn range(&self) -> Option<(f64, f64)> {
        Some((*self.edges.first()?, *self.edges.last()?))
    }
}

fn usable(v: &f64) -> bool {
    v.is_finite() && v.abs() < 1e150
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn counts_become_a_density() {
        let b = Bins::from_counts(&[0.0, 1.0, 3.0], &[2, 4], 8).unwrap();
        let bars: Vec<_> = b.bars().collect();
        assert_eq!(bars, [(0.0, 1.0, 0.25), (1.0, 3.0, 0.25)]);
        assert!(Bins::from_counts(&[0.0, 1.0], &[2, 4], 8).is_err());
        assert!(Bins::from_counts(&[0.0, 1.0, 1.0], &[2, 4], 8).is_err());
        assert!(Bins::from_counts(&[0.0, 1.0, f64::NAN], &[2, 4], 8).is_err());
        assert!(Bins::from_counts(&[0.0, 1.0, 3.0], &[2, 4], 5).is_err());
    }

    proptest! {
        #[test]
        fn the_whole_is_one(values in prop::collection::vec(prop_oneof![6 => -5.0f64..5.0, 1 => any::<f64>()], 0..60)) {
            let b = Bins::of(&values);
            let sum: f64 = b.bars().map(|(a, b, h)| (b - a) * h).sum();
            let some = values.iter().any(usable);
            prop_assert!((sum - if some { 1.0 } else { 0.0 }).abs() < 1e-6, "{}", sum);
        }
    }
}
