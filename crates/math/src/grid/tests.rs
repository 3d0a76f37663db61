use proptest::prelude::*;

use super::*;
use crate::scheduler::{
    Coeffs, CondOt, Edm, Polynomial, SCHEDULERS, SubVp, VarianceExploding, VariancePreserving,
};

#[test]
fn ends_are_exact_and_steps_equal() {
    for n in 1..200 {
        let grid = uniform(n);
        assert_eq!((grid.len(), grid[0], grid[n]), (n + 1, 0.0, 1.0));
        for pair in grid.windows(2) {
            assert!((pair[1] - pair[0] - 1.0 / n as f64).abs() < 1e-15);
        }
    }
    assert_eq!(uniform(0), [0.0]);
}

/// Every scheduler of the slice, other parameters, and one that neither starts at noise nor ends at data.
fn schedulers() -> Vec<Box<dyn Scheduler>> {
    let mut all: Vec<_> = SCHEDULERS.iter().map(|spec| (spec.make)()).collect();
    all.push(Box::new(Polynomial::new(7).unwrap()));
    all.push(Box::new(VariancePreserving::new(0.1, 5.0).unwrap()));
    all.push(Box::new(SubVp::new(3.0, 3.0).unwrap()));
    all.push(Box::new(VarianceExploding::new(0.3, 20.0).unwrap()));
    for sigma_max in [0.001, 25.0, 1e6] {
        all.push(Box::new(Edm::new(sigma_max).unwrap()));
    }
    all.push(Box::new(Between));
    all
}

/// α = ¼ + ½t, β = 1 − α.
#[derive(Debug)]
struct Between;

impl Scheduler for Between {
    fn name(&self) -> &'static str {
        "between"
    }

    fn at(&self, t: f64) -> Coeffs {
        let alpha = 0.25 + 0.5 * t;
        Coeffs {
            alpha,
            beta: 1.0 - alpha,
            d_alpha: 0.5,
            d_beta: -0.5,
        }
    }
}

/// Every grid with a name, and the ends of the ranges of those with a number.
fn grids() -> Vec<Grid> {
    let named = GRIDS.iter().map(|spec| spec.name);
    let more = [
        "karras:1",
        "karras:100",
        "shifted:0.01",
        "shifted:1",
        "shifted:100",
    ];
    named
        .chain(more)
        .map(|text| text.parse().unwrap())
        .collect()
}

#[test]
fn times_rise_strictly_from_0_to_1() {
    for scheduler in schedulers() {
        for grid in grids() {
            for n in (1..=200).chain([1000]) {
                let times = grid.times(&*scheduler, n);
                let what = || format!("{grid} of {n} steps on {scheduler:?}: {times:?}");
                assert_eq!(
                    (times.len(), times[0], times[n]),
                    (n + 1, 0.0, 1.0),
                    "{}",
                    what()
                );
                assert!(times.windows(2).all(|w| w[0] < w[1]), "{}", what());
            }
            assert_eq!(grid.times(&*scheduler, 0), [0.0], "{grid}");
        }
    }
}

/// No step is spent where rounding alone tells it from nothing.
#[test]
fn no_step_is_empty() {
    for scheduler in schedulers() {
        for grid in grids() {
            let apart = matches!(grid, Grid::Shifted { shift } if shift.ln().abs() > 4.0);
            if apart && scheduler.name() == "between" {
                continue; // From σ = 3 to ⅓: no level is a hundred times another.
            }
            let times = grid.times(&*scheduler, 200);
            let least = times.windows(2).map(|w| w[1] - w[0]).fold(1.0, f64::min);
            assert!(least > 1e-13, "{grid} on {scheduler:?}: {least}");
        }
    }
}

/// Numbers that no text may give still make a grid.
#[test]
fn numbers_out_of_range_keep_the_order() {
    for x in [0.0, -1.0, 1e-300, 1e300, f64::INFINITY, f64::NAN] {
        for grid in [Grid::Karras { rho: x }, Grid::Shifted { shift: x }] {
            for scheduler in schedulers() {
                let times = grid.times(&*scheduler, 50);
                assert_eq!((times[0], times[50]), (0.0, 1.0));
                assert!(
                    times.windows(2).all(|w| w[0] < w[1]),
                    "{grid} on {scheduler:?}"
                );
            }
        }
    }
}

/// σ = β/α at the times between the ends.
fn sigmas(scheduler: &dyn Scheduler, grid: &Grid, steps: usize) -> Vec<f64> {
    let times = grid.times(scheduler, steps);
    let inside = &times[1..steps];
    inside
        .iter()
        .map(|&t| {
            let c = scheduler.at(t);
            c.beta / c.alpha
        })
        .collect()
}

