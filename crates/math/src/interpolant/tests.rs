use super::*;
use crate::scheduler::SCHEDULERS;

/// Every interpolant of the slice, other parameters, and the schedulers.
fn all() -> Vec<Box<dyn Interpolant>> {
    let mut all: Vec<Box<dyn Interpolant>> =
        INTERPOLANTS.iter().map(|spec| (spec.make)()).collect();
    for sigma in [0.3, std::f64::consts::SQRT_2] {
        all.push(Box::new(Bridge::new(sigma).unwrap()));
        all.push(Box::new(LinearNoise::new(sigma).unwrap()));
        all.push(Box::new(Trigonometric::new(sigma).unwrap()));
    }
    all.push(Box::new(CondOtFloor::new(0.3).unwrap()));
    for spec in SCHEDULERS {
        all.push(Box::new(GaussianInterpolant((spec.make)())));
    }
    all
}

fn times() -> impl Iterator<Item = f64> {
    (1..100).map(|i| f64::from(i) / 100.0)
}

#[test]
fn names() {
    for (i, spec) in INTERPOLANTS.iter().enumerate() {
        assert_eq!((spec.make)().name(), spec.name);
        assert_eq!(interpolant(spec.name).unwrap().name(), spec.name);
        assert!(
            INTERPOLANTS[..i]
                .iter()
                .all(|other| other.name != spec.name)
        );
    }
    assert!(interpolant("nothing").is_none());
}

#[test]
fn ends() {
    for spec in INTERPOLANTS {
        let path = (spec.make)();
        let [start, end] = [0.0, 1.0].map(|t| path.at(t));
        let exact = [start.a, start.b, start.gamma] == [1.0, 0.0, 0.0]
            && [end.a, end.b, end.gamma] == [0.0, 1.0, 0.0];
        assert_eq!(exact, spec.exact_ends, "{path:?}: {start:?}, {end:?}");
        assert_eq!((start.b, end.b), (0.0, 1.0), "{path:?}");
    }
}

#[test]
fn derivatives_are_finite_differences() {
    let h = 1e-5;
    for path in all() {
        // A point where two halves meet is no place for central differences.
        for t in times().filter(|&t| t != 0.5) {
            let at = path.at(t);
            let difference = |of: fn(&InterpolantCoeffs) -> f64| {
                let f = |k: f64| of(&path.at(t + k * h));
                (8.0 * (f(1.0) - f(-1.0)) - (f(2.0) - f(-2.0))) / (12.0 * h)
            };
            for (exact, found) in [
                (at.d_a, difference(|c| c.a)),
                (at.d_b, difference(|c| c.b)),
                (at.d_gamma, difference(|c| c.gamma)),
            ] {
                let error = (exact - found).abs() / (1.0 + exact.abs());
                assert!(error < 1e-9, "{path:?} at {t}: {exact}, {found}");
            }
        }
    }
}

#[test]
fn the_halves_meet_smoothly() {
    let (left, right) = (
        EncodingDecoding.at(0.5 - 1e-9),
        EncodingDecoding.at(0.5 + 1e-9),
    );
    let middle = EncodingDecoding.at(0.5);
    assert_eq!((middle.a, middle.b, middle.gamma), (0.0, 0.0, 1.0));
    for c in [left, middle, right] {
        assert!(c.a < 1e-12 && c.b < 1e-12 && (c.gamma - 1.0).abs() < 1e-12);
        assert!(
            [c.d_a, c.d_b, c.d_gamma].iter().all(|d| d.abs() < 1e-7),
            "{c:?}"
        );
    }
}

#[test]
fn only_infinite_derivatives_cut_the_times() {
    for spec in INTERPOLANTS {
        let path = (spec.make)();
        let expected = if spec.name == "bridge" {
            [1e-3, 0.999]
        } else {
            [0.0, 1.0]
        };
        let [low, high] = path.times(1e-3);
        assert_eq!([low, high], expected, "{path:?}");
        assert!(path.at(low).is_finite() && path.at(high).is_finite());
    }
    let root = crate::scheduler::scheduler("linear-sqrt").unwrap();
    assert_eq!(GaussianInterpolant(root).times(0.01), [0.0, 0.99]);
}

#[test]
fn the_trigonometric_path_keeps_the_variance() {
    for c in times().map(|t| Trigonometric::default().at(t)) {
        assert!((c.a * c.a + c.b * c.b - 1.0).abs() < 1e-15);
    }
}

