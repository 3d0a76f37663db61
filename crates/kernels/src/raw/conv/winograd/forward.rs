//! The convolution, and with turned filters its gradient with respect to the input.

use super::transform::{Filters, data_tile, result_tile};
use super::{Cells, LANES, OUT, POINTS, Pixels, Tiles, apart, strips};
use crate::raw::Level;
use crate::raw::conv::Geometry;
use crate::raw::gemm::{Product, Terms};
use crate::raw::pack::{Panel, packed_len, panels};
use crate::raw::scratch::{Shared, unfilled, with_space};
use crate::raw::transpose::panel_to_far_rows;
use rayon::prelude::*;

/// Tiles that a task has at least, if there are as many: enough to make use of the filters that it reads.
const TILES: usize = 48;

/// Input channels of a task that transforms filters.
const CHANNELS: usize = 16;

/// Lanes of the widest panel.
const WIDEST: usize = 32;

/// Filters as they lie in a weight.
struct Weight<'a> {
    values: &'a [f32],
    ci: usize,
    co: usize,
    /// The distance between filters of neighbouring output channels, and of neighbouring input channels.
    apart: [usize; 2],
    /// Whether the taps are read from the last to the first.
    turned: bool,
}

impl Weight<'_> {
    /// The taps of filters (o … o + 8, c), with zeros for filters that are not there.
    fn taps(&self, o: usize, c: usize) -> [[f32; LANES]; 9] {
        let mut taps = [[0.0; LANES]; 9];
        let there = LANES.min(self.co.saturating_sub(o));
        for (k, taps) in taps.iter_mut().enumerate() {
            let k = if self.turned { 8 - k } else { k };
            for (l, tap) in taps[..there].iter_mut().enumerate() {
                *tap = self.values[(o + l) * self.apart[0] + c * self.apart[1] + k];
            }
        }
        taps
    }

    /// Transformed, `[point][panel][ci][lane]`.
    fn transformed(&self, level: Level, panels: &[Panel]) -> Vec<f32> {
        let each = apart(packed_len(panels, self.ci));
        let mut out = unfilled(POINTS * each);
        let shared = Shared::new(&mut out);
        let filters = Filters::new(level);
        // A line of memory is written by one task, at one time: its lanes are a whole panel.
        let parts = self.ci.div_ceil(CHANNELS);
        (0..panels.len() * parts).into_par_iter().for_each(|task| {
            let (p, first) = (panels[task / parts], task % parts * CHANNELS);
            let mut points = [[[0.0; LANES]; POINTS]; WIDEST / LANES];
            for c in first..self.ci.min(first + CHANNELS) {
                for (i, points) in points[..p.width / LANES].iter_mut().enumerate() {
                    filters.transform(&self.taps(p.start + i * LANES, c), points);
                }
                for k in 0..POINTS {
                    let at = k * each + p.start * self.ci + c * p.width;
                    // SAFETY: one task per panel and input channel.
                    let out = unsafe { shared.part(at, p.width) };
                    for (out, points) in out.chunks_exact_mut(LANES).zip(&points) {
                        out.copy_from_slice(&points[k]);
                    }
                }
            }
        });
        out
    }
}

/// `x: [batch, ci, h, w]`, `w: [co, ci, 3, 3]`, `bias: [co]` to `[batch, co, oh, ow]`.
pub(crate) fn forward(
    level: Level,
    x: &[f32],
    w: &[f32],
    bias: Option<&[f32]>,
    g: &Geometry,
) -> Vec<f32> {
    let panels = panels(level, g.co);
    let weight = Weight {
        values: w,
        ci: g.ci,
        co: g.co,
        apart: [9 * g.ci, 9],
        turned: false,
    };
    let packed = weight.transformed(level, &panels);
    convolve(level, x, &packed, &panels, bias, g)
}

/// `w: [co, ci, 3, 3]`, `dy: [batch, co, oh, ow]` to dx `[batch, ci, h, w]`.
pub(crate) fn grad_input(level: Level, w: &[f32], dy: &[f32], g: &Geometry) -> Vec<f32> {
    let turned = Geometry {
        ci: g.co,
        co: g.ci,
        h: g.oh,
        w: g.ow,
        oh: g.h,
        ow: g.w,
        p: 2 - g.p,
        ..*g
    };
    let panels = panels(level, turned.co);
    let weight = Weight {
        values: w,
        ci: turned.ci,
        co: turned.co,
        apart: [9, 9 * g.ci],
        turned: true,
    };
    let packed = weight.transformed(level, &panels);
    convolve(level, dy, &packed, &panels, None, &turned)
}

