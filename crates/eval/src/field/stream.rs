//! Evenly spaced streamlines.

use super::{Line, sound};

/// One streamline, in the direction of the field.
#[derive(Debug, Clone, PartialEq)]
pub struct Stream {
    /// Points (x, y); a closed line ends with its first point.
    pub line: Line,
}

/// Streamlines of `field` in the rectangle x × y, about `across` of them side by side.
///
/// Every new line begins beside an older one and ends where it would come closer to another than half the distance
/// (Jobard & Lefer, "Creating evenly-spaced streamlines of arbitrary density", 1997). The rectangle is measured in its
/// own width and height times `aspect` (height / width as drawn), so lines are even on the page, not in the data.
/// Where the field is 0 or not finite a line ends.
pub fn streamlines(
    field: impl Fn(f64, f64) -> (f64, f64),
    x: (f64, f64),
    y: (f64, f64),
    aspect: f64,
    across: usize,
) -> Vec<Stream> {
    let (x, y) = (sound(x), sound(y));
    let aspect = if aspect.is_finite() {
        aspect.clamp(0.05, 20.0)
    } else {
        1.0
    };
    let (sx, sy) = (x.1 - x.0, (y.1 - y.0) / aspect);
    // The direction at a point of the page.
    let direction = |p: (f64, f64)| {
        let (u, v) = field(x.0 + p.0 * sx, y.0 + p.1 * sy);
        let (u, v) = (u / sx, v / sy);
        let size = u.hypot(v);
        (size.is_finite() && size > 1e-150).then(|| (u / size, v / size))
    };
    let gap = 1.0 / across.clamp(2, 100) as f64;
    let mut tracer = Tracer {
        direction,
        aspect,
        gap,
        step: gap * 0.12,
        cells: Cells::new(gap, aspect),
        own: Cells::new(gap, aspect),
        lines: Vec::new(),
    };
    tracer.fill();
    let lines = tracer.lines;
    lines
        .into_iter()
        .map(|line| Stream {
            line: line
                .into_iter()
                .map(|p| (x.0 + p.0 * sx, y.0 + p.1 * sy))
                .collect(),
        })
        .collect()
}

struct Tracer<F> {
    direction: F,
    aspect: f64,
    gap: f64,
    step: f64,
    cells: Cells,
    /// The past of the line that is being traced.
    own: Cells,
    lines: Vec<Line>,
}

impl<F: Fn((f64, f64)) -> Option<(f64, f64)>> Tracer<F> {
    fn fill(&mut self) {
        let seeds: Vec<(f64, f64)> = (0..20)
            .flat_map(|j| (0..20).map(move |i| (i, j)))
            .map(|(i, j)| ((f64::from(i) + 0.5) / 20.0, (f64::from(j) + 0.5) / 20.0))
            .collect();
        // From the middle outwards; every line seeds its neighbours before the next free place is tried.
        let mut order: Vec<usize> = (0..seeds.len()).collect();
        let off = |k: usize| (seeds[k].0 - 0.5).powi(2) + (seeds[k].1 - 0.5).powi(2);
        order.sort_by(|&a, &b| off(a).total_cmp(&off(b)));
        let mut next = 0;
        for k in order {
            self.grow((seeds[k].0, seeds[k].1 * self.aspect));
            while next < self.lines.len() {
                let stride = (self.gap / self.step / 2.0).ceil() as usize;
                let along: Vec<[(f64, f64); 2]> = self.lines[next]
                    .windows(2)
                    .step_by(stride)
                    .map(|w| [w[0], w[1]])
                    .collect();
                for [a, b] in along {
                    let (dx, dy) = (b.0 - a.0, b.1 - a.1);
                    let size = dx.hypot(dy).max(1e-300);
                    let (nx, ny) = (-dy / size * self.gap * 1.001, dx / size * self.gap * 1.001);
                    self.grow((a.0 + nx, a.1 + ny));
                    self.grow((a.0 - nx, a.1 - ny));
                }
                next += 1;
            }
        }
    }

