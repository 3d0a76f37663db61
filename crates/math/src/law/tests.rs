use super::*;
use crate::stats::normal_cdf;

fn close(a: f64, b: f64, tolerance: f64) {
    assert!(
        (a - b).abs() <= tolerance * (1.0 + b.abs()),
        "{a:e} is not {b:e}"
    );
}

/// Central difference of fourth order.
fn derivative(f: impl Fn(f64) -> f64, t: f64) -> f64 {
    let h = 1e-3;
    (8.0 * (f(t + h) - f(t - h)) - (f(t + 2.0 * h) - f(t - 2.0 * h))) / (12.0 * h)
}

const TIMES: [f64; 4] = [0.1, 0.7, 2.0, 5.0];

/// dm/dt = −θm and dV/dt = −2θV + σ².
#[test]
fn ou_solves_its_moment_equations() {
    for theta in [-0.3, 0.0, 1e-9, 0.25, 2.0] {
        let ou = Ou { theta, sigma: 0.7 };
        assert_eq!((ou.mean(3.0, 0.0), ou.variance(0.0)), (3.0, 0.0));
        for t in TIMES {
            close(
                derivative(|t| ou.mean(3.0, t), t),
                -theta * ou.mean(3.0, t),
                1e-9,
            );
            let rate = -2.0 * theta * ou.variance(t) + 0.49;
            close(derivative(|t| ou.variance(t), t), rate, 1e-9);
            assert_eq!(ou.autocovariance(t, t), ou.variance(t));
            close(
                ou.autocovariance(t, t + 1.0),
                ou.variance(t) * (-theta).exp(),
                1e-14,
            );
            assert_eq!(ou.autocovariance(t, 1.0), ou.autocovariance(1.0, t));
        }
    }
    close(
        Ou {
            theta: 0.0,
            sigma: 2.0,
        }
        .variance(3.0),
        12.0,
        1e-15,
    );
    let ou = Ou {
        theta: 0.25,
        sigma: 1.0,
    };
    assert_eq!(ou.stationary_variance(), Some(2.0));
    close(ou.variance(200.0), 2.0, 1e-15);
    close(
        ou.stationary_autocovariance(-4.0).unwrap(),
        2.0 * (-1f64).exp(),
        1e-15,
    );
    assert_eq!(
        Ou {
            theta: 0.0,
            sigma: 1.0
        }
        .stationary_variance(),
        None
    );
}

/// One step multiplies the mean by r = 1 − θh and takes the variance v to r²v + σ²h.
#[test]
fn ou_under_euler_maruyama_follows_the_recursion() {
    for (theta, h) in [
        (0.25, 0.1),
        (1.0, 1.0),
        (0.0, 0.3),
        (3.0, 0.5),
        (-1.0, 0.1),
        (4.0, 0.5),
        (5.0, 0.5),
    ] {
        let ou = Ou { theta, sigma: 0.8 };
        let r: f64 = 1.0 - theta * h;
        let (mut mean, mut variance) = (2.0, 0.0);
        for n in 0..50 {
            close(ou.em_mean(2.0, h, n), mean, 1e-12);
            close(ou.em_variance(h, n), variance, 1e-12);
            mean *= r;
            variance = r * r * variance + 0.64 * h;
        }
        let stationary = ou.em_stationary_variance(h);
        assert_eq!(stationary.is_some(), r.abs() < 1.0, "{theta} {h}");
        if let Some(v) = stationary {
            close(v, 0.64 * h / (1.0 - r * r), 1e-14);
            close(r * r * v + 0.64 * h, v, 1e-14);
            assert!(v > ou.stationary_variance().unwrap());
        }
    }
}

