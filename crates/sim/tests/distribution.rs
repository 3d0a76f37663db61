//! The numbers are distributed as they should be. The seeds are fixed, so a test either always
//! passes or never; limits are stated as significance levels or standard errors.

use fokker_math::stats::{ks_critical, ks_statistic, moments, normal_cdf};
use fokker_sim::rng::{Purpose, Stream, normal_rows, permutation};

const N: usize = 200_000;
const ALPHA: f64 = 1e-3;

fn stream(sample: u64) -> Stream {
    Stream::new(20_240_613, Purpose::Test, sample, 0)
}

fn normals() -> Vec<f64> {
    let mut out = vec![0.0; N];
    stream(1).normals(&mut out);
    out.into_iter().map(f64::from).collect()
}

fn normals_f64() -> Vec<f64> {
    let mut out = vec![0.0; N];
    stream(2).normals_f64(&mut out);
    out
}

fn ks(mut sample: Vec<f64>, cdf: fn(f64) -> f64) {
    sample.sort_by(f64::total_cmp);
    let (d, critical) = (ks_statistic(&sample, cdf), ks_critical(ALPHA, sample.len()));
    assert!(d < critical, "D = {d}, critical {critical}");
}

#[test]
fn kolmogorov_smirnov() {
    ks(normals(), normal_cdf);
    ks(normals_f64(), normal_cdf);
    let mut single = vec![0.0; N];
    stream(3).uniforms(&mut single);
    ks(single.into_iter().map(f64::from).collect(), |x| x);
    let mut double = vec![0.0; N];
    stream(4).uniforms_f64(&mut double);
    ks(double, |x| x);
    // Two-dimensional rows use half of a block each: another path through the code.
    let mut rows = vec![0.0; N];
    normal_rows(5, Purpose::Init, 0..N as u64 / 2, 0, 2, &mut rows);
    ks(rows.into_iter().map(f64::from).collect(), normal_cdf);
}

/// Within four standard errors: of the mean 1/√n, of the variance √(2/n), of the skewness √(6/n),
/// of the kurtosis √(24/n).
#[test]
fn moments_one_to_four() {
    for sample in [normals(), normals_f64()] {
        let m = moments(&sample).unwrap();
        let error = |variance: f64| 4.0 * (variance / N as f64).sqrt();
        assert!(m.mean.abs() < error(1.0), "{m:?}");
        assert!((m.variance - 1.0).abs() < error(2.0), "{m:?}");
        assert!(m.skewness.abs() < error(6.0), "{m:?}");
        assert!((m.kurtosis - 3.0).abs() < error(24.0), "{m:?}");
    }
}

/// The share beyond 4 is that of a normal distribution, within four standard errors.
#[test]
fn the_tail() {
    let n = 4_000_000;
    let mut out = vec![0.0; n];
    stream(6).normals(&mut out);
    let expected = n as f64 * 2.0 * normal_cdf(-4.0);
    let found = out.iter().filter(|x| x.abs() > 4.0).count() as f64;
    assert!(
        (found - expected).abs() < 4.0 * expected.sqrt(),
        "{found}, {expected}"
    );
}

fn uncorrelated(x: &[f32], y: &[f32], what: &str) {
    // For the numbers and for their squares, whose variance is 2.
    let sum: f64 = x.iter().zip(y).map(|(x, y)| f64::from(x * y)).sum();
    let squares: f64 = x
        .iter()
        .zip(y)
        .map(|(x, y)| f64::from((x * x - 1.0) * (y * y - 1.0)) / 2.0)
        .sum();
    let error = (x.len() as f64).sqrt();
    assert!(sum.abs() < 4.0 * error, "{what}: {}", sum / error);
    assert!(
        squares.abs() < 4.0 * error,
        "{what}, squares: {}",
        squares / error
    );
}

#[test]
fn neighbours_are_independent() {
    let rows = |seed, purpose, sample: u64, draw| {
        let mut out = vec![0.0; 4 * 30_000];
        normal_rows(seed, purpose, sample..sample + 30_000, draw, 4, &mut out);
        out
    };
    let base = rows(1, Purpose::Init, 0, 0);
    uncorrelated(&base, &rows(1, Purpose::Init, 1, 0), "samples");
    uncorrelated(&base, &rows(1, Purpose::Init, 0, 1), "draws");
    uncorrelated(&base, &rows(2, Purpose::Init, 0, 0), "seeds");
    uncorrelated(&base, &rows(1, Purpose::Solver, 0, 0), "purposes");
    for lag in 1..8 {
        uncorrelated(&base[lag..], &base[..base.len() - lag], "elements");
    }
}

fn chi_squared(counts: &[u32]) -> f64 {
    let expected = counts.iter().sum::<u32>() as f64 / counts.len() as f64;
    counts
        .iter()
        .map(|&c| (f64::from(c) - expected).powi(2) / expected)
        .sum()
}

/// Critical values of χ² at α = 10⁻³: 27.88 for 9 degrees of freedom, 20.52 for 5, 13.82 for 2.
#[test]
fn below_is_unbiased() {
    let mut cursor = stream(7).cursor();
    let mut counts = [0; 10];
    (0..100_000).for_each(|_| counts[cursor.below(10) as usize] += 1);
    assert!(chi_squared(&counts) < 27.88, "{counts:?}");

    // n = ¾·2⁶⁴: without rejection a remainder x mod n would fall into the lower third with
    // probability ½, and a scaled ⌊x·n/2⁶⁴⌋ would be a multiple of 3 with probability ½.
    let (mut thirds, mut residues) = ([0; 3], [0; 3]);
    for _ in 0..30_000 {
        let x = cursor.below(3 << 62);
        thirds[(x >> 62) as usize] += 1;
        residues[(x % 3) as usize] += 1;
    }
    assert!(chi_squared(&thirds) < 13.82, "{thirds:?}");
    assert!(chi_squared(&residues) < 13.82, "{residues:?}");
    assert_eq!(cursor.below(1), 0);
}

#[test]
fn permutations_are_equally_likely() {
    let mut counts = [0; 6];
    for draw in 0..30_000 {
        let p = permutation(3, Purpose::Order, draw, 3);
        counts[(p[0] * 2 + u32::from(p[1] > p[2])) as usize] += 1;
    }
    assert!(chi_squared(&counts) < 20.52, "{counts:?}");

    let mut long = permutation(3, Purpose::Order, 0, 10_000);
    assert_ne!(long, permutation(3, Purpose::Order, 1, 10_000));
    long.sort_unstable();
    assert!(long.into_iter().eq(0..10_000));
}