    /// A new line through `seed`, if there is room and the line grows long enough to be seen.
    fn grow(&mut self, seed: (f64, f64)) {
        if !inside(seed, self.aspect) || self.cells.near(seed, self.gap * 0.999) {
            return;
        }
        let (mut ahead, closed) = self.trace(seed, 1.0, &[]);
        let mut line = if closed {
            Vec::new()
        } else {
            let (mut behind, _) = self.trace(seed, -1.0, &ahead);
            behind.reverse();
            behind
        };
        line.push(seed);
        line.append(&mut ahead);
        if (line.len() as f64) * self.step < 2.0 * self.gap && !(closed && line.len() > 8) {
            return;
        }
        for p in &line {
            self.cells.add(*p);
        }
        self.lines.push(line);
    }

    /// Follows the field from `seed` (exclusive) until something is in the way; true if it came back to the seed.
    fn trace(&mut self, seed: (f64, f64), sign: f64, other: &[(f64, f64)]) -> (Line, bool) {
        let mut out: Line = Vec::new();
        let own = &mut self.own;
        own.clear();
        // The half that is already there is an obstacle too, except next to the seed.
        let reach = (self.gap / self.step) as usize;
        for p in other.iter().skip(reach) {
            own.add(*p);
        }
        let mut p = seed;
        let mut before: Option<(f64, f64)> = None;
        // Three times around the page is enough for any spiral.
        let most = (12.0 * (1.0 + self.aspect) / self.step) as usize;
        let mut turned = 0.0;
        while out.len() < most {
            let Some((q, d)) = advance(&self.direction, p, self.step * sign) else {
                break;
            };
            if let Some(b) = before {
                let dot: f64 = b.0 * d.0 + b.1 * d.1;
                // A jump in direction is a critical point or a jump of the field.
                if dot < 0.3 {
                    break;
                }
                turned += (b.0 * d.1 - b.1 * d.0).atan2(dot);
            }
            if !inside(q, self.aspect) {
                break;
            }
            let home = (q.0 - seed.0).hypot(q.1 - seed.1);
            if turned.abs() > 6.0 && home < self.step * 1.5 && other.is_empty() {
                out.push(q);
                out.push(seed);
                return (out, true);
            }
            if self.cells.near(q, self.gap * 0.5) || own.near(q, self.gap * 0.5) {
                break;
            }
            out.push(q);
            // A line may not come near its own past, except where it has just been or where it began.
            if out.len() > reach {
                let old = out[out.len() - 1 - reach];
                if (old.0 - seed.0).hypot(old.1 - seed.1) > self.gap * 0.6 || !other.is_empty() {
                    own.add(old);
                }
            }
            before = Some(d);
            p = q;
        }
        (out, false)
    }
}

fn inside(p: (f64, f64), aspect: f64) -> bool {
    (0.0..=1.0).contains(&p.0) && (0.0..=aspect).contains(&p.1)
}

/// One classical Runge–Kutta step of length |h|, backwards if h < 0: where it ends and which way it went.
fn advance(
    direction: impl Fn((f64, f64)) -> Option<(f64, f64)>,
    p: (f64, f64),
    h: f64,
) -> Option<((f64, f64), (f64, f64))> {
    let go = |d: (f64, f64), t: f64| (p.0 + t * d.0, p.1 + t * d.1);
    let a = direction(p)?;
    let b = direction(go(a, h / 2.0))?;
    let c = direction(go(b, h / 2.0))?;
    let e = direction(go(c, h))?;
    let mean = (
        (a.0 + 2.0 * (b.0 + c.0) + e.0) / 6.0,
        (a.1 + 2.0 * (b.1 + c.1) + e.1) / 6.0,
    );
    // Directions that cancel mean that the step jumped over a critical point.
    let sign = h.signum();
    (mean.0.hypot(mean.1) > 0.5).then(|| (go(mean, h), (mean.0 * sign, mean.1 * sign)))
}

/// Points sorted into squares of side `gap`, so that only neighbours are compared.
struct Cells {
    gap: f64,
    columns: usize,
    rows: usize,
    points: Vec<Line>,
    used: Vec<usize>,
}

impl Cells {
    fn new(gap: f64, aspect: f64) -> Self {
        let (columns, rows) = ((1.0 / gap) as usize + 2, (aspect / gap) as usize + 2);
        Self {
            gap,
            columns,
            rows,
            points: vec![Vec::new(); columns * rows],
            used: Vec::new(),
        }
    }