/// The bridge is the conditional law of jointly normal X_s, X_u, X_t.
#[test]
fn brownian_bridge_is_the_conditional_law() {
    let brownian = Brownian { sigma: 1.5 };
    let (s, u, t) = (0.5, 0.8, 2.0);
    let cov = |a, b| brownian.covariance(a, b);
    // Regression of X_u on (X_s, X_t).
    let det = cov(s, s) * cov(t, t) - cov(s, t) * cov(s, t);
    let on_s = (cov(u, s) * cov(t, t) - cov(u, t) * cov(s, t)) / det;
    let on_t = (cov(u, t) * cov(s, s) - cov(u, s) * cov(s, t)) / det;
    let (mean, variance) = brownian.bridge((s, 0.3), (t, -1.0), u);
    close(mean, on_s * 0.3 - on_t, 1e-14);
    close(
        variance,
        cov(u, u) - on_s * cov(u, s) - on_t * cov(u, t),
        1e-14,
    );
    assert_eq!(brownian.bridge((s, 0.3), (t, -1.0), t), (-1.0, 0.0));

    close(
        brownian.maximum_cdf(1.0, 4.0, 4.0),
        2.0 * normal_cdf(1.0) - 1.0,
        1e-15,
    );
    assert_eq!(brownian.maximum_cdf(1.0, 4.0, 0.9), 0.0);
}

/// E g(W_t), by the trapezoidal rule, which is exact up to rounding for such integrands.
fn expectation(t: f64, g: impl Fn(f64) -> f64) -> f64 {
    let h = 1.0 / 16.0;
    let sum: f64 = (-320..=320)
        .map(|i| f64::from(i) * h)
        .map(|z| (-0.5 * z * z).exp() * g(z * t.sqrt()))
        .sum();
    sum * h / std::f64::consts::TAU.sqrt()
}

#[test]
fn gbm_endpoint_has_the_moments_and_the_law() {
    let gbm = Gbm {
        mu: 0.1,
        sigma: 0.4,
    };
    for t in TIMES {
        let mean = expectation(t, |w| gbm.endpoint(2.0, t, w));
        close(mean, gbm.mean(2.0, t), 1e-13);
        let variance = expectation(t, |w| (gbm.endpoint(2.0, t, w) - mean).powi(2));
        close(variance, gbm.variance(2.0, t), 1e-12);
        for w in [-1.0, 0.0, 2.0] {
            close(
                gbm.cdf(2.0, t, gbm.endpoint(2.0, t, w)),
                normal_cdf(w / t.sqrt()),
                1e-14,
            );
            // Stratonovich's drift is Itô's with σ²/2 more.
            let shifted = Gbm {
                mu: 0.1 + 0.08,
                ..gbm
            };
            let stratonovich = gbm.stratonovich_endpoint(2.0, t, w);
            close(stratonovich, shifted.endpoint(2.0, t, w), 1e-14);
        }
        for p in [0.01, 0.5, 0.9] {
            close(gbm.cdf(2.0, t, gbm.quantile(2.0, t, p)), p, 1e-13);
        }
    }
    assert_eq!(gbm.cdf(2.0, 1.0, -1.0), 0.0);
}

/// dm/ds = f m and d(v²)/ds = 2f v² + g²; the ends as the paper has them.
#[test]
fn noising_kernels_solve_their_moment_equations() {
    let vp = Vp {
        beta_min: 0.1,
        beta_max: 20.0,
    };
    let sub = SubVp {
        beta_min: 0.1,
        beta_max: 20.0,
    };
    let ve = Ve {
        sigma_min: 0.01,
        sigma_max: 50.0,
    };
    for noising in [&vp as &dyn Noising, &sub, &ve] {
        assert_eq!(
            (noising.mean_coefficient(0.0), noising.std(0.0)),
            (1.0, 0.0)
        );
        for s in [0.05, 0.3, 0.6, 0.99] {
            let (f, g) = (noising.drift(s), noising.diffusion(s));
            let m = noising.mean_coefficient(s);
            close(derivative(|s| noising.mean_coefficient(s), s), f * m, 1e-7);
            let v = noising.std(s).powi(2);
            let rate = 2.0 * f * v + g * g;
            close(derivative(|s| noising.std(s).powi(2), s), rate, 1e-6);
            assert_eq!(noising.reverse_drift(s, 0.3, 0.0), 0.3 * f);
            close(noising.flow_drift(s, 0.0, -2.0), g * g, 1e-15);
        }
    }
    close(
        vp.mean_coefficient(1.0).powi(2) + vp.std(1.0).powi(2),
        1.0,
        1e-15,
    );
    close(vp.mean_coefficient(1.0), (-0.5f64 * 10.05).exp(), 1e-15);
    close(sub.std(0.4), vp.std(0.4).powi(2), 1e-15);
    close(ve.sigma(1.0), 50.0, 1e-13);
    close(ve.std(1.0), (2500.0f64 - 1e-4).sqrt(), 1e-13);
}

