//! Ensembles as a user asks for them, against closed forms; and what is refused.

use std::ops::ControlFlow;

use fokker_lab::simulation::{
    ComponentStart, Outcome, Precision, ProcessChoice, Save, Settings, Simulation, SimulationError,
    StartChoice, Stepping, Wanted, pictures,
};
use fokker_sim::process::{Calculus, PROCESSES};

fn run(settings: &Settings) -> (Simulation, Outcome) {
    run_with(settings, &Wanted::default())
}

fn run_with(settings: &Settings, wanted: &Wanted) -> (Simulation, Outcome) {
    let simulation = Simulation::new(settings).unwrap();
    let outcome = simulation
        .run(wanted, &mut |_| ControlFlow::Continue(()))
        .unwrap();
    (simulation, outcome)
}

fn written(drift: &str, diffusion: Option<&str>, params: &[(&str, f64)]) -> ProcessChoice {
    ProcessChoice::Written {
        drift: drift.into(),
        diffusion: diffusion.map(Into::into),
        names: Vec::new(),
        params: params.iter().map(|(n, v)| ((*n).into(), *v)).collect(),
        event: None,
        calculus: Calculus::Ito,
    }
}

#[test]
fn every_process_runs_by_its_defaults_and_is_drawn() {
    for spec in PROCESSES {
        let settings = Settings {
            count: Some(40),
            ..Settings::named(spec.name)
        };
        let wanted = Wanted {
            pictures: true,
            ..Wanted::default()
        };
        let (simulation, outcome) = run_with(&settings, &wanted);
        let exact = simulation.exact(&outcome);
        let drawn = pictures(&simulation, &outcome, exact.as_ref());
        assert!(!drawn.is_empty(), "{}", spec.name);
        for picture in &drawn {
            let svg = picture.figure.svg();
            assert!(
                !svg.as_str().contains("no data"),
                "{} {}",
                spec.name,
                picture.name
            );
        }
        let words = simulation.describe();
        assert!(
            words.iter().all(|(_, value)| !value.is_empty()),
            "{words:?}"
        );
        let report = simulation.report(&outcome, exact.as_ref(), &drawn, None, None);
        assert!(report.unwrap().to_html().contains("Statistics"));
        let json: serde_json::Value =
            serde_json::from_str(&simulation.json(&outcome, exact.as_ref())).unwrap();
        assert_eq!(json["statistics"][0]["count"], 40, "{}", spec.name);
    }
}

#[test]
fn laws_are_met() {
    // Equal steps of Euler–Maruyama are exact for Brownian motion.
    for (name, steps) in [
        ("brownian", 10),
        ("ornstein-uhlenbeck", 2000),
        ("geometric-brownian", 500),
    ] {
        let settings = Settings {
            count: Some(20_000),
            stepping: Some(Stepping::Steps(steps)),
            save: Some(Save::End),
            ..Settings::named(name)
        };
        let (simulation, outcome) = run(&settings);
        let exact = simulation.exact(&outcome).unwrap();
        let c = &exact.components[0];
        assert!(
            (c.mean - c.exact_mean).abs() < 5.0 * c.mean_error,
            "{name} {c:?}"
        );
        let variance = c.exact_variance.unwrap();
        assert!(
            (c.variance - variance).abs() < 5.0 * c.variance_error,
            "{name} {c:?}"
        );
        assert!(c.p_value.unwrap() > 1e-5, "{name} {c:?}");
    }
    // A wrong law is found: the same paths against twice the variance.
    let settings = Settings {
        count: Some(20_000),
        stepping: Some(Stepping::Steps(10)),
        ..Settings::new(written("0", Some("s"), &[("s", 1.0)]))
    };
    let (simulation, outcome) = run(&settings);
    assert!(simulation.exact(&outcome).is_none());
}

