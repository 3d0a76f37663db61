use super::*;
use crate::scheduler::{CondOt, Edm, SCHEDULERS, VariancePreserving};
use crate::stats::ks_statistic;

/// Every law of the slice, and other parameters.
fn all() -> Vec<TimeLaw> {
    let mut all: Vec<TimeLaw> = TIME_LAWS.iter().map(|spec| spec.usual).collect();
    all.extend([
        TimeLaw::LogitNormal {
            mean: -0.7,
            std: 0.4,
        },
        TimeLaw::LogNormal {
            p_mean: 0.3,
            p_std: 0.8,
        },
        TimeLaw::Mode { scale: -0.8 },
        TimeLaw::Mode { scale: 0.0 },
        TimeLaw::Beta {
            a: 2.0,
            b: 3.5,
            s: 1.0,
        },
    ]);
    all
}

fn everywhere(check: impl Fn(TimeLaw, &dyn Scheduler)) {
    for law in all() {
        for spec in SCHEDULERS {
            check(law, &*(spec.make)());
        }
    }
}

#[test]
fn names() {
    for spec in TIME_LAWS {
        assert_eq!(spec.usual.name(), spec.name);
        assert_eq!(spec.usual.checked(), Ok(spec.usual));
    }
}

#[test]
fn cdf_of_the_quantile_is_u() {
    everywhere(|law, scheduler| {
        for i in 1..400 {
            let u = f64::from(i) / 400.0;
            let t = law.quantile(u, scheduler);
            assert!((0.0..=1.0).contains(&t), "{law:?} {scheduler:?}: {t}");
            let back = law.cdf(t, scheduler);
            // t = 0 may stand for all the noise that the scheduler does not reach. The rounding of
            // 1 − t moves ln σ by as much as it is of 1 − t.
            let tolerance = 1e-11 + f64::EPSILON / (1.0 - t);
            assert!(
                (back - u).abs() < tolerance || (t == 0.0 && back >= u),
                "{law:?} {scheduler:?}: {u}, {t}, {back}"
            );
        }
        assert_eq!(law.cdf(1.0, scheduler), 1.0);
    });
}

/// The stratified sample follows the integral of the density (and the mass at 0).
#[test]
fn samples_follow_the_density() {
    let (n, parts) = (1000, 4000);
    everywhere(|law, scheduler| {
        let sample: Vec<f64> = (0..n)
            .map(|i| law.quantile(stratum(i, n, 0.5), scheduler))
            .collect();
        assert!(sample.is_sorted());
        // The integral by the midpoint rule, finer where a density is steep: near both ends, at
        // t = ½(1 − cos πv).
        let mut below = vec![law.cdf(0.0, scheduler)];
        for i in 0..parts {
            let v = (f64::from(i) + 0.5) / f64::from(parts);
            let t = 0.5 - 0.5 * (PI * v).cos();
            let step = FRAC_PI_2 * (PI * v).sin() / f64::from(parts);
            below.push(below[i as usize] + step * law.density(t, scheduler));
        }
        assert!(
            (below[parts as usize] - 1.0).abs() < 2e-3,
            "{law:?} {scheduler:?}"
        );
        let cdf = |t: f64| {
            let v = (1.0 - 2.0 * t).acos() / PI * f64::from(parts);
            let i = (v as usize).min(parts as usize - 1);
            below[i] + (v - i as f64) * (below[i + 1] - below[i])
        };
        let mass = below[0];
        let inner: Vec<f64> = sample.iter().copied().filter(|t| *t > 0.0).collect();
        let d = ks_statistic(&inner, |t| (cdf(t) - mass) / (1.0 - mass));
        assert!(d < 3e-3, "{law:?} {scheduler:?}: {d}");
    });
}

/// The derivative of the quantile is 1/density.
#[test]
fn density_is_the_derivative() {
    everywhere(|law, scheduler| {
        for u in [0.2, 0.35, 0.5, 0.65, 0.8] {
            let h = 1e-4;
            let f = |k: f64| law.quantile(u + k * h, scheduler);
            let slope = (8.0 * (f(1.0) - f(-1.0)) - (f(2.0) - f(-2.0))) / (12.0 * h);
            if f(-2.0) == 0.0 || 1.0 - f(2.0) < 1e-4 {
                continue;
            }
            let found = slope * law.density(f(0.0), scheduler);
            assert!(
                (found - 1.0).abs() < 1e-6,
                "{law:?} {scheduler:?} {u}: {found}"
            );
        }
    });
}