/// dE/dt = κ(θ − E) and dVar/dt = −2κVar + ξ²E.
#[test]
fn cir_solves_its_moment_equations() {
    for kappa in [0.0, 1e-8, 0.5, 3.0] {
        let cir = Cir {
            kappa,
            theta: 0.4,
            xi: 0.6,
        };
        assert_eq!((cir.mean(1.5, 0.0), cir.variance(1.5, 0.0)), (1.5, 0.0));
        for t in TIMES {
            let (mean, variance) = (cir.mean(1.5, t), cir.variance(1.5, t));
            close(
                derivative(|t| cir.mean(1.5, t), t),
                kappa * (0.4 - mean),
                1e-9,
            );
            let rate = -2.0 * kappa * variance + 0.36 * mean;
            close(derivative(|t| cir.variance(1.5, t), t), rate, 1e-9);
            close(derivative(|t| cir.integrated_mean(1.5, t), t), mean, 1e-9);
        }
    }
    let cir = Cir {
        kappa: 3.0,
        theta: 0.4,
        xi: 0.6,
    };
    close(cir.variance(1.5, 50.0), cir.stationary_variance(), 1e-14);
    assert!(cir.stays_positive() && !Cir { xi: 2.0, ..cir }.stays_positive());
    // Shape 1 is the exponential distribution.
    let exponential = Cir {
        kappa: 0.5,
        theta: 0.36,
        xi: 0.6,
    };
    close(
        exponential.stationary_cdf(0.5),
        1.0 - (-0.5f64 / 0.36).exp(),
        1e-14,
    );
    assert_eq!(exponential.stationary_cdf(-1.0), 0.0);
    let heston = Heston {
        mu: 0.05,
        variance: cir,
        rho: -0.7,
    };
    close(heston.mean(100.0, 2.0), 100.0 * 0.1f64.exp(), 1e-15);
    // A variance that stays where it is makes the price a geometric Brownian motion.
    let log_mean = heston.log_mean(100.0, 0.4, 2.0);
    close(log_mean, 100f64.ln() + 2.0 * (0.05 - 0.2), 1e-14);
}

#[test]
fn linear_flow_and_euler() {
    let linear = Linear { theta: 0.7 };
    close(linear.flow(2.0, 3.0), 2.0 * (-2.1f64).exp(), 1e-15);
    let mut x = 2.0;
    for n in 1..=10 {
        x -= 0.3 * 0.7 * x;
        close(linear.euler(2.0, 0.3 * f64::from(n), n), x, 1e-14);
    }
}

