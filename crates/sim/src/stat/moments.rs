//! Count, mean and covariance.

/// Trajectories that are reduced together before they join the running sums.
const GROUP: usize = 256;
/// Independent partial sums: enough to fill the widest registers, and fixed so that the bits do not depend on them.
const LANES: usize = 8;

/// Count, mean vector, covariance matrix and extremes of a stream of vectors.
///
/// Kept are n, the mean m = Σx/n and the scatter S = Σ(x − m)(x − m)ᵀ, never Σx², so nothing cancels when the mean is
/// far from zero. Two sets merge by Chan, Golub and LeVeque's rule (*Algorithms for computing the sample variance*, The
/// American Statistician 37, 1983; Welford's rule is its case of one new vector): with δ = m_B − m_A,
///
/// m = m_A + δ·n_B/n, S = S_A + S_B + δδᵀ·n_A n_B/n.
///
/// A vector of which any component is not finite is left out as a whole and counted in [`Moments::non_finite`], so that
/// all entries of the covariance speak of the same vectors.
#[derive(Clone, Debug)]
pub struct Moments {
    dim: usize,
    count: u64,
    non_finite: u64,
    mean: Vec<f64>,
    /// The lower triangle of S, row by row.
    scatter: Vec<f64>,
    min: Vec<f64>,
    max: Vec<f64>,
    /// `[dim][GROUP]`, meaningless between calls.
    scratch: Vec<f64>,
}

impl PartialEq for Moments {
    fn eq(&self, other: &Self) -> bool {
        self.dim == other.dim
            && self.count == other.count
            && self.non_finite == other.non_finite
            && self.mean == other.mean
            && self.scatter == other.scatter
            && self.min == other.min
            && self.max == other.max
    }
}

impl Moments {
    /// Nothing yet, of vectors of `dim` components.
    pub fn new(dim: usize) -> Self {
        Self {
            dim,
            count: 0,
            non_finite: 0,
            mean: vec![0.0; dim],
            scatter: vec![0.0; dim * (dim + 1) / 2],
            min: vec![f64::INFINITY; dim],
            max: vec![f64::NEG_INFINITY; dim],
            scratch: Vec::new(),
        }
    }

    /// The number of components.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// The number of vectors that the statistics speak of.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The number of vectors left out because a component was NaN or infinite.
    pub fn non_finite(&self) -> u64 {
        self.non_finite
    }

    /// The mean vector, `[dim]`; NaN when there is no vector.
    pub fn mean(&self) -> Vec<f64> {
        match self.count {
            0 => vec![f64::NAN; self.dim],
            _ => self.mean.clone(),
        }
    }

    /// The unbiased covariance S/(n − 1), row-major `[dim, dim]`; NaN with fewer than two vectors.
    pub fn covariance(&self) -> Vec<f64> {
        self.matrix(self.unbiased())
    }

    /// The covariance of the ensemble itself, S/n, row-major `[dim, dim]`; NaN when there is no vector.
    pub fn population_covariance(&self) -> Vec<f64> {
        self.matrix(self.population())
    }

    /// The diagonal of [`Moments::covariance`], `[dim]`.
    pub fn variance(&self) -> Vec<f64> {
        self.diagonal(self.unbiased())
    }

    /// The diagonal of [`Moments::population_covariance`], `[dim]`.
    pub fn population_variance(&self) -> Vec<f64> {
        self.diagonal(self.population())
    }

    /// The least value of each component, `[dim]`; +∞ when there is no vector.
    pub fn min(&self) -> &[f64] {
        &self.min
    }

    /// The greatest value of each component, `[dim]`; −∞ when there is no vector.
    pub fn max(&self) -> &[f64] {
        &self.max
    }

    /// Adds one vector, `[dim]`.
    ///
    /// # Panics
    /// When `x` has another length.
    pub fn push(&mut self, x: &[f64]) {
        assert_eq!(x.len(), self.dim, "moments: length of a vector");
        self.push_lanes(x, 1);
    }

