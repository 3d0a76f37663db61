//! A product of gathered rows and a panel, blocked for the caches around the micro-kernel.

use super::{Level, tile};

/// Terms per block: a panel of 16 lanes and this many terms is 16 KiB, half of a first-level cache.
const BLOCK: usize = 256;

/// How many of `k` terms go into a block: all blocks but the last are alike, and none is longer than [`BLOCK`].
fn block_of(k: usize) -> usize {
    k.div_ceil(k.div_ceil(BLOCK))
}

/// The offsets of a product's terms, with the largest one kept, so that bounds are checked once per call in O(rows).
#[derive(Clone, Debug)]
pub(crate) struct Terms {
    offs: Vec<u32>,
    reach: usize,
}

impl Terms {
    /// Terms at these offsets into A.
    pub(crate) fn new(offs: Vec<u32>) -> Self {
        let reach = offs.iter().max().map_or(0, |&o| o as usize);
        Self { offs, reach }
    }

    /// The terms 0 … k in the blocks that [`Product::run`] would cut them into, each with its first term: one product
    /// per block, added up, has the bits of one product of all.
    pub(crate) fn blocks(k: usize) -> Vec<(usize, Self)> {
        let block = block_of(k);
        (0..k)
            .step_by(block)
            .map(|at| (at, Self::new((0..block.min(k - at) as u32).collect())))
            .collect()
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.offs.len()
    }
}

/// C[i·ldc + j] ⟵ [C +] Σₖ A[rowsᵢ + offsₖ] · B[k·width + j] for j < width.
///
/// Sums go over blocks of terms whose size depends on their number only; each block's sum starts at zero and is added
/// to C. So the bits of a row of C depend on that row's terms alone.
#[derive(Clone, Copy)]
pub(crate) struct Product<'a> {
    pub(crate) level: Level,
    pub(crate) a: &'a [f32],
    pub(crate) rows: &'a [u32],
    pub(crate) terms: &'a Terms,
    pub(crate) b: &'a [f32],
    pub(crate) width: usize,
    pub(crate) ldc: usize,
    /// Whether to add to C or to overwrite it.
    pub(crate) add: bool,
}

impl Product<'_> {
    /// Computes the product into `c`.
    pub(crate) fn run(self, c: &mut [f32]) {
        let Self {
            level,
            a,
            rows,
            terms,
            b,
            width,
            ldc,
            add,
        } = self;
        let offs = &terms.offs[..];
        let row = rows.iter().fold(0, |m, &r| m.max(r)) as usize;
        if rows.is_empty() || offs.is_empty() {
            return;
        }
        // Everything the micro-kernel touches is inside; the loop below relies on these four lines.
        assert!(
            row + terms.reach < a.len(),
            "gather {row}+{} of {}",
            terms.reach,
            a.len()
        );
        assert!(
            offs.len() * width <= b.len(),
            "panel {}×{width} of {}",
            offs.len(),
            b.len()
        );
        assert!(
            (rows.len() - 1) * ldc + width <= c.len(),
            "result {}×{ldc} of {}",
            rows.len(),
            c.len()
        );
        assert!(tile::widths(level).contains(&width), "width {width}");

        let block = block_of(offs.len());
        let most = tile::max_rows(level, width);
        for (kb, offs) in offs.chunks(block).enumerate() {
            let b = &b[kb * block * width..];
            for (ib, rows) in rows.chunks(most).enumerate() {
                let t = tile::Tile {
                    a: a.as_ptr(),
                    rows: rows.as_ptr(),
                    offs: offs.as_ptr(),
                    k: offs.len(),
                    b: b.as_ptr(),
                    c: c[ib * most * ldc..].as_mut_ptr(),
                    ldc,
                    add: add || kb > 0,
                };
                // SAFETY: the assertions above cover every row, term and lane.
                unsafe { tile::run(level, rows.len(), width, t) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(n: usize, seed: u64) -> Vec<f32> {
        let mut s = seed;
        (0..n)
            .map(|_| {
                s = s.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (s >> 40) as f32 / (1 << 23) as f32 - 1.0
            })
            .collect()
    }

    #[test]
    fn every_level_and_width_matches_the_plain_sum() {
        for level in Level::available() {
            for &width in tile::widths(level) {
                for (m, k) in [(1, 1), (5, 3), (8, 257), (17, 600)] {
                    let (a, b) = (numbers(m * k, 1), numbers(k * width, 2));
                    let rows: Vec<u32> = (0..m).map(|i| (i * k) as u32).collect();
                    let terms = Terms::new((0..k as u32).collect());
                    let mut c = vec![1.0; m * width];
                    Product {
                        level,
                        a: &a,
                        rows: &rows,
                        terms: &terms,
                        b: &b,
                        width,
                        ldc: width,
                        add: true,
                    }
                    .run(&mut c);
                    for i in 0..m {
                        for j in 0..width {
                            let want: f64 = 1.0
                                + (0..k)
                                    .map(|k2| {
                                        f64::from(a[i * k + k2]) * f64::from(b[k2 * width + j])
                                    })
                                    .sum::<f64>();
                            assert!(
                                (f64::from(c[i * width + j]) - want).abs() < 1e-4,
                                "{level:?} {width} {m} {k}"
                            );
                        }
                    }
                }
            }
        }
    }

    #[cfg(target_arch = "x86_64")]
    #[test]
    fn vector_levels_agree_to_the_bit() {
        let (m, k, n) = (9, 300, 32);
        let (a, b) = (numbers(m * k, 3), numbers(k * n, 4));
        let rows: Vec<u32> = (0..m).map(|i| (i * k) as u32).collect();
        let terms = Terms::new((0..k as u32).collect());
        let mut seen: Vec<Vec<u32>> = Vec::new();
        for level in Level::available()
            .into_iter()
            .filter(|l| *l != Level::Portable)
        {
            for &width in tile::widths(level) {
                let mut c = vec![0.0; m * n];
                for j in (0..n).step_by(width) {
                    let b: Vec<f32> = b
                        .chunks_exact(n)
                        .flat_map(|row| &row[j..j + width])
                        .copied()
                        .collect();
                    let p = Product {
                        level,
                        a: &a,
                        rows: &rows,
                        terms: &terms,
                        b: &b,
                        width,
                        ldc: n,
                        add: false,
                    };
                    p.run(&mut c[j..]);
                }
                seen.push(c.iter().map(|v| v.to_bits()).collect());
            }
        }
        assert!(seen.windows(2).all(|w| w[0] == w[1]));
    }
}
