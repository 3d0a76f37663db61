//! The convolution itself.

use super::frame::{Frame, framed, position_offsets, tap_offsets};
use super::{Geometry, part, parts_per_image};
use crate::raw::Level;
use crate::raw::gemm::{Product, Terms};
use crate::raw::pack::{pack_rows, panels};
use crate::raw::scratch::{Shared, unfilled, with_space};
use crate::raw::transpose::panel_to_rows;
use rayon::prelude::*;

/// `x: [batch, ci, h, w]`, `w: [co, ci, kh, kw]`, `bias: [co]` to `[batch, co, oh, ow]`.
pub(crate) fn forward(
    level: Level,
    x: &[f32],
    w: &[f32],
    bias: Option<&[f32]>,
    g: &Geometry,
) -> Vec<f32> {
    let frame = Frame::of_input(g);
    let (rows, terms) = (
        position_offsets(g, &frame),
        Terms::new(tap_offsets(g, &frame)),
    );
    let (k, hw) = (terms.len(), rows.len());
    let panels = panels(level, g.co);
    let packed = pack_rows(level, w, k, &panels);
    let widest = panels[0].width;

    let mut y = unfilled(g.batch * g.y_len());
    let out = Shared::new(&mut y);
    let parts = parts_per_image(g.batch, panels.len());
    (0..g.batch * parts).into_par_iter().for_each(|task| {
        let (b, p) = (task / parts, task % parts);
        with_space(frame.len() + hw * widest, |space| {
            let (space, c) = space.split_at_mut(frame.len());
            let a = framed(&frame, &x[b * g.x_len()..][..g.x_len()], space);
            for panel in &panels[part(panels.len(), p, parts)] {
                let width = panel.width;
                let b_panel = &packed[panel.start * k..][..k * width];
                Product {
                    level,
                    a,
                    rows: &rows,
                    terms: &terms,
                    b: b_panel,
                    width,
                    ldc: width,
                    add: false,
                }
                .run(c);
                // SAFETY: one task per image and panel.
                let y = unsafe { out.part(b * g.y_len() + panel.start * hw, panel.lanes * hw) };
                panel_to_rows(
                    level,
                    c,
                    width,
                    panel.lanes,
                    hw,
                    bias.map(|b| &b[panel.start..]),
                    y,
                    hw,
                );
            }
        });
    });
    y
}
