//! Marching squares: level lines, and the regions above a level as closed rings.

use std::collections::{BTreeMap, VecDeque};

use super::{Lattice, Line};

/// A vertex that neighbouring cells agree on without comparing floating-point numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Vertex {
    Node(usize, usize),
    /// On the side from node (i, j) to (i + 1, j).
    Across(usize, usize),
    /// On the side from node (i, j) to (i, j + 1).
    Up(usize, usize),
}

/// The lines f = `level`. A closed line ends with its first point; walking along a line, larger values are on the left.
///
/// Along a cell's sides f is taken as linear and inside as bilinear, so a cell with two diagonal high corners is joined
/// as its saddle value says (Nielson & Hamann, "The asymptotic decider", 1991). Cells with a corner that is not finite
/// are left out.
pub fn contours(lattice: &Lattice, level: f64) -> Vec<Line> {
    chain(lattice, level, inner(lattice, level))
}

/// The region f ≥ `level` as closed rings, last point = first: outer rings run counter-clockwise, holes clockwise, so
/// the signed areas add up to the area of the region and the even-odd rule fills it.
pub fn superlevel(lattice: &Lattice, level: f64) -> Vec<Line> {
    let mut pieces = inner(lattice, level);
    let f = lattice;
    for j in 0..f.ny - 1 {
        for i in 0..f.nx - 1 {
            if !valid(f, i, j) {
                continue;
            }
            // The four sides counter-clockwise: ends, the crossing between them, and whether a cell lies beyond.
            let sides = [
                (
                    [(i, j), (i + 1, j)],
                    Vertex::Across(i, j),
                    j > 0 && valid(f, i, j - 1),
                ),
                (
                    [(i + 1, j), (i + 1, j + 1)],
                    Vertex::Up(i + 1, j),
                    valid(f, i + 1, j),
                ),
                (
                    [(i + 1, j + 1), (i, j + 1)],
                    Vertex::Across(i, j + 1),
                    valid(f, i, j + 1),
                ),
                (
                    [(i, j + 1), (i, j)],
                    Vertex::Up(i, j),
                    i > 0 && valid(f, i - 1, j),
                ),
            ];
            for ([a, b], crossing, neighbour) in sides {
                if neighbour {
                    continue;
                }
                let high = |n: (usize, usize)| f.at(n.0, n.1) >= level;
                let (start, end) = (Vertex::Node(a.0, a.1), Vertex::Node(b.0, b.1));
                match (high(a), high(b)) {
                    (true, true) => pieces.push((start, end)),
                    (true, false) => pieces.push((start, crossing)),
                    (false, true) => pieces.push((crossing, end)),
                    (false, false) => {}
                }
            }
        }
    }
    chain(lattice, level, pieces)
}

/// Whether cell (i, j) exists and has four finite corners.
fn valid(f: &Lattice, i: usize, j: usize) -> bool {
    i + 1 < f.nx
        && j + 1 < f.ny
        && [(i, j), (i + 1, j), (i, j + 1), (i + 1, j + 1)]
            .iter()
            .all(|&(a, b)| f.at(a, b).is_finite())
}

/// The pieces of level line inside all cells, the high side on the left.
fn inner(f: &Lattice, level: f64) -> Vec<(Vertex, Vertex)> {
    let mut pieces = Vec::new();
    if !level.is_finite() {
        return pieces;
    }
    for j in 0..f.ny - 1 {
        for i in 0..f.nx - 1 {
            if !valid(f, i, j) {
                continue;
            }
            // Corners counter-clockwise from the lower left; side k runs from corner k to corner k + 1.
            let v = [
                f.at(i, j),
                f.at(i + 1, j),
                f.at(i + 1, j + 1),
                f.at(i, j + 1),
            ];
            let side = [
                Vertex::Across(i, j),
                Vertex::Up(i + 1, j),
                Vertex::Across(i, j + 1),
                Vertex::Up(i, j),
            ];
            let high = v.map(|v| v >= level);
            // Walking counter-clockwise around the cell, the line leaves where high turns to low
            // and comes back where low turns to high.
            let falls: Vec<usize> = (0..4).filter(|&k| high[k] && !high[(k + 1) % 4]).collect();
            let rises: Vec<usize> = (0..4).filter(|&k| !high[k] && high[(k + 1) % 4]).collect();
            match (falls.len(), rises.len()) {
                (1, 1) => pieces.push((side[falls[0]], side[rises[0]])),
                (2, 2) => {
                    // Scaled, so that products of large values do not overflow.
                    let size = v.iter().fold(level.abs(), |a, b| a.max(b.abs()));
                    let [a, b, c, d] = v.map(|v| v / size - level / size);
                    // Both pairs of diagonal corners differ in sign, so a + c − b − d is not 0
                    // unless everything is; the saddle value decides whether the high corners join.
                    let saddle = (a * c - b * d) / (a + c - b - d);
                    let joined = saddle >= 0.0;
                    for &fall in &falls {
                        // The next rise cuts off the low corner in between; the one before the high corner.
                        let rise = if joined {
                            (fall + 1) % 4
                        } else {
                            (fall + 3) % 4
                        };
                        pieces.push((side[fall], side[rise]));
                    }
                }
                _ => {}
            }
        }
    }
    pieces
}