#[test]
fn converting_keeps_the_law() {
    // dx = μx dt + σx dW of Itô by a Stratonovich method: E x(1) = e^μ, not e^{μ + σ²/2}.
    let process = ProcessChoice::Named {
        name: "geometric-brownian".into(),
        params: vec![("mu".into(), 0.1), ("sigma".into(), 0.8)],
        density: None,
        event: None,
    };
    let settings = Settings {
        solver: Some("stochastic-heun".into()),
        stepping: Some(Stepping::Steps(100)),
        count: Some(20_000),
        save: Some(Save::End),
        ..Settings::new(process)
    };
    let refusal = Simulation::new(&settings).unwrap_err().to_string();
    assert!(
        refusal.contains("--convert") && refusal.contains("Stratonovich"),
        "{refusal}"
    );
    let (simulation, outcome) = run(&Settings {
        convert: true,
        ..settings
    });
    let c = &simulation.exact(&outcome).unwrap().components[0];
    assert!((c.mean - 0.1f64.exp()).abs() < 5.0 * c.mean_error, "{c:?}");
}

#[test]
fn files_hold_the_same_states_as_memory() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("paths.npy");
    let settings = Settings {
        count: Some(600),
        stepping: Some(Stepping::Steps(20)),
        save: Some(Save::Times(vec![0.0, 5.0, 10.0])),
        precision: Precision::F32,
        start: StartChoice::Components(vec![(
            "x".into(),
            ComponentStart::Density("gaussian".parse().unwrap()),
        )]),
        ..Settings::named("brownian")
    };
    let wanted = Wanted {
        paths: Some(path.clone()),
        ..Wanted::default()
    };
    let (_, outcome) = run_with(&settings, &wanted);
    let bytes = std::fs::read(&path).unwrap();
    let head = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    assert!(String::from_utf8_lossy(&bytes[..head]).contains("(600, 3, 1)"));
    let number = |b: &[u8]| f32::from_le_bytes([b[0], b[1], b[2], b[3]]);
    let values: Vec<f32> = bytes[head..].chunks_exact(4).map(number).collect();
    let last: Vec<f64> = values.chunks(3).map(|row| f64::from(row[2])).collect();
    assert_eq!(last, outcome.last);
    let starts: Vec<f64> = values.chunks(3).map(|row| f64::from(row[0])).collect();
    let mean = starts.iter().sum::<f64>() / 600.0;
    assert!(mean.abs() < 0.2 && starts[0] != starts[1]);
}

#[test]
fn events_stop_trajectories() {
    // x = e^{−t} crosses ½ at ln 2.
    let process = ProcessChoice::Named {
        name: "linear".into(),
        params: Vec::new(),
        density: None,
        event: Some("x - 0.5".into()),
    };
    let (_, outcome) = run(&Settings::new(process));
    let events = outcome.events.unwrap();
    assert_eq!(events.moments.count(), 1);
    assert!((events.moments.mean()[0] - 2f64.ln()).abs() < 1e-5);
    assert!((outcome.last[0] - 0.5).abs() < 1e-5);
    // Hits of −1 by Brownian motion until t = 4: P = 2 Φ(−1/2) = 0.617.
    let process = ProcessChoice::Named {
        name: "brownian".into(),
        params: Vec::new(),
        density: None,
        event: Some("x + 1".into()),
    };
    let (simulation, outcome) = run(&Settings {
        to: Some(4.0),
        count: Some(4000),
        stepping: Some(Stepping::Steps(4000)),
        save: Some(Save::End),
        ..Settings::new(process)
    });
    let events = outcome.events.as_ref().unwrap();
    let share = events.moments.count() as f64 / 4000.0;
    assert!((share - 0.617).abs() < 0.035, "{share}");
    let row = simulation.event_row(&outcome).unwrap();
    assert_eq!(row.len(), 8);
    let words = simulation.events(&outcome, events);
    assert!(
        words.contains(" of 4,000 trajectories") && words.contains(" %"),
        "{words}"
    );
}

