//! ln Σ exp over the rows and columns of a matrix, several entries at a time.

use crate::simd::multiversion;

const LANES: usize = 16;

multiversion! {
    /// out[i] = lnΣⱼ exp(shift[j] − cost[i, j]·inv), for the row-major `cost`.
    pub(super) fn of_rows(cost: &[f64], shift: &[f64], inv: f64, out: &mut [f64]) {
        let (shifts, shifts_end) = shift.as_chunks::<LANES>();
        for (out, row) in out.iter_mut().zip(cost.chunks_exact(shift.len())) {
            let (row, end) = row.as_chunks::<LANES>();
            let mut most = [f64::NEG_INFINITY; LANES];
            for (c, h) in row.iter().zip(shifts) {
                for l in 0..LANES {
                    most[l] = greater(most[l], h[l] - c[l] * inv);
                }
            }
            for (l, (c, h)) in end.iter().zip(shifts_end).enumerate() {
                most[l] = greater(most[l], h - c * inv);
            }
            let most = most.into_iter().fold(f64::NEG_INFINITY, greater);
            let mut sum = [0.0; LANES];
            for (c, h) in row.iter().zip(shifts) {
                for l in 0..LANES {
                    sum[l] += exp(h[l] - c[l] * inv - most);
                }
            }
            for (l, (c, h)) in end.iter().zip(shifts_end).enumerate() {
                sum[l] += exp(h - c * inv - most);
            }
            *out = most + sum.iter().sum::<f64>().ln();
        }
    }
}

multiversion! {
    /// out[j] = lnΣᵢ exp(shift[i] − cost[i, j]·inv); `most` is scratch of the same length as `out`.
    pub(super) fn of_columns(cost: &[f64], shift: &[f64], inv: f64, most: &mut [f64], out: &mut [f64]) {
        let m = out.len();
        most.fill(f64::NEG_INFINITY);
        for (row, h) in cost.chunks_exact(m).zip(shift) {
            for (most, c) in most.iter_mut().zip(row) {
                *most = greater(*most, h - c * inv);
            }
        }
        out.fill(0.0);
        for (row, h) in cost.chunks_exact(m).zip(shift) {
            for ((sum, most), c) in out.iter_mut().zip(most.iter()).zip(row) {
                *sum += exp(h - c * inv - most);
            }
        }
        for (sum, most) in out.iter_mut().zip(most.iter()) {
            *sum = most + sum.ln();
        }
    }
}

multiversion! {
    /// out[i, j] = exp(rows[i] + columns[j] − cost[i, j]·inv), in the order of `cost`.
    pub(super) fn plan(cost: &[f64], rows: &[f64], columns: &[f64], inv: f64, out: &mut [f64]) {
        let m = columns.len();
        let matrix = out.chunks_exact_mut(m).zip(cost.chunks_exact(m));
        for ((out, row), r) in matrix.zip(rows) {
            for ((p, c), g) in out.iter_mut().zip(row).zip(columns) {
                *p = exp((r + g) - c * inv);
            }
        }
    }
}

/// The greater of two numbers, in one instruction.
#[inline(always)]
fn greater(a: f64, b: f64) -> f64 {
    if a > b { a } else { b }
}

/// eˣ for x ≤ 700 to 2 units in the last place; 0 below e⁻⁷⁰⁸. Free of branches, for vector loops.
#[inline(always)]
fn exp(x: f64) -> f64 {
    // x = n ln 2 + r, |r| ≤ ½ ln 2. Adding 1.5·2⁵² rounds to an integer and leaves it in the low bits.
    const ROUND: f64 = 6_755_399_441_055_744.0;
    // ln 2 in two parts, the first with enough trailing zeros that n times it is exact.
    const LN_2_HIGH: f64 = f64::from_bits(0x3FE6_2E42_FEE0_0000);
    const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;
    let clamped = greater(x, -708.0);
    let rounded = clamped * std::f64::consts::LOG2_E + ROUND;
    let n = rounded - ROUND;
    let r = (clamped - n * LN_2_HIGH) - n * LN_2_LOW;
    // Taylor to degree 13: the rest is below 5e-18.
    let mut p = 1.0 / 6_227_020_800.0;
    for c in [
        1.0 / 479_001_600.0,
        1.0 / 39_916_800.0,
        1.0 / 3_628_800.0,
        1.0 / 362_880.0,
        1.0 / 40_320.0,
        1.0 / 5_040.0,
        1.0 / 720.0,
        1.0 / 120.0,
        1.0 / 24.0,
        1.0 / 6.0,
        0.5,
        1.0,
        1.0,
    ] {
        p = p * r + c;
    }
    let power = f64::from_bits((rounded.to_bits() << 52).wrapping_add(1.0f64.to_bits()));
    if x < -708.0 { 0.0 } else { p * power }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_is_exact_to_its_last_digits() {
        for i in 0..=200_000 {
            let x = -708.0 + f64::from(i) * (1408.0 / 200_000.0);
            let (found, exact) = (exp(x), x.exp());
            assert!(
                (found - exact).abs() <= 4.5e-16 * exact,
                "{x}: {found} {exact}"
            );
        }
        assert_eq!(exp(0.0), 1.0);
        assert_eq!((exp(-708.1), exp(f64::NEG_INFINITY)), (0.0, 0.0));
    }

    #[test]
    fn rows_columns_and_plan_agree_with_plain_sums() {
        for (n, m) in [(1, 1), (3, 5), (16, 32), (37, 41)] {
            let cost: Vec<f64> = (0..n * m).map(|i| 3.0 + (i as f64).sin()).collect();
            let (f, mut g): (Vec<f64>, Vec<f64>) = (
                (0..n).map(|i| (i as f64).cos()).collect(),
                (0..m).map(|j| (j as f64 * 0.4).cos()).collect(),
            );
            if m > 1 {
                g[0] = f64::NEG_INFINITY; // a point of weight 0
            }
            let (mut rows, mut columns) = (vec![0.0; n], vec![0.0; m]);
            of_rows(&cost, &g, 2.5, &mut rows);
            of_columns(&cost, &f, 2.5, &mut vec![0.0; m], &mut columns);
            let mut values = vec![0.0; n * m];
            plan(&cost, &f, &g, 2.5, &mut values);
            for (i, row) in rows.iter().enumerate() {
                let sum: f64 = (0..m).map(|j| (g[j] - 2.5 * cost[i * m + j]).exp()).sum();
                assert!((row - sum.ln()).abs() < 1e-13);
            }
            for (j, column) in columns.iter().enumerate() {
                let sum: f64 = (0..n).map(|i| (f[i] - 2.5 * cost[i * m + j]).exp()).sum();
                assert!((column - sum.ln()).abs() < 1e-13);
            }
            for (k, p) in values.iter().enumerate() {
                let exact = (f[k / m] + g[k % m] - 2.5 * cost[k]).exp();
                assert!((p - exact).abs() <= 1e-14 * exact);
            }
        }
    }

    #[test]
    fn no_size_overflows() {
        let mut out = [0.0; 2];
        of_rows(&[1e6, 1e6 + 1.0, -1e6, 0.0], &[0.0, 0.0], 1.0, &mut out);
        assert!((out[0] - (-1e6 + (1.0 + (-1.0f64).exp()).ln())).abs() < 1e-9);
        assert_eq!(out[1], 1e6);
    }
}
