//! How a number of output lanes is cut into panels, and matrices packed into them.

use super::scratch::{Shared, unfilled};
use super::transpose::rows_to_panel;
use super::{Level, tile};
use rayon::prelude::*;

/// A panel: the lanes `start .. start + lanes` of an output, stored `width` wide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Panel {
    pub(crate) start: usize,
    pub(crate) lanes: usize,
    pub(crate) width: usize,
}

/// Cuts `n` lanes into panels: widest ones while they are full, then the narrowest one that holds the rest.
pub(crate) fn panels(level: Level, n: usize) -> Vec<Panel> {
    let widths = tile::widths(level);
    let mut out = Vec::new();
    let mut start = 0;
    while start < n {
        let rest = n - start;
        let width = widths
            .iter()
            .rev()
            .copied()
            .find(|&w| w >= rest)
            .unwrap_or(widths[0]);
        out.push(Panel {
            start,
            lanes: rest.min(width),
            width,
        });
        start += rest.min(width);
    }
    out
}

/// Values that the packed form of `n` lanes and `k` terms takes.
pub(crate) fn packed_len(panels: &[Panel], k: usize) -> usize {
    panels.iter().map(|p| p.width * k).sum()
}

/// Work below this many values is not worth another thread.
const SMALL: usize = 1 << 14;

/// Packs panel by panel: `fill(panel, part)` writes one panel `[k][width]`. Panel p begins at `p.start · k`.
pub(crate) fn pack_with(
    panels: &[Panel],
    k: usize,
    fill: impl Fn(Panel, &mut [f32]) + Sync,
) -> Vec<f32> {
    let mut out = unfilled(packed_len(panels, k));
    let shared = Shared::new(&mut out);
    let one = |p: &Panel| {
        // SAFETY: the panels before this one are full, so it begins at `start · k` and no two overlap.
        fill(*p, unsafe { shared.part(p.start * k, p.width * k) });
    };
    if panels.len() * k * 16 < SMALL {
        panels.iter().for_each(one)
    } else {
        panels.par_iter().for_each(one)
    }
    out
}

/// Packs the rows of a matrix `[n][k]` as lanes.
pub(crate) fn pack_rows(level: Level, src: &[f32], k: usize, panels: &[Panel]) -> Vec<f32> {
    pack_with(panels, k, |p, part| {
        rows_to_panel(level, &src[p.start * k..], k, p.lanes, k, p.width, part)
    })
}

/// Copies a row of lanes, vector by vector: a call of `memcpy` for each would cost more than the copy.
#[inline(always)]
pub(crate) fn copy_lanes(to: &mut [f32], from: &[f32]) {
    let ((to, _), (from, _)) = (to.as_chunks_mut::<8>(), from.as_chunks::<8>());
    for (to, from) in to.iter_mut().zip(from) {
        *to = *from;
    }
}

/// Packs the columns of a matrix `[k][n]` as lanes.
pub(crate) fn pack_columns(src: &[f32], n: usize, k: usize, panels: &[Panel]) -> Vec<f32> {
    pack_with(panels, k, |p, part| {
        for (row, out) in src.chunks_exact(n).zip(part.chunks_exact_mut(p.width)) {
            if p.lanes == p.width {
                copy_lanes(out, &row[p.start..p.start + p.width]);
                continue;
            }
            out[..p.lanes].copy_from_slice(&row[p.start..p.start + p.lanes]);
            out[p.lanes..].fill(0.0);
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panels_cover_every_lane_once() {
        for level in Level::available() {
            for n in 1..200 {
                let ps = panels(level, n);
                let mut at = 0;
                for (i, p) in ps.iter().enumerate() {
                    assert_eq!(p.start, at);
                    assert!(p.lanes <= p.width && (p.lanes == p.width || i + 1 == ps.len()));
                    at += p.lanes;
                }
                assert_eq!(at, n);
            }
        }
    }
}
