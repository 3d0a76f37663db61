//! The change of schedulers against the exact oracle.

use crate::mixture::{GaussianMixture, Marginal};
use crate::prediction::{PREDICTIONS, Prediction};
use crate::scheduler::{SCHEDULERS, Scheduler, Start, change};

const TIMES: [f64; 8] = [1e-3, 0.05, 0.2, 0.41, 0.5, 0.77, 0.96, 0.999];

/// The relative error of A's β that the rounding of its time t explains: 1 − t has lost digits.
fn rounding(t: f64) -> f64 {
    1e-12 + 4.0 * f64::EPSILON / (1.0 - t)
}

fn pairs(check: impl Fn(&dyn Scheduler, &dyn Scheduler)) {
    for a in SCHEDULERS {
        for b in SCHEDULERS {
            check(&*(a.make)(), &*(b.make)());
        }
    }
}

#[test]
fn alpha_and_beta_scale_alike() {
    pairs(|a, b| {
        for r in TIMES {
            let change = change(a, b, r);
            let (from, to) = (change.from, change.to);
            let noise = (change.scale * from.beta - to.beta).abs();
            let data = (change.scale * from.alpha - to.alpha).abs();
            if change.clamped {
                assert_eq!(change.t, 0.0);
                assert!(noise < 1e-14 * to.beta, "{a:?} on {b:?} at {r}");
            } else {
                assert!(
                    noise < rounding(change.t) * to.beta,
                    "{a:?} on {b:?} at {r}: {noise:e}"
                );
                assert!(
                    data < rounding(change.t) * to.alpha,
                    "{a:?} on {b:?} at {r}: {data:e}"
                );
            }
        }
    });
}

#[test]
fn to_itself_it_is_nothing() {
    for spec in SCHEDULERS {
        let scheduler = (spec.make)();
        for r in TIMES.into_iter().chain([0.0, 1.0]) {
            let change = change(&*scheduler, &*scheduler, r);
            assert!((change.t - r).abs() < 1e-12, "{scheduler:?} {r}");
            assert!((change.scale - 1.0).abs() < 1e-11 && !change.clamped);
            if change.to.d_beta.is_finite() {
                let (cx, cv) = change.velocity().unwrap();
                let rate = change.to.d_beta.abs().max(1.0) / change.to.beta.max(1e-3);
                assert!(cx.abs() < 1e-10 * rate, "{scheduler:?} {r} {cx:e}");
                assert!((cv - 1.0).abs() < 1e-10, "{scheduler:?} {r} {cv:e}");
            }
        }
    }
}

/// u_B(x, r) = (ṡ/s)·x + sṫ·u_A(x/s, t), with ṡ and ṫ as finite differences.
#[test]
fn velocity_is_the_chain_rule() {
    pairs(|a, b| {
        for r in [0.1, 0.3, 0.62, 0.9] {
            let here = change(a, b, r);
            if here.clamped {
                continue;
            }
            let h = 1e-4;
            let difference = |of: fn(&super::Change) -> f64| {
                let f = |k: f64| of(&change(a, b, r + k * h));
                (8.0 * (f(1.0) - f(-1.0)) - (f(2.0) - f(-2.0))) / (12.0 * h)
            };
            let (dt, ds) = (difference(|c| c.t), difference(|c| c.scale));
            let (cx, cv) = here.velocity().unwrap();
            for (found, expected) in [(cx, ds / here.scale), (cv, here.scale * dt)] {
                let error = (found - expected).abs() / (1.0 + expected.abs());
                assert!(error < 1e-7, "{a:?} on {b:?} at {r}: {found}, {expected}");
            }
        }
    });
}

fn vector(of: impl Fn(&[f64], &mut [f64]), x: &[f64]) -> [f64; 2] {
    let mut out = [f64::NAN; 2];
    of(x, &mut out);
    out
}

fn predicted(m: &Marginal<'_>, prediction: Prediction, x: &[f64]) -> Option<[f64; 2]> {
    Some(match prediction {
        Prediction::Data => vector(|x, out| m.denoiser(x, out), x),
        Prediction::Noise => vector(|x, out| m.noise(x, out), x),
        Prediction::Velocity => vector(|x, out| m.velocity(x, out), x),
        Prediction::Score => vector(|x, out| m.score(x, out), x),
        Prediction::V => return None,
    })
}

/// Every exact field of B is the exact field of A at the changed time and place.
#[test]
fn the_fields_of_b_from_those_of_a() {
    let mixture = GaussianMixture::new(
        2,
        &[1.0, 2.0, 0.5],
        &[1.0, 0.5, -1.5, 0.3, 0.2, -2.0],
        &[0.3, 0.7, 0.5],
    )
    .unwrap();
    pairs(|a, b| {
        for r in TIMES {
            let change = change(a, b, r);
            if change.clamped {
                continue;
            }
            let (at_a, at_b) = (mixture.with(change.from), mixture.with(change.to));
            for y in [[0.1, -0.2], [1.3, 0.4], [-0.8, 2.0]] {
                let x = y.map(|y| y * change.to.alpha.hypot(change.to.beta));
                let asked = x.map(|x| x / change.scale);
                for &from in PREDICTIONS {
                    let Some(given) = predicted(&at_a, from, &asked) else {
                        continue;
                    };
                    for &to in PREDICTIONS {
                        let Some(expected) = predicted(&at_b, to, &x) else {
                            continue;
                        };
                        let (cx, cv) = change.convert(from, to).unwrap();
                        for i in 0..2 {
                            let (p, q) = (cx * x[i], cv * given[i]);
                            let scale = 1.0 + expected[i].abs() + p.abs() + q.abs();
                            let error = (p + q - expected[i]).abs() / scale;
                            assert!(
                                error < 10.0 * rounding(change.t),
                                "{a:?} on {b:?} at {r}, {from:?} to {to:?}: {error:e}"
                            );
                        }
                    }
                }
            }
        }
    });
}

/// From noise to noise and from data to data the ends are exact, also where ṡ and ṫ are not finite.
#[test]
fn the_ends() {
    pairs(|a, b| {
        let end = change(a, b, 1.0);
        assert_eq!((end.t, end.scale, end.clamped), (1.0, 1.0, false));
    });
    for a in SCHEDULERS {
        for b in SCHEDULERS.iter().filter(|b| b.start == Start::Noise) {
            let start = change(&*(a.make)(), &*(b.make)(), 0.0);
            assert_eq!(start.t, 0.0);
            assert_eq!(start.clamped, a.start != Start::Noise);
            assert_eq!(start.scale, 1.0 / (a.make)().at(0.0).beta);
        }
    }
}
