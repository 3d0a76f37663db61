//! Gaussian kernel density in the plane, fast for many points.

use super::{Lattice, lattice::MAX_SIDE, sound};

/// How wide the kernel is along each axis.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Bandwidth {
    /// h = s n^(−1/6) with s the standard deviation along the axis (Scott 1992); in the plane Silverman's rule is the
    /// same. Right for one bump; several bumps want less.
    Scott,
    /// A multiple of [`Scott`](Self::Scott), for example 0.5 for a distribution of several bumps.
    ScottTimes(f64),
    /// h along x and along y, in the units of the data.
    Fixed(f64, f64),
}

/// Kernel reach in bandwidths; what lies beyond is below 4·10⁻⁶ of the peak.
const REACH: f64 = 5.0;
/// The inner mesh is at most this part of a bandwidth, which keeps the error below a few thousandths of the peak.
const MESH: f64 = 0.125;

impl Bandwidth {
    /// (hx, hy) for these points; None if it is not a positive finite number.
    pub fn of(self, points: &[(f64, f64)]) -> Option<(f64, f64)> {
        let h = match self {
            Self::Fixed(x, y) => (x, y),
            Self::Scott => Self::ScottTimes(1.0).of(points)?,
            Self::ScottTimes(times) => {
                let good: Vec<_> = points.iter().filter(|p| finite(p)).collect();
                let n = good.len() as f64;
                let std = |of: &dyn Fn(&(f64, f64)) -> f64| {
                    let mean = good.iter().map(|p| of(p)).sum::<f64>() / n;
                    let sum: f64 = good.iter().map(|p| (of(p) - mean).powi(2)).sum();
                    (sum / (n - 1.0)).sqrt()
                };
                let factor = times * n.powf(-1.0 / 6.0);
                (std(&|p| p.0) * factor, std(&|p| p.1) * factor)
            }
        };
        let good = |h: f64| h.is_finite() && h > 0.0;
        (good(h.0) && good(h.1)).then_some(h)
    }
}

fn finite(p: &(f64, f64)) -> bool {
    p.0.is_finite() && p.1.is_finite() && p.0.abs() < 1e150 && p.1.abs() < 1e150
}

/// p̂(x, y) = (1/n) Σ N(x; xᵢ, hx²) N(y; yᵢ, hy²) at `n` × `n` nodes of the rectangle.
///
/// Points outside of the rectangle count in n and reach in with their kernels; points that are not finite are left out.
/// The points are shared out linearly over a fine mesh, which is then smoothed along x and along y; the work grows with
/// the points and the mesh separately (Wand, "Fast computation of multivariate kernel estimators", 1994). Without
/// points, or with a bandwidth that is not positive, the density is 0 everywhere.
pub fn kde(
    points: &[(f64, f64)],
    x: (f64, f64),
    y: (f64, f64),
    n: usize,
    bandwidth: Bandwidth,
) -> Lattice {
    let (x, y, n) = (sound(x), sound(y), n.clamp(2, MAX_SIDE));
    let mut out = Lattice::sample(x, y, n, |_, _| 0.0);
    let count = points.iter().filter(|p| finite(p)).count();
    let Some((hx, hy)) = bandwidth.of(points).filter(|_| count > 0) else {
        return out;
    };
    let (ax, ay) = (Mesh::new(x, n, hx), Mesh::new(y, n, hy));
    let mut bins = vec![0.0; ax.len * ay.len];
    for p in points.iter().filter(|p| finite(p)) {
        let (Some((i, u)), Some((j, v))) = (ax.share(p.0), ay.share(p.1)) else {
            continue;
        };
        let k = j * ax.len + i;
        bins[k] += (1.0 - u) * (1.0 - v);
        bins[k + 1] += u * (1.0 - v);
        bins[k + ax.len] += (1.0 - u) * v;
        bins[k + ax.len + 1] += u * v;
    }
    // Along x, only where a node of the result is; then along y the same.
    let (kx, ky) = (ax.kernel(hx), ay.kernel(hy));
    let mut rows = vec![0.0; ay.len * n];
    for j in 0..ay.len {
        let row = &bins[j * ax.len..(j + 1) * ax.len];
        if row.iter().all(|v| *v == 0.0) {
            continue;
        }
        for i in 0..n {
            let middle = ax.pad + i * ax.fine;
            let near = &row[middle - ax.pad..=middle + ax.pad];
            rows[j * n + i] = near.iter().zip(&kx).map(|(a, b)| a * b).sum();
        }
    }
    for j in 0..n {
        let middle = ay.pad + j * ay.fine;
        for (row, weight) in (middle - ay.pad..=middle + ay.pad).zip(&ky) {
            for i in 0..n {
                out.values[j * n + i] += weight * rows[row * n + i];
            }
        }
    }
    for v in &mut out.values {
        *v /= count as f64;
    }
    out
}

/// A fine mesh over one axis, with room for a kernel at both ends; every `fine`-th node is one of the result.
struct Mesh {
    start: f64,
    step: f64,
    fine: usize,
    pad: usize,
    len: usize,
}

