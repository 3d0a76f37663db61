//! The gradient with respect to the weight.

use super::transform::{Filters, data_tile, gradient_tile};
use super::{Cells, LANES, OUT, POINTS, Pixels, Tiles, apart, strips};
use crate::raw::conv::Geometry;
use crate::raw::gemm::{Product, Terms};
use crate::raw::scratch::{Shared, unfilled, with_space};
use crate::raw::{Level, tile};
use rayon::prelude::*;

/// Transformed values that are kept at a time, but for one row of tiles at least: 8 MiB.
const SPACE: usize = 1 << 21;

/// Input channels that lie side by side: whole tiles of the micro-kernel, whole vectors of the transform.
const CHUNK: usize = 24;

/// `x: [batch, ci, h, w]`, `dy: [batch, co, oh, ow]` to dw `[co, ci, 3, 3]`.
///
/// The sum over the tiles goes group by group of rows of tiles, in their order through all images; threads share out points
/// and channels.
pub(crate) fn grad_weight(level: Level, x: &[f32], dy: &[f32], g: &Geometry) -> Vec<f32> {
    let tiles = Tiles::new(g);
    // Panels of one width, so that a tile's lanes lie equally far apart in all of them.
    let [wide, narrow] = [0, 1].map(|i| tile::widths(level)[i]);
    let width = if g.co > narrow { wide } else { narrow };
    let (ci, co) = (g.ci.next_multiple_of(LANES), g.co.next_multiple_of(width));
    let (chunks, panels) = (g.ci.div_ceil(CHUNK), co / width);
    let all = g.batch * tiles.down;
    let group = (SPACE / (POINTS * (chunks * CHUNK + co) * tiles.across)).clamp(1, all);
    let most = group * tiles.across;

    // Of the data [point][chunk][tile][channel], of the gradient [point][panel][tile][lane].
    let v_apart = apart(most * chunks * CHUNK);
    let z_apart = apart(most * co);
    let mut v = unfilled(POINTS * v_apart);
    let mut z = unfilled(POINTS * z_apart);
    let each = apart(co * g.ci);
    let mut sums = unfilled(POINTS * each);
    let terms = |count: usize| Terms::new((0..count).map(|t| (t * CHUNK) as u32).collect());
    let rows: Vec<u32> = (0..CHUNK as u32).collect();
    let space = Pixels::size((OUT + 2).min(g.h), g.w, ci).max(Pixels::size(OUT, g.ow, co));

    for first in (0..all).step_by(group) {
        let rows_of_tiles = group.min(all - first);
        let count = rows_of_tiles * tiles.across;
        let (vs, zs) = (Shared::new(&mut v), Shared::new(&mut z));
        (0..rows_of_tiles).into_par_iter().for_each(|row| {
            with_space(space, |space| {
                for strip in strips(tiles, first + row, first + row + 1) {
                    let [top, bottom] = strip.rows.map(|r| r * OUT);
                    let cells = |t: usize, out, apart, chunk| {
                        let at = (row * tiles.across + t) * chunk;
                        // SAFETY: one task per row of tiles, which transforms each of its tiles once.
                        unsafe { Cells::new(out, at, apart, [chunk, count * chunk]) }
                    };
                    let seen = [top.saturating_sub(g.p), (bottom + 2).saturating_sub(g.p)];
                    let seen = seen.map(|r| r.min(g.h));
                    let x = &x[strip.image * g.x_len()..][..g.x_len()];
                    let from = Pixels::of(level, x, [g.ci, g.h, g.w], seen, ci, space);
                    for (t, [i, j]) in strip.tiles(tiles) {
                        let corner = [i, j].map(|r| (r * OUT) as isize - g.p as isize);
                        let square = from.square(corner[0], corner[1]);
                        let cells = cells(t, &vs, v_apart, CHUNK);
                        data_tile(level, from.values, &square, ci, cells);
                    }
                    let seen = [top, bottom].map(|r| r.min(g.oh));
                    let dy = &dy[strip.image * g.y_len()..][..g.y_len()];
                    let from = Pixels::of(level, dy, [g.co, g.oh, g.ow], seen, co, space);
                    for (t, [i, j]) in strip.tiles(tiles) {
                        let square = from.square((i * OUT) as isize, (j * OUT) as isize);
                        let cells = cells(t, &zs, z_apart, width);
                        gradient_tile(level, from.values, &square, co, cells);
                    }
                }
            });
        });
        let terms = terms(count);
        let shared = Shared::new(&mut sums);
        (0..POINTS * chunks).into_par_iter().for_each(|task| {
            let (k, chunk) = (task / chunks, task % chunks);
            let channels = CHUNK.min(g.ci - chunk * CHUNK);
            for p in 0..panels {
                let at = k * each + (p * g.ci + chunk * CHUNK) * width;
                // SAFETY: one task per point and chunk of channels.
                let c = unsafe { shared.part(at, channels * width) };
                Product {
                    level,
                    a: &v[k * v_apart + chunk * count * CHUNK..][..count * CHUNK],
                    rows: &rows[..channels],
                    terms: &terms,
                    b: &z[k * z_apart + p * count * width..][..count * width],
                    width,
                    ldc: width,
                    add: first > 0,
                }
                .run(c);
            }
        });
    }

    let mut dw = unfilled(g.co * g.ci * 9);
    let filters = Filters::new(level);
    dw.par_chunks_mut(width * g.ci * 9)
        .enumerate()
        .for_each(|(p, dw)| {
            let mut m = [[0.0; LANES]; POINTS];
            let mut taps = [[0.0; LANES]; 9];
            for c in 0..g.ci {
                for (i, dw) in dw.chunks_mut(LANES * g.ci * 9).enumerate() {
                    for (k, m) in m.iter_mut().enumerate() {
                        let at = k * each + (p * g.ci + c) * width + i * LANES;
                        m.copy_from_slice(&sums[at..at + LANES]);
                    }
                    filters.pull_back(&m, &mut taps);
                    for (l, dw) in dw.chunks_exact_mut(g.ci * 9).enumerate() {
                        for (dw, tap) in dw[c * 9..c * 9 + 9].iter_mut().zip(&taps) {
                            *dw = tap[l];
                        }
                    }
                }
            }
        });
    dw
}
