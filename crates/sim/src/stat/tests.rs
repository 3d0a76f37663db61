//! Against direct computation on the same numbers.

use proptest::prelude::*;

use super::*;
use crate::rng::{Purpose, Stream};

const DIM: usize = 3;

/// `n` correlated vectors far from zero, row-major.
fn vectors(n: usize, seed: u64) -> Vec<f64> {
    let mut x = vec![0.0; n * DIM];
    Stream::new(seed, Purpose::Test, 0, 0).normals_f64(&mut x);
    for row in x.chunks_exact_mut(DIM) {
        row[1] = 2.0 * row[1] + 0.5 * row[0] - 100.0;
        row[2] = 1e4 + 0.1 * row[2] - row[1];
    }
    x
}

fn columns(rows: &[f64]) -> Vec<f64> {
    (0..DIM)
        .flat_map(|j| rows.iter().skip(j).step_by(DIM).copied())
        .collect()
}

fn close(got: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(got.len(), expected.len());
    for (g, e) in got.iter().zip(expected) {
        assert!((g - e).abs() <= tolerance * e.abs().max(1.0), "{g} {e}");
    }
}

/// Mean and unbiased covariance by their definitions.
fn direct(rows: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let n = (rows.len() / DIM) as f64;
    let column = |j: usize| rows.iter().skip(j).step_by(DIM);
    let mean: Vec<f64> = (0..DIM).map(|j| column(j).sum::<f64>() / n).collect();
    let covariance = (0..DIM * DIM).map(|place| {
        let (j, k) = (place / DIM, place % DIM);
        let products = column(j).zip(column(k));
        products
            .map(|(x, y)| (x - mean[j]) * (y - mean[k]))
            .sum::<f64>()
            / (n - 1.0)
    });
    (mean.clone(), covariance.collect())
}

#[test]
fn moments_are_those_of_the_definition() {
    for n in [2, 7, 256, 257, 5000] {
        let rows = vectors(n, 1);
        let (mean, covariance) = direct(&rows);
        let mut lanes = Moments::new(DIM);
        lanes.push_lanes(&columns(&rows), n);
        let mut single = Moments::new(DIM);
        rows.chunks_exact(DIM).for_each(|row| single.push(row));
        for moments in [&lanes, &single] {
            assert_eq!((moments.count(), moments.non_finite()), (n as u64, 0));
            close(&moments.mean(), &mean, 1e-12);
            close(&moments.covariance(), &covariance, 1e-10);
            let share = (n - 1) as f64 / n as f64;
            let population: Vec<f64> = covariance.iter().map(|c| c * share).collect();
            close(&moments.population_covariance(), &population, 1e-10);
            close(
                &moments.variance(),
                &[covariance[0], covariance[4], covariance[8]],
                1e-10,
            );
            close(&moments.population_variance()[..1], &population[..1], 1e-10);
            for j in 0..DIM {
                let column = || rows.iter().skip(j).step_by(DIM).copied();
                assert_eq!(moments.min()[j], column().fold(f64::INFINITY, f64::min));
                assert_eq!(moments.max()[j], column().fold(f64::NEG_INFINITY, f64::max));
            }
        }
    }
}

#[test]
fn a_mean_a_billion_times_the_spread_costs_no_variance() {
    // 10⁹ + {4, 7, 13, 16}: variance 30. The textbook formula gives a negative number here.
    let mut moments = Moments::new(1);
    for x in [4.0, 7.0, 13.0, 16.0] {
        moments.push(&[1e9 + x]);
    }
    assert_eq!(moments.mean(), [1e9 + 10.0]);
    assert_eq!(moments.covariance(), [30.0]);
}

#[test]
fn few_vectors_have_no_covariance() {
    let mut moments = Moments::new(2);
    assert!(moments.mean()[1].is_nan() && moments.population_covariance()[3].is_nan());
    moments.push(&[1.0, -2.0]);
    assert_eq!(moments.mean(), [1.0, -2.0]);
    assert!(moments.covariance().iter().all(|c| c.is_nan()));
    assert_eq!(moments.population_covariance(), [0.0; 4]);
}

