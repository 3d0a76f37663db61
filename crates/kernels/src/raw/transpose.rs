//! Transposes between rows and panels: a panel holds `width` rows side by side, `[k][width]`.

use super::Level;

/// Writes `n` rows of `k` values (row stride `ld`) as one panel `[k][width]`; lanes from `n` on become zero.
pub(crate) fn rows_to_panel(
    level: Level,
    src: &[f32],
    ld: usize,
    n: usize,
    k: usize,
    width: usize,
    dst: &mut [f32],
) {
    assert!(n <= width && n > 0 && src.len() >= (n - 1) * ld + k && dst.len() >= k * width);
    let (mut n8, k8) = (0, k / 8 * 8);
    if has_avx2(level) {
        n8 = n / 8 * 8;
        for i in (0..n8).step_by(8) {
            for j in (0..k8).step_by(8) {
                // SAFETY: AVX2 is there; rows i..i+8 and columns j..j+8 lie inside both by the assertion.
                #[cfg(target_arch = "x86_64")]
                unsafe {
                    avx2::transpose8(
                        src.as_ptr().add(i * ld + j),
                        ld,
                        dst.as_mut_ptr().add(j * width + i),
                        width,
                    );
                }
            }
        }
    }
    for (j, row) in dst[..k * width].chunks_exact_mut(width).enumerate() {
        let first = if j < k8 { n8 } else { 0 };
        for i in first..n {
            row[i] = src[i * ld + j];
        }
        row[n..].fill(0.0);
    }
}

/// Writes the first `n` lanes of a panel `[k][width]` as `n` rows of `k` values (row stride `ld`), plus `bias[i]` on row i.
#[allow(clippy::too_many_arguments)]
pub(crate) fn panel_to_rows(
    level: Level,
    src: &[f32],
    width: usize,
    n: usize,
    k: usize,
    bias: Option<&[f32]>,
    dst: &mut [f32],
    ld: usize,
) {
    assert!(0 < n && 0 < k && dst.len() >= (n - 1) * ld + k);
    // SAFETY: the rows lie inside `dst` by the assertion.
    unsafe { panel_to_far_rows(level, src, width, n, k, bias, dst.as_mut_ptr(), ld) }
}

/// As [`panel_to_rows`], for rows between which others may be writing.
///
/// # Safety
/// The `n` rows of `k` values at `dst`, `dst + ld`, … may be written, and nobody else uses them.
#[allow(clippy::too_many_arguments)]
pub(crate) unsafe fn panel_to_far_rows(
    level: Level,
    src: &[f32],
    width: usize,
    n: usize,
    k: usize,
    bias: Option<&[f32]>,
    dst: *mut f32,
    ld: usize,
) {
    assert!(0 < n && n <= width && 0 < k && src.len() >= (k - 1) * width + n);
    assert!(bias.is_none_or(|b| b.len() >= n));
    let (mut n8, k8) = (0, k / 8 * 8);
    if has_avx2(level) {
        n8 = n / 8 * 8;
        for i in (0..n8).step_by(8) {
            for j in (0..k8).step_by(8) {
                // SAFETY: AVX2 is there; lanes i..i+8 and rows j..j+8 lie inside the panel by the assertion, and inside
                // the rows by the contract.
                #[cfg(target_arch = "x86_64")]
                unsafe {
                    let (s, d) = (src.as_ptr().add(j * width + i), dst.add(i * ld + j));
                    match bias {
                        Some(b) => avx2::transpose8_add(s, width, d, ld, b.as_ptr().add(i)),
                        None => avx2::transpose8(s, width, d, ld),
                    }
                }
            }
        }
    }
    for i in 0..n {
        let b = bias.map_or(0.0, |b| b[i]);
        let first = if i < n8 { k8 } else { 0 };
        for j in first..k {
            // SAFETY: the contract.
            unsafe { *dst.add(i * ld + j) = src[j * width + i] + b };
        }
    }
}

