//! The inside of a line chart.

use std::fmt::Write;

use super::super::{curve::thin, ticks::Axis};
use crate::svg::{Canvas, num};

/// Where the lines are drawn.
pub(super) struct Area {
    pub(super) left: f64,
    pub(super) top: f64,
    pub(super) width: f64,
    pub(super) height: f64,
}

impl Area {
    pub(super) fn x(&self, t: f64) -> f64 {
        self.left + t * self.width
    }

    pub(super) fn y(&self, t: f64) -> f64 {
        self.top + (1.0 - t) * self.height
    }

    pub(super) fn polyline(
        &self,
        canvas: &mut Canvas,
        points: &[(f64, f64)],
        (x, y): (&Axis, &Axis),
        class: &str,
        look: &str,
    ) {
        let mut d = String::new();
        let mut run: Vec<(f64, f64)> = Vec::new();
        let mut flush = |run: &mut Vec<(f64, f64)>| {
            let kept = thin(run);
            if let [(a, b)] = kept[..] {
                // A lone point between gaps is a dot, not nothing.
                let _ = write!(d, "M{} {}h.01", num(a), num(b));
            }
            if kept.len() > 1 {
                for (i, (a, b)) in kept.iter().enumerate() {
                    let _ = write!(
                        d,
                        "{}{} {}",
                        if i == 0 { 'M' } else { 'L' },
                        num(*a),
                        num(*b)
                    );
                }
            }
            run.clear();
        };
        for p in points {
            match (x.at(p.0), y.at(p.1)) {
                (Some(a), Some(b)) => run.push((self.x(a), self.y(b))),
                _ => flush(&mut run),
            }
        }
        flush(&mut run);
        if !d.is_empty() {
            canvas.path(
                &d,
                class,
                &format!("fill=\"none\" stroke-linejoin=\"round\" stroke-linecap=\"round\" {look}"),
            );
        }
    }

    pub(super) fn dots(
        &self,
        canvas: &mut Canvas,
        points: &[(f64, f64)],
        (x, y): (&Axis, &Axis),
        class: &str,
    ) {
        let mut d = String::new();
        for p in points {
            if let (Some(a), Some(b)) = (x.at(p.0), y.at(p.1)) {
                let _ = write!(d, "M{} {}h.01", num(self.x(a)), num(self.y(b)));
            }
        }
        if !d.is_empty() {
            canvas.path(
                &d,
                class,
                "fill=\"none\" stroke-linecap=\"round\" stroke-width=\"6\"",
            );
        }
    }
}