#[test]
fn a_bad_component_drops_its_vector_only() {
    let rows = vectors(600, 2);
    let mut spoiled = rows.clone();
    let bad = [
        (0, 0, f64::NAN),
        (255, 2, f64::INFINITY),
        (599, 1, f64::NEG_INFINITY),
    ];
    for (row, component, x) in bad {
        spoiled[row * DIM + component] = x;
    }
    let good: Vec<f64> = rows
        .chunks_exact(DIM)
        .enumerate()
        .filter(|(i, _)| ![0, 255, 599].contains(i))
        .flat_map(|(_, row)| row.to_vec())
        .collect();
    let (mean, covariance) = direct(&good);
    let mut summary = Summary::new(&SummarySpec::new(DIM)).unwrap();
    summary.push_lanes(&columns(&spoiled), 600);
    let moments = &summary.moments;
    assert_eq!((moments.count(), moments.non_finite()), (597, 3));
    close(&moments.mean(), &mean, 1e-12);
    close(&moments.covariance(), &covariance, 1e-10);
    for quantiles in &summary.quantiles {
        assert_eq!((quantiles.count(), quantiles.non_finite()), (599, 1));
    }
}

#[test]
fn columns_may_be_longer_than_what_counts() {
    let mut padded = Moments::new(2);
    padded.push_lanes(&[1.0f32, 2.0, f32::NAN, 3.0, 5.0, f32::NAN], 2);
    let mut plain = Moments::new(2);
    plain.push_lanes(&[1.0, 2.0, 3.0, 5.0], 2);
    assert_eq!(padded, plain);
    assert_eq!(plain.mean(), [1.5, 4.0]);
    assert_eq!(plain.covariance(), [0.5, 1.0, 1.0, 2.0]);
}

fn spec() -> SummarySpec {
    let mut spec = SummarySpec::new(DIM);
    spec.histograms = vec![HistogramSpec {
        component: 1,
        lo: -105.0,
        hi: -95.0,
        bins: 20,
    }];
    spec
}