    /// Adds `n` vectors that lie column-major, `values: [dim, stride]` with component j of vector i at
    /// `j * stride + i`, where `stride = values.len() / dim ≥ n`; what lies beyond the first n of each column is ignored.
    ///
    /// The result equals that of n calls of [`Moments::push`] up to rounding, at a fraction of the cost.
    ///
    /// # Panics
    /// When `values` is not `dim` columns of at least `n`.
    pub fn push_lanes<T: Copy + Into<f64>>(&mut self, values: &[T], n: usize) {
        let stride = stride(values.len(), self.dim, n);
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.resize(self.dim * GROUP, 0.0);
        for start in (0..n).step_by(GROUP) {
            let size = GROUP.min(n - start);
            for j in 0..self.dim {
                let column = &values[j * stride + start..][..size];
                for (to, &from) in scratch[j * GROUP..].iter_mut().zip(column) {
                    *to = from.into();
                }
            }
            let kept = drop_non_finite(&mut scratch, self.dim, size);
            self.non_finite += (size - kept) as u64;
            self.push_group(&mut scratch, kept);
        }
        self.scratch = scratch;
    }

    /// Adds the vectors of `other`.
    ///
    /// # Panics
    /// When the dimensions differ.
    pub fn merge(&mut self, other: &Self) {
        assert_eq!(self.dim, other.dim, "moments: dimension merged");
        self.non_finite += other.non_finite;
        if other.count == 0 {
            return;
        }
        for j in 0..self.dim {
            self.min[j] = self.min[j].min(other.min[j]);
            self.max[j] = self.max[j].max(other.max[j]);
        }
        if self.count == 0 {
            self.mean.copy_from_slice(&other.mean);
        } else {
            let mut delta = other.mean.clone();
            self.shift_mean(&mut delta, other.count);
        }
        for (s, &more) in self.scatter.iter_mut().zip(&other.scatter) {
            *s += more;
        }
        self.count += other.count;
    }

    /// Adds the first `n ≤ GROUP` vectors of `group: [dim][GROUP]`, all finite, and overwrites them.
    fn push_group(&mut self, group: &mut [f64], n: usize) {
        if n == 0 {
            return;
        }
        let mut mean = [0.0; 4];
        let mut heap = Vec::new();
        let mean: &mut [f64] = if self.dim <= mean.len() {
            &mut mean[..self.dim]
        } else {
            heap.resize(self.dim, 0.0);
            &mut heap
        };
        for (j, mean) in mean.iter_mut().enumerate() {
            let x = &mut group[j * GROUP..][..n];
            let (min, max) = extremes(x);
            self.min[j] = self.min[j].min(min);
            self.max[j] = self.max[j].max(max);
            // The second pass takes away what rounding left in the first.
            let first = sum(x) / n as f64;
            x.iter_mut().for_each(|x| *x -= first);
            let rest = sum(x) / n as f64;
            x.iter_mut().for_each(|x| *x -= rest);
            *mean = first + rest;
        }
        if self.count == 0 {
            self.mean.copy_from_slice(mean);
        } else {
            self.shift_mean(mean, n as u64);
        }
        let mut s = self.scatter.iter_mut();
        for j in 0..self.dim {
            for k in 0..=j {
                let (x, y) = (&group[j * GROUP..][..n], &group[k * GROUP..][..n]);
                *s.next().expect("a triangle has dim(dim + 1)/2 entries") += dot(x, y);
            }
        }
        self.count += n as u64;
    }