#[test]
fn a_blow_up_is_located_to_the_step() {
    // Euler's method on x′ = x², x(0) = 1: x grows like a tower and overflows in a known step.
    let h = 0.1;
    let (mut x, mut step) = (1.0f64, 0);
    while x.is_finite() {
        x += h * x * x;
        step += 1;
    }
    let settings = Settings {
        solver: Some("euler".into()),
        stepping: Some(Stepping::Size(h)),
        to: Some(10.0),
        count: Some(300),
        save: Some(Save::End),
        ..Settings::new(written("x^2", None, &[]))
    };
    let simulation = Simulation::new(&settings).unwrap();
    let failed = simulation.run(&Wanted::default(), &mut |_| ControlFlow::Continue(()));
    match failed {
        Err(SimulationError::BlowUp {
            trajectory: 0,
            step: found,
            steps: 100,
            ..
        }) => {
            assert_eq!(found, step);
        }
        other => panic!("{other:?}"),
    }
    // Only trajectories that start above 0 blow up; the others are kept.
    let settings = Settings {
        keep_going: true,
        save: Some(Save::Times(vec![0.0, 10.0])),
        start: StartChoice::Density("gaussian".parse().unwrap()),
        ..settings
    };
    let (_, outcome) = run(&settings);
    let moments = &outcome.summaries.summaries()[1].moments;
    assert_eq!(moments.count() + moments.non_finite(), 300);
    assert!(
        (100..200).contains(&moments.non_finite()),
        "{}",
        moments.non_finite()
    );
}

#[test]
fn what_does_not_fit_is_refused() {
    let ou = || Settings::named("ornstein-uhlenbeck");
    let steps = |n| Some(Stepping::Steps(n));
    let cases: Vec<(Settings, &[&str])> = vec![
        (
            Settings::named("lorentz"),
            &["lorentz", "did you mean `lorenz`"],
        ),
        (
            Settings {
                solver: Some("tsti5".into()),
                ..Settings::named("lorenz")
            },
            &["did you mean `tsit5`"],
        ),
        (
            Settings {
                count: Some(0),
                ..ou()
            },
            &["--count", "at least 1"],
        ),
        (
            Settings {
                save: Some(Save::Times(vec![25.0])),
                ..ou()
            },
            &["25", "outside", "0 to 20"],
        ),
        (
            Settings {
                save: Some(Save::Times(vec![0.5])),
                stepping: steps(10),
                ..ou()
            },
            &["0.5", "not a step of 10"],
        ),
        (
            Settings {
                save: Some(Save::Even(7)),
                ..ou()
            },
            &["7 even", "--save 5, --save 8 or --steps 1001"],
        ),
        (
            Settings {
                stepping: Some(Stepping::Size(0.3)),
                ..ou()
            },
            &["--step", "0.3", "does not divide", "66 steps"],
        ),
        (
            Settings {
                stepping: Some(Stepping::Size(1e-300)),
                ..ou()
            },
            &["--step", "too small"],
        ),
        (
            Settings {
                stepping: Some(Stepping::Size(-1.0)),
                ..ou()
            },
            &["--step", "positive"],
        ),
        (
            Settings {
                stepping: steps(0),
                ..ou()
            },
            &["number of steps", "got 0"],
        ),
        (
            Settings {
                stepping: Some(Stepping::Tolerance(0.0)),
                ..Settings::named("lorenz")
            },
            &["tolerance", "positive"],
        ),
        (
            Settings {
                to: Some(f64::NAN),
                ..ou()
            },
            &["finite"],
        ),
        // Steps chosen with a look at the noise would change the law.
        (
            Settings {
                stepping: Some(Stepping::Tolerance(1e-3)),
                ..Settings::named("geometric-brownian")
            },
            &["Euler–Maruyama", "milstein", "changes the law"],
        ),
        (
            Settings {
                stepping: Some(Stepping::Tolerance(1e-3)),
                solver: Some("stochastic-heun".into()),
                convert: true,
                ..Settings::named("heston")
            },
            &["stochastic Heun", "equal steps"],
        ),
        (
            Settings {
                start: StartChoice::Point(vec![-1.0]),
                ..Settings::new(written("sqrt(x)", None, &[]))
            },
            &["the drift is NaN at t = 0, x = -1"],
        ),
        (
            Settings {
                start: StartChoice::Point(vec![1.0, 0.0]),
                ..Settings::new(written("x1, 0", Some("1, 1/x1"), &[]))
            },
            &["the noise of x1 is inf at t = 0, x0 = 1, x1 = 0"],
        ),
        (
            Settings::new(written("dq = p; dp = -q", None, &[])),
            &["write p' = … in place of dp"],
        ),
        (Settings::named("OU"), &["did you mean `ou`?"]),
        (
            Settings::new(written("x1, -x0", Some("0.5"), &[])),
            &["2 components are needed, not 1", "such as 0, 1"],
        ),
        (
            Settings {
                to: Some(2.0),
                ..Settings::named("vp")
            },
            &["--to", "0 to 1"],
        ),
        (
            Settings {
                to: Some(-2.0),
                ..ou()
            },
            &["--to", "forward"],
        ),
        (
            Settings {
                start: StartChoice::Point(vec![1.0, 2.0]),
                ..ou()
            },
            &["--start", "2 components", "1: x"],
        ),
        (
            Settings {
                start: StartChoice::Point(vec![f64::NAN]),
                ..ou()
            },
            &["--start", "finite"],
        ),
        (
            Settings {
                solver: Some("tsit5".into()),
                ..ou()
            },
            &["without noise"],
        ),
        (
            Settings {
                solver: Some("milstein".into()),
                ..Settings::named("lorenz")
            },
            &["noise"],
        ),
        (
            Settings::new(written("-thta*x", None, &[("theta", 1.0)])),
            &["thta", "^^^^", "did you mean `theta`"],
        ),
        (
            Settings::new(written("-x", None, &[("theta", 1.0)])),
            &["--param", "`theta` occurs in no"],
        ),
        (
            Settings {
                save: Some(Save::Even(1_000_000)),
                stepping: steps(1_000_000),
                count: Some(100_000),
                ..ou()
            },
            &["GB of memory"],
        ),
    ];
    for (settings, parts) in cases {
        let message = match Simulation::new(&settings) {
            Err(error) => error.to_string(),
            Ok(_) => panic!("not refused: {parts:?}"),
        };
        for part in parts {
            assert!(message.contains(part), "{part:?} in: {message}");
        }
    }
}