fn summary(rows: &[f64]) -> Summaries {
    let mut summaries = Summaries::new(&[0.0, 1.0], &spec()).unwrap();
    summaries.push_lanes(1, &columns(rows), rows.len() / DIM);
    summaries
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_split_merges_to_one_pass(mut cuts in prop::collection::vec(0usize..=2000, 0..6), seed in 0u64..1000) {
        let rows = vectors(2000, seed);
        cuts.extend([0, 2000]);
        cuts.sort_unstable();
        let parts: Vec<Summaries> = cuts
            .windows(2)
            .map(|cut| summary(&rows[cut[0] * DIM..cut[1] * DIM]))
            .collect();
        let merge = || {
            let mut all = Summaries::new(&[0.0, 1.0], &spec()).unwrap();
            parts.iter().for_each(|part| all.merge(part));
            all
        };
        let (merged, whole) = (merge(), summary(&rows));
        prop_assert_eq!(&merged, &merge());
        prop_assert_eq!(merged.summaries()[0].moments.count(), 0);
        let (merged, whole) = (&merged.summaries()[1], &whole.summaries()[1]);
        // Integers and extremes: exactly, whatever the split.
        prop_assert_eq!(&merged.quantiles, &whole.quantiles);
        prop_assert_eq!(&merged.histograms, &whole.histograms);
        prop_assert_eq!(merged.moments.min(), whole.moments.min());
        close(&merged.moments.mean(), &whole.moments.mean(), 1e-12);
        close(&merged.moments.covariance(), &whole.moments.covariance(), 1e-12);
    }

    #[test]
    fn quantiles_keep_their_guarantee(
        seed in 0u64..10_000,
        n in 1usize..3000,
        decades in 0.1f64..17.0,
        shift in -150.0f64..150.0,
        negative in 0.0f64..1.0,
        alpha in 0.001f64..0.1,
        zeros in 0usize..3,
    ) {
        let mut u = vec![0.0; 2 * n];
        Stream::new(seed, Purpose::Test, 1, 0).uniforms_f64(&mut u);
        let mut x: Vec<f64> = u
            .chunks_exact(2)
            .map(|u| 10f64.powf(shift + decades * u[0]) * if u[1] < negative { -1.0 } else { 1.0 })
            .collect();
        x.extend(vec![0.0; zeros]);
        let mut sketch = Quantiles::with_alpha(alpha).unwrap();
        sketch.push_slice(&x);
        x.sort_unstable_by(f64::total_cmp);
        prop_assert_eq!(sketch.count(), x.len() as u64);
        prop_assert_eq!((sketch.quantile(0.0), sketch.quantile(1.0)), (x.first().copied(), x.last().copied()));
        for q in [0.0, 0.001, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999, 1.0] {
            let exact = x[(q * (x.len() - 1) as f64) as usize];
            let got = sketch.quantile(q).unwrap();
            prop_assert!((got - exact).abs() <= alpha * exact.abs() * (1.0 + 1e-12), "{} {} {}", q, got, exact);
        }
    }

    #[test]
    fn collapsed_sketches_do_not_depend_on_the_order(
        mut exponents in prop::collection::vec(-1000i32..1000, 1..60),
        cut in 0usize..60,
    ) {
        let fill = |exponents: &[i32]| {
            let mut sketch = Quantiles::new();
            exponents.iter().for_each(|&e| sketch.push(2f64.powi(e)));
            sketch
        };
        let one_way = fill(&exponents);
        let cut = cut.min(exponents.len());
        let mut merged = fill(&exponents[cut..]);
        merged.merge(&fill(&exponents[..cut]));
        prop_assert_eq!(&merged, &one_way);
        exponents.sort_unstable();
        prop_assert_eq!(&fill(&exponents), &one_way);
        // Above 2⁻⁶⁰ of the greatest value the guarantee is relative, below it absolute.
        let max = 2f64.powi(*exponents.last().unwrap());
        for (i, &e) in exponents.iter().enumerate() {
            let q = (i as f64 + 0.5) / (exponents.len() - 1).max(1) as f64;
            if q < 1.0 {
                let got = one_way.quantile(q).unwrap();
                let exact = 2f64.powi(e);
                let allowed = (Quantiles::ALPHA * exact).max(max * 2f64.powi(-59));
                prop_assert!((got - exact).abs() <= allowed * (1.0 + 1e-12), "{} {}", got, exact);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn quantiles_around_a_centre_are_as_good_as_the_distance(
        seed in 0u64..10_000,
        n in 1usize..3000,
        centre in -1e6f64..1e6,
        spread in -6.0f64..3.0,
        cut in 0.0f64..1.0,
    ) {
        let mut x = vec![0.0; n];
        Stream::new(seed, Purpose::Test, 2, 0).normals_f64(&mut x);
        x.iter_mut().for_each(|x| *x = centre + 10f64.powf(spread) * *x);
        let c = x[0];
        let fill = |x: &[f64]| {
            let mut sketch = Quantiles::new().around(c);
            sketch.push_slice(x);
            sketch
        };
        let sketch = fill(&x);
        let cut = (cut * n as f64) as usize;
        let mut merged = fill(&x[cut..]);
        merged.merge(&fill(&x[..cut]));
        prop_assert_eq!(&merged, &sketch);
        x.sort_unstable_by(f64::total_cmp);
        for q in [0.0, 0.01, 0.25, 0.5, 0.75, 0.99, 1.0] {
            let exact = x[(q * (n - 1) as f64) as usize];
            let got = sketch.quantile(q).unwrap();
            let allowed = Quantiles::ALPHA * (exact - c).abs() + 4.0 * f64::EPSILON * centre.abs();
            prop_assert!((got - exact).abs() <= allowed * (1.0 + 1e-9), "{} {} {} {}", q, got, exact, c);
        }
    }
}

#[test]
fn odd_numbers_have_their_places() {
    let mut sketch = Quantiles::new();
    assert_eq!(sketch.quantile(0.5), None);
    sketch.push_slice(&[f64::NAN, f64::INFINITY, f64::NEG_INFINITY]);
    assert_eq!((sketch.count(), sketch.non_finite()), (0, 3));
    sketch.push_slice(&[-0.0, 0.0, 5e-324, f64::MAX, f64::MIN]);
    assert_eq!((sketch.count(), sketch.non_finite()), (5, 3));
    assert_eq!(sketch.quantile(0.5), Some(0.0));
    assert_eq!(sketch.quantile(1.0), Some(f64::MAX));
    let mut far = Quantiles::new().around(f64::MAX);
    far.push_slice(&[f64::MIN, f64::MAX]);
    assert_eq!((far.count(), far.non_finite()), (2, 0));
    assert_eq!(
        (far.quantile(0.0), far.quantile(1.0)),
        (Some(f64::MIN), Some(f64::MAX))
    );
    for q in [-0.1, 1.1, f64::NAN] {
        assert_eq!(sketch.quantile(q), None);
    }
}

#[test]
fn histograms_count_as_their_edges_say() {
    let mut x = vec![0.0; 20_000];
    Stream::new(5, Purpose::Test, 0, 0).normals_f64(&mut x);
    let mut histogram = Histogram::new(-1.9, 2.3, 41).unwrap();
    // Every edge and its neighbour, where the rounding of (x − lo)·bins/(hi − lo) would go wrong.
    x.extend_from_slice(histogram.edges());
    x.extend(histogram.edges().iter().map(|edge| edge.next_down()));
    x.extend([f64::NAN, f64::INFINITY]);
    histogram.push_slice(&x);
    let edges = histogram.edges();
    assert_eq!((edges[0], edges[41]), (-1.9, 2.3));
    for (i, &count) in histogram.counts().iter().enumerate() {
        let inside =
            |x: &&f64| **x >= edges[i] && (**x < edges[i + 1] || i == 40 && **x == edges[41]);
        assert_eq!(count, x.iter().filter(inside).count() as u64);
    }
    assert_eq!(
        histogram.below(),
        x.iter().filter(|&&x| x < -1.9).count() as u64
    );
    assert_eq!(histogram.non_finite(), 2);
    assert_eq!(histogram.count(), 20_084);
    let inside = histogram.counts().iter().sum::<u64>() as f64 / 20_084.0;
    let width = 4.2 / 41.0;
    let integral: f64 = histogram.density().iter().map(|d| d * width).sum();
    assert!((integral - inside).abs() < 1e-12);
    // The normal density at 0 is 1/√2π.
    let middle = (1.9 / width) as usize;
    assert!((histogram.density()[middle] - 0.3989).abs() < 0.03);
}

#[test]
fn what_cannot_be_kept_is_refused() {
    for alpha in [0.0, 0.2, f64::NAN] {
        let message = Quantiles::with_alpha(alpha).unwrap_err().to_string();
        assert!(message.contains("[0.001, 0.1]"), "{message}");
    }
    for (lo, hi) in [
        (1.0, 1.0),
        (2.0, 1.0),
        (f64::NAN, 1.0),
        (0.0, f64::INFINITY),
        (1e16, 1e16 + 2.0),
        (f64::MIN, f64::MAX),
    ] {
        assert!(
            matches!(Histogram::new(lo, hi, 10), Err(StatError::Range { .. })),
            "{lo} {hi}"
        );
    }
    assert!(Histogram::new(0.0, 1.0, 0).is_err());
    let mut spec = spec();
    spec.histograms.push(spec.histograms[0]);
    assert!(matches!(
        Summary::new(&spec),
        Err(StatError::Component {
            component: 1,
            dim: 3
        })
    ));
    spec.histograms[1].component = 3;
    assert!(Summary::new(&spec).is_err());
}
