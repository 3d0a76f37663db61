//! The four transforms, on eight channels at a time.

use super::{Cells, IN, LANES, OUT, POINTS};
use crate::raw::exp::mul_add;
use crate::raw::level::multiversion;
use std::mem::MaybeUninit;

/// One value of eight channels.
type V = [f32; LANES];

/// The interpolation points 0, ±P, ±Q, ∞.
const P: f32 = 0.625;
const Q: f32 = 1.5;
const PP: f32 = P * P;
const QQ: f32 = Q * Q;

/// The filters' denominators: Π (xᵢ − xⱼ) over the other finite points, at 0, ±P and ±Q.
const AT_ZERO: f64 = (PP * QQ) as f64;
const AT_P: f64 = 2.0 * PP as f64 * (PP as f64 - QQ as f64);
const AT_Q: f64 = 2.0 * QQ as f64 * (QQ as f64 - PP as f64);

#[inline(always)]
fn add(a: V, b: V) -> V {
    std::array::from_fn(|i| a[i] + b[i])
}

#[inline(always)]
fn sub(a: V, b: V) -> V {
    std::array::from_fn(|i| a[i] - b[i])
}

#[inline(always)]
fn times(a: V, by: f32) -> V {
    std::array::from_fn(|i| a[i] * by)
}

/// a · by + c.
#[inline(always)]
fn fma<const FMA: bool>(a: V, by: f32, c: V) -> V {
    std::array::from_fn(|i| mul_add::<FMA>(a[i], by, c[i]))
}

/// Bᵀ d.
#[inline(always)]
fn data<const FMA: bool>(d: [V; IN]) -> [V; IN] {
    let even = |by: f32| fma::<FMA>(d[2], -by, d[4]);
    let odd = |by: f32| fma::<FMA>(d[1], -by, d[3]);
    let (e, o) = (even(QQ), times(odd(QQ), P));
    let (f, u) = (even(PP), times(odd(PP), Q));
    let end = |a: V, b: V, c: V| fma::<FMA>(a, PP * QQ, fma::<FMA>(b, -(PP + QQ), c));
    [
        end(d[0], d[2], d[4]),
        add(e, o),
        sub(e, o),
        add(f, u),
        sub(f, u),
        end(d[1], d[3], d[5]),
    ]
}

/// Aᵀ m.
#[inline(always)]
fn result<const FMA: bool>(m: [V; IN]) -> [V; OUT] {
    let (s, t) = (add(m[1], m[2]), sub(m[1], m[2]));
    let (u, v) = (add(m[3], m[4]), sub(m[3], m[4]));
    [
        add(m[0], add(s, u)),
        fma::<FMA>(t, P, times(v, Q)),
        fma::<FMA>(s, PP, times(u, QQ)),
        fma::<FMA>(t, PP * P, fma::<FMA>(v, QQ * Q, m[5])),
    ]
}

/// A y.
#[inline(always)]
fn gradient<const FMA: bool>(y: [V; OUT]) -> [V; IN] {
    let even = |square: f32| fma::<FMA>(y[2], square, y[0]);
    let odd = |p: f32| fma::<FMA>(y[3], p * p * p, times(y[1], p));
    let (e, o, f, u) = (even(PP), odd(P), even(QQ), odd(Q));
    [y[0], add(e, o), sub(e, o), add(f, u), sub(f, u), y[3]]
}

#[inline(always)]
fn load(from: &[f32], at: usize) -> V {
    from[at..at + LANES].try_into().expect("eight values")
}

