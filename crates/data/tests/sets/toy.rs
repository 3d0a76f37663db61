use fokker_data::{Dataset, MAX_MODES, TOYS, Toy, ToyConfig, toy};

use crate::refused;

const N: u64 = 40_000;

fn make(name: &str) -> Toy {
    toy(&ToyConfig::new(name)).unwrap()
}

fn points(toy: &Toy) -> impl Iterator<Item = ([f64; 2], Option<u32>)> {
    (0..N).map(move |index| {
        let mut out = [0.0; 2];
        let label = toy.item(index, &mut out);
        (out.map(f64::from), label)
    })
}

/// Pearson's χ² against the expected shares, as standard deviations from its mean (k − 1 degrees of freedom).
fn chi_square_z(counts: &[u64], shares: &[f64]) -> f64 {
    let total = counts.iter().sum::<u64>() as f64;
    let term =
        |(&count, &share): (&u64, &f64)| (count as f64 - total * share).powi(2) / (total * share);
    let chi: f64 = counts.iter().zip(shares).map(term).sum();
    let freedom = counts.len() as f64 - 1.0;
    (chi - freedom) / (2.0 * freedom).sqrt()
}

/// Mean 0 and the standard deviation expected, each within five standard errors.
#[track_caller]
fn centred(values: &[f64], std: f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|v| v * v).sum::<f64>() / n;
    assert!(mean.abs() < 5.0 * std / n.sqrt(), "mean {mean}");
    assert!(
        (variance / (std * std) - 1.0).abs() < 5.0 * (2.0 / n).sqrt(),
        "variance {variance}"
    );
}

#[test]
fn every_toy_in_the_list_can_be_drawn_from() {
    for spec in TOYS {
        let toy = make(spec.name);
        assert_eq!(
            (toy.name(), toy.len(), toy.classes().len()),
            (spec.name, None, spec.classes)
        );
        for (point, label) in points(&toy).take(1000) {
            assert!(
                point.iter().all(|v| v.is_finite() && v.abs() < 8.0),
                "{} {point:?}",
                spec.name
            );
            assert_eq!(label.is_some(), spec.classes > 0);
            assert!(label.is_none_or(|label| (label as usize) < spec.classes));
        }
    }
}

#[test]
fn a_point_depends_on_seed_and_index_alone() {
    for spec in TOYS {
        let (one, two) = (make(spec.name), make(spec.name));
        let forwards: Vec<_> = points(&one).take(100).collect();
        for index in (0..100).rev() {
            let mut out = [0.0; 2];
            let label = two.item(index, &mut out);
            assert_eq!((out.map(f64::from), label), forwards[index as usize]);
        }
        let other = toy(&ToyConfig::new(spec.name).with_seed(1)).unwrap();
        assert!(
            points(&other).zip(&forwards).all(|(a, b)| a != *b),
            "{}",
            spec.name
        );
        assert_eq!(one.fingerprint(), two.fingerprint());
        assert_ne!(one.fingerprint(), other.fingerprint());
    }
}

/// The noise across an arc of radius r is N(0, σ²) but for the curvature, which adds σ²/(2r) to the distance.
#[test]
fn moons_lie_along_their_arcs() {
    let moons = make("moons");
    let mut across = [vec![], vec![]];
    let mut all = [[vec![], vec![]], [vec![], vec![]]];
    for ([x, y], label) in points(&moons) {
        let label = label.unwrap() as usize;
        // The upper arc is about (−1, −0.2), the lower one about (1, 0.8); both have radius 2.
        let (x, y) = if label == 0 {
            (x + 1.0, y + 0.2)
        } else {
            (x - 1.0, 0.8 - y)
        };
        across[label].push(x.hypot(y) - 2.0 - 0.01);
        all[label][0].push(x);
        all[label][1].push(y - 4.0 / std::f64::consts::PI);
    }
    for label in 0..2 {
        centred(&across[label], 0.2);
        // 2 cos θ has variance 2; 2 sin θ has mean 4/π and variance 2 − (4/π)²; the noise adds 0.04.
        let xs = &all[label][0];
        let n = xs.len() as f64;
        let mean = xs.iter().sum::<f64>() / n;
        let variance = xs.iter().map(|x| x * x).sum::<f64>() / n;
        assert!(
            mean.abs() < 5.0 * (2.04 / n).sqrt() && (variance - 2.04).abs() < 0.06,
            "{mean} {variance}"
        );
        let mean = all[label][1].iter().sum::<f64>() / n;
        assert!(mean.abs() < 5.0 * (0.42 / n).sqrt(), "{mean}");
    }
    assert!(chi_square_z(&[across[0].len() as u64, across[1].len() as u64], &[0.5; 2]) < 10.0);
}

