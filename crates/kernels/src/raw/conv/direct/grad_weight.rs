//! The gradient with respect to the weight.

use super::Geometry;
use super::frame::{Frame, position_offsets, tap_offsets};
use crate::raw::Level;
use crate::raw::gemm::{Product, Terms};
use crate::raw::pack::{packed_len, panels};
use crate::raw::scratch::{Shared, unfilled};
use crate::raw::transpose::{panel_to_rows, rows_to_panel};
use rayon::prelude::*;

/// Values of working space per group of images: 8 MiB, which a third-level cache holds.
const SPACE: usize = 1 << 21;

/// `x: [batch, ci, h, w]`, `dy: [batch, co, oh, ow]` to dw `[co, ci, kh, kw]`:
/// dw[o,c,i,j] = Σ_{b,u,v} dy[b,o,u,v] · x[b,c, s·u + i − p, s·v + j − p].
///
/// The sum over positions is taken per image and added up in the order of the images, whatever the threads: they
/// share out the (o, c, i, j), not the images.
pub(crate) fn grad_weight(level: Level, x: &[f32], dy: &[f32], g: &Geometry) -> Vec<f32> {
    let frame = Frame::of_input(g);
    // The roles are turned round: rows are (channel, tap), terms are positions, lanes are output channels.
    let (rows, terms) = (
        tap_offsets(g, &frame),
        Terms::new(position_offsets(g, &frame)),
    );
    let (n, hw) = (rows.len(), terms.len());
    let panels = panels(level, g.co);
    let dy_len = packed_len(&panels, hw);
    let each = frame.len() + dy_len;
    let group = (SPACE / each).clamp(8, 64).min(g.batch);

    let mut space = unfilled(group * each);
    let mut sums = unfilled(packed_len(&panels, n));
    // Enough tasks for the threads, each with enough rows to make use of the panel it reads.
    let tasks = (4 * rayon::current_num_threads()).div_ceil(panels.len());
    let chunk = n.div_ceil(tasks).next_multiple_of(24).min(n);
    let chunks = n.div_ceil(chunk);

    for first in (0..g.batch).step_by(group) {
        let images = group.min(g.batch - first);
        space
            .par_chunks_mut(each)
            .take(images)
            .enumerate()
            .for_each(|(i, space)| {
                let (a, packed) = space.split_at_mut(frame.len());
                frame.fill(&x[(first + i) * g.x_len()..][..g.x_len()], a);
                let dy = &dy[(first + i) * g.y_len()..][..g.y_len()];
                for p in &panels {
                    let out = &mut packed[p.start * hw..][..p.width * hw];
                    rows_to_panel(level, &dy[p.start * hw..], hw, p.lanes, hw, p.width, out);
                }
            });
        let shared = Shared::new(&mut sums);
        (0..panels.len() * chunks).into_par_iter().for_each(|task| {
            let (p, r) = (panels[task / chunks], task % chunks * chunk);
            let rows = &rows[r..(r + chunk).min(n)];
            // SAFETY: one task per panel and chunk of rows.
            let c = unsafe { shared.part(p.start * n + r * p.width, rows.len() * p.width) };
            for (i, space) in space.chunks_exact(each).take(images).enumerate() {
                let (a, packed) = space.split_at(frame.len());
                let b = &packed[p.start * hw..][..p.width * hw];
                let add = first + i > 0;
                Product {
                    level,
                    a,
                    rows,
                    terms: &terms,
                    b,
                    width: p.width,
                    ldc: p.width,
                    add,
                }
                .run(c);
            }
        });
    }

    let mut dw = unfilled(g.co * n);
    for p in &panels {
        panel_to_rows(
            level,
            &sums[p.start * n..],
            p.width,
            p.lanes,
            n,
            None,
            &mut dw[p.start * n..],
            n,
        );
    }
    dw
}