/// 1000 + 0.0071 Z: relative errors of 0.5 % would be a thousand deviations.
#[test]
fn quantiles_are_good_for_the_spread_of_values_far_from_0() {
    for count in [200, 20_000] {
        let std = 0.0071;
        let process = written("0", Some("s"), &[("s", std)]);
        let settings = Settings {
            to: Some(1.0),
            count: Some(count),
            stepping: Some(Stepping::Steps(2)),
            start: StartChoice::Point(vec![1000.0]),
            ..Settings::new(process)
        };
        let (simulation, outcome) = run(&settings);
        let k = outcome.summaries.times().len() - 1;
        let mut last = outcome.last.clone();
        last.sort_unstable_by(f64::total_cmp);
        let summary = &outcome.summaries.summaries()[k];
        for q in [0.05, 0.25, 0.5, 0.75, 0.95] {
            let exact = last[(q * (last.len() - 1) as f64) as usize];
            let found = summary.quantiles[0].quantile(q).unwrap();
            assert!((found - exact).abs() < 0.03 * std, "{q}: {found} {exact}");
        }
        // The numbers as they are shown tell the values apart.
        let row = &simulation.rows(&outcome, k)[0];
        let shown: Vec<f64> = row[1..].iter().map(|x| x.parse().unwrap()).collect();
        assert!(shown[2..].windows(2).all(|x| x[0] < x[1]), "{row:?}");
        assert!((shown[4] - 1000.0).abs() < std, "{row:?}");
        let bars = summary.histograms[0].as_ref();
        assert_eq!(bars.is_some(), count >= 1000);
        let filled = bars.map(|bars| bars.counts().iter().filter(|n| **n > 0).count());
        assert!(filled.is_none_or(|n| n > 10), "{filled:?}");
    }
}