#[test]
fn circles_have_their_radii() {
    let mut across = [vec![], vec![]];
    let mut quarters = [0; 4];
    for ([x, y], label) in points(&make("circles")) {
        let label = label.unwrap() as usize;
        let radius = [3.0, 1.5][label];
        across[label].push(x.hypot(y) - radius - 0.24f64.powi(2) / (2.0 * radius));
        quarters[usize::from(x < 0.0) + 2 * usize::from(y < 0.0)] += 1;
    }
    for across in &across {
        // To first order in σ/r; the second order is below the five standard errors allowed.
        centred(across, 0.24);
    }
    assert!(chi_square_z(&quarters, &[0.25; 4]) < 5.0);
    assert!(chi_square_z(&[across[0].len() as u64, across[1].len() as u64], &[0.5; 2]) < 10.0);
}

#[test]
fn the_swiss_roll_is_a_spiral() {
    // Distance to the nearest point of the curve t(cos t, sin t)/5 on a fine grid, against noise of 0.2.
    let curve: Vec<[f64; 2]> = (0..=2000)
        .map(|k| 1.5 * std::f64::consts::PI * (1.0 + f64::from(k) / 1000.0))
        .map(|t| [t * t.cos() / 5.0, t * t.sin() / 5.0])
        .collect();
    let roll = make("swiss-roll");
    let mut far = 0;
    for ([x, y], _) in points(&roll).take(4000) {
        let distances = curve.iter().map(|[a, b]| (x - a).hypot(y - b));
        let nearest = distances.fold(f64::INFINITY, f64::min);
        assert!(nearest < 5.5 * 0.2);
        far += u32::from(nearest > 0.2);
    }
    // Across a curve that is nearly straight the distance is |N(0, σ²)|: beyond σ with probability 0.3173.
    assert!((f64::from(far) / 4000.0 - 0.3173).abs() < 0.04, "{far}");
    // All of the parameter's range is used evenly: t = 5·radius, up to noise.
    let mut thirds = [0u64; 3];
    for ([x, y], _) in points(&roll) {
        let u = (5.0 * x.hypot(y) / (1.5 * std::f64::consts::PI) - 1.0) / 2.0;
        thirds[((u * 3.0).clamp(0.0, 2.0)) as usize] += 1;
    }
    assert!(
        thirds
            .iter()
            .all(|&n| (n as f64 / N as f64 - 1.0 / 3.0).abs() < 0.015),
        "{thirds:?}"
    );
}

#[test]
fn the_checkerboard_is_uniform_on_its_dark_squares() {
    // Quarters of every square of the board: 64 cells of side 1.
    let mut cells = [[0u64; 8]; 8];
    for ([x, y], label) in points(&make("checkerboard")) {
        assert_eq!(label, None);
        let (i, j) = ((x + 4.0).floor(), (y + 4.0).floor());
        assert!((0.0..8.0).contains(&i) && (0.0..8.0).contains(&j));
        cells[i as usize][j as usize] += 1;
    }
    let mut counts = Vec::new();
    for (i, column) in cells.iter().enumerate() {
        for (j, &count) in column.iter().enumerate() {
            if (i / 2 + j / 2).is_multiple_of(2) {
                counts.push(count);
            } else {
                assert_eq!(count, 0, "cell {i},{j}");
            }
        }
    }
    assert_eq!(counts.len(), 32);
    assert!(chi_square_z(&counts, &[1.0 / 32.0; 32]) < 5.0);
}