/// Brownian motion σW from x₀ tied to x₁: Cov(W_t, W_1) = t and Var W_1 = 1 give the mean and the
/// variance by conditioning a Gaussian.
#[test]
fn the_bridge_is_a_conditioned_brownian_motion() {
    for sigma in [0.3, 1.0, 2.0] {
        for t in times() {
            let c = Bridge::new(sigma).unwrap().at(t);
            let (variance, covariance, end) = (sigma * sigma * t, sigma * sigma * t, sigma * sigma);
            let conditioned = variance - covariance * covariance / end;
            assert!((c.gamma * c.gamma - conditioned).abs() < 1e-15 * sigma * sigma);
            assert!((c.b - covariance / end).abs() < 1e-15);
        }
    }
}

#[test]
fn velocity_and_drift_of_the_bridge() {
    let (x0, x1) = (-1.3, 2.1);
    for sigma in [0.3, 1.0, 2.0] {
        for (t, eps) in times().flat_map(|t| [-2.0, 0.0, 0.7].map(|eps| (t, eps))) {
            let c = Bridge::new(sigma).unwrap().at(t);
            let x = c.state(x0, x1, eps);
            let mean = (1.0 - t) * x0 + t * x1;
            let expected = (1.0 - 2.0 * t) / (2.0 * t * (1.0 - t)) * (x - mean) + x1 - x0;
            let velocity = c.velocity(x0, x1, eps);
            assert!((velocity - expected).abs() < 1e-12 * (1.0 + expected.abs()));

            // With the bridge's own diffusion the drifts are Doob's: towards the end in the time
            // that is left, and backward in time towards the start.
            let score = c.score(eps);
            assert!((score + (x - mean) / (c.gamma * c.gamma)).abs() < 1e-12 * (1.0 + score.abs()));
            let forward = forward_drift(velocity, score, sigma);
            let tied = (x1 - x) / (1.0 - t);
            assert!(
                (forward - tied).abs() < 1e-11 * (1.0 + velocity.abs()),
                "{forward} {tied}"
            );
            let backward = backward_drift(velocity, score, sigma);
            let tied = (x - x0) / t;
            assert!(
                (backward - tied).abs() < 1e-11 * (1.0 + velocity.abs()),
                "{backward} {tied}"
            );
            assert_eq!(forward_drift(velocity, score, 0.0), velocity);
        }
    }
}

/// Between two normal laws the marginal of x_t is normal in closed form: dV/dt = 2 Cov(x_t, ẋ_t) is
/// what the velocity E[ẋ|x] = m' + (Cov(ẋ, x)/V)(x − m) needs to carry it.
#[test]
fn the_marginal_of_normal_laws_is_carried() {
    let (v0, v1) = (0.4, 2.5); // variances of independent x₀, x₁
    let h = 1e-5;
    for path in all() {
        for t in times().filter(|&t| t != 0.5) {
            let variance = |t: f64| {
                let c = path.at(t);
                c.a * c.a * v0 + c.b * c.b * v1 + c.gamma * c.gamma
            };
            let c = path.at(t);
            let covariance = c.a * c.d_a * v0 + c.b * c.d_b * v1 + c.gamma * c.d_gamma;
            let rate = (variance(t + h) - variance(t - h)) / (2.0 * h);
            assert!(
                (rate - 2.0 * covariance).abs() < 1e-5 * (1.0 + rate.abs()),
                "{path:?} {t}"
            );
        }
    }
}

#[test]
fn the_adapter_swaps_the_roles() {
    for spec in SCHEDULERS {
        let path = GaussianInterpolant((spec.make)());
        assert_eq!(path.name(), spec.name);
        for t in times() {
            let (c, s) = (path.at(t), (spec.make)().at(t));
            let (z, eps) = (0.8, -1.7);
            assert_eq!(c.state(eps, z, 9.0), s.beta * eps + s.alpha * z);
            assert_eq!(c.velocity(eps, z, 9.0), s.d_beta * eps + s.d_alpha * z);
        }
    }
}

#[test]
fn bad_parameters_are_refused() {
    for value in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let error = Bridge::new(value).unwrap_err().to_string();
        assert!(
            error.contains("bridge") && error.contains("positive"),
            "{error}"
        );
    }
    for value in [-1e-9, f64::NAN, f64::INFINITY] {
        assert!(LinearNoise::new(value).is_err() && Trigonometric::new(value).is_err());
        assert!(CondOtFloor::new(value).is_err());
    }
    assert!(
        CondOtFloor::new(1.0)
            .unwrap_err()
            .to_string()
            .contains("[0, 1), got 1")
    );
    assert_eq!(LinearNoise::new(0.0).unwrap().at(0.3), Linear.at(0.3));
}