    /// Moves the mean towards `delta`, the mean of `n` more vectors, and adds δδᵀ·n_A n_B/n to the scatter.
    fn shift_mean(&mut self, delta: &mut [f64], n: u64) {
        let (a, b) = (self.count as f64, n as f64);
        let share = b / (a + b);
        for (delta, mean) in delta.iter_mut().zip(&mut self.mean) {
            *delta -= *mean;
            *mean += *delta * share;
        }
        let weight = a * share;
        let mut s = self.scatter.iter_mut();
        for (j, &x) in delta.iter().enumerate() {
            for (&y, s) in delta[..=j].iter().zip(&mut s) {
                *s += x * y * weight;
            }
        }
    }

    fn population(&self) -> f64 {
        self.count as f64
    }

    fn unbiased(&self) -> f64 {
        // 0/0: one vector says nothing about a spread.
        self.count.saturating_sub(1) as f64
    }

    fn matrix(&self, divisor: f64) -> Vec<f64> {
        let entry = |j: usize, k: usize| self.scatter[j * (j + 1) / 2 + k] / divisor;
        (0..self.dim * self.dim)
            .map(|place| (place / self.dim, place % self.dim))
            .map(|(j, k)| entry(j.max(k), j.min(k)))
            .collect()
    }

    fn diagonal(&self, divisor: f64) -> Vec<f64> {
        (0..self.dim)
            .map(|j| self.scatter[j * (j + 3) / 2] / divisor)
            .collect()
    }
}

/// The distance between columns of `[dim, stride]`, of which the first `n` rows count.
pub(super) fn stride(len: usize, dim: usize, n: usize) -> usize {
    let stride = len.checked_div(dim).unwrap_or(n);
    assert!(
        stride * dim == len && n <= stride,
        "lanes: {len} values are not {dim} columns of at least {n}"
    );
    stride
}

/// Moves the vectors whose components are all finite to the front of `[dim][GROUP]`; how many they are.
fn drop_non_finite(group: &mut [f64], dim: usize, n: usize) -> usize {
    let all = (0..dim).all(|j| {
        let column = &group[j * GROUP..][..n];
        column.iter().fold(true, |all, x| all & x.is_finite())
    });
    if all {
        return n;
    }
    let mut kept = 0;
    for i in 0..n {
        if (0..dim).all(|j| group[j * GROUP + i].is_finite()) {
            for j in 0..dim {
                group[j * GROUP + kept] = group[j * GROUP + i];
            }
            kept += 1;
        }
    }
    kept
}

fn extremes(x: &[f64]) -> (f64, f64) {
    let (chunks, rest) = x.as_chunks::<LANES>();
    let (mut min, mut max) = ([f64::INFINITY; LANES], [f64::NEG_INFINITY; LANES]);
    for chunk in chunks {
        for (i, &x) in chunk.iter().enumerate() {
            min[i] = if x < min[i] { x } else { min[i] };
            max[i] = if x > max[i] { x } else { max[i] };
        }
    }
    let least = min.iter().chain(rest).copied();
    let greatest = max.iter().chain(rest).copied();
    (
        least.fold(f64::INFINITY, f64::min),
        greatest.fold(f64::NEG_INFINITY, f64::max),
    )
}

fn sum(x: &[f64]) -> f64 {
    let (chunks, rest) = x.as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    for chunk in chunks {
        for (sum, x) in sums.iter_mut().zip(chunk) {
            *sum += x;
        }
    }
    total(sums) + rest.iter().sum::<f64>()
}

fn dot(x: &[f64], y: &[f64]) -> f64 {
    let ((xs, x), (ys, y)) = (x.as_chunks::<LANES>(), y.as_chunks::<LANES>());
    let mut sums = [0.0; LANES];
    for (x, y) in xs.iter().zip(ys) {
        for ((sum, x), y) in sums.iter_mut().zip(x).zip(y) {
            *sum += x * y;
        }
    }
    total(sums) + x.iter().zip(y).map(|(x, y)| x * y).sum::<f64>()
}

fn total([a, b, c, d, e, f, g, h]: [f64; LANES]) -> f64 {
    ((a + e) + (c + g)) + ((b + f) + (d + h))
}
