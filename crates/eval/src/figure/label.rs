//! Where words lie on a line.

use super::panels::Cell;

/// Where a label of width `room` lies straightest on a line, far from the frame and other labels.
pub(super) fn place_label(
    run: &[(f64, f64)],
    cell: &Cell,
    room: f64,
    taken: &[(f64, f64, f64)],
) -> Option<(f64, f64, f64)> {
    let mut length = vec![0.0];
    for w in run.windows(2) {
        length.push(length[length.len() - 1] + (w[1].0 - w[0].0).hypot(w[1].1 - w[0].1));
    }
    let whole = length[length.len() - 1];
    if whole < 3.5 * room {
        return None;
    }
    let at = |s: f64| {
        let k = length.partition_point(|l| *l < s).clamp(1, run.len() - 1);
        let t = ((s - length[k - 1]) / (length[k] - length[k - 1]).max(1e-9)).clamp(0.0, 1.0);
        let (a, b) = (run[k - 1], run[k]);
        (a.0 + t * (b.0 - a.0), a.1 + t * (b.1 - a.1))
    };
    let mut best: Option<(f64, (f64, f64, f64))> = None;
    for k in 0..40 {
        let s = room / 2.0 + (whole - room) * (f64::from(k) + 0.5) / 40.0;
        let (a, p, b) = (at(s - room / 2.0), at(s), at(s + room / 2.0));
        let margin = room / 2.0 + 6.0;
        let inside = p.0 > cell.left + margin
            && p.0 < cell.left + cell.width - margin
            && p.1 > cell.top + margin
            && p.1 < cell.top + cell.height - margin;
        let free = taken
            .iter()
            .all(|t| (t.0 - p.0).hypot(t.1 - p.1) > (room + t.2) / 2.0 + 6.0);
        if !inside || !free {
            continue;
        }
        let bend = room - (b.0 - a.0).hypot(b.1 - a.1);
        let mut degrees = (b.1 - a.1).atan2(b.0 - a.0).to_degrees();
        if degrees.abs() > 90.0 {
            degrees -= 180.0 * degrees.signum();
        }
        let cost = bend * 4.0 + degrees.abs() * 0.15;
        if best.is_none_or(|b| cost < b.0) {
            best = Some((cost, (p.0, p.1, degrees)));
        }
    }
    best.map(|b| b.1)
}