#[test]
fn histograms_exist_for_what_never_moves_and_for_what_hardly_does() {
    for (start, noise) in [(0.0, "0*t"), (1e9, "1e-3"), (-1e-300, "0*t")] {
        let settings = Settings {
            to: Some(1.0),
            count: Some(1000),
            stepping: Some(Stepping::Steps(2)),
            start: StartChoice::Point(vec![start]),
            ..Settings::new(written("0", Some(noise), &[]))
        };
        let (_, outcome) = run(&settings);
        for summary in outcome.summaries.summaries() {
            let bars = summary.histograms[0].as_ref().unwrap();
            assert_eq!(bars.counts().iter().sum::<u64>(), 1000, "{start} {noise}");
        }
    }
}

/// The invariant law has v ~ N(0, 1); at long steps Euler–Maruyama's velocities are too fast.
#[test]
fn underdamped_dynamics_keep_their_invariant_law_and_doubt_is_told() {
    let settings = Settings {
        count: Some(4000),
        save: Some(Save::End),
        ..Settings::named("underdamped-langevin")
    };
    let (simulation, outcome) = run(&settings);
    let exact = simulation.exact(&outcome).unwrap();
    assert_eq!(exact.doubt(), None, "{:?}", exact.components);
    let v = &exact.components[1];
    assert!((v.variance - 1.0).abs() < 4.0 * v.variance_error, "{v:?}");
    let (simulation, outcome) = run(&Settings {
        solver: Some("euler-maruyama".into()),
        stepping: Some(Stepping::Steps(200)),
        ..settings
    });
    let doubt = simulation.exact(&outcome).unwrap().doubt().unwrap();
    assert!(
        doubt.contains("v0") && doubt.contains("step is too long"),
        "{doubt}"
    );
}

#[test]
fn a_long_trajectory_can_be_stopped() {
    let settings = Settings {
        count: Some(1),
        stepping: Some(Stepping::Steps(1 << 32)),
        ..Settings::named("brownian")
    };
    let simulation = Simulation::new(&settings).unwrap();
    let wanted = Wanted {
        pictures: true,
        ..Wanted::default()
    };
    let outcome = simulation.run(&wanted, &mut |progress| match progress.share > 0.0 {
        true => ControlFlow::Break(()),
        false => ControlFlow::Continue(()),
    });
    assert!(outcome.unwrap().stopped);
}

#[test]
fn without_noise_an_ode_solver_is_taken() {
    for name in ["ornstein-uhlenbeck", "brownian"] {
        let process = ProcessChoice::Named {
            name: name.into(),
            params: vec![("sigma".into(), 0.0)],
            density: None,
            event: None,
        };
        let settings = Settings {
            start: StartChoice::Point(vec![2.0]),
            ..Settings::new(process)
        };
        let (simulation, outcome) = run(&settings);
        assert_eq!(simulation.solver().spec().name, "tsit5");
        let exact = simulation.exact(&outcome).unwrap();
        assert!((outcome.last[0] - exact.components[0].exact_mean).abs() < 1e-4);
    }
}

#[test]
fn choices_are_read_from_text() {
    assert_eq!("end".parse::<Save>().unwrap(), Save::End);
    assert_eq!("20".parse::<Save>().unwrap(), Save::Even(20));
    assert_eq!(
        "0, 0.5,1".parse::<Save>().unwrap(),
        Save::Times(vec![0.0, 0.5, 1.0])
    );
    for bad in ["0", "x", "1,x", ""] {
        assert!(bad.parse::<Save>().is_err(), "{bad}");
    }
    assert!(matches!("1,-2".parse().unwrap(), StartChoice::Point(p) if p == [1.0, -2.0]));
    assert!(matches!(
        "gaussian:std=2".parse().unwrap(),
        StartChoice::Density(_)
    ));
    let components = "x=1; v=gaussian:mean=1,std=2".parse().unwrap();
    assert!(matches!(components, StartChoice::Components(c) if c.len() == 2));
    for bad in ["", "1,x", "gausian", "x=gausian"] {
        assert!(bad.parse::<StartChoice>().is_err(), "{bad}");
    }
}
