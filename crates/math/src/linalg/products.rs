//! Sums of products, several at a time.

use crate::simd::multiversion;

const LANES: usize = 8;
const ROWS: usize = 2;
const COLUMNS: usize = 4;
/// COLUMNS times as many numbers of the second matrix stay in the cache while rows of the first pass.
const BLOCK: usize = 4096;

multiversion! {
    /// out += ABᵀ: `out[i·stride + j]` grows by the product of row i of `a` with row j of `b`, rows
    /// of `length` numbers each. Every number is summed in the same order however the rows are cut.
    ///
    /// # Panics
    /// When `out` is shorter than its last place.
    pub fn add_products(a: &[f64], b: &[f64], length: usize, out: &mut [f64], stride: usize) {
        if length == 0 {
            return;
        }
        let (m, n) = (a.len() / length, b.len() / length);
        let (m_whole, n_whole) = (m - m % ROWS, n - n % COLUMNS);
        let block = COLUMNS * (BLOCK / length).max(1);
        for first in (0..n_whole).step_by(block) {
            for i in (0..m_whole).step_by(ROWS) {
                for j in (first..n_whole.min(first + block)).step_by(COLUMNS) {
                    let rows = std::array::from_fn::<_, ROWS, _>(|r| row(a, length, i + r));
                    let columns = std::array::from_fn::<_, COLUMNS, _>(|c| row(b, length, j + c));
                    for (r, sums) in tile(rows, columns).iter().enumerate() {
                        for (c, sum) in sums.iter().enumerate() {
                            out[(i + r) * stride + j + c] += sum;
                        }
                    }
                }
            }
        }
        for i in 0..m {
            for j in if i < m_whole { n_whole } else { 0 }..n {
                out[i * stride + j] += tile([row(a, length, i)], [row(b, length, j)])[0][0];
            }
        }
    }
}

/// Row i of a matrix.
#[inline(always)]
fn row(matrix: &[f64], length: usize, i: usize) -> &[f64] {
    &matrix[i * length..(i + 1) * length]
}

/// The products of each row with each column.
#[inline(always)]
fn tile<const R: usize, const C: usize>(rows: [&[f64]; R], columns: [&[f64]; C]) -> [[f64; C]; R] {
    let mut sums = [[[0.0; LANES]; C]; R];
    let [rows, columns] = [&rows[..], &columns[..]];
    let length = rows[0].len();
    let whole = length - length % LANES;
    let mut k = 0;
    while k < whole {
        for c in 0..C {
            let column: &[f64; LANES] = columns[c][k..].first_chunk().expect("a whole chunk");
            for r in 0..R {
                let row: &[f64; LANES] = rows[r][k..].first_chunk().expect("a whole chunk");
                for l in 0..LANES {
                    sums[r][c][l] += row[l] * column[l];
                }
            }
        }
        k += LANES;
    }
    let mut out = [[0.0; C]; R];
    for r in 0..R {
        for c in 0..C {
            for k in whole..length {
                sums[r][c][k - whole] += rows[r][k] * columns[c][k];
            }
            out[r][c] = sums[r][c].iter().sum();
        }
    }
    out
}

multiversion! {
    /// out += Σₘ weights\[m\]·(row m of `matrix`, from its column `from` on).
    pub(super) fn add_rows(matrix: &[f64], stride: usize, from: usize, weights: &[f64], out: &mut [f64]) {
        let n = out.len();
        let row = |m: usize| &matrix[m * stride + from..][..n];
        let mut m = 0;
        while m + 4 <= weights.len() {
            let [w0, w1, w2, w3] = [weights[m], weights[m + 1], weights[m + 2], weights[m + 3]];
            let [r0, r1, r2, r3] = [row(m), row(m + 1), row(m + 2), row(m + 3)];
            for j in 0..n {
                out[j] += (w0 * r0[j] + w1 * r1[j]) + (w2 * r2[j] + w3 * r3[j]);
            }
            m += 4;
        }
        for (m, weight) in weights.iter().enumerate().skip(m) {
            for (out, x) in out.iter_mut().zip(row(m)) {
                *out += weight * x;
            }
        }
    }
}

multiversion! {
    /// x ← (x − vᵢw)(I − uuᵀ) for row i of `matrix`, from its column `from` on.
    pub(super) fn reflect_rows(
        matrix: &mut [f64],
        stride: usize,
        from: usize,
        v: &[f64],
        w: &[f64],
        u: &[f64],
    ) {
        let n = w.len();
        for (row, &v) in matrix.chunks_exact_mut(stride).zip(v) {
            let row = &mut row[from..][..n];
            for (x, w) in row.iter_mut().zip(w) {
                *x -= v * w;
            }
            let product = tile([row], [&u[..n]])[0][0];
            for (x, u) in row.iter_mut().zip(u) {
                *x -= product * u;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_of_whole_numbers() {
        for (m, n, length) in [
            (1, 1, 1),
            (2, 4, 8),
            (5, 7, 19),
            (4, 3, 16),
            (3, 9, 3),
            (0, 2, 4),
        ] {
            let a: Vec<f64> = (0..m * length).map(|i| (i % 13) as f64 - 5.0).collect();
            let b: Vec<f64> = (0..n * length).map(|i| (i % 7) as f64 - 2.0).collect();
            let stride = n + 2;
            let mut out = vec![1.0; m * stride];
            add_products(&a, &b, length, &mut out, stride);
            for (e, &found) in out.iter().enumerate() {
                let (i, j) = (e / stride, e % stride);
                let exact = (0..length).filter(|_| j < n);
                let exact: f64 = exact.map(|k| a[i * length + k] * b[j * length + k]).sum();
                assert_eq!(found, 1.0 + exact, "{m} {n} {length}: {i} {j}");
            }
        }
    }
}