fn has_avx2(level: Level) -> bool {
    !matches!(level, Level::Portable)
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use std::arch::x86_64::*;

    /// Transposes the 8×8 block at `src` (row stride `ls`) into `dst` (row stride `ld`).
    ///
    /// # Safety
    /// AVX2 is there, and both blocks lie in memory that may be read and written.
    #[target_feature(enable = "avx2,fma")]
    pub(super) unsafe fn transpose8(src: *const f32, ls: usize, dst: *mut f32, ld: usize) {
        // SAFETY: the caller's contract.
        unsafe {
            let t = block(src, ls);
            for (i, v) in t.into_iter().enumerate() {
                _mm256_storeu_ps(dst.add(i * ld), v);
            }
        }
    }

    /// As [`transpose8`], adding `bias[i]` to row i of the result.
    ///
    /// # Safety
    /// As [`transpose8`], and eight values at `bias`.
    #[target_feature(enable = "avx2,fma")]
    pub(super) unsafe fn transpose8_add(
        src: *const f32,
        ls: usize,
        dst: *mut f32,
        ld: usize,
        bias: *const f32,
    ) {
        // SAFETY: the caller's contract.
        unsafe {
            let t = block(src, ls);
            for (i, v) in t.into_iter().enumerate() {
                _mm256_storeu_ps(
                    dst.add(i * ld),
                    _mm256_add_ps(v, _mm256_broadcast_ss(&*bias.add(i))),
                );
            }
        }
    }

    #[target_feature(enable = "avx2,fma")]
    #[inline]
    unsafe fn block(src: *const f32, ls: usize) -> [__m256; 8] {
        // SAFETY: the caller's contract: eight rows of eight values.
        let r: [__m256; 8] = std::array::from_fn(|i| unsafe { _mm256_loadu_ps(src.add(i * ls)) });
        let mut a = r;
        for i in 0..4 {
            a[2 * i] = _mm256_unpacklo_ps(r[2 * i], r[2 * i + 1]);
            a[2 * i + 1] = _mm256_unpackhi_ps(r[2 * i], r[2 * i + 1]);
        }
        let mut b = a;
        for h in 0..2 {
            let o = 4 * h;
            b[o] = _mm256_shuffle_ps::<0x44>(a[o], a[o + 2]);
            b[o + 1] = _mm256_shuffle_ps::<0xEE>(a[o], a[o + 2]);
            b[o + 2] = _mm256_shuffle_ps::<0x44>(a[o + 1], a[o + 3]);
            b[o + 3] = _mm256_shuffle_ps::<0xEE>(a[o + 1], a[o + 3]);
        }
        let mut c = b;
        for i in 0..4 {
            c[i] = _mm256_permute2f128_ps::<0x20>(b[i], b[i + 4]);
            c[i + 4] = _mm256_permute2f128_ps::<0x31>(b[i], b[i + 4]);
        }
        c
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panels_and_rows_are_inverse() {
        for level in Level::available() {
            for (n, k, width) in [
                (1, 1, 8),
                (8, 8, 8),
                (5, 19, 8),
                (16, 16, 16),
                (13, 49, 16),
                (27, 31, 32),
            ] {
                let ld = k + 3;
                let src: Vec<f32> = (0..n * ld).map(|i| i as f32).collect();
                let mut panel = vec![f32::NAN; k * width];
                rows_to_panel(level, &src, ld, n, k, width, &mut panel);
                for j in 0..k {
                    for i in 0..width {
                        let want = if i < n { src[i * ld + j] } else { 0.0 };
                        assert_eq!(
                            panel[j * width + i],
                            want,
                            "{level:?} {n} {k} {width} at {i},{j}"
                        );
                    }
                }
                let bias: Vec<f32> = (0..n).map(|i| 0.5 * i as f32).collect();
                let mut back = vec![-1.0; n * ld];
                panel_to_rows(level, &panel, width, n, k, Some(&bias), &mut back, ld);
                for i in 0..n {
                    for j in 0..ld {
                        let want = if j < k {
                            src[i * ld + j] + bias[i]
                        } else {
                            -1.0
                        };
                        assert_eq!(
                            back[i * ld + j],
                            want,
                            "{level:?} {n} {k} {width} at {i},{j}"
                        );
                    }
                }
            }
        }
    }
}