/// Joins directed pieces end to start into lines.
fn chain(f: &Lattice, level: f64, pieces: Vec<(Vertex, Vertex)>) -> Vec<Line> {
    let mut from: BTreeMap<Vertex, VecDeque<usize>> = BTreeMap::new();
    let mut ends: BTreeMap<Vertex, isize> = BTreeMap::new();
    for (k, (a, b)) in pieces.iter().enumerate() {
        from.entry(*a).or_default().push_back(k);
        *ends.entry(*a).or_default() += 1;
        *ends.entry(*b).or_default() -= 1;
    }
    let mut used = vec![false; pieces.len()];
    let mut out = Vec::new();
    // Open lines first, from their beginnings; what is left are rings.
    let beginnings: Vec<usize> = (0..pieces.len())
        .filter(|&k| ends.get(&pieces[k].0).is_some_and(|n| *n > 0))
        .collect();
    for start in beginnings.into_iter().chain(0..pieces.len()) {
        if used[start] {
            continue;
        }
        let mut line = vec![place(f, level, pieces[start].0)];
        let mut now = Some(start);
        while let Some(k) = now {
            used[k] = true;
            let end = pieces[k].1;
            line.push(place(f, level, end));
            now = if end == pieces[start].0 {
                None
            } else {
                let next = from.get_mut(&end);
                next.and_then(|queue| {
                    while let Some(k) = queue.pop_front() {
                        if !used[k] {
                            return Some(k);
                        }
                    }
                    None
                })
            };
        }
        line.dedup();
        if line.len() > 1 {
            out.push(line);
        }
    }
    out
}

fn place(f: &Lattice, level: f64, vertex: Vertex) -> (f64, f64) {
    let between = |(i, j): (usize, usize), (k, l): (usize, usize)| {
        let (a, b) = (f.at(i, j), f.at(k, l));
        // Halves, so that the difference of huge values stays finite.
        let (a, b, v) = (a / 2.0, b / 2.0, level / 2.0);
        let t = ((v - a) / (b - a)).clamp(0.0, 1.0);
        let t = if t.is_nan() { 0.5 } else { t };
        let (p, q) = (f.node(i, j), f.node(k, l));
        (p.0 + t * (q.0 - p.0), p.1 + t * (q.1 - p.1))
    };
    match vertex {
        Vertex::Node(i, j) => f.node(i, j),
        Vertex::Across(i, j) => between((i, j), (i + 1, j)),
        Vertex::Up(i, j) => between((i, j), (i, j + 1)),
    }
}

#[cfg(test)]
mod tests {
    use std::f64::consts::PI;

    use proptest::prelude::*;

    use super::*;

    fn area(lines: &[Line]) -> f64 {
        let ring = |l: &Line| -> f64 {
            l.windows(2)
                .map(|p| p[0].0 * p[1].1 - p[1].0 * p[0].1)
                .sum()
        };
        lines.iter().map(ring).sum::<f64>() / 2.0
    }

    fn length(lines: &[Line]) -> f64 {
        let of = |l: &Line| -> f64 {
            l.windows(2)
                .map(|p| (p[1].0 - p[0].0).hypot(p[1].1 - p[0].1))
                .sum()
        };
        lines.iter().map(of).sum()
    }

