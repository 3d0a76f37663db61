use super::*;
use crate::law::{self, Noising};

/// Every scheduler of the slice, and other parameters.
fn all() -> Vec<(Box<dyn Scheduler>, Start)> {
    let mut all: Vec<_> = SCHEDULERS
        .iter()
        .map(|spec| ((spec.make)(), spec.start))
        .collect();
    for n in [1, 3, 7] {
        all.push((Box::new(Polynomial::new(n).unwrap()), Start::Noise));
    }
    for (low, high) in [(0.1, 5.0), (3.0, 3.0)] {
        let vp = VariancePreserving::new(low, high).unwrap();
        all.push((Box::new(vp), Start::NearNoise));
        all.push((Box::new(SubVp::new(low, high).unwrap()), Start::NearNoise));
    }
    let ddpm = Ddpm::new(BetaLaw::Sqrt, 0.00085, 0.012, 1000).unwrap();
    all.push((Box::new(ddpm), Start::NearNoise));
    let ve = VarianceExploding::new(0.3, 20.0).unwrap();
    all.push((Box::new(ve), Start::Exploding));
    all.push((Box::new(Edm::new(25.0).unwrap()), Start::Exploding));
    all
}

/// A scheduler that only knows its coefficients, as a user writes it.
#[derive(Debug)]
struct Forward(Box<dyn Scheduler>);

impl Scheduler for Forward {
    fn name(&self) -> &'static str {
        "forward"
    }

    fn at(&self, t: f64) -> Coeffs {
        self.0.at(t)
    }
}

fn times() -> impl Iterator<Item = f64> {
    (1..500).map(|i| f64::from(i) / 500.0)
}

#[test]
fn names() {
    for spec in SCHEDULERS {
        assert_eq!((spec.make)().name(), spec.name);
        assert_eq!(scheduler(spec.name).unwrap().name(), spec.name);
    }
    assert!(scheduler("nothing").is_none());
}

#[test]
fn ends() {
    for (scheduler, first) in all() {
        let (start, end) = (scheduler.at(0.0), scheduler.at(1.0));
        assert_eq!((end.alpha, end.beta), (1.0, 0.0), "{scheduler:?}");
        assert_eq!(end.log_snr(), f64::INFINITY);
        match first {
            Start::Noise => {
                assert_eq!((start.alpha, start.beta), (0.0, 1.0), "{scheduler:?}");
                assert_eq!(start.log_snr(), f64::NEG_INFINITY);
            }
            Start::NearNoise => {
                assert!(start.alpha > 0.0 && start.alpha < 0.3, "{scheduler:?}");
                assert!(start.beta > 0.9 && start.beta < 1.0, "{scheduler:?}");
            }
            Start::Exploding => {
                assert!(start.alpha == 1.0 && start.beta > 10.0, "{scheduler:?}");
            }
        }
        assert_eq!(scheduler.time_of_log_snr(f64::INFINITY), 1.0);
        assert_eq!(scheduler.time_of_log_snr(f64::NEG_INFINITY), 0.0);
        assert_eq!(scheduler.time_of_log_snr(-1e4), 0.0, "{scheduler:?}");
        assert_eq!(scheduler.time_of_log_snr(1e4), 1.0, "{scheduler:?}");
    }
    assert!(VariancePreserving::default().at(0.0).alpha < 0.007);
    assert_eq!(Edm::default().at(0.0).beta, 80.0);
    let ve = VarianceExploding::default().at(0.0).beta;
    assert!((ve - (2500.0f64 - 1e-4).sqrt()).abs() < 1e-12);
}

/// The diffusions of the course in their own clock have the same mean and deviation.
#[test]
fn diffusions_agree_with_their_laws() {
    let (beta_min, beta_max) = (0.1, 20.0);
    let (sigma_min, sigma_max) = (0.01, 50.0);
    let pairs: [(Box<dyn Scheduler>, Box<dyn Noising>); 3] = [
        (
            Box::new(VariancePreserving::default()),
            Box::new(law::Vp { beta_min, beta_max }),
        ),
        (
            Box::new(SubVp::default()),
            Box::new(law::SubVp { beta_min, beta_max }),
        ),
        (
            Box::new(VarianceExploding::default()),
            Box::new(law::Ve {
                sigma_min,
                sigma_max,
            }),
        ),
    ];
    for (scheduler, law) in pairs {
        for t in times().chain([0.0, 1.0 - 1e-9, 1.0]) {
            let (c, s) = (scheduler.at(t), 1.0 - t);
            for (found, expected) in [
                (c.alpha, law.mean_coefficient(s)),
                (c.beta, law.std(s)),
                // d(v²)/ds = 2fv² + g².
                (
                    -2.0 * c.beta * c.d_beta,
                    2.0 * law.drift(s) * law.std(s).powi(2) + law.diffusion(s).powi(2),
                ),
            ] {
                // At the end itself β·β̇ is 0·∞.
                let close = (found - expected).abs() <= 1e-12 * (1.0 + expected.abs());
                assert!(
                    close || t == 1.0,
                    "{scheduler:?} at {t}: {found}, {expected}"
                );
            }
        }
    }
}