multiversion! {
    /// Bᵀ d B of the tile whose pixels lie at `square` in `pixels`, for all channels.
    pub(super) fn data_tile<const FMA>(pixels: &[f32], square: &[[u32; IN]; IN], channels: usize, out: Cells<'_>) {
        for (c, place) in out.places(channels) {
            let mut half = [MaybeUninit::<[V; IN]>::uninit(); IN];
            for (j, column) in half.iter_mut().enumerate() {
                column.write(data::<FMA>(std::array::from_fn(|i| load(pixels, square[i][j] as usize + c))));
            }
            for i in 0..IN {
                // SAFETY: every column was written.
                let row = std::array::from_fn(|j| unsafe { half[j].assume_init_ref()[i] });
                for (j, v) in data::<FMA>(row).into_iter().enumerate() {
                    out.put(place, i * IN + j, v);
                }
            }
        }
    }
}
multiversion! {
    /// Aᵀ M A of one tile: value k of channel c is `m[k · apart + c]`; pixel (i, j) goes to `out[square[i][j] + c]`.
    pub(super) fn result_tile<const FMA>(m: &[f32], apart: usize, channels: usize, square: &[[u32; OUT]; OUT], out: &mut [f32]) {
        for c in (0..channels).step_by(LANES) {
            let mut half = [MaybeUninit::<[V; OUT]>::uninit(); IN];
            for (j, column) in half.iter_mut().enumerate() {
                column.write(result::<FMA>(std::array::from_fn(|i| load(m, (i * IN + j) * apart + c))));
            }
            for i in 0..OUT {
                // SAFETY: every column was written.
                let row = std::array::from_fn(|j| unsafe { half[j].assume_init_ref()[i] });
                for (j, v) in result::<FMA>(row).into_iter().enumerate() {
                    out[square[i][j] as usize + c..][..LANES].copy_from_slice(&v);
                }
            }
        }
    }
}
multiversion! {
    /// A dY Aᵀ of one tile, as [`data_tile`].
    pub(super) fn gradient_tile<const FMA>(pixels: &[f32], square: &[[u32; OUT]; OUT], channels: usize, out: Cells<'_>) {
        for (c, place) in out.places(channels) {
            let mut half = [MaybeUninit::<[V; IN]>::uninit(); OUT];
            for (j, column) in half.iter_mut().enumerate() {
                column.write(gradient::<FMA>(std::array::from_fn(|i| load(pixels, square[i][j] as usize + c))));
            }
            for i in 0..IN {
                // SAFETY: every column was written.
                let row = std::array::from_fn(|j| unsafe { half[j].assume_init_ref()[i] });
                for (j, v) in gradient::<FMA>(row).into_iter().enumerate() {
                    out.put(place, i * IN + j, v);
                }
            }
        }
    }
}

/// G, with which a filter is multiplied from both sides.
fn filters() -> [[f32; 3]; IN] {
    let row = |x: f32, d: f64| {
        let x = f64::from(x);
        [1.0, x, x * x].map(|v| (v / d) as f32)
    };
    [
        row(0.0, AT_ZERO),
        row(P, AT_P),
        row(-P, AT_P),
        row(Q, AT_Q),
        row(-Q, AT_Q),
        [0.0, 0.0, 1.0],
    ]
}

#[inline(always)]
fn dot<const FMA: bool>(g: &[f32; 3], v: [V; 3]) -> V {
    fma::<FMA>(v[0], g[0], fma::<FMA>(v[1], g[1], times(v[2], g[2])))
}

multiversion! {
    fn filter<const FMA>(g: &[[f32; 3]; IN], taps: &[V; 9], out: &mut [V; POINTS]) {
        for i in 0..IN {
            let row = [
                dot::<FMA>(&g[i], [taps[0], taps[3], taps[6]]),
                dot::<FMA>(&g[i], [taps[1], taps[4], taps[7]]),
                dot::<FMA>(&g[i], [taps[2], taps[5], taps[8]]),
            ];
            for j in 0..IN {
                out[i * IN + j] = dot::<FMA>(&g[j], row);
            }
        }
    }
}
multiversion! {
    fn filter_back<const FMA>(g: &[[f32; 3]; IN], m: &[V; POINTS], out: &mut [V; 9]) {
        for u in 0..3 {
            let mut row = [[0.0; LANES]; IN];
            for (j, row) in row.iter_mut().enumerate() {
                for i in 0..IN {
                    *row = fma::<FMA>(m[i * IN + j], g[i][u], *row);
                }
            }
            for v in 0..3 {
                let mut sum = [0.0; LANES];
                for j in 0..IN {
                    sum = fma::<FMA>(row[j], g[j][v], sum);
                }
                out[u * 3 + v] = sum;
            }
        }
    }
}

/// G g Gᵀ and Gᵀ m G of eight filters at once.
pub(super) struct Filters {
    level: crate::raw::Level,
    g: [[f32; 3]; IN],
}

impl Filters {
    pub(super) fn new(level: crate::raw::Level) -> Self {
        Self {
            level,
            g: filters(),
        }
    }

    /// The 36 values of each of eight filters from their nine taps.
    pub(super) fn transform(&self, taps: &[V; 9], out: &mut [V; POINTS]) {
        filter(self.level, &self.g, taps, out);
    }

    /// The gradients of nine taps from those of the 36 values.
    pub(super) fn pull_back(&self, m: &[V; POINTS], out: &mut [V; 9]) {
        filter_back(self.level, &self.g, m, out);
    }
}