    fn cell(&self, p: (f64, f64)) -> (usize, usize) {
        let (i, j) = ((p.0 / self.gap) as usize, (p.1 / self.gap) as usize);
        (i.min(self.columns - 1), j.min(self.rows - 1))
    }

    fn add(&mut self, p: (f64, f64)) {
        let (i, j) = self.cell(p);
        let k = j * self.columns + i;
        if self.points[k].is_empty() {
            self.used.push(k);
        }
        self.points[k].push(p);
    }

    fn clear(&mut self) {
        for k in self.used.drain(..) {
            self.points[k].clear();
        }
    }

    /// Whether a point lies within `distance` ≤ gap.
    fn near(&self, p: (f64, f64), distance: f64) -> bool {
        let (i, j) = self.cell(p);
        (j.saturating_sub(1)..=(j + 1).min(self.rows - 1)).any(|j| {
            (i.saturating_sub(1)..=(i + 1).min(self.columns - 1)).any(|i| {
                self.points[j * self.columns + i]
                    .iter()
                    .any(|q| (q.0 - p.0).powi(2) + (q.1 - p.1).powi(2) < distance * distance)
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_rotation_goes_in_circles() {
        let lines = streamlines(|x, y| (-y, x), (-1.0, 1.0), (-1.0, 1.0), 1.0, 20);
        assert!(lines.len() >= 10, "{}", lines.len());
        let mut closed = 0;
        for s in &lines {
            let r0 = s.line[0].0.hypot(s.line[0].1);
            for p in &s.line {
                assert!((p.0.hypot(p.1) - r0).abs() < 2e-3, "{r0}");
            }
            // Counter-clockwise, as the field goes.
            for w in s.line.windows(2) {
                assert!(w[0].0 * w[1].1 - w[0].1 * w[1].0 >= -1e-9);
            }
            closed += usize::from(s.line.first() == s.line.last());
        }
        assert!(closed >= 5, "{closed} of {}", lines.len());
    }

    #[test]
    fn parallel_lines_are_evenly_spaced() {
        let lines = streamlines(|_, _| (0.0, -3.0), (0.0, 10.0), (0.0, 1.0), 0.5, 20);
        let mut at: Vec<f64> = lines.iter().map(|s| s.line[0].0).collect();
        at.sort_by(f64::total_cmp);
        assert!((18..=21).contains(&at.len()), "{}", at.len());
        assert!(
            at.windows(2).all(|w| (w[1] - w[0] - 0.5).abs() < 0.01),
            "{at:?}"
        );
        assert!(
            lines
                .iter()
                .all(|s| s.line.windows(2).all(|w| w[1].1 < w[0].1))
        );
    }

    #[test]
    fn lines_keep_their_distance() {
        let lines = streamlines(|x, y| (y, x - x * x * x), (-2.0, 2.0), (-2.0, 2.0), 1.0, 16);
        for (k, a) in lines.iter().enumerate() {
            for b in &lines[..k] {
                for p in &a.line {
                    let near = b
                        .line
                        .iter()
                        .any(|q| (p.0 - q.0).hypot(p.1 - q.1) < 0.45 * 0.25);
                    assert!(!near, "{p:?}");
                }
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
        #[test]
        fn odd_fields_do_no_harm(
            a in prop_oneof![Just(0.0), Just(f64::NAN), Just(f64::INFINITY), Just(1e300), -2.0f64..2.0],
            b in -2.0f64..2.0, c in prop_oneof![Just(0.0), -2.0f64..2.0],
            lo in prop_oneof![2 => Just(-1.0), 1 => any::<f64>()],
        ) {
            let field = |x: f64, y: f64| (a * x + b * y, if x > 0.5 { f64::NAN } else { c * x - y * y });
            for s in streamlines(field, (lo, 1.0), (-1.0, 1.0), 1.0, 8) {
                prop_assert!(s.line.len() > 1 && s.line.iter().all(|p| p.0.is_finite() && p.1.is_finite()));
            }
        }
    }
}
