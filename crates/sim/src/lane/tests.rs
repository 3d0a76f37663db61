use proptest::prelude::*;

use super::*;
use crate::rng::{Purpose, Stream};

/// The values of every function at every number of `x`, lane type by lane type.
struct Everything<'a, R>(&'a [R]);

impl<R: Real> Job<R> for Everything<'_, R> {
    type Out = Vec<R>;
    #[inline(always)]
    fn run<S: Simd<Real = R>>(self) -> Vec<R> {
        let mut all = Vec::new();
        for x in self.0.chunks_exact(S::LANES) {
            let x = S::load(x);
            let y = x * 0.75 + 0.3;
            let (m, e) = x.abs().max(S::splat(0.01)).split_exponent();
            for value in [
                x + y,
                x - y,
                x * y,
                x / y,
                -x,
                x.mul_add(y, x),
                x.abs().sqrt(),
                x.min(y),
                x.max(y),
                x.floor(),
                x.round(),
                x.exp(),
                x.abs().ln(),
                x.sin(),
                x.cos(),
                x.tanh(),
                x.atan(),
                x.powi(-3),
                x.abs().powf(y),
                m,
                e,
                x.abs().max(S::splat(0.01)).pseudo_log(),
                (x.abs().max(S::splat(0.01)).pseudo_log() * 0.93).pseudo_exp(),
                S::exp2_whole(x.max(S::splat(-50.0)).min(S::splat(50.0)).round()),
                S::select(x.lt(y) & !x.le(S::splat(0.0)), x, y),
            ] {
                let mut out = [R::default(); 64];
                value.store(&mut out);
                all.extend_from_slice(&out[..S::LANES]);
            }
        }
        all
    }
}

/// Regroups what `Everything` made with `lanes` lanes to one row per input number.
fn rows<R: Real>(all: &[R], lanes: usize, functions: usize) -> Vec<Vec<R>> {
    all.chunks_exact(lanes * functions)
        .flat_map(|chunk| {
            (0..lanes).map(move |i| (0..functions).map(|f| chunk[f * lanes + i]).collect())
        })
        .collect()
}

struct Lanes;
impl<R: Real> Job<R> for Lanes {
    type Out = usize;
    #[inline(always)]
    fn run<S: Simd<Real = R>>(self) -> usize {
        S::LANES
    }
}

fn numbers() -> Vec<f64> {
    let mut normals = vec![0.0; 4096];
    Stream::new(3, Purpose::Test, 0, 0).normals_f64(&mut normals);
    let special = [
        0.0, -0.0, 1.0, -1.0, 0.5, 2.0, 1e-30, 1e30, 88.0, -87.0, 1e-3, 700.0,
    ];
    let mut all: Vec<f64> = special.into_iter().cycle().take(64).collect();
    all.extend(
        normals
            .iter()
            .enumerate()
            .map(|(i, z)| z * 10f64.powi(i as i32 % 5 - 2)),
    );
    all
}

fn same_bits<R: Real>(bits: fn(R) -> u64) {
    const FUNCTIONS: usize = 25;
    let x: Vec<R> = numbers().into_iter().map(R::from_f64).collect();
    let reference = rows(&Everything(&x).run::<R::Portable>(), 1, FUNCTIONS);
    let pairs = rows(&Everything(&x).run::<Pair<R::Portable>>(), 2, FUNCTIONS);
    let widest = rows(&R::dispatch(Everything(&x)), R::dispatch(Lanes), FUNCTIONS);
    for (name, found) in [("pairs", pairs), ("widest", widest)] {
        assert_eq!(found.len(), reference.len());
        for ((x, found), expected) in x.iter().zip(&found).zip(&reference) {
            for (f, (found, expected)) in found.iter().zip(expected).enumerate() {
                let nan = found.to_f64().is_nan() && expected.to_f64().is_nan();
                assert!(
                    nan || bits(*found) == bits(*expected),
                    "{name}, function {f} of {x:?}: {found:?} instead of {expected:?}"
                );
            }
        }
    }
}

#[test]
fn every_lane_type_gives_the_same_bits() {
    same_bits::<f32>(|x| u64::from(x.to_bits()));
    same_bits::<f64>(f64::to_bits);
}

/// The distance in units in the last place of the exact value.
fn ulps<R: Real>(found: R, exact: f64) -> f64 {
    let found = found.to_f64();
    if found == exact || R::from_f64(exact).to_f64() == found {
        return 0.0;
    }
    let unit =
        R::EPSILON * 2f64.powi(exact.abs().max(R::MIN_POSITIVE.to_f64()).log2().floor() as i32);
    (found - exact).abs() / unit
}

type Case = (
    &'static str,
    fn(One<f32>) -> One<f32>,
    fn(One<f64>) -> One<f64>,
    fn(f64) -> f64,
    f64,
);

