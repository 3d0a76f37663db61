use super::*;
use crate::raw::scratch::{Shared, unfilled};

fn numbers(n: usize, seed: u64) -> Vec<f32> {
    let mut s = seed;
    (0..n)
        .map(|_| {
            s = s.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (s >> 40) as f32 / (1 << 23) as f32 - 1.0
        })
        .collect()
}

/// The definition, in f64, of one head: output and the gradients at q, k and v.
fn plain(q: &[f64], k: &[f64], v: &[f64], dy: &[f64], d: usize) -> [Vec<f64>; 4] {
    let (n, m, scale) = (q.len() / d, k.len() / d, 1.0 / (d as f64).sqrt());
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let row = |x: &'_ [f64], i: usize| x[i * d..(i + 1) * d].to_vec();
    let (mut o, mut dq) = (vec![0.0; n * d], vec![0.0; n * d]);
    let (mut dk, mut dv) = (vec![0.0; m * d], vec![0.0; m * d]);
    for i in 0..n {
        let s: Vec<f64> = (0..m)
            .map(|j| scale * dot(&row(q, i), &row(k, j)))
            .collect();
        let most = s.iter().fold(f64::MIN, |a, &b| a.max(b));
        let e: Vec<f64> = s.iter().map(|s| (s - most).exp()).collect();
        let total: f64 = e.iter().sum();
        let p: Vec<f64> = e.iter().map(|e| e / total).collect();
        let dp: Vec<f64> = (0..m).map(|j| dot(&row(dy, i), &row(v, j))).collect();
        let delta = dot(&p, &dp);
        for j in 0..m {
            let ds = p[j] * (dp[j] - delta) * scale;
            for c in 0..d {
                o[i * d + c] += p[j] * v[j * d + c];
                dv[j * d + c] += p[j] * dy[i * d + c];
                dq[i * d + c] += ds * k[j * d + c];
                dk[j * d + c] += ds * q[i * d + c];
            }
        }
    }
    [o, dq, dk, dv]
}

#[test]
fn every_level_matches_the_definition() {
    for level in Level::available() {
        for (batch, heads, queries, keys, dim) in [
            (1, 1, 1, 1, 1),
            (2, 3, 5, 7, 13),
            (1, 2, 100, 33, 24),
            (1, 2, 49, 600, 40),
            (2, 1, 257, 1030, 8),
        ] {
            let s = Sizes {
                batch,
                heads,
                queries,
                keys,
                dim,
            };
            // All keys, and for every sample some of them.
            let some: Vec<usize> = (0..batch).map(|b| 1 + (keys - 1) / (2 + b)).collect();
            for lengths in [None, Some(&some[..])] {
                let token = heads * dim;
                let [q, dy] = [1, 2].map(|i| numbers(batch * queries * token, i));
                let [k, v] = [3, 4].map(|i| numbers(batch * keys * token, i));
                let (of_q, of_k) = (
                    Place::alone(queries, heads, dim),
                    Place::alone(keys, heads, dim),
                );
                let heads_of = |values, place| Heads { values, place };
                let (qh, kh, vh) = (heads_of(&q, of_q), heads_of(&k, of_k), heads_of(&v, of_k));
                let (o, stats) = forward(level, qh, kh, vh, &s, lengths);
                let mut grads = [q.len(), k.len(), v.len()].map(unfilled);
                let [dq, dk, dv] = grads.each_mut().map(|g| Shared::new(g));
                let passed = Passed {
                    q: qh,
                    k: kh,
                    v: vh,
                    o: &o,
                    stats: &stats,
                };
                backward(
                    level,
                    passed,
                    &dy,
                    &s,
                    lengths,
                    [(&dq, of_q), (&dk, of_k), (&dv, of_k)],
                );
                let [dq, dk, dv] = grads;
                for b in 0..batch {
                    for h in 0..heads {
                        let head = |x: &[f32], tokens: usize| -> Vec<f64> {
                            (0..tokens * dim)
                                .map(|i| {
                                    f64::from(
                                        x[((b * tokens + i / dim) * heads + h) * dim + i % dim],
                                    )
                                })
                                .collect()
                        };
                        let [q, dy] = [&q, &dy].map(|x| head(x, queries));
                        let [k, v] = [&k, &v].map(|x| head(x, keys));
                        let m = lengths.map_or(keys, |lengths| lengths[b]) * dim;
                        let mut want = plain(&q, &k[..m], &v[..m], &dy, dim);
                        for want in &mut want[2..] {
                            want.resize(keys * dim, 0.0);
                        }
                        let got = [
                            head(&o, queries),
                            head(&dq, queries),
                            head(&dk, keys),
                            head(&dv, keys),
                        ];
                        for (i, (got, want)) in got.iter().zip(&want).enumerate() {
                            for (g, w) in got.iter().zip(want) {
                                assert!(
                                    (g - w).abs() < 1e-5,
                                    "{level:?} {s:?} result {i}: {g} {w}"
                                );
                            }
                        }
                    }
                }
            }
        }
    }
}

/// One head on several threads is cut into parts, which leaves every bit as it is.
#[test]
fn parts_of_a_head_have_the_bits_of_the_whole() {
    let (n, d) = (400, 24);
    let s = Sizes {
        batch: 1,
        heads: 1,
        queries: n,
        keys: n,
        dim: d,
    };
    let (qkv, dy) = (numbers(3 * n * d, 1), numbers(n * d, 2));
    let places = [0, 1, 2].map(|i| Place::third(i, n, 1, d));
    let [q, k, v] = places.map(|place| Heads {
        values: &qkv,
        place,
    });
    let level = Level::best();
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        pool.build().expect("a thread pool").install(|| {
            let (o, stats) = forward(level, q, k, v, &s, None);
            let passed = Passed {
                q,
                k,
                v,
                o: &o,
                stats: &stats,
            };
            let mut grad = vec![f32::NAN; qkv.len()];
            let shared = Shared::new(&mut grad);
            backward(level, passed, &dy, &s, None, places.map(|p| (&shared, p)));
            let all = o.iter().chain(&stats).chain(&grad);
            all.map(|v| v.to_bits()).collect::<Vec<_>>()
        })
    };
    let one = run(1);
    assert!([2, 3, 7].into_iter().all(|threads| run(threads) == one));
}