fn close(a: f64, b: f64, relative: f64) -> bool {
    (a - b).abs() <= relative * a.abs().max(b.abs())
}

#[test]
fn log_snr_is_equally_spaced() {
    for (scheduler, from) in [
        (&CondOt as &dyn Scheduler, 80.0),
        (&Edm::default(), 80.0),
        (&Edm::new(10.0).unwrap(), 10.0),
        (&VarianceExploding::default(), (50f64.powi(2) - 1e-4).sqrt()),
    ] {
        let sigma = sigmas(scheduler, &Grid::LogSnr, 21);
        let factor = (0.002f64 / from).powf(1.0 / 20.0);
        for (i, &sigma) in sigma.iter().enumerate() {
            let exact = from * factor.powi(i as i32 + 1);
            assert!(
                close(sigma, exact, 1e-10),
                "{scheduler:?} {i}: {sigma} {exact}"
            );
        }
    }
    // A path that ends at σ = ⅓: from 3 to ⅓ at 1.
    let sigma = sigmas(&Between, &Grid::LogSnr, 2);
    assert!(close(sigma[0], 1.0, 1e-14), "{sigma:?}");
}

/// The sigmas of diffusers' `EDMEulerScheduler(0.002, 80, rho=7)` at 10 steps, in single precision, without
/// the first and the last.
#[test]
fn the_published_levels_of_karras() {
    const PUBLISHED: [f64; 9] = [
        42.415188,
        21.108677,
        9.723202,
        4.0661235,
        1.501742,
        0.46997905,
        0.11663856,
        0.020435335,
        0.002,
    ];
    for scheduler in [
        &CondOt as &dyn Scheduler,
        &Edm::default(),
        &Polynomial::default(),
    ] {
        let sigma = sigmas(scheduler, &"karras".parse().unwrap(), 10);
        for (&sigma, &published) in sigma.iter().zip(&PUBLISHED) {
            assert!(
                close(sigma, published, 2e-6),
                "{scheduler:?}: {sigma} {published}"
            );
        }
    }
}

/// EDM's own times are Karras' with ρ = 7.
#[test]
fn edm_walks_the_grid_of_karras() {
    for n in [1, 2, 18, 100] {
        let own = Grid::Native.times(&Edm::default(), n);
        let karras = Grid::Karras { rho: 7.0 }.times(&Edm::default(), n);
        assert!(own.iter().zip(&karras).all(|(a, b)| (a - b).abs() < 1e-15));
    }
}

/// ρ = 1 is linear in σ, ρ → ∞ in ln σ.
#[test]
fn the_ends_of_rho() {
    let linear = sigmas(&CondOt, &Grid::Karras { rho: 1.0 }, 11);
    for (i, &sigma) in linear.iter().enumerate() {
        let exact = 80.0 + (i as f64 + 1.0) / 10.0 * (0.002 - 80.0);
        assert!((sigma - exact).abs() < 1e-11);
    }
    let far = sigmas(&CondOt, &Grid::Karras { rho: 1e6 }, 11);
    let log = sigmas(&CondOt, &Grid::LogSnr, 11);
    assert!(far.iter().zip(&log).all(|(&a, &b)| close(a, b, 1e-4)));
}

#[test]
fn the_formulas_in_time() {
    for scheduler in schedulers() {
        let at = |grid: &Grid, i| grid.times(&*scheduler, 6)[i];
        // sin² of 15°, 30°, 45°, 60°.
        let exact = [0.5 - 3f64.sqrt() / 4.0, 0.25, 0.5, 0.75];
        for (i, exact) in exact.into_iter().enumerate() {
            assert!((at(&Grid::Cosine, i + 1) - exact).abs() < 1e-15);
        }
        for i in 0..=6 {
            let rest = (6 - i) as f64 / 6.0;
            assert!((at(&Grid::Quadratic, i) - (1.0 - rest * rest)).abs() < 1e-15);
            assert_eq!(at(&Grid::Uniform, i), i as f64 / 6.0);
        }
    }
}

#[test]
fn the_shift_on_condot() {
    for s in [0.01, 0.5, 1.0, 3.0, 100.0] {
        let times = Grid::Shifted { shift: s }.times(&CondOt, 50);
        for (i, &t) in times.iter().enumerate() {
            let u = i as f64 / 50.0;
            let exact = u / (s - (s - 1.0) * u);
            assert!(close(t, exact, 1e-13), "{s} {i}: {t} {exact}");
        }
    }
}