#[test]
fn elementary_functions_are_within_their_bounds() {
    let cases: [Case; 4] = [
        ("exp", Lane::exp, Lane::exp, f64::exp, 2.0),
        (
            "ln",
            |x| x.abs().ln(),
            |x| x.abs().ln(),
            |x| x.abs().ln(),
            2.0,
        ),
        ("tanh", Lane::tanh, Lane::tanh, f64::tanh, 4.0),
        ("atan", Lane::atan, Lane::atan, f64::atan, 4.0),
    ];
    for (name, single, double, exact, bound) in cases {
        let (mut worst32, mut worst64) = (0.0_f64, 0.0_f64);
        for x in numbers() {
            let x32 = x as f32;
            worst32 = worst32.max(ulps(single(One(x32)).0, exact(f64::from(x32))));
            worst64 = worst64.max(ulps(double(One(x)).0, exact(x)));
        }
        assert!(
            worst32 <= bound,
            "{name} in single precision: {worst32} ulp"
        );
        assert!(
            worst64 <= bound,
            "{name} in double precision: {worst64} ulp"
        );
    }
}

#[test]
fn sine_and_cosine_are_within_their_bounds() {
    for x in numbers()
        .into_iter()
        .map(|x| 100.0 * x)
        .filter(|x| x.abs() < 1e5)
    {
        let single = x as f32;
        for (found, exact) in [
            (One(single).sin().0, f64::from(single).sin()),
            (One(single).cos().0, f64::from(single).cos()),
        ] {
            let error = (f64::from(found) - exact).abs();
            assert!(error <= 2.0 * f64::from(f32::EPSILON), "{x}: {error}");
        }
        for (found, exact) in [(One(x).sin().0, x.sin()), (One(x).cos().0, x.cos())] {
            assert!((found - exact).abs() <= 2.0 * f64::EPSILON, "{x}");
        }
    }
}

#[test]
fn limits_of_the_elementary_functions() {
    let f = |x: f64| One(x);
    let inf = f64::INFINITY;
    assert_eq!(f(inf).exp().0, inf);
    assert_eq!(f(-inf).exp().0, 0.0);
    assert_eq!(f(710.0).exp().0, inf);
    assert_eq!(f(-745.0).exp().0, (-745.0_f64).exp());
    assert_eq!(One(89.0_f32).exp().0, f32::INFINITY);
    assert_eq!(f(0.0).ln().0, -inf);
    assert_eq!(f(inf).ln().0, inf);
    assert!(f(-1.0).ln().0.is_nan());
    assert!((f(5e-324).ln().0 / 5e-324_f64.ln() - 1.0).abs() < 1e-15);
    assert_eq!(f(inf).tanh().0, 1.0);
    assert_eq!(f(-inf).tanh().0, -1.0);
    assert_eq!(f(-0.0).tanh().0.to_bits(), (-0.0_f64).to_bits());
    assert!((f(1e-9).tanh().0 / 1e-9 - 1.0).abs() < 1e-15);
    assert_eq!(f(inf).atan().0, std::f64::consts::FRAC_PI_2);
    for g in [
        Lane::exp,
        Lane::ln,
        Lane::sin,
        Lane::cos,
        Lane::tanh,
        Lane::atan,
    ] {
        let g: fn(One<f64>) -> One<f64> = g;
        assert!(g(One(f64::NAN)).0.is_nan());
    }
    for x in [1e4_f64, 1e6, 1e9] {
        assert!((f(x).sin().0 - x.sin()).abs() < 5e-16, "{x}");
        assert!((f(x).cos().0 - x.cos()).abs() < 5e-16, "{x}");
    }
    assert!((f64::from(One(1e5_f32).sin().0) - 1e5_f64.sin()).abs() < 2.5e-7);
    // Powers.
    assert_eq!((f(-2.0).powf(f(3.0)).0 * 1e12).round(), -8e12);
    assert_eq!((f(-2.0).powf(f(-2.0)).0 * 1e12).round(), 0.25e12);
    assert!(f(-2.0).powf(f(0.5)).0.is_nan());
    assert_eq!(f(0.0).powf(f(0.0)).0, 1.0);
    assert_eq!(f(0.0).powf(f(2.0)).0, 0.0);
    assert_eq!(f(3.0).powi(4).0, 81.0);
    assert_eq!(f(3.0).powi(0).0, 1.0);
    assert_eq!(f(2.0).powi(-2).0, 0.25);
}

proptest! {
    /// The derivative that duals carry is the limit of difference quotients.
    #[test]
    fn duals_differentiate(x in 0.1..2.0_f64, y in 0.1..2.0_f64) {
        fn f<L: Lane>(x: L, y: L) -> L {
            let a = (x * y).sin() + x.exp() / (y + 1.0) - (x / y).ln().tanh();
            let b = x.powf(y) + x.powi(3) * y.sqrt() + (x - y).abs() + x.cos().atan();
            a * b + x.mul_add(y, a).max(b * 0.5) - x.min(y) / x
        }
        let g = |x: f64, y: f64| f(One(x), One(y)).0;
        let h = 1e-6;
        prop_assume!((x - y).abs() > 1e-3);
        let dual = |dx: f64, dy: f64| {
            f(Dual::new(One(x), One(dx)), Dual::new(One(y), One(dy))).d.0
        };
        let dx = (g(x + h, y) - g(x - h, y)) / (2.0 * h);
        let dy = (g(x, y + h) - g(x, y - h)) / (2.0 * h);
        prop_assert!((dual(1.0, 0.0) - dx).abs() < 1e-6 * (1.0 + dx.abs()), "{} {dx}", dual(1.0, 0.0));
        prop_assert!((dual(0.0, 1.0) - dy).abs() < 1e-6 * (1.0 + dy.abs()), "{} {dy}", dual(0.0, 1.0));
    }
}
