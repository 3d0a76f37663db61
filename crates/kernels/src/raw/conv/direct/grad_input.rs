//! The gradient with respect to the input.

use super::frame::Frame;
use super::{Geometry, part, parts_per_image};
use crate::raw::Level;
use crate::raw::gemm::{Product, Terms};
use crate::raw::pack::{Panel, pack_with, panels};
use crate::raw::scratch::{Shared, unfilled, with_space};
use crate::raw::transpose::panel_to_rows;
use rayon::prelude::*;

/// The pixels of x whose row and column, shifted by the padding, leave given remainders modulo the stride: they
/// meet the same taps. A stride of one has one phase.
struct Phase {
    /// Pixels, by their place in the image, and by their offset into the framed gradient.
    pixels: Vec<u32>,
    rows: Vec<u32>,
    /// Offsets of (output channel, tap) into the framed gradient.
    terms: Terms,
    /// The weights in that order, input channels in the lanes.
    packed: Vec<f32>,
}

impl Phase {
    fn new(
        g: &Geometry,
        frame: &Frame,
        panels: &[Panel],
        w: &[f32],
        [ry, rx]: [usize; 2],
    ) -> Option<Self> {
        let (s, steps) = (g.s, steps(g));
        let shifted = |r: usize, len: usize| {
            (0..len)
                .filter(move |i| (i + g.p) % s == r)
                .map(move |i| (i, (i + g.p) / s))
        };
        let (mut pixels, mut rows) = (Vec::new(), Vec::new());
        for (y, u) in shifted(ry, g.h) {
            for (x, v) in shifted(rx, g.w) {
                pixels.push((y * g.w + x) as u32);
                rows.push((u * frame.cols + v) as u32);
            }
        }
        // x[i] meets y[u − n] through tap r + s·n.
        let taps: Vec<[usize; 2]> = (ry..g.kh)
            .step_by(s)
            .flat_map(|i| (rx..g.kw).step_by(s).map(move |j| [i, j]))
            .collect();
        if pixels.is_empty() || taps.is_empty() {
            return None;
        }
        let terms = (0..g.co)
            .flat_map(|o| {
                taps.iter().map(move |&[i, j]| {
                    (o * frame.stride + (steps[0] - 1 - i / s) * frame.cols + steps[1] - 1 - j / s)
                        as u32
                })
            })
            .collect();
        let terms = Terms::new(terms);
        let all = g.taps();
        let packed = pack_with(panels, g.co * taps.len(), |panel, out| {
            for (k, lanes) in out.chunks_exact_mut(panel.width).enumerate() {
                let (o, [i, j]) = (k / taps.len(), taps[k % taps.len()]);
                let w = &w[(o * g.ci + panel.start) * all + i * g.kw + j..];
                for (c, lane) in lanes[..panel.lanes].iter_mut().enumerate() {
                    *lane = w[c * all];
                }
                lanes[panel.lanes..].fill(0.0);
            }
        });
        Some(Self {
            pixels,
            rows,
            terms,
            packed,
        })
    }
}

/// How many steps back in y one pixel of x reaches, at most.
fn steps(g: &Geometry) -> [usize; 2] {
    [g.kh.div_ceil(g.s), g.kw.div_ceil(g.s)]
}

/// `w: [co, ci, kh, kw]`, `dy: [batch, co, oh, ow]` to dx `[batch, ci, h, w]`:
/// dx[b,c,y,x] = Σ_{o,i,j} w[o,c,i,j] · dy[b,o,u,v] over s·u + i − p = y and s·v + j − p = x.
pub(crate) fn grad_input(level: Level, w: &[f32], dy: &[f32], g: &Geometry) -> Vec<f32> {
    let [jy, jx] = steps(g);
    let size = [(g.h - 1 + g.p) / g.s + jy, (g.w - 1 + g.p) / g.s + jx];
    let frame = Frame::new(g.co, [g.oh, g.ow], [jy - 1, jx - 1], size);
    let panels = panels(level, g.ci);
    let phases: Vec<Phase> = (0..g.s * g.s)
        .filter_map(|r| Phase::new(g, &frame, &panels, w, [r / g.s, r % g.s]))
        .collect();
    let (hw, widest) = (g.h * g.w, panels[0].width);
    let most = phases.iter().map(|p| p.rows.len()).max().unwrap_or(0);
    let covered = phases.iter().map(|p| p.pixels.len()).sum::<usize>() == hw;

    let mut dx = unfilled(g.batch * g.x_len());
    let out = Shared::new(&mut dx);
    let parts = parts_per_image(g.batch, panels.len());
    (0..g.batch * parts).into_par_iter().for_each(|task| {
        let (b, p) = (task / parts, task % parts);
        with_space(frame.len() + 2 * most * widest, |space| {
            let (a, space) = space.split_at_mut(frame.len());
            let (c, lines) = space.split_at_mut(most * widest);
            frame.fill(&dy[b * g.y_len()..][..g.y_len()], a);
            for panel in &panels[part(panels.len(), p, parts)] {
                // SAFETY: one task per image and panel.
                let dx = unsafe { out.part(b * g.x_len() + panel.start * hw, panel.lanes * hw) };
                if !covered {
                    dx.fill(0.0);
                }
                let width = panel.width;
                for phase in &phases {
                    let (rows, terms, n) = (&phase.rows[..], &phase.terms, phase.rows.len());
                    let b_panel = &phase.packed[panel.start * terms.len()..][..terms.len() * width];
                    Product {
                        level,
                        a,
                        rows,
                        terms,
                        b: b_panel,
                        width,
                        ldc: width,
                        add: false,
                    }
                    .run(c);
                    if n == hw {
                        panel_to_rows(level, c, width, panel.lanes, n, None, dx, hw);
                        continue;
                    }
                    panel_to_rows(level, c, width, panel.lanes, n, None, lines, n);
                    for (dx, line) in dx.chunks_exact_mut(hw).zip(lines.chunks_exact(n)) {
                        for (&pixel, &v) in phase.pixels.iter().zip(line) {
                            dx[pixel as usize] = v;
                        }
                    }
                }
            }
        });
    });
    dx
}