/// d/dt e^{At} = A e^{At}, e^{A0} = I, the semigroup law and det e^{At} = e^{t tr A}; for real and
/// complex eigenvalues, equal ones, and a nilpotent A.
#[test]
fn matrix_exponential() {
    let systems = [
        [[0.3, -1.0], [2.0, -0.5]],
        [[-1.0, 0.5], [0.25, -2.0]],
        [[-1.0, 1.0], [0.0, -1.0]],
        [[0.0, 1.0], [0.0, 0.0]],
        [[0.0, 0.0], [0.0, 0.0]],
        [[-1.0, 1.0], [-1e-14, -1.0]],
    ];
    let times = |p: [[f64; 2]; 2], q: [[f64; 2]; 2]| {
        p.map(|row| [0, 1].map(|j| row[0] * q[0][j] + row[1] * q[1][j]))
    };
    for a in systems {
        let planar = Planar { a };
        assert_eq!(planar.exponential(0.0), [[1.0, 0.0], [0.0, 1.0]]);
        for t in TIMES {
            let here = planar.exponential(t);
            let (rate, sum) = (times(a, here), times(here, planar.exponential(0.5)));
            let later = planar.exponential(t + 0.5);
            for i in 0..2 {
                for j in 0..2 {
                    close(
                        derivative(|t| planar.exponential(t)[i][j], t),
                        rate[i][j],
                        1e-9,
                    );
                    close(sum[i][j], later[i][j], 1e-13);
                }
            }
            let det = here[0][0] * here[1][1] - here[0][1] * here[1][0];
            close(det, (t * (a[0][0] + a[1][1])).exp(), 1e-13);
        }
    }
    // Far apart eigenvalues, −1 and −1e6: nothing overflows on the way.
    let stiff = Planar {
        a: [[-1.0, 0.0], [0.0, -1e6]],
    }
    .flow([1.0, 1.0], 10.0);
    close(stiff[0] * 10f64.exp(), 1.0, 1e-8);
    assert!(stiff[1].abs() < 1e-12);
    // A quarter turn, counterclockwise.
    let turned = Planar::rotation(0.5).flow([1.0, 0.0], std::f64::consts::PI);
    assert!(turned[0].abs() < 1e-15 && (turned[1] - 1.0).abs() < 1e-15);
    let [x, y] = Planar::spiral(0.2, 3.0).flow([1.0, 1.0], 2.0);
    close(x.hypot(y), 2f64.sqrt() * (-0.4f64).exp(), 1e-14);
}

/// dΣ/dt = AΣ + ΣAᵀ + diag(0, 2γT/m), for oscillating, critical and creeping motion.
#[test]
fn harmonic_langevin_solves_its_moment_equations() {
    for gamma in [0.3, 2.0, 7.0] {
        let h = Harmonic {
            k: 2.0,
            m: 2.0,
            gamma,
            temperature: 0.6,
        };
        let a = h.system().a;
        let fixed = [[0.5, 0.1], [0.1, 0.2]];
        for t in TIMES {
            for start in [[[0.0; 2]; 2], fixed] {
                let at = |t| h.covariance_from(start, t);
                let sigma = at(t);
                for i in 0..2 {
                    for j in 0..2 {
                        let drift: f64 = (0..2)
                            .map(|p| a[i][p] * sigma[p][j] + sigma[i][p] * a[j][p])
                            .sum();
                        let noise = if i + j == 2 {
                            2.0 * gamma * 0.6 / 2.0
                        } else {
                            0.0
                        };
                        close(derivative(|t| at(t)[i][j], t), drift + noise, 1e-9);
                        close(sigma[i][j], sigma[j][i], 1e-15);
                    }
                }
            }
            let [_, v] = h.mean([1.0, -0.5], t);
            close(derivative(|t| h.mean([1.0, -0.5], t)[0], t), v, 1e-9);
        }
        let limit = h.stationary_covariance();
        assert_eq!(limit, [[0.3, 0.0], [0.0, 0.3]]);
        close(h.covariance(100.0)[0][0], 0.3, 1e-10);
        assert_eq!(h.covariance(0.0), [[0.0; 2]; 2]);
        // The stationary law stays.
        let stays = h.covariance_from(limit, 1.7);
        close(stays[0][0], 0.3, 1e-15);
        close(stays[1][1], 0.3, 1e-15);
        // Var x ≈ ⅔(γT/m)t³ early.
        let t = 1e-3;
        assert!((h.covariance(t)[0][0] / (0.2 * gamma * t * t * t) - 1.0).abs() < 0.01);
    }
}