/// EDM: the median of σ is e^{−1.2}, and 95 % are between e^{−1.2 ± 1.96·1.2}.
#[test]
fn edm_noise_levels() {
    let law = TIME_LAWS[2].usual;
    for (u, expected) in [
        (0.5, -1.2),
        (0.025, -1.2 + 1.959_963_984_540_054 * 1.2),
        (0.975, -1.2 - 1.959_963_984_540_054 * 1.2),
    ] {
        for scheduler in [&Edm::default() as &dyn Scheduler, &CondOt] {
            let c = scheduler.at(law.quantile(u, scheduler));
            let log_sigma = (c.beta / c.alpha).ln();
            assert!((log_sigma - expected).abs() < 1e-12);
        }
    }
    // VP ends at σ = e^{10.05/2}: what would be larger is t = 0.
    let loud = TimeLaw::LogNormal {
        p_mean: 5.0,
        p_std: 1.0,
    };
    let vp = VariancePreserving::default();
    assert_eq!(loud.quantile(0.3, &vp), 0.0);
    assert!(loud.cdf(0.0, &vp) > 0.45 && loud.quantile(0.6, &vp) > 0.0);
}

/// Esser et al. 2024: the logit-normal's median is sigmoid(m); the density of "mode" is
/// 1/(1 + s(1 − π/2)) in the middle and 1/(1 + s) at the ends; s = 0 is uniform. In their direction
/// t = 1 − u − s(cos²(πu/2) − 1 + u).
#[test]
fn scaling_rectified_flow() {
    let law = TimeLaw::LogitNormal {
        mean: -0.5,
        std: 1.0,
    };
    let median = 1.0 / (1.0 + 0.5f64.exp());
    assert!((law.quantile(0.5, &CondOt) - median).abs() < 1e-15);
    for s in [-1.0, -0.4, 0.0, 1.29, 1.75] {
        let law = TimeLaw::Mode { scale: s };
        assert!((law.density(0.5, &CondOt) * (1.0 + s * (1.0 - FRAC_PI_2)) - 1.0).abs() < 1e-9);
        if s > -1.0 {
            assert!((law.density(0.0, &CondOt) * (1.0 + s) - 1.0).abs() < 1e-12);
        }
        for u in [0.0, 0.1, 0.3, 0.8, 1.0] {
            let theirs = 1.0 - u - s * ((FRAC_PI_2 * u).cos().powi(2) - 1.0 + u);
            assert!((law.quantile(u, &CondOt) - (1.0 - theirs)).abs() < 1e-15);
        }
    }
}

/// Black et al. 2024: p(t) = Beta((s − t)/s; 1.5, 1): the noise most, falling like √(s − t) to
/// nothing at s = 0.999; the mean is s·b/(a + b).
#[test]
fn robot_policies() {
    let law = TIME_LAWS[4].usual;
    let s: f64 = 0.999;
    for t in [0.0, 0.2, 0.7, 0.99] {
        let expected = 1.5 * ((s - t) / s).sqrt() / s;
        assert!((law.density(t, &CondOt) - expected).abs() < 1e-13);
    }
    assert_eq!(law.density(0.9995, &CondOt), 0.0);
    assert!(law.quantile(1.0, &CondOt) <= s);
    let n = 100_000;
    let mean: f64 = (0..n)
        .map(|i| law.quantile(stratum(i, n, 0.5), &CondOt))
        .sum::<f64>()
        / n as f64;
    assert!((mean - 0.4 * s).abs() < 1e-6);
}

#[test]
fn a_law_cut_off_is_the_law_below() {
    for law in all() {
        let end = 0.9;
        for u in [0.1, 0.5, 0.9] {
            let t = law.quantile_until(end, u, &CondOt);
            let found = law.cdf(t, &CondOt) / law.cdf(end, &CondOt);
            assert!((found - u).abs() < 1e-11 && t < end, "{law:?}");
        }
        assert!(law.quantile_until(end, 1.0, &CondOt) <= end);
    }
}

#[test]
fn bad_parameters_are_refused() {
    let nan = f64::NAN;
    let beta = |a, b, s| TimeLaw::Beta { a, b, s };
    let normal = |mean, std| TimeLaw::LogitNormal { mean, std };
    for (law, parameter) in [
        (normal(nan, 1.0), "mean"),
        (normal(0.0, 0.0), "std"),
        (
            TimeLaw::LogNormal {
                p_mean: f64::INFINITY,
                p_std: 1.0,
            },
            "p_mean",
        ),
        (
            TimeLaw::LogNormal {
                p_mean: 0.0,
                p_std: -1.0,
            },
            "p_std",
        ),
        (TimeLaw::Mode { scale: 1.76 }, "scale"),
        (TimeLaw::Mode { scale: -1.1 }, "scale"),
        (TimeLaw::Mode { scale: nan }, "scale"),
        (beta(0.0, 1.0, 1.0), "a"),
        (beta(1.0, nan, 1.0), "b"),
        (beta(1.0, 1.0, 1.1), "s"),
        (beta(1.0, 1.0, 0.0), "s"),
    ] {
        let error = law.checked().unwrap_err();
        assert_eq!((error.parameter, error.law), (parameter, law.name()));
        assert!(error.to_string().contains(" to be "));
    }
}