/// The noise beside the data is s times that of equal steps, on every path; where the path starts with
/// finite noise, of equal steps from where s times theirs is that.
#[test]
fn the_shift_scales_sigma() {
    for spec in SCHEDULERS {
        let scheduler = (spec.make)();
        for s in [0.2, 5.0] {
            let grid = Grid::Shifted { shift: s };
            let times = grid.times(&*scheduler, 40);
            let ratio = |t: f64| {
                let c = scheduler.at(t);
                c.beta / c.alpha
            };
            let equal: Vec<f64> = times[1..40]
                .iter()
                .map(|&t| scheduler.time_of_log_snr(-2.0 * (ratio(t) / s).ln()))
                .collect();
            let step = (1.0 - equal[0]) / 39.0;
            for (i, u) in equal.iter().enumerate() {
                assert!(
                    (u - equal[0] - i as f64 * step).abs() < 1e-9,
                    "{grid} {}",
                    spec.name
                );
            }
            // One step before the first: where the path starts.
            let start = equal[0] - step;
            if s > 1.0 && ratio(0.0).is_finite() {
                assert!(close(ratio(start) * s, ratio(0.0), 1e-6), "{}", spec.name);
            } else {
                assert!(start.abs() < 1e-9, "{}", spec.name);
            }
        }
    }
}

#[test]
fn what_is_written_reads_back() {
    let given = ["0,1", "0, 0.1 ,0.25, 1", "-0,1e-300,1.0"].map(|text| text.parse().unwrap());
    for grid in grids().into_iter().chain(given) {
        assert_eq!(grid.to_string().parse(), Ok(grid));
    }
    assert_eq!(" karras : 3.5 ".parse(), Ok(Grid::Karras { rho: 3.5 }));
    assert_eq!("shifted".parse(), Ok(Grid::Shifted { shift: 3.0 }));
    assert_eq!(Grid::default(), Grid::Native);
}

#[test]
fn a_given_list_is_itself() {
    let grid: Grid = "0,0.2,0.7,1".parse().unwrap();
    assert_eq!(grid, Grid::given(&[0.0, 0.2, 0.7, 1.0]).unwrap());
    assert_eq!((grid.steps(), Grid::Native.steps()), (Some(3), None));
    assert_eq!(grid.times(&CondOt, 17), [0.0, 0.2, 0.7, 1.0]);
}

#[test]
fn refusals_say_what_would_be_right() {
    let refuse = |text: &str| text.parse::<Grid>().unwrap_err().to_string();
    for text in ["linear", "", "karras7", ":", "Karras"] {
        let message = refuse(text);
        assert!(
            message.contains("known are native, uniform, log-snr, karras"),
            "{message}"
        );
    }
    for text in [
        "karras:0.5",
        "karras:101",
        "karras:",
        "karras:x",
        "karras:nan",
        "karras:7:7",
    ] {
        assert!(refuse(text).contains("ρ from 1 to 100"), "{text}");
    }
    assert!(refuse("shifted:-3").contains("s from 0.01 to 100"));
    for text in ["uniform:3", "native:", "cosine:x"] {
        assert!(refuse(text).contains("takes no number"), "{text}");
    }
    for (text, message) in [
        (
            "0,0.5,0.4,1",
            "entry 3 (0.4) is not larger than entry 2 (0.5)",
        ),
        (
            "0,0.5,0.5,1",
            "entry 3 (0.5) is not larger than entry 2 (0.5)",
        ),
        ("0,2,1", "entry 3 (1) is not larger than entry 2 (2)"),
        ("0.1,0.5,1", "entry 1 (0.1) is not 0"),
        ("1,0.5,0", "entry 1 (1) is not 0"),
        ("0,0.5,0.9", "the last entry, 3 (0.9), is not 1"),
        ("0.5", "at least two entries, 0 and 1, got 1"),
        ("0,half,1", "entry 2 (\"half\") is not a number"),
        ("0,nan,1", "entry 2 (\"NaN\") is not a number"),
        ("0,1,", "entry 3 (\"\") is not a number"),
        (",", "entry 1 (\"\") is not a number"),
    ] {
        assert!(refuse(text).contains(message), "{text}: {}", refuse(text));
    }
    assert_eq!(Grid::given(&[]), Err(GridError::Few { entries: 0 }));
}

proptest! {
    #[test]
    fn no_text_is_too_strange(text in ".{0,40}") {
        let _ = text.parse::<Grid>();
    }

    #[test]
    fn nor_one_that_is_nearly_a_grid(text in "(karras|shifted|cosine|native)?[:,0-9.e+-]{0,12}(nan|inf|,1)?") {
        if let Ok(grid) = text.parse::<Grid>() {
            prop_assert_eq!(grid.to_string().parse(), Ok(grid.clone()));
            let times = grid.times(&CondOt, 9);
            prop_assert_eq!((times[0], times[times.len() - 1]), (0.0, 1.0));
            prop_assert!(times.windows(2).all(|w| w[0] < w[1]));
        }
    }
}
