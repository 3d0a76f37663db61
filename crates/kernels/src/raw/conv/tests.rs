use super::*;
use crate::raw::Level;

fn numbers(n: usize, seed: u32) -> Vec<f32> {
    let hash = |i: u32| (i + 1).wrapping_mul(2_654_435_761) ^ seed.wrapping_mul(40_503);
    (0..n as u32)
        .map(|i| (hash(hash(i) >> 3) >> 8) as f32 / (1 << 23) as f32 - 1.0)
        .collect()
}

/// The four results by their definition, in f64.
fn plain(x: &[f32], w: &[f32], bias: &[f32], dy: &[f32], g: &Geometry) -> [Vec<f64>; 4] {
    let mut y = vec![0.0; g.batch * g.y_len()];
    let (mut dx, mut dw, mut db) = (vec![0.0; x.len()], vec![0.0; w.len()], vec![0.0; g.co]);
    for b in 0..g.batch {
        for o in 0..g.co {
            for u in 0..g.oh {
                for v in 0..g.ow {
                    let at = ((b * g.co + o) * g.oh + u) * g.ow + v;
                    y[at] = f64::from(bias[o]);
                    db[o] += f64::from(dy[at]);
                    for k in 0..g.ci * g.taps() {
                        let (c, i, j) = (k / g.taps(), k % g.taps() / g.kw, k % g.kw);
                        let (row, col) = (u * g.s + i, v * g.s + j);
                        if row < g.p || col < g.p || row - g.p >= g.h || col - g.p >= g.w {
                            continue;
                        }
                        let xi = ((b * g.ci + c) * g.h + row - g.p) * g.w + col - g.p;
                        let wi = o * g.ci * g.taps() + k;
                        y[at] += f64::from(x[xi]) * f64::from(w[wi]);
                        dx[xi] += f64::from(dy[at]) * f64::from(w[wi]);
                        dw[wi] += f64::from(dy[at]) * f64::from(x[xi]);
                    }
                }
            }
        }
    }
    [y, dx, dw, db]
}

fn close(got: &[f32], want: &[f64], what: &str) {
    assert_eq!(got.len(), want.len(), "{what}");
    let max = want.iter().fold(1e-3f64, |m, v| m.max(v.abs()));
    for (i, (&g, &w)) in got.iter().zip(want).enumerate() {
        assert!(
            (f64::from(g) - w).abs() <= 1e-5 * max,
            "{what} at {i}: {g} for {w}"
        );
    }
}

fn suits(&[b, ci, co, h, w, kh, kw, s, p]: &[usize; 9]) -> bool {
    winograd::suits(&Geometry::new([b, ci, h, w], [co, ci, kh, kw], s, p).expect("the kernel fits"))
}

#[test]
fn every_direction_matches_the_definition() {
    // [batch, ci, co, h, w, kh, kw, stride, padding]
    let cases = [
        [1, 1, 1, 1, 1, 1, 1, 1, 0],
        [2, 3, 5, 1, 1, 3, 3, 1, 1],
        [3, 5, 17, 7, 6, 3, 3, 1, 1],
        [2, 17, 3, 7, 5, 3, 3, 2, 1],
        [2, 4, 33, 9, 9, 1, 1, 1, 0],
        [2, 4, 9, 9, 7, 1, 1, 2, 0],
        [1, 2, 3, 8, 9, 5, 2, 3, 4],
        [1, 3, 2, 5, 5, 1, 1, 3, 2],
        [2, 33, 40, 8, 8, 3, 3, 1, 1],
        [9, 2, 16, 6, 6, 4, 4, 2, 1],
        [1, 2, 2, 4, 4, 2, 2, 3, 0],
        [1, 2, 2, 8, 3, 3, 3, 1, 0],
        // By Winograd's form: ragged tiles, every padding, channels beyond a panel and a chunk, several groups of images.
        [2, 16, 16, 4, 4, 3, 3, 1, 1],
        [3, 17, 29, 7, 8, 3, 3, 1, 1],
        [2, 40, 19, 6, 14, 3, 3, 1, 0],
        [2, 25, 48, 5, 6, 3, 3, 1, 2],
        [5, 130, 33, 4, 8, 3, 3, 1, 1],
        [30, 16, 16, 32, 32, 3, 3, 1, 1],
    ];
    assert_eq!(cases.iter().filter(|c| suits(c)).count(), 7);
    for level in Level::available() {
        for case @ [b, ci, co, h, w, kh, kw, s, p] in cases {
            let g = Geometry::new([b, ci, h, w], [co, ci, kh, kw], s, p).expect("the kernel fits");
            let (x, weight) = (numbers(b * g.x_len(), 1), numbers(co * ci * g.taps(), 2));
            let (bias, dy) = (numbers(co, 3), numbers(b * g.y_len(), 4));
            let [y, dx, dw, db] = plain(&x, &weight, &bias, &dy, &g);
            close(
                &forward(level, &x, &weight, Some(&bias), &g),
                &y,
                &format!("{level:?} y {case:?}"),
            );
            close(
                &grad_input(level, &weight, &dy, &g),
                &dx,
                &format!("{level:?} dx {case:?}"),
            );
            close(
                &grad_weight(level, &x, &dy, &g),
                &dw,
                &format!("{level:?} dw {case:?}"),
            );
            close(
                &grad_bias(level, &dy, [b, co, g.oh * g.ow]),
                &db,
                &format!("{level:?} db {case:?}"),
            );
        }
    }
}

#[test]
fn a_kernel_larger_than_the_frame_is_refused() {
    assert!(Geometry::new([1, 1, 3, 3], [1, 1, 5, 5], 1, 0).is_none());
}
