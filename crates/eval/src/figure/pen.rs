//! Short path texts: steps from point to point in tenths of a unit.

use std::fmt::Write;

use super::{panels::Cell, ticks::Axis};
use crate::{field::Line, svg::Canvas};

/// Writes lines as SVG path data, rounded to 0.1 units without the error adding up.
#[derive(Default)]
pub(super) struct Pen {
    d: String,
}

impl Pen {
    /// A line through `points`, or a ring if it is `closed`. Points where nothing moves are left out.
    pub(super) fn line(&mut self, points: impl IntoIterator<Item = (f64, f64)>, closed: bool) {
        let mut at: Option<(i64, i64)> = None;
        let mut drawn = false;
        for (x, y) in points {
            let to = ((x * 10.0).round() as i64, (y * 10.0).round() as i64);
            match at {
                None => {
                    self.d.push('M');
                    self.tenths(to.0, true);
                    self.tenths(to.1, false);
                }
                Some(from) if from == to => continue,
                Some(from) => {
                    if !drawn {
                        self.d.push('l');
                    }
                    self.tenths(to.0 - from.0, !drawn);
                    self.tenths(to.1 - from.1, false);
                    drawn = true;
                }
            }
            at = Some(to);
        }
        if at.is_some() && !drawn {
            // A line without length is still a dot under round ends.
            self.d.push_str("h.01");
        }
        if closed {
            self.d.push('z');
        }
    }

    /// A number of tenths; a space is needed unless a letter or a sign separates.
    fn tenths(&mut self, v: i64, first: bool) {
        if !first && v >= 0 {
            self.d.push(' ');
        }
        if v < 0 {
            self.d.push('-');
        }
        let (whole, tenth) = (v.abs() / 10, v.abs() % 10);
        let _ = match (whole, tenth) {
            (w, 0) => write!(self.d, "{w}"),
            (0, t) => write!(self.d, ".{t}"),
            (w, t) => write!(self.d, "{w}.{t}"),
        };
    }

    pub(super) fn is_empty(&self) -> bool {
        self.d.is_empty()
    }

    pub(super) fn text(&self) -> &str {
        &self.d
    }
}

/// The points of a line that matter when it is drawn `tolerance` units thick (Ramer 1972; Douglas & Peucker 1973).
pub(super) fn simplified(line: &[(f64, f64)], tolerance: f64) -> Vec<(f64, f64)> {
    let n = line.len();
    if n < 3 {
        return line.to_vec();
    }
    let mut keep = vec![false; n];
    (keep[0], keep[n - 1]) = (true, true);
    let mut open = vec![(0, n - 1)];
    while let Some((a, b)) = open.pop() {
        let (p, q) = (line[a], line[b]);
        let (dx, dy) = (q.0 - p.0, q.1 - p.1);
        let size = dx.hypot(dy);
        let off = |k: usize| {
            let (x, y) = (line[k].0 - p.0, line[k].1 - p.1);
            // A ring begins and ends in one point; there the distance to it counts.
            if size < 1e-9 {
                x.hypot(y)
            } else {
                (x * dy - y * dx).abs() / size
            }
        };
        let far = (a + 1..b).max_by(|&i, &j| off(i).total_cmp(&off(j)));
        if let Some(k) = far
            && off(k) > tolerance
        {
            keep[k] = true;
            open.extend([(a, k), (k, b)]);
        }
    }
    line.iter()
        .zip(keep)
        .filter_map(|(p, keep)| keep.then_some(*p))
        .collect()
}

/// A smooth line with gaps where it cannot be drawn.
pub(super) fn draw_line(
    canvas: &mut Canvas,
    cell: &Cell,
    axes: (&Axis, &Axis),
    line: &[(f64, f64)],
    class: &str,
    look: &str,
) {
    let mut pen = Pen::default();
    for run in runs(cell, axes, line) {
        pen.line(simplified(&run, 0.08), false);
    }
    if !pen.is_empty() {
        let look =
            format!("fill=\"none\" stroke-linejoin=\"round\" stroke-linecap=\"round\" {look}");
        canvas.path(pen.text(), class, &look);
    }
}

/// A line on the canvas, broken where it cannot be drawn.
pub(super) fn runs(cell: &Cell, axes: (&Axis, &Axis), line: &[(f64, f64)]) -> Vec<Line> {
    let placed: Vec<Option<(f64, f64)>> = line.iter().map(|p| cell.place(axes, *p)).collect();
    placed
        .split(Option::is_none)
        .filter(|run| !run.is_empty())
        .map(|run| run.iter().copied().flatten().collect())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_errors_do_not_add_up() {
        let mut pen = Pen::default();
        pen.line((0..1000).map(|k| (f64::from(k) * 0.034, 1.0)), false);
        let steps = pen.text().strip_prefix("M0 1l").unwrap();
        let numbers: Vec<f64> = steps
            .split_whitespace()
            .map(|s| s.parse().unwrap())
            .collect();
        let x: f64 = numbers.iter().step_by(2).sum();
        assert!((x - 999.0 * 0.034).abs() < 0.06, "{x}");
    }

    #[test]
    fn numbers_are_short_and_separated() {
        let mut pen = Pen::default();
        pen.line([(1.0, -2.0), (1.5, -2.5), (3.0, 7.0)], true);
        assert_eq!(pen.text(), "M1-2l.5-.5 1.5 9.5z");
        let mut dot = Pen::default();
        dot.line([(1.0, 2.0), (1.01, 2.01)], false);
        assert_eq!(dot.text(), "M1 2h.01");
    }

    #[test]
    fn simplification_keeps_corners_and_drops_the_rest() {
        let line: Vec<(f64, f64)> = (0..=100)
            .map(|k| f64::from(k) / 10.0)
            .map(|x| (x, (x - 5.0).abs()))
            .collect();
        assert_eq!(
            simplified(&line, 0.1),
            [(0.0, 5.0), (5.0, 0.0), (10.0, 5.0)]
        );
    }
}