#[test]
fn mixtures_keep_their_weights_means_and_widths() {
    let ring = ToyConfig {
        modes: Some(5),
        radius: Some(3.0),
        std: Some(0.5),
        ..ToyConfig::new("ring")
    };
    let random = ToyConfig {
        modes: Some(7),
        layout_seed: Some(3),
        ..ToyConfig::new("random-mixture")
    };
    for config in [ToyConfig::new("8-gaussians"), ring, random] {
        let toy = toy(&config).unwrap();
        let modes = toy.modes().unwrap();
        assert!((modes.weights.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        let mut counts = vec![0; modes.weights.len()];
        let mut noise = vec![vec![]; modes.weights.len()];
        for (point, label) in points(&toy) {
            let k = label.unwrap() as usize;
            counts[k] += 1;
            noise[k].extend([point[0] - modes.means[k][0], point[1] - modes.means[k][1]]);
        }
        assert!(
            chi_square_z(&counts, &modes.weights) < 5.0,
            "{} {counts:?}",
            config.name
        );
        for (noise, &std) in noise.iter().zip(&modes.stds) {
            centred(noise, std);
        }
    }
    assert!(make("moons").modes().is_none());
}

#[test]
fn the_published_constants() {
    let modes = make("8-gaussians").modes().unwrap();
    // FFJORD: centres 4·(±1, 0), 4·(0, ±1), 4·(±1/√2, ±1/√2) and deviation ½, all over √2.
    let (radius, diagonal) = (8f64.sqrt(), 2.0);
    let expected = [
        [radius, 0.0],
        [diagonal, diagonal],
        [0.0, radius],
        [-diagonal, diagonal],
        [-radius, 0.0],
        [-diagonal, -diagonal],
        [0.0, -radius],
        [diagonal, -diagonal],
    ];
    for (mean, expected) in modes.means.iter().zip(expected) {
        assert!(
            (mean[0] - expected[0]).hypot(mean[1] - expected[1]) < 1e-12,
            "{mean:?}"
        );
    }
    assert!(
        modes
            .stds
            .iter()
            .all(|std| (std - 0.125f64.sqrt()).abs() < 1e-12)
    );
    let ring = make("ring").modes().unwrap();
    assert_eq!(
        (ring.means.len(), ring.means[0], ring.stds[0]),
        (8, [2.0, 0.0], 0.02)
    );
    // One layout, whatever seeds the points.
    let layout = |seed, layout_seed| {
        let config = ToyConfig {
            layout_seed,
            ..ToyConfig::new("random-mixture").with_seed(seed)
        };
        toy(&config).unwrap()
    };
    assert_eq!(layout(1, None).modes(), layout(2, Some(0)).modes());
    assert_eq!(
        layout(1, None).fingerprint(),
        layout(1, Some(0)).fingerprint()
    );
    assert_ne!(layout(1, None).modes(), layout(1, Some(1)).modes());
    assert_ne!(
        layout(1, None).fingerprint(),
        layout(1, Some(1)).fingerprint()
    );
}

#[test]
fn faults_are_named() {
    let base = ToyConfig::new;
    refused(toy(&base("moon")), &["name", "\"moon\"", "moons, circles"]);
    refused(
        toy(&ToyConfig {
            modes: Some(3),
            ..base("moons")
        }),
        &["modes", "moons", "none but the seed"],
    );
    refused(
        toy(&ToyConfig {
            layout_seed: Some(3),
            ..base("ring")
        }),
        &["layout_seed", "modes, radius, std"],
    );
    for modes in [0, MAX_MODES + 1] {
        refused(
            toy(&ToyConfig {
                modes: Some(modes),
                ..base("ring")
            }),
            &["modes", "1 to 4096"],
        );
    }
    for bad in [f64::NAN, -1.0, f64::INFINITY, 1e31] {
        refused(
            toy(&ToyConfig {
                radius: Some(bad),
                ..base("ring")
            }),
            &["radius", "from 0"],
        );
        refused(
            toy(&ToyConfig {
                std: Some(bad),
                ..base("ring")
            }),
            &["std", "1e-30"],
        );
    }
    refused(
        toy(&ToyConfig {
            std: Some(0.0),
            ..base("ring")
        }),
        &["std: 0"],
    );
}
