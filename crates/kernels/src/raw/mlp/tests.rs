use super::*;

fn numbers(n: usize, seed: u32) -> Vec<f32> {
    (0..n as u32)
        .map(|i| {
            ((i + 1).wrapping_mul(2_654_435_761).wrapping_add(seed) >> 8) as f32 / (1 << 23) as f32
                - 1.0
        })
        .collect()
}

/// In f64, row by row: the output and the gradients of Σ y·dy at x, then W₁, b₁, …
fn plain(x: &[f32], parameters: &[Vec<f32>], widths: &[usize], dy: &[f32]) -> Vec<Vec<f64>> {
    let depth = widths.len() - 1;
    let mut out = vec![Vec::new(), Vec::new()];
    out.extend(parameters.iter().map(|p| vec![0.0; p.len()]));
    let sigmoid = |v: f64| 1.0 / (1.0 + (-v).exp());
    for (x, dy) in x.chunks(widths[0]).zip(dy.chunks(widths[depth])) {
        let mut a: Vec<Vec<f64>> = vec![x.iter().map(|&v| v.into()).collect()];
        let mut h: Vec<Vec<f64>> = vec![];
        for l in 0..depth {
            let (w, b, n) = (&parameters[2 * l], &parameters[2 * l + 1], widths[l + 1]);
            let sum = |j: usize| {
                let terms = a[l]
                    .iter()
                    .enumerate()
                    .map(|(f, v)| v * f64::from(w[f * n + j]));
                f64::from(b[j]) + terms.sum::<f64>()
            };
            h.push((0..n).map(sum).collect());
            a.push(h[l].iter().map(|&v| v * sigmoid(v)).collect());
        }
        out[0].extend(&h[depth - 1]);
        let mut dh: Vec<f64> = dy.iter().map(|&v| v.into()).collect();
        for l in (0..depth).rev() {
            let (w, n) = (&parameters[2 * l], widths[l + 1]);
            for (j, d) in dh.iter().enumerate() {
                out[3 + 2 * l][j] += d;
                for (f, v) in a[l].iter().enumerate() {
                    out[2 + 2 * l][f * n + j] += v * d;
                }
            }
            dh = (0..widths[l])
                .map(|f| {
                    let da: f64 = dh
                        .iter()
                        .enumerate()
                        .map(|(j, d)| d * f64::from(w[f * n + j]))
                        .sum();
                    let Some(h) = l.checked_sub(1).map(|l| h[l][f]) else {
                        return da;
                    };
                    let s = sigmoid(h);
                    da * s * (1.0 + h * (1.0 - s))
                })
                .collect();
        }
        out[1].extend(&dh);
    }
    out
}

#[test]
fn every_level_matches_the_plain_sums() {
    let nets = [
        vec![1, 1],
        vec![3, 64, 64, 2],
        vec![20, 7, 40, 33],
        vec![300, 10, 5],
    ];
    let light = nets
        .iter()
        .flat_map(|n| [1, 5, 96, 97, 500].map(|rows| (n.clone(), rows)));
    // The last has too many weights for a sum of its own in every block.
    for (widths, rows) in light.chain([(vec![128; 6], 900)]) {
        let parameters: Vec<Vec<f32>> = widths
            .windows(2)
            .flat_map(|w| [numbers(w[0] * w[1], 1), numbers(w[1], 2)])
            .map(|p| p.iter().map(|v| 0.3 * v).collect())
            .collect();
        let layers: Vec<Layer<'_>> = parameters
            .chunks_exact(2)
            .map(|p| Layer {
                weight: &p[0],
                bias: &p[1],
            })
            .collect();
        let x = numbers(rows * widths[0], 3);
        let dy = numbers(rows * widths[widths.len() - 1], 4);
        let want = plain(&x, &parameters, &widths, &dy);
        let mut vector_levels: Vec<Vec<Vec<f32>>> = Vec::new();
        for level in Level::available() {
            let plan = Plan::new(level, rows, &widths);
            let mut tape = vec![f32::NAN; plan.tape_len()];
            let y = forward(&plan, &x, &layers, Some(&mut tape));
            assert_eq!(y, forward(&plan, &x, &layers, None));
            let grads = backward(&plan, &x, &layers, &tape, &dy, [true, true]);
            let frozen = backward(&plan, &x, &layers, &tape, &dy, [false, true]);
            assert!(frozen.x.is_none() && frozen.layers == grads.layers);
            let input = backward(&plan, &x, &layers, &tape, &dy, [true, false]);
            assert!(input.x == grads.x && input.layers.is_empty());
            let mut got = vec![y, grads.x.expect("asked for")];
            got.extend(grads.layers.into_iter().flat_map(|(w, b)| [w, b]));
            for (i, (got, want)) in got.iter().zip(&want).enumerate() {
                let most = want.iter().fold(1e-3f64, |m, v| m.max(v.abs()));
                assert_eq!(got.len(), want.len());
                for (g, w) in got.iter().zip(want) {
                    let error = (f64::from(*g) - w).abs() / most;
                    assert!(
                        error < 1e-5,
                        "{level:?}, {rows} rows, {widths:?}: value {i} off by {error:e}"
                    );
                }
            }
            if level != Level::Portable {
                vector_levels.push(got);
            }
        }
        assert!(vector_levels.windows(2).all(|w| w[0] == w[1]));
    }
}