    // Radius 1 around the origin: length 2π, area π; linear interpolation errs by O(h²).
    #[test]
    fn a_circle_has_its_length_and_area() {
        let f = Lattice::sample((-1.5, 1.7), (-1.3, 1.4), 120, |x, y| 1.0 - x * x - y * y);
        let lines = contours(&f, 0.0);
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0].first(), lines[0].last());
        assert!((length(&lines) - 2.0 * PI).abs() < 2e-3);
        assert!(
            (area(&lines) - PI).abs() < 2e-3,
            "high values are on the left"
        );
        assert!((area(&superlevel(&f, 0.0)) - PI).abs() < 2e-3);
        // A hole turns the other way: the region outside of the circle is the rectangle less π.
        let outside = Lattice::sample((-1.5, 1.7), (-1.3, 1.4), 120, |x, y| x * x + y * y - 1.0);
        let rings = superlevel(&outside, 0.0);
        assert_eq!(rings.len(), 2);
        assert!((area(&rings) - (3.2 * 2.7 - PI)).abs() < 2e-3);
    }

    #[test]
    fn a_plane_has_one_straight_open_line() {
        let f = Lattice::sample((0.0, 1.0), (0.0, 2.0), 9, |x, y| x + 0.3 * y);
        let lines = contours(&f, 0.77);
        assert_eq!(lines.len(), 1);
        assert!(
            lines[0]
                .iter()
                .all(|p| (p.0 + 0.3 * p.1 - 0.77).abs() < 1e-12)
        );
        let exact = (0.77f64 - 0.17).hypot(2.0);
        assert!((length(&lines) - exact).abs() < 1e-12);
        // ∫ over y of 1 − (0.77 − 0.3 y) = 0.46 + 0.6.
        assert!((area(&superlevel(&f, 0.77)) - 1.06).abs() < 1e-12);
    }

    // On one cell f = xy is bilinear itself: the level ε > 0 is two lines that keep to the quadrants where xy > 0,
    // and −ε is the other two. A wrong join would cross the axes.
    #[test]
    fn a_saddle_is_joined_as_the_bilinear_function_is() {
        for n in [2, 4] {
            let f = Lattice::sample((-1.0, 1.0), (-1.0, 1.0), n, |x, y| x * y);
            for level in [0.01, -0.01] {
                let lines = contours(&f, level);
                assert_eq!(lines.len(), 2, "{level}");
                for line in &lines {
                    let quadrant = |p: &(f64, f64)| (p.0 > 0.0, p.1 > 0.0);
                    assert!(
                        line.iter().all(|p| quadrant(p) == quadrant(&line[0])),
                        "{line:?}"
                    );
                    assert_eq!(line[0].0 * line[0].1 > 0.0, level > 0.0);
                }
            }
        }
        // Corners 1, −0.4, 0.3, 0.2 counter-clockwise: the saddle value is (1·0.3 + 0.4·0.2)/1.5 = 0.2533 and the mean
        // is 0.275. Between them the mean would join what the bilinear function keeps apart.
        let f = Lattice::new((0.0, 1.0), (0.0, 1.0), 2, 2, vec![1.0, -0.4, 0.2, 0.3]).unwrap();
        assert_eq!(superlevel(&f, 0.25).len(), 1);
        assert_eq!(superlevel(&f, 0.26).len(), 2);
        assert_eq!(superlevel(&f, 0.27).len(), 2);
    }

    #[test]
    fn cells_with_holes_are_left_out() {
        let f = Lattice::sample((0.0, 10.0), (0.0, 10.0), 11, |x, y| {
            if (x, y) == (5.0, 5.0) { f64::NAN } else { 1.0 }
        });
        // The four cells around the hole are missing.
        assert!((area(&superlevel(&f, 0.5)) - 96.0).abs() < 1e-9);
        assert!(contours(&f, 0.5).is_empty());
    }

    proptest! {
        #[test]
        fn rings_close_and_areas_fall(
            values in prop::collection::vec(
                prop_oneof![6 => -1.0f64..1.0, 2 => Just(0.0), 1 => Just(f64::NAN), 1 => Just(f64::INFINITY), 1 => Just(1e308), 1 => Just(-1e308)],
                30,
            ),
            level in prop_oneof![4 => -1.0f64..1.0, 1 => Just(0.0), 1 => any::<f64>()],
        ) {
            let f = Lattice::new((0.0, 4.0), (0.0, 5.0), 5, 6, values).unwrap();
            let rings = superlevel(&f, level);
            for ring in &rings {
                prop_assert_eq!(ring.first(), ring.last());
            }
            let a = area(&rings);
            prop_assert!((-1e-9..=20.0 + 1e-9).contains(&a), "{}", a);
            prop_assert!(area(&superlevel(&f, level + 0.1)) <= a + 1e-9);
            for line in contours(&f, level) {
                prop_assert!(line.iter().all(|p| p.0.is_finite() && p.1.is_finite()));
            }
        }
    }
}