impl Mesh {
    fn new((lo, hi): (f64, f64), n: usize, h: f64) -> Self {
        let cell = (hi - lo) / (n - 1) as f64;
        // Bounds keep a very narrow or very wide kernel from asking for all memory.
        let fine = (cell / (h * MESH))
            .ceil()
            .clamp(1.0, (4096 / n).max(1) as f64) as usize;
        let step = cell / fine as f64;
        let pad = (REACH * h / step).ceil().clamp(1.0, 4096.0) as usize;
        Self {
            start: lo - pad as f64 * step,
            step,
            fine,
            pad,
            len: (n - 1) * fine + 2 * pad + 1,
        }
    }

    /// The node below `v` and the part of the way to the next.
    fn share(&self, v: f64) -> Option<(usize, f64)> {
        let at = (v - self.start) / self.step;
        let i = at.floor();
        (i >= 0.0 && i < (self.len - 1) as f64).then_some((i as usize, at - i))
    }

    /// The kernel's values around its middle. Sharing a point out over two nodes widens it by step²/6 on average, so
    /// the kernel is as much narrower.
    fn kernel(&self, h: f64) -> Vec<f64> {
        // A kernel narrower than the mesh is as wide as the mesh lets it be.
        let variance = (h * h - self.step * self.step / 6.0).max(self.step * self.step / 8.0);
        let norm = (std::f64::consts::TAU * variance).sqrt();
        (0..=2 * self.pad)
            .map(|k| {
                let d = (k as f64 - self.pad as f64) * self.step;
                (-d * d / (2.0 * variance)).exp() / norm
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use std::f64::consts::TAU;

    use proptest::prelude::*;

    use super::*;

    fn cloud(n: usize) -> Vec<(f64, f64)> {
        // The golden ratio's multiples are evenly spread; two bumps of different width.
        (0..n)
            .map(|i| {
                let u = (i as f64 + 0.5) / n as f64;
                let v = (i as f64 * 0.618_033_988_749_895).fract();
                let (r, a) = ((-2.0 * u.ln()).sqrt(), TAU * v);
                if i % 3 == 0 {
                    (2.0 + 0.3 * r * a.cos(), 1.0 + 0.5 * r * a.sin())
                } else {
                    (-1.0 + r * a.cos(), r * a.sin())
                }
            })
            .collect()
    }

    fn direct(points: &[(f64, f64)], at: (f64, f64), (hx, hy): (f64, f64)) -> f64 {
        let one = |d: f64, h: f64| (-d * d / (2.0 * h * h)).exp() / (TAU.sqrt() * h);
        let sum: f64 = points
            .iter()
            .map(|p| one(at.0 - p.0, hx) * one(at.1 - p.1, hy))
            .sum();
        sum / points.len() as f64
    }

    #[test]
    fn it_integrates_to_one() {
        let f = kde(
            &cloud(20_000),
            (-8.0, 8.0),
            (-8.0, 8.0),
            129,
            Bandwidth::Scott,
        );
        assert!((f.integral() - 1.0).abs() < 1e-4, "{}", f.integral());
    }

    #[test]
    fn it_equals_the_direct_sum() {
        let points = cloud(700);
        for bandwidth in [
            Bandwidth::Scott,
            Bandwidth::ScottTimes(0.4),
            Bandwidth::Fixed(0.11, 0.6),
        ] {
            let h = bandwidth.of(&points).unwrap();
            let f = kde(&points, (-2.0, 2.5), (-1.0, 2.0), 40, bandwidth);
            let peak = f.max().unwrap();
            for (i, j) in [
                (0, 0),
                (3, 20),
                (11, 13),
                (20, 20),
                (35, 26),
                (39, 39),
                (17, 8),
            ] {
                let exact = direct(&points, f.node(i, j), h);
                let error = (f.at(i, j) - exact).abs();
                assert!(
                    error < 3e-3 * peak,
                    "{bandwidth:?} ({i}, {j}): {} {exact}",
                    f.at(i, j)
                );
            }
        }
    }

    // Scott's factor in two dimensions is n^(−1/6): for 64 points ½.
    #[test]
    fn scotts_rule() {
        let points: Vec<(f64, f64)> = (0..64)
            .map(|i| if i % 2 == 0 { (-1.0, 3.0) } else { (1.0, 9.0) })
            .collect();
        let s = (64.0f64 / 63.0).sqrt();
        let (hx, hy) = Bandwidth::Scott.of(&points).unwrap();
        assert!((hx - 0.5 * s).abs() < 1e-12 && (hy - 1.5 * s).abs() < 1e-12);
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
        #[test]
        fn odd_input_gives_a_density(
            points in prop::collection::vec((prop_oneof![3 => -1.0f64..1.0, 1 => any::<f64>()], -1.0f64..1.0), 0..6),
            h in prop_oneof![Just(0.0), Just(f64::NAN), Just(1e-300), Just(1e300), 0.0f64..3.0],
            lo in prop_oneof![Just(-1.0), any::<f64>()],
        ) {
            for bandwidth in [Bandwidth::Scott, Bandwidth::Fixed(h, 0.3), Bandwidth::ScottTimes(h)] {
                let f = kde(&points, (lo, 1.0), (-1.0, 1.0), 17, bandwidth);
                prop_assert!(f.values().iter().all(|v| *v >= 0.0), "{:?}", f.values());
            }
        }
    }
}