fn convolve(
    level: Level,
    x: &[f32],
    packed: &[f32],
    panels: &[Panel],
    bias: Option<&[f32]>,
    g: &Geometry,
) -> Vec<f32> {
    let tiles = Tiles::new(g);
    let all = g.batch * tiles.down;
    // Rows of tiles per task: few where there are few, so that every thread has some.
    let fair = all.div_ceil(2 * rayon::current_num_threads());
    let rows = TILES.div_ceil(tiles.across).clamp(1, fair);
    let most = rows * tiles.across;

    let ci = g.ci.next_multiple_of(LANES);
    let co = packed_len(panels, 1);
    let each = apart(packed_len(panels, g.ci));
    let (v_apart, m_apart) = (apart(most * ci), apart(most * co));
    let starts: Vec<u32> = (0..most).map(|t| (t * ci) as u32).collect();
    let terms = Terms::new((0..g.ci as u32).collect());
    // A strip is no higher than its image, and needs the rows around it.
    let high = rows.min(tiles.down) * OUT;
    let pixels = Pixels::size((high + 2).min(g.h), g.w, ci);
    // One more pixel, for what falls off the edge.
    let image = (1 + high.min(g.oh) * g.ow) * co;

    let mut y = unfilled(g.batch * g.y_len());
    let out = Shared::new(&mut y);
    (0..all.div_ceil(rows)).into_par_iter().for_each(|task| {
        let (first, last) = (task * rows, all.min((task + 1) * rows));
        let count = (last - first) * tiles.across;
        let space = POINTS * (v_apart + m_apart) + pixels.max(image);
        with_space(space, |space| {
            let (v, space) = space.split_at_mut(POINTS * v_apart);
            let (m, space) = space.split_at_mut(POINTS * m_apart);
            let cells = Shared::new(v);
            for strip in strips(tiles, first, last) {
                let x = &x[strip.image * g.x_len()..][..g.x_len()];
                let [top, bottom] = strip.rows.map(|r| r * OUT);
                let seen = [top.saturating_sub(g.p), (bottom + 2).saturating_sub(g.p)];
                let seen = seen.map(|r| r.min(g.h));
                let from = Pixels::of(level, x, [g.ci, g.h, g.w], seen, ci, space);
                for (t, [i, j]) in strip.tiles(tiles) {
                    let corner = [i, j].map(|r| (r * OUT) as isize - g.p as isize);
                    let square = from.square(corner[0], corner[1]);
                    // SAFETY: this task has the whole space, and transforms each of its tiles once.
                    let cells = unsafe { Cells::new(&cells, t * ci, v_apart, [ci, ci]) };
                    data_tile(level, from.values, &square, ci, cells);
                }
            }
            for k in 0..POINTS {
                for p in panels {
                    Product {
                        level,
                        a: &v[k * v_apart..],
                        rows: &starts[..count],
                        terms: &terms,
                        b: &packed[k * each + p.start * g.ci..][..g.ci * p.width],
                        width: p.width,
                        ldc: co,
                        add: false,
                    }
                    .run(&mut m[k * m_apart + p.start..(k + 1) * m_apart]);
                }
            }
            for strip in strips(tiles, first, last) {
                let [top, bottom] = strip.rows.map(|r| (r * OUT).min(g.oh));
                let to = Pixels {
                    values: &[],
                    channels: co,
                    rows: [top, bottom],
                    width: g.ow,
                };
                for (t, [i, j]) in strip.tiles(tiles) {
                    let square = to.square((i * OUT) as isize, (j * OUT) as isize);
                    result_tile(level, &m[t * co..], m_apart, co, &square, space);
                }
                let pixels = (bottom - top) * g.ow;
                let (hw, start) = (g.oh * g.ow, strip.image * g.y_len() + top * g.ow);
                let place = out.place(start, (g.co - 1) * hw + pixels);
                // SAFETY: these pixels of the image are this task's alone.
                unsafe {
                    panel_to_far_rows(level, &space[co..], co, g.co, pixels, bias, place, hw);
                }
            }
        });
    });
    y
}