/// The bisection that every scheduler inherits, against the closed forms.
#[test]
fn a_scheduler_that_is_only_its_coefficients_is_inverted() {
    for (scheduler, _) in all() {
        let levels: Vec<f64> = (-120..=120).map(|i| 0.25 * f64::from(i)).collect();
        let exact: Vec<f64> = levels
            .iter()
            .map(|&l| scheduler.time_of_log_snr(l))
            .collect();
        let scheduler = Forward(scheduler);
        for (&l, exact) in levels.iter().zip(exact) {
            let found = scheduler.time_of_log_snr(l);
            assert!(
                (found - exact).abs() <= 1e-12,
                "{scheduler:?}: {l}, {found}"
            );
            // Also the relative precision of small times.
            if scheduler.at(0.0).alpha == 0.0 {
                assert!((found / exact - 1.0).abs() < 1e-12, "{scheduler:?}: {l}");
            }
        }
        assert_eq!(scheduler.time_of_log_snr(f64::INFINITY), 1.0);
        assert_eq!(scheduler.time_of_log_snr(f64::NEG_INFINITY), 0.0);
    }
}

#[test]
fn snr_rises_strictly() {
    for (scheduler, _) in all() {
        let snr: Vec<f64> = times().map(|t| scheduler.at(t).log_snr()).collect();
        assert!(
            snr.windows(2).all(|pair| pair[0] < pair[1]),
            "{scheduler:?}"
        );
        assert!(times().all(|t| scheduler.at(t).d_log_snr() > 0.0));
    }
}

#[test]
fn inverse_round_trips() {
    for (scheduler, _) in all() {
        for t in times().chain([1e-6, 1e-3, 1.0 - 1e-6]) {
            let back = scheduler.time_of_log_snr(scheduler.at(t).log_snr());
            assert!((back - t).abs() < 1e-13, "{scheduler:?}: {t} became {back}");
        }
        for l in [-8.0, -3.0, 0.0, 2.5, 15.0] {
            let t = scheduler.time_of_log_snr(l);
            let found = scheduler.at(t).log_snr();
            assert!(
                t == 0.0 || (found - l).abs() < 1e-7,
                "{scheduler:?}: {l}, {found}"
            );
        }
    }
}

#[test]
fn derivatives_are_finite_differences() {
    let h = 1e-5;
    for (scheduler, _) in all() {
        for t in (1..100).map(|i| f64::from(i) / 100.0) {
            let at = scheduler.at(t);
            // Central differences of fourth order.
            let difference = |of: fn(&Coeffs) -> f64| {
                let f = |k: f64| of(&scheduler.at(t + k * h));
                (8.0 * (f(1.0) - f(-1.0)) - (f(2.0) - f(-2.0))) / (12.0 * h)
            };
            for (exact, found) in [
                (at.d_alpha, difference(|c| c.alpha)),
                (at.d_beta, difference(|c| c.beta)),
                (at.d_log_snr(), difference(Coeffs::log_snr)),
            ] {
                let error = (exact - found).abs() / (1.0 + exact.abs());
                assert!(error < 1e-9, "{scheduler:?} at {t}: {exact}, {found}");
            }
        }
    }
}

#[test]
fn bad_parameters_are_refused() {
    assert_eq!(Polynomial::new(0), Err(SchedulerError::Exponent));
    for (low, high) in [
        (0.0, 1.0),
        (2.0, 1.0),
        (f64::NAN, 1.0),
        (1.0, f64::INFINITY),
    ] {
        let error = VariancePreserving::new(low, high).unwrap_err().to_string();
        assert!(error.contains("the vp") && error.contains("0 < beta_min <= beta_max"));
        let error = SubVp::new(low, high).unwrap_err().to_string();
        assert!(error.contains("the sub-vp") && error.contains("0 < beta_min <= beta_max"));
        let error = VarianceExploding::new(low, high).unwrap_err().to_string();
        assert!(error.contains("0 < sigma_min < sigma_max"));
    }
    assert!(VarianceExploding::new(1.0, 1.0).is_err());
    for sigma_max in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let error = Edm::new(sigma_max).unwrap_err().to_string();
        assert!(error.contains("must be positive and finite"));
    }
}
