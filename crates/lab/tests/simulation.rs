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
            &["7 even", "5 or 8"],
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
